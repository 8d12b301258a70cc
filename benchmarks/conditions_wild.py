"""Histories as the web makes them, for `accuracy.py --wild`: the rows of each subject, and how each metric is judged on a row.

A subject is a module `conditions_wild_<subject>.py` with HISTORIES and JUDGES. Every metric that has a judge is asked on every row;
a judge has nothing to say ("") of a row that its metric's truth is not told of.
"""

from __future__ import annotations

from collections.abc import Callable

import conditions_wild_jpeg
import conditions_wild_noise
import conditions_wild_scale
from conditions import Scored
from wild_edits import Wild

SUBJECTS = (conditions_wild_jpeg, conditions_wild_noise, conditions_wild_scale)
HISTORIES: list[Wild] = [history for subject in SUBJECTS for history in subject.HISTORIES]
JUDGES: dict[str, Callable[[list[Scored]], str]] = {
    metric: judge for subject in SUBJECTS for metric, judge in subject.JUDGES.items()
}
