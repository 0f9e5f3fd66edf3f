"""scons board=... flash: program, verify, reset, and hear who answers."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from workbench.flash.boot_line import Port, build_id, find_ports, read_boot
from workbench.flash.choose import Choice, choose, no_probe
from workbench.flash.methods import TIMED_OUT, run


class FlashError(UserError):
    """The board was not flashed, not verified, or does not run the image."""

    exit_code = 1


def flash(board: Board, folder: Path, probe: str | None, port: str | None, *, verbose: bool = False) -> None:
    """Flashes the image in `folder`, verifies, resets, and asks it who it is; told on stdout.

    probe: who flashes, as choose() reads it. port: the board's serial port, else it is looked for.
    UserError where program, probe or pack are missing, FlashError where what was done failed.
    """
    chosen = choose(board, probe)
    pack = _pack(board, chosen)
    command, more = chosen.method.command(chosen.program, board, chosen.serial, pack)
    print(f"\nflashing {board.name} with {chosen}", flush=True)
    if verbose:
        print(f"in {folder}: {' '.join(command)}", flush=True)
    outcome = run(command, folder, {**os.environ, **more})
    verified = chosen.method.proof is None or re.search(chosen.method.proof, outcome.output) is not None
    if outcome.code != 0 and chosen.method.absent and re.search(chosen.method.absent, outcome.output):
        raise no_probe(board, [chosen.method], chosen.serial)
    if verbose or outcome.code != 0 or not verified:
        print(outcome.output.rstrip(), flush=True)
    if outcome.code != 0:
        raise _failed(chosen, outcome.code)
    if not verified:
        raise FlashError(
            f"{chosen.method.title} did not say that the flash holds the image: it is not verified",
            remedy="Its words are above. Flash again, or with another method (probe=...).",
        )
    print(f"verified and reset: {folder.name}/firmware.hex", flush=True)
    _hear(board, folder, [Port(port, certain=True)] if port else find_ports(chosen.serial))


def _pack(board: Board, chosen: Choice) -> Path | None:
    """pyOCD's pack, from where `earshot packs` put it."""
    if chosen.method.name != "pyocd" or board.pack is None:
        return None
    from toolbox.packs.cache import PackCache

    pack = PackCache().pack_file(board.pack.name)
    if pack is None and board.pack.pyocd:
        raise UserError(
            f"pyOCD knows the chip of {board.name} by the pack {board.pack.name} alone, which is not here",
            remedy=f"Run `earshot packs --board {board.name}`.",
        )
    return pack


def _failed(chosen: Choice, code: int) -> FlashError:
    said = "did not end in time" if code == TIMED_OUT else f"failed (exit code {code})"
    return FlashError(
        f"{chosen.method.title} {said}: the board was not flashed, or its flash was not verified",
        remedy="Its words are above. Is the board powered, and no other program using the probe?",
    )


def _hear(board: Board, folder: Path, ports: Sequence[Port]) -> None:
    """Compares the image that answers with the one flashed. A port that is a guess blames nobody."""
    if not ports:
        print("No serial port of the board was found, so nobody asked the image who it is (port=...).")
        return
    try:
        port, boot = read_boot(ports, board)
        print(f"{port.name}: {boot.name} on {boot.board}, engine {boot.engine}, build {boot.build}")
        expected = build_id(folder / "firmware.elf")
        if boot.build != expected:
            what = f"the image that answers is not the one just flashed, whose build is {expected}"
            raise FlashError(what, file=port.name, remedy="Is it the port of this board (port=...)?")
    except UserError as error:
        if ports[0].certain:
            raise FlashError(error.what, file=error.file, remedy=error.remedy) from None
        print(error, file=sys.stderr)
        return
    print("It is the image just flashed.")
