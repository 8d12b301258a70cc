"""Make the example photographs from pristine ones, each with a known history.

    python examples/make_examples.py --data photos/

The sources are the CC0 wallpapers named in CREDITS.md. Nothing else in the project needs this script.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image

HERE = Path(__file__).parent
SIZE = 512  # pixels a side, cut from the middle at native resolution


def middle(path: Path, size: int = SIZE) -> Image.Image:
    """The middle of a photograph."""
    image = Image.open(path).convert("RGB")
    left, top = (image.width - size) // 2 // 8 * 8, (image.height - size) // 2 // 8 * 8
    return image.crop((left, top, left + size, top + size))


def saved(image: Image.Image, quality: int, subsampling: str = "4:2:0") -> Image.Image:
    """The picture after a JPEG save."""
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return Image.open(stream).convert("RGB")


def noisy(image: Image.Image, electrons: float) -> Image.Image:
    """Shot noise in linear light, for a sensor that holds so many electrons at white."""
    rng = np.random.default_rng(7)
    linear = (np.asarray(image) / 255.0) ** 2.2
    counted = rng.poisson(linear * electrons) / electrons
    return Image.fromarray(np.uint8(np.rint(255.0 * np.clip(counted, 0, 1) ** (1 / 2.2))))


def main() -> None:
    """Write all examples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds lossless/budgie-backgrounds-*.webp")
    data = parser.parse_args().data / "lossless"
    out = HERE / "photos"
    out.mkdir(exist_ok=True)

    def photo(number: int) -> Image.Image:
        return middle(data / f"budgie-backgrounds-{number}.webp")

    photo(348).save(out / "harbour.webp", lossless=True, method=6)
    photo(350).save(out / "stone.png", optimize=True)
    photo(353).save(out / "lake.jpg", quality=96, subsampling="4:4:4")
    photo(351).save(out / "facade.jpg", quality=94, subsampling="4:2:0")
    photo(354).save(out / "otters.jpg", quality=75)
    saved(photo(355), 45).save(out / "branches_resaved.jpg", quality=95, subsampling="4:4:4")
    saved(photo(357), 60).save(out / "colosseum_was_jpeg.png", optimize=True)
    saved(photo(356), 50).crop((3, 5, 3 + 496, 5 + 496)).save(out / "piazza_cropped.png", optimize=True)
    noisy(photo(352), 250).save(out / "hike_noisy.jpg", quality=96, subsampling="4:4:4")
    photo(358).crop((0, 0, 320, 320)).resize((512, 512), Image.Resampling.BICUBIC).save(
        out / "skyline_upscaled.jpg", quality=96, subsampling="4:4:4"
    )
    dark = np.asarray(photo(359)) / 255.0
    Image.fromarray(np.uint8(np.rint(255.0 * (dark**2.2 / 6.0) ** (1 / 2.2)))).save(
        out / "garden_dark.jpg", quality=96, subsampling="4:4:4"
    )
    photo(360).save(out / "spices_tiny.jpg", quality=20)


if __name__ == "__main__":
    main()
