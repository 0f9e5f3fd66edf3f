# SPDX-License-Identifier: Apache-2.0
"""Sounds that a suite needs and nobody recorded: silence, noise of a given peak, one loud sample."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Maker:
    """Makes sounds whose length is given in windows of this pipeline."""

    pipeline: Pipeline

    @property
    def cascade(self) -> int:
        """Windows until the first decision can be made."""
        return self.pipeline.cascade.frames

    def samples(self, windows: int) -> int:
        """The samples of so many windows, to the last one's end."""
        window = self.pipeline.window
        return max(0, (windows - 1) * window.stride + window.size) if windows else 0

    def silence(self, windows: int) -> Samples:
        """Zeros."""
        return np.zeros(self.samples(windows), np.int16)

    def noise(self, windows: int, peak: int, seed: int = 1) -> Samples:
        """Even noise whose largest |sample| is exactly `peak` in every window."""
        random = np.random.default_rng(seed)
        sound = random.integers(-peak, peak + 1, self.samples(windows)).astype(np.int16)
        sound[self._heard // 2 :: self.pipeline.window.stride] = peak
        return sound

    def click(self, windows: int, window: int, peak: int) -> Samples:
        """Silence but for one sample in the middle of what a window hears alone of all up to it.

        Where windows overlap, later ones have it too.
        """
        sound = self.silence(windows)
        sound[self._clicked_at(window)] = peak
        return sound

    def clicked(self, window: int) -> range:
        """The windows that hold the sample of click()."""
        return range(window, self._clicked_at(window) // self.pipeline.window.stride + 1)

    @property
    def _heard(self) -> int:
        """Samples that a window adds to what those before have heard."""
        return min(self.pipeline.window.stride, self.pipeline.window.size)

    def _clicked_at(self, window: int) -> int:
        shape = self.pipeline.window
        return window * shape.stride + shape.size - self._heard // 2 - 1
