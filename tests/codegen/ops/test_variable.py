# SPDX-License-Identifier: Apache-2.0
"""Streaming models against the reference interpreter: state kept between runs, and reset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from tests.models.builder import Builder
from tests.support.exact import BATCHES, Batch, batches
from tests.support.models_c import ModelsC
from tests.support.tally import tally_case
from workbench.verify.reference import ReferenceInterpreter

STEPS = 40
PLAIN = {"beginMask": 1, "endMask": 1, "ellipsisMask": 0, "newAxisMask": 0, "shrinkAxisMask": 0}


@dataclass(frozen=True)
class Stream:
    """Rings of the last rows, one after the other: read, join the new rows, keep the newest, convolve."""

    rows: int  # new ones a run
    kept: tuple[int, ...]  # rows each ring keeps
    depth: int
    uniform: bool  # the initial values are one number
    late: bool  # the variable is assigned before what was read is used
    seed: int

    def build(self) -> Builder:
        """The model."""
        random = np.random.default_rng(self.seed)
        model = Builder()
        scale, zero = 0.05, -4
        x = value = model.tensor((1, self.rows, self.depth), "int8", scale, zero)
        for number, kept in enumerate(self.kept):
            initial = random.integers(-128, 128, (1, kept, self.depth), dtype=np.int8)
            if self.uniform:
                initial[:] = zero
            handle = model.variable(f"stream_{number}/states", initial)
            old = model.tensor((1, kept, self.depth), "int8", scale, zero)
            model.operator("READ_VARIABLE", [handle], [old])
            rows = kept + self.rows
            joined = model.tensor((1, rows, self.depth), "int8", scale, zero)
            model.operator("CONCATENATION", [old, value], [joined], {"axis": 1, "fusedActivationFunction": 0})
            new = model.tensor((1, kept, self.depth), "int8", scale, zero)
            ends = [model.constant(np.array(v, np.int32)) for v in ([0, self.rows, 0], [0, 0, 0], [1, 1, 1])]
            model.operator("STRIDED_SLICE", [joined, *ends], [new], PLAIN | {"endMask": 7})
            model.operator("ASSIGN_VARIABLE", [handle, new], [])
            if self.late:  # `old` is read again after the assignment
                again = model.tensor((1, kept, self.depth), "int8", scale, zero)
                total = model.tensor((1, rows + kept, self.depth), "int8", scale, zero)
                model.operator("RELU", [old], [again])
                join = {"axis": 1, "fusedActivationFunction": 0}
                model.operator("CONCATENATION", [joined, again], [total], join)
                joined, rows = total, rows + kept
            value = model.tensor((1, self.rows, self.depth), "int8", scale, zero)
            self._dense(model, random, joined, rows * self.depth, value)
        return model.ends([x], [value])

    def _dense(self, model: Builder, random: np.random.Generator, x: int, inputs: int, y: int) -> None:
        outputs = self.rows * self.depth
        flat = model.tensor((1, inputs), "int8", 0.05, -4)
        model.operator("RESHAPE", [x, model.constant(np.array([1, inputs], np.int32))], [flat])
        weights = model.constant(random.integers(-127, 128, (outputs, inputs), dtype=np.int8), 0.004)
        made = model.tensor((1, outputs), "int8", 0.05, -4)
        model.operator("FULLY_CONNECTED", [flat, weights, -1], [made], {"fusedActivationFunction": 0})
        model.operator("RESHAPE", [made, model.constant(np.array([1, self.rows, self.depth], np.int32))], [y])


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Any such model."""
    return Stream(
        rows=draw(st.integers(1, 3)),
        kept=tuple(draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))),
        depth=draw(st.integers(1, 6)),
        uniform=draw(st.booleans()),
        late=draw(st.booleans()),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def check_stream(paths: list[Path], *, kernels: str = "small", target: str = "pc") -> None:
    """Runs in a row, and each row from a fresh start."""
    models = ModelsC(paths, kernels=kernels, target=target)
    rows = [
        np.random.default_rng(index).integers(-128, 128, (STEPS, *graph.input.shape[1:]), dtype=np.int8)
        for index, graph in enumerate(models.graphs)
    ]
    for sequence in (True, False):
        found = models.run(rows, sequence=sequence)
        with ReferenceInterpreter(paths[0]) as reference:
            for path, inputs, outputs in zip(paths, rows, found, strict=True):
                reference.load(path)
                assert np.array_equal(reference.run(inputs, sequence=sequence), outputs), path
                tally_case(path, outputs.size, target)


def written(cases: list[Stream], folder: Path) -> list[Path]:
    """The models' files."""
    paths = []
    for index, case in enumerate(cases):
        paths.append(folder / f"{index}.tflite")
        paths[-1].write_bytes(case.build().bytes())
    return paths


@BATCHES
@given(batches(streams()))
def test_any_stream(tmp_path_factory: pytest.TempPathFactory, cases: Batch) -> None:
    check_stream(written(cases, tmp_path_factory.mktemp("streams")))


@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_on_a_cortex_m4(tmp_path: Path, kernels: str) -> None:
    cases = [
        Stream(1, (3,), 4, True, False, 1),
        Stream(2, (4, 2), 3, False, False, 2),
        Stream(1, (2,), 2, True, True, 3),
    ]
    check_stream(written(cases, tmp_path), kernels=kernels, target="qemu")


def test_a_variable_is_read_and_made_in_place(tmp_path: Path) -> None:
    """Reading needs no copy, and what is assigned is made in the variable."""
    (path,) = written([Stream(1, (3,), 4, True, False, 1)], tmp_path)
    program = lower(load_graph(path))
    kernels = [layer.kernel for layer in program.layers]
    assert kernels == ["strided_copy", "strided_copy", "strided_copy", "fully_connected"]
    (state,) = program.states
    assert program.layers[0].inputs == (state,)
    assert program.layers[2].output == state


STATES = {
    "old state is an output": ("READ old", "MAX m", "RELU n x", "ASSIGN n", "RELU y m", "-> y old"),
    "old state is an output, reshaped": ("READ old", "RESHAPE r old", "RELU n x", "ASSIGN n", "-> n r"),
    "old state is the output": ("READ old", "RELU n x", "ASSIGN n", "-> old"),
    "old state is an output, tiled": ("READ old", "TILE g old", "RELU n x", "ASSIGN n", "-> n g"),
    "nothing is computed after the assignment": ("READ old", "MAX m", "RELU n x", "ASSIGN n", "-> m old"),
    "output is assigned": ("READ old", "MAX m", "ASSIGN m", "-> m"),
    "input is assigned": ("READ old", "MAX m", "ASSIGN x", "-> m"),
    "assigned twice": ("READ old", "RELU a x", "ASSIGN a", "MAX m", "ASSIGN m", "RELU y a", "-> y m"),
}


def _state_model(lines: tuple[str, ...]) -> Builder:
    """A model in a few words: operator, what it makes, what it reads (MAX: x and old)."""
    model = Builder()
    made = {"x": model.tensor((1, 4), "int8", 0.05, -4)}
    handle = model.variable("state", np.array([[5, -6, 70, -128]], np.int8))
    for op, *names in (line.split() for line in lines):
        if op == "->":
            return model.ends([made["x"]], [made[name] for name in names])
        if op == "ASSIGN":
            model.operator("ASSIGN_VARIABLE", [handle, made[names[0]]], [])
            continue
        shape = (4,) if op == "RESHAPE" else (1, 4)
        y = made[names[0]] = model.tensor(shape, "int8", 0.05, -4)
        if op == "READ":
            model.operator("READ_VARIABLE", [handle], [y])
        elif op == "MAX":
            model.operator("MAXIMUM", [made["x"], made["old"]], [y])
        elif op == "RESHAPE":
            model.operator(op, [made[names[1]], model.constant(np.array([4], np.int32))], [y])
        elif op == "TILE":
            once = model.constant(np.ones(2, np.int32))
            model.operator(op, [made[names[1]], once], [y])
        else:
            model.operator(op, [made[names[1]]], [y])
    raise ValueError(lines)


def test_states_and_outputs_keep_their_values(tmp_path: Path) -> None:
    """What was read is the old state, also as an output; what was assigned is that value."""
    paths = [tmp_path / f"{index}.tflite" for index in range(len(STATES))]
    for path, lines in zip(paths, STATES.values(), strict=True):
        path.write_bytes(_state_model(lines).bytes())
    check_stream(paths)


def test_a_variable_without_initial_value(tmp_path: Path) -> None:
    model = Stream(1, (3,), 4, True, False, 1).build()
    model.model.subgraphs[1].operators.pop()
    path = tmp_path / "model.tflite"
    path.write_bytes(model.bytes())
    with pytest.raises(UserError, match='"stream_0/states" has no initial value'):
        load_graph(path)


def test_computed_initial_values(tmp_path: Path) -> None:
    model = Stream(1, (3,), 4, True, False, 1).build()
    main, model.graph = model.graph, model.model.subgraphs[1]
    y = model.tensor((1, 3, 4), "int8", 0.05, 0)
    model.operator("RELU", [1], [y])
    model.graph = main
    path = tmp_path / "model.tflite"
    path.write_bytes(model.bytes())
    with pytest.raises(UserError, match="initial values are computed by RELU"):
        load_graph(path)
