"""Rated photographs in their published layouts: BIQ2021, CLIVE, KonIQ-10k, SPAQ, AVA, EVA, or any folder with a table.

Each reader returns the photographs with their mean opinion and, where a rule is documented, their aesthetic class. The rules:

=========  ==============================================================  ==========================================
data set   score                                                           class
=========  ==============================================================  ==========================================
BIQ2021    MOS 0-1                                                         Rejected < 0.45; Accepted >= 0.75 and of the
                                                                           curated subset ss03; Pending the rest
AVA        mean of ten vote counts, 1-10                                   Rejected <= 4; Pending <= 5; Accepted >= 6;
                                                                           between 5 and 6 none: left out
EVA        mean of the votes, 0-10                                         Pending <= 6; Accepted above
KonIQ-10k  MOS_zscore 0-100                                                Rejected <= 60; Pending above
SPAQ       MOS 0-100                                                       Rejected <= 60; Pending above
=========  ==============================================================  ==========================================

KonIQ and SPAQ photographs above 60 stay, as Pending: were they dropped, the data set alone would give away who is Rejected.
Every row is classed by its own score alone, and a photograph is on one side of a split, whatever table it comes from.
"""

from __future__ import annotations

import csv
import hashlib
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from cliqa.errors import UsageError
from cliqa.grepq.spreadsheets import read_sheet
from cliqa.inputs.folders import IMAGE_SUFFIXES
from cliqa.results.faces import csv_cells

Aesthetic = Literal["rejected", "pending", "accepted"]
Split = Literal["train", "val", "test", ""]
_BIQ_TABLES: tuple[tuple[Split, str], ...] = (
    ("train", "Train (Images and MOS).csv"),
    ("test", "Test (Images and MOS).csv"),
)
_SPAQ_TABLES = tuple(
    f"{folder}MOS and Image attribute scores{suffix}" for folder in ("", "Annotations/") for suffix in (".xlsx", ".csv")
)


@dataclass(frozen=True)
class RatedImage:
    """One photograph with its rating.

    Attributes:
        score: mean opinion, in the unit of its data set.
        source: the data set, or the part of it, that the photograph came from.
        split: the publisher's list it is on, or the one that `split_by_image` gave; "" where there is none.
        label: aesthetic class; None where there is no rule, or the rule leaves the photograph out.
        margin: distance of the score to the boundary that decides the class, in the unit of the score.
    """

    path: Path
    score: float
    source: str
    split: Split = ""
    label: Aesthetic | None = None
    margin: float = math.inf


def published_photographs(biq2021: str | os.PathLike[str], least: float = 0.68) -> list[Path]:
    """Paths of the photographs of BIQ2021's training list that their authors had published and people rated well, sorted.

    For recipes that need originals in good condition: the rating only chooses them. Raises UsageError where the list is missing.
    """
    root = Path(biq2021)
    if not (root / _BIQ_TABLES[0][1]).is_file():
        raise UsageError(f"{root} is not BIQ2021: it has no {_BIQ_TABLES[0][1]}")
    with open(root / _BIQ_TABLES[0][1], newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))[1:]
    names = [row[0] for row in rows if row[0].startswith("ss03") and float(row[1]) >= least]
    return [root / "Images" / name for name in sorted(names)]


def read_rated(folder: str | os.PathLike[str], table: str | os.PathLike[str] | None = None) -> list[RatedImage]:
    """A rated data set, its layout told by the tables in the folder, or by the table given (columns image, mos).

    Raises:
        UsageError: no known layout, a table that can't be used, or a photograph that is not there.
    """
    root = Path(folder)
    if table is not None:
        return read_table(root, Path(table))
    for marker, reader in LAYOUTS.items():
        if (root / marker).is_file():
            return reader(root)
    raise UsageError(
        f"{root} has no layout that is known (looked for {', '.join(LAYOUTS)}); give a table of image and mos"
    )


def split_by_image(images: Sequence[RatedImage]) -> list[RatedImage]:
    """The photographs, each on a side that its file's name decides: four fifths train, a tenth val, a tenth test.

    The name without its ending is the photograph's number in AVA and EVA alike, so that one rated in both is on one side.
    """
    sides: tuple[Split, ...] = ("test", "val", *("train",) * 8)
    return [
        replace(
            image,
            split=sides[hashlib.sha256(image.path.stem.lower().encode("utf-8", "surrogateescape")).digest()[0] % 10],
        )
        for image in images
    ]


def read_table(folder: Path, table: Path) -> list[RatedImage]:
    """Any table with a column of names (image, image_name, path or filename) and one of scores (mos or score)."""
    rows = _any_rows(table)
    columns = {name.strip().lower(): name for name in (rows[0] if rows else {}) if name}
    name = next(
        (columns[key] for key in ("image", "image_name", "image name", "path", "filename") if key in columns), None
    )
    score = next((columns[key] for key in ("mos", "score") if key in columns), None)
    if name is None or score is None:
        raise UsageError(f"{table} must have a column image (or path) and a column mos (or score)")
    files = _Files(folder)
    return [RatedImage(files.find(row[name], table), _number(row[score], table), "table") for row in rows]


def read_biq2021(folder: Path) -> list[RatedImage]:
    """BIQ2021: `Images/` and the two official lists; `source` is the subset (ss01, ss02, ss03)."""
    files, found = _Files(folder / "Images"), []
    for split, name in _BIQ_TABLES:
        for row in _rows(folder / name):
            path = files.find(row["Image Name"], folder / name)
            score, source = _number(row["MOS"], folder / name), row["Image Name"][:4].lower()
            found.append(RatedImage(path, score, source, split, *biq2021_class(score, source)))
    return found


def biq2021_class(score: float, source: str) -> tuple[Aesthetic, float]:
    """Class, and distance to the boundary that decides it."""
    curated = source == "ss03"
    if score < 0.45:
        return "rejected", 0.45 - score
    if score >= 0.75 and curated:
        return "accepted", score - 0.75
    return "pending", min(score - 0.45, 0.75 - score) if curated else score - 0.45


def read_clive(folder: Path) -> list[RatedImage]:
    """LIVE In the Wild: `Images/` and the two MATLAB tables in `Data/`, MOS 0-100. Needs SciPy."""
    from scipy.io import loadmat

    names = loadmat(folder / "Data" / "AllImages_release.mat")["AllImages_release"].ravel()
    scores = loadmat(folder / "Data" / "AllMOS_release.mat")["AllMOS_release"].ravel()
    files, table = _Files(folder / "Images"), folder / "Data"
    pairs = zip(names, scores, strict=True)
    return [RatedImage(files.find(str(name[0]), table), float(score), "clive") for name, score in pairs]


def read_koniq10k(folder: Path) -> list[RatedImage]:
    """KonIQ-10k: `koniq10k_scores_and_distributions.csv`, MOS_zscore 0-100, images in any sub-folder."""
    table = folder / "koniq10k_scores_and_distributions.csv"
    files, found = _Files(folder), []
    for row in _rows(table):
        score = _number(row["MOS_zscore"], table)
        found.append(
            RatedImage(files.find(row["image_name"], table), score, "koniq10k", "", *_distorted_below(60.0, score))
        )
    return found


def read_spaq(folder: Path) -> list[RatedImage]:
    """SPAQ: `MOS and Image attribute scores.xlsx` (as published, there in a folder Annotations) or .csv, MOS 0-100."""
    table = next(path for name in _SPAQ_TABLES if (path := folder / name).is_file())
    rows = read_sheet(table) if table.suffix == ".xlsx" else _rows(table)
    if rows and not {"Image name", "MOS"} <= rows[0].keys():
        raise UsageError(f"{table} must have the columns Image name and MOS")
    files, found = _Files(folder), []
    for row in rows:
        score = _number(row["MOS"], table)
        found.append(
            RatedImage(files.find(row["Image name"], table), score, "spaq", "", *_distorted_below(60.0, score))
        )
    return found


def _distorted_below(limit: float, score: float) -> tuple[Aesthetic, float]:
    return ("rejected" if score <= limit else "pending"), abs(score - limit)


def read_ava(folder: Path) -> list[RatedImage]:
    """AVA: `AVA.txt`, blanks between: index, image id, ten vote counts for the scores 1-10, two tags, challenge."""
    table = folder / "AVA.txt"
    files, found = _Files(folder), []
    with open(table, encoding="utf-8") as stream:
        for line in stream:
            words = line.split()
            if not words:
                continue
            if len(words) < 12:
                raise UsageError(f"{table}: a line with {len(words)} columns instead of 15")
            votes = [_number(word, table) for word in words[2:12]]
            if sum(votes) <= 0:
                raise UsageError(f"{table}: image {words[1]} has no votes")
            score = sum(vote * count for vote, count in enumerate(votes, 1)) / sum(votes)
            found.append(RatedImage(files.find(f"{words[1]}.jpg", table), score, "ava", "", *ava_class(score)))
    return found


def ava_class(score: float) -> tuple[Aesthetic | None, float]:
    """Class, and distance to its nearest boundary; None between 5 and 6."""
    if score <= 4:
        return "rejected", 4 - score
    if score <= 5:
        return "pending", min(score - 4, 5 - score)
    return ("accepted", score - 6) if score >= 6 else (None, 0.0)


def read_eva(folder: Path) -> list[RatedImage]:
    """EVA: `votes_filtered.csv`, '=' between, one row a vote: image_id, user_id, score (0-10), ..."""
    table = folder / "votes_filtered.csv"
    votes: dict[str, list[float]] = {}
    for row in _rows(table, delimiter="="):
        votes.setdefault(row["image_id"].strip(), []).append(_number(row["score"], table))
    files, found = _Files(folder), []
    for name, given in votes.items():
        score = sum(given) / len(given)
        label: Aesthetic = "pending" if score <= 6 else "accepted"
        path = files.find(name if Path(name).suffix else f"{name}.jpg", table)
        found.append(RatedImage(path, score, "eva", "", label, abs(score - 6)))
    return found


LAYOUTS: dict[str, Callable[[Path], list[RatedImage]]] = {
    _BIQ_TABLES[0][1]: read_biq2021,
    "koniq10k_scores_and_distributions.csv": read_koniq10k,
    "Data/AllMOS_release.mat": read_clive,
    **dict.fromkeys(_SPAQ_TABLES, read_spaq),
    "AVA.txt": read_ava,
    "votes_filtered.csv": read_eva,
}


class _Files:
    """Photographs of a folder by name, whatever the sub-folder and the case (published tables differ from files in both)."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}")
        self.folder = folder
        self.paths = {p.name.lower(): p for p in sorted(folder.rglob("*")) if p.suffix.lower() in IMAGE_SUFFIXES}

    def find(self, name: str, table: Path) -> Path:
        path = self.folder / name
        if path.is_file():
            return path
        known = self.paths.get(Path(name).name.lower())
        if known is None:
            raise UsageError(f"{table} names {name}, which is not in {self.folder}")
        return known


def _rows(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    if not path.is_file():
        raise UsageError(f"there is no table {path}")
    with open(path, newline="", encoding="utf-8-sig") as stream:
        return list(csv.DictReader(stream, delimiter=delimiter))


def _any_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a table as any program may have saved it."""
    if not path.is_file():
        raise UsageError(f"there is no table {path}")
    rows = csv_cells(str(path))
    names = next(rows, [])
    return [dict(zip(names, row, strict=False)) for row in rows if len(row) >= len(names)]


def _number(text: str, table: Path) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        raise UsageError(f"{table}: {text!r} is no number") from None
    if not math.isfinite(value):
        raise UsageError(f"{table}: a score that is not finite ({text})")
    return value
