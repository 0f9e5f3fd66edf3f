# SPDX-License-Identifier: Apache-2.0
"""earshot plan: where every tensor of a model lies in memory, and when."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from codegen.common.errors import UserError
from codegen.compile import Compiled, compile_app
from workbench.host import engine as inference
from workbench.memory_plan.figure import plan_figure
from workbench.memory_plan.table import json_object, memory_plan, table
from workbench.progress import waiting

NAME = "plan"
HELP = "print and draw where a model's tensors lie in memory, and when"
DESCRIPTION = """\
Prints the memory plan that the generator makes: for every tensor its place in the one block of memory (the
arena), and the layers from which to which it lives there; what shares bytes; the arena's size beside the
lower bound, the most bytes that are alive at one layer. -o draws it: bytes upwards, layers to the right.

  earshot plan model.tflite
  earshot plan model.tflite -o plan.svg
  earshot plan --app examples/smart_lock --json
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL.tflite", help="an int8 TFLite model")
    parser.add_argument("--app", type=Path, metavar="DIR", help="instead of a model: the model of this app")
    inference.add_reference(parser)
    parser.add_argument("-o", "--output", type=Path, metavar="PLAN.svg", help="draw it, for any browser")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    if args.output is not None and args.output.suffix != ".svg":
        raise UserError("is no .svg file", file=args.output, remedy="The figure is SVG: -o plan.svg")
    app = inference.read_app(args, several=True)
    with waiting("planning the memory"):
        compiled = compile_app(app, engine="aot")
        memory = memory_plan(compiled)
    named = str(args.model if args.model is not None else args.app)
    if compiled.others:
        return _several(args, named, compiled)
    if args.output is not None:
        try:
            args.output.write_text(plan_figure(f"Memory of {named}", memory), encoding="utf-8")
        except OSError as error:
            raise UserError(f"cannot be written: {error.strerror}", file=args.output) from None
    print(json.dumps({"model": named, **json_object(memory)}) if args.json else table(named, memory))
    return 0


def _several(args: argparse.Namespace, named: str, compiled: Compiled) -> int:
    """Of several classifiers the plan of each, and what they take together."""
    if args.output is not None:
        raise UserError(
            "a figure is of one model, and the app has several classifiers",
            file=args.output,
            remedy="Leave -o away, or draw one model: earshot plan MODEL.tflite -o PLAN.svg",
        )
    plans = {one.spec.title: memory_plan(one) for one in (compiled, *compiled.others)}
    arena = max(plan.arena for plan in plans.values())
    kept = sum(plan.variables + plan.history for plan in plans.values())
    if args.json:
        each = [{"name": name} | json_object(plan) for name, plan in plans.items()]
        print(json.dumps({"model": named, "classifiers": each, "arena": arena, "kept": kept}))
        return 0
    for name, plan in plans.items():
        print(table(f"{named}: {name}", plan), end="\n\n")
    print(f"{named}: together")
    print(f"  {'arena':<12} {arena:>9,} B  one for all, as they run one after the other")
    print(f"  {'kept':<12} {kept:>9,} B  variables and history, of each its own")
    return 0
