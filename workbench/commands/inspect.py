# SPDX-License-Identifier: Apache-2.0
"""earshot inspect: one picture of what an app makes of a recording."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from codegen.app.spec import Kind
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.audio import recording as audio
from workbench.data.labels import read_labels
from workbench.host.features import app_score, listening_spec, open_pipeline
from workbench.host.inspection import Mark, draw, inspect, summary
from workbench.progress import waiting
from workbench.training.plot import check_name
from workbench.training.several import one_of

NAME = "inspect"
HELP = "draw a recording: sound, spectrogram, gate, features, scores and decisions over time"
DESCRIPTION = """\
Takes a recording through every stage by the firmware's own C and draws, one below the other over time:

  the waveform, with the labelled segments, the gate's threshold (dotted) and where the gate is open (green)
  the spectrogram
  the features as a heat map, a column a window
  the score of every label, with the thresholds (which the mean of the last scores is compared with where
  [decision] mean says so)
  what was decided: a colour a label, grey for Unknown, nothing where the gate was shut

  earshot inspect --app examples/smart_lock door.wav
  earshot inspect --app examples/smart_lock door.wav --labels labels.csv -o door.svg
  earshot inspect --app examples/smart_lock hour.wav --from 120 --to 150 --no-gate
  earshot inspect --app house door.wav --classifier words

Of an app with several classifiers --classifier names one, which is drawn as if it ran alone. The picture is
build/inspect/NAME.png where -o names no other. --from and --to are seconds: the gate and the cascade start
empty there.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, which recording."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument("recording", type=Path, metavar="WAV", help="WAV, FLAC, or raw .s16le")
    parser.add_argument("--classifier", metavar="NAME", help="of an app with several: the one to look at")
    parser.add_argument("--labels", type=Path, metavar="LABELS", help="draw the recording's segments of them")
    parser.add_argument(
        "--from", type=float, default=0.0, dest="first", metavar="S", help="begin there, seconds"
    )
    parser.add_argument("--to", type=float, dest="last", metavar="S", help="end there, seconds")
    parser.add_argument("--no-gate", action="store_true", help="every window passes the gate")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="OUT.png", help="the picture: .png, .svg or .pdf"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0; the picture is written."""
    output: Path = args.output or ROOT / "build" / "inspect" / f"{args.recording.stem}.png"
    check_name(output)
    _, spec = one_of(listening_spec(args.app, several=True)[0], args.classifier)
    settings = spec.pipeline
    assert settings is not None
    rate = settings.audio.sample_rate
    with waiting(f"reading {args.recording.name}"):
        samples = audio.read_with_arguments(args, args.recording, rate)
    seconds = len(samples) / rate
    until = seconds if args.last is None else args.last
    if not 0 <= args.first < min(until, seconds) or not until < math.inf:
        raise UserError(
            f"--from {args.first:g} --to {until:g} is no stretch of its {seconds:g} seconds",
            file=args.recording,
            remedy="Both are seconds from the recording's start.",
        )
    first, last = round(args.first * rate), min(round(until * rate), len(samples))
    if first == last:
        raise UserError(
            f"--from {args.first:g} --to {until:g} is less than a sample of {1 / rate:g} s",
            file=args.recording,
            remedy="Name a longer stretch.",
        )
    marks = []
    if args.labels is not None:
        segments = read_labels(args.labels, rate, resampled=args.resample)
        own = [one for one in segments if one.file.resolve() == args.recording.resolve()]
        marks = [Mark(one.start - first, one.end - first, one.label) for one in own if one.end > first]
        if not own:
            raise UserError(f"has no segment of {args.recording.name}", file=args.labels)
    pipeline = open_pipeline(spec)
    if args.no_gate:
        pipeline.open_gate()
    score = app_score(spec)
    with waiting(f"inspecting {args.recording.name}"):
        seen = inspect(pipeline, samples[first:last])
        if args.output is None:
            output.parent.mkdir(parents=True, exist_ok=True)
        draw(f"{args.recording.name}, {spec.title or spec.name}", settings, score, seen, marks, file=output)
    found = summary(settings, seen)
    if args.json:
        print(json.dumps(found | {"picture": str(output)}))
        return 0
    for one in found["detections"]:
        sure = score.text(one["score"])
        start, end = one["from"] + args.first, one["to"] + args.first
        print(f"{start:8.2f} s to {end:.2f} s  {one['label']:<18}{sure:>6}{one['decisions']:>6}")
    if settings.decision.mean > 1 and settings.decision.kind is not Kind.ANOMALY:
        print(
            f"Scores are those of single decisions; thresholds hold for the mean of {settings.decision.mean}."
        )
    print(
        f"{found['open']} of {found['windows']} windows pass the gate, {found['decisions']} decisions; "
        f"the picture is {output}"
    )
    return 0
