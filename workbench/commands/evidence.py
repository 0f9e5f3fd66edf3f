# SPDX-License-Identifier: Apache-2.0
"""earshot evidence: a session on a board, packed as proof; and reading one."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.version import VERSION
from toolbox.elf import build_id
from workbench.audio.recording import read_audio
from workbench.build import build
from workbench.evidence.pack import Evidence, read, write
from workbench.evidence.page import add, result
from workbench.evidence.session import LinkRecorder, Session, SessionStep, Sound
from workbench.suites.recordings import choose
from workbench.suites.settings import read_settings
from workbench.targets import QEMU, RENODE, open_app
from workbench.targets.serial_port import is_hardware
from workbench.targets.versions import emulator_version

NAME = "evidence"
HELP = "drive a fixed session on a board and pack its log as proof, or read such a file"
DESCRIPTION = """\
Builds the app for the board, asks the image who it is, plays the app's recordings into it and compares every
decision with this computer's, listens to the microphone for a minute, and lets a person tap it. The log of
every line both ways, the image, its flash scripts and the hash of each go into one file.

  earshot evidence --app examples/smart_lock --board nrf52840dk --target /dev/ttyACM0 -o nrf.zip
  earshot evidence --app examples/smart_lock --board mps2_an386 --target qemu -o qemu.zip door.wav
  earshot evidence read nrf.zip
  earshot evidence read nrf.zip --write     puts the result into docs/boards/nrf52840dk.md

On a board, flash first: `scons board=... flash`. Exit code 1: a step failed. `read` refuses a file whose
hashes or whose log do not bear out what it says.
"""
LIVE_SECONDS = 60.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """What runs where; or the file to read."""
    parser.add_argument(
        "words", nargs="*", metavar="WAV | read FILE", help="recordings to play, or `read FILE`"
    )
    parser.add_argument("--app", type=Path, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument("--board", help="what the image is built for")
    parser.add_argument(
        "--target", metavar="WHERE", help="the board's serial port, or qemu, renode (default qemu)"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the file of evidence (.zip)")
    parser.add_argument(
        "--live", type=float, default=LIVE_SECONDS, metavar="S", help="seconds to listen (default 60; 0: not)"
    )
    parser.add_argument("--write", action="store_true", help="read: put the result into the board's page")


def run(args: argparse.Namespace) -> int:
    """0: every step that was done passed; 1: one failed."""
    if args.words[:1] == ["read"]:
        return _read(args)
    for option in ("app", "board", "output"):
        if getattr(args, option) is None:
            raise UserError(f"--{option} is missing", remedy="`earshot evidence --help` shows a whole line.")
    if args.write:
        raise UserError("--write goes with `read FILE`")
    target = args.target or QEMU
    evidence, folder = _session(args, target)
    write(args.output, evidence, folder)
    _print(evidence)
    print(f"{args.output}")
    return _code(evidence.steps)


def _session(args: argparse.Namespace, target: str) -> tuple[Evidence, Path]:
    spec = load_spec(args.app)
    if spec.pipeline is None:
        raise UserError("it is a bare model, which hears nothing", file=spec.file, remedy="Give an app.")
    folder = spec.file.parent
    with tempfile.TemporaryDirectory() as made:
        files = [Path(word) for word in args.words]
        if not files:
            found = choose(read_settings(folder), folder, spec.pipeline.audio.sample_rate, Path(made))
            files = [recording.file for recording in found]
        sounds = []
        with open_app(args.app, "pc") as computer:
            for file in files:
                samples = read_audio(file, spec.pipeline.audio.sample_rate)
                sounds.append(Sound(file.name, samples, tuple(computer.replay(samples))))
    with open_app(args.app, target, board=args.board) as device:
        image = build(device.boot.board, args.app).image
        recorder = LinkRecorder(device.link)
        device.link = recorder
        person = _say if is_hardware(target) and sys.stdin.isatty() else None
        steps = Session(device, build_id(image), sounds, args.live, person).run()
        evidence = Evidence(
            app=spec.name,
            board=device.boot.board,
            where=_where(target),
            date=datetime.now(UTC).date().isoformat(),
            earshot=VERSION,
            build=build_id(image),
            steps=tuple(steps),
            expected={sound.name: sound.expected for sound in sounds},
            log=tuple(recorder.log),
        )
    return evidence, image.parent


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _where(target: str) -> str:
    """An emulator with its version, or the board itself."""
    if target not in (QEMU, RENODE):
        return "the board itself"
    return emulator_version(target) or target


def _read(args: argparse.Namespace) -> int:
    if len(args.words) != 2:
        raise UserError("`read` takes one file", remedy="earshot evidence read FILE")
    evidence = read(Path(args.words[1]))
    _print(evidence)
    if args.write:
        print(add(evidence))
    return _code(evidence.steps)


def _print(evidence: Evidence) -> None:
    print(
        f"{evidence.app} on {evidence.board}, {evidence.where}, {evidence.date}, Earshot {evidence.earshot}"
    )
    width = max(len(step.name) for step in evidence.steps)
    for step in evidence.steps:
        print(f"  {step.name:<{width}}  {result(step)}")


def _code(steps: tuple[SessionStep, ...]) -> int:
    return 1 if any(step.passed is False for step in steps) else 0
