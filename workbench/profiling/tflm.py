# SPDX-License-Identifier: Apache-2.0
"""What a profile shows of the engine tflm: instructions by operator, and where its flash and RAM go.

TFLM's library has no debug information, so an instruction is known by the object it lies in: that of an
operator's kernel begins the operator, CMSIS-NN and the C library go on with it, the interpreter ends it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.app.spec import Spec
from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.compile import Compiled
from codegen.model.reader import read_graphs
from codegen.passes.legalise import load_graph
from codegen.passes.lower import lower
from toolbox.sizes import sizes
from toolbox.tflm import parts
from toolbox.tflm.found import LIBRARY
from workbench.profiling import memory
from workbench.profiling.attribution import CALLER, OTHER, InlineStack, Site
from workbench.profiling.layers import ModelLayer

# Operators whose kernel's source is not named like them.
_SOURCES: Mapping[str, str] = {
    "AVERAGE_POOL_2D": "pooling",
    "MAX_POOL_2D": "pooling",
    "MEAN": "reduce",
    "SUM": "reduce",
    "REDUCE_MAX": "reduce",
    "RELU": "activations",
    "RELU6": "activations",
    "MAXIMUM": "maximum_minimum",
    "MINIMUM": "maximum_minimum",
}


def kernel_of(op: str, members: Collection[str]) -> str | None:
    """The library's object that computes an operator: "conv" of CONV_2D. None: not known."""
    if op in _SOURCES:
        return _SOURCES[op]
    named = [name for name in members if op.lower() == name or op.lower().startswith(f"{name}_")]
    return max(named, key=len, default=None)


def operator_layers(compiled: Compiled) -> tuple[ModelLayer, ...]:
    """A row an operator of the file, those for all layers of that operator together."""
    macs: Counter[str] = Counter()
    with suppress(UserError):  # a model that aot does not compute: its multiply-accumulates are not known
        for layer in lower(load_graph(compiled.spec.classifier.model)).layers:
            macs[layer.node.op] += layer.macs
    counts = Counter(node.op for node in read_graphs(compiled.spec.classifier.model)[0].nodes)
    return tuple(
        ModelLayer(f"{op.lower()} x {count}", op, macs[op], macs[op], False, "", 0)
        for op, count in counts.items()
    )


def object_stacks(link_map: str, addresses: Iterable[int]) -> dict[int, InlineStack]:
    """Each address's object, in the place of debug information."""
    pieces = sorted((piece.address, piece.size, piece.file) for piece in parts.pieces(link_map))
    starts = [start for start, _, _ in pieces]
    found: dict[int, InlineStack] = {}
    for address in addresses:
        at = bisect_right(starts, address) - 1
        inside = at >= 0 and address < pieces[at][0] + pieces[at][1]
        found[address] = [("", pieces[at][2] if inside else "", 0)]
    return found


def kernel_site(layers: Iterable[ModelLayer], link_map: str) -> Site:
    """Which of operator_layers() an object begins."""
    members = {name for piece in parts.pieces(link_map) if (name := parts.member(piece.file, LIBRARY))}
    kernels = {kernel_of(layer.op, members): layer.name for layer in layers}

    def site(stack: InlineStack) -> str | None:
        file = stack[0][1]
        name = parts.member(file, LIBRARY)
        if name is not None:
            return kernels.get(name) or (OTHER if name.startswith("micro_") else None)
        if "/objects/tflm/" in file:
            return OTHER
        return CALLER if any(room in file for room in ("/objects/pipeline/", "/objects/counting/")) else None

    return site


def flash(image: Path, link_map: Path, spec: Spec, board: Board) -> memory.Flash:
    """Of the shipped image."""
    found = sizes(image, board)
    text = link_map.read_text()
    model = next(part for part in parts.parts(text, LIBRARY, (), spec.name) if part.name == parts.MODEL)
    return memory.Flash(found.code, found.constants, memory.rooms(text, found.code), model.flash)


def ram(image: Path, spec: Spec, board: Board, stack: int) -> memory.Ram:
    """Of the shipped image; stack: measured."""
    with image.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab")
        size = {symbol.name: int(symbol["st_size"]) for symbol in symbols.iter_symbols()}
    arena = sum(size.get(f"{spec.name}_{end}", 0) for end in ("arena", "tensors"))
    state = sum(size.get(f"{spec.name}_{end}", 0) for end in ("state", "resolver_memory"))
    return memory.Ram(arena, state, stack, sizes(image, board).ram)
