# SPDX-License-Identifier: Apache-2.0
"""Every layer's output against the reference interpreter's tensor: which layer differs first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from codegen.model.graph import Graph
from codegen.passes.layer_outputs import LayerOutput
from workbench.host.arrays import row_shape
from workbench.host.engine import Engine
from workbench.progress import progress
from workbench.verify.outputs import Difference, Inputs, Verification, compare
from workbench.verify.reference import ReferenceInterpreter

_BLOCK = 16  # inputs whose tensors are held at once


@dataclass(frozen=True)
class LayerResult:
    """An operator of the model's file and what came of its output."""

    index: int
    op: str
    tensor: str
    result: Verification


@dataclass
class _Count:
    compared: int = 0
    differing: int = 0
    largest: float = 0
    seen: set[float] = field(default_factory=set)
    first: Difference | None = None


def verify_layers(
    engine: Engine,
    reference: ReferenceInterpreter,
    graph: Graph,
    outputs: Sequence[LayerOutput],
    inputs: Inputs,
    *,
    sequence: bool = False,
) -> list[LayerResult]:
    """The layers in order. engine: of the model with all layers' outputs (passes/layer_outputs.py)."""
    counts = [_Count() for _ in outputs]
    for start, rows in _blocks(inputs.values, sequence):
        wanted = reference.some(rows, [output.tensor.index for output in outputs], sequence=sequence)
        found = _run(engine, rows, sequence)
        for output, count, expected in zip(outputs, counts, wanted, strict=True):
            tensor = output.tensor
            raw = np.ascontiguousarray(found[:, output.offset : output.offset + tensor.nbytes])
            values = raw.view(tensor.dtype).reshape(len(rows), *row_shape(tensor.shape))
            kept = expected if output.kept is None else expected[..., output.kept]
            _add(count, compare(kept, values, inputs.names[start:]), start)
            count.seen.update(np.unique(kept).tolist())
    return [
        LayerResult(
            output.node.number,
            output.node.op,
            output.tensor.name,
            Verification(
                len(inputs.values),
                count.compared,
                count.differing,
                count.largest,
                len(count.seen),
                count.first,
            ),
        )
        for output, count in zip(outputs, counts, strict=True)
    ]


def first_differing(layers: Sequence[LayerResult]) -> LayerResult | None:
    """The first in the order of computation: all before it are right, so the fault is its own."""
    return next((layer for layer in layers if layer.result.differing), None)


def _blocks(values: NDArray[np.generic], sequence: bool) -> Iterator[tuple[int, NDArray[np.generic]]]:
    """Rows and the index of the first; a sequence is one block, as its state goes on."""
    size = len(values) if sequence else _BLOCK
    starts = range(0, len(values), max(1, size))
    for start in progress(starts, len(starts), "layers, blocks"):
        yield start, values[start : start + size]


def _run(engine: Engine, rows: NDArray[np.generic], sequence: bool) -> NDArray[np.uint8]:
    answers = []
    engine.reset()
    for place, row in enumerate(rows):
        if place and not sequence:
            engine.reset()
        answers.append(engine.run(row))
    return np.stack(answers)


def _add(count: _Count, result: Verification, start: int) -> None:
    count.compared += result.compared
    count.differing += result.differing
    count.largest = max(count.largest, result.largest)
    if count.first is None and result.first is not None:
        first = result.first
        count.first = Difference(first.input + start, first.name, first.output, first.expected, first.found)
