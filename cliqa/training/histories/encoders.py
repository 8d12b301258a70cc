"""One lossy save by a random encoder of any codec, with random settings.

Kept out of these on purpose, for the report on what training never saw: AVIF at speeds 0-3 and by svt and rav1e, x265's slow presets,
mozjpeg, VP9, the programs `cwebp`, `avifenc` and `heif-enc` of Debian, JPEG 2000 by a ratio instead of a PSNR. (svt is left out
also because it gives its process real-time priority, and may then spin for ever.)
"""

from __future__ import annotations

from collections.abc import Callable

from cliqa.training import codecs
from cliqa.training.histories.draws import pick
from cliqa.training.histories.graph import Step
from cliqa.training.histories.picture import Picture, Rng, Save
from cliqa.training.histories.saves import IJG_ENCODERS, coded, draw_sampling, encode_jpeg, random_jpeg
from cliqa.training.histories.tables import draw_tables

SHARES = {"jpeg": 0.29, "webp": 0.22, "avif": 0.2, "heic": 0.13, "jpeg2000": 0.05, "jxl": 0.07, "other": 0.04}
AVIF_SPEEDS = {4: 0.01, 5: 0.03, 6: 0.36, 7: 0.12, 8: 0.22, 9: 0.13, 10: 0.13}  # slower ones take seconds


def any_save(codec: str = "", low: float = 0.0) -> Step:
    """A step: one save by a random encoder. A video encoder may cut an odd last row or column off.

    Args:
        codec: one of `SHARES`, or "" for any.
        low: lowest position on the codec's range of qualities, 0-1.
    """

    def step(rng: Rng, picture: Picture) -> Picture:
        name = codec or pick(rng, SHARES)
        position = float(rng.uniform(low, 1.0)) if rng.random() < 0.7 else float(rng.uniform(max(low, 0.4), 0.97))
        return _SAVES[name](rng, picture, position)

    return step


def _jpeg(rng: Rng, picture: Picture, position: float) -> Picture:
    quality, kind = round(1 + 99 * position), rng.random()
    if kind < 0.1:
        data = codecs.encode_jpegli(picture.pixels, max(5, quality))
        return coded(picture, "jpeg", quality, data, encoder="jpegli")
    if kind < 0.25:  # trellis, other ways to sample the chroma, other tables: pixels only
        return random_jpeg(rng, picture, quality, quality)
    sampling = draw_sampling(rng)
    tables = draw_tables(rng, quality)[:2] if rng.random() < 0.2 else None
    encoder = "opencv" if rng.random() < IJG_ENCODERS["opencv"] else "pillow"
    data = encode_jpeg(picture.pixels, rng, quality, sampling, encoder, tables)
    return coded(picture, "jpeg", quality, data, sampling, f"{encoder} {sampling}{' tables' if tables else ''}")


def _webp(rng: Rng, picture: Picture, position: float) -> Picture:
    quality = round(100 * position)
    if rng.random() < 0.05:
        index = round(4 + 59 * (1 - position))
        speed = {"b:v": "50M", "cpu-used": str(rng.integers(0, 6))}
        _, found = codecs.video_frame(
            picture.pixels, "vp8", subsampling="420", qmin=index, qmax=index, crf=index, **speed
        )
        return picture.saved(found, Save("webp", quality, "vp8 frame"))
    method, sharp = int(rng.integers(0, 7)), bool(rng.random() < 0.2)
    data = codecs.encode_webp(picture.pixels, quality, method=method, sharp_yuv=sharp)
    return coded(picture, "webp", quality, data, encoder=f"libwebp {method}{' sharp' if sharp else ''}")


def _avif(rng: Rng, picture: Picture, position: float) -> Picture:
    quality, kind = round(100 * position), rng.random()
    sampling = pick(rng, {"4:2:0": 0.7, "4:4:4": 0.25, "4:2:2": 0.05})
    speed = pick(rng, AVIF_SPEEDS)
    if kind < 0.1:
        data = codecs.encode_avif10(picture.pixels, quality, speed=speed, subsampling=sampling)
        return coded(picture, "avif", quality, data, encoder=f"aom 10 bits {speed} {sampling}")
    tuning = {"tune": str(rng.choice(["ssim", "iq", "psnr"]))} if rng.random() < 0.2 else {}
    full = "full" if rng.random() < 0.8 else "limited"
    data = codecs.encode_avif(
        picture.pixels, quality, speed=speed, subsampling=sampling, range=full, max_threads=1, advanced=tuning or None
    )
    return coded(picture, "avif", quality, data, encoder=f"aom {speed} {sampling}{' tuned' if tuning else ''}")


def _heic(rng: Rng, picture: Picture, position: float) -> Picture:
    quality = round(100 * position)
    preset = pick(rng, {"ultrafast": 0.1, "superfast": 0.15, "veryfast": 0.2, "fast": 0.25, "medium": 0.3})
    tune = pick(rng, {"ssim": 0.6, "psnr": 0.2, "grain": 0.1, "fastdecode": 0.1})
    chroma = pick(rng, {420: 0.8, 422: 0.05, 444: 0.15})
    settings = {"preset": preset, "tune": tune, "x265:pools": "none"}
    data = codecs.encode_heic(picture.pixels, quality, chroma=chroma, enc_params=settings)
    return coded(picture, "heic", quality, data, encoder=f"x265 {preset} {tune} {chroma}")


def _jpeg2000(rng: Rng, picture: Picture, position: float) -> Picture:
    level = 24 + 26 * position
    settings = {} if rng.random() < 0.7 else {"mct": False}
    data = codecs.encode_jpeg2000(picture.pixels, level, **settings)
    return coded(picture, "jpeg2000", level, data, encoder="openjpeg")


def _jxl(rng: Rng, picture: Picture, position: float) -> Picture:
    distance, effort = 0.1 * 100 ** (1 - position), pick(rng, {3: 0.2, 4: 0.2, 5: 0.2, 6: 0.15, 7: 0.25})
    data = codecs.encode_jxl(picture.pixels, distance, effort=effort, numthreads=1)
    return coded(picture, "jxl", distance, data, encoder=f"libjxl {effort}")


def _other(rng: Rng, picture: Picture, position: float) -> Picture:
    if rng.random() < 0.6:
        crf, preset = round(48 - 44 * position), str(rng.choice(["veryfast", "fast", "medium", "slow"]))
        sampling = "420" if rng.random() < 0.85 else "444"
        _, found = codecs.video_frame(
            picture.pixels, "libx264", subsampling=sampling, crf=crf, preset=preset, threads=1
        )
        return picture.saved(found, Save("other", crf, f"x264 {preset} {sampling}"))
    name, scale = str(rng.choice(["mpeg4", "mpeg2video"])), round(1 + 30 * (1 - position) ** 2)
    _, found = codecs.video_frame(picture.pixels, name, qmin=max(2, scale), qmax=max(2, scale), b="200M")
    return picture.saved(found, Save("other", scale, name))


_SAVES: dict[str, Callable[[Rng, Picture, float], Picture]] = {
    "jpeg": _jpeg, "webp": _webp, "avif": _avif, "heic": _heic, "jpeg2000": _jpeg2000, "jxl": _jxl, "other": _other,
}  # fmt: skip
