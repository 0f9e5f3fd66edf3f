# SPDX-License-Identifier: Apache-2.0
"""earshot features: what the firmware makes of a recording."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import numpy as np

from codegen.common.errors import UserError
from workbench.audio import recording as audio
from workbench.data import query
from workbench.data.segment import by_file
from workbench.host.arrays import write_npz
from workbench.host.feature_plot import feature_plot
from workbench.host.features import extract, open_pipeline
from workbench.progress import progress, waiting
from workbench.training.chosen import asked_segments
from workbench.training.data_set import ARRAYS, data_set
from workbench.training.front_end import front_end, front_end_spec
from workbench.training.pieces import cut, recordings, shortest

NAME = "features"
LABEL_FILES = (".csv", ".txt", ".json")
HELP = "make the features of recordings with the firmware's own C"
DESCRIPTION = (
    """\
Runs window, gate, front end, scale and cascade of an app on a recording, by the C that the device runs, and
writes the arrays that a model is trained with. The app needs no model yet: features do not depend on it.

  mfcc      int32[n, size]           of the recording's n windows, 4096 times Kaldi's; under the name of the
                                     front end's section: micro_frontend has its values as they are,
                                     log_mel 65536 times the logarithm
  gate      bool[n]                  the window passes the gate
  scaled    uint8[n, size]           0..255
  vectors   uint8[m, frames*size]    every `frames` windows in a row, whatever the gate says
  window    int32[m]                 index of a vector's newest window
  contract  text                     the feature contract: a model knows features of its own contract only

  earshot features --app examples/smart_lock door.wav -o door.npz --plot door.svg

Of a label file, or a folder with one, it makes a data set: the vectors of all labelled segments in one file,
for a training program of your own (docs/training.md#a-training-program-of-your-own):

"""
    + "\n".join(f"  {name:<9} {what}" for name, what in ARRAYS.items())
    + """

  earshot features --app my_app recordings/labels.csv -o set.npz
  earshot features --app my_app recordings/labels.csv --session train --where device=xg24 -o kit.npz
"""
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "labels",
        type=Path,
        metavar="IN",
        help="a recording: WAV, FLAC or raw .s16le; or labels, as for train",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz", help="the arrays")
    parser.add_argument("--plot", type=Path, metavar="OUT.svg", help="also a picture of them, for a browser")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")
    parser.add_argument("--session", metavar="NAME", help="of labels only the segments of this session")
    query.add_arguments(parser)
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.labels.is_dir() or args.labels.suffix.lower() in LABEL_FILES:
        return _data_set(args)
    for word, given in (("--session", args.session), ("--where", args.where), ("--query", args.query)):
        if given:
            raise UserError(f"{word} chooses among labels, and this is a recording", file=args.labels)
    if args.plot is not None and args.plot.suffix.lower() != ".svg":
        raise UserError("the picture is SVG; its name ends in .svg", file=args.plot)
    around, spec = front_end_spec(args.app)
    with waiting(f"reading {args.labels.name}"):
        samples = audio.read_with_arguments(args, args.labels, spec.audio.sample_rate)
    if len(samples) < spec.window.size:
        what = f"has {len(samples)} samples; a window is {spec.window.size}"
        raise UserError(what, file=args.labels)
    pipeline = open_pipeline(around)
    with waiting(f"making the features of {args.labels.name}"):
        features = extract(pipeline, samples)
    arrays = {
        spec.front_end.section if field.name == "values" else field.name: getattr(features, field.name)
        for field in dataclasses.fields(features)
    }
    write_npz(args.output, arrays)
    if args.plot is not None:
        try:
            args.plot.write_text(feature_plot(args.labels.name, spec, samples, features))
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=args.plot) from None
    counts = {
        "windows": len(features.scaled),
        "open": int(features.gate.sum()),
        "vectors": len(features.vectors),
        "contract": features.contract,
    }
    if args.json:
        print(json.dumps(counts))
    else:
        print(
            f"windows {counts['windows']}, of which {counts['open']} pass the gate; vectors "
            f"{counts['vectors']}, of {features.vectors.shape[1]} values each, in {args.output}; feature "
            f"contract {features.contract}"
        )
    return 0


def _data_set(args: argparse.Namespace) -> int:
    """The vectors of labelled segments."""
    if args.plot is not None:
        raise UserError(
            "--plot draws a recording, and these are labels",
            file=args.labels,
            remedy="`earshot data plot` draws what is typical of each class.",
        )
    spec, host = front_end(args.app)
    segments = asked_segments(args, host.sample_rate)
    least = shortest(host.spec)
    pieces = cut(segments, host.spec.decision.labels, None, least)
    whole = [segment for segment in segments if segment.samples >= least]
    read = recordings(pieces, segments, host.sample_rate, audio.reader(args))
    read = progress(read, len(by_file(whole)), "recordings")
    arrays = data_set(host, spec.classifier.layout, read, dict(zip(pieces, whole, strict=True)))
    write_npz(args.output, arrays | {"offset": np.int32(spec.classifier.offset)})
    labels = host.spec.decision.labels
    counts = dict(zip(labels, np.bincount(arrays["y"], minlength=len(labels)).tolist(), strict=True))
    if args.json:
        said = {"segments": len(whole), "vectors": len(arrays["y"]), "of": counts}
        print(json.dumps(said | {"contract": host.contract}))
        return 0
    rows, columns = arrays["x"].shape[1:]
    each = ", ".join(f"{label} {count}" for label, count in counts.items())
    print(
        f"{len(arrays['y'])} vectors of {rows} x {columns} values, of {len(whole)} segments, in "
        f"{args.output} ({each}); feature contract {host.contract}"
    )
    return 0
