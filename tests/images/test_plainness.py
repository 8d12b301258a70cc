import io

import numpy as np
from PIL import Image

from cliqa.images.plainness import plainness


def picture(seed: int = 0) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8)).resize((320, 240), Image.Resampling.BICUBIC)


def saved(image: Image.Image, quality: int = 60) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream).convert("RGB")


def test_colour_and_grey():
    colour = picture()
    grey = colour.convert("L").convert("RGB")
    assert plainness(colour)["grey"] == 0 and plainness(grey)["grey"] == 1 and plainness(saved(grey))["grey"] == 1
    sepia = Image.fromarray((np.asarray(grey) * [1.0, 0.85, 0.6]).astype(np.uint8))
    assert plainness(sepia)["grey"] == 0


def test_flat_pictures_hold_nothing():
    noise = np.random.default_rng(0).normal(0, 2.5, (240, 320, 3))
    paper = Image.fromarray(np.clip(np.rint(235 + noise), 0, 255).astype(np.uint8))
    assert plainness(paper)["flat"] == 1 and plainness(saved(paper))["flat"] == 1
    assert plainness(picture())["flat"] == 0
    sky = Image.fromarray(np.tile(np.linspace(90, 180, 240).astype(np.uint8)[:, None, None], (1, 320, 3)))
    assert plainness(sky)["flat"] == 0
