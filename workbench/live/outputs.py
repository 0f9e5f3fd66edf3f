# SPDX-License-Identifier: Apache-2.0
"""Where a session is shown: a terminal, plain lines, or JSON for a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from codegen.common.errors import printable
from workbench.live.view import News, View

Share = Callable[[int], str]  # a score in words: 80.1%
Shares = Mapping[str, Share]  # by the name of the model, "" where the image has one; none: it is not known
BAR = 24  # characters of the level's bar
HISTORY = 8  # sounds on the screen


class Output(Protocol):
    """Shows a session."""

    def tell(self, news: Sequence[News]) -> None:
        """What happened, each once."""

    def show(self, view: View) -> None:
        """The state, a few times a second."""

    def close(self, view: View) -> None:
        """The session is over."""


class PlainOutput:
    """A line for each change: for logs and pipes."""

    def __init__(self, shares: Shares) -> None:
        self._shares = shares

    def tell(self, news: Sequence[News]) -> None:
        """See Output."""
        for one in news:
            score = "" if one.score is None else score_text(one.score, self._shares.get(one.model))
            text = printable(one.text) if one.kind == "class" else f"{one.kind}: {printable(one.text)}"
            text = "idle" if one.kind == "idle" else text
            text = f"{printable(one.model)}: {text}" if one.model else text
            print(f"{one.time:9.2f} s   {text:<24}{score}".rstrip(), flush=True)

    def show(self, view: View) -> None:
        """Nothing: what changes is told."""

    def close(self, view: View) -> None:
        """See Output."""
        print(summary(view))


class JsonOutput:
    """An object a line; the last one has the whole session."""

    def tell(self, news: Sequence[News]) -> None:
        """See Output."""
        for one in news:
            print(json.dumps(one.object()), flush=True)

    def show(self, view: View) -> None:
        """Nothing: what changes is told."""

    def close(self, view: View) -> None:
        """See Output."""
        print(json.dumps(view.object()), flush=True)


class ScreenOutput:
    """A picture in the terminal that is drawn anew."""

    def __init__(self, where: str, shares: Shares) -> None:
        """where: the port or target, for the head."""
        from rich.live import Live

        self._where, self._shares = where, shares
        self._live = Live(auto_refresh=False, screen=False, transient=True)
        self._live.start()

    def tell(self, news: Sequence[News]) -> None:
        """Shown in the picture; only what is over afterwards stays above it as a line."""
        for one in news:
            if one.kind in ("restart", "gone", "back", "error", "lost", "late", "missed"):
                self._live.console.print(
                    f"{one.time:9.2f} s   {one.kind}: {printable(one.text)}", markup=False, highlight=False
                )

    def show(self, view: View) -> None:
        """See Output."""
        from workbench.live.screen import picture

        self._live.update(picture(view, self._where, self._shares.get(view.model)), refresh=True)

    def close(self, view: View) -> None:
        """The terminal is as before; the summary stays."""
        self._live.stop()
        print(summary(view))


def score_text(score: int, share: Share | None) -> str:
    """ "score 77" or, where the app is known, "80.1 %"."""
    return f"score {score}" if share is None else share(score)


def summary(view: View) -> str:
    """What a session came to, for a person."""
    if not view.models:
        counts = _counts(view.counts)
        lines = [f"{view.decisions} decisions in {view.time:.1f} s" + (f": {counts}" if counts else "")]
    else:
        total = sum(sum(one.counts.values()) for one in view.models)
        lines = [f"{total} decisions in {view.time:.1f} s"]
        lines += [f"  {printable(one.name)}: {_counts(one.counts) or 'none'}" for one in view.models]
    lines += [f"  {text}" for text in troubles(view)]
    if view.changed:
        lines.append("Settings that are others now, until the device restarts:")
        lines += [f"  {printable(key)}  {before} -> {now}" for key, (before, now) in view.changed.items()]
    if view.confusion is not None:
        lines += [
            "",
            "Sounds that you marked (rows) and what was decided:",
            printable(view.confusion.table()),
        ]
    return "\n".join(lines)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {printable(label)}" for label, count in sorted(counts.items()))


def troubles(view: View) -> list[str]:
    """What should be 0, where it is not."""
    counted = (
        (view.lost, "samples were lost: the image was too slow for its microphone"),
        (view.late, "windows took longer than the time to the next one"),
        (view.dropped, "lines did not go out: the serial line is too slow, or nobody read it"),
        (view.missed, "decision lines did not come whole: a rate too high, or a bad cable"),
        (view.restarts, "times the device started anew"),
    )
    return [f"{count} {words}" for count, words in counted if count]
