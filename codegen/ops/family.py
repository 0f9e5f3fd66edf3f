# SPDX-License-Identifier: Apache-2.0
"""What an operator family provides: its checks, its lowering, its rule of incremental inference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from codegen.model.graph import Graph, Node
from codegen.ops.rows import NO_RULE, Rule

if TYPE_CHECKING:
    from codegen.kernels.lowering import Lowering

AGAIN = "convert the model again with full int8 quantisation"


class Fault(NamedTuple):
    """Why a layer is refused, and what its owner can do."""

    what: str
    remedy: str


Check = Callable[[Graph, Node], Iterator[Fault]]


@dataclass(frozen=True)
class Family:
    """Operators that are checked, lowered and computed row by row alike.

    ops: the schema's names
    checks: of a node, in stages: a later one stands on what the earlier have seen
    lower: the kernel calls of a node without faults
    incremental: how far a new row of the output reaches in time (codegen/ops/rows.py), or why every decision
        computes all rows
    states: places of its inputs that are states of its own, which last from one run to the next
    """

    ops: tuple[str, ...]
    checks: tuple[Check, ...]
    lower: Callable[[Lowering, Node], None]
    incremental: Rule | str = NO_RULE
    states: tuple[int, ...] = ()

    def check(self, graph: Graph, node: Node) -> Iterator[Fault]:
        """A node's faults: those of the first stage that finds some."""
        for stage in self.checks:
            faults = list(stage(graph, node))
            if faults:
                yield from faults
                return
