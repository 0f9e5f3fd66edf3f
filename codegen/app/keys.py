# SPDX-License-Identifier: Apache-2.0
"""Every key of pipeline.toml, and what it takes."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.app.presets import LOG_MEL_PRESETS, PRESETS
from codegen.app.rules import End, FileName, Flag, Labels, OneOf, Real, Rule, Samples, Thresholds, Whole, Word
from codegen.app.spec import Kind, Layout, Rounding
from codegen.app.tables.scale import FORMULAS
from codegen.common.reference import Reference

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

# A frame stands at every place of the cascade in turn: with a range of its own at each place it would be
# other numbers at every decision, and no layer could keep what it made of it.
ONE_SCALE = "Write one number for all features and frames, and train with it."
ERRORS = Thresholds("0..1000000", Real("0", "1000000"), shares=False)  # in place of shares, where errors are

MEANS = Thresholds("-10000..10000; one, or one a value", Real("-10000", "10000"), False, "value")
DEVIATIONS = Thresholds("0.001..10000; one, or one a value", Real("0.001", "10000"), False, "value")
AFTER: Mapping[str, Rule] = {  # a front end's values
    "deltas": OneOf((0, 1, 2)),
    "delta_frames": Whole(1, 4, "frames"),
    "mean": MEANS,
    "deviation": DEVIATIONS,
}

KEYS: Mapping[str, Mapping[str, Rule]] = {
    "audio": {"sample_rate": Whole(8000, 48000, "Hz"), "dc_block": OneOf((0, *range(4, 13)))},
    "window": {"size": Samples(2, 4096), "stride": Samples(1, 16384)},
    "gate": {
        "threshold": Whole(-1, 32767),
        "backoff": Whole(0, 1000, "windows"),
        "delay": Whole(0, 64, "windows"),
    },
    "mfcc": {
        "cepstra": Whole(1, 128),
        "filters": Whole(1, 128),
        "fft": OneOf((128, 256, 512, 1024, 2048, 4096), "points"),
        "low_hz": Real("0", "24000", "Hz"),
        "high_hz": Real("0", "24000", "Hz"),
        "lifter": Real("0", "1000"),
        "preemphasis": Real("0", "1"),
        **AFTER,
    },
    "micro_frontend": {
        "preset": Word(tuple(PRESETS)),
        "filters": Whole(1, 128),
        "low_hz": Real("0", "24000", "Hz"),
        "high_hz": Real("0", "24000", "Hz"),
        "smoothing_bits": Whole(0, 15, "bits"),
        "even_smoothing": Real("0", "1"),
        "odd_smoothing": Real("0", "1"),
        "min_signal_remaining": Real("0", "1"),
        "pcan": Flag(),
        "pcan_strength": Real("0", "10"),
        "pcan_offset": Real("0.001", "1000000"),
        "pcan_gain_bits": Whole(0, 31, "bits"),
        "log": Flag(),
        "log_shift": Whole(0, 16, "bits"),
        "tables": Word(("c", "signal")),
    },
    "log_mel": {
        "preset": Word(tuple(LOG_MEL_PRESETS)),
        "filters": Whole(1, 128),
        "fft": OneOf((0, 64, 128, 256, 512, 1024, 2048, 4096), "points"),
        "window": Word(("hann", "hamming", "povey", "none")),
        "periodic": Flag(),
        "preemphasis": Real("0", "1"),
        "carried": Flag(),
        "full_scale": OneOf((1, 32768)),
        "spectrum": Word(("power", "magnitude")),
        "per_sample": Flag(),
        "scale": Word(("slaney", "htk", "kaldi")),
        "norm": Word(("slaney", "none")),
        "low_hz": Real("0", "24000", "Hz"),
        "high_hz": Real("0", "24000", "Hz"),
        "log": Word(("db", "natural", "log2")),
        "offset": Real("0", "1000000"),
        "floor": Real("0.000000000000000001", "1000000"),
        **AFTER,
    },
    "scale": {
        "minimum": Whole(INT32_MIN, INT32_MAX, listed=ONE_SCALE),
        "maximum": Whole(INT32_MIN, INT32_MAX, listed=ONE_SCALE),
        "formula": Word(tuple(FORMULAS)),
        "rounding": Word(("down", "zero")),
    },
    "cascade": {
        "frames": Whole(1, 1000),
        "slide": Flag(),
        "every": Whole(1, 1000, "windows"),
        "memory": Whole(0, 1 << 24, "bytes"),
    },
    "classifier": {
        "model": FileName(),
        "engine": Word(("aot", "tflm")),
        "kernels": Word(("small", "fast")),
        "ram_weights": Whole(0, 1 << 24, "bytes"),
        "output": End(),
        "layout": Word(tuple(layout.value for layout in Layout)),
        "offset": Whole(0, 255),
        "rounding": Word(tuple(rounding.value for rounding in Rounding)),
        "reference": Word(tuple(reference.value for reference in Reference)),
        "layer_outputs": Flag(),
    },
    "decision": {
        "kind": Word(tuple(kind.value for kind in Kind)),
        "labels": Labels(),
        "threshold": Thresholds(),
        "votes": Whole(1, 10, "decisions"),
        "mean": Whole(1, 100, "decisions"),
        "suppress": Whole(0, 10000, "decisions"),
    },
    "device": {"capture": Flag()},
}

REQUIRED: Mapping[tuple[str, str], str] = {
    ("classifier", "model"): 'model = "model.tflite"',
    ("decision", "labels"): 'labels = ["knocking", "noise"]',
    ("decision", "threshold"): "threshold = 0.80",
}
