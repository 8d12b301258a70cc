"""The model card of `sharpness`. What the recipe doesn't measure (independent code, speed) is text here: bring it up to date with the
weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cliqa.signal.sharpness.features import WIDTH
from cliqa.signal.sharpness.reading import LEVELS
from cliqa.signal.sharpness.tiles import FINE, SPREAD
from cliqa.training.region_network import CHANNELS, HEADS
from cliqa.training.sharpness.fit import SharpnessFit

CARD = """# sharpness

{users}

## What it predicts
`blur`: the standard deviation in pixels (0-8) of the point spread where the picture is sharpest: of a Gaussian its sigma, of a
disc half the radius, of a straight movement 0.2 times its length (the mean of both axes' variances). It is the total of lens,
focus, motion and enlarging at the present size; a photograph scaled down until nothing of its own softness is left has 0.
`motion` and `motion_angle`: the straight movement that is as much longer than wide, and its direction (from right towards down).
`sharp_share`: of the parts that can be told, those within half a pixel of the sharpest. `relative`: `blur` in thousandths of the
long side. `confidence`: whether there was anything to tell by.

## Architecture
Up to {fine} tiles of 64 pixels where the picture at half its size is steepest, and up to {coarse} at half the size, spread over
the picture. Each becomes {width} features: its power spectrum in 11 rings and 8 directions, counted from the one in which the
picture has lost most; mean square, fourth moment and maximum of its slopes along that direction and across at four scales;
contrast, brightness, clipping, fine noise and the steps at JPEG's block borders. {networks} over the tiles: each passes two
layers of {channels} units, {heads} softmaxes over the tiles choose what to believe, and that, the means over fine and coarse
tiles pass layers of {hidden} units. They answer with a histogram of log(1 + blur) in {levels} levels (the median is the answer),
the motion as a vector of twice its angle, and the logit of the confidence. A linear layer on the tiles' units gives the map.
{parameters} parameters. NumPy only.

## Training
{examples} grey pictures made from the training photographs (never compressed or scaled down from large originals, half of them
reduced further by up to 2; camera JPEGs halved, and at native resolution, where only "at most 1.5 pixels more than what was
added" is asked; a few drawings and synthetic textures). Blurred in linear light by Gaussians (round, stretched, with a halo),
discs, polygons of 5-9 corners, straight movements to 34 pixels and smooth curved ones; of the whole picture or by depth (a
subject of 12-60 % of the frame sharp, or less blurred, before the blurred rest, and the reverse). Then tone curves, noise of up
to 10 (white, with a grain, growing with the light, denoised), resizing by 0.5-1.6, unsharp masks, JPEG 30-98 (some twice), WebP,
AVIF. A fifth has nothing to tell by: quiet parts of photographs, gradients, clouds, walls, photographs in fog or dark. {fits} of
{epochs} epochs; at every step 24 tiles of a picture are shown, at another contrast and mirrored at random. Licences of the
photographs: see `data/manifest.csv`; all allow training.

Made by `{command}`.

## Results
On pictures of the same generator from photographs of the test split, which training never saw:

| pictures | number | result |
|---|---|---|
{table}

{findings}
"""

USERS = """Tells how blurred a photograph is where it is sharpest, in pixels; a soft background, texture or noise is no blur."""

FINDINGS = """(not measured yet)"""


def write_card(
    path: Path,
    rows: Sequence[str],
    *,
    fits: Sequence[SharpnessFit],
    parameters: int,
    examples: int,
    command: str,
) -> None:
    """Write the card; `rows` are those of the table of results."""
    path.write_text(
        CARD.format(
            users=USERS,
            fine=FINE,
            coarse=SPREAD**2,
            width=WIDTH,
            networks="One network" if len(fits) == 1 else f"{len(fits)} networks",
            channels=CHANNELS,
            heads=HEADS,
            hidden=" and ".join(str(width) for width in fits[0].hidden),
            levels=LEVELS,
            parameters=f"{parameters:,}",
            examples=f"{examples:,}",
            fits="One fit" if len(fits) == 1 else f"{len(fits)} fits",
            epochs=fits[0].epochs,
            command=command,
            table="\n".join(rows),
            findings=FINDINGS,
        ),
        encoding="utf-8",
    )
