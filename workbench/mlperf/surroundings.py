# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmark's own runner, unmodified, as if this computer had one USB port with the image on it.

python -m workbench.mlperf.surroundings DEVICE MAIN.PY WORD ...

The runner looks for boards by their USB numbers, where an emulator has none: so the lists of serial ports and
of USB devices are answered here. What else it imports is its own; an area under a curve is computed
and a WAV file read here where scikit-learn and SciPy are not installed.
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

VENDOR, PRODUCT = 0x0483, 0x374B  # of the benchmark's reference board, as its own lists of devices have it


@dataclass(frozen=True)
class Port:
    """A serial port as pyserial lists it. device: its file; vid, pid: its USB numbers."""

    device: str
    vid: int
    pid: int
    description: str = "an image of Earshot"


def main(words: Sequence[str]) -> None:
    """The runner's main program with these words, in this process."""
    device, program, *arguments = words
    run([Port(device, VENDOR, PRODUCT)], program, arguments)


def run(ports: Sequence[Port], program: str, arguments: Sequence[str]) -> None:
    """A program of the runner with these words, in this process; `ports` are all that the computer has."""
    from serial.tools import list_ports

    list_ports.comports = lambda *_: list(ports)
    if importlib.util.find_spec("usb") is None:
        core = _module("usb.core", find=lambda **_: ())
        sys.modules["usb"] = _module("usb", core=core)
    if importlib.util.find_spec("sklearn") is None:
        print("scikit-learn is not installed: AUC is computed by earshot", file=sys.stderr)
        sys.modules["sklearn"] = _module("sklearn")
        _module("sklearn.metrics", roc_auc_score=_roc_auc_score)
    if importlib.util.find_spec("scipy") is None:
        wavfile = _module("scipy.io.wavfile", read=_read_wav)
        _module("scipy.io", wavfile=wavfile)
        _module("scipy", io=sys.modules["scipy.io"])
    sys.argv = [program, *arguments]
    sys.path[0] = str(Path(program).parent)
    runpy.run_path(program, run_name="__main__")


def _module(name: str, **members: object) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(members)
    sys.modules[name] = module
    return module


def _read_wav(file: str) -> tuple[int, Any]:
    """Rate, and the 16-bit samples as int64[n] or int64[n, channels]: the streaming test's driver shifts them
    by a byte, which overflows an int16 since NumPy 2."""
    import soundfile

    samples, rate = soundfile.read(file, dtype="int16")
    return rate, samples.astype("int64")


def _roc_auc_score(truths: Any, scores: Any, multi_class: str = "raise") -> float:
    """Of one class, or the mean over the classes against all others. NaN where one class alone is there."""
    import numpy as np

    from workbench.mlperf.dataset import area_under_curve

    columns = np.asarray(scores, float)
    columns = columns.reshape(len(columns), -1)
    truth = np.asarray(truths).reshape(-1)
    if columns.shape[1] == 1:
        return area_under_curve(columns[:, 0], truth)
    found = [area_under_curve(columns[:, at], truth == at) for at in range(columns.shape[1])]
    return float(np.mean(found))


if __name__ == "__main__":
    main(sys.argv[1:])
