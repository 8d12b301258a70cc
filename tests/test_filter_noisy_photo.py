import numpy as np
import pytest
from PIL import Image

from cliqa.filter_noisy_photo import COMMAND, main
from tests.test_grain_noise import add_noise, scene


@pytest.fixture
def folder(tmp_path):
    """One clean picture, one with strong noise."""
    root = tmp_path / "in"
    root.mkdir()
    Image.fromarray(scene()).save(root / "clean.png")
    Image.fromarray(add_noise(scene(), 20)).save(root / "noisy.png")
    return root


def placed(path):
    return sorted(each.name for each in path.iterdir())


def test_keeps_what_has_no_noise(folder, tmp_path):
    out = tmp_path / "out"
    assert main(["-i", str(folder), "-o", str(out), "--workers", "0", "--quiet"]) == 0
    assert placed(out) == ["clean.png"]
    np.testing.assert_array_equal(Image.open(out / "clean.png"), Image.open(folder / "clean.png"))


def test_prefix_is_the_psnr(folder, tmp_path):
    out = tmp_path / "out"
    options = ["--psnr", "0", "--score-prefix", "--symlink", "--workers", "0", "--quiet"]
    assert main(["-i", str(folder), "-o", str(out), *options]) == 0
    noisy, clean = placed(out)
    assert noisy.endswith("_noisy.png") and 19 <= int(noisy[:2]) <= 25
    assert clean.endswith("_clean.png") and int(clean[:2]) >= 40
    assert all((out / name).is_symlink() for name in (noisy, clean))


def test_invert(folder, tmp_path):
    out = tmp_path / "out"
    assert main(["-i", str(folder), "-o", str(out), "--invert", "--workers", "0", "--quiet"]) == 0
    assert placed(out) == ["noisy.png"]


def test_prefix_has_two_digits():
    assert COMMAND.prefix({"psnr": 41.3}) == "41"
    assert COMMAND.prefix({"psnr": 50.0}) == "50"
    assert COMMAND.prefix({"psnr": 7.0}) == "07"


def test_default_threshold_is_the_reference_one():
    assert COMMAND.parser().parse_args(["-i", "x"]).psnr == 40
