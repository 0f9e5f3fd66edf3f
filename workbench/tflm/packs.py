"""TensorFlow Lite Micro from CMSIS-Packs."""

from __future__ import annotations

from codegen.board import Board
from codegen.errors import UserError
from workbench.tflm.found import Tflm


def find_packs(board: Board) -> Tflm:
    raise UserError("no TFLM", remedy="Name one.")
