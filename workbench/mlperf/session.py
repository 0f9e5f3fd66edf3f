# SPDX-License-Identifier: Apache-2.0
"""The benchmark's accuracy and performance tests, as its runner makes them, over one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from workbench.mlperf.dataset import Stimulus, area_under_curve, top_1
from workbench.mlperf.dialogue import Dialogue
from workbench.progress import progress


@dataclass(frozen=True)
class Accuracy:
    """What a set of stimuli gave. share: right ones for classes, the area under the curve for anomalies;
    micros: of one inference, the mean by the device's clock; None in the energy mode."""

    stimuli: int
    inputs: int
    share: float
    anomalies: bool
    micros: float | None

    def text(self) -> str:
        """A line for a person."""
        found = f"AUC {self.share:.3f}" if self.anomalies else f"top-1 {100 * self.share:.1f} %"
        more = f" ({self.inputs:,} inputs)" if self.inputs != self.stimuli else ""
        time = "no times: energy mode" if self.micros is None else f"{self.micros:,.0f} us an inference"
        return f"{found} of {self.stimuli:,} stimuli{more}; {time}"


def accuracy(dialogue: Dialogue, stimuli: Sequence[Stimulus]) -> Accuracy:
    """Every stimulus through the image. One score an input is an anomaly's; a file's is the mean of its
    windows'."""
    scores: list[tuple[float, ...]] = []
    micros: list[int | None] = []
    for stimulus in progress(stimuli, len(stimuli), "stimuli"):
        found = []
        for data in stimulus.inputs():
            dialogue.load(data)
            inference = dialogue.infer()
            found.append(inference.results)
            micros.append(inference.micros)
        scores.append(tuple(fmean(column) for column in zip(*found, strict=True)))
    truths = [stimulus.truth for stimulus in stimuli]
    anomalies = len(scores[0]) == 1
    share = area_under_curve([score[0] for score in scores], truths) if anomalies else top_1(scores, truths)
    times = [time for time in micros if time is not None]
    return Accuracy(len(stimuli), len(micros), share, anomalies, fmean(times) if times else None)
