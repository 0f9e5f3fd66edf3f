# SPDX-License-Identifier: Apache-2.0
"""One live session of a studio: a thread that watches, and what all tabs see of it."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path

from codegen.app.contract import feature_contract
from codegen.app.tables.decision import Score
from codegen.common.errors import UserError
from codegen.common.protocol import THRESHOLD
from workbench.audio.recording import read_audio
from workbench.host.features import app_score, listening_spec
from workbench.host.model_app import write_whole
from workbench.live.clips import Clips
from workbench.live.controls import DEVICE_VOTES, GATE, Control
from workbench.live.monitor import Monitor
from workbench.live.run import watch
from workbench.live.samples import Take
from workbench.live.sources import SoundSource
from workbench.live.view import News, View
from workbench.live.watched import Wanted, check, opened
from workbench.studio.recorder import Recorder
from workbench.training.settings_file import Value, replaced, thresholds

BACKOFF = "gate.backoff"
LEVELS = 600  # kept: two and a half minutes
_TOLD = 200  # news kept
_COMMENT = "# earshot studio: chosen while listening"
_END = 30.0  # seconds until a session that was asked to end is left to itself


class Live:
    """Starts and ends sessions, one at a time. `view` is what to show, None before the first."""

    def __init__(self, app: Path | None, recorder: Recorder | None = None) -> None:
        """recorder: where sounds wait that were marked, and decided wrong."""
        self.app = app
        self._recorder = recorder
        self.view: View | None = None
        self.where = ""  # what is watched, in words
        self.error: UserError | None = None  # what ended the last session
        self.levels: deque[tuple[float, int]] = deque(maxlen=LEVELS)  # time, peak
        self.news: deque[News] = deque(maxlen=_TOLD)
        self.score: Score | None = None  # what the app's scores mean
        self._asked: queue.SimpleQueue[Control] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether something is watched, or is being started."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, wanted: Wanted) -> None:
        """Watches what is wanted. UserError where that does not go together; what shows later is `error`."""
        if self.running:
            raise UserError("a session runs already", remedy="Stop it first.")
        check(wanted, app=self.app is not None)
        self.view, self.error, self.where = None, None, ""
        self.levels.clear()
        self.news.clear()
        self._asked = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._watch, args=(wanted,), daemon=True)
        self._thread.start()

    def ask(self, control: Control) -> None:
        """A wish to the session; nothing where none runs."""
        self._asked.put(control)

    def stop(self) -> None:
        """Ends the session, and waits for its end."""
        self.ask(Control(end=True))
        if self._thread is not None:
            self._thread.join(_END)

    def set(self, key: str, value: int) -> None:
        """A setting of the device; of several models, of the one that is shown."""
        self.ask(Control(setting=(key, value)))

    def changed(self) -> dict[str, str]:
        """What would be written into pipeline.toml: "[gate] threshold" -> its value, as text."""
        if self.app is None or self.view is None:
            return {}
        return {f"[{section}] {key}": str(value) for (section, key), value in self._values().items()}

    def write_back(self) -> Path:
        """Writes the device's settings into the app's pipeline.toml; all else stays. The file. UserError
        where nothing differs, or it cannot be."""
        values = self._values()
        if self.app is None or not values:
            raise UserError("no setting of the device differs from pipeline.toml")
        file = listening_spec(self.app)[0].file
        text = replaced(file, values, _COMMENT)
        try:
            write_whole(file.resolve(), text.encode())  # a link stays one
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=file) from None
        return file

    def _values(self) -> dict[tuple[str, str], Value]:
        """Settings of the device that differ from the app's."""
        if self.app is None or self.view is None or self.score is None:
            return {}
        pipeline, settings = listening_spec(self.app)[1], self.view.settings
        found: dict[tuple[str, str], Value] = {}
        for key, place, own in (
            (GATE, ("gate", "threshold"), pipeline.gate.threshold),
            (BACKOFF, ("gate", "backoff"), pipeline.gate.backoff),
            (DEVICE_VOTES, ("decision", "votes"), pipeline.decision.votes),
        ):
            if settings.get(key, own) != own:
                found[place] = settings[key]
        own_limits = self.score.limits(pipeline.decision)
        names = [f"{THRESHOLD}.{label}" for label in pipeline.decision.labels]
        limits = [settings.get(name, own) for name, own in zip(names, own_limits, strict=True)]
        if tuple(limits) != own_limits:
            shares: list[Decimal] = thresholds(limits, pipeline.decision, self.score)
            found["decision", "threshold"] = shares[0] if len(set(shares)) == 1 else shares
        return found

    def _watch(self, wanted: Wanted) -> None:
        """The thread."""
        try:
            spec = pipeline = None
            if self.app is not None:
                spec, pipeline = listening_spec(self.app)
                self.score = app_score(spec) if spec.classifier.model.exists() else None
            monitor = Monitor(
                pipeline.decision.labels if pipeline is not None else (),
                contract=feature_contract(spec) if spec is not None else None,
            )
            with opened(wanted, spec, partial(read_audio, options=False)) as watched:
                self.where, source = watched.where, watched.source
                clips = None
                if self._recorder is not None and isinstance(source, SoundSource):  # the others have no sound
                    clips = Clips(source, _Wrong(self._recorder), source.rate)
                watch(source, monitor, _Page(self), self._wishes, done=watched.done, clips=clips)
        except UserError as error:
            self.error = error
        except OSError as error:
            self.error = UserError(str(error))

    def _wishes(self, _: Monitor) -> Iterator[Control]:
        with suppress(queue.Empty):
            while True:
                yield self._asked.get_nowait()


class _Wrong:
    """A Keeper: takes wait in the recorder for a person who hears them again."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.label: str | None = None
        self.known: Mapping[str, str] = {}

    def add(self, take: Take, rate: int) -> None:
        if self.label is not None:
            self._recorder.wait(self.label, take, rate, self.known)


class _Page:
    """An Output: keeps what the pages show."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def tell(self, news: Sequence[News]) -> None:
        self._live.news.extend(news)

    def show(self, view: View) -> None:
        self._live.view = view
        if view.level is not None:
            self._live.levels.append((view.time, view.level))

    def close(self, view: View) -> None:
        self.show(view)
