# SPDX-License-Identifier: Apache-2.0
"""A TensorFlow Lite Micro that a build can use, wherever it came from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from codegen.board.description import Board
from codegen.common.errors import UserError
from codegen.emit.tflm import Registrations

LIBRARY = "libtensorflow-microlite.a"
VARIABLE = "EARSHOT_TFLM"  # the folder of a checkout, where tflm= does not name one


@dataclass(frozen=True)
class PackSource:
    """A file of a pack to compile, with the folder of its objects' names."""

    file: Path
    pack: str  # tensorflow.tensorflow-lite-micro


@dataclass(frozen=True)
class Tflm:
    """Paths are absolute.

    library: what TFLM's own build made; None: `sources`, of packs, are compiled and become one
    defines: of the compiler, as the library was built with
    """

    where: Path
    version: str  # in words: "TensorFlow Lite Micro 90b983c2b3f1"
    library: Path | None
    includes: tuple[Path, ...]
    defines: tuple[str, ...]
    registrations: Registrations
    kernels: frozenset[str]  # names, without suffix, of the sources of TFLM's kernels
    sources: tuple[PackSource, ...] = ()
    packs: tuple[str, ...] = ()  # names and versions

    def reported(self) -> str:
        """What was found, and where."""
        made = f"library {self.library}" if self.library else ""
        if self.packs:
            made = f"{len(self.sources)} sources of CMSIS-Packs: {', '.join(self.packs)}"
        return f"{self.version} in {self.where}\n  {made}"


def find(named: Path | None, board: Board, build: Path) -> Tflm:
    """The TFLM for a board: in the folder that is named or in EARSHOT_TFLM, else of CMSIS-Packs.

    build: where packs are unpacked

    UserError: it is nowhere, incomplete, of another version, or built for another core.
    """
    from toolbox.tflm.packs import find_packs
    from toolbox.tflm.tree import find_tree

    if board.hosted:
        raise UserError(
            f'engine=tflm is for Cortex-M boards, not for the board "{board.name}"',
            remedy="On the computer the engine aot computes TFLM's bits: engine=aot with reference = "
            '"tflm" under [classifier]. For TFLM itself take board=mps2_an386, which QEMU runs.',
        )
    if named is None and os.environ.get(VARIABLE):
        named = Path(os.environ[VARIABLE])
    return find_tree(named.absolute(), board) if named is not None else find_packs(board, build)
