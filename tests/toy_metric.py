"""Metrics without weights, for tests of everything around the metrics."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any, ClassVar

import numpy as np

from cliqa.errors import ImageSkipped
from cliqa.metrics import Field, Metric, Observation, Value, View


class Brightness(Metric):
    """The mean of all pixels, 0-255; pictures that are black throughout are skipped."""

    name: ClassVar[str] = "brightness"
    architecture: ClassVar[str] = "mean"
    weights: ClassVar[bool] = False
    fields: ClassVar[tuple[Field, ...]] = (
        Field("mean", "mean value", 0.0, 255.0),
        Field("label", "light or dark", kind="str"),
    )

    @classmethod
    def observe(cls, view: View) -> Observation:
        if view.pixels.max() == 0:
            raise ImageSkipped("a black picture")
        return {"mean": np.array(view.pixels.mean())}

    def score(self, observation: Observation) -> dict[str, Value]:
        mean = float(observation["mean"])
        return {"mean": mean, "label": "light" if mean >= 128 else "dark"}


class Deadly(Brightness):
    """Kills its own process on pictures that are pure red."""

    name: ClassVar[str] = "deadly"

    @classmethod
    def observe(cls, view: View) -> Observation:
        if tuple(view.pixels[0, 0]) == (255, 0, 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().observe(view)


class Slow(Brightness):
    """Takes a minute over pictures that are pure red."""

    name: ClassVar[str] = "slow"

    @classmethod
    def observe(cls, view: View) -> Observation:
        if tuple(view.pixels[0, 0]) == (255, 0, 0):
            time.sleep(60)
        return super().observe(view)


class Endless(Brightness):
    """Computes for minutes over pictures that are pure red, in one call into C."""

    name: ClassVar[str] = "endless"

    @classmethod
    def observe(cls, view: View) -> Observation:
        if tuple(view.pixels[0, 0]) == (255, 0, 0):
            sum(range(10**11))
        return super().observe(view)


class Greedy(Brightness):
    """Wants two gigabytes for pictures that are pure red."""

    name: ClassVar[str] = "greedy"

    @classmethod
    def observe(cls, view: View) -> Observation:
        if tuple(view.pixels[0, 0]) == (255, 0, 0):
            np.ones(1 << 28)
        return super().observe(view)


class Unsendable(Brightness):
    """Observes what can't be pickled on pictures that are pure red, and can't be unpickled on pure green ones."""

    name: ClassVar[str] = "unsendable"

    @classmethod
    def observe(cls, view: View) -> Observation:
        colour = tuple(int(value) for value in view.pixels[0, 0])
        if colour == (255, 0, 0):
            return {"mean": np.array([lambda: 0], dtype=object)}
        if colour == (0, 255, 0):
            raise _Awkward(1, 2)
        return super().observe(view)


class _Awkward(ImageSkipped):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


class Noisy(Brightness):
    """Fails on red, gives no number on green, and writes to standard output as decoders in C may."""

    name: ClassVar[str] = "noisy"

    @classmethod
    def observe(cls, view: View) -> Observation:
        os.write(1, b"from a decoder\n")
        if tuple(view.pixels[0, 0]) == (255, 0, 0):
            raise ZeroDivisionError("red")
        return super().observe(view)

    def score(self, observation: Observation) -> dict[str, Value]:
        answer = super().score(observation)
        return answer | {"mean": np.float32("nan")} if answer["mean"] == 85 else answer  # type: ignore[dict-item]


class Process(Brightness):
    """Tells which process scores, and returns NumPy numbers."""

    name: ClassVar[str] = "process"
    fields: ClassVar[tuple[Field, ...]] = (
        Field("mean", "mean value", 0.0, 255.0),
        Field("pid", "of the process", kind="int"),
    )

    def score(self, observation: Observation) -> dict[str, Value]:
        return {"mean": np.float32(observation["mean"]), "pid": np.int64(os.getpid())}  # type: ignore[dict-item]


class Beside(Process):
    """Scores beside the decoder; refuses to be told of pictures of 85 and fails at those of 86."""

    name: ClassVar[str] = "beside"
    in_worker = True

    def score(self, observation: Observation) -> dict[str, Value]:
        if observation["mean"] == 85:
            raise ImageSkipped("a picture of 85")
        if observation["mean"] == 86:
            raise ZeroDivisionError("at 86")
        return super().score(observation)


class Unpicklable(Beside):
    """Says that it may score in a worker, and can't be sent to one."""

    name: ClassVar[str] = "unpicklable"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.lock = threading.Lock()


class Unhurried(Brightness):
    """Takes a twentieth of a second over each picture."""

    name: ClassVar[str] = "unhurried"

    @classmethod
    def observe(cls, view: View) -> Observation:
        time.sleep(0.05)
        return super().observe(view)


class Held(Brightness):
    """Waits, at pictures brighter than what the file at $TOY_HOLD says, until that file has gone."""

    name: ClassVar[str] = "held"

    @classmethod
    def observe(cls, view: View) -> Observation:
        hold = os.environ["TOY_HOLD"]
        while os.path.exists(hold) and view.pixels.mean() > float(open(hold, encoding="ascii").read()):  # noqa: SIM115
            time.sleep(0.05)
        return super().observe(view)


class Faulty(Brightness):
    """Has a fault that shows at the third picture."""

    name: ClassVar[str] = "faulty"
    scored: ClassVar[int] = 0

    def score(self, observation: Observation) -> dict[str, Value]:
        Faulty.scored += 1
        if Faulty.scored > 2:
            raise ZeroDivisionError("a fault\nof mine")
        return super().score(observation)


class Mortal(Brightness):
    """Kills the process that scores, once: at its fortieth picture, while no file is at $TOY_DEATH yet.

    Before that, and in the same way, a process that decodes: at its tenth picture, while none is at $TOY_DEATH.decoder.
    """

    name: ClassVar[str] = "mortal"
    observed: ClassVar[int] = 0
    scored: ClassVar[int] = 0

    @classmethod
    def observe(cls, view: View) -> Observation:
        Mortal.observed += 1
        if Mortal.observed > 10:
            _die_once(".decoder")
        return super().observe(view)

    def score(self, observation: Observation) -> dict[str, Value]:
        Mortal.scored += 1
        if Mortal.scored > 40:
            _die_once("")
        return super().score(observation)


def _die_once(who: str) -> None:
    """SIGKILL for this process, while no file is at $TOY_DEATH with `who` behind it."""
    death = os.environ.get("TOY_DEATH", "") + who
    if death != who and not os.path.exists(death):
        with open(death, "w", encoding="utf-8") as stream:
            stream.write(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
