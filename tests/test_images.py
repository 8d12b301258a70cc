"""Every format and every rule of `cliqa.images`, by exact pixels where the format is lossless."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from PIL import Image, ImageCms

from cliqa.errors import ImageError, ImageSkipped
from cliqa.images import LoadedImage, load_image, read_header
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS
from tests.conftest import Pixels, encode, make_pixels


def exif_of(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG file written by hand: `rows` are the raw samples, each row after a zero byte."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    chunks = [png_chunk(b"IHDR", head), *extra, png_chunk(b"IDAT", zlib.compress(rows)), png_chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def png_rows(samples: np.ndarray) -> bytes:
    """Rows of big-endian samples, filter 0."""
    return b"".join(b"\0" + row.tobytes() for row in samples)


LOSSLESS = {
    "PNG": ("PNG", {}),
    "BMP": ("BMP", {}),
    "TIFF raw": ("TIFF", {}),
    "TIFF LZW": ("TIFF", {"compression": "tiff_lzw"}),
    "WebP lossless": ("WEBP", {"lossless": True}),
    "PPM": ("PPM", {}),
    "JPEG 2000": ("JPEG2000", {"irreversible": False}),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_formats_give_the_exact_pixels(name: str, pixels: Pixels) -> None:
    format_name, options = LOSSLESS[name]
    image = load_image(encode(pixels, format_name, **options))
    assert image.header.format == format_name
    assert (image.header.width, image.header.height, image.header.bits) == (64, 48, 8)
    assert image.header.frames == 1
    np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("JPEG", {"quality": 95}), ("JPEG", {"progressive": True}), ("WEBP", {"quality": 90}), ("AVIF", {"quality": 90})],
)
def test_lossy_formats_come_close(format_name: str, options: dict[str, int], pixels: Pixels) -> None:
    image = load_image(encode(pixels, format_name, **options))
    assert image.header.format == format_name
    assert image.header.progressive == ("progressive" in options)
    assert np.abs(image.pixels.astype(int) - pixels).mean() < 8


def test_heic_is_read_through_the_extra(pixels: Pixels) -> None:
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.register_heif_opener()
    data = encode(pixels, "HEIF", quality=90)
    assert np.abs(load_image(data).pixels.astype(int) - pixels).mean() < 8
    with mock.patch.dict("sys.modules", {"pillow_heif": None}), pytest.raises(ImageError, match=r"cliqa\[heif\]"):
        load_image(data)


def test_avif_with_a_general_brand_is_not_taken_for_heic(pixels: Pixels) -> None:
    data = bytearray(encode(pixels, "AVIF"))
    data[8:12] = b"mif1"  # the brands that follow still say avif
    assert load_image(bytes(data)).header.format == "AVIF"


def test_jpeg_header_tells_tables_and_subsampling(pixels: Pixels) -> None:
    for sampling, name in enumerate(("4:4:4", "4:2:2", "4:2:0")):
        header = read_header(encode(pixels, "JPEG", quality=50, subsampling=sampling))
        assert header.sampling == name
        assert header.quantization[0][:4] == (16, 11, 10, 16)  # ITU T.81 table K.1 is quality 50
    assert read_header(encode(Image.fromarray(pixels).convert("L"), "JPEG")).sampling == "4:0:0"


def test_grey_jpeg_has_three_equal_channels(pixels: Pixels) -> None:
    image = load_image(encode(Image.fromarray(pixels).convert("L"), "JPEG"))
    assert image.header.mode == "L"
    assert (image.pixels[..., 0] == image.pixels[..., 2]).all()


def test_cmyk_is_complemented_and_adobe_inversion_is_undone() -> None:
    inks = np.empty((40, 40, 4), np.uint8)
    inks[:] = (40, 120, 200, 30)
    expected = [round((255 - ink) * (255 - 30) / 255) for ink in (40, 120, 200)]
    for data in (
        encode(Image.fromarray(inks, "CMYK"), "TIFF"),
        encode(Image.fromarray(inks, "CMYK"), "JPEG", quality=100),  # Pillow writes the Adobe marker: stored inverted
    ):
        image = load_image(data)
        assert image.header.mode == "CMYK"
        np.testing.assert_allclose(image.pixels[20, 20], expected, atol=2)


def test_ycck_jpeg(pixels: Pixels) -> None:
    """Adobe's transform 2: the first three components are the inks turned to YCC, the fourth is black's complement."""
    inks = np.dstack([255 - pixels, np.zeros(pixels.shape[:2], np.uint8)])
    ycc = np.asarray(Image.fromarray(255 - pixels).convert("YCbCr"))
    stored = np.dstack([ycc, np.full(pixels.shape[:2], 255, np.uint8)])
    # Pillow stores `255 - ink` of what it is given, and marks it CMYK (transform 0): give it the wished bytes, then mark it.
    data = bytearray(encode(Image.fromarray(255 - stored, "CMYK"), "JPEG", quality=100, subsampling=0))
    marker = data.index(b"Adobe")
    assert data[marker + 11] == 0
    data[marker + 11] = 2
    image = load_image(bytes(data))
    expected = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB")).astype(int)
    assert np.abs(image.pixels.astype(int) - expected).mean() < 3


def test_16_bit_png_keeps_the_high_byte() -> None:
    rng = np.random.default_rng(1)
    colour = rng.integers(0, 65536, (40, 40, 3)).astype(">u2")
    image = load_image(png(40, 40, 16, 2, png_rows(colour)))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels, colour >> 8)
    grey = rng.integers(0, 65536, (40, 40)).astype(">u2")
    image = load_image(png(40, 40, 16, 0, png_rows(grey)))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[..., 1], grey >> 8)


def test_16_bit_png_with_alpha() -> None:
    samples = np.empty((40, 40, 4), ">u2")
    samples[..., :3] = (0x40FF, 0x80FF, 0xC0FF)
    samples[..., 3] = 0xFFFF
    samples[:20, :, 3] = 0
    image = load_image(png(40, 40, 16, 6, png_rows(samples)))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[30, 0], (0x40, 0x80, 0xC0))
    np.testing.assert_array_equal(image.pixels[0, 0], (255, 255, 255))


def test_16_bit_tiff_keeps_the_high_byte() -> None:
    values = np.random.default_rng(2).integers(0, 65536, (40, 40), dtype=np.uint16)
    image = load_image(encode(Image.fromarray(values), "TIFF"))
    assert image.header.bits == 16
    np.testing.assert_array_equal(image.pixels[..., 0], values >> 8)


def test_12_bit_tiff_keeps_the_high_8_bits() -> None:
    values = (np.arange(40 * 40, dtype=np.uint16).reshape(40, 40) * 2) & 4095
    first, second = values[:, 0::2], values[:, 1::2]
    packed = np.stack([first >> 4, ((first & 15) << 4) | (second >> 8), second & 255], axis=-1).astype(np.uint8)
    tags = [
        (256, 3, 40),
        (257, 3, 40),
        (258, 3, 12),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, 40),
        (279, 4, 2400),
    ]
    body = packed.tobytes()
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag[:2], 1, tag[2]) for tag in tags)
    image = load_image(b"II*\0" + struct.pack("<I", 8 + len(body)) + body + directory + b"\0\0\0\0")
    assert image.header.bits == 12
    np.testing.assert_array_equal(image.pixels[..., 0], values >> 4)


def test_bits_are_told_by_the_raw_mode_alone() -> None:
    """Strides and offsets hold a 16 too, and a 16-bit BMP has 5 or 6 bits per channel."""
    assert read_header(encode(make_pixels(1616, 48), "BMP")).bits == 8
    assert read_header(encode(make_pixels(1616, 48), "TIFF", compression="tiff_lzw")).bits == 8
    assert read_header(encode(Image.new("1", (40, 40)), "PNG")).bits == 1


def test_float_and_32_bit_pixels_are_issues() -> None:
    with pytest.raises(ImageError, match="floating-point"):
        load_image(encode(Image.new("F", (40, 40), 0.5), "TIFF"))
    with pytest.raises(ImageError, match="32-bit"):
        load_image(encode(Image.new("I", (40, 40), 1 << 20), "TIFF"))


def test_alpha_is_composited_over_white() -> None:
    rgba = np.zeros((40, 40, 4), np.uint8)
    rgba[..., :3] = (10, 20, 30)
    rgba[:, :10, 3], rgba[:, 10:20, 3], rgba[:, 20:, 3] = 0, 128, 255
    for data in (
        encode(Image.fromarray(rgba), "PNG"),
        encode(Image.fromarray(rgba), "WEBP", lossless=True, exact=True),
    ):
        image = load_image(data)
        assert image.header.has_alpha
        np.testing.assert_array_equal(image.pixels[0, 30], (10, 20, 30))
        np.testing.assert_array_equal(image.pixels[0, 0], (255, 255, 255))
        np.testing.assert_allclose(image.pixels[0, 15], [255 + (v - 255) * 128 / 255 for v in (10, 20, 30)], atol=1)


def test_palettes_are_expanded_with_their_transparency(pixels: Pixels) -> None:
    palette = Image.fromarray(pixels).quantize(16)
    image = load_image(encode(palette, "PNG"))
    assert image.header.mode == "P"
    np.testing.assert_array_equal(image.pixels, np.asarray(palette.convert("RGB")))
    clear = load_image(encode(palette, "PNG", transparency=int(np.asarray(palette)[0, 0])))
    np.testing.assert_array_equal(clear.pixels[0, 0], (255, 255, 255))


@pytest.mark.parametrize("mode", ["LA", "RGBA", "PA"])
def test_modes_with_alpha_become_rgb(mode: str) -> None:
    image = LoadedImage.from_pil(Image.new("RGBA", (40, 40), (200, 200, 200, 255)).convert(mode))
    np.testing.assert_allclose(image.pixels[5, 5], 200, atol=1)


@pytest.mark.parametrize(
    ("format_name", "options"),
    [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {}), ("AVIF", {"quality": 95}), ("MPO", {})],
)
def test_animations_give_their_first_frame(format_name: str, options: dict[str, object]) -> None:
    first, second = (Image.new("RGB", (40, 40), colour) for colour in ((200, 30, 30), (30, 30, 200)))
    image = load_image(encode(first, format_name, save_all=True, append_images=[second], **options))
    assert image.header.frames == 2
    assert image.header.facts()["frames"] == 2
    np.testing.assert_allclose(image.pixels[20, 20], (200, 30, 30), atol=4)
    if format_name == "MPO":
        assert image.header.is_jpeg and image.header.quantization


def test_a_broken_second_frame_leaves_the_first() -> None:
    frames = [Image.new("RGB", (40, 40), (value, 0, 0)) for value in (200, 100)]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    image = load_image(data[: len(data) - 30])
    np.testing.assert_array_equal(image.pixels[20, 20], (200, 0, 0))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("format_name", "options"),
    [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("WEBP", {"lossless": True})],
)
def test_orientation_turns_the_upright_view_alone(
    format_name: str, options: dict[str, object], orientation: int, pixels: Pixels
) -> None:
    data = encode(pixels, format_name, exif=exif_of(orientation), **options)
    image = load_image(data)
    np.testing.assert_array_equal(image.pixels, pixels)
    assert (image.header.width, image.header.height, image.header.orientation) == (64, 48, orientation)
    assert (read_header(data).width, read_header(data).height) == (64, 48)
    steps = {1: [], 2: [np.fliplr], 3: [np.rot90] * 2, 4: [np.flipud], 5: [np.rot90, np.flipud]}
    steps |= {6: [np.rot90] * 3, 7: [np.rot90, np.fliplr], 8: [np.rot90]}
    upright = pixels
    for step in steps[orientation]:
        upright = step(upright)
    np.testing.assert_array_equal(np.asarray(image.upright), upright)
    assert image.thumbnail(32).shape == ((24, 32, 3) if orientation < 5 else (32, 24, 3))


def test_png_orientation_after_the_pixels_is_seen(pixels: Pixels) -> None:
    data = encode(pixels, "PNG")
    end = data.index(b"IEND") - 4
    late = data[:end] + png_chunk(b"eXIf", exif_of(6).tobytes()[6:]) + data[end:]
    assert load_image(late).header.orientation == 6
    with mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")):
        assert read_header(late).orientation == 1  # the header alone decodes nothing


def test_nonsense_orientation_and_exif_are_ignored(pixels: Pixels) -> None:
    assert load_image(encode(pixels, "PNG", exif=exif_of(77))).header.orientation == 1
    assert load_image(encode(pixels, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")).header.orientation == 1


def swapped_profile() -> bytes:
    """sRGB's profile with its red and green colorants exchanged: converting by it swaps the channels."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    entries = {}
    for index in range(struct.unpack(">I", data[128:132])[0]):
        position = 132 + 12 * index
        entries[bytes(data[position : position + 4])] = position
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_icc_profile_changes_the_upright_view_alone(mode: str) -> None:
    picture = Image.new("RGB", (40, 40), (200, 60, 30))
    picture = picture.quantize(2) if mode == "P" else picture.convert(mode)
    image = load_image(encode(picture, "PNG", icc_profile=swapped_profile()))
    np.testing.assert_array_equal(image.pixels[5, 5], (200, 60, 30))
    np.testing.assert_allclose(np.asarray(image.upright)[5, 5], (60, 200, 30), atol=2)
    np.testing.assert_allclose(image.thumbnail(20)[5, 5], (60, 200, 30), atol=2)
    assert not image.icc_ignored


def test_srgb_profile_changes_nothing(pixels: Pixels) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = load_image(encode(pixels, "PNG", icc_profile=profile))
    np.testing.assert_array_equal(np.asarray(image.upright), pixels)


@pytest.mark.parametrize("mode", ["RGB", "CMYK", "L"])
def test_unusable_profiles_are_ignored_and_noted(mode: str) -> None:
    picture = Image.new(mode, (40, 40), (10, 20, 30, 40)[: len(mode)] if mode != "L" else 10)
    profile = b"no profile" * 20 if mode == "RGB" else ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image = load_image(encode(picture, "TIFF", icc_profile=profile))
    assert not image.icc_ignored  # nobody has looked yet
    np.testing.assert_array_equal(np.asarray(image.upright), image.pixels)
    assert image.icc_ignored


def test_formats_are_told_by_content(tmp_path: Path, pixels: Pixels) -> None:
    path = tmp_path / "picture.jpg"
    path.write_bytes(encode(pixels, "PNG"))
    assert load_image(path).header.format == "PNG"


BROKEN = {
    "empty": (b"", "empty"),
    "text": (b"this is no picture " * 9, "not an image"),
    "html": (b"<!DOCTYPE html><html>", "not an image"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "not an image"),
    "jpeg magic only": (b"\xff\xd8\xff\xe0", "header can't be read"),
    "png magic only": (b"\x89PNG\r\n\x1a\n", "header can't be read"),
    "gif magic only": (b"GIF89a", "header can't be read"),
    "webp magic only": (b"RIFF\0\0\0\0WEBPVP8 ", "header can't be read"),
    "heic magic only": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "header can't be read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_issues_with_a_reason(name: str) -> None:
    data, reason = BROKEN[name]
    with pytest.raises(ImageError, match=reason):
        load_image(data)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"])
def test_truncated_files_are_issues(format_name: str) -> None:
    whole = encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), format_name)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(ImageError) as caught:
            load_image(whole[: int(len(whole) * share)])
        assert "\n" not in str(caught.value)


def test_size_limits_come_before_decoding() -> None:
    bomb = png(60_000, 60_000, 8, 2, b"")
    with mock.patch("PIL.ImageFile.ImageFile.load", side_effect=AssertionError("decoded")):
        for data, limit in ((bomb, DEFAULT_MAX_IMAGE_PIXELS), (png(100, 100, 8, 2, b""), 9_999)):
            with pytest.raises(ImageSkipped, match=f"limit of {limit}"):
                load_image(data, limit)
        with pytest.raises(ImageSkipped, match="31x400 is smaller"):
            load_image(png(31, 400, 8, 2, b""))
    assert load_image(encode(Image.new("RGB", (32, 400)), "PNG"), 32 * 400).pixels.shape == (400, 32, 3)


def test_a_limit_above_pillows_own_is_kept() -> None:
    data = png(20_000, 20_000, 8, 0, b"")  # 400 megapixels; Pillow refuses above 358
    with mock.patch("PIL.Image.MAX_IMAGE_PIXELS", 178_956_970), pytest.raises(ImageError):
        load_image(data, 500_000_000)  # passes both limits, and then has no pixels


def test_metadata_bombs_are_small_issues() -> None:
    bomb = zlib.compress(bytes(300 << 20), 9)
    rows = png_rows(np.zeros((40, 40), np.uint8))
    for chunk in (
        png_chunk(b"zTXt", b"Comment\0\0" + bomb),
        png_chunk(b"iCCP", b"profile\0\0" + bomb),
    ):
        with pytest.raises(ImageError):
            load_image(png(40, 40, 8, 0, rows, chunk))


def test_files_that_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    expected = {
        "folder.jpg": "folder",
        "dangling.jpg": "no such file",
        "loop.jpg": "symbolic links",
        "gone.jpg": "no such",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        expected["pipe.jpg"] = "not a regular file"
    for name, reason in expected.items():
        with pytest.raises(ImageError, match=reason):
            load_image(tmp_path / name)
    with pytest.raises(ImageError, match="can't be opened"):
        load_image("zero\0byte.jpg")
    with pytest.raises(ImageError, match="too long"):
        load_image(tmp_path / ("x" * 5000))


def test_unreadable_files_are_issues(tmp_path: Path, pixels: Pixels) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encode(pixels, "PNG"))
    with (
        mock.patch("os.open", side_effect=PermissionError(13, "Permission denied")),
        pytest.raises(ImageError, match="permission denied"),
    ):
        load_image(path)


def test_read_errors_while_decoding_are_issues(tmp_path: Path) -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 2000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = encode(np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8), "PNG")
    with (
        mock.patch("cliqa.image_files.open_regular", return_value=Failing(data)),
        pytest.raises(ImageError, match=r"Input/output"),
    ):
        load_image(tmp_path / "a.png")


def test_mutated_files_give_pixels_or_an_issue(pixels: Pixels) -> None:
    """A small fuzz of every format: whatever the bytes, nothing but the two kinds of issue may come out."""
    rng = np.random.default_rng(7)
    for format_name in ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "PPM"):
        whole = np.frombuffer(encode(pixels, format_name), np.uint8)
        for _ in range(25):
            data = whole.copy()
            places = rng.integers(0, min(len(data), rng.choice([40, 400, len(data)])), rng.integers(1, 6))
            data[places] = rng.integers(0, 256, len(places))
            try:
                image = load_image(data.tobytes(), 4_000_000)
            except (ImageError, ImageSkipped):
                continue
            assert image.pixels.dtype == np.uint8 and image.pixels.shape[2] == 3
            assert image.pixels.size <= 12_000_000


def test_arrays_and_pil_images_are_wrapped(pixels: Pixels) -> None:
    np.testing.assert_array_equal(LoadedImage.from_array(pixels).pixels, pixels)
    np.testing.assert_array_equal(LoadedImage.from_array(pixels[..., 0]).pixels[..., 2], pixels[..., 0])
    for bad in (pixels.astype(float), pixels[..., :2], pixels.ravel()):
        with pytest.raises(ImageError, match="uint8"):
            LoadedImage.from_array(bad)


def test_thumbnails_keep_the_aspect_ratio(pixels: Pixels) -> None:
    image = LoadedImage.from_array(make_pixels(300, 50))
    assert image.thumbnail(100).shape == (17, 100, 3)
    assert LoadedImage.from_array(pixels).thumbnail(500).shape == (48, 64, 3)
    assert LoadedImage.from_array(make_pixels(640, 32)).thumbnail(10).shape == (1, 10, 3)
