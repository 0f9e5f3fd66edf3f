"""The plan as a table: of every layer whether a decision computes one row of it or all, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from codegen.graph import Graph
from codegen.incremental.planner import incremental
from codegen.layer import Layer
from codegen.lower import lower
from codegen.plan import plan
from codegen.quantize import Reference
from codegen.spec import Spec


@dataclass(frozen=True)
class LayerMode:
    """One kernel call.

    name: of its struct in the generated C, after the app's prefix: "conv1"
    layer, op: of the model's operator, as in the comments of the generated C
    incremental: a decision computes its newest row only; else all of it, and `reason` says why
    state: bytes kept from decision to decision so that it can
    macs: multiply-accumulates of a decision; full_macs: of a full run, as this engine computes it
    """

    name: str
    layer: int
    op: str
    incremental: bool
    reason: str
    state: int
    macs: int
    full_macs: int


@dataclass(frozen=True)
class ModePlan:
    """All layers in the order of their calls.

    reason: why no layer is incremental; "" where some are
    arena: bytes shared by all tensors between the layers; state: bytes that last between decisions
    catch_up: missed frames from which on a full run is cheaper than catching up; 0 where it is the only way
    """

    layers: tuple[LayerMode, ...]
    reason: str
    arena: int
    state: int
    catch_up: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of a decision."""
        return sum(layer.macs for layer in self.layers)

    @property
    def full_macs(self) -> int:
        """Multiply-accumulates of a full run."""
        return sum(layer.full_macs for layer in self.layers)


def mode_plan(spec: Spec, graph: Graph, reference: Reference = Reference.LITERT) -> ModePlan:
    """What `generate` plans for this app and model."""
    program = lower(graph, reference)
    planned = incremental(spec, graph, program)
    if isinstance(planned, str):
        whole = plan(program)
        return ModePlan(_full(program.layers, planned), planned, whole.arena, whole.state, 0)
    rows = []
    for made in planned.layers:
        call, node = made.layer, made.layer.node
        macs = (made.macs, made.macs * (planned.frames - made.first))
        rows.append(LayerMode(call.name, node.index, node.op, True, "", 2 * made.source.values, *macs))
    behind = _full(planned.rest.program.layers, planned.stopped)
    return ModePlan((*rows, *behind), "", planned.rest.arena, planned.state, planned.catch_up)


def _full(layers: Sequence[Layer], reason: str) -> tuple[LayerMode, ...]:
    return tuple(
        LayerMode(made.name, made.node.index, made.node.op, False, reason, 0, made.macs, made.macs)
        for made in layers
    )


def mode_table(modes: ModePlan) -> str:
    """The plan for people: a line a layer, then the sums."""
    head = ("layer", "operator", "mode", "state B", "MACs", "full run", "why in full")
    rows = [
        (
            layer.name,
            f"{layer.layer} {layer.op}",
            "incremental" if layer.incremental else "full",
            str(layer.state),
            str(layer.macs),
            str(layer.full_macs),
            layer.reason,
        )
        for layer in modes.layers
    ]
    rows.append(("in all", "", "", str(modes.state), str(modes.macs), str(modes.full_macs), ""))
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = []
    for row in (head, *rows):
        cells = [
            cell.rjust(width) if 3 <= at <= 5 else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    text = "\n".join(lines) + "\n"
    if modes.reason:
        text += f"computed in full at every decision: {modes.reason}\n"
    elif modes.catch_up:
        text += f"after {modes.catch_up} or more missed frames a full run takes fewer multiplications\n"
    return text
