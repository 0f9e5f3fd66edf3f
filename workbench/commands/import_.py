# SPDX-License-Identifier: Apache-2.0
"""earshot import: what a publisher hands out becomes an app's folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.importing.descriptions import DESCRIPTIONS
from workbench.importing.esphome import import_manifest
from workbench.importing.published import read_object
from workbench.importing.sensiml import import_pack

NAME = "import"
HELP = "make an app's folder of a published model"
DESCRIPTION = """\
Reads what a publisher hands out, with the .tflite beside it, and writes an app's folder: pipeline.toml and
the model. The content tells which it is. The files are the publisher's and yours to get; nothing is fetched.

  alexa.json    an ESPHome manifest of a wake word: its front end, cutoff and sliding window
  model.json    of a SensiML Knowledge Pack: its classes, and how its device code rounds and compares; it says
                nothing of window, gate and MFCC, so those are the Smart Lock tutorial's: look at them

  earshot import alexa.json -o alexa
  earshot import knowledgepack/model.json -o lock
  earshot replay --app alexa --target qemu word.wav
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", type=Path, metavar="FILE.json", help="manifest, or model.json")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the new folder")


def run(args: argparse.Namespace) -> int:
    data = read_object(args.manifest)
    if DESCRIPTIONS in data:
        pack = import_pack(args.manifest, data, args.output)
        print(
            f"{pack.name}: {pack.folder / 'pipeline.toml'} and model.tflite; {pack.frames} frames, "
            f"{pack.layout.value}, classes {', '.join(pack.labels)}. Window, gate, MFCC and scale are the "
            "Smart Lock tutorial's: model.json says nothing of them"
        )
        return 0
    made = import_manifest(args.manifest, data, args.output)
    print(
        f"{made.label}: {made.folder / 'pipeline.toml'} and model.tflite; a decision of "
        f"{made.frames} new frames of {made.step_ms} ms, cutoff {made.cutoff} on the mean of {made.window}"
    )
    return 0
