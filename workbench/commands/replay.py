"""earshot replay: recordings into an image, its decision lines out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from workbench.audio import recording as audio
from workbench.host import engine as inference
from workbench.progress import progress, remark
from workbench.protocol.lines import Decision, Stage, parse_line
from workbench.targets import BAUD, Device, open_app
from workbench.targets.restored import restored

LONGEST = 600  # seconds of a recording that is played once more to say why nothing was decided
NAME = "replay"
HELP = "play recordings into an image and print the lines it decides"
DESCRIPTION = """\
Builds an app's image, plays recordings into it in place of its microphone, and prints its decision lines as
they come: one JSON object each, byte for byte the same on this computer, in the emulator and on a board.
Each recording starts with everything empty. Time is the number of samples, so nothing is ever too late.

  earshot replay --app examples/smart_lock door.wav                     on this computer
  earshot replay --app examples/smart_lock --target qemu door.wav       on an emulated Cortex-M4
  earshot replay --app examples/smart_lock --target /dev/ttyACM0 door.wav

--stages prints each stage of every window too: cepstra, gate, features, frame, input and scores.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--target",
        metavar="TARGET",
        help="pc (default), qemu (with engine tflm), renode, or a serial port: a device or a pyserial URL",
    )
    parser.add_argument(
        "--engine", choices=inference.ENGINES, help="what runs the model on an emulator (default: the app's)"
    )
    parser.add_argument("--board", metavar="B", help="what to build for an emulator (default mps2_an386)")
    parser.add_argument("--baud", type=int, default=BAUD, metavar="N", help=f"of the port (default {BAUD})")
    parser.add_argument("--stages", action="store_true", help="every stage of every window too")
    parser.add_argument("recordings", type=Path, nargs="+", metavar="WAV", help="WAV, FLAC, or raw .s16le")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    spec = load_spec(args.app)
    if spec.pipeline is None:
        raise UserError(
            "it is a bare model, which hears nothing",
            file=spec.file,
            remedy="Add the sections of a pipeline, or use `earshot infer`.",
        )
    rate = spec.pipeline.audio.sample_rate
    files = progress(args.recordings, len(args.recordings), "reading recordings")
    sounds = [audio.read_with_arguments(args, file, rate) for file in files]
    target, engine = inference.where(args.target, args.engine, spec)
    with (
        open_app(args.app, target, board=args.board, engine=engine, baud=args.baud) as device,
        restored(device),
    ):
        device.command("stages on" if args.stages else "stages off")
        for file, samples in zip(args.recordings, sounds, strict=True):
            if len(sounds) > 1:
                print(f"earshot: {file}", file=sys.stderr, flush=True)
            windows, decided = device.status()["windows"], 0
            for line in device.replay(samples):
                print(line)
                decided += isinstance(parse_line(line), Decision)
            sys.stdout.flush()
            if not decided:
                windows = device.status()["windows"] - windows
                remark(f"{file}: {_undecided(spec.pipeline, device, samples, windows)}")
    return 0


def _undecided(pipeline: Pipeline, device: Device, samples: NDArray[np.int16], windows: int) -> str:
    """Why no decision came, by the gate of the image itself."""
    told = f"no decision: {windows} windows"
    frames = pipeline.cascade.frames
    if windows < frames:
        return f"{told}; a decision needs {frames}"
    if samples.size > LONGEST * pipeline.audio.sample_rate:
        return told
    device.command("stages on")
    stages = [parse_line(line) for line in device.replay(samples)]
    passed = sum(isinstance(one, Stage) and one.stage == "gate" and one.values[0] != 0 for one in stages)
    told += f", {passed} passed the gate; a decision needs {frames} in a row"
    gate = pipeline.gate
    if passed and gate.backoff < frames - 1:
        told += (
            f" (backoff = {gate.backoff} shuts it after {gate.backoff + 1}; {frames - 1} would pass enough)"
        )
    elif not passed:
        told += f" (no sample is above [gate] threshold = {gate.threshold})"
    return told
