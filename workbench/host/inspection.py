# SPDX-License-Identifier: Apache-2.0
"""A recording through every stage, and one picture of it: what the app heard, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Kind, Pipeline
from codegen.app.tables.decision import Score
from codegen.common.errors import UserError
from workbench.host.host_library import HostPipeline, HostStep

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNKNOWN_COLOUR = "0.75"
_SHOWN = (1, 99)  # per cent of the features between the darkest and the brightest
_COLUMNS = 4000  # of the waveform's envelope at most


@dataclass(frozen=True)
class Mark:
    """A labelled stretch, in samples."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, eq=False)
class Inspection:
    """Of a recording with n windows, m of them decided."""

    samples: NDArray[np.int16]
    gate: NDArray[np.bool_]  # [n], the window passes
    features: NDArray[np.uint8]  # [n, size]
    window: NDArray[np.int64]  # [m], newest window of each decision
    scores: NDArray[np.int32]  # [m, labels]; of an anomaly the error
    classes: NDArray[np.int64]  # [m], 0: Unknown, else the label's index + 1


def inspect(pipeline: HostPipeline, samples: NDArray[np.int16]) -> Inspection:
    """By the firmware's own C, from the first sample on."""
    pipeline.reset()
    steps = list(pipeline.steps(samples))
    pipeline.reset()
    decided = [(number, step) for number, step in enumerate(steps) if step.decided]
    labels, size = len(pipeline.spec.decision.labels), pipeline.spec.front_end.size
    return Inspection(
        samples,
        np.array([step.gate_open for step in steps], np.bool_),
        np.array([step.features for step in steps], np.uint8).reshape(-1, size),
        np.array([number for number, _ in decided], np.int64),
        np.array([_compared(pipeline, step) for _, step in decided], np.int32).reshape(-1, labels),
        np.array([step.class_index for _, step in decided], np.int64),
    )


def _compared(pipeline: HostPipeline, step: HostStep) -> NDArray[np.int8] | list[int] | None:
    """What is compared with the thresholds, one a label."""
    return [step.score] if pipeline.spec.decision.kind is Kind.ANOMALY else step.scores


def draw(
    title: str,
    spec: Pipeline,
    score: Score,
    seen: Inspection,
    marks: Sequence[Mark],
    *,
    file: Path,
) -> None:
    """Waveform with segments and gate, spectrogram, features, scores, decisions over one axis of time. The
    name's ending says the format: .png, .svg or .pdf. UserError where it cannot be written."""
    from matplotlib.figure import Figure

    rate, stride, size = spec.audio.sample_rate, spec.window.stride, spec.window.size
    seconds = len(seen.samples) / rate
    figure = Figure(figsize=(min(40, max(10, seconds * 1.2)), 10), layout="constrained")
    rows = figure.subplots(5, sharex=True, height_ratios=[2, 2, 2, 2, 0.5])
    figure.suptitle(title)
    colours = {label: f"C{number}" for number, label in enumerate(spec.decision.labels)}

    _waveform(rows[0], spec, seen, marks, colours)
    rows[1].specgram(
        seen.samples.astype(np.float64) + 1e-3, NFFT=size, Fs=rate, noverlap=size // 2, cmap="magma", vmin=-40
    )
    rows[1].set_ylabel("Hz")
    edges = np.arange(len(seen.features) + 1) * stride / rate
    if len(seen.features):
        least, most = np.percentile(seen.features, _SHOWN)
        values = np.arange(spec.front_end.size + 1)
        rows[2].pcolormesh(
            edges, values, seen.features.T, cmap="viridis", vmin=least, vmax=max(most, least + 1)
        )
    rows[2].set_ylabel("features")
    _scores(rows[3], spec, score, seen, colours)
    _decisions(rows[4], spec, seen, colours)
    rows[4].set_xlim(0, seconds)
    rows[4].set_xlabel("seconds; a decision stands at the end of the sound that it is made from")
    try:
        figure.savefig(file, dpi=110, metadata={"Date": None} if file.suffix.lower() == ".svg" else {})
    except (OSError, ValueError) as error:
        raise UserError(f"cannot be written: {error}", file=file) from None


def _waveform(
    axes: Axes, spec: Pipeline, seen: Inspection, marks: Sequence[Mark], colours: dict[str, str]
) -> None:
    rate, stride = spec.audio.sample_rate, spec.window.stride
    columns = np.array_split(seen.samples.astype(np.int64), min(_COLUMNS, len(seen.samples)))
    times = np.cumsum([0, *(len(column) for column in columns[:-1])]) / rate
    axes.fill_between(
        times, [column.min() for column in columns], [column.max() for column in columns], color="0.3", lw=0.5
    )
    for sign in (1, -1):
        axes.axhline(sign * spec.gate.threshold, color="tab:red", lw=0.7, ls=":")
    edges = np.flatnonzero(np.diff(np.concatenate([[0], seen.gate.astype(np.int8), [0]])))
    for number, (start, end) in enumerate(edges.reshape(-1, 2)):
        label = "gate open" if number == 0 else None
        axes.axvspan(
            start * stride / rate, end * stride / rate, color="tab:green", alpha=0.12, lw=0, label=label
        )
    top = axes.get_ylim()[1]
    for mark in marks:
        colour = colours.get(mark.label, "black")
        axes.axvspan(mark.start / rate, mark.end / rate, fill=False, ec=colour, lw=1.5)
        axes.text(mark.start / rate, top, f" {mark.label}", color=colour, va="top", fontsize=8, clip_on=True)
    axes.set_ylabel("samples")
    if len(edges):
        axes.legend(loc="lower right", fontsize=8)


def _end(spec: Pipeline, windows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Seconds at which a decision of these newest windows is made."""
    return np.asarray((windows * spec.window.stride + spec.window.size) / spec.audio.sample_rate)


def _scores(axes: Axes, spec: Pipeline, score: Score, seen: Inspection, colours: dict[str, str]) -> None:
    times = _end(spec, seen.window)
    shares = np.vectorize(score.value, otypes=[np.float64])(seen.scores)
    gaps = np.flatnonzero(np.diff(seen.window) > 1) + 1  # where the gate was shut
    times = np.insert(times, gaps, np.nan)
    for number, label in enumerate(spec.decision.labels):
        axes.plot(
            times,
            np.insert(shares[:, number], gaps, np.nan),
            ".-",
            ms=3,
            lw=1,
            color=colours[label],
            label=label,
        )
    for threshold in sorted(set(spec.decision.thresholds)):
        axes.axhline(float(threshold), color="0.4", lw=0.7, ls="--")
    mean = spec.decision.mean
    anomaly = spec.decision.kind is Kind.ANOMALY
    of_mean = f"\nof the mean of {mean}" if mean > 1 else ""
    axes.set_ylabel(f"errors{of_mean}\n--: threshold" if anomaly else f"scores;\n--: thresholds{of_mean}")
    axes.legend(loc="upper right", fontsize=8)


def _decisions(axes: Axes, spec: Pipeline, seen: Inspection, colours: dict[str, str]) -> None:
    step = spec.window.stride / spec.audio.sample_rate
    for time, index in zip(_end(spec, seen.window), seen.classes, strict=True):
        colour = colours[spec.decision.labels[index - 1]] if index else UNKNOWN_COLOUR
        axes.axvspan(time - step, time, color=colour, lw=0)
    axes.set_yticks([])
    axes.set_ylabel("decided\n(grey: Unknown)", rotation=0, ha="right", va="center", fontsize=8)


def summary(spec: Pipeline, seen: Inspection) -> dict[str, Any]:
    """Counts, and the stretches in which one class was decided without a pause."""
    names = ("Unknown", *spec.decision.labels)
    runs = np.flatnonzero((np.diff(seen.window) > 1) | (np.diff(seen.classes) != 0)) + 1
    parts = [part for part in np.split(np.arange(len(seen.window)), runs) if len(part)]
    rate, stride, size = spec.audio.sample_rate, spec.window.stride, spec.window.size
    return {
        "samples": len(seen.samples),
        "windows": len(seen.gate),
        "open": int(seen.gate.sum()),
        "decisions": len(seen.window),
        "detections": [
            {
                "label": names[seen.classes[part[0]]],
                "from": int(seen.window[part[0]] * stride + size) / rate,
                "to": int(seen.window[part[-1]] * stride + size) / rate,
                "decisions": len(part),
                "score": int(seen.scores[part].max()),
            }
            for part in parts
            if seen.classes[part[0]]
        ],
    }
