"""The photographs that trained the shipped models: the list in `data/manifest.csv`, and folders checked against it.

    python -m cliqa.training.manifest check --data photos/ --ratings biq2021/
    python -m cliqa.training.manifest make --data photos/ --ratings biq2021/ --out data/manifest.csv

Columns: set (photos, biq2021), file, split, bytes, sha256, source, original, licence, obtain. `photos` trained every model,
`biq2021` those whose cards name it; files of the split `val` chose settings, and those of BIQ2021's test list are in no training.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

COLUMNS = ("set", "file", "split", "bytes", "sha256", "source", "original", "licence", "obtain")
SHIPPED = Path("data/manifest.csv")

# Where the originals are had; the photographs are crops and reductions of them, as `photos/manifest.csv` says.
OBTAIN = {
    "camera_jpegs_metadata-extractor/jpg": "repository drewnoakes/metadata-extractor-images, folder jpg",
    "openclipart 0.18": "Open Clip Art Library, release 0.18",
    "budgie-backgrounds": "repository BuddiesOfBudgie/budgie-backgrounds",
    "codec-corpus/CID22": "Cloudinary Image Dataset '22, reference images",
    "debian-lomiri-wallpapers-16.04": "Debian package lomiri-wallpapers-16.04",
    "debian-lomiri-wallpapers-20.04": "Debian package lomiri-wallpapers-20.04",
    "debian-mate-backgrounds": "Debian package mate-backgrounds",
    "debian-plasma-workspace-wallpapers": "Debian package plasma-workspace-wallpapers",
    "deepin-wallpapers": "repository linuxdeepin/deepin-wallpapers",
    "elementary-wallpapers": "repository elementary/wallpapers",
    "hoojaoh-data-stunning": "Wikimedia Commons, by the original's file name",
    "languageseed-work_suite": "Unsplash and Pexels, by the original's file name",
    "nextcloud": "repository nextcloud/server, folder core/skeleton/Photos",
    "pop-os-wallpapers": "repository pop-os/wallpapers",
}
RATED_LICENCE = "ss03: Unsplash License; ss01, ss02: none stated by the authors"
RATED = "repository nisarahmedrana/BIQ2021"


def rows_of(photos: Path, ratings: Path | None) -> Iterator[dict[str, str]]:
    """One row for each photograph of the two folders, in the columns COLUMNS."""
    with open(photos / "manifest.csv", newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            yield {
                "set": "photos",
                "file": row["file"],
                "split": row["split"],
                **_content(photos / row["file"]),
                **{name: row[name] for name in ("source", "original", "licence")},
                "obtain": OBTAIN.get(row["source"], row["source"]),
            }
    if ratings is None:
        return
    with open(ratings / "Train (Images and MOS).csv", newline="", encoding="utf-8-sig") as stream:
        for row in csv.DictReader(stream):
            name = next(iter(row.values())).strip()
            path = _found(ratings / "Images", name)
            content = {"source": "BIQ2021", "original": "", "licence": RATED_LICENCE, "obtain": RATED}
            yield {"set": "biq2021", "file": f"Images/{path.name}", "split": "train", **_content(path), **content}


def check(listed: Sequence[dict[str, str]], folders: dict[str, Path]) -> list[str]:
    """What differs from the list, a line each: files that are missing, and files with other bytes."""
    problems = []
    for row in listed:
        folder = folders.get(row["set"])
        if folder is None:
            continue
        path = folder / row["file"]
        if not path.is_file():
            problems.append(f"{row['set']}: {row['file']} is missing")
        elif _content(path)["sha256"] != row["sha256"]:
            problems.append(f"{row['set']}: {row['file']} has other bytes than the one that trained the models")
    return problems


def read_list(path: Path) -> list[dict[str, str]]:
    """The rows of a manifest."""
    with open(path, newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _found(folder: Path, name: str) -> Path:
    """The file of that name; one of BIQ2021 differs from its list in the case of its suffix."""
    path = folder / name
    if path.is_file():
        return path
    return next((other for other in folder.glob(f"{Path(name).stem}.*")), path)


def _content(path: Path) -> dict[str, str]:
    data = path.read_bytes()
    return {"bytes": str(len(data)), "sha256": hashlib.sha256(data).hexdigest()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the list, or check folders against it; returns the exit status: 1 where something differs."""
    parser = argparse.ArgumentParser(
        prog="python -m cliqa.training.manifest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("check", "make"))
    parser.add_argument("--data", type=Path, help="the folder of photographs")
    parser.add_argument("--ratings", type=Path, help="the folder of BIQ2021")
    parser.add_argument("--manifest", type=Path, default=SHIPPED, help="the list to check against")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="the list to make")
    options = parser.parse_args(arguments)
    if options.action == "make":
        if options.data is None:
            parser.error("make needs --data")
        with open(options.out, "w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows_of(options.data, options.ratings))
        return 0
    folders = {
        name: path for name, path in (("photos", options.data), ("biq2021", options.ratings)) if path is not None
    }
    if not folders:
        parser.error("check needs --data, --ratings or both")
    problems = check(read_list(options.manifest), folders)
    print("\n".join(problems) or f"{', '.join(folders)}: every file is there, byte for byte")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
