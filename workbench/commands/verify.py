# SPDX-License-Identifier: Apache-2.0
"""earshot verify: the generated C against the reference interpreter."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.compile import App
from codegen.passes.legalise import load_for
from workbench.host import engine as inference
from workbench.host.model_app import model_app, model_files
from workbench.progress import remark
from workbench.verify.layers import LayerResult
from workbench.verify.model import UNFIT, ModelVerification, Wanted, verify_model
from workbench.verify.outputs import Verification
from workbench.verify.public_table import public_table
from workbench.verify.reference import NoReferenceError

NAME = "verify"
HELP = "compare a model's C with TFLite's reference kernels, value by value"
DESCRIPTION = """\
Runs a model's generated C and TFLite's reference kernels on the same inputs (edges of the range, ramps,
single values, random ones, points between two classes) and compares every output value; of a model that
ends in SOFTMAX or LOGISTIC also what goes into it. Where an output differs, the first layer that differs is
named. Exit code 0: none differs; 1: some do.

  earshot verify model.tflite
  earshot verify model.tflite --layers
  earshot verify --app examples/smart_lock --target qemu --samples 100
  earshot verify wake_word.tflite --sequence --samples 1000
  earshot verify model.tflite --reference tflm
  earshot verify model.tflite --engine tflm
  earshot verify my_models/ --target qemu --samples 200 --sequence
  earshot verify my_models/ --table        in Markdown, with instructions and RAM
"""
_FEW = 8  # fewer distinct values than that prove little


def arguments(parser: argparse.ArgumentParser) -> None:
    inference.add_arguments(parser, several=True)
    parser.add_argument("--samples", type=int, default=256, metavar="N", help="random inputs (default 256)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the random inputs (default 0)")
    parser.add_argument(
        "--sequence", action="store_true", help="keep a streaming model's state from one input to the next"
    )
    parser.add_argument(
        "--layers", action="store_true", help="compare the output of every layer with the reference's tensor"
    )
    parser.add_argument(
        "--table",
        action="store_true",
        help="print a table of the models: verified on pc and qemu, instructions, RAM",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    for option in ("samples", "seed"):
        if getattr(args, option) < 0:
            raise UserError(f"--{option} {getattr(args, option)} is out of range; 0 and more are allowed")
    if args.table:
        if not args.model:
            raise UserError("--table is of models", remedy="Give .tflite files, or folders that hold some.")
        others = ("target", "engine", "reference", "json", "layers", "app")
        alone = next((name for name in others if getattr(args, name)), None)
        if alone is not None:
            raise UserError(
                f"--{alone} does not go with --table, which has columns of its own",
                remedy="Leave one of them away.",
            )
        table, same = public_table(model_files(args.model), args.samples, args.seed)
        print(table)
        return 0 if same else 1
    models: list[Path | None] = [*model_files(args.model)] or [None]
    reported = [_one(argparse.Namespace(**{**vars(args), "model": model}), args.json) for model in models]
    if args.json:
        print(json.dumps(reported[0] if len(reported) == 1 else _all(reported)))
    elif len(reported) > 1:
        compared, differing = (sum(each[key] for each in reported) for key in ("compared", "differing"))
        target = reported[0]["target"]
        print(f"{len(reported)} models on {target}: {compared} values compared, {differing} differing")
    return 1 if any(each["differing"] for each in reported) else 0


def _one(args: argparse.Namespace, quiet: bool) -> dict[str, Any]:
    """Verifies one model and prints what came of it; its JSON object."""
    app = inference.chosen_app(args)
    reference = inference.reference_of(args, app.spec)
    app = _as_in_file(app, reference, args.engine)
    named = str(args.model if args.model is not None else args.app)
    if args.layers and args.engine != "aot":
        raise UserError("--layers is for the engine aot: the other keeps no layer's output")
    wanted = Wanted(args.target, args.engine, reference, args.samples, args.seed, args.sequence, args.layers)
    try:
        report = verify_model(app, wanted)
    except NoReferenceError as error:
        remedy = "There is nothing to compare this model with."
        words = ("Didn't find op", *UNFIT.values())
        if reference is Reference.LITERT and any(word in str(error) for word in words):
            remedy = "Add --reference tflm: TensorFlow Lite Micro computes it."
        raise UserError(str(error), remedy=remedy) from None
    if not quiet:
        for what, result in report.results.items():
            print(f"{named} on {args.target} against {reference.value}, {what}: {_told(result)}")
        _print_layers(named, args.target, report)
        sys.stdout.flush()
    results = [*report.results.values(), *(layer.result for layer in report.layers or [])]
    most = max(result.distinct for result in results)
    if most < _FEW:
        more = "" if args.layers else "; --layers compares more"
        print(
            f"The reference gave only {most} distinct values; they may hide differences{more}.",
            file=sys.stderr,
        )
    return _object(named, args, reference.value, report)


def _as_in_file(app: App, reference: Reference, engine: str) -> App:
    """An app whose model has other ends in its file: the model alone, which is what the reference runs."""
    spec, graph = app.spec, app.graph
    types = [tensor.file_dtype for tensor in graph.tensors if tensor.file_dtype is not None]
    model = spec.classifier.model
    if app.spec.pipeline is not None and not types:
        whole = load_for(engine, model, graph.content)
        if whole.outputs != graph.outputs:
            remark("the app reads one of the model's outputs: compared is the model as it is in the file")
            return model_app(model, spec.classifier.kernels, reference, graph=whole)
    if not types:
        return app
    remark(
        f"an end of the model is {' or '.join(dict.fromkeys(types))} in the file: compared is the model as "
        "it is there; the app computes it with ends of int8"
    )
    whole = load_for(engine, model, graph.content)
    return model_app(model, spec.classifier.kernels, reference, graph=whole)


def _print_layers(named: str, target: str, report: ModelVerification) -> None:
    if report.layers is not None:
        width = max((len(layer.op) for layer in report.layers), default=0)
        for layer in report.layers:
            print(f"  {layer.index:>4} {layer.op:<{width}}  {_told(layer.result)}")
    if report.culprit is not None:
        where = f"{_name(report.culprit)}, {_first(report.culprit.result)}"
        print(f"{named} on {target}: the first layer that differs is {where}")
    elif report.differing:
        print(f"{named} on {target}: every layer but those after the last one compared is right by itself.")


def _name(layer: LayerResult) -> str:
    return f'{layer.index} {layer.op} "{layer.tensor}"'


def _object(
    named: str, args: argparse.Namespace, reference: str, report: ModelVerification
) -> dict[str, Any]:
    """What --json prints: totals, and each tensor's own numbers."""
    layers = report.layers or []
    results = [*report.results.values(), *(layer.result for layer in layers)]
    reported: dict[str, Any] = {
        "model": named,
        "target": args.target,
        "engine": args.engine,
        "reference": reference,
        "samples": args.samples,
        "seed": args.seed,
        **_totals([dataclasses.asdict(result) for result in results]),
        "tensors": [
            {"tensor": what, **dataclasses.asdict(result)} for what, result in report.results.items()
        ],
        "first_layer": None if report.culprit is None else _layer(report.culprit),
    }
    if report.layers is not None:
        reported["layers"] = [_layer(layer) for layer in layers]
    return reported


def _layer(layer: LayerResult) -> dict[str, Any]:
    return {"index": layer.index, "op": layer.op, "tensor": layer.tensor, **dataclasses.asdict(layer.result)}


def _totals(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "compared": sum(part["compared"] for part in parts),
        "differing": sum(part["differing"] for part in parts),
        "largest": max(part["largest"] for part in parts),
        "distinct": max(part["distinct"] for part in parts),
    }


def _all(reported: list[dict[str, Any]]) -> dict[str, Any]:
    """Several models' object."""
    return {**_totals(reported), "models": reported}


def _told(result: Verification) -> str:
    text = f"{result.compared} values of {result.inputs} inputs compared, {result.differing} differing"
    if result.first is None:
        return f"{text} ({result.distinct} distinct values)"
    return f"{text}, by {result.largest} at most; the first is {_first(result)}"


def _first(result: Verification) -> str:
    """The value that differs first."""
    assert result.first is not None
    first = result.first
    place = ", ".join(str(index) for index in first.output)
    return (
        f"value [{place}] of input {first.input} ({first.name}): "
        f"{first.expected} expected, {first.found} found"
    )
