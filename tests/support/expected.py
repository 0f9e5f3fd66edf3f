# SPDX-License-Identifier: Apache-2.0
"""The lines an image must print for a sound, worked out in Python from the descriptions alone."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Layout
from tests.reference.mfcc_integer import Config, IntegerMfcc
from tests.reference.stages import decided_windows, gate_flags, verdicts, without_level
from tests.support.apps import App, hashed


def config_of(app: App) -> Config:
    """The front end's settings as the reference takes them."""
    m = app.mfcc
    return Config(
        sample_rate=app.audio.sample_rate,
        window=app.window.size,
        fft=m.fft,
        filters=m.filters,
        cepstra=m.cepstra,
        low_hz=m.low_hz,
        high_hz=m.high_hz,
        lifter=m.lifter,
        preemphasis=m.preemphasis,
    )


def feature(app: App, cepstrum: int) -> int:
    """0..255, the exact floor."""
    low, high = app.scale.minimum, app.scale.maximum
    return max(0, min(255, 255 * (cepstrum - low) // (high - low)))


def windows_of(app: App, samples: NDArray[np.int16]) -> list[list[int]]:
    """The samples of every window."""
    window = app.window
    if app.audio.dc_block:
        samples = np.array(without_level(samples.tolist(), app.audio.dc_block), np.int16)
    starts = range(0, len(samples) - window.size + 1, window.stride)
    return [samples[start : start + window.size].tolist() for start in starts]


def cepstra_of(app: App, windows: list[list[int]]) -> list[list[int]]:
    """The cepstra of every window."""
    reference = IntegerMfcc(config_of(app))
    return [reference.stages(values).mfcc[: app.mfcc.cepstra] for values in windows]


def flags_of(app: App, windows: list[list[int]]) -> list[bool]:
    """Which windows pass the gate."""
    peaks = [max(abs(x) for x in values) for values in windows]
    return gate_flags(peaks, app.gate.threshold, app.gate.backoff, app.gate.delay)


def decision_line(app: App, index: int, class_index: int, score: int) -> str:
    """What is printed for window `index`."""
    window, held = app.window, app.cascade.frames
    return _text(
        {
            "ModelNumber": 0,
            "Classification": class_index,
            "SegmentStart": (index - held + 1) * window.stride,
            "SegmentLength": (held - 1) * window.stride + window.size,
            "Label": app.labels[class_index - 1] if class_index else "Unknown",
            "Score": score,
            "Sequence": index,
        }
    )


def expected_lines(app: App, samples: NDArray[np.int16], *, stages: bool = False) -> list[str]:
    """Decision lines, with `stages` those of every window too, of an app around fake_model.c.

    Features enter the model as u - 128; its scores are hashed().
    """
    held = app.cascade.frames
    windows = windows_of(app, samples)
    cepstra = cepstra_of(app, windows)
    features = [[feature(app, value) for value in row] for row in cepstra]
    frames = [[value - 128 for value in row] for row in features]
    flags = flags_of(app, windows)
    decided = decided_windows(flags, app.cascade)
    inputs = {index: frames[index - held + 1 : index + 1] for index in decided}
    scores = [hashed(inputs[index], len(app.labels)) for index in decided]
    limit = int(-(-Fraction(app.threshold) * 256 // 1)) - 128
    reported = dict(zip(decided, verdicts(scores, [limit] * len(app.labels), app.votes), strict=True))

    lines: list[str] = []
    for index in range(len(windows)):
        if stages:
            rows = {
                "cepstra": cepstra[index],
                "gate": [int(flags[index])],
                "features": features[index],
                "frame": frames[index],
            }
            if index in reported:
                transposed = app.layout is Layout.CEPSTRA_BY_FRAMES
                picture = zip(*inputs[index], strict=True) if transposed else inputs[index]
                rows["input"] = [value for row in picture for value in row]
                rows["scores"] = scores[decided.index(index)]
            lines += [
                _text({"stage": stage, "sequence": index, "values": row}) for stage, row in rows.items()
            ]
        if index in reported:
            lines.append(decision_line(app, index, *reported[index]))
    return lines


def _text(line: dict[str, object]) -> str:
    return json.dumps(line, separators=(",", ":"))
