"""Draws `docs/fairness.jpg`: photographs that are dark, light, grey, blurred or smeared on purpose, and what the metrics say of them.

    python docs/fairness_picture.py photos/                 # the picture; photos/ with the Budgie Backgrounds of its manifest
    python docs/fairness_picture.py photos/ --table         # share of rejected before and after each rendering, test split

Needs the extra `train` (matplotlib) for the picture.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.signal.exposure.labels import LABELS
from cliqa.training.photos import read_photos

Pixels = NDArray[np.uint8]


def low_key(pixels: Pixels) -> Pixels:
    """Mostly shadow, light on the middle alone."""
    values = (pixels / 255.0) ** 1.8
    return _image(values * (0.12 + 0.88 * _ellipse(pixels, 0.5, 0.55))[..., None])


def high_key(pixels: Pixels) -> Pixels:
    """Lifted until little is darker than middle grey; highlights keep their order."""
    values = 1 - (1 - pixels / 255.0) ** 1.6
    return _image(0.25 + 0.73 * values)


def black_and_white(pixels: Pixels) -> Pixels:
    """Luma through a gentle S-curve."""
    luma = pixels @ np.array([0.299, 0.587, 0.114]) / 255.0
    curved = luma + 0.08 * np.sin(2 * np.pi * (luma - 0.5)) * 2
    return _image(np.repeat(curved[..., None], 3, axis=2))


def bokeh(pixels: Pixels) -> Pixels:
    """Sharp in an ellipse of the middle, defocused around it, more the further away."""
    sharp, picture = _ellipse(pixels, 0.5, 0.42)[..., None], Image.fromarray(pixels)
    soft, softer = (np.asarray(picture.filter(ImageFilter.GaussianBlur(radius))) for radius in (5, 10))
    around = np.where(sharp > 0.25, soft, softer)
    return _image((sharp * pixels + (1 - sharp) * around) / 255.0)


def long_exposure(pixels: Pixels) -> Pixels:
    """Smeared sideways below the middle, as moving water is; sharp above."""
    length, height = pixels.shape[1] // 8, pixels.shape[0]
    padded = np.pad(pixels.astype(np.float64), ((0, 0), (length, length), (0, 0)), mode="reflect").cumsum(axis=1)
    smeared = (padded[:, length:] - padded[:, :-length])[:, length // 2 :][:, : pixels.shape[1]] / length
    share = np.clip((np.arange(height) / height - 0.55) / 0.08, 0, 1)[:, None, None]
    return _image((share * smeared + (1 - share) * pixels) / 255.0)


def out_of_focus(pixels: Pixels) -> Pixels:
    """A fault, to compare: blurred everywhere."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(6)))


def shaken(pixels: Pixels) -> Pixels:
    """A fault, to compare: the camera moved sideways."""
    shifted = [np.roll(pixels.astype(np.float64), step, axis=1) for step in range(-12, 13)]
    return _image(np.mean(shifted, axis=0) / 255.0)


def too_dark(pixels: Pixels) -> Pixels:
    """A fault, to compare: three stops under-exposed, with the noise that shows then."""
    light = ((pixels / 255.0) ** 2.2 / 8) ** (1 / 2.2)
    return _image(light + np.random.default_rng(0).normal(0, 0.03, pixels.shape))


def blown_out(pixels: Pixels) -> Pixels:
    """A fault, to compare: two and a half stops over-exposed, clipped."""
    return _image(np.minimum((pixels / 255.0) ** 2.2 * 5.7, 1.0) ** (1 / 2.2))


Rendering = Callable[[Pixels], Pixels]
STYLES: dict[str, Rendering] = {
    "low key": low_key, "high key": high_key, "black and white": black_and_white, "bokeh": bokeh, "long exposure": long_exposure,
}  # fmt: skip
FAULTS: dict[str, Rendering] = {
    "out of focus": out_of_focus, "shaken": shaken, "three stops dark": too_dark, "blown out": blown_out,
}  # fmt: skip
# Rows of the picture: photographs by the end of their name; None shows the photograph as it was taken.
ROWS: tuple[tuple[str, tuple[tuple[str, Rendering | None], ...]], ...] = (
    ("low key", (("349", None), ("356", None), ("354", low_key), ("357", low_key))),
    ("high key", (("350", None), ("359", None), ("354", high_key), ("353", high_key))),
    ("black and white", (("347", None), ("356", black_and_white), ("353", black_and_white), ("354", black_and_white))),
    ("bokeh", (("349", None), ("350", None), ("355", None), ("360", bokeh))),
    ("long exposure", (("358", None), ("353", long_exposure), ("352", long_exposure), ("354", long_exposure))),
    ("faults,\nto compare", (("354", out_of_focus), ("357", shaken), ("353", too_dark), ("359", blown_out))),
)


def _ellipse(pixels: Pixels, width: float, height: float) -> NDArray[np.float64]:
    """1 in the middle, falling softly to 0; (h, w)."""
    rows, columns = (np.linspace(-1, 1, side) for side in pixels.shape[:2])
    return np.exp(-(((columns[None] / width) ** 2 + (rows[:, None] / height) ** 2) ** 1.5) / 2)


def _image(values: NDArray[np.float64]) -> Pixels:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


_metric = functools.cache(load_metric)


def judge(pixels: Pixels) -> dict[str, float | str]:
    """The class, the probability of rejected, the rated quality, and the highest level of any exposure label."""
    view = View(LoadedImage.from_array(pixels))
    found, quality = _metric("aesthetic").score_view(view), _metric("grepq").score_view(view)["quality"]
    levels = _metric("exposure").score_view(view)
    return {"label": str(found["label"]), "p_rejected": float(found["p_rejected"] or 0), "quality": float(quality or 0),
            "level": max(float(levels[f"{label}_level"] or 1) for label in LABELS)}  # fmt: skip


def draw(photos: Path, out: Path) -> None:
    """The picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, grid = pyplot.subplots(len(ROWS), 4, figsize=(9, 11.6), layout="constrained")
    for axes_of_row, (title, cases) in zip(grid, ROWS, strict=True):
        for axes, (name, rendering) in zip(axes_of_row, cases, strict=True):
            pixels = np.asarray(Image.open(photos / "lossless" / f"budgie-backgrounds-{name}.webp").convert("RGB"))
            shown = pixels if rendering is None else rendering(pixels)
            found = judge(shown)
            axes.imshow(np.asarray(Image.fromarray(shown).resize((320, 320 * shown.shape[0] // shown.shape[1]))))
            axes.set(xticks=[], yticks=[])
            taken = "as taken" if rendering is None else (rendering.__name__.replace("_", " "))
            axes.set_title(taken, fontsize=7.5)
            axes.set_xlabel(
                f"{found['label']} (rejected {found['p_rejected']:.2f}), quality {found['quality']:.0f}", fontsize=7
            )
        axes_of_row[0].set_ylabel(title, fontsize=9)
    figure.savefig(out, dpi=85, pil_kwargs={"quality": 82})


def table(photos: Path) -> None:
    """Share of rejected, mean quality, and shares with an exposure label at 2 and at 3 or more: test split, at 640 pixels."""
    originals = []
    for photo in read_photos(photos, "test", ("lossless",)):
        picture = Image.fromarray(photo.pixels())
        picture.thumbnail((640, 640))
        originals.append(np.asarray(picture))
    before = [judge(pixels) for pixels in originals]
    print(
        f"{len(originals)} photographs\n\n| rendering | rejected | quality, mean | exposure >= 2 | >= 3 |\n|---|---|---|---|---|"
    )
    print(_row("as they are", before))
    for name, rendering in (STYLES | FAULTS).items():
        print(_row(name, [judge(rendering(pixels)) for pixels in originals]), flush=True)


def _row(name: str, found: list[dict[str, float | str]]) -> str:
    rejected = np.mean([each["label"] == "rejected" for each in found])
    quality = np.mean([float(each["quality"]) for each in found])
    faults = [np.mean([float(each["level"]) >= level for each in found]) for level in (2, 3)]
    return f"| {name} | {100 * rejected:.0f} % | {quality:.0f} | {100 * faults[0]:.0f} % | {100 * faults[1]:.0f} % |"


def main() -> None:
    """Draw, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "fairness.jpg")
    given = parser.parse_args()
    if given.table:
        table(given.photos)
    else:
        draw(given.photos, given.out)


if __name__ == "__main__":
    main()
