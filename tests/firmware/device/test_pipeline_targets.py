# SPDX-License-Identifier: Apache-2.0
"""The same lines from the PC, from gcc's sanitizers and from an emulated Cortex-M4."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.app.presets import PRESETS
from codegen.app.spec import Audio, Cascade, Gate, Layout, LogMel, Mfcc, MicroFrontend, Scale, Window
from tests.support.apps import FAKE_MODEL, App
from tests.support.compile import FIRMWARE, WARNINGS
from tests.support.mfcc_configs import adversarial

LINKER = FAKE_MODEL.with_name("cortex_m.ld")
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
    "micro_wake_word": App(
        window=Window(480, 160),
        gate=Gate(-1, 0, 0),
        other=PRESETS["micro_wake_word"].front_end,
        scale=Scale(formula="micro_wake_word"),
        cascade=Cascade(3, slide=False),
    ),
    "micro_odd": App(
        audio=Audio(8000),
        window=Window(77, 77),
        gate=Gate(0, 0, 0),
        other=MicroFrontend(filters=5, high_hz=3500, pcan=True, log=False),
        scale=Scale(0, 3000),
        cascade=Cascade(4),
    ),
    "log_mel": App(
        window=Window(200, 80),
        gate=Gate(-1, 0, 0),
        other=LogMel(filters=20, preemphasis=1.0, carried=True, scale="kaldi", window="hamming"),
        scale=Scale(-80 * 65536, 40 * 65536),
        cascade=Cascade(3),
    ),
    "log_mel_odd": App(
        audio=Audio(8000),
        window=Window(77, 90),
        gate=Gate(0, 0, 0),
        other=LogMel(filters=5, fft=64, spectrum="magnitude", offset=0.001, high_hz=4000, log="natural"),
        scale=Scale(-10 * 65536, 3 * 65536),
        cascade=Cascade(4),
    ),
}


def sound(app: App, folder: Path) -> Path:
    """A file of the worst windows."""
    windows = [window for seed in range(3) for window in adversarial(max(app.window.size, 64), seed)]
    path = folder / "samples"
    path.write_bytes(np.concatenate(windows).astype("<i2").tobytes())
    return path


def built(folder: Path, app: App, command: list[str]) -> str | Path:
    """steps_main by this compiler and these flags, or what the compiler said."""
    program = folder / "steps"
    command = [*command, *WARNINGS, f"-I{FIRMWARE}", f"-I{folder}", f'-DSAMPLES="{sound(app, folder)}"']
    command += app.defines(incremental=True, catch_up=3)
    command += [str(source) for source in (*app.sources(folder), FAKE_MODEL, MAIN)]
    reported = subprocess.run([*command, "-o", str(program)], capture_output=True, text=True, check=False)
    return program if reported.returncode == 0 else reported.stderr


def lines(command: list[str]) -> list[str]:
    """What steps_main prints."""
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


@pytest.fixture(scope="module", params=APPS)
def app(request: pytest.FixtureRequest) -> App:
    return APPS[request.param]


@pytest.fixture(scope="module")
def plain(app: App, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The lines of the PC."""
    folder = tmp_path_factory.mktemp("plain")
    program = built(folder, app, ["gcc", "-O2"])
    assert isinstance(program, Path), program
    reported = lines([str(program)])
    samples = (folder / "samples").stat().st_size // 2
    assert len(reported) == (samples - app.window.size) // app.window.stride + 1
    assert any(line.split()[2] == "1" for line in reported)
    return reported


def test_no_undefined_overflow_and_no_stray_access(app: App, plain: list[str], tmp_path: Path) -> None:
    program = built(tmp_path, app, ["gcc", "-O1", *SANITIZE])
    if isinstance(program, str) and "san" in program and "cannot find" in program:
        pytest.skip("gcc's sanitizer libraries (libasan, libubsan) are absent")
    assert isinstance(program, Path), program
    assert lines([str(program)]) == plain


def test_a_cortex_m4_prints_the_same(app: App, plain: list[str], tmp_path: Path) -> None:
    """With the DSP instructions of dsp/dsp.h, by semihosting."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not on PATH")
    cross = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-O2", "--specs=rdimon.specs", f"-T{LINKER}"]
    program = built(tmp_path, app, cross)
    if isinstance(program, str) and "rdimon" in program:
        pytest.skip("newlib's semihosting library (rdimon) is absent")
    assert isinstance(program, Path), program
    emulator = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none"]
    emulator += ["-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel", str(program)]
    assert lines(emulator) == plain
