"""Other tools on the same pictures in the same run: blur, exposure, noise, JPEG quality, duplicates; with --speed, images a second.

    python benchmarks/peers.py --data photos/            # what each finds
    python benchmarks/peers.py --data photos/ --speed    # how quick each is, on 1080p JPEG files

Tools are used as their packages are, with their own thresholds: cleanvision, scikit-image's `estimate_sigma`, imagehash, pdqhash,
ImageMagick's `identify`; one that is not installed is left out of the tables. Pictures are made of test photographs.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from copies import FOUND
from peers_copies import Groups, found_copies, near, our_groups

import cliqa
from cliqa.training.ordinal_scores import auc
from cliqa.training.photos import Photo, read_photos

Scores = Mapping[str, float]
PDQ_NEAR = 31  # bits of 256 that PDQ's authors recommend
PHASH_NEAR = 8  # bits of 64 that are mostly used
ALL = "all metrics"


def has(name: str) -> bool:
    """Whether a package, or a program, is here."""
    return importlib.util.find_spec(name) is not None or shutil.which(name) is not None


def ours(folder: Path, *metrics: str) -> dict[str, dict[str, Any]]:
    """This project's scores by name of file."""
    return {Path(row["path"]).name: row for row in cliqa.score_folder(folder, list(metrics))}


def cleanvision_of(folder: Path, issues: Mapping[str, Any]) -> Any:
    """An `Imagelab` that has looked for these issues."""
    from cleanvision import Imagelab

    with contextlib.redirect_stdout(sys.stderr):  # it prints what it does
        lab = Imagelab(data_path=str(folder))
        lab.find_issues(dict(issues), n_jobs=1, verbose=False)
    return lab


def cleanvision_scores(folder: Path, issue: str) -> tuple[dict[str, float], set[str]]:
    """One minus cleanvision's score of an issue by name, and the names that it flags."""
    frame = cleanvision_of(folder, {issue: {}}).issues
    names = [Path(path).name for path in frame.index]
    flagged = {name for name, is_one in zip(names, frame[f"is_{issue}_issue"], strict=True) if is_one}
    return dict(zip(names, (1 - frame[f"{issue}_score"]).tolist(), strict=True)), flagged


def line(tool: str, scores: Scores, flagged: set[str], bad: Callable[[str], bool]) -> str:
    """A row: the AUC, and what the tool's own threshold flags of bad and of good pictures."""
    faulty, sound = [name for name in scores if bad(name)], [name for name in scores if not bad(name)]
    found = auc([scores[name] for name in faulty], [scores[name] for name in sound])
    shares = [100 * len(flagged & set(names)) / len(names) for names in (faulty, sound)]
    return f"| {tool} | {found:.3f} | {shares[0]:.0f} % | {shares[1]:.0f} % |"


def blur(photos: Sequence[Photo], folder: Path) -> list[str]:
    """Photographs, and the same blurred by a Gaussian of 1.5 to 4 pixels."""
    for number, photo in enumerate(photos):
        image = Image.fromarray(photo.pixels())
        image.save(folder / f"{number:03d}-sharp.png")
        image.filter(ImageFilter.GaussianBlur(1.5 + 2.5 * number / len(photos))).save(
            folder / f"{number:03d}-blurred.png"
        )
    found = ours(folder, "sharpness")
    told = {name: row["sharpness.blur"] for name, row in found.items()}
    flagged = {
        name for name, row in found.items() if row["sharpness.blur"] > 2.0 and row["sharpness.confidence"] >= 0.5
    }
    rows = [line("cliqa `filter_blurry_photo`", told, flagged, _is("blurred"))]
    if has("cleanvision"):
        rows.append(line("cleanvision `blurry`", *cleanvision_scores(folder, "blurry"), _is("blurred")))
    return table("Blur: photographs against the same blurred by 1.5-4 pixels", rows)


def exposure(photos: Sequence[Photo], folder: Path) -> list[str]:
    """Photographs, and the same three stops too dark."""
    for number, photo in enumerate(photos):
        pixels = photo.pixels()
        Image.fromarray(pixels).save(folder / f"{number:03d}-well.png")
        linear = (pixels / 255.0) ** 2.2 / 8
        Image.fromarray((255 * linear ** (1 / 2.2)).astype(np.uint8)).save(folder / f"{number:03d}-dark.png")
    found = ours(folder, "exposure")
    told = {name: sum(row[f"exposure.too_dark_p{level}"] for level in (2, 3, 4)) for name, row in found.items()}
    flagged = {name for name, row in found.items() if row["exposure.too_dark_level"] >= 3}
    rows = [line("cliqa `filter_bad_exposure`", told, flagged, _is("dark"))]
    if has("cleanvision"):
        rows.append(line("cleanvision `dark`", *cleanvision_scores(folder, "dark"), _is("dark")))
    return table("Exposure: photographs against the same three stops darker", rows)


def noise(photos: Sequence[Photo], folder: Path) -> list[str]:
    """Clean photographs, and the same with noise of 3 to 15 levels."""
    rng = np.random.default_rng(0)
    for number, photo in enumerate(photos):
        pixels = photo.pixels()
        sigma = 3 + 12 * number / len(photos)
        Image.fromarray(pixels).save(folder / f"{number:03d}-clean.png")
        noisy = np.clip(pixels + rng.normal(0, sigma, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{number:03d}-noisy.png")
    found = ours(folder, "grain_noise")
    told = {name: -row["grain_noise.psnr"] for name, row in found.items()}
    rows = [line("cliqa `filter_noisy_photo`", told, {name for name in told if told[name] > -40}, _is("noisy"))]
    if has("skimage"):
        sigmas = {path.name: sigma_of(path) for path in folder.iterdir()}
        flagged = {name for name, sigma in sigmas.items() if sigma > 255 / 10 ** (40 / 20)}  # 40 dB too
        rows.append(line("scikit-image `estimate_sigma`", sigmas, flagged, _is("noisy")))
    return table("Noise: clean photographs against the same with noise of 3-15 levels", rows)


def sigma_of(path: Path) -> float:
    """Scikit-image's estimate of the noise, in levels."""
    from skimage.restoration import estimate_sigma

    with Image.open(path) as image:
        estimate: Any = estimate_sigma
        return float(estimate(np.asarray(image.convert("RGB")), channel_axis=-1, average_sigmas=True))


def jpeg(photos: Sequence[Photo], folder: Path) -> list[str]:
    """JPEG files, the same saved again at 95, and as PNG: who still knows the quality of the first save."""
    rng = np.random.default_rng(1)
    truth: dict[str, int] = {}
    for number, photo in enumerate(photos):
        quality = int(rng.integers(30, 90))
        first = folder / f"{number:03d}-once.jpg"
        Image.fromarray(photo.pixels()).save(first, quality=quality)
        with Image.open(first) as image:
            image.save(folder / f"{number:03d}-again.jpg", quality=95)
            image.save(folder / f"{number:03d}-png.png")
        truth |= {f"{number:03d}-{kind}": quality for kind in ("once.jpg", "again.jpg", "png.png")}
    tools: dict[str, Scores] = {
        "cliqa `jpeg_quality`": {
            name: row["jpeg_quality.quality"] for name, row in ours(folder, "jpeg_quality").items()
        }
    }
    if has("identify"):
        tools["ImageMagick `identify %Q`"] = {
            name: float(
                subprocess.run(
                    ["identify", "-format", "%Q", folder / name], capture_output=True, check=True, text=True
                ).stdout
            )
            for name in truth
        }
    lines = [
        "**JPEG quality of the first save, within 3**",
        "",
        "| tool | JPEG | saved again at 95 | PNG of a JPEG |",
        "|---|---|---|---|",
    ]
    for tool, told in tools.items():
        right = [
            100 * np.mean([abs(told[name] - truth[name]) <= 3 for name in truth if kind in name])
            for kind in ("-once", "-again", "-png")
        ]
        lines.append(f"| {tool} | {right[0]:.0f} % | {right[1]:.0f} % | {right[2]:.0f} % |")
    return [*lines, ""]


def duplicates(photos: Sequence[Photo], folder: Path) -> list[str]:
    """Copies of photographs, in one folder: how many are found, and what else is called a copy."""
    for number, photo in enumerate(photos):
        image = Image.fromarray(photo.pixels())
        image.save(folder / f"{number:04d}-original.png")
        for place, copy in enumerate(FOUND.values()):
            copy(image, folder / f"{number:04d}-{place}", np.random.default_rng([number, place]))
    paths = sorted(folder.iterdir())
    tools: dict[str, Groups] = {"cliqa `duplicates`": our_groups(folder)}
    if has("cleanvision"):
        sets = cleanvision_of(folder, {"near_duplicates": {}, "exact_duplicates": {}}).info
        tools["cleanvision `near_duplicates`"] = [
            [Path(path).name for path in one]
            for kind in ("near_duplicates", "exact_duplicates")
            for one in sets[kind]["sets"]
        ]
    if has("imagehash"):
        import imagehash

        hashes = [np.asarray(imagehash.phash(Image.open(path)).hash).ravel() for path in paths]
        tools[f"imagehash `phash`, {PHASH_NEAR} bits"] = near(paths, np.array(hashes), PHASH_NEAR)
    if has("pdqhash"):
        import pdqhash

        whole = [pdqhash.compute(np.asarray(Image.open(path).convert("RGB")))[0] for path in paths]
        tools[f"PDQ alone, {PDQ_NEAR} bits"] = near(paths, np.array(whole), PDQ_NEAR)
    kinds = list(FOUND)
    lines = [
        f"**Duplicates: {len(kinds)} copies of each of {len(photos)} photographs**",
        "",
        f"| tool | {' | '.join(kinds)} | pictures in a wrong group |",
        "|---|" + "---|" * (len(kinds) + 1),
    ]
    for tool, groups in tools.items():
        shares, wrong = found_copies(groups, len(photos))
        lines.append(
            f"| {tool} | {' | '.join(f'{share:.0f} %' for share in shares)} | {100 * wrong / len(paths):.2f} % |"
        )
    return [*lines, ""]


def table(title: str, rows: Sequence[str]) -> list[str]:
    """A Markdown table of `line`s."""
    return [
        f"**{title}**",
        "",
        "| tool | AUC | faulty ones flagged | sound ones flagged |",
        "|---|---|---|---|",
        *rows,
        "",
    ]


def _is(kind: str) -> Callable[[str], bool]:
    return lambda name: f"-{kind}" in name


PARTS = (blur, exposure, noise, jpeg, duplicates)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="folder of photographs")
    parser.add_argument("--limit", type=int, default=24, help="photographs")
    parser.add_argument("--parts", nargs="+", default=[part.__name__ for part in PARTS], help="of what is found")
    parser.add_argument("--speed", action="store_true", help="images a second instead")
    parser.add_argument("--images", type=int, default=16, help="files for --speed")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.speed:
        from peers_speed import speed  # it takes its tools from here

        print("\n".join(speed(given.data, given.images, given.rounds)))
        return 0
    photos = read_photos(given.data, "test", ("lossless",))[: given.limit]
    for part in PARTS:
        if part.__name__ in given.parts:
            with tempfile.TemporaryDirectory() as place:
                print("\n".join(part(photos, Path(place))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
