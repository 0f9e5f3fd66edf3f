# SPDX-License-Identifier: Apache-2.0
"""earshot published: models that others published, from sound to decision, beside their publishers' code."""

from __future__ import annotations

import argparse
from pathlib import Path

from codegen.common.errors import UserError
from workbench.profiling.tables import renew_page
from workbench.published.table import rows, table

NAME = "published"
HELP = "compare published models from sound to decision with their publishers' own code"
DESCRIPTION = """\
Makes an app of each published model that lies in the folders, plays test sounds into it on this computer and
on an emulated Cortex-M4, and does the same by the publisher's own code: its features, TFLite's reference
kernels, its rule of a detection. Prints a table: detections of each, values that differ, instructions, flash,
RAM. Exit code 1 where a detection, or a value of a front end in integers, is not the publisher's, and where a
model or a sound that is there is refused.

The models are the publishers' and yours to get; nothing is fetched. docs/models.md says which are known and
where they are found. What lies anywhere in the folders is found: a model by its content, whatever its name, a
sound by its name; a row says what is absent. Some publishers' code lies there, too: a checkout of
mlcommons/tiny, audio_preprocessor_int8.tflite of TensorFlow Lite Micro.

  earshot published downloads/ recordings/
  earshot published downloads/ recordings/ --sounds 20
  earshot published downloads/ recordings/ --page docs/models.md
"""
BLOCK = "published"  # of the page


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="with models and sounds")
    parser.add_argument("--sounds", type=int, metavar="N", help="at most so many of each name (default: all)")
    parser.add_argument("--page", type=Path, metavar="PAGE.md", help="renew the table of this page, too")


def run(args: argparse.Namespace) -> int:
    """1 where something is not as the publisher has it."""
    if args.sounds is not None and args.sounds < 1:
        raise UserError(f"--sounds {args.sounds} is out of range; 1 and more are allowed")
    if args.page is not None:
        renew_page(args.page, {BLOCK: ""})
    found = rows(args.folders, args.sounds)
    printed = table(found)
    print(printed)
    if args.page is not None:
        skipped = [row.cells[0] for row in found if row.skipped]
        if skipped:
            raise UserError(
                f"keeps its table: of {', '.join(skipped)} nothing could be compared",
                file=args.page,
                remedy="Bring what the rows above lack, or leave --page away.",
            )
        renew_page(args.page, {BLOCK: printed})
    return 0 if all(row.same for row in found) else 1
