# SPDX-License-Identifier: Apache-2.0
"""earshot backtrace: what a fault's lines say, with the image's ELF."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from workbench.backtrace.dump import REGISTERS, Dump, read_dumps
from workbench.backtrace.image import Image
from workbench.backtrace.places import Place, places
from workbench.backtrace.registers import EXCEPTIONS, in_words
from workbench.backtrace.unwind import Frame, unwind
from workbench.progress import waiting

NAME = "backtrace"
HELP = "make functions and lines of source of what an image printed when it failed"
DESCRIPTION = """\
Reads a serial log (a file, or - for stdin) in which an image printed a fault: its registers, then its stack.
Prints what the fault registers say in words, and the functions that called each other, with file and line.
Frames marked "maybe" are words of the stack that look like return addresses; no debug information led there.

  earshot backtrace --elf build/xg24/my_app/firmware.elf serial.log
  earshot backtrace --elf firmware.elf --json -

The ELF file has to be of the build that printed the log; --any-build skips that comparison.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "log", nargs="?", default="-", metavar="LOG", help="the serial log (default -: stdin)"
    )
    parser.add_argument("--elf", type=Path, required=True, metavar="FILE", help="firmware.elf of that build")
    parser.add_argument("--any-build", action="store_true", help="do not compare builds of log and ELF file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    image = Image(args.elf)
    dumps = read_dumps(_text(args.log).splitlines())
    if not dumps:
        raise UserError(
            "there is no fault line in it",
            file="stdin" if args.log == "-" else args.log,
            remedy='A fault is a line such as {"error":"fault",...,"cfsr":"00008200",...}.',
        )
    for dump in dumps:
        if dump.build not in (None, image.build) and not args.any_build:
            raise UserError(
                f"the log is of build {dump.build}, this is build {image.build}",
                file=args.elf,
                remedy="Name the ELF file of that build, or add --any-build and believe nothing.",
            )
    with waiting("looking up functions and lines"):
        traces = [unwind(dump, image) for dump in dumps]
        found = iter(places(args.elf, [frame.at for trace in traces for frame in trace]))
    whole = [[(frame, _within(image, frame, next(found))) for frame in trace] for trace in traces]
    if args.json:
        objects = [_object(dump, trace) for dump, trace in zip(dumps, whole, strict=True)]
        print(json.dumps({"faults": objects}))
    else:
        print("\n\n".join(_told(dump, trace) for dump, trace in zip(dumps, whole, strict=True)))
    return 0


def _within(image: Image, frame: Frame, chain: tuple[Place, ...]) -> tuple[Place, ...]:
    """addr2line finds the nearest function also for what is no code."""
    return chain if image.function(frame.at) is not None else (Place(None),)


def _text(log: str) -> str:
    try:
        data = sys.stdin.buffer.read() if log == "-" else Path(log).read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=log) from None
    return data.decode("utf-8", "replace")


_Trace = list[tuple[Frame, tuple[Place, ...]]]


def _told(dump: Dump, trace: _Trace) -> str:
    exception = EXCEPTIONS.get(dump.detail, f"exception {dump.detail}")
    lines = [f"{dump.what} ({exception})", *(f"  {line}" for line in in_words(dump.registers)), ""]
    names = [name for name in REGISTERS if name in dump.registers]
    cells = [f"{name:>3} {dump.registers[name]:08x}" for name in names]
    lines += ["  " + "  ".join(cells[start : start + 6]) for start in range(0, len(cells), 6)]
    lines += ["", *_chain(trace)]
    if "pc" not in dump.registers:
        lines.append("  (the core could not stack its registers, so where it was is not known)")
    return "\n".join(lines)


def _chain(trace: _Trace) -> list[str]:
    lines = []
    for number, (frame, chain) in enumerate(trace):
        mark = "maybe" if frame.guess else f"#{number}"
        note = f"  ({frame.note})" if frame.note else ""
        for depth, place in enumerate(chain):
            inlined = "  inlined into the next" if depth < len(chain) - 1 else ""
            head = f"  {mark:>5} 0x{frame.address:08x}" if depth == 0 else " " * 18
            lines.append(f"{head}  {place}{note if depth == 0 else ''}{inlined}")
    return lines or ["  no frame: neither pc nor stack were printed"]


def _object(dump: Dump, trace: _Trace) -> dict[str, Any]:
    return {
        "error": dump.what,
        "exception": dump.detail,
        "registers": {name: f"{value:08x}" for name, value in dump.registers.items()},
        "meaning": in_words(dump.registers),
        "frames": [
            {
                "address": f"{frame.address:08x}",
                "guess": frame.guess,
                "note": frame.note,
                "places": [
                    {"function": place.function, "file": place.file, "line": place.line} for place in chain
                ],
            }
            for frame, chain in trace
        ],
    }
