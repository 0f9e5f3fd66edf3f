"""How large TFLM's arena has to be: found by running the model in an emulator, not computed."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.board import Board, load_board
from codegen.errors import UserError
from codegen.tflm import ALIGNMENT
from workbench.lines import Lines
from workbench.targets import target_board
from workbench.targets.link import LinkClosedError
from workbench.targets.qemu import QemuOptions, qemu_link

TIMEOUT = 120.0  # seconds for all sizes that are tried


@dataclass(frozen=True)
class Arena:
    """Bytes: the smallest arena that starts and runs, and what TFLM says it uses of it."""

    size: int
    used: int


def emulated(board: Board) -> Board:
    """The board whose image is measured: the one named, or the stand-in of its core. UserError: none."""
    try:
        found = target_board("qemu", board.name)
    except UserError as error:
        raise UserError(
            f"the arena of TFLM is measured in QEMU: {error.what}",
            file=board.file,
            remedy="Name a board with the same core that QEMU runs: stand_in = ... in board.toml.",
        ) from None
    assert found is not None
    return found


def room(board: Board) -> int:
    """Bytes of arena in a measuring image: half of the RAM, the other half is more than the rest takes."""
    return board.ram.size // 2 // ALIGNMENT * ALIGNMENT


def measure(image: Path, board: Board) -> Arena:
    """Runs a measuring image. UserError with TFLM's words where the model does not start or run at all."""
    lines = Lines()
    said: list[dict[str, Any]] = []
    link = qemu_link(load_board(board.name), image, QemuOptions())
    deadline = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < deadline:
            for text in lines.take(link.receive(1.0)):
                line = json.loads(text)
                if "arena" in line:
                    return Arena(line["arena"], line["used"])
                if "end" in line:
                    raise _refused(image, said)
                said.append(line)
    except LinkClosedError as error:
        raise UserError(f"the arena cannot be measured: {error}", file=image) from None
    finally:
        link.close()
    raise _refused(image, said or [{"reason": f"it says nothing within {TIMEOUT:g} seconds"}])


def _refused(image: Path, said: list[dict[str, Any]]) -> UserError:
    reasons = "; ".join(str(line.get("reason", line)) for line in said) or "it gives no reason"
    return UserError(
        f"TensorFlow Lite Micro does not run the model, with half of the RAM for its arena: {reasons}",
        file=image,
        remedy="A library built without BUILD_TYPE=release tells more. engine=aot may run it.",
    )


def granted(file: Path, limit: int | None, where: Path) -> int:
    """The arena measured in `file`, where the limit allows it. UserError otherwise."""
    size = int(json.loads(file.read_text())["arena"])
    if limit is not None and size > limit:
        raise UserError(
            f"TFLM's arena has to be {size} bytes for this model; arena={limit} allows less",
            file=where,
            remedy=f"Write arena={size} or more, leave arena= out, or use engine=aot, which needs less RAM.",
        )
    return size
