import numpy as np
import pytest
from PIL import Image

from cliqa.filter_low_quality_resize import COMMAND, main
from tests.test_scale_factor import colored


@pytest.fixture
def folder(tmp_path):
    """One picture at its own size, one enlarged by 1.5."""
    root = tmp_path / "in"
    root.mkdir()
    Image.fromarray(colored(384, 384)).save(root / "own.png")
    Image.fromarray(colored(300, 300, seed=7)).resize((450, 450), Image.Resampling.BICUBIC).save(root / "large.png")
    return root


def placed(path):
    return sorted(each.name for each in path.iterdir())


def test_keeps_what_was_not_enlarged(folder, tmp_path):
    out = tmp_path / "out"
    assert main(["-i", str(folder), "-o", str(out), "--workers", "0", "--quiet"]) == 0
    assert placed(out) == ["own.png"]
    np.testing.assert_array_equal(Image.open(out / "own.png"), Image.open(folder / "own.png"))


def test_invert_and_prefix(folder, tmp_path):
    out = tmp_path / "out"
    options = ["--invert", "--score-prefix", "--workers", "0", "--quiet"]
    assert main(["-i", str(folder), "-o", str(out), *options]) == 0
    (name,) = placed(out)
    assert name.endswith("_large.png") and 45 <= int(name[:3]) <= 55


def test_a_threshold_of_nothing_keeps_all(folder, tmp_path):
    out = tmp_path / "out"
    assert main(["-i", str(folder), "-o", str(out), "--quality", "0", "--symlink", "--workers", "0", "--quiet"]) == 0
    assert placed(out) == ["large.png", "own.png"]


def test_prefix_has_three_digits():
    assert COMMAND.prefix({"quality": 97.2}) == "097"
    assert COMMAND.prefix({"quality": 100.0}) == "100"
    assert COMMAND.prefix({"quality": 3.0}) == "003"


def test_default_threshold_is_the_reference_one():
    assert COMMAND.parser().parse_args(["-i", "x"]).quality == 95
