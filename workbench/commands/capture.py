# SPDX-License-Identifier: Apache-2.0
"""earshot capture: sound of a device's own microphone into WAV files, labelled."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError, printable
from workbench.arguments import real, whole
from workbench.live.capture import Capture, known_of
from workbench.live.samples import Take
from workbench.live.takes import Takes
from workbench.progress import waiting
from workbench.protocol.lines import Boot
from workbench.targets import BAUD
from workbench.targets.serial_port import SerialLink, is_hardware

NAME = "capture"
HELP = "record a device's own microphone into labelled WAV files"
DESCRIPTION = """\
Records what a device hears, by its own microphone, into WAV files with labels and metadata: a network learns
best from the sound that it will hear. The image must have been built with

  [device]
  capture = true

in its pipeline.toml, and the serial line be fast enough: 16 kHz need 921600 baud.

  earshot capture /dev/ttyACM0 --baud 921600 -o recordings --label knocking --seconds 60 --count 5
  earshot capture /dev/ttyACM0 --baud 921600 -o recordings --label noise --seconds 600 --meta place=hall
  earshot capture /dev/ttyACM0 --baud 921600 -o misses --trigger Unknown --seconds 3 --count 50

--trigger gathers what the device itself found worth a decision: near misses (Unknown), or false alarms.

On a terminal each take waits for Enter, and begins a second before it (--ahead). The takes become
recordings/knocking_001.wav and so on; labels.csv has their labels, captures.csv what is known of them, as
`earshot data` and `train` read them. Samples that did not come are told, each gap with its place; the WAV has
zeros there, and the exit code is 1. --bits 8 sends each sample in 8 bits (mu-law), half as much.
"""

ANY, UNKNOWN = "any", "Unknown"  # triggers that are no labels


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which port, what is recorded, where it goes."""
    parser.add_argument("port", metavar="PORT", help="a device or a pyserial URL")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="for the takes")
    parser.add_argument("--label", metavar="L", help="of all takes; without it they get none")
    parser.add_argument(
        "--session",
        metavar="S",
        help="of the labels (default train; none where the segments in labels.csv have none)",
    )
    parser.add_argument(
        "--seconds", type=real(0, 86400, above=True), default=60.0, metavar="S", help="of a take (default 60)"
    )
    parser.add_argument("--count", type=whole(1), default=1, metavar="N", help="takes (default 1)")
    parser.add_argument(
        "--ahead",
        type=real(0, 86400),
        default=1.0,
        metavar="S",
        help="before Enter, or before the trigger (default 1)",
    )
    parser.add_argument(
        "--trigger",
        metavar="CLASS",
        help=f"a take begins where the device decides so: a class, {UNKNOWN}, or {ANY}",
    )
    parser.add_argument("--no-wait", action="store_true", help="the takes follow each other without Enter")
    parser.add_argument("--bits", type=int, choices=(8, 16), default=16, help="of a sample on the line")
    parser.add_argument("--baud", type=int, default=BAUD, metavar="N", help=f"of the port (default {BAUD})")
    parser.add_argument(
        "--meta",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a column of captures.csv: place=hall",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit code 1: samples are missing in a take. 130: ended by Ctrl-C. 2: the port or the sound went."""
    meta = _meta(args.meta)
    folder = Takes(args.output, args.label, args.session, meta)
    begins = _on_trigger if args.trigger else _on_enter if _asks(args) else _at_once
    loud = not args.json
    reported: list[dict[str, Any]] = []
    code = no_room = 0
    link = SerialLink(args.port, args.baud)
    capture = None
    try:
        capture = Capture(link, args.port, args.bits, args.baud if is_hardware(args.port) else None)
        _check_trigger(args.trigger, capture.boot)
        for number in range(1, args.count + 1):
            what = f"take {number} of {args.count}"
            try:
                start, why = begins(capture, what, args)
            except KeyboardInterrupt:
                code = 130
                break
            folder.known = {**known_of(capture.boot, args.bits), **why, **meta}
            take, code = _record(capture, start, args.seconds, what, loud=loud)
            if len(take.samples):
                reported.append(_save(folder, take, capture.rate, loud=loud))
                if take.gaps and code != 2:
                    no_room = _tell_room(capture, args.bits, loud=loud)
            elif loud:
                print(f"{what}: no sample came, nothing is written")
            if code:
                break
    finally:
        if capture is not None:
            capture.stop()
        link.close()
    if args.json:
        print(json.dumps({"rate": capture.rate, "bits": args.bits, "no_room": no_room, "takes": reported}))
    return code or (1 if any(take["gaps"] for take in reported) else 0)


def _asks(args: argparse.Namespace) -> bool:
    return sys.stdin.isatty() and not (args.no_wait or args.json)


def _check_trigger(trigger: str | None, boot: Boot | None) -> None:
    if trigger is None:
        return
    if boot is None:
        raise UserError("SensiML's firmware decides nothing while it captures", remedy="Leave --trigger out.")
    known = (ANY, UNKNOWN, *boot.labels)
    if trigger not in known:
        raise UserError(f'the image decides no "{trigger}"', remedy=f"It decides {', '.join(known)}.")


def _at_once(capture: Capture, what: str, args: argparse.Namespace) -> tuple[int, dict[str, str]]:
    """Number of the take's first sample, and columns that say why it began."""
    return capture.incoming.end, {}


def _on_enter(capture: Capture, what: str, args: argparse.Namespace) -> tuple[int, dict[str, str]]:
    """See _at_once."""
    import select

    print(f"{what}, {args.seconds:g} s of {args.label or 'sound'}: press Enter", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        capture.pump()
        capture.incoming.forget(capture.incoming.end - round(args.ahead * capture.rate))
    sys.stdin.readline()
    return capture.ahead(capture.incoming.end, args.ahead), {}


def _on_trigger(capture: Capture, what: str, args: argparse.Namespace) -> tuple[int, dict[str, str]]:
    """See _at_once: a decision that is wanted."""
    with waiting(f"{what}: listening for {args.trigger}"):
        while True:
            capture.pump()
            while capture.heard:
                at, label = capture.heard.popleft()
                if args.trigger in (ANY, label):
                    return capture.ahead(at, args.ahead), {"trigger": label}
            capture.incoming.forget(capture.incoming.end - round((args.ahead + 1) * capture.rate))


def _record(capture: Capture, start: int, seconds: float, what: str, *, loud: bool) -> tuple[Take, int]:
    """The take, and an exit code where Ctrl-C (130) or the end of the port (2) cut it short: what came is
    kept, and that may be no sample."""
    end = start + max(1, round(seconds * capture.rate))
    shown = _Progress(what, seconds) if loud and sys.stderr.isatty() else None
    code = 0
    try:
        while capture.incoming.end < end:
            capture.pump()
            if shown is not None:
                shown.show((capture.incoming.end - start) / capture.rate, capture.incoming.level)
    except KeyboardInterrupt:
        code = 130
    except UserError as error:
        if capture.incoming.end <= start:
            raise
        print(f"{error}\n  What came before is kept.", file=sys.stderr)
        code = 2
    if shown is not None:
        shown.clear()
    return capture.finish(start, min(end, capture.incoming.end)), code


class _Progress:
    """One line that is replaced: seconds and level."""

    EVERY = 0.2

    def __init__(self, what: str, seconds: float) -> None:
        self._what, self._seconds, self._next = what, seconds, 0.0

    def show(self, done: float, level: int) -> None:
        """Not more often than EVERY seconds."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + self.EVERY
        bar = "#" * round(20 * min(level, 32767).bit_length() / 15)
        clips = "  TOO LOUD" if level >= 32767 else ""
        print(
            f"\r  {self._what}: {done:6.1f} of {self._seconds:g} s  [{bar:<20}] {level:5}{clips:<10}",
            end="",
            file=sys.stderr,
            flush=True,
        )

    def clear(self) -> None:
        """The line is gone."""
        print(f"\r{'':<79}\r", end="", file=sys.stderr, flush=True)


def _save(folder: Takes, take: Take, rate: int, *, loud: bool) -> dict[str, Any]:
    """Writes a take; what is said of it, as --json has it."""
    file = folder.add(take, rate)
    if loud:
        print(f"{printable(str(file))}: {len(take.samples) / rate:.2f} s, loudest {take.peak} of 32768")
        if take.clipped:
            print(f"  {take.clipped} samples are at the end of the range: too loud, or too near")
        for gap in take.gaps:
            print(f"  {gap.count} samples are missing at {gap.at / rate:.3f} s, zeros are in their place")
    return {
        "file": str(file),
        "samples": len(take.samples),
        "peak": take.peak,
        "clipped": take.clipped,
        "gaps": [[gap.at, gap.count] for gap in take.gaps],
    }


def _tell_room(capture: Capture, bits: int, *, loud: bool) -> int:
    """Why samples are missing, where the device knows it: how many found no room since the capture began."""
    count = 0
    with contextlib.suppress(UserError):  # the take is written, whatever the device says now
        count = capture.uncaptured()
    if count and loud:
        less = ", or send --bits 8" if bits > 8 else ""
        told = "samples found no room on the line since the capture began"
        print(f"  {count} {told}: give it a higher rate{less}")
    return count


def _meta(given: list[str]) -> Mapping[str, str]:
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.strip() or key.strip() == "file":
            raise UserError(f'--meta "{text}" is no KEY=VALUE', remedy="Such as: --meta place=hall")
        if not text.isprintable():
            raise UserError(f"--meta {text!a} holds what cannot be printed", remedy="Write plain text.")
        found[key.strip()] = value.strip()
    return found
