# SPDX-License-Identifier: Apache-2.0
"""The publishers' own code: what becomes of a sound there, and what is decided by the scores.

None of it is kept here. Each is asked as its publisher hands it out: a package, a model that computes
features, a script of a checkout.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from codegen.app.spec import Decision
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from codegen.model.graph import Quantization
from workbench.published.catalogue import AbsentError, Folders
from workbench.training.environment import ENVIRONMENT
from workbench.verify.reference import ReferenceInterpreter, interpreter_python

Sounds = Sequence[NDArray[np.int16]]
Rows = NDArray[np.int8]  # [windows, values], as they enter the model's tensor
Classes = NDArray[np.int64]  # of each decision: index of the label + 1, 0 for none

_PREPROCESSOR = "audio_preprocessor_int8.tflite"
_MLCOMMONS = "benchmark/training/streaming_wakeword/get_dataset.py"


@dataclass(frozen=True)
class Publisher:
    """How a publisher gets from a sound to a class.

    exact: its front end computes in integers, of which every one is wanted
    features: of each sound, by what lies in the folders; the input's scale and zero point are the model's
    decide: scores as floats, [n, labels], in the units of the output's quantisation, to classes
    """

    code: str
    exact: bool
    features: Callable[[Folders, Sounds, Quantization], list[Rows]]
    decide: Callable[[NDArray[np.int64], Decision], Classes]


def esphome_values(samples: NDArray[np.int16]) -> NDArray[np.int64]:
    """What pymicro-features makes of a sound: int64[n, 40]. AbsentError without the package."""
    try:
        from pymicro_features import MicroFrontend
    except ImportError:
        raise AbsentError("the package pymicro-features is not installed") from None
    frontend, rows, position = MicroFrontend(), [], 0
    while position + 160 <= len(samples):
        result = frontend.process_samples(samples[position : position + 160].tobytes())
        position += result.samples_read
        if result.features:
            rows.append(result.features)
    return np.round(np.array(rows) / 0.0390625).astype(np.int64).reshape(-1, 40)


def _esphome(_: Folders, sounds: Sounds, __: Quantization) -> list[Rows]:
    """Its integers into the tensor: of esphome's micro_wake_word."""
    values = [esphome_values(samples) for samples in sounds]
    return [np.clip((each * 256 + 333) // 666 - 128, -128, 127).astype(np.int8) for each in values]


def _micro_speech(folders: Folders, sounds: Sounds, _: Quantization) -> list[Rows]:
    """The example's features are a model, too, which TensorFlow Lite Micro runs: 30 ms every 20 ms."""
    file = folders.file(_PREPROCESSOR)
    try:
        interpreter_python(Reference.TFLM)
    except UserError as error:
        raise AbsentError(error.what) from None
    with ReferenceInterpreter(file, Reference.TFLM) as model:
        windows = (sliding_window_view(samples, 480)[::320] for samples in sounds)
        return [model.run(np.ascontiguousarray(each), sequence=True).reshape(-1, 40) for each in windows]


def tensorflow_python() -> Path:
    """Of the environment that has it; it need not be there."""
    return ROOT / ENVIRONMENT / "bin" / "python"


def _mlcommons(folders: Folders, sounds: Sounds, quantization: Quantization) -> list[Rows]:
    """The benchmark's own script, in the environment that has TensorFlow; then as its evaluate.py does."""
    script = folders.file(_MLCOMMONS)
    python = tensorflow_python()
    if not python.is_file():
        raise AbsentError("there is no TensorFlow: the first `./earshot train` installs it")
    with tempfile.TemporaryDirectory(prefix="published") as folder:
        given, made = Path(folder) / "sounds.npz", Path(folder) / "features.npz"
        np.savez(given, *sounds)
        done = subprocess.run(
            [python, "-m", "workbench.published.mlcommons", script.parent.resolve(), given, made],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            last = done.stderr.strip().split("\n")[-1]
            raise UserError(
                f"ends with: {last}", file=script, remedy="It needs all of its folder: name a whole checkout."
            )
        with np.load(made) as arrays:
            features = [arrays[name] for name in arrays.files]
    scale, zero_point = float(quantization.scale), quantization.zero_point
    return [np.array(each / scale + zero_point, dtype=np.int8) for each in features]


def _mean_above(scores: NDArray[np.int64], decision: Decision) -> Classes:
    """esphome's: the sum of the last bytes is above the cutoff, 255 for 1."""
    count = decision.mean
    padded = np.concatenate([np.zeros(count - 1, np.int64), scores[:, 0]])
    sums = sliding_window_view(padded, count).sum(axis=1)
    return np.asarray(sums > float(decision.thresholds[0]) * 255 * count, np.int64)


def _largest(scores: NDArray[np.int64], decision: Decision) -> Classes:
    """The largest score, where it is above its threshold of 256."""
    best = scores.argmax(axis=1)
    limits = np.array([float(threshold) for threshold in decision.thresholds])
    return np.where(scores.max(axis=1) / 256 > limits[best], best + 1, 0).astype(np.int64)


PUBLISHERS: Mapping[str, Publisher] = {
    "esphome": Publisher("pymicro-features", True, _esphome, _mean_above),
    "micro_speech": Publisher(_PREPROCESSOR, True, _micro_speech, _largest),
    "mlcommons": Publisher("get_dataset.py", False, _mlcommons, _largest),
}
