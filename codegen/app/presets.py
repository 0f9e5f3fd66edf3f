# SPDX-License-Identifier: Apache-2.0
"""Front ends as their publishers set them: names for the key preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from codegen.app.spec import LogMel, MicroFrontend, Scale, Window

Settings = TypeVar("Settings", MicroFrontend, LogMel)


@dataclass(frozen=True)
class Preset(Generic[Settings]):
    """What keys have that pipeline.toml does not write, in the front end, in [window] and in [scale]."""

    front_end: Settings
    size_ms: int
    stride_ms: int
    scale: Scale

    def window(self, sample_rate: int) -> Window:
        """Whole samples, rounded down as the library does."""
        return Window(self.size_ms * sample_rate // 1000, self.stride_ms * sample_rate // 1000)


_SPEECH = MicroFrontend(filters=40, pcan=True)
_BYTES = Scale(formula="micro_wake_word")

PRESETS: Mapping[str, Preset[MicroFrontend]] = {
    # tensorflow/lite/experimental/microfrontend, the library's own defaults
    "tflm": Preset(MicroFrontend(), 25, 10, _BYTES),
    # ESPHome's component micro_wake_word; the package pymicro-features has the same
    "micro_wake_word": Preset(_SPEECH, 30, 10, _BYTES),
    # TensorFlow Lite Micro's example micro_speech
    "micro_speech": Preset(_SPEECH, 30, 20, _BYTES),
}

LOG_MEL_PRESETS: Mapping[str, Preset[LogMel]] = {
    # librosa.feature.melspectrogram and power_to_db with top_db=None, as they are without arguments, but for
    # the window, which is 2048 samples at 22050 Hz there, and padding.
    # -80 to 40 dB become 0..255.
    "librosa": Preset(LogMel(), 64, 16, Scale(-80 * 65536, 40 * 65536)),
    # MLPerf Tiny's streaming wake word: mlcommons/tiny, benchmark/training/streaming_wakeword/get_dataset.py.
    # -52 to 12 dB become 0..255: there (x + 52) / 64, cut to 0..1.
    "mlperf_sww": Preset(
        LogMel(
            filters=40,
            window="hamming",
            periodic=False,
            preemphasis=0.96875,
            carried=True,
            per_sample=True,
            scale="kaldi",
            norm="none",
            floor=1e-18,
        ),
        64,
        32,
        Scale(-52 * 65536, 12 * 65536),
    ),
}
