"""Any image file -> decoded RGB plus the facts of its header, by one documented rule each.

Formats are told by content, never by name. The rules, for every metric alike:

* **Two views.** Metrics of the pixel grid (JPEG, scale, noise) see the pixels *as stored*. Metrics of the picture
  (aesthetics, exposure, perceptual quality) see it *upright*: EXIF orientation applied, ICC profile converted to sRGB.
  (HEIC alone has no stored view: its rotation is part of its decoding.)
* **Alpha** is composited over white; opaque pixels keep their exact values.
* **16 bits** per channel are reduced to 8 by keeping the high byte, as `libpng` strips them (12 bits: the high 8).
* **Palettes** are expanded. **CMYK/YCCK** become RGB by complement, through the profile for the upright view.
* **Animations** and multi-page files: the first frame (HEIC: the primary picture); `frames` says that there are more.
* A profile that can't be used is ignored, and a note in the record says so.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.errors import ImageError, ImageSkipped
from cliqa.images.formats import identify, opened, prepare_pillow, too_large
from cliqa.images.header import Header, header_of, orientation_of
from cliqa.images.pixel_memory import take_over
from cliqa.images.rgb import to_rgb, turn, turned_back
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, MIN_SIDE
from cliqa.text import describe

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")


class LoadedImage:
    """One decoded image. Views are made on demand and kept.

    Attributes:
        header: the facts of the file.
        stored: PIL image, mode RGB, pixels as stored.
        icc_ignored: whether the upright view was asked for and the embedded profile could not be used for it.
    """

    def __init__(
        self, stored: Image.Image, header: Header, profile: bytes | None = None, inks: Image.Image | None = None
    ) -> None:
        self.header = header
        self.stored = stored
        self.icc_ignored = False
        self._profile = profile
        self._inks = inks  # the CMYK pixels, kept where a profile tells how to read them

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 array (height, width, 3), as stored."""
        return np.asarray(self.stored)

    @cached_property
    def upright(self) -> Image.Image:
        """PIL image, mode RGB, as a person sees it: sRGB, EXIF orientation applied."""
        return self._as_seen(max(self.stored.size))

    def thumbnail(self, long_side: int) -> NDArray[np.uint8]:
        """The upright picture, antialiased down to `long_side` pixels; smaller pictures are left as they are.

        It is shrunk before its colours are converted: the same picture to the eye, at a fraction of the cost.

        Returns:
            uint8 array (height, width, 3), aspect ratio kept, each side at least 1.
        """
        return np.asarray(self._as_seen(long_side))

    def sample(self, max_pixels: int) -> Image.Image:
        """The upright picture in sRGB, thinned out (not averaged) to about `max_pixels`: PIL image, mode RGB.

        Pixels keep their exact values, so histograms keep clipping and gaps, at a cost that doesn't grow with the image.
        """
        from PIL import ImageCms

        image, transform = self._coloured
        factor = (max_pixels / (image.width * image.height)) ** 0.5
        if factor < 1:
            size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
            image = image.resize(size, Image.Resampling.NEAREST)
        if transform is not None:
            image = ImageCms.applyTransform(image, transform) or image.convert("RGB")
        return turn(image, self.header.orientation)

    def _as_seen(self, long_side: int) -> Image.Image:
        from PIL import ImageCms

        image, transform = self._coloured
        longest = max(image.size)
        if longest > long_side:
            width, height = (max(1, round(side * long_side / longest)) for side in image.size)
            image = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2.0)
        if transform is not None:
            image = ImageCms.applyTransform(image, transform) or self.stored
        return turn(image, self.header.orientation)

    @cached_property
    def _coloured(self) -> tuple[Image.Image, ImageCmsTransform | None]:
        """The picture in the colours of its profile and their way to sRGB; the stored one and None where there is none."""
        if not self._profile:
            return self.stored, None
        from PIL import ImageCms

        try:
            profile = ImageCms.getOpenProfile(io.BytesIO(self._profile))
            space = profile.profile.xcolor_space.strip()
            if space == "RGB" and self.header.mode not in ("CMYK", "LAB"):
                if "srgb" in ImageCms.getProfileDescription(profile).lower():
                    return self.stored, None
                image = self.stored
            elif space == "GRAY" and self.header.mode in _GREY_MODES:
                image = self.stored.getchannel(0)
            elif space == "CMYK" and self._inks is not None:
                image = self._inks
            else:
                raise ValueError("a profile of other colours than the picture's")
            srgb = ImageCms.createProfile("sRGB")
            return image, ImageCms.buildTransform(profile, srgb, image.mode, "RGB")
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            self.icc_ignored = True
            return self.stored, None

    @classmethod
    def from_array(cls, pixels: NDArray[np.uint8]) -> LoadedImage:
        """Wrap decoded pixels, uint8 (height, width) or (height, width, 3)."""
        array = np.asarray(pixels)
        if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
            raise ImageError(f"an array must be uint8 (height, width[, 3]), not {array.dtype} {array.shape}")
        return cls.from_pil(Image.fromarray(array))

    @classmethod
    def from_pil(cls, image: Image.Image, max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS) -> LoadedImage:
        """Wrap a PIL image, decoded or not. Raises ImageSkipped or ImageError as `load_image` does."""
        return _decode(image, max_pixels)


def load_image(
    source: str | os.PathLike[str] | bytes,
    max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS,
    declared: Callable[[int], None] = lambda pixels: None,
) -> LoadedImage:
    """Open, check and decode one image.

    Args:
        source: a path, or the bytes of a file.
        max_pixels: images with more pixels are skipped before they are decoded.
        declared: called with the header's number of pixels, once they are within the limits and before they are decoded.

    Raises:
        ImageSkipped: more than `max_pixels`, or a side under 32 pixels.
        ImageError: missing, not a regular file, unreadable, truncated or no image.
    """
    with opened(source) as stream, identify(stream, max_pixels) as image:
        return _decode(image, max_pixels, declared)


def read_header(source: str | os.PathLike[str] | bytes) -> Header:
    """The header alone, without decoding pixels. Raises ImageError, or ImageSkipped for a size that no limit would let in."""
    with opened(source) as stream, identify(stream, DEFAULT_MAX_IMAGE_PIXELS) as image:
        return header_of(image)


def load_thumbnail(
    source: str | os.PathLike[str] | bytes, long_side: int, max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS
) -> Image.Image:
    """A small upright picture to look at, not to score: a JPEG is decoded at a fraction of its size.

    Returns:
        PIL image, mode RGB, aspect ratio kept, sides at most `long_side`.

    Raises: as `load_image`.
    """
    with opened(source) as stream, identify(stream, max_pixels) as image:
        if image.format in ("JPEG", "MPO") and image.width * image.height <= max_pixels:
            image.draft(None, (2 * long_side, 2 * long_side))
        return Image.fromarray(_decode(image, max_pixels).thumbnail(long_side))


def _decode(image: Image.Image, max_pixels: int, declared: Callable[[int], None] = lambda pixels: None) -> LoadedImage:
    width, height = image.size
    if width * height > max_pixels:
        raise ImageSkipped(f"{width}x{height} is more than the limit of {max_pixels} pixels")
    if min(width, height) < MIN_SIDE:
        raise ImageSkipped(f"{width}x{height} is smaller than {MIN_SIDE} pixels a side")
    declared(width * height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prepare_pillow(max_pixels)
            header = header_of(image)
            take_over(image)
            image.load()
            if header.format == "PNG":  # its EXIF may follow the pixels
                header = replace(header, orientation=orientation_of(image))
            elif header.format == "TIFF":  # Pillow has turned it upright; undo that
                image = turned_back(image, header.orientation)
            stored = to_rgb(image, header.bits)
    except (ImageError, ImageSkipped):
        raise
    except MemoryError as error:
        raise ImageError("not enough memory to decode it") from error
    except Image.DecompressionBombError as error:
        raise too_large(error, max_pixels) from None
    except Exception as error:  # a decoder may raise anything on hostile bytes
        raise ImageError(f"can't be decoded: {describe(error)}") from error
    header = replace(header, width=stored.width, height=stored.height)
    profile = image.info.get("icc_profile") if header.has_icc else None
    return LoadedImage(stored, header, profile, image if profile and image.mode == "CMYK" else None)
