# SPDX-License-Identifier: Apache-2.0
"""The benchmark's energy mode: which pin falls and rises when, and that times are no text any more."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from codegen.board.description import load_board
from tests.support.benchmark import DIARY, DIARY_PINS, benchmark_image, streaming_image
from tests.support.tools import need_target
from workbench.mlperf.dialogue import Dialogue
from workbench.targets import Microphone, QemuOptions
from workbench.targets.qemu import qemu_link

STRIDE = 512
INPUT = b"db load 40%" + 2 * (b"db " + 20 * b"7f" + b"%")
NAMES = {pin: name for name, pin in DIARY_PINS.items()}


@dataclass(frozen=True)
class Entry:
    """A line of the diary. kind: "output", "text", "feed", "rate", or a pin's name. level: of a pin; quiet:
    microseconds since the last byte went out, 0 while there are more."""

    micros: int
    kind: str
    text: str = ""
    level: int = -1
    quiet: int = 0


def diary(image: Path, commands: bytes, **environment: str) -> list[Entry]:
    """What the program did while it obeyed."""
    done = subprocess.run(
        [image],
        input=commands,
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()[-2000:]
    entries = []
    for line in done.stdout.decode().splitlines():
        micros, kind, *rest = line.split(" ", 2)
        if kind == "pin":
            found = re.fullmatch(r"(\d\.\d\d) ([01]), quiet (\d+)", rest[0])
            assert found is not None
            entries.append(Entry(int(micros), NAMES[found[1]], level=int(found[2]), quiet=int(found[3])))
        else:
            entries.append(Entry(int(micros), kind, "".join(rest)))
    return entries


def without_feeds(entries: list[Entry]) -> list[str]:
    """In words: what is text, else what happened."""
    return [
        entry.text if entry.kind == "text" else f"{entry.kind} {entry.text or entry.level}"
        for entry in entries
        if entry.kind != "feed"
    ]


def edges(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.level >= 0]


def test_a_start_sets_the_pin_and_the_rate_then_says_its_mode() -> None:
    """The pin is high before its first fall: it is the rise, or the fall, that a monitor counts."""
    entries = diary(benchmark_image("kws", DIARY, energy=True)[0], b"profile%timestamp%")
    assert without_feeds(entries) == [
        "output 1.03 1",
        "rate 9600",
        "m-timestamp-mode-energy",
        "timestamp 0",
        "timestamp 1",
        "m-init-done",
        "m-ready",
        "m-profile-[ULPMark for tinyML Firmware V0.0.1]",
        "m-model-[kws01]",
        "m-ready",
        "timestamp 0",
        "timestamp 1",
        "m-ready",
    ]


def test_nothing_but_inferences_lies_between_the_two_pulses() -> None:
    entries = diary(benchmark_image("kws", DIARY, energy=True)[0], INPUT + b"infer 30 2%")
    first = next(at for at, entry in enumerate(entries) if entry.text == "m-infer-start-30")
    last = next(at for at, entry in enumerate(entries) if entry.text == "m-infer-done")
    fall, rise, second_fall, second_rise = edges(entries[first:last])
    assert [edge.level for edge in (fall, rise, second_fall, second_rise)] == [0, 1, 0, 1]
    between = entries[entries.index(rise) + 1 : entries.index(second_fall)]
    assert [entry.kind for entry in between] == 30 * ["feed"]
    assert not any(entry.text.startswith("m-lap") for entry in entries)


def test_pulses_last_a_tenth_of_a_millisecond_on_a_silent_line() -> None:
    """The first one comes when all that was said is out, and a UART's own bytes had their time, too."""
    entries = diary(benchmark_image("kws", DIARY, energy=True)[0], INPUT + b"infer 3 0%")
    first = next(at for at, entry in enumerate(entries) if entry.text == "m-infer-start-3")
    pulses = edges(entries[first:])
    assert len(pulses) == 4
    for fall, rise in (pulses[:2], pulses[2:]):
        assert 100 <= rise.micros - fall.micros <= 110
    assert 18 * 10 * 1_000_000 // 9600 <= pulses[0].quiet < 25 * 10 * 1_000_000 // 9600


def test_the_performance_mode_touches_no_pin_and_no_rate() -> None:
    entries = diary(benchmark_image("kws", DIARY)[0], INPUT + b"infer 3 0%timestamp%")
    assert {entry.kind for entry in entries} == {"text", "feed"}
    assert sum(entry.text.startswith("m-lap-us-") for entry in entries) == 4
    assert without_feeds(entries)[0] == "m-timestamp-mode-performance"


def test_a_line_without_that_rate_is_told() -> None:
    entries = diary(benchmark_image("kws", DIARY, energy=True)[0], b"", NO_RATE="1")
    assert "e-[the serial line does not have 9600 baud]" in without_feeds(entries)


@pytest.mark.parametrize(("threshold", "windows"), [(1, 1), (0, 4)])
def test_the_stream_shows_when_it_computes_and_what_it_hears(
    tmp_path: Path, threshold: float, windows: int
) -> None:
    """The first window counts as heard whatever it is, as in the reference; at the threshold 0 each does."""
    sound = tmp_path / "sound.s16le"
    sound.write_bytes(np.random.default_rng(3).normal(0, 900, 4 * STRIDE).astype("<i2").tobytes())
    image, _ = streaming_image(DIARY, threshold, energy=True)
    # The image listens while commands come: one that is empty for each block of 64 samples.
    entries = diary(image, b"start%" + 40 * b"%" + b"stop%print_detections%", SOUND=str(sound))
    start = next(at for at, entry in enumerate(entries) if entry.text == "Received command: start")
    found = edges(entries[start:])
    words = [f"{edge.kind} {edge.level}" for edge in found]
    pulse = ["timestamp 0", "timestamp 1"]
    heard = ["processing 1", "detected 0", "detected 1", "processing 0"]
    silent = ["processing 1", "processing 0"]
    computed = windows * heard + (4 - windows) * silent
    assert words == [*pulse, "processing 1", "processing 0", *computed, *pulse]
    detected = [edge for edge in found if edge.kind == "detected"]
    assert all(
        rise.micros - fall.micros >= 1 for fall, rise in zip(detected[::2], detected[1::2], strict=True)
    )
    rises = [edge.micros for edge in found if edge.kind == "processing" and edge.level == 1][1:]
    assert np.all(np.abs(np.diff(rises) - 32_000) < 2_000)
    assert without_feeds(entries)[:4] == ["output 1.03 1", "output 1.04 0", "output 1.05 1", "rate 115200"]
    assert sum(entry.text.endswith(",") for entry in entries) == windows


def writes(log: Path, board: str) -> list[tuple[int, int]]:
    """(offset in FPGAIO, value) of each write, in their order."""
    found = re.findall(r"offset 0x([0-9a-f]+) data 0x([0-9a-f]+)", log.read_text())
    assert found, f"{board} wrote nothing"
    return [(int(offset, 16), int(value, 16)) for offset, value in found]


@pytest.mark.parametrize("board", ["mps2_an386", "mps2_an505"])
def test_the_emulated_pin_falls_and_rises_twice_an_inference(tmp_path: Path, board: str) -> None:
    need_target("qemu")
    image, graph = benchmark_image("kws", board, energy=True)
    link = qemu_link(load_board(board), image, QemuOptions(pins=tmp_path / "pins.log"))
    try:
        dialogue = Dialogue(link, board)
        assert dialogue.identify().model == "kws01"
        dialogue.load(bytes(graph.input.size))
        inference = dialogue.infer(5, 1)
        assert dialogue.ask("timestamp") == []
    finally:
        link.close()
    assert inference.micros is None
    assert len(inference.results) == graph.output.size
    # High; at the start, around the inferences and for `timestamp` low and high.
    assert writes(tmp_path / "pins.log", board) == [(0, 1), *4 * [(0, 0), (0, 1)]]


def test_the_emulated_stream_has_its_three_pins(tmp_path: Path) -> None:
    need_target("qemu")
    board, sound = "mps2_an386", tmp_path / "sound.s16le"
    sound.write_bytes(bytes(2 * 16000))
    image, _ = streaming_image(board, 1, energy=True)
    options = QemuOptions(Microphone(sound, 16000, endless=True), pins=tmp_path / "pins.log")
    link = qemu_link(load_board(board), image, options)
    try:
        dialogue = Dialogue(link, board)
        assert dialogue.ask("start")[-1] == "streaming"
        while len(dialogue.ask("print_detections")) < 3:
            pass
        assert dialogue.ask("stop")[-1] == "streaming stopped"
    finally:
        link.close()
    timestamp, processing, detected = 1, 2, 1 << 8
    found = writes(tmp_path / "pins.log", board)
    assert found[:3] == [(0, timestamp), (0, timestamp), (0x4C, detected)]
    levels = [value for offset, value in found[3:] if offset == 0]
    # Start; `start`, and a pulse that aligns the records; then the first window, in which something is heard.
    opening = [0, timestamp, 0, timestamp, timestamp | processing, timestamp]
    assert levels[: len(opening)] == opening
    windows = levels[len(opening) : -2]
    assert windows == len(windows) // 2 * [timestamp | processing, timestamp]
    assert levels[-2:] == [0, timestamp]
    assert [value for offset, value in found if offset == 0x4C] == [detected, 0, detected]
