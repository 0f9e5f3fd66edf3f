# SPDX-License-Identifier: Apache-2.0
"""Two engines of one app beside each other: instructions, flash, RAM."""

from __future__ import annotations

from typing import Any

from workbench.profiling.profile import Profile


def rows(found: Profile) -> dict[str, int | None]:
    """What is compared, by its words; None: the engine does not have it."""
    counts = found.decisions
    return {
        "instructions, full": counts.full,
        "instructions, incremental": counts.incremental,
        "instructions, worst": counts.worst,
        "flash B, code": found.flash.code,
        "flash B, constants": found.flash.constants,
        "flash B": found.flash.code + found.flash.constants,
        "RAM B, arena": found.ram.arena,
        "RAM B, state": found.ram.state,
        "RAM B, stack": found.ram.stack,
        "RAM B": found.ram.total,
    }


def table(first: Profile, second: Profile) -> str:
    """For a person; the last column says how many times the first one's number the second's is."""
    lines = [
        f"  {first.app} on {first.board}",
        f"  {'':<28}{first.engine:>14}{second.engine:>14}{'times':>9}",
    ]
    theirs = rows(second)
    for name, count in rows(first).items():
        other = theirs[name]
        times = f"{other / count:>9.2f}" if count and other else ""
        lines.append(f"  {name:<28}{_cell(count)}{_cell(other)}{times}".rstrip())
    best = first.decisions.incremental or first.decisions.full
    needs = second.decisions.incremental or second.decisions.full
    lines.append(
        f"  A decision while sound goes on: {needs / best:.1f} times the instructions with {second.engine}."
    )
    return "\n".join(lines)


def as_json(first: Profile, second: Profile) -> dict[str, Any]:
    """Engine -> its numbers."""
    return {found.engine: rows(found) for found in (first, second)}


def _cell(value: int | None) -> str:
    return f"{'-' if value is None else f'{value:,}':>14}"
