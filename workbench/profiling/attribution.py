# SPDX-License-Identifier: Apache-2.0
"""Which layer, stage or step an instruction of a counting image belongs to, by its debug information.

The image is compiled with the flags that ship, so a kernel may be a function of its own (kernels = "small")
or folded into its caller ("fast"). Either way the debug information leads from an instruction to the line of
the generated model that called for it. An instruction of a function that several layers share leads to no
such line: it belongs to the line that was left last.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from workbench.profiling.trace import Blocks, Trace

OTHER = "other"  # of the model, but of no layer: what lies between the calls
CALLER = "classifier"  # firmware/pipeline around the model

# Functions and the file and line they were at, from the innermost inlined one to the one called.
InlineStack = Sequence[tuple[str, str, int]]
Site = Callable[[InlineStack], str | None]  # None: it belongs to whoever came before


def inline_stacks(image: Path, addresses: Iterable[int]) -> dict[int, InlineStack]:
    """What the debug information tells of each address."""
    asked = sorted(set(addresses))
    done = subprocess.run(
        ["arm-none-eabi-addr2line", "-a", "-i", "-f", "-e", str(image)],
        input="".join(f"{address:#x}\n" for address in asked),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[int, InlineStack] = {}
    lines: list[str] = []
    for line in [*reversed(done.stdout.splitlines())]:
        if line.startswith("0x"):
            reported = list(reversed(lines))
            found[int(line, 16)] = [
                (function, *_place(place))
                for function, place in zip(reported[::2], reported[1::2], strict=True)
            ]
            lines = []
        else:
            lines.append(line)
    return found


def _place(text: str) -> tuple[str, int]:
    """FILE:LINE, both unknown where addr2line says ?."""
    file, _, line = text.split(" (discriminator", maxsplit=1)[0].rpartition(":")
    return file, int(line) if line.isdigit() else 0


def model_site(source: Path, name: str, layers: Sequence[str]) -> Site:
    """Layers of the generated model `source` of the app `name`."""
    lines = _layers_of_lines(source.read_text(), name, layers)

    def site(stack: InlineStack) -> str | None:
        for _, file, line in stack:
            if file.endswith(f"/{source.name}"):
                return lines.get(line, OTHER)
        if any("/firmware/pipeline/" in file or "/firmware/counting/" in file for _, file, _ in stack):
            return CALLER
        return None

    return site


def _layers_of_lines(text: str, name: str, layers: Sequence[str]) -> dict[int, str]:
    """Line -> the layer whose struct, input or table a statement there names first."""
    names = "|".join(sorted(map(re.escape, layers), key=len, reverse=True))
    layer = re.compile(rf"\b{re.escape(name)}_({names})(?![a-z0-9])")
    found: dict[int, str] = {}
    statement: list[int] = []
    words = ""
    for number, line in enumerate(text.splitlines(), 1):
        statement.append(number)
        words += line
        if line.rstrip().endswith((";", "{", "}", "*/")):
            named = layer.search(words) if words.rstrip().endswith(");") else None
            if named:
                found.update(dict.fromkeys(statement, named[1]))
            statement, words = [], ""
    return found


def function_site(functions: Sequence[str], around: str) -> Site:
    """The functions of this list, inlined or not; what they call that is not of it is theirs.

    around: the function that calls them, whose own instructions are OTHER
    """

    def site(stack: InlineStack) -> str | None:
        for function, _, _ in reversed(stack):
            if function in functions:
                return function
        return OTHER if stack and stack[-1][0] == around else None

    return site


def attribute(
    trace: Trace,
    section: Blocks,
    site: Site,
    reported: Mapping[int, InlineStack],
    first: str = OTHER,
    *,
    worth: Callable[[int], int] | None = None,
) -> dict[str, int]:
    """Instructions of a section by site; `first`: where those before the first known site belong. worth: of
    the instruction at an address, whose sums are wanted in place of their number."""
    names = [first]
    index = {first: 0}
    leading = np.zeros(len(trace.blocks), np.int64)  # instructions before a block's first known site
    last = np.full(len(trace.blocks), -1, np.int64)  # the site a block ends in
    own: dict[int, dict[int, int]] = {}
    for number in np.unique(section).tolist():
        current = -1
        for address in trace.blocks[number]:
            found = site(reported[address])
            if found is not None:
                current = index.setdefault(found, len(index))
                if current == len(names):
                    names.append(found)
            one = 1 if worth is None else worth(address)
            if current < 0:
                leading[number] += one
            else:
                counts = own.setdefault(number, {})
                counts[current] = counts.get(current, 0) + one
        last[number] = current
    total = np.zeros(len(names), np.int64)
    for number, times in zip(*np.unique(section, return_counts=True), strict=True):
        for where, count in own.get(int(number), {}).items():
            total[where] += count * int(times)
    ends = last[section]
    known = np.maximum.accumulate(np.where(ends >= 0, np.arange(len(ends)), -1))
    before = np.where(known < 0, 0, ends[np.maximum(known, 0)])
    before = np.concatenate([[0], before[:-1]])  # a block's leading instructions belong to the one before it
    np.add.at(total, before, leading[section])
    total[0] -= trace.overhead if worth is None else 0
    return {name: int(total[at]) for name, at in index.items()}
