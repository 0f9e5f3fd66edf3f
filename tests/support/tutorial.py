# SPDX-License-Identifier: Apache-2.0
"""The tutorial's network with random weights as an app, generated and compiled without SCons."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.compile import compile_app
from codegen.emit.sources import sources
from tests.models.networks import tutorial_like
from tests.support.compile import compile_shared
from tests.support.pipeline_c import SOURCES
from workbench.host.host_library import HostLibrary

PIPELINE = """\
[classifier]
model = "model.tflite"
{classifier}
[mfcc]

[decision]
labels = ["key_io", "knocking", "locking", "unknown"]
threshold = 0.80
"""
BARE = '[classifier]\nmodel = "model.tflite"\n'


def tutorial_app(folder: Path, *, seed: int = 5, text: str | None = None, classifier: str = "") -> Path:
    """Writes pipeline.toml and model.tflite into `folder`. Seed 5 hears several classes in noises()."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pipeline.toml").write_text(PIPELINE.format(classifier=classifier) if text is None else text)
    tutorial_like(folder / "model.tflite", seed)
    return folder


def tutorial_library(app: Path, folder: Path, *, flags: tuple[str, ...] = ()) -> HostLibrary:
    """The app's library, made of its generated sources and the runtime."""
    files = []
    for name, text in sources(compile_app(app, engine="aot")).items():
        (folder / name).write_text(text)
        if name.endswith(".c") and name != "app.c":
            files.append(folder / name)
    library = compile_shared(folder, [*files, *SOURCES], includes=[folder], flags=flags, name="earshot")
    return HostLibrary(library, load_spec(app))


def noises(seconds: float, seed: int = 1, rate: int = 16000) -> NDArray[np.int16]:
    """Bursts of noise of all loudnesses with silence between them: what opens and shuts a gate."""
    random = np.random.default_rng(seed)
    count = int(seconds * rate)
    loudness = np.repeat(random.choice([0, 3, 100, 500, 2000, 9000], count // 1000 + 1), 1000)[:count]
    sound: NDArray[np.int16] = np.clip(random.normal(0, 1, count) * loudness, -32768, 32767).astype(np.int16)
    return sound
