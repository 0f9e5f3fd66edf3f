# SPDX-License-Identifier: Apache-2.0
"""The course of a training for TensorBoard, which shows several side by side."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from workbench.training.epochs import Epoch


class TensorBoardLog:
    """A folder of event files, one run in it for each fit."""

    def __init__(self, folder: Path) -> None:
        """UserError where the folder cannot be made."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"cannot be made: {error.strerror}", file=folder) from None
        self._folder = folder
        self._writer: Any = None  # of the fit that runs: they come one after another

    def watch(self, name: str) -> Callable[[Epoch], None]:
        """Writes each epoch of a fit as it ends. name: of the run among several, "" of the only one."""
        from tensorboard.summary import Writer

        if self._writer is not None:
            self._writer.close()  # with its thread and its file
        self._writer = writer = Writer(str(self._folder / name))

        def write(epoch: Epoch) -> None:
            for what, value in (
                ("loss/training", epoch.loss),
                ("loss/validation", epoch.validation_loss),
                ("accuracy/validation", epoch.accuracy),
            ):
                if value is not None:
                    writer.add_scalar(what, value, epoch.number)
            writer.flush()

        return write
