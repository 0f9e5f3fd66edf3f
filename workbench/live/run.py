# SPDX-License-Identifier: Apache-2.0
"""The loop of a session: events into the state, the state onto a screen, keys to the device."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack

from workbench.live.clips import Clips
from workbench.live.controls import Control
from workbench.live.events import Event
from workbench.live.monitor import Monitor
from workbench.live.outputs import Output
from workbench.live.session_file import SessionWriter
from workbench.live.sources import Source

SHOW_EVERY = 0.25  # seconds between two pictures
WAIT = 0.1  # seconds in which a key is seen at the latest


def watch(
    source: Source,
    monitor: Monitor,
    output: Output,
    asked: Callable[[Monitor], Iterable[Control]],
    writer: SessionWriter | None = None,
    *,
    seconds: float | None = None,
    done: Callable[[Monitor], bool] = lambda monitor: False,
    clips: Clips | None = None,
) -> None:
    """Until the source is over, `done`, `seconds` have passed, or somebody ends it. The output is closed
    then, whatever ended it. asked: what somebody wants since it was called last; each is done before the next
    is taken from it. clips: keeps what was decided wrong."""

    def take(events: list[Event]) -> None:
        for event in events:
            monitor.take(event)
            if writer is not None:
                writer.take(event)

    next_show = 0.0
    try:
        ended = False
        while not (ended or source.over or done(monitor)):
            take(source.events(WAIT))
            for wish in asked(monitor):
                for text in wish.lines(monitor):
                    take(source.send(text))
                if wish.mark is not None or wish.take_back:
                    take([monitor.mark(source.now, wish.mark)])
                if wish.host_votes is not None:
                    monitor.set_host_votes(wish.host_votes)
                if wish.next_model:
                    monitor.show_next()
                if wish.model is not None:
                    monitor.show(wish.model)
                ended = ended or wish.end
            monitor.advance(source.now)
            output.tell(monitor.news())
            if clips is not None:
                clips.look(monitor)
            if time.monotonic() >= next_show:
                output.show(monitor.view())
                next_show = time.monotonic() + SHOW_EVERY
            ended = ended or (seconds is not None and source.now >= seconds)
    except KeyboardInterrupt:
        pass  # the usual way to end it
    finally:
        with ExitStack() as ends:  # the last one first, and each of them though another fails
            ends.callback(lambda: output.close(monitor.view()))
            ends.callback(lambda: output.tell(monitor.news()))
            if clips is not None:
                ends.callback(clips.look, monitor, over=True)
