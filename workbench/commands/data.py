# SPDX-License-Identifier: Apache-2.0
"""earshot data: labelled recordings looked at, checked, and taken from and to other programs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from codegen.app.spec import Pipeline
from codegen.common.errors import UserError, UserErrors
from workbench.audio import recording as audio
from workbench.audio.files import recording_files
from workbench.data import findings, query
from workbench.data.check_audio import check_audio, counts
from workbench.data.detect import LENGTH, Detection
from workbench.data.export import FORMATS, export, without_place
from workbench.data.findings import Finding, of_labels, where
from workbench.data.labels import of_session, own_rates, read_labels
from workbench.data.regions import windows
from workbench.data.segment import RateOf, Segment, by_file, find_class
from workbench.progress import progress
from workbench.training import figures
from workbench.training.chosen import asked_segments
from workbench.training.feature_map import described, draw, mapped
from workbench.training.front_end import front_end, front_end_spec
from workbench.training.pieces import Piece, cut, recordings, shortest
from workbench.training.plot import check_name, plot_statistics
from workbench.training.second_hearing import SecondHearing

NAME = "data"
HELP = "check, count and choose labelled recordings; bring labels from and to other programs"
DESCRIPTION = """\
LABELS is what every command takes: a CSV (file,start,end,label,...), Audacity label tracks, Raven selection
tables (.txt), Label Studio's or SensiML's JSON, or a folder with one of these.

  check     what is wrong with them: place and remedy of each finding
  query     how much there is of what; chooses, names and writes a part of it
  plot      what is typical of each class, and a map of the segments with outliers named
  import    labels of another program as a CSV that a person can read
  export    and back
  regions   long stretches of noise cut into windows, the last part for testing
  detect    segments around what is loud in recordings, added to a CSV

  earshot data check recordings/labels.csv --app examples/smart_lock
  earshot data query recordings/labels.csv --by label --by device
  earshot data query recordings/labels.csv --where device=xg24 --where label!=unknown --save kit -o kit.csv
  earshot data plot recordings/labels.csv --app examples/smart_lock -o map.png
  earshot data import door.Table.1.selections.txt -o labels.csv
  earshot data export labels.csv --format label-studio -o tasks.json
  earshot data export labels.csv --format audacity -o tracks/
  earshot data regions labels.csv --label unknown --length 8000 --test 0.25 -o cut.csv
  earshot data detect recordings/ --label knocking -o recordings/labels.csv

What is known of each recording (device, place, person) is a row of captures.csv beside the label file.
`earshot data check --help` tells what is looked at.
"""
CHECK = """\
Looks at labels and sounds, and lists what is wrong with place and remedy; exit code 1 where something is.

""" + "\n".join(f"  {kind:<10} {what}" for kind, what in findings.KINDS.items())
DETECT = """\
Adds a segment around each event of the recordings to a CSV, which is made where there is none. Its other
lines stay as they are; events that lie in one of its segments get no second one. Look at them afterwards:
`earshot studio` shows and moves them.

An event is what is louder than a threshold, with less than half a second of quiet in it. The threshold is
that of --threshold, else that of the gate of --app, else three times what is usual in the recording (the
median of the largest sample of each 10 ms).
"""
RATE = 16000  # Hz, where neither an app nor the recording says another
QUERY = """\
Counts the segments that meet the conditions, by label, session and whatever else is known of them, and can
draw, write and name them.

""" + "\n".join((query.__doc__ or "").splitlines()[2:])
PLOT = """\
Draws what the app's front end makes of labelled segments, by the firmware's own C. Above, for each class,
mean and spread of every feature. Below a map: a point a segment, in the two directions in which the segments
differ most; those that lie far from the others of their class are named there and listed. The app needs no
model.
"""
MOST_ROWS = 20  # of a table that was not asked for
PIECE = 8000  # samples of a segment that are compared with others


def arguments(parser: argparse.ArgumentParser) -> None:
    """A word, then its own."""
    words = parser.add_subparsers(dest="word", required=True, metavar="WORD", help="one of these")
    check = words.add_parser(
        "check", description=CHECK, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    _labels(check)
    check.add_argument(
        "--accept", action="append", default=[], metavar="KIND", help="do not look at this kind"
    )
    check.add_argument("--json", action="store_true", help="print one JSON object")
    audio.add_arguments(check)
    asked = words.add_parser(
        "query", description=QUERY, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    _labels(asked)
    asked.add_argument("--by", action="append", default=[], metavar="COLUMN", help="a table of this column")
    asked.add_argument("--save", metavar="NAME", help=f"store the conditions in {query.NAME}")
    asked.add_argument("--plot", type=Path, metavar="PNG", help="draw the tables: .png, .svg or .pdf")
    asked.add_argument("--json", action="store_true", help="print one JSON object, with every segment")
    asked.add_argument("-o", "--output", type=Path, metavar="OUT.csv", help="write the segments as a CSV")
    drawn = words.add_parser(
        "plot", description=PLOT, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    _labels(drawn)
    drawn.add_argument("--session", metavar="NAME", help="only its segments")
    drawn.add_argument("-o", "--output", type=Path, metavar="OUT.png", help="picture: .png, .svg or .pdf")
    drawn.add_argument("--json", action="store_true", help="print one JSON object, with every point")
    audio.add_arguments(drawn)
    taken = words.add_parser("import", description="Labels of another program as a CSV.", allow_abbrev=False)
    given = words.add_parser("export", description="Labels for another program.", allow_abbrev=False)
    given.add_argument("--format", required=True, choices=FORMATS, help="whose")
    regions = words.add_parser("regions", description="Long stretches cut into windows.", allow_abbrev=False)
    regions.add_argument("--label", default="unknown", metavar="L", help="of the stretches (default unknown)")
    regions.add_argument("--length", type=int, default=8000, metavar="N", help="samples (default 8000)")
    regions.add_argument(
        "--test", type=float, default=0.25, metavar="S", help="share at the end for testing (default 0.25)"
    )
    _detect_arguments(words)
    for one in (taken, given, regions):
        _labels(one)
        one.add_argument("--session", metavar="NAME", help="only its segments")
        one.add_argument("-o", "--output", type=Path, required=True, metavar="OUT", help="file, or folder")


def _detect_arguments(words: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    found = words.add_parser(
        "detect", description=DETECT, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    found.add_argument("recordings", type=Path, nargs="+", metavar="RECORDING", help="files or folders")
    found.add_argument("--label", required=True, metavar="L", help="of the segments")
    found.add_argument("--session", metavar="NAME", help="of the segments (default: as the CSV's others)")
    found.add_argument(
        "--seconds", type=float, default=LENGTH, metavar="S", help=f"a segment's length (default {LENGTH})"
    )
    found.add_argument(
        "--threshold", type=int, metavar="N", help="loudness of an event, 1 to 32767: the largest |sample|"
    )
    found.add_argument(
        "--app",
        type=Path,
        metavar="DIR",
        help="whose gate's threshold counts, and sample rate where a recording tells none",
    )
    found.add_argument("--json", action="store_true", help="print one JSON object")
    found.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.csv", help="the CSV")
    audio.add_arguments(found)


def _labels(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("labels", type=Path, metavar="LABELS", help="file or folder")
    parser.add_argument(
        "--app", type=Path, metavar="DIR", help="whose sample rate, classes, gate and features count"
    )
    query.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """1 where a check finds something."""
    if args.word == "check":
        return _check(args)
    if args.word == "plot":
        return _plot(args)
    if args.word == "detect":
        return _detect(args)
    pipeline = front_end_spec(args.app)[1] if args.app is not None else None
    rate = pipeline.audio.sample_rate if pipeline is not None else RATE
    conditions = query.conditions_of(args)
    whole = read_labels(args.labels, rate, own_rate=True)
    segments: Sequence[Segment] = query.chosen(whole, conditions, args.labels)
    if args.word == "query":
        return _query(args, segments, len(whole), own_rates(rate))
    if args.session is not None:
        segments = of_session(segments, args.session, args.labels)
    if args.word == "regions":
        segments = _regions(args, segments)
    kind = args.format if args.word == "export" else "csv"
    written = export(segments, kind, args.output, args.labels, own_rates(rate))
    print(f"{len(segments)} segments of {len(by_file(segments))} recordings are in {written}.")
    left = without_place(segments, kind)
    if left:
        each = ", ".join(f"{name} ({count})" for name, count in left.items())
        print(f"Left out, for {kind} has no place for it: {each}; in brackets the segments. csv keeps all.")
    return 0


def _query(args: argparse.Namespace, segments: Sequence[Segment], of: int, rate_of: RateOf) -> int:
    """Counts and, where it is asked for, draws, writes and stores."""
    if args.plot is not None:
        check_name(args.plot)
    columns = query.columns_of(segments)
    unknown = [name for name in args.by if name.casefold() not in {column.casefold() for column in columns}]
    if unknown:
        raise UserError(
            f"no segment has a column {unknown[0]}",
            file=args.labels,
            remedy=f"Columns: {', '.join(columns)}.",
        )
    tables = {name: query.statistics(segments, name, rate_of) for name in args.by or columns}
    if not args.by:  # those that tell one from another, in as many rows as can be looked through
        tables = {
            name: rows for name, rows in tables.items() if 1 < len(rows) <= MOST_ROWS or name == "label"
        }
    if args.output is not None:
        export(segments, "csv", args.output, args.labels, rate_of)
    if args.plot is not None:
        plot_statistics(tables, args.plot)
    if args.save is not None:
        query.save(args.labels, args.save, query.conditions_of(args))
    seconds = sum(one.samples / rate_of(one.file) for one in segments)
    if args.json:
        listed = [
            {"start": one.start, "end": one.end} | {name: query.value_of(one, name) for name in columns}
            for one in segments
        ]
        both = {name: [dataclasses.asdict(row) for row in rows] for name, rows in tables.items()}
        print(json.dumps({"of": of, "seconds": seconds, "tables": both, "segments": listed}))
        return 0
    part = f"{len(segments)} of {of} segments" if len(segments) < of else f"{of} segments"
    print(f"{part}, {figures.duration(seconds / 3600)} in {len(by_file(segments))} recordings")
    for name, rows in tables.items():
        print("", *figures.of_statistics(name, rows), sep="\n")
    return 0


def _plot(args: argparse.Namespace) -> int:
    """0; the picture is written."""
    if args.output is not None:
        check_name(args.output)
    elif not args.json:
        raise UserError("data plot needs -o OUT.png", remedy="Or --json, which prints the places.")
    if args.app is None:
        raise UserError("data plot needs --app: whose features are drawn", remedy="Its model is not needed.")
    _, host = front_end(args.app)
    segments = asked_segments(args, host.sample_rate)
    names, pieces = _classes(segments, host.spec.decision.labels)
    read = recordings(pieces, segments, host.sample_rate, audio.reader(args))
    seen = described(host, progress(read, len(by_file(segments)), "recordings"))
    if len(seen.pieces) < len(pieces):
        print(f"{len(pieces) - len(seen.pieces)} segments are shorter than a window", file=sys.stderr)
    if not seen.pieces:
        raise UserError("no segment is as long as a window", file=args.labels)
    of = dict(zip(pieces, segments, strict=True))
    own = [of[piece] for piece in seen.pieces]
    found = mapped(seen)
    words = [f"{own[number].file.name}, {own[number].place}" for number, _ in found.outliers]
    if args.output is not None:
        draw(seen, found, names, [one.session for one in own], words, file=args.output)
    far = [
        {"file": str(own[number].file), "place": where(own[number]), "label": own[number].label, "far": far}
        for number, far in found.outliers
    ]
    if args.json:
        picture = str(args.output) if args.output is not None else None
        points = [
            {"file": str(one.file), "start": one.start, "end": one.end, "label": one.label, "x": x, "y": y}
            for one, (x, y) in zip(own, found.places.round(3).tolist(), strict=True)
        ]
        counted = {"segments": len(own), "shares": list(found.shares)}
        print(json.dumps({**counted, "outliers": far, "points": points, "picture": picture}))
        return 0
    for rank, row in enumerate(far, start=1):
        print(f"{rank:>3}  {row['place']}: {Path(str(row['file'])).name}, {row['label']}")
    print(
        f"{len(far)} of {len(own)} segments lie far from the others of their class: listen to them. "
        f"The picture is {args.output}"
    )
    return 0


def _classes(segments: Sequence[Segment], labels: Sequence[str]) -> tuple[list[str], list[Piece]]:
    """The app's classes and, after them, labels that are none; each segment whole, with its place there."""
    names = list(labels)
    pieces = []
    for one in segments:
        index = find_class(one, names)
        if index is None:
            index = len(names)
            names.append(one.label)
        pieces.append(Piece(one.file, one.start, one.end, index, one.group))
    return names, pieces


def _detect(args: argparse.Namespace) -> int:
    """0, events or none; the CSV has a segment around each."""
    if not 0.01 <= args.seconds <= 3600:
        raise UserError("--seconds is 0.01 to 3600", remedy="--seconds 0.5")
    if args.threshold is not None and not 1 <= args.threshold <= 32767:
        raise UserError("--threshold is 1 to 32767, the largest |sample|", remedy="--threshold 600")
    pipeline = front_end_spec(args.app)[1] if args.app is not None else None
    files = recording_files(args.recordings)
    detection = Detection(
        args.output,
        args.label,
        args.session,
        length=args.seconds,
        limit=args.threshold,
        gate=None if pipeline is None else pipeline.gate.threshold,
        rate=RATE if pipeline is None else pipeline.audio.sample_rate,
    )
    detection.check(files)
    found = [detection.add(file, audio.reader(args)) for file in progress(files, len(files), "recordings")]
    if args.json:
        print(
            json.dumps({"recordings": [{**dataclasses.asdict(one), "file": str(one.file)} for one in found]})
        )
        return 0
    width = max(len(one.file.name) for one in found)
    for one in found:
        old = f", {one.events - one.added} of them in a segment already" if one.added < one.events else ""
        events = f"{one.events} event{'s' if one.events != 1 else ''}"
        print(f"  {one.file.name:<{width}}  {events} louder than {one.limit}{old}")
    added = sum(one.added for one in found)
    print(f'Added to {args.output}: {added} segments "{args.label}"')
    return 0


def _regions(args: argparse.Namespace, segments: Sequence[Segment]) -> Sequence[Segment]:
    if args.length < 1 or not 0 <= args.test < 1:
        raise UserError(
            "--length is 1 sample and more, --test 0 to below 1", remedy="--length 8000 --test 0.25"
        )
    there = [one for one in segments if one.label == args.label and not one.session]
    if not there:
        raise UserError(
            f'no segment without a session has the label "{args.label}"',
            file=args.labels,
            remedy="Name the label of the stretches with --label; those with a session stay as they are.",
        )
    return windows(segments, args.label, args.length, args.test)


def findings_of(args: argparse.Namespace) -> list[Finding]:
    """All findings of the kinds that are looked at."""
    unknown = [kind for kind in args.accept if kind not in findings.KINDS]
    if unknown:
        raise UserError(f"--accept {unknown[0]} is no kind", remedy=f"Kinds: {', '.join(findings.KINDS)}.")
    pipeline = front_end_spec(args.app)[1] if args.app is not None else None
    return [one for one in _findings(args, pipeline) if one.kind not in args.accept]


def _check(args: argparse.Namespace) -> int:
    found = findings_of(args)
    failed = any(one.fails for one in found)
    if args.json:
        print(
            json.dumps(
                {"ok": not failed, "counts": counts(found), "findings": [_object(one) for one in found]}
            )
        )
        return int(failed)
    for kind, what in findings.KINDS.items():
        own = [one for one in found if one.kind == kind]
        if own:
            print(f"{kind}: {what} ({len(own)})")
            for remedy in dict.fromkeys(one.remedy for one in own):
                print("\n".join(f"  {one.place}: {one.what}" for one in own if one.remedy == remedy))
                print(f"    {remedy}")
            print()
    serious = sum(one.fails for one in found)
    print(f"{serious} to mend, {len(found) - serious} to look at" if found else "nothing is wrong with them")
    return int(failed)


def _object(finding: Finding) -> dict[str, object]:
    return {**dataclasses.asdict(finding), "fails": finding.fails}


def _findings(args: argparse.Namespace, pipeline: Pipeline | None) -> Iterator[Finding]:
    rate = pipeline.audio.sample_rate if pipeline is not None else RATE
    labels = pipeline.decision.labels if pipeline is not None else None
    try:
        segments = read_labels(args.labels, rate, resampled=args.resample, most=None)
    except UserErrors as error:
        for one in error.errors:
            yield Finding("broken", f"{Path(one.file or '').name}, {one.place}", one.what, one.remedy or "")
        return
    except UserError as error:
        if error.place is None:
            raise
        yield Finding(
            "broken", f"{Path(error.file or '').name}, {error.place}", error.what, error.remedy or ""
        )
        return
    segments = query.chosen(segments, query.conditions_of(args), args.labels)
    yield from of_labels(segments, labels)
    gate = None
    hearing = None
    if pipeline is not None:
        gate = pipeline.gate.threshold if pipeline.gate.threshold > 0 else None
        if "noise" not in args.accept:
            hearing = _second_hearing(args, pipeline, segments)
    checked = check_audio(segments, rate, audio.reader(args), gate)
    for file, samples, own in progress(checked, len(by_file(segments)), "recordings"):
        if samples is None or any(one.kind == "range" for one in own):
            hearing = None  # only what is otherwise sound is compared
        if hearing is not None and samples is not None:
            hearing.hear(file, samples)
        yield from own
    if hearing is not None:
        yield from hearing.findings()


def _second_hearing(
    args: argparse.Namespace, pipeline: Pipeline, segments: Sequence[Segment]
) -> SecondHearing | None:
    """Of the segments that are of a class of the app; None where there is none to compare."""
    names = pipeline.decision.labels
    of_app = [one for one in segments if find_class(one, names) is not None]
    if not of_app:
        return None
    try:
        pieces = cut(of_app, names, PIECE, shortest(pipeline), lambda _: None)
    except UserError:
        print("labels that overlap or are too short are not compared with each other", file=sys.stderr)
        return None
    return SecondHearing(front_end(args.app)[1], pieces, of_app)
