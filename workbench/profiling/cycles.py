"""An estimate of cycles: the Cortex-M4's documented timings over the instructions that were executed.

A model, not a measurement. Timings: Arm Cortex-M4 Technical Reference Manual, r0p1 (100166), table 3-1. It
leaves out wait states of the flash, bus contention and the load-use details of the manual's section 3.3.3.

- a load takes 2 cycles, right behind another load or store 1 (they are pipelined); a store takes 1
- LDM, STM, PUSH, POP, LDRD, STRD: 1 and 1 a register; MLA, MLS: 2; SDIV, UDIV: 12, the most they take
- a taken branch refills the pipeline: REFILL cycles more; the manual says 1 to 3
- everything else takes 1
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from workbench.profiling.trace import Blocks, Trace

REFILL = 2
MODEL = "Cortex-M4 TRM table 3-1, 2 cycles to refill the pipeline, no wait states"

_SEVERAL = re.compile(r"(ldm|stm|push|pop|vldm|vstm)")
_SINGLE = re.compile(r"(ldr|str)(?!d|ex)")
_COSTS = (
    (re.compile(r"(mla|mls)"), 2),
    (re.compile(r"[su]div"), 12),
    (re.compile(r"(ldrd|strd)"), 3),
    (re.compile(r"tb[bh]"), 2),
)


def disassembly(image: Path) -> dict[int, tuple[str, str]]:
    """Address -> mnemonic and operands of every instruction of an image."""
    words = ["arm-none-eabi-objdump", "-d", "--no-show-raw-insn", str(image)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    found = {}
    for line in done.stdout.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*([^@;]*)", line)
        if match:
            found[int(match[1], 16)] = (match[2], match[3].strip())
    return found


def cycles(trace: Trace, section: Blocks, listing: Mapping[int, tuple[str, str]]) -> int:
    """Estimated cycles of a section; reading the counter is left in, a few."""
    straight = np.array([_straight(block, listing) for block in trace.blocks], np.int64)
    starts = np.array([block[0] for block in trace.blocks], np.int64)
    ends = np.array([_end(block, listing) for block in trace.blocks], np.int64)
    taken = int(np.count_nonzero(starts[section[1:]] != ends[section[:-1]]))
    return int(straight[section].sum()) + REFILL * taken


def _straight(block: tuple[int, ...], listing: Mapping[int, tuple[str, str]]) -> int:
    total, pipelined = 0, False
    for address in block:
        mnemonic, operands = listing.get(address, ("", ""))
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


def _end(block: tuple[int, ...], listing: Mapping[int, tuple[str, str]]) -> int:
    """The address behind a block."""
    last = block[-1]
    following = (last + 2, last + 4)
    return following[0] if following[0] in listing else following[1]
