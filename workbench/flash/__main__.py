"""What `scons board=... flash` runs once the image is built."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from codegen.board.description import load_board
from codegen.common.errors import UserError
from workbench.flash.flash import flash


def main(words: Sequence[str]) -> int:
    """board, folder of the image, probe, port, "verbose" (each may be empty); the exit code."""
    board, folder, probe, port, verbose = words
    try:
        flash(load_board(board), Path(folder), probe or None, port or None, verbose=bool(verbose))
    except UserError as error:
        print(error, file=sys.stderr)
        return getattr(error, "exit_code", 2)
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
