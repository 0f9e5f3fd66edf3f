# SPDX-License-Identifier: Apache-2.0
"""The benchmark's serial interface: its lines, inputs as its datasets have them, results as LiteRT's."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.model.graph import Graph
from tests.support.benchmark import SIZES, benchmark_image
from tests.support.tools import need_target
from workbench.mlperf.dialogue import Dialogue
from workbench.mlperf.link import benchmark_link
from workbench.targets import QemuOptions
from workbench.targets.qemu import qemu_link
from workbench.verify.reference import ReferenceInterpreter

BOARDS = ("pc", "mps2_an386")


def answers(image: Path, text: bytes) -> list[list[str]]:
    """What the image says to `text`: the lines before each `m-ready`, the first those of its start."""
    done = subprocess.run([image], input=text, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.endswith(b"m-ready\r\n")
    groups = done.stdout.decode("ascii").removesuffix("m-ready\r\n").split("m-ready\r\n")
    assert all(group == "" or group.endswith("\r\n") for group in groups)
    return [group.splitlines() for group in groups]


@pytest.fixture
def dialogue(request: pytest.FixtureRequest) -> Iterator[tuple[Dialogue, Graph, str]]:
    """param: (task, board)"""
    task, board = request.param
    need_target("pc" if board == "pc" else "qemu")
    image, graph = benchmark_image(task, board)
    link = benchmark_link("pc" if board == "pc" else "qemu", load_board(board), image)
    yield Dialogue(link, board), graph, task
    link.close()


def printed(values: NDArray[np.int8], graph: Graph) -> list[float]:
    """As C's printf prints the float32 of each level."""
    quantization = graph.output.quantization
    assert quantization is not None
    levels = (values.astype(np.int32) - quantization.zero_point).astype(np.float32)
    return [float(f"{value:.3f}") for value in levels * np.float32(quantization.scale)]


def expected(graph: Graph, rows: NDArray[np.int8]) -> NDArray[np.int8]:
    """LiteRT's outputs for rows of inputs."""
    with ReferenceInterpreter(Path("small.tflite"), content=graph.content) as model:
        return np.asarray(model.run(rows.reshape(-1, *graph.input.shape[1:]))).reshape(len(rows), -1)


@pytest.mark.parametrize("board", BOARDS)
def test_the_lines_are_those_that_the_runner_looks_for(board: str) -> None:
    need_target("pc" if board == "pc" else "qemu")
    image, _ = benchmark_image("kws", board)
    link = benchmark_link("pc" if board == "pc" else "qemu", load_board(board), image)
    try:
        said = b""
        while said.count(b"m-ready\r\n") < 1:
            said += link.receive(10)
        link.send(b"name%profile%db load 40%db 00ff%timestamp%infer 2 1%")
        while said.count(b"m-ready\r\n") < 7:
            said += link.receive(10)
    finally:
        link.close()
    text = re.sub(r"m-lap-us-\d+", "m-lap-us-N", said.decode())
    text = re.sub(r"m-results-\[.*\]", "m-results-[...]", text)
    assert text.split("\r\n") == [
        "m-timestamp-mode-performance",
        "m-lap-us-N",
        "m-init-done",
        "m-ready",
        f"m-name-dut-[{board}]",
        "m-ready",
        "m-profile-[ULPMark for tinyML Firmware V0.0.1]",
        "m-model-[kws01]",
        "m-ready",
        "m-[expecting 40 bytes]",
        "m-ready",
        "m-ready",
        "m-lap-us-N",
        "m-ready",
        "e-[infer: part of the input is missing]",
        "m-ready",
        "",
    ]


def test_as_many_inferences_are_measured_as_are_asked_for() -> None:
    """In emulated time, which depends on instructions alone; warmups are not measured."""
    need_target("qemu")
    board = "mps2_an386"
    image, model = benchmark_image("kws", board)
    link = qemu_link(load_board(board), image, QemuOptions(icount=5))
    try:
        dialogue = Dialogue(link, board)
        dialogue.load(bytes(model.input.size))
        wanted = ((20, 0), (200, 0), (200, 50))
        micros = {(count, warm): dialogue.infer(count, warm).micros or 0 for count, warm in wanted}
    finally:
        link.close()
    assert micros[20, 0] > 100
    assert micros[200, 0] == pytest.approx(10 * micros[20, 0], rel=0.1)
    assert micros[200, 50] == pytest.approx(micros[200, 0], rel=0.1)


def test_an_inference_has_its_lines_in_order() -> None:
    image, _ = benchmark_image("kws")
    half = b"db " + 20 * b"7f" + b"%"
    _, *lines = answers(image, b"db load 40%" + 2 * half + b"infer 3 2%results%infer%")
    text = [re.sub(r"m-lap-us-\d+", "m-lap-us-N", line) for line in lines[3]]
    assert lines[1:3] == [[], ["m-load-done"]]
    assert text[:-1] == [
        "m-warmup-start-2",
        "m-warmup-done",
        "m-infer-start-3",
        "m-lap-us-N",
        "m-lap-us-N",
        "m-infer-done",
    ]
    assert re.fullmatch(r"m-results-\[(\d\.\d{3},){4}\d\.\d{3}\]", text[-1])
    assert lines[4] == [text[-1]]
    assert lines[5][0] == "m-warmup-start-10"
    assert lines[5][2] == "m-infer-start-1"


@pytest.mark.parametrize("dialogue", [("kws", "pc"), ("kws", "mps2_an386")], indirect=True)
def test_int8_inputs_go_in_as_they_are(dialogue: tuple[Dialogue, Graph, str]) -> None:
    image, graph, _ = dialogue
    rows = np.random.default_rng(1).integers(-128, 128, (4, graph.input.size)).astype(np.int8)
    for data, found in zip(rows, expected(graph, rows), strict=True):
        image.load(data.tobytes())
        assert list(image.infer(2).results) == printed(found, graph)


@pytest.mark.parametrize("dialogue", [("ic", "pc"), ("vww", "pc")], indirect=True)
def test_pixels_lose_128(dialogue: tuple[Dialogue, Graph, str]) -> None:
    image, graph, _ = dialogue
    rows = np.random.default_rng(1).integers(0, 256, (4, graph.input.size)).astype(np.uint8)
    outputs = expected(graph, (rows.astype(np.int16) - 128).astype(np.int8))
    for data, found in zip(rows, outputs, strict=True):
        image.load(data.tobytes())
        assert list(image.infer().results) == printed(found, graph)
        assert image.ask("db print 3") == [f"m-buffer-{data[0]:02x}-{data[1]:02x}-{data[2]:02x}"]


@pytest.mark.parametrize("dialogue", [("ad", "pc"), ("ad", "mps2_an386")], indirect=True)
def test_an_anomaly_is_the_mean_of_squared_differences(dialogue: tuple[Dialogue, Graph, str]) -> None:
    image, graph, _ = dialogue
    ends = graph.input.quantization, graph.output.quantization
    assert ends[0] is not None
    assert ends[1] is not None
    spreads = np.array([0.01, 3, 60, 3000])
    rows = np.random.default_rng(1).normal(0, spreads[:, None], (4, graph.input.size)).astype("<f4")
    quotient = (rows / np.float32(ends[0].scale)).astype(np.float64)
    rounded = np.trunc(quotient + np.copysign(0.5, quotient)) + ends[0].zero_point
    outputs = expected(graph, np.clip(rounded, -128, 127).astype(np.int8)).astype(np.float64)
    floats = (outputs - ends[1].zero_point) * ends[1].scale
    for data, exact in zip(rows, np.mean((floats - rows.astype(np.float64)) ** 2, axis=1), strict=True):
        image.load(data.tobytes())
        (score,) = image.infer().results
        assert score == pytest.approx(exact, rel=2e-6, abs=6e-4)


WRONG = {
    "nonsense": "e-[unknown command: nonsense]",
    "db": "e-[db takes `load N`, `print [N]` or hexadecimal digits]",
    "db load": "e-[db load: the model takes 40 bytes]",
    "db load 41": "e-[db load: the model takes 40 bytes]",
    "db load 4000000000": "e-[db load: the model takes 40 bytes]",
    "db 0": "e-[db: an even number of hexadecimal digits is wanted]",
    "db 0g": "e-[db: an even number of hexadecimal digits is wanted]",
    "db 0011": "e-[db: bytes that are missing: 0]",
    "db print x": "e-[db print takes a number of bytes]",
    "infer 0": "e-[infer takes a number of inferences, at least 1, and one of warmups]",
    "infer 1 -1": "e-[infer takes a number of inferences, at least 1, and one of warmups]",
    "infer 1 1 1": "e-[a command has at most 3 words]",
    "db " + 40 * "ab": "e-[a command has at most 79 characters]",
}


def test_what_is_wrong_is_said_and_changes_nothing() -> None:
    image, _ = benchmark_image("kws")
    lines = answers(image, b"".join(f"{command}%".encode() for command in WRONG))
    assert lines[1:] == [[reason] for reason in WRONG.values()]


def test_part_of_a_damaged_piece_is_not_taken() -> None:
    image, _ = benchmark_image("kws")
    text = b"db load 40%db 010203%db 0405zz%db 0405%db " + 36 * b"11" + b"%db print 6%db " + 35 * b"22" + b"%"
    lines = answers(image, text)
    assert lines[5] == ["e-[db: bytes that are missing: 35]"]
    assert lines[6] == ["m-buffer-01-02-03-04-05-00"]
    assert lines[7] == ["m-load-done"]


def test_line_ends_and_blanks_mean_nothing() -> None:
    image, _ = benchmark_image("kws")
    assert answers(image, b"\r\n  name \r\n%%\n%")[1:] == [["m-name-dut-[pc]"], [], []]


def test_garbage_gets_an_answer_for_each_end() -> None:
    image, _ = benchmark_image("kws")
    random = np.random.default_rng(5)
    words = [
        b"db",
        b"load",
        b"infer",
        b"print",
        b"results",
        b"40",
        b"ff",
        b" ",
        b"%",
        b"\0",
        b"\xff",
        90 * b"a",
    ]
    text = b"".join(words[index] for index in random.integers(0, len(words), 4000))
    assert len(answers(image, text)) == 1 + text.count(b"%")


def test_a_wrong_size_is_refused_by_name() -> None:
    image, _ = benchmark_image("kws")
    link = benchmark_link("pc", load_board("pc"), image)
    try:
        with pytest.raises(UserError, match="the model takes 40 bytes"):
            Dialogue(link, "pc").load(bytes(SIZES["ic"][0]))
    finally:
        link.close()
