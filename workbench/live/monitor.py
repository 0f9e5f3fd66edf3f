# SPDX-License-Identifier: Apache-2.0
"""What a device hears, with one model or several: no terminal, no clock, no port.

    monitor = Monitor()
    monitor.take(Received(0.1, b'{"ModelNumber":0,...}\\n'))
    monitor.advance(0.2)
    monitor.view()      what to show now
    monitor.news()      what to tell once since the last call

Its memory does not grow with the session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from workbench.live.events import Event, Mark, Received
from workbench.live.hearing import Hearing
from workbench.live.sounds import RECENT, Sound
from workbench.live.view import ModelNow, News, View

_OWN = ("class", "idle", "mark")  # kinds of news that each model has of its own


class Monitor:
    """Events in, view out. Give events in the order of their times.

    Of several models each hears on its own; one of them is shown, the first unless somebody asks for the
    next. News come of all.
    """

    def __init__(
        self,
        labels: tuple[str, ...] = (),
        classes: Mapping[int, Mapping[int, str]] | None = None,
        *,
        votes: int = 1,
        idle_after: float = 2.0,
        contract: str | None = None,
    ) -> None:
        """As Hearing; labels and contract are the first model's."""
        self._make = partial(Hearing, classes=classes, idle_after=idle_after)
        self._votes = votes
        self._heard = {0: self._make(labels, votes=votes, contract=contract)}
        self._wanted = 0  # the one to show
        self._marked: deque[int] = deque(maxlen=RECENT)  # models of the marks that may be taken back

    @property
    def _first(self) -> Hearing:
        return self._heard[0]

    @property
    def _there(self) -> dict[int, Hearing]:
        """The models that there are, by number."""
        silent = len(self._heard) > 1 and self._first.silent
        return {number: one for number, one in self._heard.items() if number or not silent}

    @property
    def _shown(self) -> int:
        there = self._there
        return self._wanted if self._wanted in there else min(there)

    @property
    def _now(self) -> Hearing:
        return self._heard[self._shown]

    def mark(self, time: float, label: str | None) -> Mark:
        """The event that a person says so now: of the model that is shown, where it has the class."""
        if label is None:
            return Mark(time, None)
        shown = self._shown
        having = [number for number in (shown, *self._heard) if label in self._heard[number].labels]
        return Mark(time, label, having[0] if having and len(self._heard) > 1 else None)

    def take(self, event: Event) -> None:
        """Something happened. What a person says that it was is said of the model that has this class."""
        if isinstance(event, Mark):
            self._mark(event)
            return
        rest = self._first.rest
        for one in self._heard.values():
            one.take(event)
        for number, line in sorted(self._first.others.items()):
            if number not in self._heard:
                made = self._make(votes=self._votes, model=number)
                if line is not None:
                    made.named(line)
                made.take(replace(event, data=rest + event.data) if isinstance(event, Received) else event)
                self._heard = dict(sorted({**self._heard, number: made}.items()))

    def _mark(self, event: Mark) -> None:
        if event.label is None:
            number = self._marked.pop() if self._marked else self._shown
        else:
            known = event.model if event.model in self._heard else self.mark(event.time, event.label).model
            number = self._shown if known is None else known
            if event.label in self._heard[number].labels:  # else it is no mark
                self._marked.append(number)
        self._heard[number].take(event)
        self.advance(event.time)

    def advance(self, time: float) -> None:
        """Time passes, also while nothing comes."""
        for one in self._heard.values():
            one.advance(time)

    def news(self) -> list[News]:
        """What was not taken yet, in the order of its time."""
        there = self._there
        found: list[News] = []
        for number, heard in self._heard.items():
            name = heard.name if len(there) > 1 else ""
            for one in heard.news():
                if one.kind in _OWN:
                    found += [replace(one, model=name)] if number in there else []
                elif number == 0:
                    found.append(one)
        return sorted(found, key=lambda one: one.time)

    def set_host_votes(self, votes: int) -> None:
        """Decisions that vote here from now on, 1..10; of each model."""
        self._votes = votes
        for one in self._heard.values():
            one.set_host_votes(votes)

    def show(self, name: str) -> None:
        """The model of this name, where there is one."""
        named = (number for number, one in self._heard.items() if one.name == name)
        self._wanted = next(named, self._wanted)

    def show_next(self) -> None:
        """The model after the one that is shown; after the last one the first."""
        numbers = list(self._there)
        self._wanted = numbers[(numbers.index(self._shown) + 1) % len(numbers)]

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of the model that is shown; empty until they are known."""
        return self._now.labels

    @property
    def settings(self) -> dict[str, int]:
        """Of the device and the model that is shown; empty where it has none."""
        return self._now.settings

    def key(self, setting: str) -> str:
        """One of these, as the device names it."""
        return self._now.key(setting)

    @property
    def time(self) -> float:
        """Seconds since the session began."""
        return self._first.time

    def sounds(self) -> tuple[Sound, ...]:
        """The last ones of the model that is shown, the newest last."""
        return self._now.sounds()

    def every_sound(self) -> Mapping[int, tuple[Sound, ...]]:
        """The last ones of each model, by its number."""
        return {number: one.sounds() for number, one in self._heard.items()}

    @property
    def windows(self) -> int:
        """That the device has worked on since it started, as it said last."""
        return self._first.windows

    def view(self) -> View:
        """What to show now: of the device as the first model's, of classes and sounds those of the one that
        is shown."""
        there = self._there
        views = {number: one.view() for number, one in there.items()}
        now = views[self._shown]
        if len(there) == 1:
            return now
        first = self._first.view()
        return replace(
            now,
            device=first.device or now.device,
            warning=first.warning,
            changed=first.changed,
            missed=first.missed,
            restarts=first.restarts,
            error=first.error,
            model=self._now.name,
            models=tuple(
                ModelNow(one.name, views[number].label, views[number].class_index, views[number].counts)
                for number, one in there.items()
            ),
        )
