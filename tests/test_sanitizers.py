"""The pipeline under gcc's sanitizers: no undefined overflow, no stray access, the same lines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.spec import Audio, Cascade, Gate, Layout, Mfcc, Window
from tests.support.apps import FAKE_MODEL, App
from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.mfcc_configs import adversarial

MAIN = FAKE_MODEL.with_name("steps_main.c")
SANITIZE = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g")

APPS = {
    "tutorial": App(gate=Gate(0, 14, 0)),
    "largest": App(
        audio=Audio(48000),
        window=Window(1024, 256),
        gate=Gate(0, 0, 0),
        mfcc=Mfcc(cepstra=48, filters=48, fft=1024, low_hz=0, high_hz=24000, lifter=1000, preemphasis=1),
        cascade=Cascade(3),
        layout=Layout.CEPSTRA_BY_FRAMES,
        votes=10,
    ),
    "smallest": App(
        audio=Audio(8000),
        window=Window(3, 1),
        gate=Gate(600, 1, 1),
        mfcc=Mfcc(cepstra=1, filters=1, fft=128, high_hz=4000, lifter=0, preemphasis=0),
        cascade=Cascade(1, slide=False),
        labels=("one",),
    ),
    "odd": App(
        window=Window(255, 101), mfcc=Mfcc(cepstra=7, filters=11, fft=256), cascade=Cascade(4, slide=False)
    ),
}


def lines(folder: Path, app: App, samples: bytes, flags: tuple[str, ...]) -> list[str]:
    """What steps_main prints, built with these flags."""
    program = folder / "steps"
    command = ["gcc", *WARNINGS, *flags, f"-I{FIRMWARE}", f"-I{folder}"]
    command += app.defines(incremental=True, catch_up=3)
    command += [str(source) for source in (*app.sources(folder), FAKE_MODEL, MAIN)]
    built = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    if built.returncode != 0 and any(name in built.stderr for name in ("-lasan", "-lubsan")):
        pytest.skip("gcc has no sanitizer libraries here")
    assert built.returncode == 0, built.stderr
    ran = subprocess.run([str(program)], input=samples, capture_output=True, check=False)
    assert ran.returncode == 0, ran.stderr.decode()
    return ran.stdout.decode().splitlines()


@pytest.mark.parametrize("name", APPS)
def test_no_overflow_and_no_stray_access(name: str, tmp_path: Path) -> None:
    app = APPS[name]
    size = app.window.size
    windows = [window for seed in range(3) for window in adversarial(max(size, 64), seed)]
    samples = np.concatenate(windows).astype("<i2")
    checked = lines(tmp_path, app, samples.tobytes(), ("-O1", *SANITIZE))
    assert len(checked) == (len(samples) - size) // app.window.stride + 1
    assert any(line.split()[2] == "1" for line in checked)
    assert checked == lines(tmp_path, app, samples.tobytes(), ("-O2",))
