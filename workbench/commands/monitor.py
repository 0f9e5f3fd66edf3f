# SPDX-License-Identifier: Apache-2.0
"""earshot monitor: what a device hears, as it hears it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from codegen.app.contract import feature_contract
from codegen.common.errors import UserError
from workbench.arguments import real
from workbench.audio import recording as audio
from workbench.host.features import app_score, listening_spec
from workbench.importing.descriptions import read_class_maps
from workbench.live.clips import Clips
from workbench.live.controls import Control, control
from workbench.live.hearing import VOTES
from workbench.live.keys import keys
from workbench.live.monitor import Monitor
from workbench.live.outputs import JsonOutput, Output, PlainOutput, ScreenOutput, Share, Shares
from workbench.live.run import watch
from workbench.live.session_file import SessionWriter
from workbench.live.sources import SoundSource
from workbench.live.takes import Takes
from workbench.live.watched import Wanted, check, opened
from workbench.progress import remark
from workbench.targets import BAUD

NAME = "monitor"
HELP = "show what a device hears while it hears it: class, score, level, votes, counters"
DESCRIPTION = """\
Reads the lines of a device and shows what it hears: the class, its score, the sound's level and gate, the
votes, the last sounds, counts, and counters of what was lost. PORT is a device or any pyserial URL. It may
vanish and come back. Devices of SensiML are read, too; --model-json names their classes.

  earshot monitor /dev/ttyACM0
  earshot monitor /dev/ttyACM0 --app examples/smart_lock     warns when the device hears other features
  earshot monitor socket://localhost:4321 --model-json model.json --votes 5

Without a board this computer's build of the app decides, as the device will:

  earshot monitor --target pc --app examples/smart_lock --microphone
  earshot monitor --target pc --app examples/smart_lock --wav door.wav
  earshot monitor --target qemu --app examples/smart_lock --wav door.wav

The emulated board hears the recordings by its virtual microphone.

Keys: g G lower or raise the gate's threshold, t T the score thresholds, v V the votes; 1 to 9 say which class
it really was, 0 takes that back; l lets the device listen; q or Ctrl-C ends it. A confusion table of what
you marked comes at the end. Settings last until the device restarts: write those you like into pipeline.toml.
Of an image with several models each is heard on its own; m shows the next one, and the keys are for it.

  earshot monitor --target pc --app my_app --microphone --clips wrong    keeps what you mark and it got wrong
  earshot monitor /dev/ttyACM0 --record monday.session       writes down all that comes, with times
  earshot monitor --play monday.session --fast               shows it again

Where the output is no terminal each change is a line; with --json an object a line, the last of the whole.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """A port, or a target and its sound, or a session."""
    parser.add_argument("port", nargs="?", metavar="PORT", help="a device or a pyserial URL")
    parser.add_argument("--baud", type=int, default=BAUD, metavar="N", help=f"of the port (default {BAUD})")
    parser.add_argument(
        "--app", type=Path, metavar="DIR", help="folder with pipeline.toml: what the device should run"
    )
    parser.add_argument(
        "--target", choices=("pc", "qemu"), help="no port: this computer, or an emulated board"
    )
    parser.add_argument("--board", metavar="B", help="what to build for the emulator (default mps2_an386)")
    parser.add_argument("--microphone", action="store_true", help="of this computer (package sounddevice)")
    parser.add_argument(
        "--wav", type=Path, nargs="+", metavar="WAV", help="recordings in place of a microphone"
    )
    parser.add_argument(
        "--fast", action="store_true", help="--wav and --play: at once, not in their own time"
    )
    parser.add_argument("--record", type=Path, metavar="FILE", help="write all that comes into a new file")
    parser.add_argument(
        "--clips", type=Path, metavar="FOLDER", help="--target pc: keep sounds that you mark and it got wrong"
    )
    parser.add_argument("--play", type=Path, metavar="FILE", help="show a recorded session")
    parser.add_argument("--seconds", type=real(0, 1e9, above=True), metavar="S", help="end after so many")
    parser.add_argument(
        "--model-json", type=Path, metavar="FILE", help="of a SensiML Knowledge Pack: names of its classes"
    )
    parser.add_argument(
        "--votes",
        type=int,
        choices=range(1, VOTES + 1),
        default=1,
        metavar="N",
        help=f"the majority of N decisions counts, 1 to {VOTES}; on top of the device's own votes",
    )
    parser.add_argument(
        "--idle",
        type=real(0, 1e9, above=True),
        default=2.0,
        metavar="S",
        help="seconds without a decision that are idle",
    )
    parser.add_argument("--json", action="store_true", help="an object a line for programs")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, also after Ctrl-C."""
    wanted = Wanted(
        args.port,
        args.baud,
        args.target,
        args.board,
        tuple(args.wav or ()),
        args.play,
        microphone=args.microphone,
        fast=args.fast,
    )
    check(wanted, app=args.app is not None)
    spec = pipeline = None
    shares: dict[str, Share] = {}
    if args.app is not None:
        spec, pipeline = listening_spec(args.app, several=True)
        known = (member for member in spec.members if member.classifier.model.exists())
        shares = {member.title: app_score(member).text for member in known}
    takes = None
    if args.clips is not None:
        if args.target != "pc" or pipeline is None:
            raise UserError(
                "--clips needs the sound, which only --target pc has",
                remedy="Of a device: earshot capture PORT --trigger CLASS.",
            )
        takes = Takes(args.clips, pipeline.decision.labels[0], None, {})
    monitor = Monitor(
        pipeline.decision.labels if pipeline is not None else (),
        read_class_maps(args.model_json) if args.model_json is not None else None,
        votes=args.votes,
        idle_after=args.idle,
        contract=feature_contract(spec) if spec is not None else None,
    )
    with ExitStack() as stack:
        watched = stack.enter_context(opened(wanted, spec, audio.reader(args)))
        writer = SessionWriter(args.record, watched.where) if args.record is not None else None
        if writer is not None:
            stack.callback(writer.close)
        clips = None
        if takes is not None and isinstance(watched.source, SoundSource):
            clips = Clips(watched.source, takes, watched.source.rate)
        pressed = stack.enter_context(keys(sys.stdout.isatty() and not args.json))
        output = _output(args, watched.where, shares)

        def asked(monitor: Monitor) -> Iterator[Control]:
            return (control(key, monitor) for key in pressed.pressed())

        watch(
            watched.source,
            monitor,
            output,
            asked,
            writer,
            seconds=args.seconds,
            done=watched.done,
            clips=clips,
        )
    if clips is not None and clips.saved:
        remark(f"marked, and decided wrong: {clips.saved}, kept in {args.clips}")
    return 0


def _output(args: argparse.Namespace, where: str, shares: Shares) -> Output:
    if args.json:
        return JsonOutput()
    return ScreenOutput(where, shares) if sys.stdout.isatty() else PlainOutput(shares)
