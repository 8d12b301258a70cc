"""What the file's own quantization tables say, beside what JPEG metrics read from pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cliqa.metrics.base import Field, View
from cliqa.signal.jpeg.quantization import header_quality

QF_HEADER = Field(
    "qf_header", "nearest IJG quality of the file's own tables", 1, 100, "IJG quality", "higher", "int", True
)


def observed_header(view: View) -> NDArray[np.int32]:
    """The quality nearest to the tables, 1-100; 0 where the file has no JPEG tables or they are no tables of 64 steps."""
    quality = header_quality(view.header.quantization)
    return np.array(quality or 0, np.int32)
