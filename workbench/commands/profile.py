# SPDX-License-Identifier: Apache-2.0
"""earshot profile: instructions, flash and RAM of an app or a model."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.compile import compile_app
from workbench.host.engine import ENGINES
from workbench.host.model_app import model_app, model_files
from workbench.profiling import side_by_side
from workbench.profiling.budgets import FILE, accept, accepted, compare, table
from workbench.profiling.profile import DEFAULT_BOARD, Profile, profile
from workbench.profiling.tables import EXAMPLE_TABLES, example_tables, model_table, renew_page
from workbench.profiling.text import as_json, as_text
from workbench.profiling.together import Together, profile_together, together_json, together_text
from workbench.progress import remark
from workbench.verify.public_cost import cost_table

NAME = "profile"
HELP = "count the instructions, flash and RAM that an app or a model takes"
DESCRIPTION = """\
Builds the app's generated sources and runtime with the flags that ship and a small counting main, runs them
on an emulated Cortex-M and counts instructions: of each stage and layer, of a full and of an incremental
decision, and of the worst one after a gap. The same numbers come every time. The flash and the RAM are those
of the image that ships; the margin says whether the board keeps up with the microphone.

  earshot profile --app examples/smart_lock
  earshot profile model.tflite --kernels fast
  earshot profile --app examples/smart_lock --board mps2_an386 --json
  earshot profile --app examples/smart_lock --engine tflm      TensorFlow Lite Micro, and aot beside it
  earshot profile --app examples/smart_lock --check      exit code 1 where it takes more than budgets.toml
  earshot profile my_models/ --table                     all models of a folder, in Markdown
  earshot profile --tables docs/performance.md           renews the page's tables
  earshot profile --app examples/smart_lock --accept     stores the current numbers in budgets.toml
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "model",
        nargs="?",
        type=Path,
        metavar="MODEL.tflite",
        help="an int8 TFLite model; with --table also a folder",
    )
    parser.add_argument(
        "--app", type=Path, metavar="DIR", help="instead of a model: this app, with its pipeline"
    )
    parser.add_argument(
        "--board", default=DEFAULT_BOARD, help=f"the board to count for (default {DEFAULT_BOARD})"
    )
    parser.add_argument("--engine", choices=ENGINES, help="what runs the model (default: the app's)")
    parser.add_argument(
        "--kernels", choices=("small", "fast"), help="instead of the app's own (a model: small)"
    )
    stored = parser.add_mutually_exclusive_group()
    stored.add_argument("--check", action="store_true", help="fail where something grew by more than 1 %%")
    stored.add_argument("--accept", action="store_true", help="store the numbers in the app's budgets.toml")
    parser.add_argument("--tables", type=Path, metavar="PAGE.md", help="instead: renew a page's tables")
    parser.add_argument(
        "--table",
        action="store_true",
        help="print a table of models, with both modes of the kernels",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.tables is not None:
        return renew(args.tables)
    if args.table:
        return _print_table(args)
    app = _app(args)
    several = args.app is not None and bool(load_spec(app, several=True).others)
    if several and args.engine not in (None, "aot"):
        raise UserError(
            "the engine tflm runs one classifier, and there are several",
            file=args.app,
            remedy="Leave --engine away: aot runs several.",
        )
    other = args.kernels is not None or args.engine is not None
    if (args.check or args.accept) and (args.app is None or other):
        raise UserError(
            f"{'--check' if args.check else '--accept'} is for an app as its pipeline.toml says",
            remedy="Give --app DIR, without --kernels and --engine.",
        )
    budgets = accepted(app, args.board)
    if args.check and budgets is None:
        raise UserError(
            f'has no numbers for the board "{args.board}"', file=app / FILE, remedy="--accept stores them."
        )
    found: Profile | Together
    if several:
        found = profile_together(app, args.board, kernels=args.kernels)
        print(json.dumps(together_json(found)) if args.json else together_text(found))
        compiler = found.models[0].compiler
    else:
        found = profile(app, args.board, kernels=args.kernels, engine=args.engine)
        _print(found, _beside(args, app) if found.engine == "tflm" else None, args.json)
        compiler = found.compiler
    if args.accept:
        print(f"stored in {accept(app, found)}", file=sys.stderr)
    if not args.check or budgets is None:
        return 0
    if budgets.compiler != compiler:
        reported = f"The budgets are of GCC {budgets.compiler}, these numbers of {compiler}: they may differ."
        print(reported, file=sys.stderr)
    changes = compare(found, budgets)
    print(
        f"\nSince the budgets were accepted:\n{table(changes)}", file=sys.stderr if args.json else sys.stdout
    )
    return 1 if any(change.grown for change in changes) else 0


def renew(page: Path) -> int:
    """Writes the example's tables, and that of the models at hand, into a page and prints them."""
    renew_page(page, dict.fromkeys(EXAMPLE_TABLES, ""))
    tables = example_tables()
    models = model_table(Path(os.environ.get("EARSHOT_SHARED", ROOT.parent / "shared")) / "models")
    if models is not None:
        tables["models"] = models
    renew_page(page, tables)
    print("\n\n".join(tables.values()))
    return 0


def _print_table(args: argparse.Namespace) -> int:
    """What each model of a folder takes, in Markdown."""
    if args.model is None:
        raise UserError("--table is of models", remedy="Give a .tflite file, or a folder that holds some.")
    other = (
        args.app is not None
        or args.engine is not None
        or args.kernels is not None
        or args.board != DEFAULT_BOARD
    )
    if other or args.json or args.check or args.accept:
        raise UserError(
            "--table has columns of its own", remedy="Leave out the other options, or profile one model."
        )
    print(cost_table(model_files([args.model])))
    return 0


def _print(found: Profile, beside: Profile | None, wants_json: bool) -> None:
    """The profile; of the engine tflm also what aot takes, beside it."""
    if wants_json:
        more = {} if beside is None else {"engines": side_by_side.as_json(beside, found)}
        print(json.dumps(as_json(found) | more))
        return
    print(as_text(found))
    if beside is not None:
        print(f"\n{side_by_side.table(beside, found)}")


def _beside(args: argparse.Namespace, app: Path) -> Profile | None:
    """What aot takes; None where it does not compute the model."""
    try:
        compile_app(app, engine="aot")
    except UserError:
        remark(
            "the engine aot does not compute this model: nothing is beside TensorFlow Lite Micro's numbers"
        )
        return None
    return profile(app, args.board, kernels=args.kernels, engine="aot")


def _app(args: argparse.Namespace) -> Path:
    """The app's folder, or one made for the model."""
    if (args.model is None) == (args.app is None):
        raise UserError("give a MODEL.tflite, or --app DIR", remedy="One of the two, not both.")
    if args.app is not None:
        return Path(args.app)
    return model_app(args.model, engine=args.engine or "aot").spec.file.parent
