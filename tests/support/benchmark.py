# SPDX-License-Identifier: Apache-2.0
"""Images for MLPerf Tiny around small models: the real mlperf/, device/ and port/, without SCons."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np

from codegen.app.spec import Classifier, Spec
from codegen.board.description import Board, load_board
from codegen.compile import App, compile_app
from codegen.emit.board import board_sources
from codegen.emit.mlperf import mlperf_source
from codegen.emit.sources import sources
from codegen.model.graph import Graph
from codegen.passes.legalise import load_graph
from tests.models.networks import Network
from tests.support.built_once import built_once
from tests.support.compile import FIRMWARE, WARNINGS, protocol_table
from tests.support.tools import need_tool
from toolbox.checksum import fill_checksum

# Model and image of a task, as small as they can be: (inputs, outputs).
# of the small models of tasks whose inputs come whole
SIZES = {"kws": (40, 5), "ic": (48, 4), "vww": (27, 2), "ad": (24, 24)}


def small_model(folder: Path, task: str) -> Path:
    """A dense network with a softmax; for `ad` one whose outputs have the inputs' shape."""
    inputs, outputs = SIZES[task]
    network = Network(7, (1, inputs), 0.5, -3)
    network.dense(6, "relu", per_channel=False)
    network.dense(outputs, bias=False)
    if task != "ad":
        network.softmax()
    return network.save(folder / f"{task}.tflite")


# Not a board's name: a program for this computer, whose port keeps a diary of pins and times (diary_port.c).
DIARY = "diary"
DIARY_PINS = {"timestamp": "1.03", "processing": "1.04", "detected": "1.05"}  # those of the nRF52840 DK


def _board(name: str) -> Board:
    if name != DIARY:
        return load_board(name)
    known = {f"mlperf_{pin}" for pin in DIARY_PINS}
    pins = tuple((pin, at) for pin, at in load_board("nrf52840dk").pins if pin in known)
    return replace(load_board("pc"), port=DIARY, pins=pins, constants=(("uart_baud", 115200),))


def benchmark_image(task: str, board: str = "pc", *, energy: bool = False) -> tuple[Path, Graph]:
    """The image, and the model that it runs. board: also DIARY."""

    def build(folder: Path) -> Path:
        model = small_model(folder, task)
        spec = Spec("app", folder / "pipeline.toml", Classifier(model), None)
        compiled = compile_app(App(spec, load_graph(model)))
        texts = sources(compiled) | mlperf_source(task, compiled.graph, spec, energy=energy)
        return _made(folder, _board(board), texts)

    image = built_once(f"mlperf {task} {board} {energy}", build)
    return image, load_graph(image.with_name(f"{task}.tflite"))


def _made(folder: Path, board: Board, texts: dict[str, str]) -> Path:
    texts = texts | board_sources(board)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return _linked(folder, board, [name for name in texts if name.endswith(".c")])


STREAM_FRAMES, STREAM_FILTERS = 3, 40
STREAM = f"""\
[log_mel]
preset = "mlperf_sww"
[cascade]
frames = {STREAM_FRAMES}
[classifier]
model = "sww.tflite"
rounding = "none"
[decision]
labels = ["wake_word", "silent", "other"]
threshold = 0.9
"""


def streaming_app(folder: Path, threshold: float) -> Path:
    """The folder, with an app of the streaming task's front end and a small model."""
    network = Network(5, (1, STREAM_FRAMES * STREAM_FILTERS), 0.0037, -128)
    network.dense(6, "relu", per_channel=False)
    network.dense(3, bias=False)
    network.softmax()
    network.save(folder / "sww.tflite")
    (folder / "pipeline.toml").write_text(STREAM.replace("threshold = 0.9", f"threshold = {threshold}"))
    return folder


def streaming_image(board: str = "pc", threshold: float = 0.9, *, energy: bool = False) -> tuple[Path, Graph]:
    """An app with the streaming task's front end, and its model. board: also DIARY."""

    def build(folder: Path) -> Path:
        compiled = compile_app(streaming_app(folder, threshold))
        texts = sources(compiled) | mlperf_source("sww", compiled.graph, compiled.spec, energy=energy)
        return _made(folder, _board(board), texts)

    image = built_once(f"mlperf sww {board} {threshold} {energy}", build)
    return image, load_graph(image.with_name("sww.tflite"))


def _linked(folder: Path, board: Board, made: list[str]) -> Path:
    rooms = [
        "device",
        "device/no_capture",
        "device/one_model",
        "device/unsmoothed",
        "mlperf",
        "pipeline",
        *([f"port/{board.port}"] if board.port != DIARY else []),
        *([] if board.hosted else ["port/cortex_m"]),
    ]
    files = [folder / name for name in made] + [protocol_table(folder)]
    files += [file for room in rooms for file in sorted((FIRMWARE / room).glob("*.c"))]
    files += [Path(__file__).with_name("diary_port.c")] if board.port == DIARY else []
    files.remove(FIRMWARE / "device" / "main.c")
    flags = [*WARNINGS, "-ffunction-sections", "-fdata-sections", f"-I{FIRMWARE}", f"-I{folder}"]
    if board.hosted:
        gcc, image = need_tool("gcc"), folder / "firmware"
        # The sanitizers end the program at the first wrong access: every test watches memory too.
        flags += ["-Og", "-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-Wl,--build-id=sha1"]
    else:
        gcc, image = need_tool("arm-none-eabi-gcc"), folder / "firmware.elf"
        flags += [f"-mcpu={board.core}", "-mthumb", "-mgeneral-regs-only", f"-mfpu={board.fpu}"]
        flags += [
            "-O2",
            "-mfloat-abi=hard",
            "-nostartfiles",
            "--specs=nano.specs",
            f"-T{folder / 'linker.ld'}",
        ]
        flags += ["-Wl,--gc-sections,--build-id=sha1,--fatal-warnings"]
    command = [gcc, *flags, *map(str, files), "-o", str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    if not board.hosted:
        fill_checksum(image)
    return image


def stimuli(folder: Path, task: str, count: int = 6) -> Path:
    """Random inputs of the task's small model in the layout of the benchmark's datasets; of `ad` files of
    three windows each."""
    inputs, outputs = SIZES[task]
    random = np.random.default_rng(3)
    folder.mkdir(parents=True)
    rows = []
    for index in range(count):
        if task == "ad":
            data = random.normal(0, 40, inputs + 2 * 8).astype("<f4").tobytes()
            rows.append(f"{index}.bin,2,{index % 2},{4 * inputs},{4 * 8}")
        else:
            data = random.integers(0, 256, inputs, np.uint8).tobytes()
            rows.append(f"{index}.bin,{outputs},{index % outputs}")
        (folder / f"{index}.bin").write_bytes(data)
    (folder / "y_labels.csv").write_text("\n".join(rows) + "\n")
    return folder
