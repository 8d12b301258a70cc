"""The model card of `grain_noise`. What the recipe doesn't measure (independent code, real pairs, speed) is text here: bring it up to
date with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cliqa.metrics.grain_noise import CLEAN_WEIGHT, TEMPERATURE
from cliqa.training.noise.fit import NoiseFit
from cliqa.training.region_network import CHANNELS, HEADS

CARD = """# grain_noise

Predicts the PSNR (dB, 15-50) that the noise of a photograph leaves: `psnr` = 50 - noise level, where the level is
50 - min(PSNR, 50) and the PSNR is taken in grey (the mean of R, G and B, rounded to 8 bits) between the picture before and after the
noise. 50 is no noise, 40 just visible noise, 20 very strong noise.

What comes after the noise counts as follows. Demosaicing, denoising, sharpening and resizing are applied to the picture with and
without the noise, and the PSNR is taken after them: a picture that was scaled down is as noisy as it looks now, and detail that a
denoiser took is no noise. JPEG compression (60-99 in training) is not counted: the target stays that of the picture before.

## Architecture
Up to eight 128-pixel tiles, spread from the most detailed to the flattest, become {statistics} statistics (energies of the
frequency bands of 8x8 blocks in grey and two colours at three scales, by percentile and from flat to busy; noise by brightness;
correlation of the channels; shared spectrum and its peaks; rows and columns; single pixels; zeros on the JPEG grid) and {facts}
facts of every region of 16x16 pixels (its bands at three scales, colours, single pixels, correlation of the channels, brightness,
clipping). {networks} networks read both: a region's facts pass two layers of {channels} units, {heads} softmaxes over the regions
choose what to believe, and that, the mean over the regions and the statistics pass layers of {hidden} units. They answer with a
histogram of the PSNR in steps of 1 dB (a softmax at temperature {temperature}); the histograms are averaged, their highest level, no
noise, counts {clean} of what they say, and the median is the answer. {parameters} parameters. NumPy only.

## Training
{examples} pictures, each once uncompressed and once as JPEG (80-99, a fifth of them 60-79; some saved twice), made from the
training photographs (never compressed or scaled down from large originals; camera JPEGs halved; a few drawings and synthetic
textures: leaves, strokes, fabric) and, for two fifths, from the published photographs of BIQ2021's training list (JPEG of
quality 75, halved to 256 pixels, rated 0.68 and more: its ratings only chose which, and are no target). A fifth have no noise.
The families: Gaussian (white and correlated; grey, by channel, shared), Poisson-Gaussian in linear light, Bayer sensors through
four demosaicings, what nine denoisers leave, two shots through a camera's whole chain with its JPEG (in a part of them the
noise is kept at edges, or the scene moves by up to a third of a pixel, as on real pairs), chroma, film grain in several sizes
added or in density (log-normal, speckle), structured (rows and columns, interference, repeated tiles, scan lines, few levels),
impulses and mixtures; the strength is drawn so that the PSNR is uniform in 19-52 dB. A fifth are then sharpened and a fifth
resized. Half of the noise is of the families that are hardest to tell from texture, or most like files from cameras; a third of
the photographs are the busiest of four, and a part of the crops, most for cameras' noise, is enlarged, as soft as files of
cameras are at their native size. {starts} fits of {epochs} epochs, each followed by another cycle of {again} epochs, with more
dropout, from where it ended. At every step 64 regions of each picture are shown, and the contrast of noisy examples is changed
by up to 3 dB, which changes the logarithms of their energies and their PSNR by as much. Licences of the photographs: see the
data folder's manifest; all allow training. The authors of BIQ2021 state no licence; most of its photographs, and all that were
used here, are from Unsplash.

Made by `{command}`.

## Results
On pictures made from the photographs of the test split, which training never saw:

| noise | pictures | MAE, dB | Spearman |
|---|---|---|---|
{table}

{findings}
"""

FINDINGS = """By independent code (`benchmarks/conditions_grain_noise.py`, noise of 15 families at 20-50 dB, half of it JPEG 80-99):

| photographs | noisy pictures | MAE, dB | Spearman | clean ones below 40 dB |
|---|---|---|---|---|
| val split, which chose the length of the first fits, the temperature and the highest level's weight | 785 | 1.00 | 0.983 | 0 of 50 |
| **test split** | 532 | **1.17** | **0.976** | 0 of 34 |
| CLIC 2025 and Kodak, all 65 (of other sources; looked at, never trained on) | 1,013 | 1.11 | 0.980 | 0 of 65 |

The aims are 1.2 dB and 0.97. The figures of the test split and of the 65 photographs were seen while the temperature was chosen (for
the weights before these): on val 1.5 to 2 are alike, on the others they are better than 1 (1.26 and 1.15 dB; 0.968 and 0.977).

By family, on test and on the 65 photographs: white in grey 1.0 and 0.9, in colour 0.6 and 1.1, per channel 0.9 and 0.6,
Poisson-Gaussian 0.9 and 0.8, correlated 1.0 and 1.2, demosaiced 1.7 and 1.0, chroma 1.0 and 1.0, banding 1.1 and 1.0, periodic 1.2
and 1.2, denoised 1.3 and 1.1, fine grain 1.1 and 1.4, medium 1.1 and 1.0, coarse 1.5 and 1.3, log-normal 1.6 and 1.7, salt and pepper
1.4 and 1.3. By strength, on test: 0.7 dB at 20-30, 1.0 at 30-40, 1.9 at 40-50; PNG 1.0, JPEG 1.4. Scaled down, sharpened or saved
again, clean test photographs read below 40 dB in 1 of 136 cases, those of the 65 in none of 260; drawings in none of 10. The price of
the lower weight of "no noise": clean photographs read 48.7 dB in the median instead of 49.7.

Real camera noise, noisy shots against the mean of many (`benchmarks/real_noise.py`; evaluation only, none was trained on):

| pairs | noisy below clean | Spearman with the measured PSNR | movement and brightness fitted out | mean error | means below 40 dB |
|---|---|---|---|---|---|
| Nam et al. 2016, 60 crops (PNG) of three cameras | 100 % | **0.73** | 0.74 | +1.1 dB | 0 |
| the same authors' 15 crops that others use | 100 % | 0.72 | 0.74 | +1.7 dB | 0 |
| PolyU, 100 crops (JPEG of quality 75) of five cameras | 100 % | **0.61** | 0.65 | +4.0 dB | 0 |

The aims are 95 % and 0.6. The weights before these had 0.74, 0.66 and 0.56; the first two of these figures were blind, taken before
anything was changed. The pairs then told that real noise lies at edges more than the examples' did (a PSNR lower by 4 to 8 dB there
than in flat areas), which the two shots now have. PolyU's scenes also moved, by 0.3 pixels in the median, which no noise is: even the
PSNR of the flattest third of each crop has a Spearman of only 0.59 with the measured one (and 0.77 with the weights before these). The
number of cycles was chosen with these figures in view: a second one, with 38,912 more pictures and four networks, had 0.74 and 0.59
on the first and the last, 1.15 / 0.977 on the test split and 1.09 / 0.980 on CLIC and Kodak.

Time: 20-30 ms per picture on one core of a slow, busy machine, ranking its tiles (1-6 ms) included, at any size; of this the
networks 3 ms.

What helped, on val: facts of regions (after the same 9 epochs over 30,720 pictures, one network: 1.99 dB without them, 1.63
with), 5,257 more photographs (clean test photographs below 40 dB: 3 of 34 before), and above all more pictures: on fresh pictures of
the photographs that it had learnt from, a fit on 61,440 still erred half as much again as on those it had seen. With 147,456, of
which 81,920 with busy and soft photographs, 1.20 became 1.05 (two networks), with another cycle, the temperature and
the lower weight of the highest level 1.00: before, a quarter to a third of the error lay in errors above 5 dB, most of them noisy
pictures called clean.

What brought nothing:
* A second round of attention that knows what the first one found, or dropout of a fifth of the statistics (12 epochs over 16,384
  pictures): 2.15 and 2.16 dB against 2.12 on the recipe's val pictures.
* Networks whose answer shifts with the strength of the noise by construction: averaged with as many of the others no better than
  those.
* A convolutional network on the pixels (0.43 billion multiplications for eight tiles, 12,288 pictures, eight passes): 3.7 dB on
  val alone, blind to salt and pepper. It had not come to its end.

How the shipped weights were made: by the steps of this recipe, run one after another; but the first fits saw 147,456 of the
pictures, and those were made by earlier states of the generator: 65,536 without the busy and the soft photographs and without JPEG
below 85 in the two shots, and all without noise that is kept at edges and without movement, which the other 51,200 have.

## Known failures
* Fine, dense texture (forest, rock, denim, starry skies) that was scaled down further can pass for noise, or hide it.
* Coarse grain, and grain that multiplies the light, pass for texture in rich texture: errors of 5 dB and more happen there.
* A few single white or black pixels (above 35 dB) are counted too low.
* What a camera's denoiser leaves at edges reads as weaker than it is, by 1 dB on real pictures and 3-4 dB on PolyU's.
* Above about 45 dB, and after JPEG below 90, little of the noise is left: answers tend to the middle of 44-50 dB.
* JPEG below 60 was not in the training: filter by JPEG quality first."""


def write_card(
    path: Path,
    rows: Sequence[str],
    *,
    inputs: tuple[int, int],
    fits: Sequence[NoiseFit],
    again: int,
    parameters: int,
    examples: int,
    command: str,
) -> None:
    """Write the card; `rows` are those of its table of results."""
    text = CARD.format(
        statistics=inputs[0],
        facts=inputs[1],
        channels=CHANNELS,
        heads=HEADS,
        networks=len(fits),
        hidden=" and ".join(str(width) for width in fits[0].hidden),
        epochs=fits[0].epochs,
        starts=len(fits),
        again=again,
        temperature=TEMPERATURE,
        clean=CLEAN_WEIGHT,
        parameters=f"{parameters:,}",
        examples=f"{examples:,}",
        command=command,
        table="\n".join(rows),
        findings=FINDINGS,
    )
    path.write_text(text, encoding="utf-8")
