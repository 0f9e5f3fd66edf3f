# SPDX-License-Identifier: Apache-2.0
"""Which program and which probe: what probe=... says, else the first that is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from codegen.board.description import Board
from codegen.board.flash import LOCKING
from codegen.common.errors import UserError
from workbench.flash.methods import METHODS, Method

_SERIAL = re.compile(r"[A-Za-z0-9/][A-Za-z0-9/._:-]*")  # or the port of a bootloader; it goes into scripts


@dataclass(frozen=True)
class Choice:
    """Who flashes. serial None: the program takes the one probe that it finds."""

    method: Method
    program: str
    serial: str | None

    def __str__(self) -> str:
        return self.method.title + (f", probe {self.serial}" if self.serial else "")


def methods_of(board: Board) -> list[Method]:
    """The board's methods in its file's order; UserError where there is none."""
    if board.flash is None:
        runs = board.qemu or board.stand_in
        remedy = (
            f"It is emulated: earshot replay --target qemu --board {board.name} runs its image."
            if runs
            else "Add [flash] to its board.toml; boards/README.md explains its keys."
        )
        raise UserError(f'the board "{board.name}" cannot be flashed', file=board.file, remedy=remedy)
    return [METHODS[name] for name in board.flash.methods]


def choose(board: Board, wanted: str | None) -> Choice:
    """The program and the probe for `wanted`: None, a method, a serial number, or METHOD:SERIAL.

    UserError where no program is installed, no probe is found, or several are and none was chosen.
    """
    named, serial = _read(wanted)
    methods = methods_of(board)
    if named is not None:
        methods = [method for method in methods if method.name == named]
        if not methods:
            able = ", ".join(method.name for method in methods_of(board))
            raise UserError(
                f'the board "{board.name}" is not flashed with {named}',
                file=board.file,
                remedy=f"Its methods: {able}.",
            )
    if board.flash is not None and board.flash.lock:
        methods = [method for method in methods if method.name in LOCKING]
        if not methods:
            what = "cannot be locked with bossac" if named == "bossac" else "cannot be locked by its methods"
            raise UserError(
                f"lock = true, but the debug port {what}",
                file=board.file,
                remedy=f"Flash with one of {', '.join(LOCKING)}, or remove lock.",
            )
    installed = [(method, program) for method in methods if (program := method.program) is not None]
    if not installed:
        raise _nothing_installed(board, methods)

    silent: list[tuple[Method, str]] = []  # installed, and cannot tell which probes there are
    seen: list[str] = []
    for method, program in installed:
        probes = method.probes(program, board)
        if probes is None:
            silent.append((method, program))
            continue
        matching = [probe for probe in probes if serial is None or _same(probe, serial)]
        if len(matching) > 1:
            raise _several(method, matching)
        if matching:
            return Choice(method, program, matching[0])
        seen += [probe for probe in probes if probe not in seen]
    if silent and not seen:
        return Choice(*silent[0], serial)
    raise no_probe(board, [method for method, _ in installed], serial, seen)


def _read(wanted: str | None) -> tuple[str | None, str | None]:
    """The method and the serial number that `wanted` names."""
    if wanted is None:
        return None, None
    name, _, rest = wanted.partition(":")
    named = name.lower() if name.lower() in METHODS else None
    serial = rest if named else wanted
    if (serial or named is None) and not _SERIAL.fullmatch(serial):
        raise UserError(
            f'probe="{wanted}" is not a probe',
            remedy=f"Write SERIAL, METHOD or METHOD:SERIAL; methods: {', '.join(METHODS)}.",
        )
    return named, serial or None


def _same(probe: str, wanted: str) -> bool:
    """Serial numbers are written with and without leading zeros, in letters of either case."""
    return probe.lstrip("0").lower() == wanted.lstrip("0").lower()


def _nothing_installed(board: Board, methods: list[Method]) -> UserError:
    lines = ["Install it:" if len(methods) == 1 else "Install one of them:"]
    width = max(len(method.title) for method in methods)
    lines += [f"    {method.title + ':':<{width + 1}} {method.install}" for method in methods]
    names = ", ".join(method.programs[0] for method in methods)
    return UserError(
        f'no program that flashes the board "{board.name}" is on PATH: {names}', remedy="\n".join(lines)
    )


def _several(method: Method, probes: list[str]) -> UserError:
    what = "ports" if method.name == "bossac" else "probes"
    return UserError(
        f"{method.title} sees {len(probes)} {what}: {', '.join(probes)}",
        remedy=f"Choose one: probe={probes[0]}, or connect the one board alone.",
    )


def no_probe(
    board: Board, methods: Sequence[Method], serial: str | None, seen: Sequence[str] = ()
) -> UserError:
    """No probe, or none of this serial number, was found by these methods; `seen`: others that were."""
    asked = ", ".join(method.title for method in methods)
    if serial is not None and seen:
        return UserError(
            f"there is no probe {serial}; {asked} found {', '.join(seen)}", remedy=f"Choose probe={seen[0]}."
        )
    hint = "Connect the board by its debug USB port; on Linux the probe's udev rules must be installed."
    if [method.name for method in methods] == ["bossac"]:
        hint = "Connect the board by USB and press its reset button twice, so that its bootloader runs."
    which = f" {serial}" if serial is not None else ""
    return UserError(f'no probe{which} for the board "{board.name}" is found (asked: {asked})', remedy=hint)
