# SPDX-License-Identifier: Apache-2.0
"""Mutants of a driver on a fake chip: what a scenario does not notice, and so does not prove."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

Writes = Sequence[tuple[int, int]]  # address, value
Scenario = Callable[..., list[str]]  # with a mutation of Chip's; everything that went wrong


def attempt(scenario: Scenario, **mutation: int) -> list[str]:
    """A scenario that may end anyhow."""
    try:
        return scenario(**mutation)
    except Exception as error:  # whatever a mutant does is a way to be found out
        return [repr(error)]


def name(write: tuple[int, int]) -> str:
    """Of a write, for the lists of those that may be missing or late."""
    return f"{write[0]:#x}={write[1]:#x}"


def unmissed(scenario: Scenario, writes: Writes, steps: Iterable[int]) -> set[str]:
    """Writes without which all goes right, among these numbers."""
    return {name(writes[n]) for n in steps if not attempt(scenario, drop=n)}


def as_good_late(scenario: Scenario, writes: Writes, moved: Iterable[tuple[int, int]]) -> set[str]:
    """Writes with which all goes right after another one; moved: their numbers, and that one's."""
    return {name(writes[n]) for n, act in moved if not attempt(scenario, late=n, until=act)}
