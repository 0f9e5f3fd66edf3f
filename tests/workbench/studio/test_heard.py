# SPDX-License-Identifier: Apache-2.0
"""What the Label page says an app hears, against the stages' own steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.audio.recording import read_audio
from workbench.audio.synthesize import write_session
from workbench.host.features import open_pipeline
from workbench.host.inspection import inspect
from workbench.studio.heard import Heard, Listener

EXAMPLE = ROOT / "examples" / "smart_lock"
RATE = 16000


@pytest.fixture(scope="module")
def knocks(tmp_path_factory: pytest.TempPathFactory) -> NDArray[np.int16]:
    """70 seconds: more than two looks at what is known so far."""
    folder = tmp_path_factory.mktemp("knocks")
    write_session(folder, seed=3, recordings=1, count=4)
    sounds = [read_audio(file, RATE) for file in sorted(folder.glob("*.wav"))]
    return np.resize(np.concatenate(sounds), 70 * RATE)


def test_the_marks_are_the_steps_of_the_firmware(knocks: NDArray[np.int16]) -> None:
    listener = Listener(EXAMPLE)
    told: list[Heard] = []
    heard = listener.hear(knocks, RATE, told.append)
    assert heard is not None
    pipeline = open_pipeline(EXAMPLE)
    seen = inspect(pipeline, knocks)
    spec = pipeline.spec
    stride, size = spec.window.stride, spec.window.size
    gate = np.zeros(len(seen.gate), bool)
    for start, end in heard.gate:
        assert start % stride == end % stride == 0
        assert not gate[start // stride : end // stride].any()
        gate[start // stride : end // stride] = True
    assert np.array_equal(gate, seen.gate)
    names = ("", *spec.decision.labels)
    decided = dict(zip(seen.window.tolist(), (names[index] for index in seen.classes), strict=True))
    marked = {
        (at - size) // stride: label
        for start, end, label, _ in heard.decided
        for at in range(start + stride, end + stride, stride)
    }
    assert marked == decided
    assert len({label for _, _, label, _ in heard.decided}) > 1
    assert [one.until for one in told] == [RATE, 31 * RATE, 61 * RATE]
    assert all(one.decided == heard.decided[: len(one.decided)] for one in told[:1])


def test_another_recording_ends_the_first(knocks: NDArray[np.int16]) -> None:
    listener = Listener(EXAMPLE)
    told: list[int] = []

    def stop(heard: Heard) -> None:
        told.append(heard.until)
        listener.stop()

    assert listener.hear(knocks, RATE, stop) is None
    assert told == [RATE]


def test_another_rate_and_a_bare_model_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has 8000 Hz, the app hears 16000 Hz"):
        Listener(EXAMPLE).hear(np.zeros(9, np.int16), 8000, lambda _: None)
    with pytest.raises(UserError):
        Listener(tmp_path)
