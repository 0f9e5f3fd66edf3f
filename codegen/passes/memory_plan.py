# SPDX-License-Identifier: Apache-2.0
"""Where every tensor lies in one block of memory, the arena, decided before the program runs.

A tensor lives from the call that makes it to the last that reads it; two that never live together may share
bytes. An operator that allows it writes over its input. The input and output of the model are the caller's
memory.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from codegen.kernels.layer import Layer, Program

ALIGNMENT = 4  # bytes, of every offset
TRIES = 200  # orders tried beyond the simple ones, where those miss the bound


@dataclass(frozen=True)
class Block:
    """Bytes in use from call `first` to call `last`, both included. tensors: empty for scratch."""

    tensors: tuple[int, ...]
    size: int
    first: int
    last: int
    offset: int = 0

    def meets(self, other: Block) -> bool:
        """They live at the same time."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True)
class Plan:
    """blocks: of tensors and scratch; arena: bytes needed; bound: bytes alive at the fullest call."""

    program: Program
    blocks: tuple[Block, ...]
    scratch: tuple[int | None, ...]  # offset of each layer's scratch
    arena: int
    bound: int

    @property
    def state(self) -> int:
        """Bytes of variables, which last from one run to the next."""
        return sum(_aligned(self.program.tensors[tensor].nbytes) for tensor in self.program.states)

    def offset(self, tensor: int) -> int | None:
        """Of the tensor in the arena; None where it is not there (input, output, constants, variables)."""
        return next((block.offset for block in self.blocks if tensor in block.tensors), None)


def plan(program: Program) -> Plan:
    """Offsets for every tensor and scratch of `program`."""
    tensors = _tensor_blocks(program)
    scratch = [
        Block((), _aligned(layer.scratch), index, index) if layer.scratch else None
        for index, layer in enumerate(program.layers)
    ]
    blocks = _best(tensors + [block for block in scratch if block is not None])
    waiting = {block.first: block.offset for block in blocks if not block.tensors}
    return Plan(
        program=program,
        blocks=tuple(blocks),
        scratch=tuple(waiting.get(index) for index in range(len(program.layers))),
        arena=_extent(blocks),
        bound=_bound(blocks),
    )


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT


def _extent(blocks: Sequence[Block]) -> int:
    return max((block.offset + block.size for block in blocks), default=0)


def _bound(blocks: Sequence[Block]) -> int:
    """The most bytes alive at one call: no arena can be smaller."""
    calls = range(max((block.last for block in blocks), default=-1) + 1)
    return max((sum(b.size for b in blocks if b.first <= call <= b.last) for call in calls), default=0)


def _tensor_blocks(program: Program) -> list[Block]:
    """A block a tensor, with those made in place joined to their input's."""
    last: dict[int, int] = {}
    for index, layer in enumerate(program.layers):
        last.update(dict.fromkeys((*layer.inputs, layer.output), index))
    outside = {*program.ends, *program.states, *program.outside}
    blocks: dict[int, Block] = {}
    for index, layer in enumerate(program.layers):
        made = layer.output
        if made in outside or made in blocks:  # several calls may fill one tensor
            continue
        size = _aligned(program.tensors[made].nbytes)
        block = Block((made,), size, index, last[made])
        host = _host(layer, index, size, blocks, last)
        if host is not None:
            block = Block((*host.tensors, made), host.size, host.first, block.last)
            for tensor in host.tensors:
                blocks[tensor] = block
        blocks[made] = block
    return list(dict.fromkeys(blocks.values()))


def _host(
    layer: Layer, index: int, size: int, blocks: dict[int, Block], last: dict[int, int]
) -> Block | None:
    """The block of an input that the output may take: this call reads it last, and it is large enough."""
    for tensor in layer.in_place:
        block = blocks.get(tensor)
        if block is not None and block.last == last[tensor] == index and block.size >= size:
            return block
    return None


def _place(blocks: Sequence[Block]) -> list[Block]:
    """Best fit, in the order given: each block into the tightest gap among those that live with it."""
    placed: list[Block] = []
    for block in blocks:
        taken = sorted((b.offset, b.offset + b.size) for b in placed if b.meets(block))
        best: tuple[int, int] | None = None  # (gap, offset)
        end = 0
        for start, stop in taken:
            gap = start - end
            if gap >= block.size and (best is None or gap < best[0]):
                best = (gap, end)
            end = max(end, stop)
        offset = end if best is None else best[1]
        placed.append(Block(block.tensors, block.size, block.first, block.last, offset))
    return placed


def _best(blocks: list[Block]) -> list[Block]:
    """The smallest arena of several orders; stops at the bound. The same for the same blocks."""
    bound = _bound(blocks)
    by_size = sorted(blocks, key=lambda b: (-b.size, b.first))
    orders = [
        by_size,
        sorted(blocks, key=lambda b: (-b.size * (b.last - b.first + 1), b.first)),
        sorted(blocks, key=lambda b: (b.first, -b.size)),
        sorted(blocks, key=lambda b: (b.first - b.last, -b.size)),
    ]
    best = min((_place(order) for order in orders), key=_extent)
    generator = random.Random(0)
    order = list(by_size)
    for _ in range(TRIES):
        if _extent(best) == bound:
            break
        candidate = list(order)
        a, b = generator.randrange(len(order)), generator.randrange(len(order))
        candidate[a], candidate[b] = candidate[b], candidate[a]
        placed = _place(candidate)
        if _extent(placed) <= _extent(best):
            best, order = placed, candidate
    return sorted(best, key=lambda b: (b.first, b.offset))
