# SPDX-License-Identifier: Apache-2.0
"""The streaming task: sound over the serial line, features as float64 has them, scores as LiteRT's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codegen.app.presets import LOG_MEL_PRESETS
from codegen.app.spec import Window
from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.model.graph import Graph
from tests.reference.log_mel import log_mel
from tests.support.benchmark import STREAM_FILTERS, STREAM_FRAMES, streaming_image
from tests.support.tools import need_target
from workbench.mlperf.dialogue import Dialogue
from workbench.mlperf.link import benchmark_link
from workbench.targets import Microphone, QemuOptions
from workbench.targets.qemu import qemu_link
from workbench.verify.reference import ReferenceInterpreter

STRIDE, BOARD = 512, "mps2_an386"


@pytest.fixture(params=["pc", BOARD])
def stream(request: pytest.FixtureRequest) -> Iterator[tuple[Dialogue, Graph]]:
    board = request.param
    need_target("pc" if board == "pc" else "qemu")
    image, graph = streaming_image(board)
    link = benchmark_link("pc" if board == "pc" else "qemu", load_board(board), image)
    yield Dialogue(link, board), graph
    link.close()


def test_sound_over_the_line_becomes_features_and_scores(stream: tuple[Dialogue, Graph]) -> None:
    dialogue, graph = stream
    random = np.random.default_rng(4)
    sound = (random.normal(0, 1, 8 * STRIDE) * np.repeat([3, 900, 9000, 40], 2 * STRIDE)).astype("<i2")
    found = [dialogue.extract(sound[at : at + STRIDE].tobytes()) for at in range(0, len(sound), STRIDE)]
    features = np.array([row for row, _ in found])
    preset = LOG_MEL_PRESETS["mlperf_sww"]
    padded = np.concatenate([np.zeros(STRIDE, np.int16), sound])
    logarithms = log_mel(16000, Window(1024, STRIDE), 1024, preset.front_end, padded)
    exact = np.floor(255 * (logarithms + 52) / 64).clip(0, 255) - 128
    assert features.shape == exact.shape == (8, STREAM_FILTERS)
    assert np.abs(features - exact).max() <= 1
    assert len(np.unique(features)) > 60
    frames = np.concatenate([np.zeros((STREAM_FRAMES - 1, STREAM_FILTERS)), features]).astype(np.int8)
    inputs = np.array([frames[at : at + STREAM_FRAMES].reshape(-1) for at in range(8)])
    with ReferenceInterpreter(Path("small.tflite"), content=graph.content) as model:
        scores = np.asarray(model.run(inputs.reshape(8, *graph.input.shape[1:]))).reshape(8, -1)
    assert [list(scores_) for _, scores_ in found] == scores.tolist()


def test_a_damaged_piece_is_sent_again(stream: tuple[Dialogue, Graph]) -> None:
    dialogue, _ = stream
    assert dialogue.ask("db load 8") == ["Received command: db load 8", "m-[expecting 8 bytes]"]
    assert dialogue.ask("db 01020304")[1:] == ["4 bytes received"]
    assert dialogue.ask("db getptr")[1:] == ["m-buff-ptr-4"]
    dialogue.ask("db setptr 2")
    assert dialogue.ask("db 0a0b0c0d0e0f")[1:] == ["m-load-done"]
    assert dialogue.ask("db print 10")[1:] == ["m-buffer-01-02-0a-0b-0c-0d-0e-0f", "m-buffer-00-00"]
    with pytest.raises(UserError, match="setptr takes 0 to 8"):
        dialogue.ask("db setptr 9")
    with pytest.raises(UserError, match="the model takes 1024 bytes"):
        dialogue.ask("db load 1026")


def test_what_has_no_meaning_here_is_refused(stream: tuple[Dialogue, Graph]) -> None:
    dialogue, _ = stream
    assert dialogue.identify().model == "sww01"
    with pytest.raises(UserError, match="sound of `db` is wanted"):
        dialogue.ask("extract_uart_stream")
    with pytest.raises(UserError, match="no microphone with this sample rate"):
        dialogue.ask("start")
    assert dialogue.ask("stop")[1:] == ["not streaming"]
    assert dialogue.ask("print_detections")[1:] == ["Detection Timestamps (ms)"]
    with pytest.raises(UserError, match="unknown command: infer"):
        dialogue.ask("infer 1 0")


def detections(tmp_path: Path, threshold: float, least: int) -> list[int]:
    """Milliseconds since `start`, once there are `least`, of two seconds of silence over and over."""
    need_target("qemu")
    sound = tmp_path / "sound.s16le"
    sound.write_bytes(bytes(2 * 16000))
    image, _ = streaming_image(BOARD, threshold)
    link = qemu_link(load_board(BOARD), image, QemuOptions(Microphone(sound, 16000, endless=True)))
    try:
        dialogue = Dialogue(link, BOARD)
        assert dialogue.ask("start")[-1] == "streaming"
        lines: list[str] = []
        for _ in range(20_000):  # emulated time passes meanwhile
            lines = dialogue.ask("print_detections")[1:]
            if len(lines) > least:
                break
        assert lines[0] == "Detection Timestamps (ms)"
        with pytest.raises(UserError, match="and no `start`"):
            dialogue.ask("extract_uart_stream")
        assert dialogue.ask("stop")[-1] == "streaming stopped"
        assert all(line.endswith(",") for line in lines[1:])
        return [int(line[:-1]) for line in lines[1:]]
    finally:
        link.close()


def test_it_listens_to_the_microphone(tmp_path: Path) -> None:
    """The first window since `start` counts, whatever is heard: the runner times the rest from it."""
    (first,) = detections(tmp_path, threshold=1, least=1)
    assert first >= 32


def test_what_reaches_the_first_labels_threshold_is_a_detection(tmp_path: Path) -> None:
    """At 0 every window does; none comes earlier than its sound. A busy computer makes it later."""
    times = detections(tmp_path, threshold=0, least=5)
    assert len(times) >= 5
    assert times == sorted(set(times))
    assert all(time >= 32 * number for number, time in enumerate(times, start=1))
