# SPDX-License-Identifier: Apache-2.0
"""earshot evaluate: what an app decides on labelled recordings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.app.tables.decision import score_limit
from codegen.common.errors import UserError
from codegen.passes.int8_ends import int8_ends
from codegen.passes.legalise import load_graph
from workbench.audio import recording as audio
from workbench.data.labels import Segment, of_session, read_labels
from workbench.host.features import open_pipeline
from workbench.progress import progress, waiting
from workbench.targets import open_app
from workbench.training.confusion import UNKNOWN_CLASS, Confusion
from workbench.training.evaluation import of_stream, of_vectors
from workbench.training.pieces import Piece, Recording, cut, recordings, shortest
from workbench.training.plot import check_name, plot

NAME = "evaluate"
HELP = "count an app's right and wrong decisions on labelled recordings"
DESCRIPTION = """\
Decides labelled recordings with the firmware's own integer code and prints the confusion table: rows are the
truth, columns the decision, UNK is below the threshold, Sens the share of a row that is right, PosPred the
share of a column that is right.

  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv
  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv --threshold 0
  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv --stream --target qemu

Without --stream every feature vector of every segment is decided, as in training. With it whole recordings
are played into an image as a microphone would, energy gate and all, and decisions within a segment count.
"""
REMARK = (
    "UNK: no class reached its threshold. The app's class unknown says the same, so UNK is right in its row."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, which sounds, how."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--labels", type=Path, required=True, metavar="LABELS", help="CSV, Audacity label track, or a folder"
    )
    parser.add_argument("--session", metavar="NAME", help='of the labels (default "test" where there is one)')
    parser.add_argument(
        "--segment", type=int, default=8000, metavar="N", help="samples a long segment is cut to"
    )
    parser.add_argument(
        "--threshold", metavar="P", help="for all labels, instead of the app's; 0: the largest score wins"
    )
    parser.add_argument(
        "--stream", action="store_true", help="whole recordings through an image, with the gate"
    )
    parser.add_argument(
        "--target", default="pc", help="with --stream: pc, qemu, renode or a serial port (default pc)"
    )
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the table, too: .png, .svg or .pdf")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Exit code 0: figures are no verdict."""
    if args.target != "pc" and not args.stream:
        raise UserError(
            f"--target {args.target} needs --stream", remedy="Add --stream, or leave --target out."
        )
    if args.segment < 1:
        raise UserError(f"--segment {args.segment} is out of range; 1 sample and more are allowed")
    if args.plot is not None:
        check_name(args.plot)
    segments = _segments(args)
    table = _streamed(args, segments) if args.stream else _by_vectors(args, segments)
    if args.plot is not None:
        plot(table, args.plot)
    if args.json:
        print(json.dumps(table.object()))
    else:
        print(table.table())
        if UNKNOWN_CLASS in table.labels:
            print(REMARK, file=sys.stderr)
    return 0


def _segments(args: argparse.Namespace) -> tuple[Segment, ...]:
    spec = load_spec(args.app)
    if spec.pipeline is None:
        raise UserError("is a bare model: it has no decisions", file=args.app, remedy="Give an app's folder.")
    with waiting(f"reading {args.labels.name}"):
        segments = read_labels(args.labels, spec.pipeline.audio.sample_rate, resampled=args.resample)
    session = args.session
    if session is None:
        if not any(segment.session == "test" for segment in segments):
            return segments
        session = "test"
    chosen = of_session(segments, session, args.labels)
    print(f"session {session}: {len(chosen)} segments", file=sys.stderr)
    return chosen


def _by_vectors(args: argparse.Namespace, segments: tuple[Segment, ...]) -> Confusion:
    pipeline = open_pipeline(args.app)
    if args.threshold is not None:
        pipeline.set_threshold(_limit(args))
    pieces = cut(segments, pipeline.spec.decision.labels, args.segment, shortest(pipeline.spec))
    return of_vectors(pipeline, _read(args, pieces, segments, pipeline.sample_rate))


def _streamed(args: argparse.Namespace, segments: tuple[Segment, ...]) -> Confusion:
    spec = load_spec(args.app).pipeline
    assert spec is not None
    pieces = cut(segments, spec.decision.labels, None, shortest(spec))
    with open_app(args.app, args.target) as device:
        if args.threshold is not None:
            device.command(f"set decision.threshold {_limit(args)}")
        heard = _read(args, pieces, segments, spec.audio.sample_rate)
        return of_stream(spec.decision.labels, device, heard)


def _read(
    args: argparse.Namespace, pieces: Sequence[Piece], segments: Sequence[Segment], rate: int
) -> Iterator[Recording]:
    """The recordings of these pieces, as the options ask, with progress."""
    files = len({piece.file for piece in pieces})
    return progress(recordings(pieces, segments, rate, audio.reader(args)), files, "recordings")


def _limit(args: argparse.Namespace) -> int:
    """--threshold as a score of this app's model."""
    try:
        share = Fraction(Decimal(args.threshold))
    except (InvalidOperation, ValueError, OverflowError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise UserError(
            f"--threshold {args.threshold} is no share; 0..1 is allowed", remedy="For 80 per cent write 0.80."
        )
    graph = int8_ends(load_graph(load_spec(args.app).classifier.model))
    quantization = graph.output.quantization
    assert quantization is not None  # the build has checked it
    return score_limit(share, quantization.scale, quantization.zero_point)
