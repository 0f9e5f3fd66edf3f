"""scons board=... flash: program, verify, reset, and hear who answers."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from codegen.board import Board
from codegen.errors import UserError
from workbench.flash.boot_line import Port, build_id, find_port, read_boot
from workbench.flash.choose import Choice, choose
from workbench.flash.methods import run


def flash(board: Board, folder: Path, probe: str | None, port: str | None, *, verbose: bool = False) -> int:
    """Flashes the image in `folder`, told on stdout. 0: it runs; 1: it was not verified, or another answers.

    probe: who flashes, as choose() reads it. port: the board's serial port, else it is looked for.
    UserError where program, probe or pack are missing.
    """
    chosen = choose(board, probe)
    pack = _pack(board, chosen)
    command, more = chosen.method.command(chosen.program, board, chosen.serial, pack)
    print(f"\nflashing {board.name} with {chosen}", flush=True)
    if verbose:
        print(f"in {folder}: {' '.join(command)}", flush=True)
    outcome = run(command, folder, {**os.environ, **more})
    if verbose or outcome.code != 0:
        print(outcome.output.rstrip(), flush=True)
    if outcome.code != 0:
        print(_failed(chosen, outcome.code), file=sys.stderr)
        return 1
    if chosen.method.proof is not None and not re.search(chosen.method.proof, outcome.output):
        print(outcome.output.rstrip(), flush=True)
        print(
            f"{chosen.method.title} did not say that the flash holds the image: it is not verified.",
            file=sys.stderr,
        )
        return 1
    print(f"verified and reset: {folder.name}/firmware.hex", flush=True)
    return _heard(board, folder, Port(port, certain=True) if port else find_port(chosen.serial))


def _pack(board: Board, chosen: Choice) -> Path | None:
    """pyOCD's pack, from where `earshot packs` put it."""
    if chosen.method.name != "pyocd" or board.pack is None:
        return None
    from workbench.packs.cache import PackCache

    pack = PackCache().pack_file(board.pack.name)
    if pack is None and board.pack.pyocd:
        raise UserError(
            f"pyOCD knows the chip of {board.name} by the pack {board.pack.name} alone, which is not here",
            remedy=f"Run `earshot packs --board {board.name}`.",
        )
    return pack


def _failed(chosen: Choice, code: int) -> str:
    said = "did not end in time" if code == 124 else f"failed (exit code {code})"
    return (
        f"{chosen.method.title} {said}: the board was not flashed, or its flash was not verified.\n"
        "  Its words are above. Is the board powered, and no other program using the probe?"
    )


def _heard(board: Board, folder: Path, port: Port | None) -> int:
    if port is None:
        print("No serial port of the board was found, so nobody asked the image who it is (port=...).")
        return 0
    try:
        boot = read_boot(port, board)
    except UserError as error:
        print(error, file=sys.stderr)
        return 1 if port.certain else 0
    print(f"{port.name}: {boot.name} on {boot.board}, engine {boot.engine}, build {boot.build}")
    expected = build_id(folder / "firmware.elf")
    if boot.build != expected:
        what = f"{port.name}: the image that answers is not the one just flashed, whose build is {expected}"
        print(what, file=sys.stderr)
        return 1 if port.certain else 0
    print("It is the image just flashed.")
    return 0
