# SPDX-License-Identifier: Apache-2.0
"""The memory plan: nothing that lives together overlaps, and the arena is near what must be alive."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.kernels.layer import Layer, Program
from codegen.model.graph import Node, Tensor
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from codegen.passes.memory_plan import ALIGNMENT, Plan, plan
from tests.models.networks import tutorial_like


def chain(sizes: list[int], *, scratch: list[int] | None = None, in_place: bool = False) -> Program:
    """Layer i reads tensor i and makes tensor i + 1."""
    tensors = tuple(Tensor(i, f"t{i}", (size,), "int8") for i, size in enumerate(sizes))
    layers = tuple(
        Layer(
            name=f"layer{i}",
            kernel="k",
            type="k",
            fields=(),
            arrays=(),
            inputs=(i,),
            output=i + 1,
            node=Node(i, "OP", (i,), (i + 1,)),
            in_place=(i,) if in_place else (),
            scratch=scratch[i] if scratch else 0,
        )
        for i in range(len(sizes) - 1)
    )
    return Program(tensors, layers, 0, len(sizes) - 1)


def lives(program: Program) -> dict[int, set[int]]:
    """Tensor in the arena -> the calls during which its bytes must stay."""
    found: dict[int, set[int]] = {}
    for index, layer in enumerate(program.layers):
        for tensor in (*layer.inputs, layer.output):
            if tensor not in (program.input, program.output):
                found.setdefault(tensor, set()).add(index)
    return {tensor: set(range(min(calls), max(calls) + 1)) for tensor, calls in found.items()}


def assert_sound(planned: Plan) -> None:
    """Replays the calls and lets each write its bytes: no tensor is touched while it lives."""
    program = planned.program
    alive = lives(program)
    owner = np.full(planned.arena, -1)
    for index, layer in enumerate(program.layers):
        for tensor in layer.inputs:
            place = planned.offset(tensor)
            if tensor in alive:
                assert place is not None
                assert (owner[place : place + program.tensors[tensor].nbytes] == tensor).all()
        written = []
        if layer.scratch:
            place = planned.scratch[index]
            assert place is not None
            written.append((place, layer.scratch, -2))
        if layer.output in alive:
            place = planned.offset(layer.output)
            assert place is not None
            assert place % ALIGNMENT == 0
            written.append((place, program.tensors[layer.output].nbytes, layer.output))
        for place, size, who in written:
            assert place + size <= planned.arena
            for tensor in layer.inputs:
                if tensor in alive and not (who == layer.output and tensor in layer.in_place):
                    assert not (owner[place : place + size] == tensor).any()
            owner[place : place + size] = who
        if len(written) == 2:  # scratch and output live together
            (a, size_a, _), (b, size_b, _) = written
            assert a + size_a <= b or b + size_b <= a


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Random graphs: every layer reads one to three earlier tensors."""
    count = draw(st.integers(1, 12))
    tensors = [Tensor(0, "in", (draw(st.integers(1, 300)),), "int8")]
    layers = []
    for i in range(count):
        inputs = tuple(draw(st.lists(st.integers(0, i), min_size=1, max_size=3)))
        tensors.append(Tensor(i + 1, f"t{i + 1}", (draw(st.integers(1, 300)),), "int8"))
        layers.append(
            Layer(
                name=f"layer{i}",
                kernel="k",
                type="k",
                fields=(),
                arrays=(),
                inputs=inputs,
                output=i + 1,
                node=Node(i, "OP", inputs, (i + 1,)),
                in_place=inputs if draw(st.booleans()) else (),
                scratch=draw(st.sampled_from((0, 0, 10, 200))),
            )
        )
    return Program(tuple(tensors), tuple(layers), 0, count)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(programs())
def test_any_plan_is_sound(program: Program) -> None:
    planned = plan(program)
    assert_sound(planned)
    assert planned.bound <= planned.arena
    assert planned.arena <= sum(block.size for block in planned.blocks)
    assert plan(program).blocks == planned.blocks  # the same every time


def test_a_chain_needs_its_largest_neighbours() -> None:
    planned = plan(chain([9, 100, 60, 80, 20, 5]))
    assert planned.arena == planned.bound == 160
    assert_sound(planned)


def test_scratch_lives_for_one_call() -> None:
    planned = plan(chain([9, 100, 60, 5], scratch=[0, 40, 0]))
    assert planned.arena == planned.bound == 200
    assert_sound(planned)


def test_in_place_halves_a_chain() -> None:
    assert plan(chain([9, 100, 100, 100, 5], in_place=True)).arena == 100
    assert plan(chain([9, 100, 100, 100, 5])).arena == 200


def test_a_second_reader_forbids_in_place() -> None:
    program = chain([9, 100, 100, 5], in_place=True)
    last = program.layers[2]
    again = Layer(**{**last.__dict__, "inputs": (1, 2), "in_place": ()})
    program = Program(program.tensors, (*program.layers[:2], again), 0, 3)
    planned = plan(program)
    assert planned.offset(1) != planned.offset(2)
    assert_sound(planned)


def test_the_tutorials_network(tmp_path: Path) -> None:
    planned = plan(lower(load_graph(tutorial_like(tmp_path / "model.tflite", 1))))
    assert_sound(planned)
    assert planned.arena == planned.bound
    assert planned.arena <= 14 * 19 * 16 + 13 * 18 * 16
