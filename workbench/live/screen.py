# SPDX-License-Identifier: Apache-2.0
"""The picture that `monitor` draws in a terminal, from a view."""

from __future__ import annotations

import math

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from codegen.common.errors import printable
from codegen.common.protocol import THRESHOLD
from workbench.live.controls import DEVICE_VOTES, GATE, LEGEND, NEXT
from workbench.live.outputs import BAR, HISTORY, Share, score_text
from workbench.live.view import View
from workbench.training.confusion import UNCERTAIN

_COLOURS = ("green", "cyan", "magenta", "blue", "yellow")
_BARS = " ▁▂▃▄▅▆▇█"
_CURVE = 60  # decisions in the curve of scores


def picture(view: View, where: str, share: Share | None) -> RenderableType:
    """All of it, for a terminal of 80 columns or more."""
    parts: list[RenderableType] = [
        *_models(view),
        _now(view, share),
        _level(view),
        _accepts(view),
        _curve(view),
        Text(""),
    ]
    if view.sounds:
        parts += [_history(view, share), Text("")]
    parts += [_counters(view), Text(""), Text(LEGEND + (NEXT if view.models else ""), "dim")]
    device = printable(view.device) or "nobody has said who it is yet"
    title = Text(f"{device}, {printable(where)}, {view.time:.0f} s")
    body = Panel(Group(*parts), title=title, title_align="left")
    above = [Text(printable(text), "bold red") for text in (_away(view), view.warning, _deaf(view)) if text]
    return Group(*above, body)


def _models(view: View) -> list[Text]:
    """Of several models what each hears now; the name of the one that is shown is marked."""
    if not view.models:
        return []
    text = Text()
    for one in view.models:
        shown = one.name == view.model
        text.append(f"{printable(one.name)} ", "bold reverse" if shown else "")
        text.append(f" {printable(one.label) or '...'}     ", colour(one.class_index))
    return [text, Text("")]


def _away(view: View) -> str | None:
    return None if view.away is None else f"The port is gone ({view.away}); it is tried again every second."


def _deaf(view: View) -> str | None:
    return (
        "It does not listen to its microphone: press l."
        if view.live is False and view.level is None
        else None
    )


def colour(class_index: int) -> str:
    """Of a class, the same everywhere on the screen."""
    if class_index == UNCERTAIN:
        return "red"
    return _COLOURS[(class_index - 1) % len(_COLOURS)] if class_index > 0 else "dim"


def _now(view: View, share: Share | None) -> Text:
    text = Text()
    text.append(f"{printable(view.label) or '...':<24}", f"bold {colour(view.class_index)}")
    if view.score is not None:
        text.append(f"  {score_text(view.score, share)}")
    if view.mean is not None and view.votes > 1:
        text.append(f"  mean {score_text(round(view.mean), share)}")
    if view.votes > 1:
        text.append(f"  {view.agreeing} of {view.votes} votes")
    text.append(f"  {view.rate:.0f} decisions a second")
    return text


def _level(view: View) -> Text:
    text = Text("gate ")
    text.append("open  " if view.open else "shut  ", "green" if view.open else "dim")
    threshold = view.settings.get(GATE)
    if view.level is not None:
        filled = _log_share(view.level)
        style = "red" if view.level >= 32767 else "green"
        text.append("█" * filled, style).append("·" * (BAR - filled), "dim")
        text.append(f"  level {view.level}", style if view.level >= 32767 else "")
    if threshold is not None:
        text.append(f"  opens above {threshold}")
    return text


def _accepts(view: View) -> Text:
    limits = {
        key.removeprefix(f"{THRESHOLD}."): value
        for key, value in view.settings.items()
        if key.startswith(f"{THRESHOLD}.")
    }
    if not limits:
        return Text("")
    same = len(set(limits.values())) == 1
    each = ", ".join(f"{printable(label)} {value}" for label, value in limits.items())
    votes = view.settings.get(DEVICE_VOTES, 1)
    words = f"accepts scores from {min(limits.values()) if same else each}"
    return Text(words + (f", votes of {votes} decisions" if votes > 1 else ""), "dim")


def _log_share(level: int) -> int:
    """Characters of the bar: 1 is none of it, 32768 all."""
    return min(BAR, round(BAR * math.log2(max(level, 1)) / 15))


def _curve(view: View) -> Text:
    text = Text("scores     ")
    for point in view.points[-_CURVE:]:
        high = 128 if point.score is None else min(max(point.score + 128, 0), 255)
        text.append(_BARS[high * (len(_BARS) - 1) // 255], colour(point.class_index))
    return text


def _history(view: View, share: Share | None) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("second", "sound", "most", "decisions", "really"):
        table.add_column(name, justify="left" if name in ("sound", "really") else "right")
    for sound in view.sounds[-HISTORY:]:
        right = sound.truth == sound.label
        table.add_row(
            f"{sound.start:.2f}",
            Text(printable(sound.label), colour(sound.class_index)),
            "" if sound.score is None else score_text(sound.score, share),
            str(sound.decisions) if sound.decisions else "none",
            Text(printable(sound.truth or ""), "green" if right else "bold red"),
        )
    return table


def _counters(view: View) -> Text:
    text = Text()
    for number, label in enumerate(view.labels[:9], start=1):
        text.append(f"{number} {printable(label)} ", colour(number)).append(f"{view.counts.get(label, 0)}   ")
    for label in ("Unknown", "uncertain"):
        text.append(f"{label} ", "dim").append(f"{view.counts.get(label, 0)}   ")
    text.append("\n")
    counters = (
        ("late", view.late),
        ("lost", view.lost),
        ("dropped", view.dropped),
        ("missed", view.missed),
        ("restarts", view.restarts),
    )
    for name, count in counters:
        text.append(f"{name} {count}   ", "bold red" if count else "dim")
    if view.confusion is not None:
        right, marked = sum(view.confusion.right), sum(view.confusion.support)
        text.append(f"\nof {marked} marked sounds {right} right", "bold")
    if view.error is not None:
        text.append(f"\nlast error: {printable(view.error)}", "red")
    return text
