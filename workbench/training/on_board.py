# SPDX-License-Identifier: Apache-2.0
"""What a network will be on a board, before an epoch is spent on it."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Spec
from codegen.common.errors import UserError
from codegen.compile import App, Compiled, compile_app
from codegen.emit.modes import mode_plan
from codegen.incremental import Edges, Incremental
from codegen.incremental.costs import CALL, VALUE
from codegen.kernels.layer import Layer
from codegen.model.graph import Tensor
from codegen.passes.legalise import load_graph

ANY = 64  # vectors that an untrained network is converted with


@dataclass(frozen=True)
class OnBoard:
    """instructions, full: of a decision, and of one that computes everything, about

    reason: why every decision computes everything; ""
    constants, memory: bytes
    """

    instructions: int
    full: int
    reason: str
    constants: int
    memory: int

    @property
    def text(self) -> str:
        """A line for a person."""
        work = f"about {_short(self.full)} instructions"
        if not self.reason:
            work = f"about {_short(self.instructions)} instructions (in full {_short(self.full)})"
        why = f"; in full each time: {self.reason}" if self.reason else ""
        return (
            f"On a board a decision of this network takes {work}, {self.constants:,} B of constants "
            f"and {self.memory:,} B of RAM for its tensors{why}"
        )


def any_features(shape: tuple[int, int]) -> NDArray[np.uint8]:
    """[n, rows * columns]: vectors of the whole range, for a conversion that need not be good."""
    return np.random.RandomState(0).randint(0, 256, (ANY, shape[0] * shape[1])).astype(np.uint8)


def on_board(spec: Spec, content: bytes, file: Path) -> OnBoard:
    """Of the converted network of an app. UserError where the app cannot take it, which names `file`."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "network.tflite"
        model.write_bytes(content)
        own = replace(spec, classifier=replace(spec.classifier, model=model))
        try:
            compiled = compile_app(App(own, load_graph(model)))
        except UserError as fault:
            place = f"the converted network, {fault.place}" if fault.place else "the converted network"
            raise UserError(fault.what, file=file, place=place, remedy=fault.remedy) from fault
        return _of(compiled)


def _of(compiled: Compiled) -> OnBoard:
    assert compiled.spec.pipeline is not None
    program, planned = compiled.program, compiled.plan
    full = _work(program.layers, program.tensors)
    work = full
    if isinstance(planned, Incremental):
        work = planned.work(compiled.spec.pipeline.cascade.every)
    elif isinstance(planned, Edges):
        work = planned.work
    arrays = {id(array): array.nbytes for layer in program.layers for array in layer.arrays}
    modes = mode_plan(compiled)
    return OnBoard(work, full, compiled.reason, sum(arrays.values()), modes.arena + modes.state)


def _work(layers: Sequence[Layer], tensors: Sequence[Tensor]) -> int:
    return sum(layer.macs + VALUE * tensors[layer.output].size + CALL for layer in layers)


def _short(number: int) -> str:
    """Two digits and zeros: an estimate."""
    digits = max(0, len(str(number)) - 2)
    return f"{round(number, -digits):,}"
