"""The compiled routines, where they are: the few loops over all pixels that NumPy can do only in many passes.

They are an addition, never a need: every caller has the same in NumPy, gives the same numbers without them, and is tested both ways.
`CLIQA_COMPILED=0` leaves them out.
"""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cliqa.compiled.build import LIBRARY, sources


@cache
def compiled() -> ctypes.CDLL | None:
    """The library; None where it was not compiled, was compiled of other sources, or is not wanted."""
    if os.environ.get("CLIQA_COMPILED") == "0" or not LIBRARY.is_file():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        library.compiled_of.restype = ctypes.c_int64
        return library if library.compiled_of() == sources() else None
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


def address(array: NDArray[np.generic]) -> ctypes.c_void_p:
    """Where the numbers of an array lie, whatever they are."""
    found = ctypes.c_void_p.from_address(id(array) + _OFFSET).value if _OFFSET else array.ctypes.data
    return ctypes.c_void_p(found)  # a copy: the array's own would change with it


def pointer(array: NDArray[np.generic], dtype: type[np.generic]) -> ctypes.c_void_p:
    """Where the numbers of an array lie. Raises ValueError where it is not C-contiguous or of another type than the routine reads."""
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise ValueError(
            f"a routine reads a C-contiguous array of {np.dtype(dtype)}, not {array.dtype} {array.strides}"
        )
    return address(array)


def first_of_rows(array: NDArray[np.generic], dtype: type[np.generic]) -> tuple[ctypes.c_void_p, int]:
    """Where an array (rows, columns) lies, and by how many numbers its rows lie apart. Raises ValueError as `pointer` does."""
    apart, along = array.strides
    if array.dtype != dtype or along != array.itemsize or apart % array.itemsize or apart < 0:
        raise ValueError(f"a routine reads rows of {np.dtype(dtype)}, not {array.dtype} {array.strides}")
    return address(array), apart // array.itemsize


def size(number: int) -> ctypes.c_int64:
    """A whole number as routines take it."""
    return ctypes.c_int64(number)
