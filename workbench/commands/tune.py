# SPDX-License-Identifier: Apache-2.0
"""earshot tune: gate, thresholds and votes for a stated rate of false alarms."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from codegen.app.spec import Pipeline, Spec
from codegen.app.tables.decision import Score, never_of
from codegen.common.errors import UserError
from codegen.passes.legalise import load_for
from workbench.audio import recording as audio
from workbench.audio.files import recording_files
from workbench.data.query import conditions_of
from workbench.data.segment import Segment
from workbench.data.sessions import TEST, TRAIN
from workbench.host.features import app_score, listening_spec, open_pipeline
from workbench.host.host_library import HostPipeline
from workbench.host.model_app import write_whole
from workbench.progress import progress, waiting
from workbench.training import figures
from workbench.training.background import background_recordings, unlabelled_counts
from workbench.training.chosen import add_arguments, chosen_segments
from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.pieces import Piece, Recording, cut, recordings
from workbench.training.plot import check_name, plot_tuning
from workbench.training.recipe import load_recipe
from workbench.training.sets import Labelled, held_back
from workbench.training.settings_file import Values, replaced, thresholds, written
from workbench.training.several import one_of, own_segments
from workbench.training.tune import Tuned, Tuner, hear, hours_needed, own_settings
from workbench.workers import Opened, workers

NAME = "tune"
HELP = "choose gate, thresholds and votes for a stated rate of false alarms"
DESCRIPTION = """\
Chooses the gate's threshold and back-off, a threshold for each label, and how many decisions vote: those with
the fewest events missed, at fewer false alarms an hour of background than is stated. The firmware's own
arithmetic computes the scores, and what is chosen is tried in the firmware's C. Apps with [decision] mean or
suppress are refused. Of an app with several classifiers --classifier names one: its thresholds and votes are
chosen as if it ran alone, by the segments of its own labels; the gate stays, for it is one for all.

It chooses on the training session and looks at no other, with --held-back on that part of it which
training.toml holds back to watch the training: a model knows too well what it has learnt from. What that part
is, the same training.toml and the same choice of labels tell (--where, --query, and --test where `train` had
it), so none may have changed since the training. `evaluate` then says on the test session what the choice is
worth. The background is what is labelled `unknown` (sound without a label, where nothing is), and
--background adds recordings, or folders of hours of them, in which nothing happens. Fewer than 0.5 false
alarms an hour can be stated, with 95 per cent confidence, after 6 hours without one: shorter background is
refused, with the hours it takes.

  earshot tune --app examples/smart_lock --labels recordings/labels.csv --background night/
  earshot tune --app examples/smart_lock --labels recordings/labels.csv --false-alarms 30 --plot curve.png
  earshot tune --app my_app --labels recordings/labels.csv --held-back --background night/ --write
  earshot tune --app house --labels recordings/labels.csv --classifier words --background night/ --write

--plot draws each label's curve: events missed against false alarms an hour. --write writes the choice into
pipeline.toml, with a comment that says what it was chosen from; nothing has to be trained again.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, which sounds, how many false alarms."""
    add_arguments(parser, TRAIN)
    parser.add_argument(
        "--false-alarms", type=float, default=0.5, metavar="N", help="fewer than N an hour (default 0.5)"
    )
    parser.add_argument("--classifier", metavar="NAME", help="of an app with several: the one to choose for")
    parser.add_argument(
        "--held-back",
        action="store_true",
        help="choose on what training.toml holds back as validation, which the model has not learnt from; "
        "training.toml, --where, --query and --test must be those of its training",
    )
    parser.add_argument(
        "--test", type=Path, metavar="LABELS", help="the --test that `train` had, for --held-back"
    )
    parser.add_argument("--write", action="store_true", help="write the choice into pipeline.toml")
    parser.add_argument("--plot", type=Path, metavar="PNG", help="draw the curves: .png, .svg or .pdf")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """0; UserError where the background is too short for the rate."""
    rate = args.false_alarms
    if not 0 < rate < 1e6:
        raise UserError(
            f"--false-alarms {rate:g} is out of range; above 0 and below 1000000 an hour is allowed"
        )
    if args.plot is not None:
        check_name(args.plot)
    app, _ = listening_spec(args.app, several=True)
    number, spec = _one_of(args, app)
    pipeline = spec.pipeline
    assert pipeline is not None
    _check_settings(spec.file, pipeline, number)
    if args.test is not None and not args.held_back:
        raise UserError(
            "--test says what the training did not hold back, and is for --held-back alone",
            remedy="Add --held-back, or leave --test out.",
        )
    segments = _segments(args, pipeline)
    others: Sequence[Path] = ()
    if number is not None:
        own = own_segments(segments, app, spec, args.labels)
        segments, others = own.segments, own.others
    host = open_pipeline(spec)
    if args.held_back:
        segments = _held_back(args, host)
    pieces = cut(segments, pipeline.decision.labels, None, 1)
    unlabelled = unlabelled_counts(args.unlabelled, pieces, pipeline.decision.labels)
    args.background = [*args.background, *(others if unlabelled else ())]
    with workers(Opened(spec, host), args.scheduler) as found:
        count = len({piece.file for piece in pieces}) + len(recording_files(args.background))
        heard = [*found.map(hear, _recordings(args, pipeline, segments, pieces), count)]
    score = app_score(spec)
    before = own_settings(pipeline, score.limits(pipeline.decision))
    with waiting("choosing"):
        memory = bool(load_for(spec.classifier.engine, spec.classifier.model).variables)
        tuner = Tuner(host, heard, unlabelled=unlabelled, memory=memory)
        tuned = tuner.tuned(rate, before, gate_stays=number is not None)
    if tuned is None:
        raise _too_short(args, rate, tuner.background_hours())
    values = _values(pipeline, score, tuned)
    if number is not None:
        values = {place: value for place, value in values.items() if place[0] != "gate"}
    comment = _comment(args, tuned, rate)
    text = replaced(spec.file, values, comment, number) if args.write else ""
    if args.plot is not None:
        plot_tuning(tuned, rate, pipeline.decision.labels, before.limits, args.plot)
    if args.json:
        print(json.dumps(_object(tuned, rate, values)))
    else:
        print("\n".join(_text(tuned, rate, pipeline, values, args.classifier)))
    if args.write:
        write_whole(spec.file.resolve(), text.encode())  # a link stays one
        if not args.json:
            print(f"Written into {spec.file}. `earshot evaluate` says what it is worth on the test session.")
    return 0


def _one_of(args: argparse.Namespace, app: Spec) -> tuple[int | None, Spec]:
    """The classifier that is meant: its number, None where there is one alone, and its spec."""
    number, spec = one_of(app, args.classifier)
    if number is None:
        return None, spec
    waits = app.members[number].waits
    if args.held_back:
        raise UserError(
            "--held-back is what a training held back, and `train` takes apps with one classifier",
            file=app.file,
            remedy=f"Tune the app in which {spec.title} was trained, and copy what is chosen.",
        )
    if waits is not None:
        print(
            f"remark: {spec.title} waits for {waits.opener}; it is judged as if it always ran, with "
            "more false alarms, and fewer events missed, than in the app.",
            file=sys.stderr,
        )
    return number, spec


def _check_settings(file: Path, pipeline: Pipeline, number: int | None) -> None:
    """UserError for what the choice does not take into account."""
    several = "" if number is None else "classifier."
    decision = pipeline.decision
    for key, is_set, what in (
        ("mean", decision.mean > 1, "compares the mean of several scores with a threshold"),
        ("suppress", decision.suppress > 0, "suppresses decisions after a detection"),
    ):
        if is_set:
            raise UserError(
                f"it {what}: `tune` chooses only for apps without that",
                file=file,
                place=f"[{several}decision] {key}",
                remedy="Try thresholds with `earshot evaluate --threshold P --background FOLDER`, which "
                f"plays the app as it is, and write the best one into [{several}decision] threshold.",
            )


def _segments(args: argparse.Namespace, pipeline: Pipeline) -> tuple[Segment, ...]:
    if args.session == TEST:
        raise UserError(
            "the test session is for `evaluate` alone: what is chosen on it, it cannot judge",
            remedy=f"Leave --session out for the session {TRAIN}, or name another.",
        )
    return chosen_segments(args, pipeline, TRAIN, needed=True)


def _held_back(args: argparse.Namespace, pipeline: HostPipeline) -> tuple[Segment, ...]:
    if args.session is not None:
        raise UserError(
            f"--session {args.session} and --held-back name two sets of sounds",
            remedy="Leave one of them out.",
        )
    labelled = Labelled(
        args.labels,
        args.test,
        read=audio.reader(args),
        resampled=args.resample,
        conditions=conditions_of(args),
    )
    held = held_back(pipeline, load_recipe(args.app), labelled)
    print(f"held back of it: {len(held)} segments", file=sys.stderr)
    return held


def _recordings(
    args: argparse.Namespace, pipeline: Pipeline, segments: Sequence[Segment], pieces: Sequence[Piece]
) -> Iterator[Recording]:
    read, rate = audio.reader(args), pipeline.audio.sample_rate
    files = len({piece.file for piece in pieces})
    yield from progress(recordings(pieces, segments, rate, read), files, "recordings")
    yield from background_recordings(args.background, rate, read)


def _too_short(args: argparse.Namespace, rate: float, hours: float) -> UserError:
    """What can be stated of so much background, and what it takes."""
    possible = "There is none."
    if hours:
        exact = 1.01 * hours_needed(1) / hours  # a little more, so that it is not refused
        least = f"{float(f'{exact:.3g}'):g}"
        possible = f"Fewer than {least} an hour can be stated of what there is: --false-alarms {least}."
    return UserError(
        f"{figures.duration(hours)} of background are too short to state fewer than {rate:g} false alarms an "
        f"hour: that takes {hours_needed(rate):.1f} h without one",
        file=args.labels,
        remedy=f"Add recordings in which nothing happens: --background FOLDER. {possible}",
    )


def _values(pipeline: Pipeline, score: Score, tuned: Tuned) -> Values:
    """The choice as pipeline.toml has it."""
    settings = tuned.settings
    return {
        ("gate", "threshold"): settings.gate_threshold,
        ("gate", "backoff"): settings.gate_backoff,
        ("decision", "threshold"): thresholds(settings.limits, pipeline.decision, score),
        ("decision", "votes"): settings.votes,
    }


def _comment(args: argparse.Namespace, tuned: Tuned, rate: float) -> str:
    """One line: what the choice is from."""
    after = tuned.after
    return (
        f"# earshot tune: {args.labels.name}, fewer than {rate:g} false alarms an hour; on what it was "
        f"chosen from {after.found} of {after.found + after.missed} events heard, "
        f"{after.background_alarms} false alarms in {figures.duration(tuned.hours)}"
    )


def _text(tuned: Tuned, rate: float, pipeline: Pipeline, values: Values, classifier: str | None) -> list[str]:
    most = "none" if tuned.allowed == 0 else f"{tuned.allowed} at most"
    lines = [
        f"{figures.duration(tuned.hours)} of background: fewer than {rate:g} false alarms an hour are {most} "
        "in all of it, with 95 % confidence.",
        "",
    ]
    rows: list[tuple[str, ...]] = [("label", "events", "missed now", "chosen", "false alarms now", "chosen")]
    for before, after in zip(tuned.before.labels, tuned.after.labels, strict=True):
        counts = (before.events, before.missed, after.missed, before.background, after.background)
        rows.append((before.label, *map(str, counts)))
    lines += [*figures.aligned(rows), ""]
    never = [
        name
        for name, limit in zip(pipeline.decision.labels, tuned.settings.limits, strict=True)
        if limit >= never_of(pipeline.decision.kind) and name != UNKNOWN_CLASS
    ]
    if never:
        lines += [
            f"{', '.join(never)}: never reported; every threshold that hears it has too many false alarms.",
            "",
        ]
    section = ""
    for (name, key), value in values.items():
        if name != section:
            lines.append(f"[{name}]" if classifier is None else f"[classifier.{name}]  # {classifier}")
            section = name
        lines.append(f"{key} = {written(value)}")
    return lines


def _object(tuned: Tuned, rate: float, values: Values) -> dict[str, Any]:
    """For --json. curve: of each label the limits, shares missed and false alarms an hour."""
    chosen: dict[str, Any] = {}
    for (section, key), value in values.items():
        number = [float(one) for one in value] if isinstance(value, list) else value
        chosen.setdefault(section, {})[key] = number
    return {
        "false_alarms": rate,
        "hours": tuned.hours,
        "allowed": tuned.allowed,
        "chosen": chosen,
        "limits": list(tuned.settings.limits),
        "before": tuned.before.object(),
        "after": tuned.after.object(),
        "curves": {
            name: [
                {
                    "limit": point.limit,
                    "missed": point.events.missed,
                    "false_alarms_per_hour": point.alarms / tuned.hours,
                }
                for point in curve
            ]
            for name, curve in tuned.curves.items()
        },
    }
