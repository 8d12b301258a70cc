"""Score a data set of Hugging Face's `datasets`, and keep the good rows. Needs `pip install datasets`.

python examples/with_datasets.py photos
"""

from __future__ import annotations

import sys
from typing import Any

import datasets

import cliqa


def with_scores(
    data: datasets.Dataset, metrics: list[str], column: str = "image", processes: int | None = None
) -> datasets.Dataset:
    """The same data set with a column `metric.field` for every score; None where a picture gives none.

    Pictures are read as the bytes that they are stored as: once decoded, a file's own tables and profile would be gone.
    """
    scorers = [cliqa.load_metric(name) for name in metrics]
    raw = data.cast_column(column, datasets.Image(decode=False))

    def scored(row: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for scorer in scorers:
            try:
                values: dict[str, Any] = scorer.score(row[column]["bytes"] or row[column]["path"])
            except cliqa.ImageIssue:
                values = {}
            found |= {f"{scorer.name}.{field.name}": values.get(field.name) for field in scorer.fields}
        return found

    return raw.map(scored, num_proc=processes).cast_column(column, datasets.Image())


if __name__ == "__main__":
    photographs = datasets.load_dataset("imagefolder", data_dir=sys.argv[1], split="train")
    scores = with_scores(photographs, ["jpeg_quality", "grain_noise"])
    good = scores.filter(lambda quality: quality is not None and quality >= 90, input_columns="jpeg_quality.quality")
    print(f"{good.num_rows} of {scores.num_rows} were never saved as a JPEG below 90")
