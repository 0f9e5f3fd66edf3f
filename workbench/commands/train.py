"""earshot train: recordings with labels become the app's int8 model."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path

from codegen.common.errors import UserError
from workbench.training.front_end import FOLDER
from workbench.training.quiet import quiet
from workbench.training.recipe import load_recipe

NAME = "train"
HELP = "train the app's model on labelled recordings"
DESCRIPTION = """\
Makes features of the recordings with the firmware's own C, trains the network of the app's training.toml on
them, converts it to int8, writes it where pipeline.toml names it, and says what the firmware makes of it.

LABELS is a CSV: file,start,end,label,session (samples, end exclusive; docs/training.md has more), or an
Audacity label track. Segments of the session "train" are learnt from, those of "test" only tried.

  ./earshot train --app examples/smart_lock --labels recordings/labels.csv

Features are kept in build/training/: an interrupted training goes on from there.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """--app, --labels, --json."""
    parser.add_argument(
        "--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml and training.toml"
    )
    parser.add_argument("--labels", type=Path, required=True, metavar="LABELS", help="what is heard where")
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress on stderr")


def run(args: argparse.Namespace) -> int:
    """Exit code 0; what cannot be used is a UserError."""
    if importlib.util.find_spec("tensorflow") is None:
        raise UserError(
            "TensorFlow is not installed in this Python",
            remedy="`./earshot train ...` makes an environment that has it; nothing else needs it.",
        )
    recipe = load_recipe(args.app)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a network of this size is faster without
    with quiet():
        from workbench.training.train import app_folder, train

    def say(text: str) -> None:
        print(text, file=sys.stderr if args.json else sys.stdout, flush=True)

    trained = train(args.app, recipe, args.labels, say)
    report = FOLDER / app_folder(args.app).name / "report.json"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(trained.object(), indent=1) + "\n", encoding="utf-8")
    if args.json:
        print(json.dumps(trained.object()))
        return 0
    for name, table in trained.int8.items():
        print(f"\n{name}, the firmware's integer code, with the app's thresholds:\n{table.table()}")
        before, after = (tables[name].accuracy or 0.0 for tables in (trained.float_, trained.int8))
        print(f"Accuracy before the conversion to int8: {100 * before:.1f} %, after: {100 * after:.1f} %.")
    print(f"\n{trained.model} is written; feature contract {trained.contract}. The figures are in {report}.")
    return 0
