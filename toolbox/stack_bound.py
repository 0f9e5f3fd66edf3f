# SPDX-License-Identifier: Apache-2.0
"""How much stack an image can take at most, by its instructions: every call that it can make is followed.

Nothing is measured, so no input can be worse: each function's pushes and pops are added up along its
branches, calls by name are read from the disassembly, and calls through a pointer are in INDIRECT, the one
list. A function that calls itself, by whatever way, has no bound and is refused.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from elftools.elf.elffile import ELFFile

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT

OBJDUMP = "arm-none-eabi-objdump"
START = "reset_start"  # begins with an empty stack
FRAME = 8 * 4 + 4  # an exception's frame without floating point, and the word that aligns it
# Bytes at the bottom that fault at any touch: STACK_GUARD of cortex_m.h.
_GUARD = {"cortex-m33": 0, "cortex-m55": 0}
_GUARD_OF_OTHERS = 256

# Names of functions, without what the compiler adds to those of its copies. A model's are not those of the
# runtime, whose files' names begin theirs: a constant of the model may have the value of such an address.
_RUNTIME = "|".join(
    sorted(
        {
            file.stem
            for room in ("pipeline", "device", "mlperf", "port")
            for file in (ROOT / "firmware" / room).rglob("*.c")
        }
    )
)
_MODEL = rf"(?!(?:{_RUNTIME})_)\w+_(start|reset|run|advance|finish)|start|reset|run|advance|finish"
_SETTERS = r"gate_set_\w+|decision_set_\w+"


@dataclass(frozen=True)
class Indirect:
    """Functions that call through a pointer, and all that it can point to. Both: patterns of whole names.

    constant: the pointer is in a constant, so what it leads to has its address among the image's data.
    """

    callers: str
    callees: str
    reason: str
    constant: bool = True


INDIRECT = (
    Indirect(r"classifier_\w+|pipeline_start|tensor_input", _MODEL, "model_t: the app has one model"),
    Indirect(r"repeat|infer_\w+", _MODEL, "model_t: the app has one model"),
    Indirect(r"main", f"{_MODEL}|{_SETTERS}", "model_t, and what the compiler puts into main() of `set`"),
    Indirect(r"settings_set", _SETTERS, "its table of keys"),
    Indirect(r"window_push|pipeline_\w+|listen_push", r"window_gap\w*", "window_t.skip"),
    Indirect(
        r"window_push|window_gap|pipeline_\w+|listen_push",
        r"dc_block\w*|window_\w*intake\w*",
        "window_t.intake",
    ),
    Indirect(r"pipeline_\w+|decision_step|main", r"decision_(mean|anomaly)", "decision_t.smooth"),
    Indirect(r"pipeline_\w+|main", r"held_back", "pipeline_t.held_back"),
    Indirect(r"pipeline_\w+", r"\w+_front_end_(reset|frame|scale)", "front_end_t: the app has one"),
    Indirect(r"pipeline_\w+", "cycles_lap", "pipeline_t.measure: NULL until somebody asks for cycles", False),
    Indirect(
        r"stream_block_\w+|conv_block_\w+", r"\w+_loop_\d+", "conv_block_dsp.h: the unrolled taps", False
    ),
)

# Calls that are not followed: they never come back, and take the stack from its top where it is short.
ENDS = {"fault_handler": "pushes onto a fresh stack where the old one has less than a kilobyte left"}
# Calls that would close a circle, and why they do not.
OPENED = {
    ("uart_send_polled", "uart_start"): "a line that fails at its start has been started: it is once, at the "
    "start of the run, where the stack is all but empty",
}


@dataclass(frozen=True)
class Bound:
    """Bytes at most: by the deepest chain of calls from reset on, and by the deepest interrupt's."""

    main: int
    chain: tuple[str, ...]
    interrupt: int  # its frame included
    handlers: tuple[str, ...]  # its chain of calls

    @property
    def total(self) -> int:
        """Both: handlers have one priority, so they do not interrupt each other."""
        return self.main + self.interrupt


@dataclass(frozen=True)
class _Instruction:
    address: int
    name: str
    operands: str


@dataclass
class _Function:
    name: str
    code: list[_Instruction] = field(default_factory=list)


@dataclass(frozen=True)
class _Frame:
    """own: bytes at most; calls: function's name and bytes on the stack there."""

    own: int
    calls: tuple[tuple[str, int], ...]
    indirect: tuple[int, ...]  # bytes on the stack at each call through a pointer


def stack_bound(elf: Path) -> Bound:
    """Of an image by the engine aot. UserError where it has none: recursion, an unknown pointer or frame."""
    calls = _Calls(elf)
    main, chain = calls.deepest(START)
    interrupt = 0
    handlers: tuple[str, ...] = ()
    for handler in calls.handlers():
        depth, names = calls.deepest(handler)
        if depth + FRAME > interrupt:
            interrupt, handlers = depth + FRAME, names
    return Bound(main, chain, interrupt, handlers)


def check_stack(elf: Path, board: Board) -> Bound:
    """The bound; UserError where the board's stack is smaller, its guard not counted."""
    bound = stack_bound(elf)
    guard = _GUARD.get(str(board.core), _GUARD_OF_OTHERS)
    if bound.total > board.stack - guard:
        guarded = f", {guard} of them its guard" if guard else ""
        chain = " > ".join(bound.chain)
        raise UserError(
            f"the stack of {board.name} has {board.stack:,} bytes{guarded}, and the image can take "
            f"{bound.total:,}: {bound.main:,} by {chain}, {bound.interrupt:,} by an interrupt",
            file=board.file,
            remedy=f"Write stack = {-(-(bound.total + guard) // 256) * 256} or more.",
        )
    return bound


def unclaimed(elf: Path) -> frozenset[str]:
    """Functions whose address is a word of the image's data or code, and which no row of INDIRECT names: a
    pointer that nobody has told of, or a number that happens to be an address of this image."""
    calls = _Calls(elf)
    pooled = _run_objdump(elf)
    words = (int(word, 16) for word in re.findall(r"\.word\t0x([0-9a-f]{8})", pooled))
    named = calls.pointed | {name for word in words if (name := calls.starting_at(word - 1)) is not None}
    return frozenset(
        name for name in named if not any(re.fullmatch(each.callees, _plain(name)) for each in INDIRECT)
    )


def _run_objdump(elf: Path) -> str:
    words = [OBJDUMP, "-d", "--no-show-raw-insn", str(elf)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def _disassemble(elf: Path) -> dict[str, _Function]:
    functions: dict[str, _Function] = {}
    current = _Function("")
    for line in _run_objdump(elf).splitlines():
        if match := re.fullmatch(r"[0-9a-f]+ <(.+)>:", line):
            current = functions.setdefault(match[1], _Function(match[1]))
        elif match := re.match(r" *([0-9a-f]+):\t([a-z]\w*)(?:\.[nw])?\t?([^@;]*)", line):
            current.code.append(_Instruction(int(match[1], 16), match[2], match[3].strip()))
    return {name: function for name, function in functions.items() if function.code}


_LISTS = ("push", "pop", "vpush", "vpop")
_WRITES = ("add", "sub", "mov", "ldr", "bic", "and")  # with sp as what they write
# [sp, #-8]! and [sp], #8, then what add and sub say.
_MOVED = re.compile(r"[\w, ]+, \[sp, #(-?\d+)\]!|[\w, ]+, \[sp\], #(-?\d+)|sp, (?:sp, )?#(\d+)")
_REGISTER_LIST = re.compile(r"\{(.*?)\}")
_CONDITIONS = "eq|ne|cs|cc|mi|pl|vs|vc|hi|ls|ge|lt|gt|le|hs|lo"
_BRANCH = re.compile(rf"(b|bl|cbz|cbnz|b(?:{_CONDITIONS}))")
_LEAVES = ("b", "bx", "tbb", "tbh", "udf")
_TARGET = re.compile(r"(?:\w+, )?([0-9a-f]+) <([^+>]+)(?:\+0x[0-9a-f]+)?>")


def _pushed(instruction: _Instruction) -> int | None:
    """Bytes that it puts onto the stack, negative: takes off. None: the stack pointer becomes unknown."""
    name, operands = instruction.name, instruction.operands
    listed = _REGISTER_LIST.search(operands)
    if listed is not None and (name.startswith(_LISTS) or operands.startswith("sp!")):
        size = _listed_bytes(listed[1])
        return -size if name.startswith(("pop", "vpop", "ldm", "vldm")) else size
    moved = _MOVED.fullmatch(operands)
    if moved is not None:
        amount = int(next(group for group in moved.groups() if group is not None))
        return amount if name.startswith("sub") else -amount
    unknown = operands.startswith("sp,") and name.startswith(_WRITES)
    return None if unknown else 0


def _listed_bytes(registers: str) -> int:
    """Of "r4, r5, lr" or "d8-d15"."""
    count = 0
    for each in registers.split(", "):
        first, _, last = each.partition("-")
        count += int(last[1:]) - int(first[1:]) + 1 if last else 1
    return count * (8 if registers.startswith("d") else 4)


def _frame(elf: Path, function: _Function) -> _Frame:
    """Follows every branch of a function."""
    places = {instruction.address: index for index, instruction in enumerate(function.code)}
    depths: dict[int, int] = {}
    calls: list[tuple[str, int]] = []
    indirect: list[int] = []
    waiting = [(0, 0)]
    deepest = jump = 0
    while waiting or len(depths) < len(function.code):
        if not waiting:  # after a jump by a table or through a pointer
            waiting.append((next(i for i in range(len(function.code)) if i not in depths), jump))
        index, depth = waiting.pop()
        while index < len(function.code) and depths.get(index, -1) < depth:
            depths[index] = depth
            instruction = function.code[index]
            change = _pushed(instruction)
            if change is None or depth > 1 << 20:
                raise UserError(
                    f"the stack of {function.name}() has no fixed size, at {instruction.address:#x}: "
                    f"{instruction.name} {instruction.operands}",
                    file=elf,
                    remedy="No alloca and no array of a variable size in an image.",
                )
            after = depth + change
            deepest = max(deepest, after)
            name, operands = instruction.name, instruction.operands
            target = _TARGET.match(operands) if _BRANCH.fullmatch(name) else None
            if target is not None:
                at = places.get(int(target[1], 16))
                if at is None or name == "bl":
                    calls.append((target[2], depth))
                else:
                    waiting.append((at, depth))
            elif name in ("blx", "bx") and operands != "lr":
                indirect.append(depth)
                jump = depth
            if name in ("tbb", "tbh"):
                jump = depth
            ends = name in ("b", "bx", "tbb", "tbh", "udf") or (
                name in ("pop", "ldmia", "ldr") and _to_pc(operands)
            )
            if ends:
                break
            index, depth = index + 1, after
    return _Frame(deepest, tuple(calls), tuple(indirect))


def _to_pc(operands: str) -> bool:
    listed = _REGISTER_LIST.search(operands)
    return "pc" in listed[1] if listed else operands.startswith("pc,")


class _Calls:
    """Who calls whom in an image."""

    def __init__(self, elf: Path) -> None:
        self.elf = elf
        self.functions = _disassemble(elf)
        self._starts = {function.code[0].address: name for name, function in self.functions.items()}
        self.pointed = {name for section in (".rodata", ".data") for name in self._named_in(section)}
        self._known: dict[str, tuple[int, tuple[str, ...]]] = {}

    def starting_at(self, address: int) -> str | None:
        """The function whose first instruction lies there."""
        return self._starts.get(address)

    def _named_in(self, section: str) -> list[str]:
        """Functions whose addresses are among the words of a section, in its order, each once."""
        with self.elf.open("rb") as file:
            found = ELFFile(file).get_section_by_name(section)
            data = found.data() if found is not None else b""
        words = (int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) & ~3, 4))
        names = (self._starts.get(word - 1) for word in words)
        return list(dict.fromkeys(name for name in names if name is not None))

    def deepest(self, name: str, above: tuple[str, ...] = ()) -> tuple[int, tuple[str, ...]]:
        """Bytes below the caller's stack, and the functions down to where it is deepest."""
        if name in above:
            circle = " > ".join([*above[above.index(name) :], name])
            what, remedy = f"the stack has no bound: {circle}", "Nothing in an image calls itself."
            raise UserError(what, file=self.elf, remedy=remedy)
        if name in self._known:
            return self._known[name]
        frame = _frame(self.elf, self.functions[name])
        calls = list(frame.calls)
        if frame.indirect:
            calls += [(callee, depth) for callee in self._callees(name) for depth in frame.indirect]
        best = frame.own
        chain: tuple[str, ...] = (name,)
        for callee, depth in calls:
            if callee in ENDS or (_plain(name), _plain(callee)) in OPENED:
                continue
            below, names = self.deepest(callee, (*above, name))
            if depth + below > best:
                best, chain = depth + below, (name, *names)
        self._known[name] = best, chain
        return best, chain

    def _callees(self, caller: str) -> list[str]:
        """Whatever a call through a pointer in this function may reach."""
        found = [each for each in INDIRECT if re.fullmatch(each.callers, _plain(caller))]
        if not found:
            raise UserError(
                f"{caller}() calls through a pointer, and nobody has said where that may lead",
                file=self.elf,
                remedy="Add it to INDIRECT in toolbox/stack_bound.py, with the reason.",
            )
        return [
            name
            for name in self.functions
            for each in found
            if re.fullmatch(each.callees, _plain(name)) and (name in self.pointed or not each.constant)
        ]

    def handlers(self) -> list[str]:
        """What the vector table names after the first function."""
        return [name for name in self._named_in(".vectors")[1:] if name not in ENDS]


def _plain(name: str) -> str:
    """Without .constprop.0, .part.0 and the like."""
    return name.partition(".")[0]
