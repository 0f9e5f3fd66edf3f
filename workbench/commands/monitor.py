# SPDX-License-Identifier: Apache-2.0
"""earshot monitor: what a device hears, as it hears it."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.contract import feature_contract
from codegen.app.spec import Pipeline, Spec
from codegen.common.errors import UserError
from workbench.audio import recording as audio
from workbench.build import build
from workbench.host.features import app_score, listening_spec
from workbench.live.keys import keys
from workbench.live.microphone import listen
from workbench.live.monitor import VOTES, Monitor
from workbench.live.outputs import JsonOutput, Output, PlainOutput, ScreenOutput, Share
from workbench.live.run import watch
from workbench.live.sensiml import read_class_maps
from workbench.live.session_file import SessionWriter, read_session
from workbench.live.sources import PIECE, LinkSource, PlaySource, SoundSource, Source
from workbench.progress import progress, waiting
from workbench.targets import BAUD, Microphone, QemuOptions, target_board
from workbench.targets.pc import pc_link
from workbench.targets.qemu import qemu_link
from workbench.targets.serial_port import SerialLink

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

  earshot monitor /dev/ttyACM0 --record monday.session       writes down all that comes, with times
  earshot monitor --play monday.session --fast               shows it again

Where the output is no terminal each change is a line; with --json an object a line, the last of the whole.
"""


@dataclass(frozen=True)
class _Watched:
    """What is watched. where: in words; done: no more is to come, of a source that does not end by itself."""

    source: Source
    where: str
    done: Callable[[Monitor], bool] = lambda monitor: False


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
    parser.add_argument("--play", type=Path, metavar="FILE", help="show a recorded session")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="end after so many")
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
        "--idle", type=_seconds, default=2.0, metavar="S", help="seconds without a decision that are idle"
    )
    parser.add_argument("--json", action="store_true", help="an object a line for programs")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0, also after Ctrl-C."""
    _check(args)
    spec = pipeline = None
    share: Share | None = None
    if args.app is not None:
        spec, pipeline = listening_spec(args.app)
        share = app_score(spec).text if spec.classifier.model.exists() else None
    monitor = Monitor(
        pipeline.decision.labels if pipeline is not None else (),
        read_class_maps(args.model_json) if args.model_json is not None else None,
        votes=args.votes,
        idle_after=args.idle,
        contract=feature_contract(spec) if spec is not None else None,
    )
    with ExitStack() as stack:
        watched = stack.enter_context(_watched(args, spec, pipeline))
        stack.callback(watched.source.close)
        writer = SessionWriter(args.record, watched.where) if args.record is not None else None
        if writer is not None:
            stack.callback(writer.close)
        pressed = stack.enter_context(keys(sys.stdout.isatty() and not args.json))
        output = _output(args, watched.where, share)
        watch(watched.source, monitor, output, pressed, writer, seconds=args.seconds, done=watched.done)
    return 0


def _check(args: argparse.Namespace) -> None:
    """UserError where the arguments do not go together."""
    given = [args.port is not None, args.target is not None, args.play is not None]
    if sum(given) != 1:
        raise UserError(
            "one thing can be watched: a PORT, a --target or a --play FILE",
            remedy="Such as: earshot monitor /dev/ttyACM0",
        )
    if args.target is None and (args.microphone or args.wav):
        raise UserError("--microphone and --wav need a --target", remedy="Add --target pc --app DIR.")
    if args.target is not None:
        if args.app is None:
            raise UserError(f"--target {args.target} needs an app", remedy="Add --app DIR.")
        if args.microphone == bool(args.wav):
            raise UserError("the target needs sound", remedy="Give either --microphone or --wav FILE.")
        if args.microphone and args.target != "pc":
            raise UserError(
                "an emulator cannot hear this computer's microphone in time",
                remedy="Use --target pc --microphone, or --target qemu --wav FILE.",
            )
    if args.fast and args.play is None and not args.wav:
        raise UserError(
            "--fast goes with --wav and --play", remedy="A device has its own time: leave it out."
        )


def _output(args: argparse.Namespace, where: str, share: Share | None) -> Output:
    if args.json:
        return JsonOutput()
    return ScreenOutput(where, share) if sys.stdout.isatty() else PlainOutput(share)


@contextmanager
def _watched(args: argparse.Namespace, spec: Spec | None, pipeline: Pipeline | None) -> Iterator[_Watched]:
    """What the arguments name, opened."""
    if args.play is not None:
        yield _Watched(PlaySource(iter(list(read_session(args.play))), fast=args.fast), str(args.play))
    elif args.port is not None:
        opened = partial(SerialLink, args.port, args.baud)
        yield _Watched(LinkSource(opened(), opened), args.port)
    else:
        assert spec is not None
        assert pipeline is not None
        with tempfile.TemporaryDirectory() as folder:
            yield _target(args, spec, pipeline, Path(folder))


def _target(args: argparse.Namespace, spec: Spec, pipeline: Pipeline, folder: Path) -> _Watched:
    """The app's image where it runs without a board, built, and its sound."""
    rate = pipeline.audio.sample_rate
    sound = None if args.microphone else _sound(args, rate)
    heard = listen(rate, PIECE) if sound is None else iter([sound])
    board = target_board(args.target, args.board)
    assert board is not None
    image = build(board.name, spec).image
    if args.target == "pc":
        source = SoundSource(pc_link(image), heard, rate, fast=args.fast or args.microphone)
        return _Watched(source, "this computer")
    assert sound is not None
    file = folder / "sound.s16le"
    file.write_bytes(sound.astype("<i2").tobytes())
    options = QemuOptions(Microphone(file, rate), icount=5 if args.fast else None)
    with waiting(f"starting the emulator with {board.name}"):
        link = qemu_link(board, image, options)
    windows = max(0, (len(sound) - pipeline.window.size) // pipeline.window.stride + 1)
    return _Watched(LinkSource(link), f"{board.name} in QEMU", partial(_heard_all, windows))


def _sound(args: argparse.Namespace, rate: int) -> NDArray[np.int16]:
    """All recordings, one after the other."""
    read = audio.reader(args)
    files: list[Path] = args.wav
    return np.concatenate([read(file, rate) for file in progress(files, len(files), "reading recordings")])


def _heard_all(windows: int, monitor: Monitor) -> bool:
    """The emulated board has worked on every window of its sound, or lost some of it."""
    view = monitor.view()
    return monitor.windows >= windows - view.lost


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError("a number above 0 is wanted")
    return value
