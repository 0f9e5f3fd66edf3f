# SPDX-License-Identifier: Apache-2.0
"""The engine tflm reads the output that an app names, or all of them; with a toy as the library."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.common.paths import ROOT
from codegen.emit.tflm import measured_sources
from tests.codegen.passes.test_with_output import app_in
from tests.models.networks import Network
from tests.support.compile import FIRMWARE, load
from tests.support.toy_tflm import toy_sources

DRIVER = """
#include "tensorflow/lite/micro/debug_log.h"
#include "tflm/engine.h"
#include "tflm/state.h"

extern "C" {
const void *door_resolver(void);
extern const tflm_t door_tflm;
int once(const int8_t *input, int8_t *output);
extern const uint32_t door_flatbuffer[];
extern tflm_state_t door_state;
alignas(16) const uint32_t door_flatbuffer[] = {0, 0x334C4654};
tflm_state_t door_state;

const void *door_resolver(void)
{
    static tflite::MicroMutableOpResolver<1> resolver;
    resolver.AddFullyConnected(tflite::Register_FULLY_CONNECTED_INT8());
    return static_cast<const tflite::MicroOpResolver *>(&resolver);
}

void tflm_report(int, const char *) {}
void DebugLog(const char *, va_list) {}

int once(const int8_t *input, int8_t *output)
{
    const int error = tflm_start(&door_tflm);
    return error != 0 ? error : tflm_run(&door_tflm, input, output);
}
}
"""
EMBEDDED, SCORES = 8, 3  # values of the model's outputs


@pytest.mark.parametrize(
    ("output", "first", "error"),
    [(0, EMBEDDED, 0), (1, SCORES - 1, 0), (1, SCORES, 4)],  # the toy's second output is one value longer
)
def test_the_output_that_is_named(tmp_path: Path, output: int, first: int, error: int) -> None:
    app = app_in(tmp_path / "door", f'engine = "tflm"\noutput = {output}')
    toy = toy_sources(tmp_path / "toy", inputs=20, outputs=first, ends=2)
    count = EMBEDDED if output == 0 else SCORES
    inputs, found = np.arange(20, dtype=np.int8), np.full(count + 4, 99, np.int8)
    assert _once(tmp_path, app, toy, inputs, found) == error
    if error == 0:
        total = 190 if output == 0 else 0  # of the inputs, or of the first alone
        assert found.tolist() == [*(np.arange(count) + total).astype(np.int8).tolist(), 99, 99, 99, 99]


def test_all_outputs_of_a_model_without_an_app(tmp_path: Path) -> None:
    """One after the other, each at a multiple of four."""
    app = tmp_path / "door"
    app.mkdir()
    net = Network(2, (1, 20))
    net.dense(3)
    first = net.last
    net.dense(5)
    net.write(app / "model.tflite", [net.input], [first, net.last])
    (app / "pipeline.toml").write_text('[classifier]\nmodel = "model.tflite"\nengine = "tflm"\n')
    toy = toy_sources(tmp_path / "toy", inputs=20, outputs=3, ends=2, second=5)
    inputs, found = np.arange(7, 27, dtype=np.int8), np.full(12, 99, np.int8)
    assert _once(tmp_path, app, toy, inputs, found) == 0
    total = inputs.astype(int).sum()
    wanted = [*(np.arange(3) + total), 99, *(np.arange(5) + 7), 99, 99, 99]
    assert found.tolist() == np.array(wanted).astype(np.int8).tolist()


def _once(folder: Path, app: Path, toy: Path, inputs: NDArray[np.int8], found: NDArray[np.int8]) -> int:
    """Compiles the shim with the toy, and what one run returns."""
    for name, text in measured_sources(load_spec(app), 1024).items():
        (folder / name).write_text(text)
    (folder / "driver.cc").write_text(DRIVER)
    downloads = toy / "tensorflow/lite/micro/tools/make/downloads"
    folders = [
        FIRMWARE,
        folder,
        toy,
        *(downloads / one for one in ("flatbuffers/include", "gemmlowp", "ruy")),
    ]
    includes = [f"-I{one}" for one in folders]
    micro = toy / "tensorflow/lite/micro"
    c_files = [folder / "door_model.c", toy / "arm_fully_connected.c"]
    cc_files = [folder / "driver.cc", ROOT / "firmware/tflm/engine.cc", micro / "micro_interpreter.cc"]
    cc_files.append(micro / "kernels/fully_connected.cc")
    subprocess.run(["gcc", "-fPIC", "-c", *includes, *c_files], cwd=folder, check=True)
    objects = [folder / f"{file.stem}.o" for file in c_files]
    library = folder / "libdoor.so"
    words = ["gcc", "-std=c++17", "-fPIC", "-shared", *includes, *map(str, (*cc_files, *objects))]
    subprocess.run([*words, "-o", str(library), "-lstdc++"], check=True)
    pointers = [ctypes.c_void_p(one.ctypes.data) for one in (inputs, found)]
    return int(load(library).once(*pointers))
