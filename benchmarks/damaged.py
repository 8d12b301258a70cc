"""How many damaged files are noticed: of those that a reference decoder warns of, the share that ends as an issue or with a note.

    python benchmarks/damaged.py PHOTOS_FOLDER --mutated 1000 --displayable 100 --sound 500

Mutated files have bytes changed, cut out, zeroed or cut off anywhere; displayable ones keep their header and are damaged in the pixels'
data alone. Sound files are the photographs themselves and what encoders with odd but legal features make of them. The references:
`djpeg` (libjpeg-turbo-progs), `pngcheck`, `webpinfo` and `dwebp` (webp).
"""

from __future__ import annotations

import argparse
import io
import random
import struct
import subprocess
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

from cliqa.errors import ImageIssue
from cliqa.images.loading import load_image

Mutation = Callable[[bytes, random.Random], bytes]


def verdict(data: bytes) -> str:
    """What cliqa says of a file: "issue", "note" or ""."""
    try:
        return "note" if load_image(data).notes else ""
    except ImageIssue:
        return "issue"


def warned(kind: str, path: Path) -> bool:
    """Whether a reference decoder says anything of a file."""
    commands: dict[str, list[list[str]]] = {
        "JPEG": [["djpeg", "-outfile", "/dev/null", str(path)]],
        "PNG": [["pngcheck", "-q", str(path)]],
        "WEBP": [["webpinfo", "-quiet", str(path)], ["dwebp", str(path), "-ppm", "-o", "/dev/null"]],
    }
    for command in commands[kind]:
        found = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        said = (found.stdout + found.stderr).lower()
        if found.returncode or any(word in said for word in ("warning", "error", "corrupt", "premature", "truncated")):
            return True
    return False


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with one of six kinds of damage, anywhere."""
    changed = bytearray(data)
    place = rng.randrange(len(changed))
    match rng.randrange(6):
        case 0:
            for _ in range(rng.randint(1, 8)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
        case 1:
            changed[place] ^= 1 << rng.randrange(8)
        case 2:
            del changed[place : place + rng.randint(1, 400)]
        case 3:
            changed[place : place + rng.randint(1, 400)] = rng.randbytes(rng.randint(1, 400))
        case 4:
            length = min(rng.randint(16, 600), len(changed) - place)
            changed[place : place + length] = bytes(length)
        case _:
            del changed[place:]
    return bytes(changed)


def displayable(kind: str, data: bytes, rng: random.Random) -> bytes:
    """A file whose header is whole: a block of the pixels' data zeroed, bits changed, or half of it closed with the end marker."""
    marker = {"JPEG": b"\xff\xda", "PNG": b"IDAT", "WEBP": b"VP8"}[kind]
    start = data.index(marker) + 200
    place = rng.randrange(start, len(data) - 100)
    changed = bytearray(data)
    match rng.randrange(3):
        case 0:
            length = min(rng.randint(40, 500), len(changed) - 12 - place)
            changed[place : place + length] = bytes(length)
        case 1:
            for _ in range(rng.randint(2, 20)):
                changed[rng.randrange(start, len(changed) - 16)] ^= 1 << rng.randrange(8)
        case _:
            end = {"JPEG": b"\xff\xd9", "PNG": b"\0\0\0\0IEND\xaeB`\x82", "WEBP": b""}[kind]
            changed[place:] = end
    return bytes(changed)


def encoded(picture: Image.Image, kind: str, rng: random.Random) -> bytes:
    """A sound file of a kind, with the features that its encoder draws."""
    stream = io.BytesIO()
    if kind == "JPEG":
        picture.save(stream, "JPEG", quality=rng.randint(40, 97), progressive=rng.random() < 0.4, subsampling=rng.randrange(3),
                     optimize=rng.random() < 0.5, restart_marker_rows=rng.choice((0, 0, 1)))  # fmt: skip
    elif kind == "PNG":
        picture.convert(rng.choice(("RGB", "RGB", "L", "RGBA", "P"))).save(
            stream, "PNG", compress_level=rng.randint(1, 6)
        )
    else:
        picture.convert(rng.choice(("RGB", "RGBA"))).save(
            stream, "WEBP", quality=rng.randint(40, 97), lossless=rng.random() < 0.3, method=1
        )
    return stream.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """A marker segment of a JPEG file."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def odd(kind: str, data: bytes, rng: random.Random) -> bytes:
    """A file with something that cameras and programs do, and that costs no pixel."""
    choice = rng.randrange(7)
    if kind == "JPEG":
        video = b"\0\0\0\x18ftypmp42" + rng.randbytes(3000)
        return [
            data + bytes(rng.randint(1, 4000)),  # padding after the end
            data + video,  # a motion picture
            data + data,  # a second picture after it, as MPO has
            data[:-2],  # no end marker
            data[:2] + segment(0xE1, b"Exif\0\0II*\0" + rng.randbytes(300)) + data[2:],  # EXIF that is none
            data[:2] + segment(0xEF, rng.randbytes(500)) + segment(0xFE, b"a comment") + data[2:],
            data[:2] + b"\xff" * rng.randint(1, 9) + data[2:],  # fill bytes
        ][choice]
    if kind == "PNG":
        end = data.index(b"IDAT") - 4
        return data[:end] + chunk(b"tEXt", b"Comment\0" + b"x" * rng.randint(1, 5000)) + data[end:]
    return data


def pictures(folder: Path, count: int, seed: int) -> Iterator[tuple[Image.Image, random.Random]]:
    """Crops of photographs, 256 pixels and more a side."""
    rng = random.Random(seed)
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".jpg", ".png", ".webp"))
    for _ in range(count):
        with Image.open(rng.choice(paths)) as opened:
            width, height = (min(side, rng.randint(256, 512)) for side in opened.size)
            yield opened.convert("RGB").crop((0, 0, width, height)), rng


def camera_files(folder: Path) -> Iterator[bytes]:
    """The JPEG files of the folder as they are."""
    for path in sorted(folder.rglob("*.jpg")):
        yield path.read_bytes()


def measure(kind: str, files: Iterator[bytes], scratch: Path) -> Counter[tuple[bool, str]]:
    """(whether a reference warns, what cliqa says) of each file, counted."""
    counts: Counter[tuple[bool, str]] = Counter()
    path = scratch / f"file.{kind.lower()}"
    for data in files:
        path.write_bytes(data)
        counts[warned(kind, path), verdict(data)] += 1
    return counts


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--mutated", type=int, default=1000, metavar="N")
    parser.add_argument("--displayable", type=int, default=100, metavar="N")
    parser.add_argument("--sound", type=int, default=500, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("JPEG", "PNG", "WEBP"):
            made = {
                "mutated": (
                    mutated(encoded(p, kind, r), r) for p, r in pictures(options.photos, options.mutated, options.seed)
                ),
                "displayable": (
                    displayable(kind, encoded(p, kind, r), r)
                    for p, r in pictures(options.photos, options.displayable, options.seed + 1)
                ),
            }
            for name, files in made.items():
                counts = measure(kind, files, Path(folder))
                bad = sum(count for (reference, _), count in counts.items() if reference)
                seen = sum(count for (reference, said), count in counts.items() if reference and said)
                more = sum(count for (reference, said), count in counts.items() if not reference and said)
                print(
                    f"{kind} {name}: {seen} of {bad} warned of noticed ({seen / max(bad, 1):.1%}); {more} more",
                    flush=True,
                )
            said: Counter[str] = Counter(
                verdict(odd(kind, encoded(p, kind, r), r))
                for p, r in pictures(options.photos, options.sound, options.seed + 2)
            )
            print(f"{kind} sound: {said['issue']} issues, {said['note']} notes of {said.total()}", flush=True)
        said = Counter(map(verdict, camera_files(options.photos)))
        print(f"camera files: {said['issue']} issues, {said['note']} notes of {said.total()}")


if __name__ == "__main__":
    main()
