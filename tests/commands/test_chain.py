"""The documented chain of three filters: through folders of links and through pipes it keeps the same images."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cliqa.outputs.placed import RECORD

ROOT = Path(__file__).parent.parent.parent
PHOTOS = ("harbour.webp", "lake.jpg", "facade.jpg", "otters.jpg", "skyline_upscaled.jpg", "hike_noisy.jpg")


@pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="a shell script")
def test_folders_and_pipes_keep_the_same_images_and_links_point_to_the_real_files(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    for name in PHOTOS:
        shutil.copy(ROOT / "examples" / "photos" / name, images / name)
    environment = os.environ | {"PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
    for words in ([str(images), str(tmp_path / "folders")], ["--pipe", str(images), str(tmp_path / "pipes")]):
        subprocess.run([ROOT / "examples" / "chain.sh", *words], check=True, env=environment, timeout=300)
    folders = {path.name: os.readlink(path) for path in (tmp_path / "folders").iterdir() if path.name != RECORD}
    pipes = {path.name: os.readlink(path) for path in (tmp_path / "pipes").iterdir() if path.name != RECORD}
    assert folders == pipes
    assert folders == {name: os.path.realpath(images / name) for name in folders}
    assert {"harbour.webp", "lake.jpg"} <= set(folders)
    assert not {"otters.jpg", "skyline_upscaled.jpg", "hike_noisy.jpg"} & set(folders)
