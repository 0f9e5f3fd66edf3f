# SPDX-License-Identifier: Apache-2.0
"""earshot mlperf: images that MLPerf Tiny's runner talks to, and its tests over them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from codegen.app.spec import Pipeline, Spec
from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.emit.mlperf import TASKS, energy_of
from toolbox.sizes import sizes
from workbench.audio import recording as audio
from workbench.build import build
from workbench.host.features import app_score
from workbench.host.model_app import model_app
from workbench.mlperf.dataset import Stimulus, read_stimuli
from workbench.mlperf.dialogue import Dialogue
from workbench.mlperf.link import benchmark_link
from workbench.mlperf.official import checkout, run_official, run_streaming
from workbench.mlperf.session import accuracy
from workbench.mlperf.streaming import read_streamed, stream, text
from workbench.mlperf.submission import KINDS, emulated, write_submission
from workbench.progress import remark, waiting
from workbench.targets import BAUD, EMULATED_BOARD, QEMU, target_board
from workbench.targets.link import Link

NAME = "mlperf"
HELP = "build images for MLPerf Tiny's runner, and run its tests"
DESCRIPTION = """\
An image with the model as it ships, which speaks the serial interface of MLPerf Tiny's runner in place of
Earshot's own lines. The tasks kws, ad, ic, ic2 and vww take a model and stimuli, sww an app and a
recording.

  earshot mlperf image kws_ref_model.tflite --task kws --board xg24
  earshot mlperf image kws_ref_model.tflite --task kws --board xg24 --mode e
  earshot mlperf run kws_ref_model.tflite --task kws --stimuli datasets/kws01 --count 100
  earshot mlperf run kws_ref_model.tflite --task kws --stimuli datasets/kws01 --target /dev/ttyACM0
  earshot mlperf run kws_ref_model.tflite --task kws --stimuli datasets/kws01 --runner tiny --mode p
  earshot mlperf run examples/mlperf_sww --task sww --wav short_wav_easy10s.wav --channel left
  earshot mlperf results --task kws --board xg24 --submitter me --accuracy kws_a --performance kws_p -o out

`image` builds it; with --mode e for the energy mode, in which a pin tells times. `run` sends stimuli to the
image and counts what it finds: by itself, or with --runner by the runner of a checkout of mlcommons/tiny,
unmodified. `results` puts sessions of that runner into the layout of the benchmark's checker. Time in an
emulator is no result of the benchmark.
"""
ENERGY = "e"
IMAGE, RUN, RESULTS = "image", "run", "results"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do with which model; where it runs; what it is given."""
    parser.add_argument("what", choices=(IMAGE, RUN, RESULTS), help="build it; run a test; collect sessions")
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL.tflite",
        help="image, run: an int8 TFLite model; of sww an app's folder",
    )
    parser.add_argument("--task", choices=tuple(TASKS), required=True, help="the task of the benchmark")
    parser.add_argument("--board", help=f"what it is built for (default for run: {EMULATED_BOARD})")
    parser.add_argument(
        "--kernels", choices=("small", "fast"), default="fast", help="of the model (default fast)"
    )
    parser.add_argument(
        "--target",
        default=QEMU,
        metavar="WHERE",
        help="run: pc, qemu (default), renode, or the board's serial port",
    )
    parser.add_argument(
        "--baud", type=int, metavar="N", help=f"run: of the port (default {BAUD}; in the energy mode 9600)"
    )
    parser.add_argument("--stimuli", type=Path, metavar="DIR", help="run: folder with y_labels.csv")
    parser.add_argument("--wav", type=Path, metavar="FILE", help="run, sww: the recording that it hears")
    parser.add_argument("--count", type=int, metavar="N", help="run: the first N stimuli (default: all)")
    parser.add_argument(
        "--runner", type=Path, metavar="DIR", help="run: a checkout of mlcommons/tiny, whose runner does it"
    )
    parser.add_argument(
        "--mode",
        choices=("a", "p", ENERGY),
        default="a",
        help="accuracy (default) or performance, with --runner; e: an image for the energy mode",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="with --runner: where it works (default in build/)"
    )
    parser.add_argument("--submitter", metavar="NAME", help="results: who submits")
    parser.add_argument(
        "--division", choices=("closed", "open"), default="closed", help="results: default closed"
    )
    audio.add_arguments(parser)
    for kind in KINDS:
        parser.add_argument(f"--{kind}", type=Path, metavar="DIR", help=f"results: a session for {kind}")


def run(args: argparse.Namespace) -> int:
    """0, or UserError."""
    if args.what == RESULTS:
        return _results(args)
    if args.model is None:
        raise UserError("no model is named", remedy="Name a MODEL.tflite.")
    return _image(args) if args.what == IMAGE else _run(args)


def _results(args: argparse.Namespace) -> int:
    for option in ("board", "submitter", "output"):
        if getattr(args, option) is None:
            raise UserError(f"--{option} is missing", remedy="`earshot mlperf --help` shows a whole line.")
    sessions = {kind: getattr(args, kind) for kind in KINDS if getattr(args, kind) is not None}
    if not sessions:
        raise UserError("no session is named", remedy="Add --accuracy, --performance or --energy DIR.")
    board = load_board(args.board)
    print(write_submission(args.output, args.submitter, board, args.task, sessions, division=args.division))
    if any(emulated(session) for session in sessions.values()):
        remark("these sessions are of an emulator: their times are no result of the benchmark")
    return 0


def _image(args: argparse.Namespace) -> int:
    if args.board is None:
        raise UserError("--board is missing", remedy="`scons --list-boards` tells them.")
    board = load_board(args.board)
    image = _built(args, args.board)
    if not board.hosted:
        taken = sizes(image, board)
        print(f"flash {taken.flash:,} B, RAM {taken.ram:,} B on {board.name}")
    print(image)
    return 0


def _baud(args: argparse.Namespace) -> int:
    """Of the board's serial port."""
    energy = energy_of(TASKS[args.task]).baud if args.mode == ENERGY else None
    return int(args.baud or energy or BAUD)


def _built(args: argparse.Namespace, board: str) -> Path:
    energy = args.mode == ENERGY
    if TASKS[args.task].streams:
        return build(board, _app(args.model)[0], mlperf=args.task, energy=energy).image
    app = model_app(args.model, args.kernels)
    task = TASKS[args.task]
    if app.graph.input.size != task.inputs:
        remark(
            f"{args.model.name} has {app.graph.input.size} inputs, the reference model of {task.name} "
            f"{task.inputs}: nothing for the closed division"
        )
    return build(board, app.spec, mlperf=args.task, energy=energy).image


def _app(path: Path) -> tuple[Spec, Pipeline]:
    """Of the streaming task. UserError where it is a model alone."""
    spec = None if path.suffix == ".tflite" else load_spec(path)
    if spec is None or spec.pipeline is None:
        raise UserError(
            "is a model alone; the task sww of MLPerf Tiny needs an app that hears",
            file=path,
            remedy="Name an app's folder: examples/mlperf_sww, with this as its model.",
        )
    return spec, spec.pipeline


def _stream(args: argparse.Namespace, tiny: Path | None) -> int:
    """The streaming task."""
    if args.wav is None or args.stimuli is not None or args.count is not None or args.mode == "p":
        raise UserError(
            "the task sww hears a recording" if args.wav is None else "the task sww takes a recording alone",
            remedy="earshot mlperf run APP --task sww --wav FILE",
        )
    spec, pipeline = _app(args.model)
    if tiny is not None and (args.channel not in (None, 1) or args.mix_down or args.resample):
        raise UserError(
            "the benchmark's driver reads the recording itself, and takes its left channel as it is",
            file=args.wav,
            remedy="Leave --mix-down, --resample and --channel away, but for --channel left.",
        )
    samples = audio.reader(args)(args.wav, pipeline.audio.sample_rate)
    stride = pipeline.window.stride
    if len(samples) < stride:
        raise UserError(f"it has {len(samples)} samples; a frame takes {stride}", file=args.wav)
    board = target_board(args.target, args.board)
    image = _built(args, board.name) if board is not None else None
    limit = app_score(spec).limits(pipeline.decision)[0]
    with waiting(f"starting the image at {args.target}"):
        link = benchmark_link(args.target, board, image, _baud(args))
    try:
        if tiny is not None:
            folder = args.output or ROOT / "build" / "mlperf" / TASKS[args.task].model
            with waiting(f"the streaming test's driver sends {args.wav.name} to {args.target}"):
                file = run_streaming(link, tiny, args.wav, folder)
            found = read_streamed(file)
        else:
            found = stream(Dialogue(link, args.target), samples, stride)
    finally:
        link.close()
    print(text(found, pipeline, limit))
    if tiny is not None:
        print(file)
    return 0


def _run(args: argparse.Namespace) -> int:
    if TASKS[args.task].streams:
        return _stream(args, checkout(args.runner) if args.runner is not None else None)
    if args.stimuli is None:
        raise UserError("--stimuli is missing", remedy="Name a folder with y_labels.csv and its files.")
    if args.count is not None and args.count < 1:
        raise UserError(f"--count {args.count} is not allowed", remedy="Write a number from 1.")
    tiny = checkout(args.runner) if args.runner is not None else None
    if tiny is None and (args.mode == "p" or args.output is not None):
        raise UserError("--mode p and --output go with --runner", remedy="Name a checkout of mlcommons/tiny.")
    if tiny is not None and args.mode == ENERGY:
        raise UserError(
            "the runner's energy test needs a power monitor and the benchmark's interface board",
            remedy="Build an image (`mlperf image ... --mode e`), and start the benchmark's own main.py with "
            "both connected; docs/mlperf.md tells how. Without --runner it is asked here, without times.",
        )
    stimuli = read_stimuli(args.stimuli)[: args.count]
    board = target_board(args.target, args.board)
    image = _built(args, board.name) if board is not None else None
    with waiting(f"starting the image at {args.target}"):
        link = benchmark_link(args.target, board, image, _baud(args))
    try:
        if tiny is not None:
            _official(args, link, tiny)
        else:
            _own(args, link, stimuli)
    finally:
        link.close()
    if board is not None:
        remark("time in an emulator, or on this computer, is no result of the benchmark")
    return 0


def _own(args: argparse.Namespace, link: Link, stimuli: Sequence[Stimulus]) -> None:
    dialogue = Dialogue(link, args.target)
    identity, model = dialogue.identify(), TASKS[args.task].model
    if identity.model != model:
        raise UserError(f"it runs {identity.model}, not {model}", file=args.target)
    print(f"{identity.name} runs {identity.model}: {accuracy(dialogue, stimuli).text()}")


def _official(args: argparse.Namespace, link: Link, tiny: Path) -> None:
    model = TASKS[args.task].model
    folder = args.output or ROOT / "build" / "mlperf" / model
    with waiting(f"the runner tests {model} at {args.target}"):
        session = run_official(
            link, tiny, TASKS[args.task].dataset, args.stimuli, folder, mode=args.mode, count=args.count
        )
    print((session.folder / "results.txt").read_text(encoding="utf-8").rstrip())
    print(session.folder)
