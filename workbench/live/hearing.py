# SPDX-License-Identifier: Apache-2.0
"""What one model of a device hears, as one state that events change: no terminal, no clock, no port. Of
several models in an image each has a state of its own; monitor.py holds them together."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping

from codegen.common.protocol import THRESHOLD
from workbench.live.events import Back, Event, Gone, Level, Mark, Received, Sent
from workbench.live.sounds import PAUSE, Sound, Sounds
from workbench.live.view import News, Point, View
from workbench.protocol.lines import (
    Boot,
    ClassifierLine,
    Decision,
    Error,
    Fault,
    Line,
    Lines,
    Setting,
    Status,
    parse_line,
)
from workbench.protocol.results import parse_result
from workbench.training.confusion import UNCERTAIN

IDLE, UNKNOWN, NO_MAJORITY = "idle", "Unknown", "uncertain"
POINTS = 400  # decisions kept for a curve: ten seconds at 40 a second
VOTES = 10  # decisions that may vote at most
_NEWS = 1000  # kept until somebody takes them
_RATE_SECONDS = 2.0
_LEVEL_SECONDS = 0.3  # that a level stands
_OPEN_SECONDS = 0.2  # after a decision within which sound passes the gate
_START_SECONDS = 2.0  # after a port is opened: opening may itself restart a board
_SILENT_SECONDS = 5.0
_GARBAGE = 100  # bytes that are no text until it is said
_STRANGE = 5  # lines that are none of ours
_TEXT = bytes([*b"\t\n\r", *range(32, 127)])
NO_TEXT = "what comes is no text: another rate (--baud), or another device"
NOTHING = "nothing comes: is it an image of Earshot or SensiML, and is the rate right (--baud)?"
NO_LINES = "what comes are no lines of Earshot or SensiML"


class Hearing:
    """Events in, view out. Give events in the order of their times."""

    def __init__(
        self,
        labels: tuple[str, ...] = (),
        classes: Mapping[int, Mapping[int, str]] | None = None,
        *,
        votes: int = 1,
        idle_after: float = 2.0,
        contract: str | None = None,
        model: int = 0,
    ) -> None:
        """labels: until the device tells its own. classes: names of SensiML's classes, by model.
        votes: decisions, 1..10, that vote here, beside the device's own votes. idle_after: seconds.
        contract: the feature contract that the device should have; None: any. model: its number in the image.
        """
        self._classes = classes or {}
        self._model = model
        self._line: ClassifierLine | None = None  # what the image says of this model, where it has several
        self._others: dict[int, ClassifierLine | None] = {}
        named = self._classes.get(model, {})
        numbered = tuple(named.get(index, f"class {index}") for index in range(1, max(named, default=0) + 1))
        self._labels = labels or numbered
        self._host_votes = votes
        self._idle_after = idle_after
        self._contract = contract
        self._time = 0.0
        self._lines = Lines()
        self._news: deque[News] = deque(maxlen=_NEWS)
        self._sounds = Sounds(UNKNOWN)
        self._points: deque[Point] = deque(maxlen=POINTS)
        self._votes: deque[tuple[int, str]] = deque(maxlen=VOTES)  # what the device said, the newest last
        self._counts: Counter[str] = Counter()
        self._boot: Boot | None = None
        self._status: Status | None = None
        self._settings: dict[str, int] = {}  # of all models
        self._settings_before: dict[str, int] = {}  # as the device had them first
        self._asked = 0  # boot lines that are answers
        self._opened = 0.0
        self._away: str | None = None
        self._label, self._class_index = "", 0
        self._decided: float | None = None  # time of the newest decision
        self._first_line: float | None = None
        self._level: tuple[float, int] | None = None
        self._received = 0  # bytes since the port was opened
        self._garbage = 0  # of them no text, since a line was understood
        self._strange = 0  # lines not understood, since one was
        self._base: tuple[int, int] | None = None  # decisions and dropped lines of the first status
        self._since_base = 0  # decision lines after it
        self._missed_before = self._missed = 0
        self._restarts = 0
        self._error: str | None = None
        self._warned: str | None = None

    def take(self, event: Event) -> None:
        """Something happened."""
        self._time = max(self._time, event.time)
        if isinstance(event, Received):
            self._take_bytes(event.data)
        elif isinstance(event, Sent):
            self._asked += event.text == "boot"
        elif isinstance(event, Level):
            before = self._level
            if before is None or event.peak >= before[1] or event.time - before[0] > _LEVEL_SECONDS:
                self._level = (event.time, event.peak)
        elif isinstance(event, Gone):
            if self._away is None:
                self._tell("gone", f"the port is gone: {event.why}")
            self._away = event.why
        elif isinstance(event, Back):
            self._back()
        elif isinstance(event, Mark):
            self._mark(event)
        self.advance(self._time)

    def advance(self, time: float) -> None:
        """Time passes, also while nothing comes."""
        self._time = max(self._time, time)
        self._sounds.advance(self._time)
        since = self._first_line if self._decided is None else self._decided
        if since is not None and self._time - since > self._idle_after and self._label != IDLE:
            self._label, self._class_index = IDLE, 0
            self._votes.clear()
            self._tell("idle", IDLE)
        warning = self._warning()
        if warning is not None and warning != self._warned:
            self._tell("warning", warning)
        self._warned = warning

    def news(self) -> list[News]:
        """What was not taken yet, in its order."""
        found = list(self._news)
        self._news.clear()
        return found

    def set_host_votes(self, votes: int) -> None:
        """Decisions that vote here from now on, 1..10."""
        self._host_votes = min(max(votes, 1), VOTES)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes; empty until they are known."""
        return self._labels

    @property
    def others(self) -> Mapping[int, ClassifierLine | None]:
        """The image's other models that were heard of, by number, and what it says of them."""
        return self._others

    @property
    def rest(self) -> bytes:
        """Of a line that has not come whole yet."""
        return self._lines.rest

    @property
    def silent(self) -> bool:
        """Nobody has said that this model is there: a device of SensiML may have none of the number 0."""
        return not self._counts and self._boot is None and self._status is None and self._line is None

    @property
    def name(self) -> str:
        """Of this model; "" where the image has no other."""
        return self._line.name if self._line is not None else f"model {self._model}" if self._others else ""

    def named(self, line: ClassifierLine) -> None:
        """What the image says of this model."""
        self._line, self._labels = line, line.labels

    def key(self, setting: str) -> str:
        """A setting of this model, as the device names it."""
        return f"{self._prefix}{setting}" if f"{self._prefix}{setting}" in self._settings else setting

    @property
    def _prefix(self) -> str:
        return f"{self._line.name}." if self._line is not None else ""

    @property
    def settings(self) -> dict[str, int]:
        """Of the device and this model, by their keys without the model's name; empty where it has none."""
        return {
            key.removeprefix(self._prefix): value
            for key, value in self._settings.items()
            if key.startswith((self._prefix, "gate.")) or not self._prefix
        }

    @property
    def time(self) -> float:
        """Seconds since the session began."""
        return self._time

    def sounds(self) -> tuple[Sound, ...]:
        """The last ones, the newest last."""
        return self._sounds.recent()

    @property
    def windows(self) -> int:
        """That the device has worked on since it started, as it said last."""
        return self._status.values.get("windows", 0) if self._status is not None else 0

    def view(self) -> View:
        """What to show now."""
        votes = self._vote_count
        last = list(self._points)[-votes:] if self._label != IDLE else []
        scores = [point.score for point in last if point.score is not None]
        counters = self._status.values if self._status is not None else {}
        agreeing = sum(point.class_index == self._class_index for point in last)
        return View(
            time=self._time,
            device=self._device(),
            labels=self._labels,
            away=self._away,
            warning=self._warning(),
            label=self._label,
            class_index=self._class_index,
            score=self._points[-1].score if self._points and self._label != IDLE else None,
            mean=sum(scores) / len(scores) if scores else None,
            votes=votes,
            agreeing=agreeing,
            level=self._level[1] if self._level is not None else counters.get("level"),
            open=self._decided is not None and self._time - self._decided <= _OPEN_SECONDS,
            rate=sum(self._time - point.time <= _RATE_SECONDS for point in self._points) / _RATE_SECONDS,
            decisions=self._counts.total(),
            counts=dict(self._counts),
            settings=self.settings,
            changed={
                key: (before, self._settings[key])
                for key, before in self._settings_before.items()
                if self._settings.get(key, before) != before
            },
            late=counters.get("late", 0),
            lost=counters.get("lost", 0),
            dropped=counters.get("dropped", 0),
            missed=self._missed_before + self._missed,
            restarts=self._restarts,
            live=self._status.live if self._status is not None else None,
            error=self._error,
            sounds=self._sounds.recent(),
            points=tuple(self._points),
            confusion=self._sounds.confusion(self._labels),
        )

    @property
    def _vote_count(self) -> int:
        return self._host_votes if self._host_votes > 1 else self.settings.get("decision.votes", 1)

    def _device(self) -> str:
        if self._boot is None:
            return "a device of SensiML" if self._counts and self._status is None else ""
        return f"{self._boot.name} on {self._boot.board}"

    def _warning(self) -> str | None:
        boot = self._boot
        if boot is not None and self._contract is not None and boot.contract != self._contract:
            return f"its feature contract is {boot.contract}, the app's {self._contract}: other features"
        if self._away is None and self._garbage >= _GARBAGE:
            return NO_TEXT
        if self._away is None and self._strange >= _STRANGE:
            return NO_LINES
        if self._away is None and self._received == 0 and self._time - self._opened > _SILENT_SECONDS:
            return NOTHING
        return None

    def _tell(self, kind: str, text: str, label: str | None = None, score: int | None = None) -> None:
        self._news.append(News(self._time, kind, text, label, score))

    def _back(self) -> None:
        if self._away is not None:
            self._tell("back", "the port is open again")
        self._away = None
        self._opened, self._received, self._asked = self._time, 0, 0
        self._garbage = self._strange = 0
        self._lines = Lines()
        self._new_base()

    def _mark(self, event: Mark) -> None:
        if event.label is not None and event.label not in self._labels:
            return
        self._sounds.mark(event.time, event.label)
        self._tell(
            "mark", f"really {event.label}" if event.label is not None else "the last mark is taken back"
        )

    def _take_bytes(self, data: bytes) -> None:
        self._received += len(data)
        self._garbage += len(data.translate(None, _TEXT))
        for text in self._lines.take(data):
            line = parse_line(text)
            if line is not None:
                self._understood()
                self._take_line(line)
                continue
            result = parse_result(text)
            if result is None:
                self._strange += bool(text.strip())
                continue
            self._understood()
            if self._mine(result.model_number):
                self._decide(
                    result.class_index, self._name(result.model_number, result.class_index), result.score
                )

    def _mine(self, model: int) -> bool:
        if model == self._model:
            return True
        self._others.setdefault(model, None)
        return False

    def _understood(self) -> None:
        self._garbage = self._strange = 0
        if self._first_line is None:
            self._first_line = self._time

    def _name(self, model: int, index: int) -> str:
        """Of a class that the line itself does not name."""
        if index in self._classes.get(model, {}):
            return self._classes[model][index]
        if index == 0:
            return UNKNOWN
        return self._labels[index - 1] if index <= len(self._labels) else f"class {index}"

    def _take_line(self, line: Line) -> None:
        if isinstance(line, Decision):
            self._since_base += 1
            if not self._mine(line.model_number):
                return
            index, label = line.class_index, line.label
            if index == 0 and self._reached(line.score):
                index, label = UNCERTAIN, NO_MAJORITY
            self._decide(index, label, line.score)
        elif isinstance(line, ClassifierLine):
            if line.number == self._model:
                self.named(line)
            else:
                self._others[line.number] = line
        elif isinstance(line, Boot):
            self._booted(line)
        elif isinstance(line, Status):
            self._take_status(line)
        elif isinstance(line, Setting):
            self._set(line)
        elif isinstance(line, Error):
            reason = line.more.get("reason")
            self._error = f"{line.what} {line.detail}" + (f", {reason}" if reason else "")
            self._tell("error", self._error)
        elif isinstance(line, Fault):
            self._error = f"its last run ended with {line.what} {line.detail}"
            self._tell("error", self._error)

    def _reached(self, score: int) -> bool:
        """The score is enough for every class, so what was lacking is a majority."""
        settings = self.settings
        limits = [value for key, value in settings.items() if key.startswith(THRESHOLD)]
        return settings.get("decision.votes", 1) > 1 and bool(limits) and score >= max(limits)

    def _decide(self, index: int, label: str, score: int | None) -> None:
        fresh = self._decided is None or self._time - self._decided > PAUSE  # another sound
        if fresh:
            self._votes.clear()
        self._votes.append((index, label))
        if self._host_votes > 1:
            index, label = self._voted()
        self._decided = self._time
        self._counts[label] += 1
        self._points.append(Point(self._time, index, score))
        self._sounds.decided(self._time, index, label, score)
        if fresh or label != self._label:
            self._label, self._class_index = label, index
            self._tell("class", label, label, score)

    def _voted(self) -> tuple[int, str]:
        """The most frequent of the last decisions; below half of them it is uncertain, as in SensiML's
        gateway."""
        last = list(self._votes)[-self._host_votes :]
        winner, count = Counter(last).most_common(1)[0]
        return winner if 2 * count >= self._host_votes else (UNCERTAIN, NO_MAJORITY)

    def _booted(self, boot: Boot) -> None:
        restart = self._asked == 0 and self._time - self._opened > _START_SECONDS
        self._asked = max(0, self._asked - 1)
        if restart:
            self._restarts += 1
            self._tell("restart", f"it has started anew ({boot.reset or 'nobody knows why'})")
            self._new_base()
        if boot != self._boot:
            self._tell("device", f"{boot.name} on {boot.board}, build {boot.build or 'unknown'}")
        self._boot = boot
        if self._model == 0:  # the others' labels stand in lines of their own
            self._labels = boot.labels or self._labels

    def _new_base(self) -> None:
        """The device counts from 0, or nobody listened: what was missed until here stays missed."""
        self._missed_before += self._missed
        self._missed, self._base, self._status = 0, None, None

    def _take_status(self, status: Status) -> None:
        values, before = status.values, self._status.values if self._status is not None else None
        self._settings = {key: value for key, value in values.items() if "." in key}
        self._settings_before = self._settings_before or dict(self._settings)
        decisions, dropped = values.get("decisions", 0), values.get("dropped", 0)
        if self._base is None:
            self._base, self._since_base = (decisions, dropped), 0
        missed = decisions - self._base[0] - (dropped - self._base[1]) - self._since_base
        if missed > self._missed:
            self._tell("missed", f"{missed - self._missed} decision lines did not come whole")
            self._missed = missed
        for key, words in (("lost", "samples lost"), ("late", "windows late")):
            more = values.get(key, 0) - (before or values).get(key, 0)
            if more > 0:
                self._tell(key, f"{more} {words}")
        self._status = status

    def _set(self, setting: Setting) -> None:
        """Without a model's name a key is of each that has it, without a label the threshold of every one."""
        own = [key for key in self._settings if _means(setting.key, key)]
        self._settings |= dict.fromkeys(own or [setting.key], setting.value)
        self._tell("setting", f"{setting.key} = {setting.value}")


def _means(setting: str, key: str) -> bool:
    """Whether "decision.threshold", or "words.decision.threshold.yes", means this key of the device."""
    _, _, own = key.partition(".")  # without the model's name, where it has one
    return setting in (key, own) or (
        setting.endswith(THRESHOLD) and (key.startswith(f"{setting}.") or own.startswith(f"{setting}."))
    )
