"""Any image file -> decoded RGB plus the facts of its header, by one documented rule each.

Formats are told by content, never by name. The rules, for every metric alike:

* **Two views.** Metrics of the pixel grid (JPEG, scale, noise) see the pixels *as stored*. Metrics of the picture
  (aesthetics, exposure, perceptual quality) see it *upright*: EXIF orientation applied, ICC profile converted to sRGB.
  (HEIC alone has no stored view: its rotation is part of its decoding.)
* **Alpha** is composited over white; opaque pixels keep their exact values.
* **16 bits** per channel are reduced to 8 by keeping the high byte, as `libpng` strips them (12 bits: the high 8); for the upright view
  they go through a profile before.
* **Palettes** are expanded. **CMYK/YCCK** become RGB by complement, through the profile for the upright view.
* **Animations** and multi-page files: the first frame (HEIC: the primary picture); `frames` is then 2: they are not counted.
* A profile that can't be used is ignored, and a note in the record says so. **PQ and HLG** are tone-mapped for the upright view.
* **Bars and frames** are left out of what metrics see; `content_box` tells where the picture lies.
* **Raw files** are represented by their largest embedded JPEG.
* **Damaged data** raise, or leave a note.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import thinned
from cliqa.errors import ImageError
from cliqa.images.colour import HLG, PQ, Conversion, deep_to_srgb, from_profile, profile_space, tone_mapping
from cliqa.images.decoding import Origin, decode, turn
from cliqa.images.formats import Opened, opened, prepare_pillow
from cliqa.images.frame import Box, content_box, on_grid, plainness
from cliqa.images.header import Header, header_of
from cliqa.images.patches import Tiles
from cliqa.images.shrinking import GAP, can_shrink, grey_levels, shrink
from cliqa.limits import DEFAULT_MAX_IMAGE_PIXELS, DEFAULT_NUM_PATCHES
from cliqa.signal.resampling.replication import before_replication

_GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L", "I;16N")

_FACTS = ("format", "width", "height", "mode", "bits", "orientation", "frames", "exposure_value")


class LoadedImage:
    """One decoded image. Views are made on demand and kept.

    Attributes:
        header: the facts of the file.
        stored: PIL image, mode RGB, pixels as stored.
        notes: what is to be said of the file beside its scores.
        is_preview: whether the pixels are those of a raw file's preview.
        icc_ignored: whether the upright view was asked for and the embedded profile could not be used for it.
    """

    def __init__(
        self, stored: Image.Image, header: Header, origin: Origin | None = None, notes: Sequence[str] = ()
    ) -> None:
        self.header = header
        self.stored = stored
        self.notes = list(notes)
        self._origin = origin or Origin()
        self.is_preview = self._origin.preview
        self.icc_ignored = self._origin.profile_left_out

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """uint8 array (height, width, 3), as stored; read-only."""
        return np.asarray(self.stored) if self._origin.rows is None else self._origin.rows

    @cached_property
    def coded(self) -> Image.Image:
        """PIL image, mode RGB: the planes that a codec saw. Of CMYK files the complement of the first three inks, else `inside`.

        A JPEG's coefficients lie on their lattice in these planes alone: black ink is no part of them.
        """
        if self._origin.inks is None:
            return self.inside
        planes = Image.merge("RGB", [ImageChops.invert(ink) for ink in self._origin.inks.split()[:3]])
        return planes if self.content_box is None else planes.crop(on_grid(self.content_box))

    @cached_property
    def content_box(self) -> Box | None:
        """Where the picture lies within bars and frames: left, top, right, bottom in stored pixels; None where it is all there is."""
        return content_box(self.stored, self._origin.opaque)

    @cached_property
    def inside(self) -> Image.Image:
        """The stored picture within bars and frames, PIL image, mode RGB; it begins at a multiple of 8 pixels, as JPEG blocks do."""
        if self.content_box is None:
            return self.stored
        return self.stored.crop(on_grid(self.content_box))

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """Luma of `inside`, uint8 (height, width)."""
        if compiled() is None:
            return np.asarray(self.inside.convert("L"))
        left, top, right, bottom = on_grid(self.content_box) if self.content_box else (0, 0, *self.stored.size)
        return grey_levels(self.pixels[top:bottom, left:right])

    def facts(self) -> dict[str, str | int | float | bool | None]:
        """What goes into every record: of the header; `content_box`, "x,y,width,height" or ""; `grey` and `flat`, see `plainness`."""
        left, top, right, bottom = self.content_box or (0, 0, 0, 0)
        box = f"{left},{top},{right - left},{bottom - top}" if self.content_box else ""
        shot = {"taken": self.header.taken or None, "camera": self.header.camera or None}
        said = {name: getattr(self.header, name) for name in _FACTS}
        return said | shot | {"content_box": box} | plainness(self.inside)

    @cached_property
    def upright(self) -> Image.Image:
        """PIL image, mode RGB, as a person sees it: sRGB, EXIF orientation applied, without bars and frames."""
        return self.as_seen(max(self.stored.size))

    def thumbnail(self, long_side: int) -> NDArray[np.uint8]:
        """The upright picture, antialiased down to `long_side` pixels; smaller pictures are left as they are.

        It is shrunk before its colours are converted: the same picture to the eye, at a fraction of the cost.

        Returns:
            uint8 array (height, width, 3), aspect ratio kept, each side at least 1.
        """
        return np.asarray(self.as_seen(long_side))

    def sample(self, max_pixels: int) -> Image.Image:
        """The upright picture in sRGB, thinned out (not averaged) to about `max_pixels`: PIL image, mode RGB.

        Pixels keep their exact values, so histograms keep clipping and gaps, at a cost that doesn't grow with the image.
        """
        image, convert = self._coloured
        if self.content_box is not None:
            image = image.crop(self.content_box)
        factor = (max_pixels / (image.width * image.height)) ** 0.5
        if factor < 1:
            size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
            image = (
                Image.fromarray(thinned(image, size))
                if image.mode == "RGB"
                else image.resize(size, Image.Resampling.NEAREST)
            )
        return turn(image if convert is None else convert(image), self.header.orientation)

    def as_seen(self, long_side: int, framed: bool = False) -> Image.Image:
        """See `thumbnail`; a PIL image, mode RGB, `framed` with the bars and frames."""
        image, convert = self._coloured
        box = (0, 0, *image.size) if framed or self.content_box is None else self.content_box
        have = box[2] - box[0], box[3] - box[1]
        large = max(have) > long_side
        width, height = (max(1, round(side * long_side / max(have))) for side in have)
        if large and image is self.stored and can_shrink(have, (width, height)):
            image = Image.fromarray(shrink(self.pixels[box[1] : box[3], box[0] : box[2]], (width, height)))
        else:
            image = image if have == image.size else image.crop(box)
            if large:
                image = image.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=GAP)
        return turn(image if convert is None else convert(image), self.header.orientation)

    @cached_property
    def _coloured(self) -> tuple[Image.Image, Conversion | None]:
        """The picture in its own colours and their way to sRGB; the stored one and None where it is sRGB."""
        origin = self._origin
        if origin.light is not None and origin.light[1] in (PQ, HLG):
            return self.stored, tone_mapping(origin.light[1], origin.light[0])
        if not origin.profile:
            return self.stored, None
        try:
            space = profile_space(origin.profile)
            if space == "RGB" and self.header.mode not in ("CMYK", "LAB"):
                image, mode = self.stored, "RGB"
            elif space == "GRAY" and self.header.mode in _GREY_MODES:
                image, mode = self.stored.getchannel(0), "L"
            elif space == "CMYK" and origin.inks is not None:
                image, mode = origin.inks, "CMYK"
            else:
                raise ValueError("a profile of other colours than the picture's")
            convert = from_profile(origin.profile, mode)
            deep = origin.deep() if convert is not None and origin.deep is not None else None
            if convert is not None and deep is not None and mode in ("RGB", "L"):
                return deep_to_srgb(deep[0].convert(mode), deep[1].convert(mode), convert), None
            return image, convert
        except ValueError:
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
        prepare_pillow(max_pixels)
        return cls(*decode(Opened(image), max_pixels))


class View:
    """One image as the metrics see it; everything asked for is made once and shared by all metrics.

    Attributes:
        image: see `LoadedImage`.
        header: the facts of the file.
        num_patches: how many tiles a metric looks at.
    """

    def __init__(self, image: LoadedImage, num_patches: int = DEFAULT_NUM_PATCHES) -> None:
        self.image = image
        self.header = image.header
        self.num_patches = num_patches
        self._thumbnails: dict[int, NDArray[np.uint8]] = {}

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """The whole image as stored, uint8 (height, width, 3)."""
        return self.image.pixels

    @cached_property
    def tiles(self) -> Tiles:
        """The tiles as stored, within bars and frames, ranked by detail."""
        return Tiles(self.image.inside)

    @cached_property
    def patches(self) -> NDArray[np.uint8]:
        """The most detailed tiles as stored, uint8 (n, 3, 128, 128), 1 <= n <= num_patches."""
        return self.tiles.most_detailed(self.num_patches)

    @cached_property
    def unreplicated(self) -> tuple[Image.Image, tuple[int, int]]:
        """PIL image, mode RGB: the picture as its codec saw it, before an enlargement by nearest neighbour; and how often that repeated
        each pixel (across, down), (1, 1) for none."""
        return before_replication(self.image.coded)

    def thumbnail(self, long_side: int) -> NDArray[np.uint8]:
        """The picture as a person sees it, uint8 (height, width, 3), long side at most `long_side`."""
        if long_side not in self._thumbnails:
            self._thumbnails[long_side] = self.image.thumbnail(long_side)
        return self._thumbnails[long_side]


def load_image(
    source: str | os.PathLike[str] | bytes,
    max_pixels: int = DEFAULT_MAX_IMAGE_PIXELS,
    declared: Callable[[int], None] = lambda pixels: None,
    damaged: bool = False,
) -> LoadedImage:
    """Open, check and decode one image.

    Args:
        source: a path, or the bytes of a file.
        max_pixels: images with more pixels are skipped before they are decoded.
        declared: called with the header's number of pixels, once they are within the limits and before they are decoded.
        damaged: decode damaged data too as far as they go; `notes` say so.

    Raises:
        ImageSkipped: more than `max_pixels`, or a side under 32 pixels.
        ImageError: missing, not a regular file, unreadable, damaged or no image.
    """
    with opened(source, max_pixels) as file:
        return LoadedImage(*decode(file, max_pixels, declared, damaged))


def read_header(source: str | os.PathLike[str] | bytes) -> Header:
    """The header alone, without decoding pixels. Raises ImageError, or ImageSkipped for a size that no limit would let in."""
    with opened(source, DEFAULT_MAX_IMAGE_PIXELS) as file:
        return header_of(file.image, file.stream)


def load_thumbnail(source: str | os.PathLike[str] | bytes, long_side: int, framed: bool = True) -> Image.Image:
    """A small upright picture to look at, not to score: damage is shown, bars and frames are where `framed`; a JPEG is decoded at a
    fraction of its size.

    Returns:
        PIL image, mode RGB, aspect ratio kept, sides at most `long_side`.

    Raises: as `load_image`.
    """
    most = DEFAULT_MAX_IMAGE_PIXELS
    with opened(source, most) as file:
        if file.image.format in ("JPEG", "MPO") and file.image.width * file.image.height <= most:
            file.image.draft(None, (2 * long_side, 2 * long_side))
        return LoadedImage(*decode(file, most, damaged=True)).as_seen(long_side, framed)
