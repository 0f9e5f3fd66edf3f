# SPDX-License-Identifier: Apache-2.0
"""The course of a training, and which of its epochs is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """What is reported after each pass."""

    number: int  # from 1
    loss: float  # of the training vectors, mixed and smoothed as the recipe says
    accuracy: float | None  # of the validation vectors, mean over the classes; None without any
    validation_loss: float | None  # cross-entropy of the validation vectors, nothing mixed or smoothed


def best_epoch(epochs: Sequence[Epoch]) -> int:
    """The number of the epoch to keep: the most accurate one, of equals the one with the least validation
    loss, then the later one; the last without validation vectors."""
    return max(
        epochs, key=lambda epoch: (epoch.accuracy or 0.0, -(epoch.validation_loss or 0.0), epoch.number)
    ).number
