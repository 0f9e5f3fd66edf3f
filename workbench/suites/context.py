# SPDX-License-Identifier: Apache-2.0
"""What the cases of an app are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from codegen.app.spec import Pipeline
from codegen.app.tables.decision import never_of
from codegen.emit.suite import Case, Keyword, robot_word
from workbench.audio.recording import read_audio
from workbench.audio.wav import wav_bytes
from workbench.suites.emulator import FULL_SCALE
from workbench.suites.recordings import Recording
from workbench.suites.sounds import Maker, Samples


@dataclass(frozen=True)
class Context:
    """One app and its recordings."""

    pipeline: Pipeline
    recordings: tuple[Recording, ...]
    common: Path  # the folder that holds all recordings
    sounds: Path  # the folder for made ones
    long: int  # seconds of the long recording

    @property
    def make(self) -> Maker:
        """Sounds for this pipeline."""
        return Maker(self.pipeline)

    @property
    def never(self) -> int:
        """A threshold that no score reaches; its negative one every score does."""
        return never_of(self.pipeline.decision.kind)

    @property
    def rate(self) -> int:
        """Hz."""
        return self.pipeline.audio.sample_rate

    def sound(self, name: str, samples: Samples) -> str:
        """A made sound as the suites name it."""
        (self.sounds / f"{name}.wav").write_bytes(wav_bytes(samples, self.rate))
        return f"${{SOUNDS}}/{name}.wav"

    def recording(self, recording: Recording) -> str:
        """A recording as the suites name it."""
        return f"${{RECORDINGS}}/{robot_word(str(recording.file.relative_to(self.common)))}"

    def samples(self, recording: Recording) -> Samples:
        """What is in it."""
        return read_audio(recording.file, self.rate, options=False)

    def noise(self) -> str:
        """Noise that passes the gate and fills the cascade twice."""
        return self.sound("noise", self.make.noise(2 * self.make.cascade + 6, FULL_SCALE))

    def joined(self, parts: Sequence[Samples]) -> Samples:
        """One after the other, with silence between long enough for the gate to shut and the cascade to
        hold nothing of the one before."""
        gate = self.pipeline.gate
        pause = self.make.silence(gate.backoff + gate.delay + self.make.cascade + 2)
        out = [parts[0]]
        for part in parts[1:]:
            out += [pause, part]
        return np.concatenate(out)


def case(name: str, slug: str, documentation: str, *steps: Keyword, bad_line: bool = False) -> Case:
    """A case that ends with the decisions of this computer and the counters.

    bad_line: the serial line may lose bytes.
    """
    counters = step("No Sound Should Be Lost" if bad_line else "Nothing Should Be Lost")
    decisions = step("Decisions Should Be", f"${{EXPECTED}}/{slug}.lines")
    return Case(robot_word(name), slug, robot_word(documentation), (*steps, decisions, counters))


def step(keyword: str, *arguments: object) -> Keyword:
    """A keyword with its arguments."""
    return Keyword(keyword, tuple(str(argument) for argument in arguments))


def play(file: str) -> Keyword:
    """Play Recording"""
    return step("Play Recording", file)
