"""Examples of the second stage of `grain_noise`: one noisy picture, seen as it is and through three saves."""

from __future__ import annotations

import numpy as np
from PIL import Image

from cliqa.images.patches import spread_patches
from cliqa.metrics.grain_noise import picture_statistics
from cliqa.signal.noise.blocks import UNITS, decompose
from cliqa.signal.noise.regions import noise_regions
from cliqa.signal.noise.single_pixels import sample_regions, single_pixels
from cliqa.training.examples import Example
from cliqa.training.histories.graph import sometimes
from cliqa.training.histories.pages import with_page
from cliqa.training.noise.canvases import Sources
from cliqa.training.noise.families import FAMILIES
from cliqa.training.noise.noisy_photos import Mix, make_picture
from cliqa.training.noise.saved_photos import KINDS, MIX, PAGE_SHARE, SAVES, kind_of

TILES = 8
REGIONS = 128  # of each picture, at random, that are kept
FAMILY_NAMES = ("clean", *FAMILIES)


def make_saved_example(sources: Sources, rng: np.random.Generator, index: int, mix: Mix = MIX) -> Example:
    """Statistics and regions of one picture through each of `SAVES`, and the truth, which is the same for all."""
    picture = make_picture(rng, sources.draw, mix)
    psnr, chroma = picture.noise_psnr()
    picture = sometimes(PAGE_SHARE, with_page)(rng, picture)
    saved = [save(rng, picture) for save in SAVES.values()]
    statistics, regions = [], []
    for each in saved:
        parts = decompose(spread_patches(Image.fromarray(np.ascontiguousarray(each.pixels)), TILES))
        single = single_pixels(parts.planes[1][0], UNITS[0])
        statistics.append(picture_statistics(parts, single))
        regions.append(sample_regions(noise_regions(parts, single), REGIONS, rng))
    return {
        "statistics": np.stack(statistics),
        "regions": np.stack(regions),
        "psnr": np.asarray(psnr, np.float32),
        "chroma": np.asarray(chroma, np.float32),
        "family": np.asarray(FAMILY_NAMES.index(picture.noise)),
        "kind": np.array([KINDS.index(kind_of(each)) for each in saved]),
        "quality": np.array([each.saves[-1].quality if each.saves else 100 for each in saved]),
    }
