# SPDX-License-Identifier: Apache-2.0
"""The calls of a model whose decisions compute rows near the ends of the window, as lines of C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.emit.incremental import in_arena, layer_comment, wrapped
from codegen.incremental.edges.planner import Edges, renamed
from codegen.incremental.edges.program import Call, Calls, Compute, Keep, KeptRows, Restore
from codegen.kernels.layer import Layer
from codegen.passes.memory_plan import Plan


@dataclass(frozen=True)
class CallLines:
    """A call. comment: before it, "" where it belongs to the one before"""

    lines: tuple[str, ...]
    comment: str


@dataclass(frozen=True)
class Text:
    """The bodies of NAME_step, of the rest of NAME_finish, and of NAME_run."""

    step: tuple[CallLines, ...]
    rest: tuple[CallLines, ...]
    run: tuple[CallLines, ...]

    @property
    def rest_arena(self) -> bool:
        """The rest needs the arena."""
        return any("arena" in line for call in self.rest for line in call.lines)


def text(planned: Edges, name: str) -> Text:
    """All calls."""
    made = _Spelling(planned, planned.step, name, f"{name}_frames_values")
    decision = made.lines(planned.decision, renamed(planned))
    whole = _Spelling(planned, planned.full, name, "input")
    run = whole.lines(planned.run, planned.full.program.layers)
    return Text(decision[: planned.decision.step], decision[planned.decision.step :], run)


def new_layers(planned: Edges) -> tuple[Layer, ...]:
    """Those of a full run, and those of a decision that differ from them, under their names."""
    full = tuple(layer for layer in planned.full.program.layers if layer.kernel)
    names = {layer.name for layer in full}
    return (*full, *(layer for layer in renamed(planned) if layer.kernel and layer.name not in names))


@dataclass(frozen=True)
class _Spelling:
    """source: the model's input, in C"""

    planned: Edges
    plan: Plan
    name: str
    source: str

    def lines(self, calls: Calls, layers: Sequence[Layer]) -> tuple[CallLines, ...]:
        """Of all calls. layers: under their names in C"""
        return tuple(
            CallLines(
                tuple(wrapped(self._call(index, call, layer))),
                layer_comment(self.plan.program.tensors, layer) if isinstance(call, Compute) else "",
            )
            for index, (call, layer) in enumerate(zip(calls.calls, layers, strict=True))
        )

    def _call(self, index: int, call: Call, layer: Layer) -> str:
        match call:
            case Restore(state, offset, target, nbytes):
                place = self._place(target.block, target.offset)
                return f"kept_rows_copy({place}, {self._kept(state, offset)}, {nbytes});"
            case Keep(state, origin, nbytes):
                size = state.kept.rows.rows * state.size
                kept, read = self._kept(state, 0), self._place(origin.block, origin.offset)
                if nbytes == size:
                    return f"kept_rows_copy({kept}, {read}, {size});"
                return f"kept_rows_add({kept}, {size}, {read}, {nbytes});"
            case Compute(inputs, output):
                places = [self._place(*each) for each in zip(layer.inputs, inputs, strict=True)]
                places.append(self._place(layer.output, output))
                if layer.scratch:
                    places.append(in_arena("arena", self.plan.scratch[index]))
                return f"{layer.kernel}(&{self.name}_{layer.name}, {', '.join(places)});"

    def _place(self, block: int, offset: int) -> str:
        program = self.plan.program
        if block == program.input:
            return f"{self.source} + {offset}" if offset else self.source
        if block == program.output:
            assert not offset
            return "output"
        if program.tensors[block].data is not None:
            wide = program.tensors[block].dtype == "int16"
            return f"{'(const void *)' if wide else ''}{self.name}_constant{block}"
        base = self.plan.offset(block)
        assert base is not None
        return in_arena("arena", base + offset)

    def _kept(self, state: KeptRows, offset: int) -> str:
        found = f"{self.name}_{state.name}_values"
        if state.kept.phases > 1:
            turn = "phase" if state.kept.phases == self.planned.phases else f"phase % {state.kept.phases}"
            found += f" + {turn} * {state.phase_bytes}"
        return f"{found} + {offset}" if offset else found
