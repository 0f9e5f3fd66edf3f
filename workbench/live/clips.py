# SPDX-License-Identifier: Apache-2.0
"""Sounds that were decided otherwise than a person heard them, kept as labelled recordings for training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from workbench.live.monitor import Monitor
from workbench.live.samples import Take
from workbench.live.sounds import BEFORE, Sound
from workbench.training.confusion import UNKNOWN_CLASS

AHEAD = 1.0  # seconds of a clip before the first decision, which comes at the end of what it was made of
BEHIND = 0.3  # and after the last
MISSED_AHEAD = (
    2.0  # before a mark of a sound of which nothing was decided: a person needs time to press a key
)


class Heard(Protocol):
    """Whoever has the sound of the last seconds."""

    def cut(self, start: float, end: float) -> NDArray[np.int16]:
        """int16 from second to second of the session, as far as it is kept."""


class Keeper(Protocol):
    """Whoever keeps takes: Takes does. label and known are those of the next one."""

    label: str | None
    known: Mapping[str, str]

    def add(self, take: Take, rate: int) -> object:
        """One take. rate: Hz."""


class Clips:
    """Call look() often: the sound of the last seconds alone is there."""

    def __init__(self, heard: Heard, takes: Keeper, rate: int) -> None:
        self._heard, self._takes, self._rate = heard, takes, rate
        self._until: dict[int, float] = {}  # of each model the start of the newest sound that was looked at
        self.saved = 0

    def look(self, monitor: Monitor, *, over: bool = False) -> None:
        """Saves what can be marked no more. over: the session is, so that is all of it."""
        for model, sounds in monitor.every_sound().items():
            self._look(model, sounds, math.inf if over else monitor.time - BEFORE)

    def _look(self, model: int, sounds: Sequence[Sound], before: float) -> None:
        """Those of one model that ended before a time."""
        for sound in sounds:
            if sound.start <= self._until.get(model, -1.0):
                continue
            if sound.end >= before:
                return
            self._until[model] = sound.start
            if sound.truth is not None and not _right(sound):
                self._save(sound, sound.truth)

    def _save(self, sound: Sound, truth: str) -> None:
        ahead = AHEAD if sound.decisions else MISSED_AHEAD
        samples = self._heard.cut(sound.start - ahead, sound.end + BEHIND)
        if not len(samples):  # nobody has that sound any more
            return
        self._takes.label = truth
        self._takes.known = {"decided": sound.label if sound.decisions else "nothing"}
        self._takes.add(Take(samples, ()), self._rate)
        self.saved += 1


def _right(sound: Sound) -> bool:
    """As the confusion table counts it: an app's own class "unknown" is right below its threshold, too."""
    return sound.truth == sound.label or (sound.truth == UNKNOWN_CLASS and sound.class_index <= 0)
