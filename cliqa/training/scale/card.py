"""The model card of `scale_factor`: its text, and the sections that benchmarks measure, which a new fit must not lose.

    python -m cliqa.training.scale.card --accuracy benchmarks/results/scale_factor.md --upscalers upscalers.md

The recipe writes the card with `write_card`, which keeps the measured sections of the card that is there, marked as those of
earlier weights. The command above puts new measurements in their place.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

SECTIONS = ("accuracy", "upscalers")
EARLIER = "(Measured with earlier weights.)"
MISSING = "(Not measured yet.)"


def write_card(path: Path, values: Mapping[str, object]) -> None:
    """Write the card; `values` fill the template's fields (`history` may be left out).

    Measured sections come from the card at `path`, if there is one.
    """
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    kept = {name: section(old, name) for name in SECTIONS}
    marked = {
        name: text if text in ("", MISSING) or EARLIER in text else f"{EARLIER}\n\n{text}"
        for name, text in kept.items()
    }
    card = CARD.format(
        **{"history": "", **values}, **{name: _enclosed(name, text or MISSING) for name, text in marked.items()}
    )
    path.write_text(card, encoding="utf-8")


def section(card: str, name: str) -> str:
    """The text between a section's marks, stripped; empty where there is none."""
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end of {name} -->", card, re.DOTALL)
    return found.group(1).strip() if found else ""


def with_section(card: str, name: str, text: str) -> str:
    """The card with a section replaced. Raises ValueError if it has none of that name."""
    before, start, rest = card.partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not start or not end:
        raise ValueError(f"the card has no section {name}")
    return f"{before}{_enclosed(name, text.strip())}{after}"


def _enclosed(name: str, text: str) -> str:
    return f"<!-- {name} -->\n{text}\n<!-- end of {name} -->"


def main(arguments: list[str] | None = None) -> int:
    """Put measured tables into the card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", type=Path, default=Path("pretrained_models/scale_factor.md"))
    parser.add_argument("--accuracy", type=Path, help="what benchmarks/accuracy.py wrote")
    parser.add_argument("--upscalers", type=Path, help="what the recipe `learned` wrote (learned.md)")
    given = parser.parse_args(arguments)
    card = given.card.read_text(encoding="utf-8")
    for name in SECTIONS:
        path: Path | None = getattr(given, name)
        if path is not None:
            lines = path.read_text(encoding="utf-8").splitlines()
            card = with_section(card, name, "\n".join(line for line in lines if not line.startswith("#")))
    given.card.write_text(card, encoding="utf-8")
    return 0


CARD = """# scale_factor

Data: the project's photographs with free licences; no rated images.

Predicts by how much a picture was enlarged since its last true pixels: `scale_x`, `scale_y` and `scale`, 1.0
(original size, or reduced) to 2.0 (twice or more), and `quality` = 100 - 100 (scale - 1). Where the axes differ by
more than a few per cent, `scale` is the larger one.

## How

The most detailed window of up to 512x512 pixels is reduced, per axis, to spectra
(`cliqa/signal/resampling/spectra.py`): lines of the mean absolute high-pass residual, of which interpolation by r
puts one at 1 - 1/r cycles per pixel, their coherence between four strips, and the power spectrum of the rows. A
network of two convolutions over 257 candidate factors, each channel evidence at that factor's own frequencies, gives
a distribution per axis (`cliqa/signal/resampling/factor_network.py`); the two are read together, since most pictures were
enlarged by one factor. The answer is the median, drawn towards 1.05 (the default threshold) where an enlargement is
not sure, so that a larger `scale` is also a surer one. {parameters} parameters, version 2,
NumPy only.

## Data and licences

Photographs of the data folder (`photos/`): uncompressed or reduced ones and drawings (CC0, CC-BY, CC-BY-SA, public
domain) and crops of camera originals. All may be trained on; none is part of the weights or of this repository. No
human ratings. {examples} examples made by `cliqa/training/scale/resized_photos.py`: 55 % enlarged 1.0-2.0 (a few to 4) by
nearest, box, bilinear, bicubic of many B and C, lanczos 2-4, windowed sincs, Gaussian and spline kernels as Pillow,
OpenCV, torch, SciPy and ImageMagick apply them, a fifth with separate axes, an eighth after another resize; the
others untouched, reduced to 0.5-1.0, out of focus, moved, rotated, demosaiced or denoised. Then sharpening, noise,
cropping and JPEG 80-99 in random mixture.

## Made by

    {command}

One fit of {epochs} epochs.{history} Reading, chosen on the validation photographs:
{reading}.

## Results on the test photographs, never trained on

Examples of the training generator, two thirds saved as JPEG, with all its blurs, noise and second resizes:

{table}

The conditions of `benchmarks/conditions_scale_factor.py`, by other code than the training generator's:
`python benchmarks/accuracy.py --data photos/ --metrics scale_factor`. The figures of earlier weights on these
photographs were known while this version was made (they said which conditions were weak), so they are not blind.

{accuracy}

## Learned upscalers

`learned` is the probability that an upscaling network (ESRGAN and its kin) made the picture. A network fills the
upper band with invented detail, which leaves neither an empty band nor, at a whole factor, a line other than that of
its pixel shuffle at one half: `scale` passes most of them. So up to four of the most detailed tiles are reduced to
co-occurrences of residuals, spectra, the agreement of the colours' details, and noise in the quietest places
(`cliqa/signal/resampling/network_traces.py`), read by three small networks; the mean logit of all is the answer.
`scale` does not depend on it.

**When to trust it.** As PNG or lightly saved; it is set to call few photographs (the table), so that it misses many.
**When not.** Saves hide the evidence: below JPEG 85 and after WebP nearly all pass, and `learned` is then near 0,
which says nothing. Pictures with a side under 64 pixels and flat ones read 0. Networks unlike those below, above all
large ones trained against a critic, are found less often.

Data: outputs of published networks, which are no part of the weights, made from the photographs above: reduced by
many kernels or as they are, a part of them saved, noisy or softened before; afterwards plain, JPEG, WebP, AVIF, JPEG
2000, reduced to 0.5-1, sharpened, cropped, noisy. Against them pictures of the same photographs and saves that no
network enlarged: true pixels, ordinary enlargements, processed ones (denoised, sharpened, smoothed, toned,
posterised), and those of networks that only denoise. Made by

    python -m cliqa.training.train learned --data photos/ --networks upscalers/

which writes the tables below. The false alarms of the first are at the default threshold, chosen on the validation
photographs; the second has the networks of each family on photographs of validation and test, first with the family
among the training pictures, then with the whole family left out. `python benchmarks/learned_upscaler.py --data
photos/ --outputs runs/learned/outputs` scores the same pictures with the shipped weights.

{upscalers}

## Known failures

- **Exactly 2 on pixel centres, then JPEG**: both phases of a symmetric kernel are mirror images, alike to every residual that is
  used except the first difference; only that and the empty band tell, and half of such pictures are far off. Other
  factors near 2 do have their lines. Residuals of odd order would see it.
- Factors above 2 read as 2 only by their empty band; the line of 2.5 is that of 1.67.
- A picture enlarged twice: the line of the last resize is the strong one, and often the only one that is read.
- A B-spline kernel or splines, and enlargements below 1.2, leave little that survives JPEG below 90; they read 1.0.
- The axes apart are harder than together; a strong axis may draw a weak one to its factor.
- Regular structures of a few pixels (facades, mesh, dithering), line art and pixel art can look periodic.
- Strong defocus and motion blur have an empty band too; some of them read as 1.2-2.
- Windows under about 200 pixels give short rows: at 48-150 pixels a quarter to a half of pictures enlarged by 1.5 are missed
  after JPEG. No original of 32-300 pixels was rejected.
- Smooth gradients without any texture can read as enlarged; a window of one colour reads 1.
- Only the most detailed window is read: an enlarged part outside it is not seen, one that fills it speaks for the picture.
- A picture reduced by nearest neighbours or without antialiasing, then saved as JPEG, can read as 1.05-1.7.
"""


if __name__ == "__main__":
    sys.exit(main())
