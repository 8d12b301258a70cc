"""Train on the good pictures of a folder: a `torch.utils.data` data set that leaves out what cliqa finds faults in.

python examples/with_torch.py photos
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset
from torchvision.io import ImageReadMode, decode_image
from torchvision.transforms.v2.functional import center_crop

import cliqa


def sound(row: dict[str, Any]) -> bool:
    """Never saved as a JPEG below 90, without visible noise, not enlarged: the filters' own thresholds."""
    return row["jpeg_quality.quality"] >= 90 and row["grain_noise.psnr"] >= 40 and row["scale_factor.scale"] <= 1.05


class GoodPhotographs(Dataset[torch.Tensor]):
    """Crops of the photographs of a folder that pass, uint8 (3, side, side). Scored once, when it is made."""

    def __init__(self, folder: str, keep: Callable[[dict[str, Any]], bool] = sound, side: int = 256) -> None:
        metrics = ["jpeg_quality", "grain_noise", "scale_factor"]
        self.scores = cliqa.score_folder(folder, metrics, workers=os.cpu_count() or 1)
        self.paths = self.scores.where(keep)
        self.side = side

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return center_crop(decode_image(self.paths[index], ImageReadMode.RGB), [self.side, self.side])


if __name__ == "__main__":
    photographs = GoodPhotographs(sys.argv[1])
    print(f"{photographs.scores!r}: {len(photographs)} are good enough to train on")
    for batch in DataLoader(photographs, batch_size=4):
        print(tuple(batch.shape), batch.dtype)
