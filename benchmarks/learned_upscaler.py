"""What `scale_factor` makes of learned upscalers: train a small sub-pixel network for x2, enlarge photographs with it, score.

    python benchmarks/learned_upscaler.py --data photos/ --steps 1500

The network is that of Shi et al. (2016), 5-3-3 convolutions and a pixel shuffle, on luma, the colour enlarged bicubically;
trained on photographs reduced by 2 with an antialiasing bicubic kernel. Prints the scores of the reduced photograph, of its
x2 by the network and by bicubic, and of the network's result reduced to 1.5; a row each for PNG and JPEG 90.
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from cliqa.images.loading import LoadedImage
from cliqa.metrics import View, load_metric
from cliqa.training.photos import read_photos

BATCH, SIDE = 16, 32  # of low resolution


class SubPixelNetwork(nn.Module):
    """Luma (n, 1, h, w) in 0-1 -> (n, 1, 2 h, 2 w)."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.Conv2d(32, 16, 3, padding=1), nn.ReLU(),
            nn.Conv2d(16, 4, 3, padding=1), nn.PixelShuffle(2),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        """The nearest neighbours plus what the layers add."""
        result: Tensor = self.layers(x) + x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return result


def halved(image: Image.Image) -> Image.Image:
    return image.resize((image.width // 2, image.height // 2), Image.Resampling.BICUBIC)


def tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)[None, None]


def trained(photos: list[Image.Image], steps: int) -> SubPixelNetwork:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    net = SubPixelNetwork()
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    pairs = [(tensor(halved(luma)), tensor(luma)) for luma in photos]
    for step in range(steps):
        low, high = [], []
        for _ in range(BATCH):
            small, large = pairs[rng.integers(len(pairs))]
            y, x = (int(rng.integers(0, small.shape[axis] - SIDE)) for axis in (2, 3))
            low.append(small[..., y : y + SIDE, x : x + SIDE])
            high.append(large[..., 2 * y : 2 * (y + SIDE), 2 * x : 2 * (x + SIDE)])
        loss = l1_loss(net(torch.cat(low)), torch.cat(high))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 200 == 0:
            print(f"step {step}: L1 {loss.item() * 255:.2f}", file=sys.stderr)
    return net.eval()


def doubled(net: SubPixelNetwork, image: Image.Image) -> Image.Image:
    y, cb, cr = image.convert("YCbCr").split()
    with torch.no_grad():
        values = net(tensor(y))[0, 0].numpy()
    luma = Image.fromarray(np.clip(np.rint(values * 255), 0, 255).astype(np.uint8))
    chroma = [plane.resize(luma.size, Image.Resampling.BICUBIC) for plane in (cb, cr)]
    return Image.merge("YCbCr", (luma, *chroma)).convert("RGB")


def saved(image: Image.Image) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=90)
    return Image.open(stream).convert("RGB")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=1500)
    given = parser.parse_args()
    torch.set_num_threads(1)
    photos = read_photos(given.data, "train", ("lossless",))
    net = trained([Image.fromarray(p.pixels()).convert("L").crop((0, 0, 512, 512)) for p in photos[::2]], given.steps)
    metric = load_metric("scale_factor")
    scores: dict[str, list[float]] = {}
    gains = []
    for photo in read_photos(given.data, "test", ("lossless",)):
        original = Image.fromarray(photo.pixels())
        original = original.crop((0, 0, original.width // 2 * 2, original.height // 2 * 2))
        small = halved(original)
        learned, plain = doubled(net, small), small.resize(original.size, Image.Resampling.BICUBIC)
        gains.append(psnr(learned, original) - psnr(plain, original))
        three_quarters = (original.width * 3 // 4, original.height * 3 // 4)
        made = {"reduced by 2": small, "network x2": learned, "bicubic x2": plain,
                "network x2, then to 1.5": learned.resize(three_quarters, Image.Resampling.BICUBIC)}  # fmt: skip
        for name, image in made.items():
            for encoding, final in (("PNG", image), ("JPEG 90", saved(image))):
                view = View(LoadedImage.from_pil(final))
                scores.setdefault(f"{name}, {encoding}", []).append(float(metric.score_view(view)["scale"] or 0))
    print(f"network over bicubic: {np.mean(gains):+.2f} dB\n")
    print("| made by | median scale | 10 % | 90 % | rejected at 95 |\n|---|---|---|---|---|")
    for name, values in scores.items():
        low, middle, high = np.percentile(values, (10, 50, 90))
        print(f"| {name} | {middle:.3f} | {low:.3f} | {high:.3f} | {np.mean(np.array(values) > 1.05):.0%} |")
    return 0


def psnr(a: Image.Image, b: Image.Image) -> float:
    x, y = (np.asarray(image.convert("L"), dtype=np.float64) for image in (a, b))
    error: NDArray[np.float64] = np.square(x - y)[8:-8, 8:-8]
    return float(10 * np.log10(255**2 / error.mean()))


if __name__ == "__main__":
    sys.exit(main())
