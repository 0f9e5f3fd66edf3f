# SPDX-License-Identifier: Apache-2.0
"""What a device hears, with one model or several: no terminal, no clock, no port.

    monitor = Monitor()
    monitor.take(Received(0.1, b'{"ModelNumber":0,...}\n'))
    monitor.advance(0.2)
    monitor.view()      what to show now
    monitor.news()      what to tell once since the last call

Its memory does not grow with the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from workbench.live.events import Event, Mark
from workbench.live.hearing import Hearing
from workbench.live.sounds import Sound
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
        self._shown = 0

    @property
    def _first(self) -> Hearing:
        return self._heard[0]

    @property
    def _now(self) -> Hearing:
        return self._heard[self._shown]

    def take(self, event: Event) -> None:
        """Something happened. What a person says that it was is said of the model that has this class."""
        if isinstance(event, Mark):
            there = [self._now, *self._heard.values()]
            next((one for one in there if event.label in (None, *one.labels)), self._now).take(event)
            self.advance(event.time)
            return
        for one in self._heard.values():
            one.take(event)
        for number, line in sorted(self._first.others.items()):
            if number not in self._heard:
                made = self._make(votes=self._votes, model=number)
                if line is not None:
                    made.named(line)
                made.take(event)
                self._heard = dict(sorted({**self._heard, number: made}.items()))

    def advance(self, time: float) -> None:
        """Time passes, also while nothing comes."""
        for one in self._heard.values():
            one.advance(time)

    def news(self) -> list[News]:
        """What was not taken yet, in the order of its time."""
        found = self._first.news()
        several = len(self._heard) > 1
        if several:
            found = [replace(one, model=self._first.name) if one.kind in _OWN else one for one in found]
        for number, heard in self._heard.items():
            own = heard.news() if number else []
            found += [replace(one, model=heard.name) for one in own if one.kind in _OWN]
        return sorted(found, key=lambda one: one.time)

    def set_host_votes(self, votes: int) -> None:
        """Decisions that vote here from now on, 1..10; of each model."""
        self._votes = votes
        for one in self._heard.values():
            one.set_host_votes(votes)

    def show(self, name: str) -> None:
        """The model of this name, where there is one."""
        self._shown = next((number for number, one in self._heard.items() if one.name == name), self._shown)

    def show_next(self) -> None:
        """The model after the one that is shown; after the last one the first."""
        numbers = list(self._heard)
        self._shown = numbers[(numbers.index(self._shown) + 1) % len(numbers)]

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

    @property
    def windows(self) -> int:
        """That the device has worked on since it started, as it said last."""
        return self._first.windows

    def view(self) -> View:
        """What to show now: of the device as the first model's, of classes and sounds those of the one that
        is shown."""
        first = self._first.view()
        if len(self._heard) == 1:
            return first
        views = {number: one.view() for number, one in self._heard.items()}
        return replace(
            views[self._shown],
            device=first.device,
            warning=first.warning,
            changed=first.changed,
            missed=first.missed,
            restarts=first.restarts,
            error=first.error,
            model=self._now.name,
            models=tuple(
                ModelNow(one.name, views[number].label, views[number].class_index, views[number].counts)
                for number, one in self._heard.items()
            ),
        )
