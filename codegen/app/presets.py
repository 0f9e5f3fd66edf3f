# SPDX-License-Identifier: Apache-2.0
"""Front ends as their publishers set them: names for [micro_frontend] preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from codegen.app.spec import MicroFrontend, Window


@dataclass(frozen=True)
class Preset:
    """What keys have that pipeline.toml does not write, in [micro_frontend] and in [window]."""

    front_end: MicroFrontend
    size_ms: int
    stride_ms: int

    def window(self, sample_rate: int) -> Window:
        """Whole samples, rounded down as the library does."""
        return Window(self.size_ms * sample_rate // 1000, self.stride_ms * sample_rate // 1000)


_SPEECH = MicroFrontend(filters=40, pcan=True)

PRESETS: Mapping[str, Preset] = {
    # tensorflow/lite/experimental/microfrontend, the library's own defaults
    "tflm": Preset(MicroFrontend(), 25, 10),
    # ESPHome's component micro_wake_word; the package pymicro-features has the same
    "micro_wake_word": Preset(_SPEECH, 30, 10),
    # TensorFlow Lite Micro's example micro_speech
    "micro_speech": Preset(_SPEECH, 30, 20),
}
