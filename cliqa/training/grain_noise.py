"""Recipe for `grain_noise`: noisy pictures with a known PSNR -> statistics of their tiles -> a dense network.

    python -m cliqa.training.train grain_noise --data photos/

Every example is one picture, seen twice: without compression and as JPEG.
"""

from __future__ import annotations

from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from cliqa import checkpoints
from cliqa.metrics.grain_noise import CENTRE, SPREAD, GrainNoise
from cliqa.patches import spread_patches
from cliqa.signal.noise_blocks import decompose
from cliqa.signal.noise_statistics import noise_statistics
from cliqa.signal.psnr import NOISE_FREE
from cliqa.training.dense_fit import FitSettings, fit_dense
from cliqa.training.examples import Example, generate
from cliqa.training.noise_families import FAMILIES
from cliqa.training.noisy_photos import make_picture, save_jpeg
from cliqa.training.photos import Split, read_photos
from cliqa.training.train import TrainOptions

EXAMPLES = 20_000
VAL_EXAMPLES = 768
TEST_EXAMPLES = 512
TILES = 8
FITS = tuple(
    FitSettings(
        hidden=(256, 256),
        epochs=30,
        batch=128,
        rate=2e-3,
        decay=1e-2,
        dropout=0.1,
        input_noise=0.05,
        average=0.99,
        seed=n,
    )
    for n in range(2)
)
FAMILY_NAMES = ("clean", *FAMILIES)


@lru_cache(maxsize=600)
def _pixels(path: Path, halve: bool) -> NDArray[np.uint8]:
    """A photograph; camera JPEGs are halved, which leaves little of their own noise and compression."""
    image = Image.open(path).convert("RGB")
    return np.asarray(image.reduce(2) if halve else image)


def make_example(paths: list[tuple[Path, bool]], rng: np.random.Generator, index: int) -> Example:
    """Statistics of one picture, uncompressed and as JPEG (2, n), and the truth."""
    picture = make_picture(rng, lambda: _pixels(*paths[int(rng.integers(len(paths)))]))
    quality = int(rng.integers(80, 100))
    versions = (picture.pixels, save_jpeg(rng, picture.pixels, quality))
    tiles = [spread_patches(Image.fromarray(np.ascontiguousarray(pixels)), TILES) for pixels in versions]
    return {
        "statistics": np.stack([noise_statistics(decompose(found)) for found in tiles]),
        "psnr": np.asarray(picture.psnr, np.float32),
        "family": np.int64(FAMILY_NAMES.index(picture.family)),
        "quality": np.int64(quality),
        "tiles": np.int64(len(tiles[0])),
    }  # type: ignore[dict-item]


def make_examples(options: TrainOptions, split: Split, count: int, seed: int) -> Example:
    """Examples of one split, made or read back."""
    kinds = ("lossless", "camera") if split == "train" else ("lossless",)
    paths = [(photo.path, photo.kind == "camera") for photo in read_photos(options.data, split, kinds)]
    return generate(
        partial(make_example, paths),
        count,
        options.work / split,
        seed=options.seed * 10 + seed,
        workers=options.workers,
    )


def flat(examples: Example) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(statistics, psnr) with the two versions of every picture one after the other."""
    statistics = examples["statistics"].reshape(-1, examples["statistics"].shape[2])
    return statistics, np.repeat(examples["psnr"], 2)


def loss(predicted: Tensor, psnr: Tensor) -> Tensor:
    """Absolute error in units of SPREAD, rounded off below a twentieth of it."""
    return nn.functional.smooth_l1_loss(predicted[:, 0], (psnr - CENTRE) / SPREAD, beta=0.05)


def train(options: TrainOptions) -> None:
    """Make the examples, fit the networks, measure on photographs of the test split, write weights and card."""
    count = options.examples or EXAMPLES
    val = make_examples(options, "val", VAL_EXAMPLES, 1)
    data = make_examples(options, "train", count, 0)
    tensors: dict[str, NDArray[Any]] = {}
    for number, settings in enumerate(FITS):
        net = fit_dense(flat(data), flat(val), loss, 1, options.work / f"fit{number}", settings)
        tensors |= net.tensors(f"net{number}.")
    tensors = {name: value.astype(np.float16) if value.ndim == 2 else value for name, value in tensors.items()}
    metric = GrainNoise(tensors, {})
    print("val:", *rows_of(metric, val), sep="\n")
    test = make_examples(options, "test", TEST_EXAMPLES, 2)
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / f"{GrainNoise.name}.safetensors"
    checkpoints.save(
        path, tensors, metric=GrainNoise.name, architecture=GrainNoise.architecture, version=GrainNoise.version
    )
    card = CARD.format(
        parameters=f"{sum(value.size for value in tensors.values()):,}",
        inputs=metric.networks[0].inputs,
        networks=len(FITS),
        hidden=" and ".join(str(width) for width in FITS[0].hidden),
        examples=f"{count:,}",
        command=f"python -m cliqa.training.train grain_noise --data photos/ --examples {count} --seed {options.seed}",
        table="\n".join(rows_of(metric, test)),
    )
    (options.out / f"{GrainNoise.name}.md").write_text(card, encoding="utf-8")


def rows_of(metric: GrainNoise, examples: Example) -> list[str]:
    """The table of results: error and rank correlation of noisy pictures, and clean ones below 40 dB."""
    statistics, psnr = flat(examples)
    predicted = np.array(
        [fields["psnr"] for fields in metric.score([{"statistics": each} for each in statistics])], float
    )
    family, compressed = np.repeat(examples["family"], 2), np.tile([False, True], len(examples["psnr"]))
    error = np.abs(predicted - psnr)
    noisy = (family > 0) & (psnr >= 20) & (psnr < NOISE_FREE)

    def row(title: str, chosen: NDArray[np.bool_]) -> str:
        ranks = [np.argsort(np.argsort(values[chosen])) for values in (predicted, psnr)]
        spearman = np.corrcoef(ranks[0], ranks[1])[0, 1]
        return f"| {title} | {chosen.sum()} | {error[chosen].mean():.2f} | {spearman:.3f} |"

    rows = [row("all noise, 20-50 dB, half of it JPEG 80-99", noisy)]
    rows += [row("not compressed", noisy & ~compressed), row("JPEG 80-99", noisy & compressed)]
    rows += [row(f"{low}-{low + 10} dB", noisy & (psnr >= low) & (psnr < low + 10)) for low in (20, 30, 40)]
    rows += [row(name, noisy & (family == number)) for number, name in enumerate(FAMILY_NAMES) if number > 0]
    below = float(np.mean(predicted[family == 0] < 40)) * 100
    return [
        *rows,
        f"| clean, toned and sharpened as in training: {below:.1f} % below 40 dB | {(family == 0).sum()} | | |",
    ]


CARD = """# grain_noise

Predicts the PSNR (dB, 0-50) that the noise of a photograph leaves: `psnr` = 50 - noise level, where the level is
50 - min(PSNR, 50) and the PSNR is taken in grey (the mean of R, G and B, rounded to 8 bits) between the picture before and after the
noise. 50 is no noise, 40 just visible noise, 20 very strong noise.

What comes after the noise counts as follows. Sharpening and resizing are applied to the picture with and without the noise, and
the PSNR is taken after them: a picture that was scaled down is as noisy as it looks now. JPEG compression (80-99 in training) is not
counted: the target stays that of the picture before it was saved.

## Architecture
{inputs} statistics of up to eight 128-pixel tiles, spread from the most detailed to the flattest (energies of the frequency bands of
8x8 blocks in grey and two colours at three scales, by percentile and from flat to busy; noise by brightness; correlation of the
channels; shared spectrum and its peaks; rows and columns; single pixels; zeros on the JPEG grid) -> {networks} dense networks with
{hidden} hidden units each, averaged. {parameters} parameters. NumPy only; 15-25 ms per picture of half a megapixel
on one core, 36 ms at 12 megapixels, tiles included.

## Training
{examples} pictures, each once uncompressed and once as JPEG 80-99, made from the training photographs (never compressed or scaled
down from large originals; camera JPEGs halved; a few synthetic textures). 14 % have no noise. The families: Gaussian (white and
correlated; grey, by channel, shared), Poisson-Gaussian in linear light, Bayer sensors through three demosaicings, what five
denoisers leave, chroma, film grain in several sizes, structured (rows and columns, interference, repeated tiles, impulses,
few levels, speckle) and mixtures; the strength is drawn so that the PSNR is uniform in 19-52 dB. A fifth are then sharpened
and a fifth resized. Licences of the photographs: see the data folder's manifest; all allow training. No ratings were used.

Made by `{command}`.

## Results
On pictures made from the photographs of the test split, which training never saw:

| noise | pictures | MAE, dB | Spearman |
|---|---|---|---|
{table}

## Known failures
* Noise that a denoiser has smoothed reads as weaker than it is: on real noisy JPEGs of cameras the answer is too high by several dB,
  though almost always below that of the same scene without noise.
* Coarse grain, faint bands and waves in rich texture pass for texture; errors of 5 dB and more happen there.
* Above about 45 dB, and after JPEG below 90, little of the noise is left: answers tend to the middle of 44-50 dB.
* JPEG below 80 was not in the training: filter by JPEG quality first.
"""
