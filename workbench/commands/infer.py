# SPDX-License-Identifier: Apache-2.0
"""earshot infer: a model's outputs for inputs in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from workbench.host import engine as inference
from workbench.host.arrays import read_inputs, write_npy
from workbench.progress import waiting

NAME = "infer"
HELP = "run a model's C on inputs of a .npy file"
DESCRIPTION = """\
Builds C for a model and runs it on the inputs of a file: values as the model takes them (int8), the
inputs along the first axis. The outputs get the same first axis.

  earshot infer model.tflite --inputs in.npy -o out.npy
  earshot infer --app examples/smart_lock --inputs in.npy -o out.npy --target qemu
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    inference.add_arguments(parser)
    parser.add_argument("--inputs", type=Path, required=True, metavar="IN.npy", help="inputs, [n, ...]")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT.npy", help="outputs")
    parser.add_argument(
        "--sequence",
        action="store_true",
        help="keep the state of a streaming model from one input to the next; else each starts fresh",
    )


def run(args: argparse.Namespace) -> int:
    app = inference.chosen_app(args)
    with waiting(f"reading {args.inputs}"):
        inputs = read_inputs(args.inputs, app.graph.input)
    with inference.open_engine(app, args.target, args.engine) as engine:
        outputs = inference.run_all(engine, app.graph, inputs, sequence=args.sequence)
    write_npy(args.output, outputs)
    return 0
