"""What an installation does beyond copying: compile the routines, where a C compiler is at hand. Without one, NumPy does the same."""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SCRIPT = "cliqa/compiled/build.py"


class Routines(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the compiled routines into the wheel, which is then one of this platform; an editable installation finds them in place."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, or say why not."""
        spec = importlib.util.spec_from_file_location("build", Path(self.root, SCRIPT))
        assert spec is not None and spec.loader is not None
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        try:
            library = script.build()
        except OSError as error:
            self.app.display_warning(f"cliqa runs without compiled routines, slower with the same scores: {error}")
            return
        if version == "standard":
            build_data["artifacts"].append(library.relative_to(self.root).as_posix())
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
