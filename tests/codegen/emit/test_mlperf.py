# SPDX-License-Identifier: Apache-2.0
"""What an image for MLPerf Tiny is told: levels as printf rounds them, and models that are not of a task."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codegen.app.spec import Classifier, Spec
from codegen.app.spec_file import load_spec
from codegen.board.description import board_names, load_board
from codegen.board.pins import Pin
from codegen.common.errors import UserError
from codegen.common.paths import BOARDS
from codegen.emit.mlperf import TASKS, check_energy, mlperf_source, values
from codegen.model.graph import Graph, Quantization, Tensor
from toolbox.options import read_options

MODEL = Spec("model", Path("pipeline.toml"), Classifier(Path("model.tflite")), None)


def graph(
    inputs: int, outputs: int, dtype: str = "int8", scale: float = 1 / 256, zero_point: int = -128
) -> Graph:
    quantization = Quantization((scale,), (zero_point,))
    ends = (
        Tensor(0, "in", (1, inputs), dtype, quantization),
        Tensor(1, "out", (1, outputs), "int8", quantization),
    )
    return Graph("model", "0" * 64, ends, (), (0,), (1,))


@pytest.mark.parametrize(("scale", "zero_point"), [(1 / 256, -128), (0.36449846625328064, 96), (0.0313, 3)])
def test_levels_are_rounded_as_printf_rounds(scale: float, zero_point: int) -> None:
    found = values(graph(1, 1, scale=scale, zero_point=zero_point).output, 1000)
    for level, value in zip(range(-128, 128), found, strict=True):
        exact = np.float32(level - zero_point) * np.float32(scale)
        assert f"{value / 1000:.3f}" == f"{exact:.3f}".replace("-0.000", "0.000")


def test_halves_go_to_the_even_one() -> None:
    found = values(graph(1, 1).output, 1000)
    assert found[16] == 62  # 16/256 = 0.0625
    assert found[48] == 188  # 0.1875


def test_models_that_are_not_of_a_task_are_refused() -> None:
    with pytest.raises(UserError, match="its input is float32; the task kws of MLPerf Tiny takes int8"):
        mlperf_source("kws", graph(490, 12, "float32"), MODEL)
    two = replace(graph(490, 12), outputs=(1, 1))
    with pytest.raises(UserError, match="1 inputs and 2 outputs; MLPerf Tiny's runner knows one of each"):
        mlperf_source("kws", two, MODEL)
    with pytest.raises(UserError, match="640 inputs and 8 outputs; the task ad compares them"):
        mlperf_source("ad", graph(640, 8), MODEL)
    with pytest.raises(UserError, match="1025 inputs"):
        mlperf_source("ad", graph(1025, 1025), MODEL)


def test_the_streaming_task_wants_an_app() -> None:
    with pytest.raises(UserError, match="is a model alone; the task sww of MLPerf Tiny needs an app"):
        mlperf_source("sww", graph(1200, 3), MODEL)


@pytest.mark.parametrize(
    ("text", "place"), [("slide = false", "[cascade] slide"), ("every = 2", "[cascade] every")]
)
def test_the_app_s_own_file_is_named(tmp_path: Path, text: str, place: str) -> None:
    """Wherever its model lies."""
    app = tmp_path / "app" / "pipeline.toml"
    app.parent.mkdir()
    app.write_text(
        f'[log_mel]\npreset = "mlperf_sww"\n[cascade]\nframes = 30\n{text}\n'
        '[classifier]\nmodel = "../models/sww.tflite"\n[decision]\nlabels = ["a", "b"]\nthreshold = 0.9\n'
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "sww.tflite").touch()
    with pytest.raises(UserError) as caught:
        mlperf_source("sww", graph(1200, 3), load_spec(app))
    assert (caught.value.file, caught.value.place) == (str(app), place)


@pytest.mark.parametrize("task", [task for task in TASKS if not TASKS[task].streams])
def test_each_task_says_how_its_inputs_come(task: str) -> None:
    inputs = 640 if task == "ad" else 12
    text = mlperf_source(task, graph(inputs, inputs), MODEL)["mlperf.c"]
    assert f'.model = "{"ic02" if task == "ic2" else f"{task}01"}"' in text
    assert f".flipped = {'0x80' if task in ('ic', 'ic2', 'vww') else '0'}," in text
    assert f".size = {4 * inputs if task == 'ad' else inputs}," in text
    assert f".levels = {'mlperf_levels' if task == 'ad' else 'NULL'}," in text


def test_values_stay_within_what_the_c_takes() -> None:
    """distance.h: 8191 either way, in 65536ths."""
    found = values(graph(1, 1, scale=200.0, zero_point=-128).output, 1 << 16)
    assert (found[0], found[1], found[-1]) == (0, 200 << 16, 8191 << 16)
    assert max(values(graph(1, 1, scale=1e6, zero_point=0).output, 1000)) == 2**31 - 1


def test_the_energy_mode_names_pins_by_what_the_board_calls_them() -> None:
    """So the same text serves every board; 9600 baud is what the benchmark's reference images have."""
    text = mlperf_source("kws", graph(490, 12), MODEL, energy=True)["mlperf.c"]
    assert ".baud = 9600," in text
    assert ".timestamp = {BOARD_MLPERF_TIMESTAMP_PORT, BOARD_MLPERF_TIMESTAMP_PIN}," in text
    assert ".energy = &mlperf_energy," in text
    assert ".energy = NULL," in mlperf_source("kws", graph(490, 12), MODEL)["mlperf.c"]


@pytest.mark.parametrize("task", TASKS)
def test_every_board_that_ships_or_is_emulated_has_the_pins(task: str) -> None:
    for board in map(load_board, board_names()):
        if not board.hosted:
            check_energy(task, board)


def test_a_board_without_the_pins_is_refused() -> None:
    with pytest.raises(UserError, match="this computer has none") as caught:
        check_energy("kws", load_board("pc"))
    assert caught.value.file == str(load_board("pc").file)
    board = load_board("nano33ble")
    pins = tuple((name, pin) for name, pin in board.pins if name != "mlperf_processing")
    check_energy("kws", replace(board, pins=pins))
    with pytest.raises(UserError, match=r"\[pins\] lacks mlperf_processing") as caught:
        check_energy("sww", replace(board, pins=pins))
    assert "mlperf_timestamp, mlperf_processing, mlperf_detected" in str(caught.value.remedy)


def test_pins_of_the_energy_mode_are_nobody_else_s(tmp_path: Path) -> None:
    """A heir of a board may give them others; on the serial line's pin there is no room."""
    own = tmp_path / "own" / "board.toml"
    for name in ("nrf52840dk", "mps2_an386", "own"):
        (tmp_path / name).mkdir()
    for name in ("nrf52840dk", "mps2_an386"):
        for file in (BOARDS / name).iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    own.write_text('name = "own"\ninherits = "nrf52840dk"\n[pins]\nmlperf_timestamp = "P0.06"\n')
    with pytest.raises(UserError, match=r"uart_tx is on the pin P0\.06 already") as caught:
        load_board("own", tmp_path)
    assert caught.value.place == "line 4, [pins] mlperf_timestamp"
    own.write_text('name = "own"\ninherits = "nrf52840dk"\n[pins]\nmlperf_timestamp = "P1.08"\n')
    assert dict(load_board("own", tmp_path).pins)["mlperf_timestamp"] == Pin(1, 8)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"mode": "energy"}, "mode= is of an image for MLPerf Tiny, and this is none"),
        ({"mlperf": "kws", "mode": "e"}, "mode=e is not allowed"),
        ({"mlperf": "kws", "mode": "energy", "board": "pc"}, "this computer has none"),
    ],
)
def test_modes_that_are_none_are_refused(words: dict[str, str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        read_options({"board": "xg24", **words}, (), Path())


def test_an_energy_image_lies_beside_the_other() -> None:
    options = [
        read_options({"board": "xg24", "mlperf": "kws", "mode": mode}, (), Path())
        for mode in ("performance", "energy")
    ]
    assert [one.energy for one in options] == [False, True]
    assert [one.folder.name for one in options] == ["smart_lock-mlperf-kws", "smart_lock-mlperf-kws-energy"]
