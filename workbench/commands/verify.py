"""earshot verify: the generated C against the reference interpreter."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from codegen.errors import UserError
from codegen.quantize import Reference
from codegen.spec_file import load_spec
from codegen.tflite_file import load_graph
from workbench import inference
from workbench.model_app import model_app
from workbench.model_cut import without_squashing
from workbench.oracle import Oracle, OracleError
from workbench.verify import Verification, verify

NAME = "verify"
HELP = "compare a model's C with TFLite's reference kernels, value by value"
DESCRIPTION = """\
Runs a model's generated C and TFLite's reference kernels on the same inputs (edges of the range, ramps,
single values, random ones, points between two classes) and compares every output value; of a model that
ends in SOFTMAX or LOGISTIC also what goes into it. Exit code 0: none differs; 1: some do.

  earshot verify model.tflite
  earshot verify --app examples/smart_lock --target qemu --samples 100
  earshot verify wake_word.tflite --sequence --samples 1000
  earshot verify model.tflite --reference tflm
"""
_FEW = 8  # fewer distinct values than that prove little


def arguments(parser: argparse.ArgumentParser) -> None:
    inference.add_arguments(parser)
    parser.add_argument("--samples", type=int, default=256, metavar="N", help="random inputs (default 256)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the random inputs (default 0)")
    parser.add_argument(
        "--sequence", action="store_true", help="keep a streaming model's state from one input to the next"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    for option in ("samples", "seed"):
        if getattr(args, option) < 0:
            raise UserError(f"--{option} {getattr(args, option)} is out of range; 0 and more are allowed")
    app, spec, _ = inference.chosen_app(args)
    reference = inference.reference_of(args, spec)
    results = {"output": _verify(app, reference, args)}
    cut = without_squashing(spec.classifier.model)
    if cut is not None:
        results[f"input of the last {cut[1]}"] = _verify(
            model_app(cut[0], spec.classifier.kernels, reference), reference, args
        )
    named = str(args.model if args.model is not None else args.app)
    if args.json:
        print(json.dumps(_object(named, args, reference, results)))
    else:
        for what, result in results.items():
            print(f"{named} on {args.target} against {reference.value}, {what}: {_told(result)}")
    most = max(result.distinct for result in results.values())
    if most < _FEW:
        print(f"The reference gave only {most} distinct values; they may hide differences.", file=sys.stderr)
    return 1 if any(result.differing for result in results.values()) else 0


def _verify(app: Path, reference: Reference, args: argparse.Namespace) -> Verification:
    spec = load_spec(app)
    model = spec.classifier.model
    try:
        with Oracle(model, reference) as oracle, inference.open_engine(app, spec, args.target) as engine:
            return verify(engine, oracle, load_graph(model), args.samples, args.seed, sequence=args.sequence)
    except OracleError as error:
        raise UserError(str(error), remedy="There is nothing to compare this model with.") from None


def _object(
    named: str, args: argparse.Namespace, reference: Reference, results: dict[str, Verification]
) -> dict[str, Any]:
    """What --json prints: totals, and each tensor's own numbers."""
    all_results = results.values()
    return {
        "model": named,
        "target": args.target,
        "engine": args.engine or "aot",
        "reference": reference.value,
        "samples": args.samples,
        "seed": args.seed,
        "compared": sum(result.compared for result in all_results),
        "differing": sum(result.differing for result in all_results),
        "largest": max(result.largest for result in all_results),
        "distinct": max(result.distinct for result in all_results),
        "tensors": [{"tensor": what, **dataclasses.asdict(result)} for what, result in results.items()],
    }


def _told(result: Verification) -> str:
    text = f"{result.compared} values of {result.inputs} inputs compared, {result.differing} differing"
    if result.first is None:
        return f"{text} ({result.distinct} distinct values)"
    first = result.first
    place = ", ".join(str(index) for index in first.output)
    return (
        f"{text}, by {result.largest} at most; the first is value [{place}] "
        f"of input {first.input} ({first.name}): {first.expected} expected, {first.found} found"
    )
