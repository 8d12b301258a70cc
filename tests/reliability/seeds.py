"""Small sound files of every format that is read, in the variants that take different ways through a decoder."""

from __future__ import annotations

import functools
import io
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from tests.conftest import encode, make_pixels
from tests.image_bytes import exif_of, png, png_rows

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM", "JPEG2000", "HEIF")
WIDTH, HEIGHT = 64, 48


@functools.cache
def seeds(format_name: str) -> tuple[bytes, ...]:
    """Sound files of one format. Raises ImportError where its reader is an extra that is not installed."""
    picture = Image.fromarray(make_pixels(WIDTH, HEIGHT, 3))
    made = {
        "JPEG": _jpegs, "PNG": _pngs, "WEBP": _webps, "TIFF": _tiffs, "BMP": _bmps, "GIF": _gifs, "AVIF": _avifs,
        "PPM": _pnms, "JPEG2000": _jpeg2000s, "HEIF": _heifs,
    }  # fmt: skip
    return tuple(made[format_name](picture))


def _profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"s\0R\0G\0B", b"w\0i\0d\0e")


def _sized(seed: int) -> Image.Image:
    """Large enough for whole 128-pixel tiles."""
    return Image.fromarray(make_pixels(160, 136, seed))


def _jpegs(picture: Image.Image) -> list[bytes]:
    options: list[dict[str, Any]] = [
        {"quality": 90}, {"quality": 60, "subsampling": 2, "exif": exif_of(6)}, {"progressive": True, "icc_profile": _profile()},
        {"quality": 95, "restart_marker_blocks": 3, "comment": "a comment"},
    ]  # fmt: skip
    return [
        *(encode(picture, "JPEG", **each) for each in options),
        encode(picture.convert("L"), "JPEG"),
        encode(picture.convert("CMYK"), "JPEG"),
        encode(picture, "MPO", save_all=True, append_images=[picture.transpose(Image.Transpose.ROTATE_180)]),
        encode(_sized(1), "JPEG", quality=85),
    ]


def _pngs(picture: Image.Image) -> list[bytes]:
    deep = np.random.default_rng(1).integers(0, 65536, (HEIGHT, WIDTH, 3)).astype(">u2")
    clear = picture.copy()
    clear.putalpha(picture.convert("L"))
    return [
        encode(picture, "PNG", exif=exif_of(5)),
        encode(picture.quantize(16), "PNG", transparency=3),
        encode(clear, "PNG", icc_profile=_profile()),
        png(WIDTH, HEIGHT, 16, 2, png_rows(deep)),
        encode(picture.convert("1"), "PNG"),
        encode(picture, "PNG", save_all=True, append_images=[picture.transpose(Image.Transpose.ROTATE_180)]),
        encode(_sized(2), "PNG"),
    ]


def _webps(picture: Image.Image) -> list[bytes]:
    clear = picture.copy()
    clear.putalpha(picture.convert("L"))
    return [
        encode(picture, "WEBP"),
        encode(picture, "WEBP", lossless=True, exif=exif_of(8), icc_profile=_profile()),
        encode(clear, "WEBP", quality=70),
        encode(picture, "WEBP", save_all=True, append_images=[clear], duration=40),
        encode(_sized(3), "WEBP"),
    ]


def _tiffs(picture: Image.Image) -> list[bytes]:
    deep = np.random.default_rng(2).integers(0, 65536, (HEIGHT, WIDTH), dtype=np.uint16)
    lossless = ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"]
    return [
        *(encode(picture, "TIFF", compression=None if name == "raw" else name) for name in lossless),
        encode(picture.convert("1"), "TIFF", compression="group4"),
        encode(picture, "TIFF", exif=exif_of(3), icc_profile=_profile(), compression="tiff_lzw"),
        encode(picture, "TIFF", big_tiff=True),
        encode(Image.fromarray(deep), "TIFF"),
        encode(picture.convert("CMYK"), "TIFF"),
        encode(picture, "TIFF", save_all=True, append_images=[picture.convert("L")]),
        encode(_sized(4), "TIFF", compression="tiff_adobe_deflate", tile=(64, 64)),
    ]


def _bmps(picture: Image.Image) -> list[bytes]:
    return [
        encode(picture, "BMP"),
        encode(picture.quantize(16), "BMP"),
        encode(picture.convert("1"), "BMP"),
        encode(picture.convert("RGBA"), "BMP"),
        encode(_sized(5), "BMP"),
    ]


def _gifs(picture: Image.Image) -> list[bytes]:
    other = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return [
        encode(picture, "GIF"),
        encode(picture.quantize(8), "GIF", transparency=2, interlace=1),
        encode(picture, "GIF", save_all=True, append_images=[other, picture], loop=0, disposal=2, comment=b"a comment"),
        encode(_sized(6), "GIF"),
    ]


def _avifs(picture: Image.Image) -> list[bytes]:
    clear = picture.copy()
    clear.putalpha(picture.convert("L"))
    return [
        encode(picture, "AVIF", quality=60, speed=9),
        encode(clear, "AVIF", speed=9, exif=exif_of(6), icc_profile=_profile()),
        encode(picture, "AVIF", save_all=True, append_images=[picture], speed=9),
        encode(picture, "AVIF", subsampling="4:0:0", speed=9),
    ]


def _pnms(picture: Image.Image) -> list[bytes]:
    small = np.asarray(picture.convert("L"))
    plain = f"P2\n# a comment\n{WIDTH} {HEIGHT}\n255\n" + "\n".join(" ".join(map(str, row)) for row in small)
    deep = b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + (small.astype(">u2") * 257).tobytes()
    stream = io.BytesIO()
    picture.save(stream, "PPM")
    return [
        stream.getvalue(), plain.encode(), deep, encode(picture.convert("1"), "PPM"), encode(picture.convert("L"), "PPM"),
    ]  # fmt: skip


def _jpeg2000s(picture: Image.Image) -> list[bytes]:
    stream = io.BytesIO()
    picture.save(stream, "JPEG2000", no_jp2=True)
    return [
        encode(picture, "JPEG2000", irreversible=False),
        encode(picture, "JPEG2000", irreversible=True, quality_mode="rates", quality_layers=[20, 8]),
        encode(picture.convert("L"), "JPEG2000", tile_size=(32, 32)),
        encode(picture.convert("RGBA"), "JPEG2000"),
        stream.getvalue(),
        encode(_sized(7), "JPEG2000", tile_size=(64, 64)),
    ]


def _heifs(picture: Image.Image) -> list[bytes]:
    import pillow_heif

    pillow_heif.register_heif_opener()
    clear = picture.copy()
    clear.putalpha(picture.convert("L"))
    return [
        encode(picture, "HEIF", quality=60),
        encode(clear, "HEIF", quality=60, exif=exif_of(6).tobytes()),
        encode(picture, "HEIF", save_all=True, append_images=[clear], icc_profile=_profile()),
    ]
