# SPDX-License-Identifier: Apache-2.0
"""The calls of a model whose decisions compute rows near the ends of the window, as lines of C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.common.render import shape_text
from codegen.emit.incremental import in_arena, wrapped
from codegen.incremental.edges.planner import Edges, renamed
from codegen.incremental.edges.program import Calls, Compute, Keep, KeptRows, Restore
from codegen.kernels.layer import Layer
from codegen.passes.memory_plan import Plan


@dataclass(frozen=True)
class Lines:
    """A call. comment: before it, "" where it belongs to the one before"""

    lines: tuple[str, ...]
    comment: str


@dataclass(frozen=True)
class Text:
    """The bodies of NAME_step, of the rest of NAME_finish, and of NAME_run; arena: of the rest, it is read."""

    step: tuple[Lines, ...]
    rest: tuple[Lines, ...]
    run: tuple[Lines, ...]

    @property
    def rest_arena(self) -> bool:
        """The rest needs the arena."""
        return any("arena" in line for call in self.rest for line in call.lines)


def text(planned: Edges, name: str) -> Text:
    """All calls."""
    layers = renamed(planned)
    decision = _spelled(planned, planned.step, planned.decision, layers, name, f"{name}_frames_values")
    run = _spelled(planned, planned.full, planned.run, planned.full.program.layers, name, "input")
    return Text(decision[: planned.decision.step], decision[planned.decision.step :], run)


def new_layers(planned: Edges) -> tuple[Layer, ...]:
    """Those of a full run, and those of a decision that differ from them, under their names."""
    full = tuple(layer for layer in planned.full.program.layers if layer.kernel)
    names = {layer.name for layer in full}
    return (*full, *(layer for layer in renamed(planned) if layer.kernel and layer.name not in names))


def _spelled(
    planned: Edges, plan: Plan, calls: Calls, layers: Sequence[Layer], name: str, source: str
) -> tuple[Lines, ...]:
    def place(block: int, offset: int) -> str:
        if block == plan.program.input:
            return f"{source} + {offset}" if offset else source
        if block == plan.program.output:
            assert not offset
            return "output"
        if plan.program.tensors[block].data is not None:
            return f"{name}_constant{block}"
        base = plan.offset(block)
        assert base is not None
        return in_arena("arena", base + offset)

    def kept(state: KeptRows, offset: int) -> str:
        found = f"{name}_{state.name}_values"
        if state.kept.phases > 1:
            turn = "phase" if state.kept.phases == planned.phases else f"phase % {state.kept.phases}"
            found += f" + {turn} * {state.phase_bytes}"
        return f"{found} + {offset}" if offset else found

    found: list[Lines] = []
    for index, (call, layer) in enumerate(zip(calls.calls, layers, strict=True)):
        match call:
            case Restore(state, offset, target, nbytes):
                line = (
                    f"kept_rows_copy({place(target.block, target.offset)}, {kept(state, offset)}, {nbytes});"
                )
                comment = ""
            case Keep(state, origin, _, nbytes):
                size = state.kept.rows.rows * state.size
                read = place(origin.block, origin.offset)
                if nbytes == size:
                    line = f"kept_rows_copy({kept(state, 0)}, {read}, {size});"
                else:
                    line = f"kept_rows_add({kept(state, 0)}, {size}, {read}, {nbytes});"
                comment = ""
            case Compute(inputs, output):
                places = [place(*each) for each in zip(layer.inputs, inputs, strict=True)]
                places.append(place(layer.output, output))
                if layer.scratch:
                    places.append(in_arena("arena", plan.scratch[index]))
                line = f"{layer.kernel}(&{name}_{layer.name}, {', '.join(places)});"
                comment = _comment(plan, layer)
        found.append(Lines(tuple(wrapped(line)), comment))
    return tuple(found)


def _comment(plan: Plan, layer: Layer) -> str:
    node, tensors = layer.node, plan.program.tensors
    note = f" {layer.note}" if layer.note else ""
    read = next((tensors[index] for index in node.inputs if index >= 0 and tensors[index].data is None), None)
    before = shape_text(read.shape[1:] or (1,)) if read else ""
    return (
        f"{node.index} {node.op}{note}: {before} -> {shape_text(tensors[node.outputs[0]].shape[1:] or (1,))}"
    )
