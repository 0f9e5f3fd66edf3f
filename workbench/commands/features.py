# SPDX-License-Identifier: Apache-2.0
"""earshot features: what the firmware makes of a recording."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from codegen.common.errors import UserError
from workbench.audio import recording as audio
from workbench.host.arrays import write_npz
from workbench.host.feature_plot import feature_plot
from workbench.host.features import extract, open_pipeline
from workbench.progress import waiting
from workbench.training.front_end import front_end_spec

NAME = "features"
HELP = "make the features of a recording with the firmware's own C"
DESCRIPTION = """\
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
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument("recording", type=Path, metavar="IN.wav", help="WAV, FLAC, or raw .s16le")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npz", help="the arrays")
    parser.add_argument("--plot", type=Path, metavar="OUT.svg", help="also a picture of them, for a browser")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a sentence")
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.plot is not None and args.plot.suffix.lower() != ".svg":
        raise UserError("the picture is SVG; its name ends in .svg", file=args.plot)
    around, spec = front_end_spec(args.app)
    with waiting(f"reading {args.recording.name}"):
        samples = audio.read_with_arguments(args, args.recording, spec.audio.sample_rate)
    if len(samples) < spec.window.size:
        what = f"has {len(samples)} samples; a window is {spec.window.size}"
        raise UserError(what, file=args.recording)
    pipeline = open_pipeline(around)
    with waiting(f"making the features of {args.recording.name}"):
        features = extract(pipeline, samples)
    arrays = {
        spec.front_end.section if field.name == "values" else field.name: getattr(features, field.name)
        for field in dataclasses.fields(features)
    }
    write_npz(args.output, arrays)
    if args.plot is not None:
        try:
            args.plot.write_text(feature_plot(args.recording.name, spec, samples, features))
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
