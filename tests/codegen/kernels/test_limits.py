# SPDX-License-Identifier: Apache-2.0
"""The limits of 32 bits: derived, and met by convolutions that lie on both sides of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Layout
from codegen.incremental import Incremental
from codegen.kernels.limits import (
    INPUT_LIMIT,
    LARGEST_SHIFT,
    LARGEST_SUM,
    LARGEST_WEIGHT,
    LARGEST_ZERO,
    PAIR_SUM_LIMIT,
    SAFE_TAPS,
)
from codegen.passes.legalise import load_graph
from tests.codegen.incremental.test_incremental import compare
from tests.models.builder import ACTIVATIONS, PADDINGS, Builder
from tests.support.exact import check, layers_of
from tests.support.streams_c import App, plan_of

INT32 = range(-(1 << 31), 1 << 31)


def totals(shift: int) -> list[int]:
    """The extremes of high + add, one less too."""
    highs = [((sum_ * ((1 << 31) - 1)) + (1 << 30)) >> 31 for sum_ in (1 - LARGEST_SUM, LARGEST_SUM - 1)]
    adds = [(zero << shift) + (1 << shift >> 1) for zero in (-128, LARGEST_ZERO)]
    return [high + add - less for high in highs for add in adds for less in (0, 1)]


def test_the_largest_shift_is_the_largest() -> None:
    assert all(total in INT32 for total in totals(LARGEST_SHIFT))
    assert not all(total in INT32 for total in totals(LARGEST_SHIFT + 1))


def test_safe_taps_are_safe() -> None:
    assert SAFE_TAPS * LARGEST_WEIGHT * INPUT_LIMIT < PAIR_SUM_LIMIT
    assert (SAFE_TAPS + 8) * LARGEST_WEIGHT * INPUT_LIMIT >= PAIR_SUM_LIMIT


@dataclass(frozen=True)
class Limit:
    """A convolution of two channels, shifted right by `shift`, whose first fills 29 bits, its second 23."""

    shift: int
    zero_point: int
    activation: str = "none"

    def build(self) -> Builder:
        """The model: 8 rows of 6."""
        random = np.random.default_rng(self.shift)
        model = Builder()
        x = model.tensor((1, 8, 6, 1), "int8", 0.5, 3)
        weights = random.integers(-127, 128, (2, 3, 3, 1), np.int8)
        half = round(2 ** (self.shift - 1) / 0.9)  # where an output steps: the second channel is no constant
        second = half if self.zero_point in (-128, 0) else -half
        bias = np.array([-(1 << 29) if self.zero_point > 0 else 1 << 29, second], np.int32)
        w = model.constant(weights, [0.5, 0.5])
        b = model.constant(bias, [0.25, 0.25])
        y = model.tensor((1, 6, 4, 2), "int8", 0.25 * 2.0**self.shift / 0.9, self.zero_point)
        options = {"padding": PADDINGS["valid"], "strideH": 1, "strideW": 1, "dilationHFactor": 1}
        options |= {"dilationWFactor": 1, "fusedActivationFunction": ACTIVATIONS[self.activation]}
        model.operator("CONV_2D", [x, w, b], [y], options)
        return model.ends([x], [y])


LIMITS = [
    Limit(shift, zero_point, activation)
    for shift in range(LARGEST_SHIFT - 2, LARGEST_SHIFT + 2)
    for zero_point, activation in ((-128, "none"), (-1, "none"), (127, "none"), (0, "relu"))
]


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_convolutions_at_the_limit_are_exact(tmp_path: Path, target: str) -> None:
    """Up to the limit by the kernel in blocks, behind which a clamp is a pass of its own; beyond it by the
    general form, which clamps itself."""
    for case in LIMITS:
        kernels = [layer.kernel for layer in layers_of(case, tmp_path)]
        blocks = ["conv_2d"] if case.activation == "none" else ["conv_2d", "clamp"]
        assert kernels == (blocks if case.shift <= LARGEST_SHIFT else ["conv_2d_general"]), case
    check(LIMITS, target=target)


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_streams_at_the_limit_are_exact(tmp_path: Path, target: str) -> None:
    """The same row by row, where a clamp becomes a table of the largest zero."""
    apps = []
    for number, case in enumerate(LIMITS):
        path = tmp_path / f"{number}.tflite"
        path.write_bytes(case.build().bytes())
        app = App(path, 8, 6, Layout.FRAMES_BY_CEPSTRA)
        planned = plan_of(app, load_graph(path))
        assert isinstance(planned, Incremental)
        kernels = [task.layer.kernel for task in planned.schedule if task.computes]
        assert kernels == ["stream_conv_2d" if case.shift <= LARGEST_SHIFT else "conv_2d_general"], case
        apps.append(app)
    compare(apps, target=target)
