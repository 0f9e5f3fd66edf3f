"""The memory plan as a picture, SVG: bytes of the arena upwards, calls to the right, a rectangle a block."""

from __future__ import annotations

import colorsys
from html import escape

from codegen.common.render import render
from workbench.memory_plan.table import MemoryPlan, block_text, call_name

_LEFT, _TOP, _HEIGHT = 90, 50, 380
_WIDEST = 1100  # of all calls together
_COLUMN = (26, 110)  # of one call, at least and at most
_LETTER = 6.2  # width of one at font size 11
_TICKS = 5


def plan_figure(title: str, memory: MemoryPlan) -> str:
    """The SVG's text."""
    planned = memory.plan
    calls = len(planned.program.layers)
    column = max(_COLUMN[0], min(_COLUMN[1], _WIDEST // max(1, calls)))
    scale = _HEIGHT / max(1, planned.arena)
    bottom = _TOP + _HEIGHT
    blocks = []
    for number, block in enumerate(planned.blocks):
        width = (block.last - block.first + 1) * column - 2
        height = block.size * scale
        text = block_text(planned, block)
        label = f"{block.size:,} B: {text}"
        room = int(width / _LETTER) - 1
        blocks.append(
            {
                "x": _LEFT + block.first * column + 1,
                "y": round(bottom - (block.offset + block.size) * scale, 2),
                "width": width,
                "height": round(height, 2),
                "colour": _colour(number) if block.tensors else "#d8d8d8",
                "hint": escape(f"{label}; at {block.offset:,}"),
                "label": escape(_fitting(label, room)) if height >= 13 else "",
            }
        )
    return render(
        "plan.svg.in",
        title=escape(title),
        left=_LEFT,
        top=_TOP,
        bottom=bottom,
        width=calls * column,
        blocks=blocks,
        alive=_outline(memory.alive, column, bottom, scale),
        bound_y=round(bottom - planned.bound * scale, 2),
        arena=planned.arena,
        bound=planned.bound,
        calls=[(_LEFT + (i + 0.5) * column, escape(call_name(planned, i))) for i in range(calls)],
        ticks=[
            (round(bottom - _HEIGHT * i / _TICKS, 2), f"{planned.arena * i // _TICKS:,}")
            for i in range(_TICKS + 1)
        ],
    )


def _fitting(label: str, room: int) -> str:
    """As much of "16,384 B: output of 4 CONV_2D, 16 x 16 x 32; then ..." as has room, in whole parts."""
    whole = [label, *(label.partition(end)[0] for end in (";", ": ", " B"))]
    return next((text for text in whole if len(text) <= room), "")


def _colour(number: int) -> str:
    """Neighbours differ in hue: the golden ratio apart."""
    parts = colorsys.hls_to_rgb(number * 0.618034 % 1, 0.8, 0.55)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _outline(alive: list[int], column: int, bottom: int, scale: float) -> str:
    """A staircase: the bytes alive at each call."""
    points = []
    for call, amount in enumerate(alive):
        y = round(bottom - amount * scale, 2)
        points += [f"{_LEFT + call * column},{y}", f"{_LEFT + (call + 1) * column},{y}"]
    return " ".join(points)
