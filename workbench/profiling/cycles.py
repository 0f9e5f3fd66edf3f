# SPDX-License-Identifier: Apache-2.0
"""An estimate of cycles: the Cortex-M4's documented timings over the instructions that were executed.

A model, not a measurement. Timings: Arm Cortex-M4 Technical Reference Manual, r0p1 (100166), table 3-1. It
leaves out bus contention and the load-use details of the manual's section 3.3.3.

- a load takes 2 cycles, right after another load or store 1 (they are pipelined); a store takes 1
- LDM, STM, PUSH, POP, LDRD, STRD: 1 and 1 a register; MLA, MLS: 2; SDIV, UDIV: 12, the most they take
- a taken branch refills the pipeline: REFILL cycles more; the manual says 1 to 3
- everything else takes 1

Wait states come on top, by board (board.toml: flash_wait_states, flash_cache). Constants lie in the flash,
all else that is loaded in RAM without wait states. Which of the two a load reads is taken from the code:

- a load through sp reads the stack
- in the dot products written in assembly r0 points to the weights, in the flash, and no other register does
- those of a layer that ram_weights puts into RAM do not wait
- any other load is counted as one of the flash, so that the estimate is above what a board takes
- code: with a cache none, what misses it left out; without one a wait for each instruction, the most there is
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.board.description import Board
from workbench.profiling.trace import Blocks, Trace

REFILL = 2
MODEL = "Cortex-M4 TRM table 3-1, 2 cycles to refill the pipeline, no wait states"

# Assembly of firmware/nn, where r0 points to the weights: see the headers of the same names.
_DOT_PRODUCT = re.compile(r"(stream_loop_\d+|conv_block_loop|dense_block(_int16)?)\b")

_SEVERAL = re.compile(r"(ldm|stm|push|pop|vldm|vstm)")
_SINGLE = re.compile(r"(ldr|str)(?!d|ex)")
_COSTS = (
    (re.compile(r"(mla|mls)"), 2),
    (re.compile(r"[su]div"), 12),
    (re.compile(r"(ldrd|strd)"), 3),
    (re.compile(r"tb[bh]"), 2),
)


@dataclass(frozen=True)
class Instruction:
    """One of an image's; constants: words that it may read from the flash; weights: of them those of a dot
    product, which a layer in RAM reads there."""

    mnemonic: str
    operands: str
    constants: int
    weights: int


@dataclass(frozen=True)
class Cost:
    """Of a piece of the run: instructions, cycles without wait states, words read from the flash as data."""

    instructions: int
    cycles: int
    constants: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.instructions + other.instructions,
            self.cycles + other.cycles,
            self.constants + other.constants,
        )

    def once_in(self, count: int) -> Cost:
        """Its share of one of so many windows, rounded."""
        return Cost(*(round(part / count) for part in (self.instructions, self.cycles, self.constants)))

    def on(self, board: Board) -> int:
        """Cycles with the board's wait states."""
        code = self.instructions if board.flash_cache == "none" else 0
        data = 0 if board.flash_cache == "all" else self.constants
        return self.cycles + board.flash_wait_states * (code + data)


Listing = Mapping[int, Instruction]


def disassembly(image: Path) -> Listing:
    """Address -> every instruction of an image."""
    words = ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", str(image)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = {}
    function = ""
    for line in done.stdout.splitlines():
        if named := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
            function = named[1]
        elif match := re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*([^@;]*)", line):
            mnemonic, operands = match[2], match[3].strip()
            constants = constants_of(function, mnemonic, operands)
            weights = constants if _DOT_PRODUCT.match(function) else 0
            found[int(match[1], 16)] = Instruction(mnemonic, operands, constants, weights)
    return found


def constants_of(function: str, mnemonic: str, operands: str) -> int:
    """Words that an instruction may read from the flash as data."""
    if not mnemonic.startswith(("ldr", "ldm")) or "ex" in mnemonic:
        return 0
    base = re.search(r"\[(\w+)", operands) if mnemonic.startswith("ldr") else re.match(r"(\w+)", operands)
    register = base[1] if base else ""
    if register == "sp" or (_DOT_PRODUCT.match(function) and register != "r0"):
        return 0
    if mnemonic.startswith("ldm"):
        return _registers(operands)
    return 2 if mnemonic.startswith("ldrd") else 1


def cost(trace: Trace, section: Blocks, listing: Listing) -> Cost:
    """Of a section, without what reading the counter takes of its instructions; a few of its cycles stay."""
    constants = np.array(
        [sum(listing[at].constants for at in block if at in listing) for block in trace.blocks], np.int64
    )
    return Cost(trace.instructions(section), cycles(trace, section, listing), int(constants[section].sum()))


def cycles(trace: Trace, section: Blocks, listing: Listing) -> int:
    """Estimated cycles of a section without wait states; reading the counter is left in, a few."""
    straight = np.array([_straight(block, listing) for block in trace.blocks], np.int64)
    starts = np.array([block[0] for block in trace.blocks], np.int64)
    ends = np.array([_end(block, listing) for block in trace.blocks], np.int64)
    taken = int(np.count_nonzero(starts[section[1:]] != ends[section[:-1]]))
    return int(straight[section].sum()) + REFILL * taken


def _straight(block: tuple[int, ...], listing: Listing) -> int:
    total, pipelined = 0, False
    for address in block:
        found = listing.get(address)
        mnemonic, operands = (found.mnemonic, found.operands) if found is not None else ("", "")
        single = _SINGLE.match(mnemonic) is not None
        if single:
            total += 1 if pipelined or mnemonic.startswith("str") else 2
        elif _SEVERAL.match(mnemonic):
            total += 1 + _registers(operands)
        else:
            total += next((cost for pattern, cost in _COSTS if pattern.match(mnemonic)), 1)
        pipelined = single
    return total


def _registers(operands: str) -> int:
    """Of a list like {r4, r5-r7, lr}."""
    inside = operands[operands.find("{") + 1 : operands.find("}")]
    count = 0
    for part in inside.split(","):
        low, _, high = part.strip().partition("-")
        count += int(high.lstrip("rs")) - int(low.lstrip("rs")) + 1 if high else 1
    return count


def _end(block: tuple[int, ...], listing: Listing) -> int:
    """The address after a block."""
    last = block[-1]
    following = (last + 2, last + 4)
    return following[0] if following[0] in listing else following[1]
