# SPDX-License-Identifier: Apache-2.0
"""board.toml against the pack of its chip. board.toml counts: packs are known to be wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from codegen.board.description import Board, Memory
from toolbox.packs.cache import Chip

# Releases known to be wrong, and how.
KNOWN_BAD: Mapping[tuple[str, str], str] = {
    ("SiliconLabs.GeckoPlatform_EFR32MG24_DFP", "2025.6.2"): (
        "this release is known to give every memory of every chip the size 0; pyOCD refuses it. "
        "2025.12.1 is said to be right: take that one"
    ),
}

# The pack's words for a core and its FPU -> GCC's.
_CORES = {
    "CortexM3": "cortex-m3",
    "CortexM4": "cortex-m4",
    "CortexM7": "cortex-m7",
    "CortexM33": "cortex-m33",
    "CortexM55": "cortex-m55",
}
_NO_FPU = "None"


@dataclass(frozen=True)
class Finding:
    """One thing compared. differs: pack and board.toml contradict each other."""

    what: str
    differs: bool


def compare(board: Board, chip: Chip) -> list[Finding]:
    """Memories and core of a board with its chip in the pack."""
    known = KNOWN_BAD.get((chip.release.name, chip.release.version))
    findings = [Finding(f"{chip.release}: {known}", differs=True)] if known else []
    findings += _empty_regions(chip)
    findings += [_memory(memory, chip) for memory in board.memories]
    return [*findings, *_core(board, chip)]


def _empty_regions(chip: Chip) -> list[Finding]:
    empty = sorted(name for name, memory in chip.memories.items() if memory["size"] == 0)
    if chip.memories and not empty:
        return []
    how = f"{', '.join(empty)} the size 0" if empty else "the chip no memory that can be read"
    what = (
        f"the pack gives {how}: its description is faulty, so pyOCD cannot use this "
        "release; board.toml stays as it is"
    )
    return [Finding(what, differs=True)]


def _memory(memory: Memory, chip: Chip) -> Finding:
    """A board may use less than the chip has, never more."""
    regions = _joined(
        (region["start"], region["start"] + region["size"])
        for region in chip.memories.values()
        if region["size"] and region["access"]["read"] and region["access"]["write"] == (memory.kind == "ram")
    )
    ours = _span(memory.start, memory.end)
    for start, end in regions:
        if start <= memory.start and memory.end <= end:
            same = (start, end) == (memory.start, memory.end)
            rest = "the same in the pack" if same else f"within the pack's {_span(start, end)}"
            return Finding(f"{memory.kind} {memory.name} {ours}: {rest}", differs=False)
    theirs = ", ".join(_span(start, end) for start, end in regions) or "none"
    what = f"{memory.kind} {memory.name} {ours}: not within the {memory.kind} of the pack: {theirs}"
    return Finding(what, differs=True)


def _joined(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that touch or overlap are one: packs cut a RAM into its banks."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _span(start: int, end: int) -> str:
    return f"0x{start:08X}..0x{end:08X}"


def _core(board: Board, chip: Chip) -> list[Finding]:
    """Any of the chip's processors may be the board's."""
    cores = [(_CORES.get(p["core"], p["core"]), p["fpu"] != _NO_FPU) for p in chip.processors]
    reported = ", ".join(f"{core} {'with' if fpu else 'without'} FPU" for core, fpu in cores) or "none"
    ours = f"core {board.core} {'with' if board.fpu else 'without'} FPU"
    if any(core == board.core and (fpu or not board.fpu) for core, fpu in cores):
        return [Finding(f"{ours}: in the pack {reported}", differs=False)]
    return [Finding(f"{ours}: the pack has {reported}", differs=True)]
