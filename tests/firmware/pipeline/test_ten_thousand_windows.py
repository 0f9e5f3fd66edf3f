# SPDX-License-Identifier: Apache-2.0
"""Ten thousand consecutive windows of sound: incremental, full and reference interpreter agree bit by bit.

The features are those that the firmware makes of the sound, the gate's flags its own. The network is the
tutorial's without its softmax, which would hide differences.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec import Layout
from tests.codegen.incremental.test_incremental import LAYOUTS, expected, logits
from tests.support.shared import shared
from tests.support.streams_c import App, CascadesC, Int8s
from toolbox.options import EXAMPLE
from workbench.audio.recording import read_audio
from workbench.host.features import extract, open_pipeline

WINDOWS = 10_000  # compared
SOUND = WINDOWS + 30  # windows of sound
FRAMES, CEPSTRA, STRIDE = 15, 20, 400

Script = list[tuple[str, Int8s | None]]


def recorded() -> NDArray[np.int16]:
    """Recordings one after the other, a few of every kind."""
    folder = shared("audio/smart_lock/wav_flac")
    files = sorted(folder.glob("*.flac"))
    pieces: list[NDArray[np.int16]] = []
    for file in files[::3] + files[1::3] + files[2::3]:
        pieces.append(read_audio(file, 16000))
        if sum(len(piece) for piece in pieces) >= SOUND * STRIDE:
            break
    return np.concatenate(pieces)


def random_sound() -> NDArray[np.int16]:
    """Noise, loud and soft in turn, with silence and full scale between."""
    random = np.random.default_rng(11)
    levels = np.repeat(random.choice([0, 30, 300, 3000, 30000], SOUND // 40 + 1), 40 * STRIDE)
    sound = random.uniform(-1, 1, SOUND * STRIDE) * levels[: SOUND * STRIDE]
    return np.asarray(sound.astype(np.int16))


def gated(frames: Int8s, gate: NDArray[np.bool_]) -> tuple[Script, list[int]]:
    """Decides where the gate is open; now and then the pipeline is reset. The windows decided."""
    script: Script = []
    windows, held = [], 0
    for newest, frame in enumerate(frames):
        if newest % 1777 == 1000:
            script.append(("z", None))
            held = 0
        script.append(("n", frame))
        held += 1
        if held >= FRAMES and gate[newest]:
            script.append(("d", None))
            windows.append(newest - FRAMES + 1)
    return script, windows


def consecutive(frames: Int8s) -> Script:
    """Decides at every window."""
    script: Script = [("n", frame) for frame in frames[: FRAMES - 1]]
    for frame in frames[FRAMES - 1 :]:
        script += [("n", frame), ("d", None)]
    return script


@pytest.mark.parametrize("sound", [recorded, random_sound])
def test_ten_thousand_windows(tmp_path: Path, sound: object) -> None:
    """All layouts at every window; gate gaps and resets in the natural layout, with both kinds of kernels."""
    assert callable(sound)
    features = extract(open_pipeline(EXAMPLE), sound()[: SOUND * STRIDE])
    frames = (features.scaled.astype(np.int16) - 128).astype(np.int8)
    apps = []
    for at, layout in enumerate(LAYOUTS):
        shape = (FRAMES, CEPSTRA) if layout is Layout.FRAMES_BY_CEPSTRA else (CEPSTRA, FRAMES)
        path = logits(tmp_path / f"{layout.value}.tflite", 5, shape)
        apps.append(App(path, FRAMES, CEPSTRA, layout, ("small", "fast")[at % 2]))
    script, windows = gated(frames, features.gate)
    assert 1000 < len(windows) < 0.95 * len(frames)
    scripts = [consecutive(frames)] * len(apps) + [script] * 2
    fast = App(apps[0].model, FRAMES, CEPSTRA, apps[0].layout, "fast")
    found = [scores for scores, _ in CascadesC([*apps, apps[0], fast]).decide(scripts)]
    wanted = [expected(app, frames) for app in apps]
    for app, scores, right in zip(apps, found, wanted, strict=False):
        assert len(right) >= WINDOWS
        np.testing.assert_array_equal(scores, right, err_msg=app.layout.value)
    for scores in found[len(apps) :]:
        np.testing.assert_array_equal(scores, wanted[0][windows])
    assert min(len(np.unique(right, axis=0)) for right in wanted) > 300
