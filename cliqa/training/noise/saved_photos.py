"""Noisy pictures as the web has them: saved by WebP, AVIF, JPEG of any quality or JPEG XL, some of them parts of a page.

HEIC is never used here, nor are AVIF's slow speeds, rav1e and svt, jpegli and mozjpeg's program: results are reported on them apart.
"""

from __future__ import annotations

from cliqa.training import codecs
from cliqa.training.histories.draws import any_of, by_share, chance, integers
from cliqa.training.histories.graph import Step, in_order, one_of, sometimes, untouched
from cliqa.training.histories.picture import Picture, Pixels, Rng
from cliqa.training.histories.saves import draw_sampling, random_jpeg, save, turbo_jpeg
from cliqa.training.noise.noisy_photos import Mix, as_jpeg, draw_quality

MIX = Mix(
    clean=0.26,
    reduced=0.4,
    families={"gaussian": 0.2, "poisson_gaussian": 0.1, "camera": 0.13, "denoised": 0.08, "shots": 0.1, "chroma": 0.12,
              "grain": 0.12, "density_grain": 0.06, "structured": 0.04, "impulses": 0.03, "mixture": 0.02},
)  # fmt: skip
"""Plain kinds of noise more often than in the first examples: codecs make them hard enough."""
COLOURS = Mix(clean=0.1, families={"colours": 1.0})
"""More noise of the colours alone than pictures have it, since it is what grey noise is told from."""
PAGE_SHARE = 0.06
KINDS = ("plain", "jpeg 80-99", "jpeg 30-79", "webp", "avif", "jxl")


def kind_of(picture: Picture) -> str:
    """Which of `KINDS` its last save was."""
    if not picture.saves:
        return "plain"
    last = picture.saves[-1]
    return last.codec if last.codec != "jpeg" else "jpeg 80-99" if last.quality >= 80 else "jpeg 30-79"


def _high_jpeg(rng: Rng, picture: Picture) -> Picture:
    return as_jpeg(int(rng.integers(80, 100)))(rng, picture)


def _low_jpeg(rng: Rng, picture: Picture) -> Picture:
    """By libjpeg-turbo with IJG's tables, or by any encoder with any tables; some after a camera's or editor's file."""
    quality = int(rng.integers(30, 80))
    if rng.random() < 0.15:
        picture = as_jpeg(int(rng.integers(85, 99)))(rng, picture)
    if rng.random() < 0.75:
        return turbo_jpeg(lambda rng: quality)(rng, picture)
    sampling = draw_sampling(rng)
    return random_jpeg(rng, picture, quality, min(quality + 1, 95), sampling=sampling, asked=quality)


def _encode_jxl(pixels: Pixels, quality: int, effort: int) -> bytes:
    """JPEG XL at the distance that stands for a quality of 38-96 here."""
    return codecs.encode_jxl(pixels, 0.4 + 0.055 * (100 - quality), effort=effort)


EARLIER = sometimes(0.15, lambda rng, picture: as_jpeg(draw_quality(rng))(rng, picture))
"""Files by newer codecs that were a JPEG before."""
QUALITY = integers(38, 96)
METHODS = dict(enumerate([0.1, 0.1, 0.1, 0.1, 0.35, 0.1, 0.15]))
SPEEDS = {6: 0.25, 7: 0.1, 8: 0.3, 9: 0.2, 10: 0.15}
WEBP = in_order(
    EARLIER, save("webp", codecs.encode_webp, quality=QUALITY, method=by_share(METHODS), sharp_yuv=chance(0.2))
)
AVIF = in_order(
    EARLIER,
    save("avif", codecs.encode_avif, quality=QUALITY, speed=by_share(SPEEDS), subsampling=by_share({"4:2:0": 0.75, "4:4:4": 0.25}),
         max_threads=1),
)  # fmt: skip
JXL = in_order(EARLIER, save("jxl", _encode_jxl, quality=QUALITY, effort=any_of(3, 4, 5)))
SAVES: dict[str, Step] = {
    "plain": untouched,
    "jpeg 80-99": _high_jpeg,
    "webp or avif": one_of({WEBP: 0.55, AVIF: 0.45}),
    "any": one_of({_low_jpeg: 0.52, WEBP: 0.23, AVIF: 0.2, JXL: 0.05}),
}
"""What each picture is seen as."""
