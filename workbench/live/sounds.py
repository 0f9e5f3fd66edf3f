# SPDX-License-Identifier: Apache-2.0
"""Decisions in a row are one sound; what a person says of sounds becomes a confusion table."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from workbench.training.confusion import UNCERTAIN, Confusion, confusion

PAUSE = 0.5  # seconds without a decision that end a sound
BEFORE = 3.0  # seconds after a sound's end within which a mark is of it
AFTER = 1.0  # seconds that a mark waits for a sound that begins
RECENT = 50  # sounds that are kept one by one


@dataclass(frozen=True)
class Sound:
    """A stretch of decisions. label: the class decided most often in it, or Unknown, or uncertain.

    score: the largest; None where the lines have none. truth: what a person says that it was.
    decisions: 0 where a person heard something that the device decided nothing of.
    """

    start: float  # seconds
    end: float
    label: str
    class_index: int  # 0 Unknown, UNCERTAIN, else index of the label + 1
    decisions: int
    score: int | None
    truth: str | None


@dataclass
class _Open:
    start: float
    end: float
    classes: Counter[int] = field(default_factory=Counter)
    names: dict[int, str] = field(default_factory=dict)
    score: int | None = None
    truth: str | None = None

    def sound(self, unknown: str) -> Sound:
        accepted = {index: count for index, count in self.classes.items() if index > 0}
        index = max(accepted or self.classes, key=lambda one: self.classes[one], default=0)
        label = self.names.get(index, unknown)
        return Sound(self.start, self.end, label, index, self.classes.total(), self.score, self.truth)


class Sounds:
    """The last sounds one by one, all marked ones counted. Memory does not grow."""

    def __init__(self, unknown: str) -> None:
        """unknown: the label of a sound in which nothing was decided."""
        self._unknown = unknown
        self._sounds: deque[_Open] = deque()
        self._marked: Counter[tuple[str, int]] = Counter()  # of sounds that are kept no more
        self._waiting: tuple[float, str] | None = None  # a mark that no sound had yet

    def decided(self, time: float, class_index: int, label: str, score: int | None) -> None:
        """One decision. class_index as in Sound."""
        self.advance(time)
        last = self._sounds[-1] if self._sounds else None
        if last is None or not last.classes or time - last.end > PAUSE:
            last = _Open(time, time)
            self._add(last)
            if self._waiting is not None and time - self._waiting[0] <= AFTER:
                last.truth = self._waiting[1]
                self._waiting = None
        last.end = time
        last.classes[class_index] += 1
        last.names[class_index] = label
        if score is not None:
            last.score = score if last.score is None else max(last.score, score)

    def mark(self, time: float, label: str | None) -> None:
        """What the current sound was, or the one before; else of one that begins within AFTER seconds.
        Again: mends it. None: takes the last mark back."""
        if label is None:
            self._take_back()
            return
        self.advance(time)
        last = next((sound for sound in reversed(self._sounds) if sound.classes), None)
        if last is not None and time - last.end <= BEFORE:
            last.truth = label
        else:
            self._settle()
            self._waiting = (time, label)

    def advance(self, time: float) -> None:
        """Time passes: a mark that waits too long is of a sound that the device decided nothing of."""
        if self._waiting is not None and time - self._waiting[0] > AFTER:
            self._settle()

    def _settle(self) -> None:
        if self._waiting is not None:
            at, label = self._waiting
            self._waiting = None
            self._add(_Open(at, at, truth=label))

    def _take_back(self) -> None:
        if self._waiting is not None:
            self._waiting = None
            return
        last = next((sound for sound in reversed(self._sounds) if sound.truth is not None), None)
        if last is None:
            return
        last.truth = None
        if not last.classes:
            self._sounds.remove(last)

    def _add(self, sound: _Open) -> None:
        if len(self._sounds) == RECENT:
            oldest = self._sounds.popleft().sound(self._unknown)
            if oldest.truth is not None:
                self._marked[oldest.truth, oldest.class_index] += 1
        self._sounds.append(sound)

    def recent(self) -> tuple[Sound, ...]:
        """The last sounds, the newest last."""
        return tuple(sound.sound(self._unknown) for sound in self._sounds)

    def confusion(self, labels: Sequence[str]) -> Confusion | None:
        """All marked sounds: rows what a person heard, columns what was decided; a sound that the device
        decided nothing of counts as Unknown. None: nothing was marked."""
        counted = Counter(self._marked)
        for sound in self.recent():
            if sound.truth is not None:
                counted[sound.truth, sound.class_index] += 1
        if self._waiting is not None:
            counted[self._waiting[1], 0] += 1
        index = {label: number for number, label in enumerate(labels)}
        pairs = [
            (index[truth], decided)
            for (truth, decided), count in counted.items()
            if truth in index and UNCERTAIN <= decided <= len(labels)
            for _ in range(count)
        ]
        return confusion(labels, pairs) if pairs else None
