# SPDX-License-Identifier: Apache-2.0
"""Sessions of labels: their usual names, and the one that a new segment gets."""

from __future__ import annotations

from collections.abc import Iterable

from workbench.data.label_lines import LabelLines

TRAIN, TEST = "train", "test"


def usual_session(files: Iterable[LabelLines], first: str) -> str:
    """The session of a new segment for which nobody named one: the one that is learnt from where others have
    sessions, none where the others have none (a first session would leave all of those out of the training),
    `first` where there are no others.

    files: all label files of the folder
    """
    there = [session for file in files for session in file.sessions]
    return TRAIN if any(there) else "" if there else first
