import numpy as np
import pytest

pytest.importorskip("cv2")
from cliqa.signal.noise.psnr import chroma_psnr, grey_psnr
from cliqa.training.histories.filters import to_uint8
from cliqa.training.histories.pages import with_page
from cliqa.training.histories.picture import Picture
from cliqa.training.noise.families import FAMILIES
from cliqa.training.noise.noisy_photos import Mix, make_picture
from cliqa.training.noise.saved_examples import REGIONS, make_saved_example
from cliqa.training.noise.saved_photos import KINDS, MIX, SAVES, kind_of
from tests.noisy_pictures import add_noise, scene


class Scenes:
    """A source of synthetic photographs."""

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        return scene(600, 700, int(rng.integers(1000)))


def test_shares_of_families_are_whole():
    assert sum(MIX.families.values()) == pytest.approx(1) and set(MIX.families) | {"colours"} == set(FAMILIES)


def test_saves_keep_the_size_and_change_the_picture():
    pixels, seen = add_noise(scene(128, 256), 8), set()
    for seed in range(25):
        for save, step in SAVES.items():
            done = step(np.random.default_rng(seed), Picture(pixels))
            assert done.pixels.shape == pixels.shape and done.pixels.dtype == np.uint8
            assert (grey_psnr(pixels, done.pixels) < 50) == (save != "plain")
            seen.add(kind_of(done))
    assert seen == set(KINDS)


def test_a_page_covers_one_side_and_leaves_most_of_the_picture():
    pixels = add_noise(scene(256, 384), 8)
    for seed in range(12):
        paged = with_page(np.random.default_rng(seed), Picture(pixels))
        same = (paged.pixels == pixels).all(axis=2)
        assert 0.4 < same.mean() < 0.95 and paged.share == pytest.approx(same.mean(), abs=0.02)


@pytest.mark.parametrize("family", ["chroma", "colours"])
def test_some_noise_of_the_colours_leaves_grey_alone(family):
    image = scene().astype(np.float32)
    found = []
    for seed in range(40):
        base, noisy = (to_uint8(each) for each in FAMILIES[family].make(np.random.default_rng(seed), image, 30.0))
        found.append((grey_psnr(base, noisy), chroma_psnr(base, noisy)))
    grey, colour = np.array(found).T
    assert (colour < 42).all() and (grey > 45).any() and (grey < 34).any() and (colour < grey).mean() > 0.9


def test_pictures_tell_the_noise_of_their_colours():
    mix = Mix(clean=0.0, families={"impulses": 0.5, "gaussian": 0.5})
    made = [make_picture(np.random.default_rng(seed), Scenes().draw, mix) for seed in range(12)]
    assert {picture.noise for picture in made} == {"impulses", "gaussian"}
    noise = [picture.noise_psnr() for picture in made]
    assert any(colour == 50 and psnr < 45 for psnr, colour in noise)  # grey noise
    assert any(abs(colour + 3 - psnr) < 1.5 for psnr, colour in noise)  # independent channels: 2/3 against 1/3
    clean = make_picture(np.random.default_rng(0), Scenes().draw, Mix(clean=1.0, reduced=1.0))
    assert (*clean.noise_psnr(), clean.noise) == (50, 50, "clean")


def test_an_example_is_one_picture_through_all_saves():
    example = make_saved_example(Scenes(), np.random.default_rng(3), 0)
    assert example["statistics"].shape[0] == len(SAVES) and np.isfinite(example["statistics"]).all()
    assert example["regions"].shape[:2] == (len(SAVES), REGIONS)
    assert example["kind"][0] == 0 and example["quality"][0] == 100 and (example["kind"][2:] >= 2).all()
    assert np.abs(np.diff(example["statistics"], axis=0)).max() > 0.1
