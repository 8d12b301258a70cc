"""The model card of `compression`. What the recipe doesn't measure is text here: bring it up to date with the weights."""

from __future__ import annotations

from cliqa.training.jpeg.quality_card import as_markdown

CARD = """# compression

What lossy codecs took from a picture, on the scale of SSIMULACRA 2, and which codec it was; from pixels, and from the file's header.
Trust it for photographs of one save, cropped or not, as they are or as a PNG, and to tell what was never compressed.
Less so: after a resize, two saves of different codecs, drawings and screens once compressed, JPEG 2000, video frames.
Not a judgement of the picture: noise, blur and enlargement that happened before the first save count as the picture.
Licence: MIT. Data: the project's photographs with free licences; no rated images.

**Predicts** `fidelity`, SSIMULACRA 2 (0-100) between the picture as it is and its twin without the lossy saves; `codec` and `p_lossy`. What the file's header
says (`file_codec`, `file_quality`, `file_lossless`) is parsed, not predicted.

**Architecture** `compression-dense`, version 1: the mean of {networks} dense networks ({inputs}-256-128-9, ReLU) on evidence of 8 tiles of 128x128; for lossy files
that of {networks} others, which also read 47 numbers of the file's header and correct the mean fidelity of its codec and quality. {parameters:,} parameters, half precision.

**Data**: {examples:,} pictures made from the `train` photographs and drawings of `photos/` (licences one by one in its manifest) and synthetic screens; three rows each:
as it is, cropped by up to 63 pixels, with its file's header. Histories: never saved (plain, resized, sharpened, toned, blurred, noisy, enlarged), one save, two
saves by any two codecs, a save and a resize by up to a third, a save and an edit, these perhaps saved again. Encoders: JPEG by libjpeg-turbo (Pillow, OpenCV),
jpegli, an own codec with trellis and other chroma; WebP by libwebp, all methods, sharp YUV, and VP8 frames; AVIF by aom, speeds 4-10, 8 and 10 bits, 4:2:0 to
4:4:4, full and limited range; HEIC by x265, five presets, four tunings; JPEG 2000 by OpenJPEG; JPEG XL by libjxl, efforts 3-7; H.264, MPEG-4 and MPEG-2 frames.
The target is `cliqa/training/compression/fidelity.py`, which agrees with the package `ssimulacra2` to a tenth.

**Made by** `python -m cliqa.training.train compression --data photos/ --examples {examples} --seed {seed}` (about 0.15 processor seconds a picture).

## Results

{tested}

Validation pictures of the generator, from photographs and drawings that training never saw (harder than the conditions above: drawings, synthetic screens, noise
and blur, every encoder):

{table}

## Known failures

- After a resize the grids and lattices are gone: the error doubles, and one in ten such pictures counts as never saved. The codec is then often named wrong.
- Two saves: the estimate follows the stronger one; where they took about as much from the picture, either may be named.
- JPEG 2000 and JPEG XL of high quality leave little, and pass for lossless most often of all codecs. Video frames are named "other" in about half of the cases.
- AVIF and HEIC are taken for each other where the file is gone. Full and limited range, 4:4:4 and 4:2:0 are read, but not told apart in the answer.
- Synthetic screens and drawings once compressed: SSIMULACRA 2 falls fast on flat colour and thin lines, and the error is half as large again.
- Pictures of one or two tiles (under 256 pixels) have little evidence. Strong noise reduction or a palette after a save hides it.
- SSIMULACRA 2 below 0 counts as 0. It is itself an estimate of what people see.
"""  # noqa: E501

TESTED = """TESTED"""


def model_card(examples: int, seed: int, networks: int, inputs: int, parameters: int, table: str) -> str:
    """The card's Markdown; `table` is that of the validation pictures, lines of cells between bars."""
    return CARD.format(
        examples=examples, seed=seed, networks=networks, inputs=inputs, parameters=parameters, tested=TESTED,
        table=as_markdown(table),
    )  # fmt: skip
