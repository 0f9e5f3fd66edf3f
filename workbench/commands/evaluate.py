# SPDX-License-Identifier: Apache-2.0
"""earshot evaluate: what an app decides on labelled recordings."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from codegen.app.spec import Kind, Pipeline, Spec
from codegen.app.tables.decision import Score
from codegen.common.errors import UserError
from codegen.common.protocol import THRESHOLD
from workbench.audio import recording as audio
from workbench.audio.files import recording_files
from workbench.data.segment import Segment
from workbench.data.sessions import TEST
from workbench.host.features import app_score, listening_spec, open_pipeline
from workbench.host.host_library import EVERY_WINDOW
from workbench.progress import progress, remark
from workbench.targets import BAUD, PC, open_app
from workbench.targets.restored import restored, with_settings
from workbench.training import figures
from workbench.training.background import background_recordings, unlabelled_counts
from workbench.training.chosen import add_arguments, chosen_segments
from workbench.training.confusion import UNKNOWN_CLASS, Confusion, balanced
from workbench.training.decided import write_decided
from workbench.training.evaluation import Model, Stream, counted, play, played_here, vector_pairs
from workbench.training.events import Events, count_events
from workbench.training.pieces import Piece, Recording, cut, recordings, shortest
from workbench.training.plot import check_name, plot
from workbench.training.several import OwnSegments, models_of, own_segments
from workbench.workers import Opened, workers

NAME = "evaluate"
HELP = "count an app's right and wrong decisions on labelled recordings"
DESCRIPTION = """\
Decides labelled recordings with the firmware's own integer code, in two ways:

by events   whole recordings are played into an image as a microphone would, energy gate and all. Which events
            (segments of a class that is not `unknown`) were heard, which missed, which heard twice; how many
            false alarms an hour, how late.
by vectors  every feature vector of every segment is decided, as in training, each segment on its own and
            without the gate. --stream counts the decisions of the played recordings in place of it.

The mean of the sensitivities comes first: the plain share of right decisions (Acc, last) is mostly that of
the class there is most of. In the tables rows are the truth, columns the decision; UNK is below the
threshold, UNC has no majority (votes), Sens is the share of a row that is right, PosPred that of a column.

  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv
  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv --background night/
  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv --target pc,qemu
  earshot evaluate --app examples/smart_lock --labels recordings/labels.csv --threshold 0 --no-gate

Several targets stand side by side, and the exit code is 1 where one decides otherwise than the first.
Of an app with several classifiers each is judged by the segments of its own labels, while all of them run;
those of the others are to it sound of the class `unknown`, or without a label.
"""
REMARK = (
    "UNK: no class reached its threshold. The app's class unknown says the same, so UNK is right in its row."
)
BALANCE_SEED = 1


@dataclass(frozen=True)
class _Target:
    """What one target made of the played recordings."""

    streams: tuple[Stream, ...]
    events: Events
    table: Confusion  # of the decisions within segments

    def object(self) -> dict[str, Any]:
        """For --json."""
        return {"events": self.events.object(), "stream": self.table.object()}


@dataclass(frozen=True)
class _Sounds:
    """What is played, and with which settings of the image."""

    segments: tuple[Segment, ...]
    pieces: tuple[Piece, ...]  # these, whole
    settings: dict[str, int]
    app: Spec  # with all its models
    others: tuple[Path, ...] = ()  # recordings with events of the app's other models alone


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, which sounds, how."""
    add_arguments(parser, TEST)
    parser.add_argument(
        "--segment", type=int, default=8000, metavar="N", help="samples a long segment is cut to"
    )
    parser.add_argument(
        "--threshold", metavar="P", help="for all labels, instead of the app's; 0: the largest score wins"
    )
    parser.add_argument(
        "--classifier", metavar="NAME", help="of an app with several, this one alone (default: each)"
    )
    parser.add_argument("--no-gate", action="store_true", help="every window passes the gate")
    parser.add_argument(
        "--balance",
        action="store_true",
        help="tables of vectors with as many of every class as there are of the smallest, drawn at random",
    )
    parser.add_argument(
        "--stream", action="store_true", help="the table counts the played recordings' decisions"
    )
    parser.add_argument(
        "--target",
        default="pc",
        help="where they are played: pc, qemu, renode, a serial port; or several: A,B",
    )
    parser.add_argument("--board", metavar="B", help="what to build for an emulator (default mps2_an386)")
    parser.add_argument("--baud", type=int, default=BAUD, metavar="N", help=f"of a port (default {BAUD})")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the tables, too: .png, .svg or .pdf")
    parser.add_argument(
        "--decided", type=Path, metavar="OUT.csv", help="write what each segment was taken for, by events"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Exit code 0: figures are no verdict; 1 where targets decide differently."""
    if args.segment < 1:
        raise UserError(f"--segment {args.segment} is out of range; 1 sample and more are allowed")
    if args.plot is not None:
        check_name(args.plot)
    targets = _targets(args.target)
    spec, pipeline = listening_spec(args.app, several=True)
    segments = chosen_segments(args, pipeline, TEST, needed=False)
    chosen = models_of(spec, args.classifier)
    if len(chosen) > 1:
        lone = next((option for option in ("plot", "decided") if getattr(args, option) is not None), None)
        if lone is not None:
            names = ", ".join(model.name for model, _ in chosen)
            raise UserError(
                f"--{lone} writes what one model decides, and the app has several classifiers",
                file=spec.file,
                remedy=f"Name one: --classifier, {names}.",
            )
    owns = [own_segments(segments, spec, member, args.labels) for _, member in chosen]  # before any is played
    results: list[tuple[int, dict[str, Any]]] = []
    for (model, member), own in zip(chosen, owns, strict=True):
        if len(chosen) > 1 and not args.json:
            print(f"{'' if not results else chr(10)}{model.name}:")
        results.append(_one(args, targets, (model, member), own, spec))
    if args.json:
        found = {model.name: whole for (model, _), (_, whole) in zip(chosen, results, strict=True)}
        print(json.dumps(results[0][1] if len(chosen) == 1 else {"classifiers": found}))
    return max(code for code, _ in results)


def _one(
    args: argparse.Namespace,
    targets: Sequence[str],
    judged: tuple[Model, Spec],
    own: OwnSegments,
    app: Spec,
) -> tuple[int, dict[str, Any]]:
    """What one model decides, printed unless it is wanted as JSON: the exit code and the object. judged: the
    model with its own spec; app: that of all."""
    model, spec = judged
    assert spec.pipeline is not None
    pipeline, segments = spec.pipeline, own.segments
    score = app_score(spec)
    limit = None if args.threshold is None else _limit(args.threshold, score, pipeline.decision.kind)
    pieces = cut(segments, pipeline.decision.labels, None, 1, partial(remark, once=True))
    sounds = _Sounds(segments, pieces, _settings(args, pipeline, limit, model), app, own.others)
    vectors = None
    if not args.stream:
        decision = pipeline.decision
        limits = score.limits(decision) if limit is None else (limit,) * len(decision.labels)
        vectors = _by_vectors(args, spec, limits, segments)
    played = {target: _play(args, pipeline, target, sounds, model) for target in targets}
    first = played[targets[0]]
    table = first.table if vectors is None else vectors
    if args.plot is not None:
        plot({"events": first.events.table, "vectors": table}, args.plot)
    if args.decided is not None:
        write_decided(args.decided, pipeline.decision.labels, first.streams, first.events)
    differing = {target: _differing(first, played[target]) for target in targets[1:]}
    both = {target: one.object() for target, one in played.items()}
    same = {target: found is None for target, found in differing.items()}
    whole = table.object() | {"events": first.events.object(), "targets": both, "same": same}
    if not args.json:
        print("\n".join(_text(played, vectors, args)))
        if UNKNOWN_CLASS in table.labels:
            print(REMARK, file=sys.stderr)
    for target, found in differing.items():
        if found is not None:
            print(f"{target} decides otherwise than {targets[0]}, first {found}", file=sys.stderr)
    return (1 if any(differing.values()) else 0), whole


def _targets(text: str) -> list[str]:
    targets = [word.strip() for word in text.split(",") if word.strip()]
    if not targets or len(set(targets)) < len(targets):
        raise UserError(
            f'--target "{text}" names no target, or one twice', remedy="Write pc, or several: pc,qemu."
        )
    return targets


def _by_vectors(
    args: argparse.Namespace, spec: Spec, limits: Sequence[int], segments: tuple[Segment, ...]
) -> Confusion:
    """limits: the score from which each label is accepted."""
    host = open_pipeline(spec)
    labels = host.spec.decision.labels
    pieces = cut(segments, labels, args.segment, shortest(host.spec), partial(remark, once=True))
    task = partial(vector_pairs, limits, None if args.threshold is None else limits[0])
    with workers(Opened(spec, host), args.scheduler) as found:
        count = len({piece.file for piece in pieces})
        made = found.map(task, _read(args, pieces, segments, host.spec), count)
        pairs = [pair for own in made for pair in own]
    return _table(args, host.spec, pairs)


def _play(
    args: argparse.Namespace, pipeline: Pipeline, target: str, sounds: _Sounds, model: Model
) -> _Target:
    """Plays whole recordings, and those of the background, into a target."""
    labels, rate = pipeline.decision.labels, pipeline.audio.sample_rate
    step = pipeline.window.stride * pipeline.cascade.every
    unlabelled = unlabelled_counts(args.unlabelled, sounds.pieces, labels)
    board = None if target == PC else args.board
    read = audio.reader(args)
    background = [*args.background, *(sounds.others if unlabelled else ())]
    recordings = chain(
        _read(args, sounds.pieces, sounds.segments, pipeline), background_recordings(background, rate, read)
    )
    if target == PC:
        count = len({piece.file for piece in sounds.pieces}) + len(recording_files(background))
        with open_app(args.app, target):
            pass  # it is built, and what is to be said of it is said
        task = partial(played_here, pipeline, sounds.settings, model)
        with workers(Opened(sounds.app), args.scheduler) as found:
            streams = [*found.map(task, recordings, count)]
    else:
        with (
            open_app(args.app, target, board=board, baud=args.baud) as device,
            restored(device),
            with_settings(device, sounds.settings),
        ):
            streams = [*play(pipeline, device, recordings, model)]
    played = (one.played for one in streams)
    events = count_events(labels, played, rate, step, unlabelled=unlabelled)
    pairs = [pair for one in streams for pair in one.pairs]
    return _Target(tuple(streams), events, _table(args, pipeline, pairs))


def _table(args: argparse.Namespace, pipeline: Pipeline, pairs: list[tuple[int, int]]) -> Confusion:
    labels = pipeline.decision.labels
    table = counted(labels, pairs)
    return balanced(labels, pairs, BALANCE_SEED) if args.balance else table


def _differing(first: _Target, other: _Target) -> str | None:
    """Where two targets decide differently, in words."""
    for ours, theirs in zip(first.streams, other.streams, strict=True):
        sample = ours.first_difference(theirs)
        if sample is not None:
            return f"in {ours.name} at sample {sample}; `earshot parity` says at which stage"
    return None


def _text(played: dict[str, _Target], vectors: Confusion | None, args: argparse.Namespace) -> list[str]:
    target, first = next(iter(played.items()))
    gate = "without the gate" if args.no_gate else "with the gate"
    lines = [f"By events: whole recordings, {gate} ({target})", *figures.of_events(first.events)]
    lines += ["", "What events and stretches of background were taken for:", first.events.table.table(), ""]
    if vectors is None:
        title, table = f"By decisions within segments of the played recordings, {gate}", first.table
    else:
        title, table = "By vectors: each segment on its own, as in training, without the gate", vectors
    drawn = f", {table.support[0]} of every class drawn at random" if args.balance else ""
    lines += [f"{title}{drawn}", *figures.of_table(table), "", table.table()]
    if len(played) > 1:
        both = {name: (one.events, one.table) for name, one in played.items()}
        lines += ["", "Side by side, the played recordings:", *figures.side_by_side(both)]
    return lines


def _read(
    args: argparse.Namespace, pieces: Sequence[Piece], segments: Sequence[Segment], pipeline: Pipeline
) -> Iterator[Recording]:
    """The recordings of these pieces, as the options ask, with progress."""
    files = len({piece.file for piece in pieces})
    read = recordings(pieces, segments, pipeline.audio.sample_rate, audio.reader(args))
    return progress(read, files, "recordings")


def _settings(
    args: argparse.Namespace, pipeline: Pipeline, limit: int | None, model: Model
) -> dict[str, int]:
    """What the options change of a running image. limit: of all labels, where --threshold says one."""
    settings = {f"gate.{name}": value for name, value in EVERY_WINDOW.items()} if args.no_gate else {}
    if limit is not None:
        settings |= {model.key(f"{THRESHOLD}.{label}"): limit for label in pipeline.decision.labels}
    return settings


def _limit(text: str, score: Score, kind: Kind) -> int:
    """--threshold as a score of this app's model."""
    try:
        share = Fraction(Decimal(text))
    except (InvalidOperation, ValueError, OverflowError):
        share = Fraction(-1)
    if kind is Kind.ANOMALY:
        if share < 0:
            what = f"--threshold {text} is no mean squared error; 0 and more is allowed"
            raise UserError(what, remedy="It is compared with errors in the units of the model's input.")
    elif not 0 <= share <= 1:
        raise UserError(
            f"--threshold {text} is no share; 0..1 is allowed", remedy="For 80 per cent write 0.80."
        )
    return score.limit(share)
