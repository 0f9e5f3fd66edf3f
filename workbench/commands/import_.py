# SPDX-License-Identifier: Apache-2.0
"""earshot import: what a publisher hands out becomes an app's folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.importing.esphome import import_manifest

NAME = "import"
HELP = "make an app's folder of a published model"
DESCRIPTION = """\
Reads an ESPHome manifest of a wake word (alexa.json), with its .tflite beside it, and writes an app's folder:
pipeline.toml with the publisher's front end, cutoff and sliding window, and the model. The file is the
publisher's and yours to get; nothing is fetched.

  earshot import alexa.json -o alexa
  earshot replay --app alexa --target qemu word.wav
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("manifest", type=Path, metavar="FILE.json", help="the manifest")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="the new folder")


def run(args: argparse.Namespace) -> int:
    made = import_manifest(args.manifest, args.output)
    print(
        f"{made.label}: {made.folder / 'pipeline.toml'} and model.tflite; a decision of "
        f"{made.frames} new frames of {made.step_ms} ms, cutoff {made.cutoff} on the mean of {made.window}"
    )
    return 0
