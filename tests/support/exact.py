# SPDX-License-Identifier: Apache-2.0
"""Our C against the reference interpreter: many small models in one program, every output value compared."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.common.reference import Reference
from codegen.kernels.layer import Layer
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.builder import Builder
from tests.support.models_c import ModelsC
from tests.support.tally import tally_case
from workbench.verify.packed import pack, unpack
from workbench.verify.reference import ReferenceInterpreter

ROWS = 24  # inputs a model is run on, edges included
BATCH = 40  # models compiled together

# Deterministic and bounded; EARSHOT_EXAMPLES=50 digs deeper, with new cases every time. A failure names its
# case, so nothing is shrunk: a batch costs a compilation.
EXAMPLES = int(os.environ.get("EARSHOT_EXAMPLES", "0"))
BATCHES = settings(
    max_examples=EXAMPLES or 3,
    derandomize=not EXAMPLES,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
    database=None,
    verbosity=Verbosity.quiet,
)
# Where each of many operators has a test of its own: one batch of each is enough.
ONE_BATCH = settings(BATCHES, max_examples=-(-EXAMPLES // 3) or 1)


class Case(Protocol):
    """One random model: a frozen dataclass that can write itself."""

    def build(self) -> Builder:
        """The model, with its inputs and outputs set."""


class Batch(list[Any]):
    """Cases that are compiled together; a failure names the one case."""

    def __repr__(self) -> str:
        return f"{len(self)} cases"


def batches(case: st.SearchStrategy[Any], size: int = BATCH) -> st.SearchStrategy[Batch]:
    """That many random cases. Hypothesis begins with the simplest of each, a batch of copies: refused."""
    return st.lists(case, min_size=size, max_size=size).map(Batch).filter(_differ)


def _differ(cases: Batch) -> bool:
    return len({repr(case) for case in cases}) > len(cases) // 3


@dataclass(frozen=True)
class Step:
    """Scale and zero point of an int8 tensor."""

    scale: float
    zero_point: int


def steps(low: float = -7.0, high: float = 1.0) -> st.SearchStrategy[Step]:
    """Any float32 scale of 2^low .. 2^high; zero points anywhere, often at the rails."""
    zero_points = st.one_of(st.sampled_from((-128, -128, 0, 127)), st.integers(-128, 127))
    scales = st.floats(low, high, allow_nan=False).map(lambda power: float(np.float32(2.0**power)))
    return st.builds(Step, scales, zero_points)


def positions(
    sizes: Sequence[int], kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int], padding: str
) -> tuple[int, ...]:
    """Positions of a window along each axis, counted one by one."""
    found = []
    for size, taps, step, gap in zip(sizes, kernel, stride, dilation, strict=True):
        reach = 0 if padding == "same" else (taps - 1) * gap
        found.append(len(range(0, size - reach, step)))
    return tuple(found)


def rows_for(shape: Sequence[int], seed: int, zero_point: int = 0) -> NDArray[np.int8]:
    """Random inputs, and edges: both rails, the zero point, rails in turn, noise around the zero point."""
    random = np.random.default_rng(seed)
    rows = random.integers(-128, 128, (ROWS, *shape), dtype=np.int8)
    rows[0], rows[1], rows[2] = -128, 127, zero_point
    rows[3] = np.resize(np.array([-128, 127], np.int8), rows[3].shape)
    rows[4] = np.clip(zero_point + random.integers(-2, 3, shape), -128, 127).astype(np.int8)
    return rows


def layers_of(case: Case, folder: Path) -> list[Layer]:
    """The calls that the generator makes of a case."""
    path = folder / "case.tflite"
    path.write_bytes(case.build().bytes())
    return list(lower(load_graph(path)).layers)


def check(
    cases: Sequence[Case],
    *,
    kernels: str = "small",
    target: str = "pc",
    seed: int = 0,
    reference: Reference = Reference.LITERT,
    sequences: Sequence[bool] = (False,),
) -> None:
    """Asserts that every output value of every case is the reference's.

    sequences: False, each row from fresh states; True, one after the other
    """
    with tempfile.TemporaryDirectory(prefix="cases") as folder:
        paths = []
        for index, case in enumerate(cases):
            path = Path(folder) / f"{index}.tflite"
            path.write_bytes(case.build().bytes())
            paths.append(path)
        models = ModelsC(paths, kernels=kernels, target=target, reference=reference)
        inputs = [_inputs(graph, seed + index) for index, graph in enumerate(models.graphs)]
        runs = [(sequence, models.run(inputs, sequence=sequence)) for sequence in sequences]
        with ReferenceInterpreter(paths[0], reference) as reference_interpreter:
            for index, (case, path) in enumerate(zip(cases, paths, strict=True)):
                reference_interpreter.load(path)
                for sequence, outputs in runs:
                    wanted = reference_interpreter.run(inputs[index], sequence=sequence)
                    _compare_all(case, models.graphs[index], wanted, outputs[index])
                    tally_case(path, outputs[index].size, target, reference)


def _inputs(graph: Graph, seed: int) -> NDArray[Any]:
    """Rows of its input; of several inputs packed ones."""
    each = [_rows(graph.tensors[index], seed + 1000 * place) for place, index in enumerate(graph.inputs)]
    return each[0] if len(each) == 1 else np.stack([pack(values) for values in zip(*each, strict=True)])


def _rows(tensor: Any, seed: int) -> NDArray[Any]:
    if tensor.dtype == "int8":
        zero_point = tensor.quantization.zero_point if tensor.quantization else 0
        return rows_for(tensor.shape[1:], seed, zero_point)
    limits = np.iinfo(tensor.dtype)
    random = np.random.default_rng(seed)
    rows = random.integers(limits.min, limits.max + 1, (ROWS, *tensor.shape[1:])).astype(tensor.dtype)
    rows[0], rows[1] = limits.min, limits.max
    if tensor.dtype == "int16":
        rows[2], rows[3] = 0, np.resize(np.array([limits.min, limits.max], np.int16), rows[3].shape)
        rows[4] = random.integers(-2, 3, rows[4].shape)
        for row in range(5, ROWS, 2):  # of smaller spread: outputs that are not clamped
            rows[row] //= 1 << random.integers(1, 12)
    return rows


def _compare_all(case: Case, graph: Graph, wanted: NDArray[Any], found: NDArray[Any]) -> None:
    """Each output: between several nothing is written."""
    if len(graph.outputs) == 1:
        _compare(case, wanted, found)
        return
    ends = [graph.tensors[index] for index in graph.outputs]
    kinds = [(tensor.shape, np.dtype(tensor.dtype)) for tensor in ends]
    for one, other in zip(unpack(wanted, kinds), unpack(found, kinds), strict=True):
        _compare(case, one, other)


def _compare(case: Case, wanted: NDArray[Any], found: NDArray[Any]) -> None:
    assert (wanted.shape, wanted.dtype) == (found.shape, found.dtype), case
    if not np.array_equal(wanted, found):
        places = np.argwhere(wanted != found)
        first = tuple(int(i) for i in places[0])
        raise AssertionError(
            f"{len(places)} of {wanted.size} values differ, first at {first}: "
            f"{wanted[first]} in the reference, {found[first]} here\n{case}"
        )
