"""The memory plan for a person: a table, and numbers for scripts."""

from __future__ import annotations

from dataclasses import dataclass

from codegen.app.spec import Spec
from codegen.common.render import shape_text
from codegen.incremental import Incremental, incremental
from codegen.model.graph import Graph
from codegen.passes.lower import lower
from codegen.passes.memory_plan import Block, Plan, plan


@dataclass(frozen=True)
class MemoryPlan:
    """plan: of the layers computed in full; history: bytes that the incremental ones before them keep."""

    plan: Plan
    history: int

    @property
    def alive(self) -> list[int]:
        """Bytes in use at each call: the largest is the lower bound."""
        calls = range(len(self.plan.program.layers))
        return [sum(b.size for b in self.plan.blocks if b.first <= call <= b.last) for call in calls]


def memory_plan(spec: Spec, graph: Graph) -> MemoryPlan:
    """What the generator makes of the app's model: the plan that is compiled."""
    rows = incremental(spec, graph)
    if isinstance(rows, Incremental):
        return MemoryPlan(rows.rest, rows.state)
    return MemoryPlan(plan(lower(graph, spec.classifier.reference)), 0)


def call_name(planned: Plan, call: int) -> str:
    """7 CONV_2D."""
    layer = planned.program.layers[call]
    return f"{layer.node.index} {layer.node.op}"


def block_text(planned: Plan, block: Block) -> str:
    """What lies there: the output of 0 CONV_2D, 25 x 5 x 64; then in place those of 1, 2."""
    if not block.tensors:
        return f"working memory of {call_name(planned, block.first)}"
    layers = planned.program.layers
    makers = [next(layer.node for layer in layers if layer.output == tensor) for tensor in block.tensors]
    shape = planned.program.tensors[block.tensors[0]].shape
    shape = shape[1:] if len(shape) > 1 and shape[0] == 1 else shape
    text = f"output of {makers[0].index} {makers[0].op}, {shape_text(shape or (1,))}"
    if len(makers) > 1:
        text += f"; then in place those of {', '.join(str(node.index) for node in makers[1:])}"
    return text


def table(title: str, memory: MemoryPlan) -> str:
    """A line a block, the ends and the totals."""
    planned = memory.plan
    rows = [("offset", "bytes", "from", "to", "what")]
    for block in planned.blocks:
        last = call_name(planned, block.last)
        names = block_text(planned, block)
        first = call_name(planned, block.first)
        rows.append((f"{block.offset:,}", f"{block.size:,}", first, last, names))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [title]
    for offset, size, first, last, names in rows:
        place = f"{offset:>{widths[0]}}  {size:>{widths[1]}}"
        lines.append(f"  {place}  {first:<{widths[2]}}  {last:<{widths[3]}}  {names}")
    share = (
        f", {100 * (planned.arena - planned.bound) / planned.bound:.1f} % above it" if planned.bound else ""
    )
    fullest = memory.alive.index(planned.bound) if planned.bound else 0
    lines.append(f"  arena        {planned.arena:>9,} B")
    lines.append(
        f"  lower bound  {planned.bound:>9,} B, alive at {call_name(planned, fullest)}"
        + (share if planned.arena > planned.bound else ": reached")
    )
    program = planned.program
    ends = program.tensors[program.input].nbytes, program.tensors[program.output].nbytes
    source = "the history's" if memory.history else f"{ends[0]:,} B, the caller's"
    lines.append(f"  input {source}; output {ends[1]:,} B, the caller's")
    if planned.state:
        lines.append(f"  variables    {planned.state:>9,} B, kept from run to run")
    if memory.history:
        lines.append(f"  history      {memory.history:>9,} B, kept by the incremental layers before these")
    return "\n".join(lines)


def json_object(memory: MemoryPlan) -> dict[str, object]:
    """The same for scripts. Bytes; calls are indices of `layers`."""
    planned = memory.plan
    return {
        "arena": planned.arena,
        "bound": planned.bound,
        "variables": planned.state,
        "history": memory.history,
        "layers": [
            {"index": layer.node.index, "op": layer.node.op, "alive": alive}
            for layer, alive in zip(planned.program.layers, memory.alive, strict=True)
        ],
        "blocks": [
            {
                "tensors": [planned.program.tensors[tensor].name for tensor in block.tensors],
                "offset": block.offset,
                "bytes": block.size,
                "first": block.first,
                "last": block.last,
            }
            for block in planned.blocks
        ],
    }
