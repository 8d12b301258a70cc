"""Where kept pictures go: a folder, tars, a list of keys; never over anything that exists."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Protocol

from cliqa.records import Source


class Placer(Protocol):
    """What a run gives its kept pictures to. A context: entered before the first picture, left when the run is over."""

    already: int  # how many pictures an earlier run had placed there

    def check(self, inputs: Sequence[str]) -> None:
        """Refuse, before anything is written, an output that can't be used with these inputs. Raises CliqaError."""

    def __enter__(self) -> Placer:
        """Make what is needed, and see that it can be written. Raises RunError."""

    def place(
        self,
        source: Source,
        prefix: str = "",
        folder: str | None = None,
        placed: str | None = None,
        taken: Container[str] = (),
        /,
    ) -> str | None:
        """Place one picture; returns where it lies now, None where it lies nowhere (yet).

        Args:
            source: the picture.
            prefix: goes before its name.
            folder: below the output, instead of the mirror of its own folder.
            placed: where an earlier run placed it: if it still lies there, it stays.
            taken: what an earlier run recorded as the places of other pictures.

        Raises:
            ImageIssue: this picture can't be placed; the run goes on.
            RunError: the output is lost.
        """

    def drop(self, source: Source) -> None:
        """This run keeps a picture out; an output that knows what earlier runs placed of it may have something to say or do."""
        return None

    def summary(self) -> list[str]:
        """What there is to say of earlier runs, once the context is left: lines for the summary."""
        return []

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish; after an error, take back what isn't whole."""
