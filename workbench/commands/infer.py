# SPDX-License-Identifier: Apache-2.0
"""earshot infer: a model's outputs for inputs in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from codegen.common.errors import UserError
from workbench.host import engine as inference
from workbench.host.arrays import names_of, read_inputs, read_packed, row_shape, write_npy, write_npz
from workbench.progress import waiting
from workbench.verify.packed import unpack

NAME = "infer"
HELP = "run a model's C on inputs of a .npy or .npz file"
DESCRIPTION = """\
Builds C for a model and runs it on the inputs of a file: values as the model takes them (int8), the
inputs along the first axis. The outputs get the same first axis. Of a model with several inputs or outputs
the file is a .npz, an array for each, by the tensor's name or its number from 0.

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
    graph = app.graph
    if len(graph.outputs) > 1 and args.output.suffix != ".npz":
        remedy = f"Write -o {args.output.with_suffix('.npz')}"
        raise UserError(
            f"the model has {len(graph.outputs)} outputs: they go into a .npz file", remedy=remedy
        )
    with waiting(f"reading {args.inputs}"):
        if len(graph.inputs) == 1:
            inputs = read_inputs(args.inputs, graph.input)
        else:
            inputs = read_packed(args.inputs, [graph.tensors[index] for index in graph.inputs])
    with inference.open_engine(app, args.target, args.engine) as engine:
        outputs = inference.run_all(engine, graph, inputs, sequence=args.sequence)
    if len(graph.outputs) == 1:
        write_npy(args.output, outputs)
    else:
        ends = [graph.tensors[index] for index in graph.outputs]
        parts = unpack(outputs, [(row_shape(tensor.shape), np.dtype(tensor.dtype)) for tensor in ends])
        write_npz(args.output, dict(zip(names_of(ends), parts, strict=True)))
    return 0
