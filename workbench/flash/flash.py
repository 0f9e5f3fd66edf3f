# SPDX-License-Identifier: Apache-2.0
"""scons board=... flash: program, verify, reset, and hear who answers."""

from __future__ import annotations

import os
import re
import shlex
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


class FlashInterruptedError(FlashError):
    """Ctrl-C while the program ran."""

    exit_code = 130


def flash(board: Board, folder: Path, probe: str | None, port: str | None, *, verbose: bool = False) -> None:
    """Flashes the image in `folder`, verifies, resets, and asks it who it is; prints all that.

    probe: who flashes, as choose() reads it. port: the board's serial port, else it is looked for.
    UserError where program, probe or pack are missing, FlashError where what was done failed.
    """
    chosen = choose(board, probe)
    pack = pack_of(board, chosen)
    command, more = chosen.method.command(chosen.program, board, chosen.serial, pack)
    print(f"\nflashing {board.name} with {chosen}", flush=True)
    if verbose:
        print(f"in {folder}: {' '.join(command)}", flush=True)
    try:
        outcome = run(command, folder, {**os.environ, **more})
    except KeyboardInterrupt:
        raise FlashInterruptedError(
            f"interrupted while {chosen.method.title} wrote: {board.name} may hold half an image",
            remedy="Flash again before the board is used.",
        ) from None
    verified = chosen.method.proof is None or re.search(chosen.method.proof, outcome.output) is not None
    if outcome.code != 0 and chosen.method.absent and re.search(chosen.method.absent, outcome.output):
        raise no_probe(board, [chosen.method], chosen.serial)
    locked = chosen.method.locked is not None and re.search(chosen.method.locked, outcome.output) is not None
    if verbose or outcome.code != 0 or not verified:
        print(outcome.output.rstrip(), flush=True)
    if locked and (chosen.method.recover is not None or outcome.code != 0 or not verified):
        raise locked_chip(board, folder, chosen, pack)
    if outcome.code != 0:
        raise _failed(chosen, outcome.code)
    if not verified:
        raise FlashError(
            f"{chosen.method.title} did not say that the flash holds the image: it is not verified",
            remedy="Its words are above. Flash again, or with another method (probe=...).",
        )
    print(f"verified and reset: {folder.name}/firmware.hex", flush=True)
    _tell_debug_port(board, chosen, outcome.output, recovered=locked)
    _hear(board, folder, [Port(port, certain=True)] if port else find_ports(chosen.serial))


def pack_of(board: Board, chosen: Choice) -> Path | None:
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


def locked_chip(board: Board, folder: Path, chosen: Choice, pack: Path | None) -> FlashError:
    """The chip takes no debugger: how this method recovers it, and what that costs."""
    method = chosen.method
    if method.recover is not None:
        command = f"cd {shlex.quote(str(folder))} && " + shlex.join(
            method.recover(chosen.program, board, chosen.serial, pack)
        )
    else:
        serial = ["--serial-number", chosen.serial] if chosen.serial else []
        command = (
            shlex.join(["nrfutil", "device", "recover", *serial]) + "   (Nordic's program), then flash again"
        )
    return FlashError(
        f"the chip's debug port is locked (APPROTECT): {method.title} could neither read nor write it",
        remedy=f"Recovery erases the whole chip{_bootloader(board)}. It is done by\n    {command}",
    )


def _bootloader(board: Board) -> str:
    """What a recovery costs where a bootloader lies before the image."""
    if board.flash is None or board.flash.bossac is None:
        return ""
    return (
        f", the bootloader of {board.name} too, which starts the image: without it the board stays dark "
        "until the probe has written it again. Where it still runs, flash through it (probe=bossac), which "
        "needs no debug port"
    )


def _tell_debug_port(board: Board, chosen: Choice, output: str, *, recovered: bool) -> None:
    """What a person has to know about the port after an image was flashed and verified."""
    if board.flash is None or board.flash.approtect is None or chosen.method.name == "bossac":
        return
    if recovered:
        print(
            f"The chip was locked: {chosen.method.title} has erased all of it first{_bootloader(board)}.",
            flush=True,
        )
    word = f"{board.flash.approtect:08X} = {board.flash.approtect_word:08X}"
    if chosen.method.name == "jlink" and word not in output:
        print(f"J-Link Commander did not say that {word}: the debug port may be locked after the next reset.")
    elif board.flash.lock:
        print("The debug port is locked from the next reset on; opening it again erases the whole chip.")


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
