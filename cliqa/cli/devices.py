"""`--gpu` ids -> torch devices, without importing torch where no GPU can be there."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Sequence

from cliqa.errors import UsageError


def has_cuda_driver() -> bool:
    """Whether NVIDIA's driver library is there: a look that costs nothing beside importing torch."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def resolve(ids: Sequence[int] | None, uses_torch: bool, say: Callable[[str], None]) -> list[str]:
    """Devices for `--gpu` ids, such as ["cuda:0"] or ["cpu"].

    Args:
        ids: CUDA device ids, or [-1] for the CPU; None where none were asked for: the first, where there is one.
        uses_torch: whether any metric runs a torch network; the others run on the CPU, whatever is asked for.
        say: told where the devices are not what was asked for.

    Raises:
        UsageError: ids below -1, -1 among others, or more ids than there are devices.
    """
    if ids is None:
        return resolve([0], uses_torch, lambda _: None)
    if any(number < -1 for number in ids) or (-1 in ids and len(ids) > 1):
        raise UsageError("--gpu takes ids from 0, or -1 alone for the CPU")
    if list(ids) == [-1]:
        return ["cpu"]
    if has_cuda_driver():
        if not uses_torch:
            return ["cpu"]
        import torch

        if torch.cuda.is_available():
            count = torch.cuda.device_count()
            missing = [number for number in ids if number >= count]
            if missing:
                raise UsageError(f"there is no GPU {missing[0]}; this machine has {count}")
            return [f"cuda:{number}" for number in dict.fromkeys(ids)]
    say("no CUDA device is present; running on the CPU")
    return ["cpu"]
