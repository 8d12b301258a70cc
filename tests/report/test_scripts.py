"""The page's scripts joined into one, and their pure parts run by Node where it is there."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from cliqa.report.scripts import bundle

ROOT = Path(__file__).parents[2]
NODE = shutil.which("node")


def test_modules_are_joined_in_the_order_of_their_imports() -> None:
    texts = {
        "main.js": "import { a } from './a.js';\nimport { b } from './b.js';\na(b);\n",
        "a.js": "import { b } from './b.js';\nexport const a = (x) => x + b;\n",
        "b.js": "// b\n\nexport let b = 1;\n",
    }
    joined = bundle("main", texts.__getitem__)
    assert joined == "(() => {\n'use strict';\n// b\n\nlet b = 1;\n\nconst a = (x) => x + b;\n\na(b);\n})();\n"
    texts["b.js"] = "import { a } from './a.js';\n"
    with pytest.raises(ValueError, match="circle"):
        bundle("main", texts.__getitem__)
    texts["b.js"] = "export { c } from './c.js';\n"
    with pytest.raises(ValueError, match="can't be joined"):
        bundle("main", texts.__getitem__)


def test_the_report_holds_all_of_its_modules() -> None:
    joined = bundle()
    for name in (
        "sortedRows",
        "class Column",
        "const conditions",
        "function buildHistograms",
        "const gallery",
        "const scatter",
    ):
        assert joined.count(f"\n{name}") + joined.count(f"\nfunction {name}") == 1, name


@pytest.mark.skipif(NODE is None, reason="there is no Node")
@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / "tests").glob("*/page/*.test.mjs")))
def test_node_runs_the_unit_tests(name: str) -> None:
    path = next((ROOT / "tests").glob(f"*/page/{name}"))
    done = subprocess.run([str(NODE), "--test", str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(NODE is None, reason="there is no Node")
def test_node_reads_the_joined_script(tmp_path: Path) -> None:
    (tmp_path / "page.js").write_text(bundle(), encoding="utf-8")
    done = subprocess.run([str(NODE), "--check", str(tmp_path / "page.js")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
