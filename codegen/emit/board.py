# SPDX-License-Identifier: Apache-2.0
"""What a board adds to an image: board.h and, for a chip, its vector table and linker script."""

from __future__ import annotations

from codegen.board.description import Board
from codegen.common.render import c_hex, c_string, render

# Exceptions 1..15 of Armv7-M and Armv8-M (Arm DDI 0403E, B1.5.2; DDI 0553, B3.30); None is reserved.
_EXCEPTIONS: tuple[tuple[str, str | None], ...] = (
    ("Reset", "reset_handler"),
    ("NMI", "fault_handler"),
    ("HardFault", "fault_handler"),
    ("MemManage", "fault_handler"),
    ("BusFault", "fault_handler"),
    ("UsageFault", "fault_handler"),
    ("SecureFault, Armv8-M", "fault_handler"),
    ("reserved", None),
    ("reserved", None),
    ("reserved", None),
    ("SVCall", "default_handler"),
    ("DebugMonitor", "default_handler"),
    ("reserved", None),
    ("PendSV", "default_handler"),
    ("SysTick", "systick_handler"),
)

NOINIT = 512  # bytes at the top of the ram that outlast a reset

# An image has no heap: each of these makes the link fail.
_HEAP = ("malloc", "calloc", "realloc", "free", "_malloc_r", "_sbrk")


def board_sources(board: Board) -> dict[str, str]:
    """File name -> text: board.h; for a chip also vectors.c and linker.ld."""
    sources = {"board.h": render("board.h.in", board=board, macros=_macros(board), irq=_irq_names(board))}
    if not board.hosted:
        sources["vectors.c"] = render("vectors.c.in", **_vectors(board))
        sources["linker.ld"] = render(
            "linker.ld.in", board=board, heap=_HEAP, alignment=_vector_alignment(board), noinit=NOINIT
        )
    return sources


def _vector_alignment(board: Board) -> int:
    """Bytes: the table's size to the next power of two, at least 128 (Arm DDI 0403E, B3.2.5)."""
    return 1 << max(7, (4 * (16 + board.interrupts) - 1).bit_length())


def renode_script(board: Board) -> str:
    """The .resc that makes the board's machine in Renode and loads the image beside it; it has a renode."""
    return render("renode.resc.in", board=board)


def _macros(board: Board) -> list[tuple[str, list[tuple[str, str]]]]:
    """Groups of macros: a comment or "", then names and values, the names padded to the group's widest."""
    identity = [("NAME", c_string(board.name))]
    if not board.hosted:
        identity.append(("CLOCK_HZ", f"UINT32_C({board.clock_hz})"))
    constants = [(name.upper(), _constant(value)) for name, value in board.constants]
    memories = []
    for memory in board.more_ram:
        memories.append((f"{memory.name.upper()}_BASE", _constant(memory.start)))
        memories.append((f"{memory.name.upper()}_SIZE", _constant(memory.size)))
    comment = "Memories beside the one of data and stack; nothing initialises them."
    pins = []
    for name, pin in board.pins:
        pins.append((f"{name.upper()}_PORT", str(pin.port)))
        pins.append((f"{name.upper()}_PIN", str(pin.number)))
    microphone = [(f"MICROPHONE_{name.upper()}", f"UINT32_C({value})") for name, value in board.microphone]
    groups = [
        ("", identity),
        ("", constants),
        ("Pins, the first of a port is 0.", pins),
        ("", microphone),
        (comment, memories),
    ]
    return [(comment, _padded(group)) for comment, group in groups if group]


def _constant(value: int) -> str:
    """An address or a size in hexadecimal, a small number as people write it."""
    return f"UINT32_C({c_hex(value) if value > 0xFFFFFF else value})"


def _padded(group: list[tuple[str, str]]) -> list[tuple[str, str]]:
    width = max(len(name) for name, _ in group)
    return [(f"BOARD_{name:<{width}}", value) for name, value in group]


def _irq_names(board: Board) -> list[tuple[str, int]]:
    """uart_rx_handler -> BOARD_UART_RX_IRQ, with its number."""
    return [
        (f"BOARD_{handler.removesuffix('_handler').upper()}_IRQ", number) for number, handler in board.irq
    ]


def _vectors(board: Board) -> dict[str, object]:
    """The table's entries with their comments, and every handler they name once."""
    used = dict(board.irq)
    entries = [("{.stack = _stack_top},", "-16: stack pointer")]
    for number, (name, handler) in enumerate(_EXCEPTIONS, start=-15):
        entries.append((f"{{.handler = {handler or 0}}},", f"{number:3}: {name}"))
    for number in range(board.interrupts):
        entries.append((f"{{.handler = {used.get(number, 'default_handler')}}},", f"{number:3}"))
    handlers = [handler for _, handler in _EXCEPTIONS if handler] + ["default_handler", *used.values()]
    return {
        "board": board,
        "handlers": list(dict.fromkeys(handlers)),
        "entries": entries,
        "width": max(len(entry) for entry, _ in entries),
    }
