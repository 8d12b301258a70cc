"""Damage of known strength, made on tensors: many pictures at once, on a GPU or (slowly) on processors.

Each kind has ways that lead to it; a way takes pictures (n, 3, h, w), float, 0-255, sides multiples of 16, a strength (n,) of 0-1 for
each of them, and a generator of random numbers, and returns pictures of that shape. The same generator state gives the same grain, stroke
or tables at any strength, so that versions of a picture differ in strength alone. Strengths are those met in pictures of about 400 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

Way = Callable[[Tensor, Tensor, Generator], Tensor]

# ITU-T T.81, tables K.1 and K.2.
_LUMA_TABLE = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100,
    103, 99,
)  # fmt: skip
_CHROMA_TABLE = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
    *(99,) * 32,
)  # fmt: skip
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_PAD = 24  # pixels of mirrored border for blurs: twice the widest disc


def _random(n: int, rng: Generator, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Uniform numbers (n, 1, 1, 1)."""
    return low + (high - low) * torch.rand((n, 1, 1, 1), generator=rng, device=rng.device)


def _normal(shape: tuple[int, ...], rng: Generator) -> Tensor:
    return torch.randn(shape, generator=rng, device=rng.device)


def _as_saved(x: Tensor) -> Tensor:
    return x.round().clamp(0.0, 255.0)


def luma(x: Tensor) -> Tensor:
    """(n, 3, h, w) -> (n, 1, h, w)."""
    weights = torch.tensor(_TO_YCC[0], device=x.device, dtype=x.dtype)
    return (x * weights[:, None, None]).sum(1, keepdim=True)


def _convolve(x: Tensor, kernels: Tensor) -> Tensor:
    """Every picture with a kernel of its own, (n, s, s), s odd; mirrored borders."""
    padded = F.pad(x, (_PAD,) * 4, mode="reflect")
    height, width = padded.shape[2:]
    side = kernels.shape[-1]
    placed = F.pad(kernels, (0, width - side, 0, height - side)).roll((-(side // 2), -(side // 2)), (1, 2))
    spectrum = torch.fft.rfft2(padded) * torch.fft.rfft2(placed)[:, None]
    return torch.fft.irfft2(spectrum, s=(height, width))[..., _PAD:-_PAD, _PAD:-_PAD]


def _grid(side: int, device: torch.device) -> tuple[Tensor, Tensor]:
    at = torch.arange(-side, side + 1, device=device, dtype=torch.float32)
    return at[:, None], at[None, :]


def _gaussian(sigma: Tensor) -> Tensor:
    """Kernels (n, 41, 41) of sigmas (n,)."""
    y, x = _grid(20, sigma.device)
    kernels = torch.exp(-(y**2 + x**2) / (2 * sigma[:, None, None] ** 2))
    return kernels / kernels.sum((1, 2), keepdim=True)


def gaussian_blur(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Gaussian of 0.4 to 5 pixels."""
    return _as_saved(_convolve(x, _gaussian(0.4 * 12.5**strength)))


def defocus(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Disc of 0.8 to 8 pixels radius."""
    rows, columns = _grid(10, x.device)
    kernels = (0.8 * 10.0 ** strength[:, None, None] + 0.5 - (rows**2 + columns**2).sqrt()).clamp(0.0, 1.0)
    return _as_saved(_convolve(x, kernels / kernels.sum((1, 2), keepdim=True)))


def motion_blur(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Straight stroke of 2.5 to 20 pixels at any angle."""
    angle = math.pi * _random(len(x), rng)[:, :, 0]
    rows, columns = _grid(12, x.device)
    along = (columns * angle.cos() + rows * angle.sin()).abs()
    across = (rows * angle.cos() - columns * angle.sin()).abs()
    length = 2.5 * 8.0 ** strength[:, None, None]
    kernels = (length / 2 + 0.5 - along).clamp(0.0, 1.0) * (1.0 - across).clamp(0.0, 1.0)
    return _as_saved(_convolve(x, kernels / kernels.sum((1, 2), keepdim=True)))


def down_up(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Scaled down by 1.3 to 7 and back up, linearly or cubic."""
    cubic = _random(len(x), rng).flatten() < 0.6
    scaled = []
    for picture, much, by_cubes in zip(x.split(1), strength.tolist(), cubic.tolist(), strict=True):
        factor = 1.3 * 5.4**much
        size = [max(8, round(side / factor)) for side in picture.shape[2:]]
        small = F.interpolate(picture, size=size, mode="bilinear", antialias=True)
        back = F.interpolate(small, size=picture.shape[2:], mode="bicubic" if by_cubes else "bilinear")
        scaled.append(back)
    return _as_saved(torch.cat(scaled))


def noise(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """3 to 45 grey values: grey or coloured, fine or in grains, even or growing with the light."""
    n = len(x)
    coloured = _normal((n, *x.shape[1:]), rng)
    grey = _normal((n, 1, *x.shape[2:]), rng)
    field = torch.where(_random(n, rng) < 0.35, grey, coloured)
    grains = _convolve(field, _gaussian(_random(n, rng, 0.4, 1.3).flatten()))
    grains = grains / (grains.std((1, 2, 3), keepdim=True) + 1e-6)
    field = torch.where(_random(n, rng) < 0.4, grains, field)
    gain = torch.where(_random(n, rng) < 0.4, ((x + 20.0) / 148.0).sqrt(), torch.ones_like(x[:, :1]))
    return _as_saved(x + 3.0 * 15.0 ** strength[:, None, None, None] * gain * field)


def specks(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Black and white dots on 0.05 to 5 % of the pixels."""
    where = torch.rand((len(x), 1, *x.shape[2:]), generator=rng, device=rng.device)
    share = 0.0005 * 100.0 ** strength[:, None, None, None]
    return torch.where(where < share / 2, 0.0, torch.where(where < share, 255.0, x))


def _dct_basis(side: int, device: torch.device) -> Tensor:
    """Orthonormal two-dimensional DCT-II as filters (side * side, 1, side, side)."""
    k = torch.arange(side, device=device, dtype=torch.float32)
    matrix = torch.cos(math.pi * (2 * k[None] + 1) * k[:, None] / (2 * side)) * math.sqrt(2 / side)
    matrix[0] /= math.sqrt(2)
    return torch.einsum("uy,vx->uvyx", matrix, matrix).reshape(side * side, 1, side, side)


def _quantised(x: Tensor, steps: Tensor, side: int, dead: float = 0.0) -> Tensor:
    """Blockwise DCT, coefficients in multiples of `steps` (n, side * side), back. `dead` widens the zone of zeros."""
    basis = _dct_basis(side, x.device)
    planes = x.reshape(-1, 1, *x.shape[2:])
    every = steps.repeat_interleave(x.shape[1], 0)[:, :, None, None]
    ratio = F.conv2d(planes, basis, stride=side) / every
    rounded = ratio.sign() * (ratio.abs() + 0.5 - dead).clamp_min(0.0).floor()
    return F.conv_transpose2d(rounded * every, basis, stride=side).reshape(x.shape)


def _coded(x: Tensor, steps: tuple[Tensor, Tensor], side: int, subsampled: Tensor, dead: float = 0.0) -> Tensor:
    """As luma and chroma, each with its steps, the chroma of some pictures at half the size."""
    matrix = torch.tensor(_TO_YCC, device=x.device)
    ycc = torch.einsum("kc,nchw->nkhw", matrix, x)
    light = _quantised(ycc[:, :1] - 128.0, steps[0], side, dead) + 128.0
    whole = _quantised(ycc[:, 1:], steps[1], side, dead)
    half = F.interpolate(_quantised(F.avg_pool2d(ycc[:, 1:], 2), steps[1], side, dead), scale_factor=2, mode="bilinear")
    chroma = torch.where(subsampled, half, whole)
    return torch.einsum("kc,nchw->nkhw", torch.linalg.inv(matrix), torch.cat([light, chroma], 1))


def jpeg(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Quality 90 to 5 with the standard's tables, 4:2:0 or 4:4:4."""
    quality = 90.0 - 85.0 * strength
    scale = torch.where(quality < 50.0, 5000.0 / quality, 200.0 - 2.0 * quality)[:, None]
    tables = []
    for table in (_LUMA_TABLE, _CHROMA_TABLE):
        plain = torch.tensor(table, device=x.device, dtype=torch.float32)
        tables.append(((plain * scale + 50.0) / 100.0).floor().clamp(1.0, 255.0))
    return _as_saved(_coded(x, (tables[0], tables[1]), 8, _random(len(x), rng) < 0.7))


def soft_codec(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """As newer codecs leave a picture: blocks of 4 or 16, a wide zone of zeros, edges of blocks smoothed."""
    step = 8.0 * 14.0 ** strength[:, None]
    subsampled = torch.ones((len(x), 1, 1, 1), dtype=torch.bool, device=x.device)
    found = []
    for side in (4, 16):
        rows = torch.arange(side, device=x.device, dtype=torch.float32)
        slope = (1.0 + (rows[:, None] + rows[None]) / side).flatten()
        coded = _coded(x, (step * slope, step * slope), side, subsampled, 0.17)
        edge = (torch.arange(x.shape[2], device=x.device) % side).remainder(side - 1) == 0
        edges = edge[:, None] | edge[None, :]
        smooth = F.avg_pool2d(F.pad(coded, (1, 1, 1, 1), mode="replicate"), 3, 1)
        near = (smooth - coded).abs() < step[:, :, None, None] / 3.0
        found.append(torch.where(edges & near, smooth, coded))
    return _as_saved(torch.where(_random(len(x), rng) < 0.6, found[0], found[1]))


def _guided(x: Tensor, radius: int, noise_variance: Tensor) -> Tensor:
    """Guided filter (He, Sun and Tang, 2010), each channel its own guide: edges stay, what is weaker than the variance goes."""

    def box(values: Tensor) -> Tensor:
        return F.avg_pool2d(F.pad(values, (radius,) * 4, mode="reflect"), 2 * radius + 1, 1)

    mean = box(x)
    variance = (box(x * x) - mean**2).clamp_min(0.0)
    slope = variance / (variance + noise_variance)
    return box(slope) * x + box(mean - slope * mean)


def smoothed(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Texture smoothed away and edges kept, as denoisers and filters for faces do."""
    variance = (4.0 * 12.0 ** strength[:, None, None, None]) ** 2
    wide = _random(len(x), rng) < 0.5
    return _as_saved(torch.where(wide, _guided(x, 5, variance), _guided(x, 2, variance)))


def enlarged(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """As a network enlarges: detail of a picture 1.3 to 4 times smaller, edges drawn sharp, no texture."""
    crisp = _random(len(x), rng, 0.5, 2.5)
    soft = []
    for picture, much in zip(x.split(1), strength.tolist(), strict=True):
        size = [max(8, round(side / (1.3 * 3.0**much))) for side in picture.shape[2:]]
        small = F.interpolate(picture, size=size, mode="bicubic", antialias=True)
        soft.append(F.interpolate(small, size=picture.shape[2:], mode="bicubic"))
    flat = _guided(torch.cat(soft), 2, (3.0 + 12.0 * strength[:, None, None, None]) ** 2)
    around = F.avg_pool2d(F.pad(flat, (2, 2, 2, 2), mode="reflect"), 5, 1)
    lowest = -F.max_pool2d(F.pad(-flat, (2, 2, 2, 2), mode="reflect"), 5, 1)
    highest = F.max_pool2d(F.pad(flat, (2, 2, 2, 2), mode="reflect"), 5, 1)
    return _as_saved((flat + crisp * (flat - around)).maximum(lowest).minimum(highest))  # no halos


def _lit(x: Tensor, stops: Tensor) -> Tensor:
    """Linear light times 2**stops, not clipped yet: 0-1 is what a picture can show."""
    return (x / 255.0) ** 2.2 * 2.0**stops


def low_light(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Up to three and a half stops less light, with some noise or without."""
    dark = 255.0 * _lit(x, -3.5 * strength[:, None, None, None]) ** (1 / 2.2)
    grain = torch.where(_random(len(x), rng) < 0.5, 7.0, 0.5) * strength[:, None, None, None]
    return _as_saved(dark + grain * _normal(tuple(x.shape), rng))


def over_exposure(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Up to three and a half stops more light: clipped, or rolled off towards white."""
    light = _lit(x, 3.5 * strength[:, None, None, None])
    whitest = 2.0 ** (3.5 * strength[:, None, None, None])
    rolled = light * (1.0 + light / whitest**2) / (1.0 + light)  # Reinhard et al. (2002), equation 4
    shown = torch.where(_random(len(x), rng) < 0.65, light.clamp(0.0, 1.0), rolled.clamp(0.0, 1.0))
    return _as_saved(255.0 * shown ** (1 / 2.2))


def low_contrast(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Washed out towards a veil, to a fifth at most."""
    veil = _random(len(x), rng, 100.0, 210.0)
    return _as_saved(veil + (1.0 - 0.8 * strength[:, None, None, None]) * (x - veil))


def harsh(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Contrast driven up about the mean, slope 1.2 to 2.6."""
    middle = x.mean((1, 2, 3), keepdim=True)
    return _as_saved(middle + (1.2 + 1.4 * strength[:, None, None, None]) * (x - middle))


def oversharpened(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Unsharp mask until edges have halos."""
    soft = _convolve(x, _gaussian(_random(len(x), rng, 0.8, 2.5).flatten()))
    return _as_saved(x + (0.4 + 3.6 * strength[:, None, None, None]) * (x - soft))


def pale(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Colour taken away."""
    grey = luma(x)
    return _as_saved(grey + (1.0 - 0.9 * strength[:, None, None, None]) * (x - grey))


def gaudy(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Colour driven up, 1.3 to 3.3 times."""
    grey = luma(x)
    return _as_saved(grey + (1.3 + 2.0 * strength[:, None, None, None]) * (x - grey))


def cast(x: Tensor, strength: Tensor, rng: Generator) -> Tensor:
    """Light of a wrong colour."""
    gains = 2.0 ** (
        strength[:, None, None, None] * (2.0 * torch.rand((len(x), 3, 1, 1), generator=rng, device=rng.device) - 1.0)
    )
    return _as_saved(x * gains)


@dataclass(frozen=True)
class Kind:
    """A kind of damage. `tone` is how much people mind it beyond what the structure of the picture loses, at full strength."""

    name: str
    ways: tuple[Way, ...]
    tone: float = 0.0


KINDS = (
    Kind("blur", (gaussian_blur, defocus, motion_blur)),
    Kind("scaling", (down_up,)),
    Kind("noise", (noise, noise, noise, specks)),
    Kind("jpeg", (jpeg,)),
    Kind("codec", (soft_codec,)),
    Kind("smoothing", (smoothed, enlarged)),
    Kind("dark", (low_light,), 1.0),
    Kind("bright", (over_exposure,), 1.0),
    Kind("flat", (low_contrast,), 0.7),
    Kind("overdone", (harsh, oversharpened, gaudy), 0.6),
    Kind("colour", (pale, cast), 0.4),
)


def damage(x: Tensor, kinds: Tensor, ways: Tensor, strength: Tensor, seed: int) -> Tensor:
    """Every picture by the kind and way of its own; one generator for each way, from `seed`, the same at any strength.

    Args:
        kinds, ways: int64 (n,); the way counts modulo those that the kind has. A kind below 0 leaves the picture.
    """
    found = x.clone()
    for number, kind in enumerate(KINDS):
        for place, way in enumerate(kind.ways):
            rows = torch.nonzero((kinds == number) & (ways % len(kind.ways) == place)).flatten()
            if len(rows):
                rng = torch.Generator(device=x.device).manual_seed(seed * 100 + number * 8 + place)
                found[rows] = way(x[rows], strength[rows], rng)
    return found


def structure_lost(x: Tensor, clean: Tensor) -> Tensor:
    """Gradient magnitude similarity deviation (Xue et al., 2014) of pictures to their clean ones, (n,): 0 alike, 0.3 ruined."""

    def magnitude(values: Tensor) -> Tensor:
        small = F.avg_pool2d(luma(values), 2)
        weights = torch.tensor([1.0, 0.0, -1.0], device=x.device).expand(3, 3) / 3.0
        kernel = torch.stack([weights, weights.T])[:, None]
        return F.conv2d(small, kernel).square().sum(1).sqrt()

    ours, theirs = magnitude(x), magnitude(clean)
    likeness = (2 * ours * theirs + 170.0) / (ours**2 + theirs**2 + 170.0)
    return likeness.std((1, 2))
