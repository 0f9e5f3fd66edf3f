# SPDX-License-Identifier: Apache-2.0
"""The labelled sounds that a command is asked to judge by, and hours of background beside them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from codegen.app.spec import Pipeline
from workbench.audio import recording as audio
from workbench.audio.files import recording_files
from workbench.data import query
from workbench.data.labels import Segment, of_session, read_labels
from workbench.progress import waiting
from workbench.training.background import check_apart
from workbench.workers import add_arguments as add_scheduler


def add_arguments(parser: argparse.ArgumentParser, session: str) -> None:
    """--app, --labels, --session, --background, --unlabelled, --scheduler, and how recordings are read.
    session: the one that is taken where none is named."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="LABELS",
        help="CSV, label track, selection table, JSON, or a folder",
    )
    parser.add_argument(
        "--session", metavar="NAME", help=f'of the labels (default "{session}" where there is one)'
    )
    parser.add_argument(
        "--background",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a recording, or a folder of them, in which nothing happens: every detection is a false alarm",
    )
    parser.add_argument(
        "--unlabelled",
        choices=("background", "ignore"),
        help="what sound without a label is (default: background, unless segments are labelled unknown)",
    )
    add_scheduler(parser)
    query.add_arguments(parser)
    audio.add_arguments(parser)


def asked_segments(args: argparse.Namespace, sample_rate: int) -> tuple[Segment, ...]:
    """Those that --where and --query mean, of --session where one is named; at least one."""
    labels = read_labels(args.labels, sample_rate, resampled=args.resample)
    segments = query.chosen(labels, query.conditions_of(args), args.labels)
    return segments if args.session is None else of_session(segments, args.session, args.labels)


def left_out(segments: Sequence[Segment]) -> str:
    """What to say where a session is taken of segments of which some have none; "" where all have one."""
    count = sum(not segment.session for segment in segments)
    if not count:
        return ""
    what = "1 segment has no session and is" if count == 1 else f"{count} segments have no session and are"
    return f"{what} left out"


def chosen_segments(
    args: argparse.Namespace, pipeline: Pipeline, session: str, *, needed: bool
) -> tuple[Segment, ...]:
    """Of those that --where and --query mean: those of --session; of `session` where none is named and there
    is one; else all.

    needed: labels that have sessions, but not this one, are refused. UserError also where nothing is left.
    """
    recording_files(args.background)  # a wrong name is refused before anything is built or played
    conditions = query.conditions_of(args)
    with waiting(f"reading {args.labels.name}"):
        segments = read_labels(args.labels, pipeline.audio.sample_rate, resampled=args.resample)
        check_apart(args.background, segments)
        segments = query.chosen(segments, conditions, args.labels)
    name = args.session
    if name is None:
        there = {segment.session for segment in segments} - {""}
        if session not in there and not (needed and there):
            return segments
        name = session
    chosen = of_session(segments, name, args.labels)
    if args.session is None and (left := left_out(segments)):
        print(left, file=sys.stderr)
    print(f"session {name}: {len(chosen)} segments", file=sys.stderr)
    return chosen
