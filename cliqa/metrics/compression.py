"""What lossy codecs took from a picture: the SSIMULACRA 2 that is left of it, estimated without the original, and which codec it was.

`observe` reduces tiles from the most detailed to the flattest to evidence (blocks, lost bands, flatness, spectra, JPEG's lattice) and
takes what a lossy file's own header says. Small networks read the evidence; others, for lossy files, read both, and correct what files
of that codec and quality have as a rule. A header tells of the last save alone, so a third of the answer is that of pixels without it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.errors import CheckpointError
from cliqa.images.codec_headers import CodecHeader
from cliqa.images.header import Header
from cliqa.metrics.base import Field, Metric, Observation, Value, View
from cliqa.signal.compression.codecs import CODECS
from cliqa.signal.compression.evidence import CURVE, evidence, file_inputs
from cliqa.signal.densities import logistic, softmax
from cliqa.signal.jpeg.quantization import header_quality
from cliqa.signal.networks.dense import Dense

OUTPUTS = 1 + len(CODECS)  # fidelity (a logit), a logit for each codec
DOUBT = 0.12  # chance of no loss from which that is the answer: 99 % of lossless validation pictures and screens pass, at 0.2 of error
PIXELS = (
    1 / 3
)  # of what pixels alone say of a lossy file: on validation a tenth off for two saves, 0.1 point more for one
LOSSLESS = 95.0  # fidelity that such a picture has at least
LOSSLESS_FORMATS = ("PNG", "BMP", "PPM", "GIF")
FILE_CODECS = ("none", *CODECS[1:])


def coding_of(header: Header) -> CodecHeader | None:
    """What the file says of its codec; None where there is no file, or one (TIFF) that may hold any codec."""
    if header.format == "JPEG":
        quality = header_quality(header.quantization)
        return CodecHeader("jpeg", None if quality is None else float(quality), False)
    if header.format in LOSSLESS_FORMATS:
        return CodecHeader("none", None, True)
    return header.coding


class Compression(Metric):
    """Evidence of the tiles, and the header of a lossy file, read by the mean of small networks."""

    name = "compression"
    architecture = "compression-dense"
    version = 2
    in_worker = True
    summary = "what lossy codecs took: estimated SSIMULACRA 2 against the picture before all its lossy saves"
    fields = (
        Field(
            "fidelity", "100 nothing lost, 90 visually lossless, 70 high, 50 medium, 30 low", 0, 100, "SSIMULACRA 2", "higher"
        ),
        Field("codec", f"the codec that left the strongest traces: {', '.join(CODECS)}", kind="str"),
        Field("p_lossy", "probability that the picture was ever saved with loss; 1 for a lossy file", 0, 1, "", "lower"),
        Field("file_codec", "codec of the file itself; none for PNG, BMP, PNM and GIF", kind="str", optional=True),
        Field(
            "file_quality", "the file's own: IJG or WebP's quality 0-100, AV1 base_q_idx 0-255, HEVC QP 0-51, JPEG XL's distance",
            0, 255, "codec's own", optional=True,
        ),
        Field("file_lossless", "1 where the file itself lost nothing, 0 where it did", 0, 1, "", "higher", "int", True),
    )  # fmt: skip

    def __init__(self, tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str], device: str = "cpu") -> None:
        super().__init__(tensors, metadata, device)
        kinds = {name.split(".")[0] for name in tensors}
        try:
            self.curve = tensors["curve"].astype(np.float32)
            self.pixel_networks, self.file_networks = (
                [Dense(tensors, f"{kind}.") for kind in sorted(kinds) if kind.startswith(first)]
                for first in ("pixels", "file")
            )
        except KeyError as error:
            raise CheckpointError(f"the compression weights are incomplete: {error}") from error
        networks = [*self.pixel_networks, *self.file_networks]
        if (
            not (self.pixel_networks and self.file_networks)
            or self.curve.shape != (CURVE,)
            or any(network.layers[-1][1].shape != (OUTPUTS,) for network in networks)
        ):
            raise CheckpointError("the compression weights are incomplete: too few networks, or of other shapes")

    @classmethod
    def observe(cls, view: View) -> Observation:
        """`evidence` and `file` (see `file_inputs`), and `coding`: place in FILE_CODECS, quality, lossless, each -1 where unknown."""
        found = coding_of(view.header)
        facts = [-1.0, -1.0, -1.0]
        if found is not None:
            quality = -1.0 if found.quality is None else found.quality
            facts = [FILE_CODECS.index(found.codec), quality, -1.0 if found.lossless is None else float(found.lossless)]
        lossy = found is not None and found.lossless is False
        inputs = file_inputs(found.codec, found.quality, view.header.sampling) if found and lossy else file_inputs()
        return {
            "evidence": evidence(view.tiles.spread(view.num_patches)),
            "file": inputs,
            "coding": np.array(facts, np.float32),
        }

    def score(self, observation: Observation) -> dict[str, Value]:
        """What the networks say of the evidence, and what the file says of itself."""
        file_codec, quality, lossless = (float(value) for value in observation["coding"])
        fidelity, codec, p_lossy = self.answer(observation["evidence"], observation["file"], lossless == 0)
        return {
            "fidelity": fidelity,
            "codec": CODECS[codec],
            "p_lossy": p_lossy,
            "file_codec": FILE_CODECS[int(file_codec)] if file_codec >= 0 else None,
            "file_quality": quality if quality >= 0 else None,
            "file_lossless": int(lossless) if lossless >= 0 else None,
        }

    def answer(
        self, evidence: NDArray[np.float32], file: NDArray[np.float32], lossy_file: bool = False
    ) -> tuple[float, int, float]:
        """Fidelity 0-100, place of the codec in CODECS and probability of a loss, from `evidence` and `file_inputs`.

        The means of what the networks say; of a lossy file also without its header, which tells of the last save alone. Such a file
        has lost something; other pixels that may have lost nothing count as such.
        """
        if file.any():
            start = float(file[:CURVE] @ self.curve)  # what files of this codec and quality have as a rule
            fidelity, chances = _mean_answer(self.file_networks, np.concatenate([evidence, file]), start)
            fidelity += PIXELS * (_mean_answer(self.pixel_networks, evidence, 0.0)[0] - fidelity)
        else:
            fidelity, chances = _mean_answer(self.pixel_networks, evidence, 0.0)
        if file.any() or lossy_file:
            return fidelity, int(chances[1:].argmax()) + 1, 1.0
        if chances[0] > DOUBT:
            fidelity = max(fidelity, LOSSLESS + (100.0 - LOSSLESS) * float(chances[0] - DOUBT) / (1.0 - DOUBT))
        return fidelity, int(chances.argmax()), float(np.clip(1.0 - chances[0], 0.0, 1.0))


def _mean_answer(
    networks: Sequence[Dense], inputs: NDArray[np.float32], start: float
) -> tuple[float, NDArray[np.float64]]:
    """Fidelity 0-100 and the chances of CODECS; the networks' first output is a logit that is added to `start`."""
    outputs = [network(inputs[None])[0].astype(np.float64) for network in networks]
    fidelity = float(np.mean([logistic(start + float(each[0]), top=100.0) for each in outputs]))
    return fidelity, np.mean([softmax(each[1:]) for each in outputs], axis=0, dtype=np.float64)
