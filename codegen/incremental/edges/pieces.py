# SPDX-License-Identifier: Apache-2.0
"""Which rows of every tensor a decision computes, and which it has kept, from the rows that are read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from codegen.incremental.edges.timeline import Timelines
from codegen.model.graph import Graph, Node


@dataclass(frozen=True, order=True)
class Span:
    """Rows of a tensor, `end` excluded."""

    first: int
    end: int

    @property
    def rows(self) -> int:
        """Their number."""
        return max(0, self.end - self.first)

    def within(self, other: Span) -> Span:
        """Those that are in both."""
        return Span(max(self.first, other.first), min(self.end, other.end))

    def holds(self, other: Span) -> bool:
        """All of the other's rows are of these."""
        return self.first <= other.first and other.end <= self.end


def hull(spans: Sequence[Span]) -> Span:
    """From the first row of all to the last; nothing of nothing."""
    real = [span for span in spans if span.rows]
    if not real:
        return Span(0, 0)
    return Span(min(span.first for span in real), max(span.end for span in real))


def merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same rows in as few spans as possible, in order."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span.rows):
        if found and span.first <= found[-1].end:
            found[-1] = Span(found[-1].first, max(found[-1].end, span.end))
        else:
            found.append(span)
    return tuple(found)


@dataclass(frozen=True)
class Kept:
    """Inner rows that are kept from decision to decision.

    rows: of the tensor, before the newest are computed; fresh: rows that become inner at a decision
    phases: decisions after which the same rows come again, `fresh` rows further up: each has its own
    """

    rows: Span
    fresh: int
    phases: int

    @property
    def newest(self) -> Span:
        """The rows that join those kept, once they are computed."""
        return Span(
            max(self.rows.end, self.rows.end + self.fresh - self.rows.rows), self.rows.end + self.fresh
        )


@dataclass(frozen=True)
class Rows:
    """What becomes of a tensor at a decision.

    computed: spans that its node makes; read: spans that are read of it; kept: None where nothing is
    """

    computed: tuple[Span, ...]
    read: tuple[Span, ...]
    kept: Kept | None

    @property
    def copied(self) -> tuple[Span, ...]:
        """Kept rows that are read."""
        if self.kept is None:
            return ()
        return merged([span.within(self.kept.rows) for span in self.read])


@dataclass(frozen=True, eq=False)
class Pieces:
    """rows: tensor -> what becomes of it, of those that a node makes in spans.

    whole: nodes that are computed as the model has them, from all of what they read
    """

    rows: dict[int, Rows]
    whole: set[int]
    shapes: set[int] = field(default_factory=set)  # nodes that give rows another shape, and need no call

    @property
    def kept(self) -> dict[int, Kept]:
        """Tensor -> what is kept of it."""
        return {tensor: rows.kept for tensor, rows in self.rows.items() if rows.kept is not None}


Wanted = Callable[[Node], bool]


def pieces(graph: Graph, lines: Timelines, hop: int, wanted: Wanted) -> Pieces:
    """The rows of a decision `hop` frames after the last one.

    wanted: whether rows that the node has made may be kept
    """
    return _Pieces(graph, lines, hop, wanted).pieces()


class _Pieces:
    def __init__(self, graph: Graph, lines: Timelines, hop: int, wanted: Wanted) -> None:
        self.graph, self.lines, self.hop, self.wanted = graph, lines, hop, wanted
        self.made = Pieces({}, set())
        self.read: dict[int, list[Span]] = {}
        self.whole = set(graph.outputs)  # tensors that are read as the model has them

    def pieces(self) -> Pieces:
        """From the last node to the first: its readers say what it makes."""
        for node in reversed(self.graph.nodes):
            self._take(node)
        source = self.graph.inputs[0]
        self.made.rows[source] = Rows((), merged(self.read.get(source, [])), None)
        return self.made

    def _take(self, node: Node) -> None:
        index = node.outputs[0]
        if node.index not in self.lines.recipes or index in self.graph.outputs:
            self._leave(node)
            return
        read = self.read.get(index, [])
        if self.lines.recipes[node.index].op == "RESHAPE":
            if index in self.whole:
                self._leave(node)
            if read:
                self.made.shapes.add(node.index)
                self._read(node, read)
            return
        line = self.lines.lines[index]
        if index in self.whole:
            read = [*read, Span(0, line.rows)]
        if not read:
            return
        rows = self._rows(node, tuple(sorted(set(read))))
        if rows.computed == (Span(0, line.rows),) and self._reads_all(node):
            self._leave(node)
        else:
            self._read(node, rows.computed)
        self.made.rows[index] = rows

    def _leave(self, node: Node) -> None:
        """Computes a node as the model has it."""
        self.made.whole.add(node.index)
        for index in node.inputs:
            if index >= 0 and self.graph.tensors[index].data is None:
                self.whole.add(index)
                if index in self.lines.lines:
                    self.read.setdefault(index, []).append(Span(0, self.lines.lines[index].rows))

    def _reads_all(self, node: Node) -> bool:
        """Its rows need all rows of what it reads."""
        whole = [Span(0, self.lines.lines[node.outputs[0]].rows)]
        return all(
            self._needs(node, position, whole[0]) == Span(0, self.lines.lines[node.inputs[position]].rows)
            for position in self.lines.recipes[node.index].reads
        )

    def _needs(self, node: Node, position: int, made: Span) -> Span:
        """The rows of an input that some rows of the output are made from."""
        read = self.lines.recipes[node.index].reads[position]
        start = self.lines.start(node, position)
        first, last = start + made.first * read.stride, start + (made.end - 1) * read.stride + read.count
        return Span(first, last).within(Span(0, self.lines.lines[node.inputs[position]].rows))

    def _read(self, node: Node, computed: Sequence[Span]) -> None:
        for position in self.lines.recipes[node.index].reads:
            spans = [self._needs(node, position, made) for made in computed]
            self.read.setdefault(node.inputs[position], []).extend(spans)

    def _rows(self, node: Node, read: tuple[Span, ...]) -> Rows:
        """Computes the ends and keeps what lies between, where that saves rows."""
        line = self.lines.lines[node.outputs[0]]
        whole = Rows((hull(read),), read, None)
        common = math.gcd(line.stride, self.hop)
        fresh = self.hop // common
        inner = Span(line.first, line.end - fresh)
        if not self.wanted(node) or inner.rows < 1:
            return whole
        top = hull([span.within(Span(0, inner.first)) for span in read])
        held = hull([span.within(inner) for span in read])
        bottom = [span.within(Span(inner.end, line.rows)) for span in read]
        kept = None
        if held.rows:
            kept = Kept(Span(held.first, inner.end), fresh, line.stride // common)
            bottom.append(Span(inner.end, line.end))
        computed = merged([top, hull(bottom)])
        if sum(span.rows for span in computed) >= hull(read).rows:
            return whole
        return Rows(computed, read, kept)
