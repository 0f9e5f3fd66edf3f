# SPDX-License-Identifier: Apache-2.0
"""The memory plan as a picture, SVG: bytes upwards, calls to the right, a rectangle a block of the arena;
above it what is kept from decision to decision."""

from __future__ import annotations

import colorsys
from html import escape

from codegen.common.render import render
from workbench.memory_plan.table import MemoryPlan

_LEFT, _TOP, _HEIGHT = 90, 70, 380
_GAP = 34  # between the arena and what is kept
_WIDEST = 1100  # of all calls together
_LEAST = 560
_COLUMN = (26, 110)  # of one call, at least and at most
_LETTER = 6.2  # width of one at font size 11
_TICKS = 5
_WORKING, _KEPT = "#d8d8d8", "#c9d6ea"


def plan_figure(title: str, memory: MemoryPlan) -> str:
    """The SVG's text."""
    calls = len(memory.calls)
    column = max(_COLUMN[0], min(_COLUMN[1], _WIDEST // max(1, calls)), -(-_LEAST // max(1, calls)))
    width = calls * column
    scale = _HEIGHT / max(1, memory.arena + memory.history)
    arena_top = _TOP + (memory.history * scale + _GAP if memory.kept else 0.0)
    bottom = arena_top + memory.arena * scale
    blocks = [
        _block(
            (_LEFT + row.first * column + 1, (row.last - row.first + 1) * column - 2),
            bottom - (row.offset + row.size) * scale,
            row.size * scale,
            f"{row.size:,} B: {row.text}",
            _colour(number) if row.tensors else _WORKING,
        )
        for number, row in enumerate(memory.rows)
    ]
    offset = 0
    for kept in memory.kept:
        offset += kept.size
        y = _TOP + (memory.history - offset) * scale
        label = f"{kept.size:,} B: {kept.text}"
        blocks.append(_block((_LEFT + 1, width - 2), y, kept.size * scale, label, _KEPT))
    axes = [(bottom, memory.arena, scale, "arena, bytes")]
    if memory.kept:
        axes.append((_TOP + memory.history * scale, memory.history, scale, "kept, bytes"))
    return render(
        "plan.svg.in",
        title=escape(title),
        left=_LEFT,
        bottom=round(bottom, 2),
        width=width,
        blocks=blocks,
        alive=_outline(memory.alive, column, bottom, scale),
        bound_y=round(bottom - memory.bound * scale, 2),
        arena=memory.arena,
        bound=memory.bound,
        history=memory.history,
        calls=[(_LEFT + (i + 0.5) * column, escape(call.name)) for i, call in enumerate(memory.calls)],
        axes=[
            (round((base + base - total * scale) / 2, 2), words, _ticks(base, total, scale))
            for base, total, scale, words in axes
        ],
    )


def _block(
    across: tuple[float, float], y: float, height: float, label: str, colour: str
) -> dict[str, object]:
    """A rectangle. across: x and width; y: its upper edge."""
    x, width = across
    return {
        "x": x,
        "y": round(y, 2),
        "width": width,
        "height": round(height, 2),
        "colour": colour,
        "hint": escape(label),
        "label": escape(_fitting(label, int(width / _LETTER) - 1)) if height >= 13 else "",
    }


def _ticks(base: float, total: int, scale: float) -> list[tuple[float, str]]:
    """From 0 to all of it, as many as have room."""
    count = max(1, min(_TICKS, int(total * scale / 18)))
    marks = [total * i // count for i in range(count + 1)]
    return [(round(base - mark * scale, 2), f"{mark:,}") for mark in marks]


def _fitting(label: str, capacity: int) -> str:
    """As much of "16,384 B: output of 4 CONV_2D, 16 x 16 x 32; then ..." as there is space for, in whole
    parts."""
    whole = [label, *(label.partition(end)[0] for end in (";", ", ", ": ", " B"))]
    return next((text for text in whole if len(text) <= capacity), "")


def _colour(number: int) -> str:
    """Neighbours differ in hue: the golden ratio apart."""
    parts = colorsys.hls_to_rgb(number * 0.618034 % 1, 0.8, 0.55)
    return "#" + "".join(f"{round(255 * part):02x}" for part in parts)


def _outline(alive: list[int], column: int, bottom: float, scale: float) -> str:
    """A staircase: the bytes alive at each call."""
    points = []
    for call, amount in enumerate(alive):
        y = round(bottom - amount * scale, 2)
        points += [f"{_LEFT + call * column},{y}", f"{_LEFT + (call + 1) * column},{y}"]
    return " ".join(points)
