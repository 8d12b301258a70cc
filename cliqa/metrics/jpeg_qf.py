"""The metric `jpeg_qf`: the IJG quality factor of the last JPEG save, to the digit, from pixels alone.

All of it is closed form: the lattice of the coefficients (`cliqa.signal.jpeg.lattice`) proposes, quantizing and decoding again proves
(`cliqa.signal.jpeg.redecoding`). The weights file holds what was fitted: the threshold above which an earlier save is reported,
the logistic curve of the confidence, and the knots of the piecewise-linear calibrator.

A JPEG file's own tables decide where the pixels agree with them, as they do in nearly every file; where they don't, the pixels
do, and the confidence falls.

Of two parts of the regression networks that this replaces one is left:

* **Flips** are none: a mirrored block has the same DCT coefficients up to their signs, and the evidence reads absolute values, so the
  average over the four flips would be the estimate itself.
* **Calibrator.** The estimate of an IJG table is exact, so the fitted curve is the identity at whole numbers. `no_calibrator` skips it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cliqa.compiled.library import compiled
from cliqa.compiled.raster import planes, reader
from cliqa.errors import ImageSkipped
from cliqa.images.patches import pad_to_patch
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.colour import LUMA32
from cliqa.signal.densities import logistic
from cliqa.signal.jpeg.last_save import read_quality, read_stated
from cliqa.signal.jpeg.other_tables import EXPLAINS, stated_share
from cliqa.signal.jpeg.quantization import LUMA_TABLES, first_table, header_quality
from cliqa.signal.jpeg.windows import luma_of

# The documented rule of `predict_jpeg_qf`, kept as users know it: nothing here was chosen by a measurement.
PATCH = 128  # pixels
MAX_PATCHES = 24
VARIANCE = 15.0  # of a patch's luma
RELAXED = VARIANCE / 1.5
FEW = 5
_LONGEST = 1024  # pixels of a row that the routine has room for
LOWEST = 10
"""Qualities up to this one can leave nothing but blocks of one colour."""
STATED_PATCHES = 4
"""Patches that are asked whether they agree with the file's tables."""
STATED = 0.99
"""Confidence where the file's tables and its pixels agree."""
DOUBTFUL = 0.4
"""What is left of the confidence where nothing explains the grid: another codec's transform has one too."""
DISAGREES = 0.5
"""What is left of the confidence where they don't: one of the two is wrong."""


def choose_patches(variances: Sequence[float]) -> list[int]:
    """The documented rule: which patches (by index, in scanning order) are used.

    24 or more above the threshold: the first 24. 5 or more: all of them. Else the first 5 above the relaxed threshold,
    or all above it if they are fewer; none means too little information.
    """
    high = [index for index, variance in enumerate(variances) if variance >= VARIANCE]
    if len(high) >= FEW:
        return high[:MAX_PATCHES]
    relaxed = [index for index, variance in enumerate(variances) if variance >= RELAXED]
    return relaxed[:FEW]


def select_patches(picture: Image.Image | NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Patches by the documented rule, uint8 (n, 3, 128, 128), the most varied first.

    Args:
        picture: a PIL image, mode RGB, of which only the tiles that are looked at are read; or an array (height, width, 3).

    Raises:
        ImageSkipped: smaller than a patch, or too little information.
    """
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    width, height = image.size
    if height < PATCH or width < PATCH:
        raise ImageSkipped(f"{width}x{height} is smaller than a patch of {PATCH}x{PATCH} pixels")
    if max(height, width) < 2 * PATCH:  # one tile would leave most of a small picture unread: all of it is the patch
        pixels = np.asarray(image)
        if not choose_patches([_variance(pixels)]):
            raise ImageSkipped("too little information: the picture varies too little")
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])
    read = reader(image)
    boxes: list[tuple[int, int, int, int]] = []
    variances: list[float] = []
    for y, x in product(range(0, height - PATCH + 1, PATCH), range(0, width - PATCH + 1, PATCH)):
        box = (x, y, x + PATCH, y + PATCH)
        variance = _variance(read(box))
        if variance >= RELAXED:  # no rule takes a flatter one
            variances.append(variance)
            boxes.append(box)
        if sum(each >= VARIANCE for each in variances) == MAX_PATCHES:
            break  # the rule takes the first ones: the rest need not be looked at
    chosen = choose_patches(variances)
    if not chosen:
        raise ImageSkipped("too little information: no patch varies enough")
    chosen.sort(key=lambda index: -variances[index])
    return planes([read(boxes[index]) for index in chosen])


def _at_least_a_patch(view: View) -> Image.Image:
    """The picture before a replication, mirrored out to a patch where only that made it smaller than one."""
    picture, repeated = view.unreplicated
    return picture if repeated == (1, 1) else pad_to_patch(picture, PATCH)


def _read(view: View, patches: NDArray[np.uint8]) -> NDArray[np.float32]:
    """See `last_save.read_quality`.

    Pixels that are repeated eightfold may be the blocks of one colour that the lowest qualities leave; their steps are so coarse
    that no other picture has them.
    """
    if view.unreplicated[1] == (8, 8):
        answer = read_quality(select_patches(view.image.coded))
        if answer[0] <= LOWEST:
            return answer
    return read_quality(patches)


def _variance(pixels: NDArray[np.uint8]) -> float:
    """Variance of the luma of uint8 (height, width, 3)."""
    library, (height, width, _), (apart, step, channel) = compiled(), pixels.shape, pixels.strides
    if library is None or width > _LONGEST or step not in (3, 4) or channel != 1:
        return float(luma_of(pixels).var())
    sums = np.empty(2)
    library.luma_sums(pixels, height, width, apart, step, LUMA32, sums)
    mean, square = (sums / (height * width)).tolist()
    return float(square - mean * mean)


class JpegQf(Metric):
    """Quality factor of the last save, its grid, and the quality of an earlier save where one shows."""

    name: ClassVar[str] = "jpeg_qf"
    architecture: ClassVar[str] = "dct-lattice"
    version: ClassVar[int] = 3
    reads_grid: ClassVar[bool] = True
    in_worker = True
    summary: ClassVar[str] = "JPEG quality factor of the last save, to the digit, from pixels"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("qf", "quality factor of the last save", 1, 100, "IJG quality", "higher"),
        Field("qf_final", "the quality factor, rounded", 1, 100, "IJG quality", "higher", "int"),
        Field("confidence", "probability that the rounded quality factor is exact", 0, 1, "", "higher"),
        Field("grid_x", "column of the first 8x8 block", 0, 7, "pixels", "", "int"),
        Field("grid_y", "row of the first 8x8 block", 0, 7, "pixels", "", "int"),
        Field("previous_qf", "quality factor of an earlier save on the same grid", 1, 100, "IJG quality", "", "int", True),
        Field("qf_header", "nearest IJG quality of the file's own tables", 1, 100, "IJG quality", "higher", "int", True),
    )  # fmt: skip

    def __init__(
        self,
        tensors: Mapping[str, NDArray[Any]],
        metadata: Mapping[str, str],
        device: str = "cpu",
        *,
        no_calibrator: bool = False,
    ) -> None:
        super().__init__(tensors, metadata, device)
        self.no_calibrator = no_calibrator
        self.knots = tensors["calibrator.x"].astype(np.float64), tensors["calibrator.y"].astype(np.float64)
        self.previous_gain = float(np.ravel(tensors["previous.gain"])[0])
        self.confidence = tensors["confidence"].astype(np.float64)

    @classmethod
    def observe(cls, view: View) -> Observation:
        """`answer`: see `last_save.read_quality`; the header's quality, 0 where there is none; `agreement` of the pixels with it, 0-1.

        Raises:
            ImageSkipped: smaller than a patch, or too little information.
        """
        patches = select_patches(_at_least_a_patch(view))
        header = np.array(header_quality(view.header.quantization) or 0, np.int32)
        table = first_table(view.header.quantization) or ()
        agreement, in_luma = stated_share(patches[:STATED_PATCHES], table) if header else (0.0, False)
        known = in_luma and agreement >= EXPLAINS and view.unreplicated[1] == (1, 1)
        if known and np.array_equal(table, LUMA_TABLES[int(header) - 1]):
            answer = read_stated(patches, int(header))
        else:
            answer = _read(view, patches)
        return {"answer": answer, "header": header, "agreement": np.array(agreement, np.float32)}

    def score(self, observation: Observation) -> dict[str, Value]:
        """What the evidence says, calibrated."""
        answer = observation["answer"].astype(np.float64)
        qf, grid, previous, gain = float(answer[0]), int(answer[1]), int(answer[2]), float(answer[3])
        if not self.no_calibrator:
            qf = float(np.interp(qf, *self.knots))
        inputs = np.concatenate([answer[4:-1], [1.0]])
        confidence = logistic(float(inputs @ self.confidence))
        if answer[-1]:
            confidence *= DOUBTFUL
        header, agreement = int(observation["header"]), float(observation["agreement"])
        if header and agreement >= EXPLAINS:
            qf, confidence = float(header), max(confidence, STATED)
        elif header:
            confidence *= DISAGREES
        return {
            "qf": min(max(qf, 1.0), 100.0),
            "qf_final": min(max(round(qf), 1), 100),
            "confidence": confidence,
            "grid_x": grid % 8,
            "grid_y": grid // 8,
            "previous_qf": previous if gain > self.previous_gain else None,
            "qf_header": header or None,
        }
