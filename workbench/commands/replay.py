# SPDX-License-Identifier: Apache-2.0
"""earshot replay: recordings into an image, its decision lines out."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from workbench.audio import recording as audio
from workbench.host import engine as inference
from workbench.progress import progress, remark
from workbench.protocol.lines import Decision, Stage, parse_line
from workbench.report.text import counts
from workbench.targets import BAUD, Device, open_app
from workbench.targets.restored import restored

PIPE = Path("-")
Samples = NDArray[np.int16]

NAME = "replay"
HELP = "play recordings into an image and print the lines it decides"
DESCRIPTION = """\
Builds an app's image, plays recordings into it in place of its microphone, and prints its decision lines as
they come: one JSON object each, byte for byte the same on this computer, in the emulator and on a board.
Each recording starts with everything empty. Time is the number of samples, so nothing is ever too late.

  earshot replay --app examples/smart_lock door.wav                     on this computer
  earshot replay --app examples/smart_lock --target qemu door.wav       on an emulated Cortex-M4
  earshot replay --app examples/smart_lock --target /dev/ttyACM0 door.wav

  arecord -f S16_LE -r 16000 -d 5 -t raw | earshot replay --app examples/smart_lock -

Of several recordings each one's lines come after {"recording":"door.wav"}. - is standard input, read
to its end: a WAV or FLAC file, or else raw 16-bit little-endian mono samples at the app's rate.
--stages prints each stage of every window too: cepstra, gate, features, frame, input and scores.
How often each class was decided is said on stderr. --json prints one object in place of the lines.
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
    parser.add_argument("recordings", type=Path, nargs="+", metavar="WAV", help="WAV, FLAC, raw .s16le, or -")
    parser.add_argument("--json", action="store_true", help="one object: recordings, each with its decisions")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    spec = load_spec(args.app, several=True)
    pipeline = spec.pipeline
    if pipeline is None:
        raise UserError(
            "it is a bare model, which hears nothing",
            file=spec.file,
            remedy="Add the sections of a pipeline, or use `earshot infer`.",
        )
    sounds = _read(args, pipeline.audio.sample_rate)
    target, engine = inference.where(args.target, args.engine, spec.classifier.engine)
    reported = []
    with (
        open_app(args.app, target, board=args.board, engine=engine, baud=args.baud) as device,
        restored(device),
    ):
        device.command("stages on" if args.stages else "stages off")
        for name, samples in sounds:
            lines = []
            if len(sounds) > 1 and not args.json:
                print(json.dumps({"recording": name}, separators=(",", ":")), flush=True)
            for line in device.replay(samples):
                lines.append(line)
                if not args.json:
                    print(line)
            sys.stdout.flush()
            reported.append(played(name, samples, lines, pipeline.window.size, pipeline.window.stride))
            remark(summary(reported[-1], pipeline, _passed(device, samples, lines, stages=args.stages)))
    if args.json:
        print(json.dumps({"app": spec.name, "target": target, "recordings": reported}))
    return 0


def _read(args: argparse.Namespace, rate: int) -> list[tuple[str, Samples]]:
    """Name and samples of each recording."""
    if args.recordings.count(PIPE) > 1:
        raise UserError("- is given twice", remedy="Standard input is one recording.")
    read = audio.reader(args)
    sounds = []
    for file in progress(args.recordings, len(args.recordings), "reading recordings"):
        samples = audio.read_pipe(sys.stdin.buffer, read, rate) if file == PIPE else read(file, rate)
        sounds.append((str(file), samples))
    return sounds


def played(name: str, samples: Samples, lines: Sequence[str], size: int, stride: int) -> dict[str, Any]:
    """One recording as --json tells it. stages: only where they were printed."""
    parsed = [json.loads(line) for line in lines]
    stages = [line for line in parsed if "stage" in line]
    found = {
        "file": name,
        "samples": len(samples),
        "windows": max(0, (len(samples) - size) // stride + 1),
        "decisions": [line for line in parsed if "stage" not in line],
    }
    return found | ({"stages": stages} if stages else {})


def _passed(device: Device, samples: Samples, lines: Sequence[str], *, stages: bool) -> int | None:
    """How many windows passed the gate; None where there are decisions, which say it. Where the stages were
    not printed the recording is played once more for it."""
    if any(isinstance(parse_line(line), Decision) for line in lines):
        return None
    if not stages:
        device.command("stages on")
        lines = list(device.replay(samples))
        device.command("stages off")
    gates = (line for line in map(parse_line, lines) if isinstance(line, Stage) and line.stage == "gate")
    return sum(line.values[0] for line in gates)


def summary(reported: Mapping[str, Any], pipeline: Pipeline, passed: int | None) -> str:
    """One line for a person. passed: windows that passed the gate, where nothing was decided."""
    windows = f"{reported['windows']} window{'' if reported['windows'] == 1 else 's'}"
    if passed is None:
        classes = Counter(line["Label"] for line in reported["decisions"])
        count = len(reported["decisions"])
        return (
            f"{reported['file']}: {count} decision{'' if count == 1 else 's'} in {windows}: {counts(classes)}"
        )
    if reported["windows"] == 0:
        why = f"a window is {pipeline.window.size} samples, the recording {reported['samples']}"
    elif passed == 0:
        why = "none was loud enough for the gate"
    else:
        frames, every = pipeline.cascade.frames, pipeline.cascade.every
        why = f"{passed} passed the gate, none while the cascade of {frames} was full"
        if every > 1:
            why += f", at one of the windows whose number {every} divides ([cascade] every)"
    return f"{reported['file']}: no decision in {windows}: {why}"
