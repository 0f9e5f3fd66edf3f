# SPDX-License-Identifier: Apache-2.0
"""How large TFLM's arena has to be: found by running the model in an emulator, not computed.

SCons asks in a process of its own:  python -m workbench.profiling.tflm_arena IMAGE BOARD
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.board.description import Board, load_board
from codegen.common.errors import UserError
from workbench.protocol.lines import Lines
from workbench.targets.link import LinkClosedError
from workbench.targets.qemu import QemuOptions, qemu_link

TIMEOUT = 120.0  # seconds for all sizes that are tried


@dataclass(frozen=True)
class Arena:
    """Bytes: the smallest arena that starts and runs, and what TFLM says it uses of it."""

    size: int
    used: int


def measure(image: Path, board: Board) -> Arena:
    """Runs a measuring image. UserError with TFLM's words where the model does not start or run at all."""
    lines = Lines()
    said: list[dict[str, Any]] = []
    link = qemu_link(load_board(board.name), image, QemuOptions())
    deadline = time.monotonic() + TIMEOUT
    try:
        while time.monotonic() < deadline:
            for text in lines.take(link.receive(1.0)):
                line = _object(text)
                if line.get("error") == "fault":
                    continue  # the image goes on with the next size, after a reset
                if "arena" in line:
                    return Arena(line["arena"], line["used"])
                if "end" in line:
                    raise _refused(image, said)
                if "error" in line:
                    said.append(line)
    except LinkClosedError as error:
        raise UserError(f"the arena cannot be measured: {error}", file=image) from None
    finally:
        link.close()
    raise _refused(image, said or [{"reason": f"it says nothing within {TIMEOUT:g} seconds"}])


def _object(text: str) -> dict[str, Any]:
    """A line; nothing of what a fault cut short."""
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}


def _refused(image: Path, said: list[dict[str, Any]]) -> UserError:
    reasons = "; ".join(str(line.get("reason", line)) for line in said) or "it gives no reason"
    return UserError(
        f"TensorFlow Lite Micro does not run the model, with half of the RAM for its arena: {reasons}",
        file=image,
        remedy="A library built without BUILD_TYPE=release tells more. engine=aot may run it.",
    )


def main(words: Sequence[str]) -> int:
    """Prints the arena as JSON for the image and the board named; 2 with the reason where it cannot run."""
    image, board = words
    try:
        arena = measure(Path(image), load_board(board))
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps({"arena": arena.size, "used": arena.used}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
