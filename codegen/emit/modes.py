# SPDX-License-Identifier: Apache-2.0
"""The plan as a table: of every layer whether a decision computes one row of it or all, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace

from codegen.compile import Compiled
from codegen.incremental import Edges
from codegen.incremental.planner import Incremental
from codegen.kernels.layer import Layer


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


def mode_plan(compiled: Compiled) -> ModePlan:
    """The layers of what is generated for this app and model."""
    planned = compiled.plan
    if isinstance(planned, Incremental):
        assert compiled.spec.pipeline is not None
        modes = _modes(planned, compiled.spec.pipeline.cascade.every)
        return ModePlan(modes, "", planned.arena, planned.state_bytes, planned.catch_up)
    if isinstance(planned, Edges):
        return _edge_modes(planned)
    rows = tuple(_full(made, compiled.reason) for made in planned.program.layers)
    return ModePlan(rows, compiled.reason, planned.arena, planned.state, 0)


def _modes(planned: Incremental, every: int) -> tuple[LayerMode, ...]:
    """The layers of an incremental model: those of the schedule, then those after it.

    every: new frames of a decision
    """
    nbytes = {state.reader: 0 for state in planned.states}
    for state in planned.states:
        nbytes[state.reader] += state.nbytes
    rows = []
    for task in planned.schedule:
        if task.computes:
            made, times = task.layer, planned.frames - task.first
            macs = (made.macs * every, made.macs * times)
            own = nbytes.get(made.name, 0)
            rows.append(LayerMode(made.name, made.node.number, made.node.op, True, "", own, *macs))
    for made in planned.rest.program.layers[len(planned.before) :]:
        reason = planned.reasons.get(made.node.index, "it makes the model's output")
        rows.append(replace(_full(made, reason), state=nbytes.get(made.name, 0)))
    return tuple(rows)


def _edge_modes(planned: Edges) -> ModePlan:
    """The layers of a model whose decisions compute rows near the ends of the window."""
    macs: dict[int, int] = {}
    for made in planned.step.program.layers:
        macs[made.node.index] = macs.get(made.node.index, 0) + made.macs
    kept = {state.reader: state.nbytes for state in planned.kept}
    rows = []
    for made in (made for made in planned.full.program.layers if made.kernel):
        spans = planned.computed.get(made.node.index, "")
        # where several calls make a layer, the first stands for all
        own = macs.pop(made.node.index, 0)
        reason = spans or planned.reasons.get(made.node.index, "")
        rows.append(
            LayerMode(
                made.name,
                made.node.number,
                made.node.op,
                bool(spans),
                reason,
                kept.get(made.name, 0),
                own,
                made.macs,
            )
        )
    return ModePlan(tuple(rows), "", planned.arena, planned.state_bytes, planned.catch_up)


def _full(made: Layer, reason: str) -> LayerMode:
    return LayerMode(made.name, made.node.number, made.node.op, False, reason, 0, made.macs, made.macs)


def mode_table(modes: ModePlan) -> str:
    """The plan for people: a line a layer, then the sums."""
    head = ("layer", "operator", "mode", "state B", "MACs", "full run", "rows, or why in full")
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
        text += f"after {modes.catch_up} or more missed frames a full run takes less work\n"
    return text
