# SPDX-License-Identifier: Apache-2.0
"""A picture of a recording's features, as SVG: the sound with its gate, above the cepstra of every window."""

from __future__ import annotations

import base64
import struct
import zlib
from html import escape

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Pipeline
from codegen.common.render import render
from workbench.host.features import Features

_LEFT, _WIDTH = 70, 1000
_MIDDLE, _HALF = 90, 55  # of the sound, at its loudest sample
_SHOWN = (0.5, 99.5)  # per cent of the features between black and white: the few outside are as those


def feature_plot(title: str, spec: Pipeline, samples: NDArray[np.int16], features: Features) -> str:
    """The SVG for int16[samples] and their features; at least one window."""
    rate, window = spec.audio.sample_rate, spec.window
    scale = _WIDTH / len(samples)
    runs = _runs(features.gate)
    # The loudest sample, or the threshold where that is higher, reaches the edge.
    peak = max(int(np.abs(samples.astype(np.int64)).max()), spec.gate.threshold, 1)
    threshold = _HALF * max(spec.gate.threshold, 0) / peak
    black, white = (int(value) for value in np.percentile(features.scaled, _SHOWN).round())
    white = max(white, black + 1)
    step = _tick_step(len(samples) / rate)
    ticks = np.arange(0, len(samples) / rate, step)
    return render(
        "features.svg.in",
        title=escape(title),
        left=_LEFT,
        width=_WIDTH,
        open=[
            (_round(_LEFT + start * window.stride * scale), _round(_LEFT + end * window.stride * scale))
            for start, end in runs
        ],
        envelope=_envelope(samples, peak),
        peak=peak,
        black=black,
        white=white,
        slope=_round(255 / (white - black)),
        intercept=_round(-black / (white - black)),
        threshold_high=_round(_MIDDLE - threshold),
        threshold_low=_round(_MIDDLE + threshold),
        gate=spec.gate,
        highest=f"C{spec.front_end.size - 1}" if spec.front_end.section == "mfcc" else spec.front_end.size,
        lowest="C0" if spec.front_end.section == "mfcc" else 1,
        picture=base64.b64encode(_png(features.scaled.T[::-1])).decode("ascii"),
        ticks=[(_round(_LEFT + second * rate * scale), f"{second:g}") for second in ticks],
        shown=_round(len(features.scaled) * window.stride * scale),  # a column a window
    )


def _round(value: float) -> float:
    return round(float(value), 2)


def _runs(gate: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last + 1 window of every stretch with the gate open."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], gate.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _envelope(samples: NDArray[np.int16], peak: int) -> str:
    """The outline between the largest and smallest sample of every column, as an SVG path; `peak` is at the
    edge."""
    columns = np.array_split(samples.astype(np.int64), min(_WIDTH, len(samples)))
    x = [_LEFT + _WIDTH * (index + 0.5) / len(columns) for index in range(len(columns))]
    upper = [(at, _MIDDLE - _HALF * int(column.max()) / peak) for at, column in zip(x, columns, strict=True)]
    lower = [(at, _MIDDLE - _HALF * int(column.min()) / peak) for at, column in zip(x, columns, strict=True)]
    points = " ".join(f"{_round(at)},{_round(y)}" for at, y in upper + lower[::-1])
    return f"M{points}Z"


def _tick_step(seconds: float) -> float:
    """Seconds between ticks, so that there are about ten."""
    decade = 10.0 ** np.floor(np.log10(seconds / 10))
    return float(next(decade * factor for factor in (1, 2, 5, 10) if decade * factor * 10 >= seconds))


def _png(grey: NDArray[np.uint8]) -> bytes:
    """An 8-bit grey PNG of [rows, columns] (ISO/IEC 15948)."""
    rows, columns = grey.shape
    header = struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)
    raw = b"".join(b"\0" + row.tobytes() for row in grey)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
