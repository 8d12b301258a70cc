"""Lossy codecs for training pictures: pixels in, the file's bytes and the decoded pixels out, by one function each.

Each takes a quality on the codec's own 1-100 scale and says its settings by name. Pillow encodes JPEG (libjpeg-turbo), WebP
(libwebp) and AVIF (aom, svt or rav1e); HEIC (x265) needs pillow-heif; JPEG 2000 (OpenJPEG) and JPEG XL (libjxl) need imagecodecs;
jpegli needs pyjpegli; single frames of video need av. All of them are in the extra `train`.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Encoder = Callable[..., bytes]


def encode_jpeg(pixels: Pixels, quality: int, *, subsampling: str = "4:2:0", **settings: Any) -> bytes:
    """Baseline JPEG by libjpeg-turbo; `settings` go to Pillow (`progressive`, `optimize`, `qtables`)."""
    return _pillow(pixels, "JPEG", quality=quality, subsampling=subsampling, **settings)


def opencv_jpeg(bgr: Pixels, quality: int, subsampling: str = "4:2:0", *, optimize: bool = False) -> bytes:
    """Baseline JPEG by OpenCV's libjpeg-turbo, of uint8 (height, width, 3) in its order of channels, or of grey (height, width)."""
    import cv2

    factor = getattr(cv2, f"IMWRITE_JPEG_SAMPLING_FACTOR_{subsampling.replace(':', '')}")
    settings = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor]
    done, stream = cv2.imencode(".jpg", bgr, [*settings, cv2.IMWRITE_JPEG_OPTIMIZE, int(optimize)])
    if not done:
        raise ValueError("OpenCV could not encode the image")
    return bytes(stream.tobytes())


def opencv_decoded(data: bytes) -> Pixels:
    """The pixels of a JPEG as OpenCV decodes and orders them: uint8 (height, width, 3)."""
    import cv2

    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def encode_webp(pixels: Pixels, quality: int, *, method: int = 4, sharp_yuv: bool = False, **settings: Any) -> bytes:
    """Lossy WebP (VP8); `method` 0 (fast) to 6 (small)."""
    return _pillow(pixels, "WEBP", quality=quality, method=method, use_sharp_yuv=sharp_yuv, **settings)


def encode_avif(
    pixels: Pixels, quality: int, *, speed: int = 6, subsampling: str = "4:2:0", codec: str = "aom", **settings: Any
) -> bytes:
    """AVIF; `speed` 0 (slow) to 10, `codec` aom, svt or rav1e where Pillow has it."""
    return _pillow(pixels, "AVIF", quality=quality, speed=speed, subsampling=subsampling, codec=codec, **settings)


def encode_avif10(pixels: Pixels, quality: int, *, speed: int = 6, subsampling: str = "4:2:0") -> bytes:
    """AVIF with 10 bits per channel, by aom."""
    import imagecodecs

    deep = pixels.astype(np.uint16)
    return bytes(
        imagecodecs.avif_encode(
            deep << 2 | deep >> 6, level=quality, speed=speed, pixelformat=f"yuv{subsampling.replace(':', '')}",
            bitspersample=10, codec="aom", numthreads=1,
        )
    )  # fmt: skip


def encode_heic(pixels: Pixels, quality: int, *, chroma: int = 420, **settings: Any) -> bytes:
    """HEIC by x265; `chroma` 420, 422 or 444."""
    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, quality=quality, chroma=chroma, **settings)
    return buffer.getvalue()


def encode_jpeg2000(pixels: Pixels, quality: float, **settings: Any) -> bytes:
    """JPEG 2000, irreversible; `quality` is the PSNR in dB that OpenJPEG aims at (about 28-50)."""
    import imagecodecs

    psnr: Any = quality  # its stub says int
    return bytes(imagecodecs.jpeg2k_encode(pixels, level=psnr, codecformat="jp2", reversible=False, **settings))


def pillow_jpeg2000(pixels: Pixels, quality: float) -> bytes:
    """JPEG 2000 by Pillow's OpenJPEG, reversible wavelets; `quality` is the PSNR in dB."""
    return _pillow(pixels, "JPEG2000", quality_mode="dB", quality_layers=[quality])


def encode_jxl(pixels: Pixels, quality: float, *, effort: int = 4, **settings: Any) -> bytes:
    """JPEG XL (VarDCT); `quality` is the Butteraugli distance (1 visually lossless, 0.1-15)."""
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(pixels, distance=quality, effort=effort, lossless=False, **settings))


def encode_jpegli(pixels: Pixels, quality: int) -> bytes:
    """JPEG by jpegli, 4:4:4 with tables of its own."""
    import pyjpegli

    return bytes(pyjpegli.encode(np.ascontiguousarray(pixels), pixels.shape[1], pixels.shape[0], quality))


def video_frame(pixels: Pixels, codec: str, *, subsampling: str = "420", **options: Any) -> tuple[bytes, Pixels]:
    """One key frame by a video encoder of FFmpeg's: the Matroska file and the frame's RGB pixels.

    Args:
        codec: such as "libx264", "libx265", "libvpx-vp9", "mpeg4".
        subsampling: "420", "422" or "444", where the encoder has it. Odd sides lose their last row or column.
        options: the encoder's own, such as crf and preset.
    """
    import av

    even = np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])
    buffer, layout = io.BytesIO(), f"yuv{subsampling}p"
    with av.open(buffer, "w", format="matroska") as container:
        stream: Any = container.add_stream(codec, rate=25, options={key: str(value) for key, value in options.items()})
        stream.width, stream.height, stream.pix_fmt = even.shape[1], even.shape[0], layout
        frame = av.VideoFrame.from_ndarray(even, "rgb24").reformat(format=layout)
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    data = buffer.getvalue()
    with av.open(io.BytesIO(data)) as container:
        decoded = next(container.decode(video=0)).to_ndarray(format="rgb24")
    return data, np.asarray(decoded, dtype=np.uint8)


def decode(data: bytes) -> Pixels:
    """The RGB pixels of any file that the encoders here make: uint8 (height, width, 3)."""
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypheif"):
        import pillow_heif

        return np.asarray(pillow_heif.open_heif(data).to_pillow().convert("RGB"))
    if data[:2] == b"\xff\x0a" or data[4:8] == b"JXL ":
        import imagecodecs

        return np.asarray(imagecodecs.jpegxl_decode(data), dtype=np.uint8)
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))


def _pillow(pixels: Pixels, format: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format, **settings)
    return buffer.getvalue()
