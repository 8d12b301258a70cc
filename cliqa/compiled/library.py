"""The compiled routines, where they are: the few loops over all pixels that NumPy can do only in many passes.

They are an addition, never a need: every caller has the same in NumPy, gives the same numbers without them, and is tested both ways.
`CLIQA_COMPILED=0` leaves them out.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.build import FOLDER, LIBRARY, sources

_PROTOTYPE = re.compile(r"^ROUTINE (\w+) (\w+)\(([^)]*)\)", re.MULTILINE)


@cache
def compiled() -> ctypes.CDLL | None:
    """The library, whose routines take arrays and numbers; None where it was not compiled, is of other sources, or is not wanted."""
    if os.environ.get("CLIQA_COMPILED") == "0" or not LIBRARY.is_file():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.compiled_of.restype = ctypes.c_int64
        if library.compiled_of() != sources():
            return None
        declare(library, FOLDER.glob("*.c"))
        return library
    except (OSError, AttributeError):  # of another machine
        return None


def _offset_of_data() -> int:
    """How far into an array's object the address of its numbers lies: behind the head, as in NumPy's C interface; 0 where not.

    `array.ctypes.data` is ten times as slow, and some metrics call a hundred routines a picture.
    """
    offset, arrays = object.__basicsize__, (np.zeros(3), np.zeros((4, 5), np.uint8)[1:, 2:])
    if sys.implementation.name != "cpython":
        return 0
    found = [ctypes.c_void_p.from_address(id(array) + offset).value == array.ctypes.data for array in arrays]
    return offset if all(found) else 0


_OFFSET = _offset_of_data()


_pointer_at = ctypes.c_void_p.from_address


class _Array:
    """How an array is handed to a routine: where its numbers lie."""

    def __init__(self, number: type, strided: bool) -> None:
        self.dtype, self.strided = np.dtype(number), strided

    def from_param(self, array: NDArray[np.generic] | None) -> ctypes.c_void_p | None:
        """None for none. Raises ValueError, which ctypes makes an ArgumentError, where the routine would misread it."""
        if array is None:
            return None
        known = array.dtype is self.dtype or array.dtype == self.dtype
        if not known or not (self.strided or array.flags.c_contiguous):
            raise ValueError(f"a routine reads a C-contiguous array of {self.dtype}, not {array.dtype} {array.strides}")
        # the array's own pointer, of which a call reads the value and keeps nothing
        return _pointer_at(id(array) + _OFFSET) if _OFFSET else ctypes.c_void_p(array.ctypes.data)


def declare(library: ctypes.CDLL, paths: Iterable[Path]) -> None:
    """Tell each routine what it takes and gives, as its prototype in the sources says."""
    for path in paths:
        for given, name, parameters in _PROTOTYPE.findall(path.read_text()):
            routine = getattr(library, name)
            routine.restype = None if given == "void" else _number(given)
            routine.argtypes = [_taken(parameter) for parameter in parameters.split(",")]


def _taken(parameter: str) -> Any:
    """What a parameter, such as `const float *restrict values` or `int64_t rows`, is given by."""
    number = _number(parameter.replace("const ", "").split()[0])
    return _Array(number, "STRIDED" in parameter) if "*" in parameter else number


def _number(name: str) -> Any:
    return getattr(ctypes, f"c_{name.removesuffix('_t')}")
