# SPDX-License-Identifier: Apache-2.0
"""The serial lines of whole images, on this computer and in QEMU: what docs/protocol.md promises."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import zlib
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from codegen.app.contract import feature_contract
from codegen.common import protocol
from codegen.common.errors import UserError
from codegen.common.version import VERSION
from tests.support.doors import board_of, errors, heard, open_hashing, open_image, quiet
from tests.support.expected import expected_lines
from tests.support.images import (
    HASHING,
    PAYLOADS,
    SCRIPTED_INPUTS,
    SCRIPTED_OUTPUTS,
    SOUND,
    hashing_image,
    scripted_image,
    scripted_output,
)
from tests.support.tools import need_tool
from workbench.protocol.lines import Ack, Boot, Error, Setting, Status, numbered_line, parse_line
from workbench.targets import Device

pytestmark = pytest.mark.xdist_group("images")


# Who is there


def flash_crc(image: Path) -> str:
    """Of what a programmer writes: firmware.bin without the checksum's word and the one after it."""
    binary = image.with_suffix(".bin")
    subprocess.run([need_tool("arm-none-eabi-objcopy"), "-O", "binary", image, binary], check=True)
    return f"{zlib.crc32(binary.read_bytes()[:-8]):08x}"


@pytest.mark.parametrize("door", ["pc", "qemu", "m33"])
def test_the_boot_line_tells_all_that_identifies_the_image(door: str) -> None:
    image = hashing_image(board_of(door))
    with image.open("rb") as file:
        note = ELFFile(file).get_section_by_name(".note.gnu.build-id")
        build = next(note.iter_notes())["n_desc"]
    expected = {
        "boot": "app",
        "board": board_of(door),
        "engine": "test",
        "build": build,
        "model": "0" * 16,
        "input": 12,
        "output": 3,
        "contract": feature_contract(HASHING.spec),
        "rate": 8000,
        "frames": 4,
        "labels": list(HASHING.labels),
        "image": "" if door == "pc" else flash_crc(image),
        "reset": "" if door == "pc" else "power",
        "id": "",
        "version": VERSION,
    }
    with open_image(door, image) as device:
        (line,) = heard(device, b"boot")
    assert line == json.dumps(expected, separators=(",", ":"))


def test_boot_is_said_again(hashing: Device) -> None:
    assert hashing.command("boot") == hashing.boot


def test_a_bare_model_has_no_contract(scripted: Device) -> None:
    (line,) = heard(scripted, b"boot")
    ours = {key.key for key in protocol.BOOT.keys} - {"contract", "rate", "frames", "labels"}
    assert set(json.loads(line)) == ours
    assert (scripted.boot.input, scripted.boot.output) == (SCRIPTED_INPUTS, SCRIPTED_OUTPUTS)
    assert (scripted.boot.contract, scripted.boot.labels) == (None, ())


def test_a_model_that_does_not_start_is_reported_and_not_run() -> None:
    with open_image("pc", scripted_image("pc", start_error=7)) as device:
        refused = Error("model", 7, {"reason": "did not start"}, 5)
        assert errors(heard(device, b"")) == [refused]
        assert errors(heard(device, numbered_line("tensor", 0, b"x"))) == [refused]
        assert errors(heard(device, b"reset")) == [refused]
        assert isinstance(device.command("boot"), Boot)


# Sound in, decisions out


def test_replay_prints_what_the_descriptions_say(hashing: Device) -> None:
    hashing.command("stages off")
    assert list(hashing.replay(SOUND)) == expected_lines(HASHING, SOUND)


def test_every_stage_is_what_the_descriptions_say(hashing: Device) -> None:
    hashing.command("stages on")
    assert list(hashing.replay(SOUND)) == expected_lines(HASHING, SOUND, stages=True)
    hashing.command("stages off")


def test_an_incremental_model_shows_every_input() -> None:
    with open_hashing("pc", incremental=True) as device:
        device.command("stages on")
        expected = expected_lines(HASHING, SOUND, stages=True)
        assert list(device.replay(SOUND)) == expected


def test_replay_starts_afresh_each_time(hashing: Device) -> None:
    first = list(hashing.replay(SOUND[:1000]))
    assert list(hashing.replay(SOUND[:1000])) == first
    assert hashing.status().sequence == 1000 // 64


def test_the_ack_comes_after_the_lines_of_its_samples(hashing: Device) -> None:
    data = b"replay\n" + b"".join(numbered_line("audio", n, piece) for n, piece in enumerate(PAYLOADS))
    lines = heard(hashing, data)
    reported, decisions = 0, 0
    expected = [json.loads(line)["Sequence"] for line in expected_lines(HASHING, SOUND)]
    for line in lines:
        answer = parse_line(line)
        if isinstance(answer, Ack):
            assert answer.number == reported
            samples = min(len(SOUND), reported * 180)
            assert decisions == sum(64 * (sequence + 1) <= samples for sequence in expected)
            reported += 1
        else:
            decisions += 1
    assert reported == len(PAYLOADS) + 1


def test_room_lets_two_lines_and_more_be_on_their_way(hashing: Device) -> None:
    answer = hashing.command("replay")
    assert isinstance(answer, Ack)
    assert answer.number == 0
    assert answer.free >= 2 * 180
    assert answer.free % 180 == 0


def test_audio_without_replay_is_refused() -> None:
    with open_hashing("pc") as device:
        (error,) = errors(heard(device, numbered_line("audio", 0, PAYLOADS[0])))
        assert (error.what, error.more) == ("audio", {"reason": "send replay first"})


# Settings


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        (setting.key + suffix, setting.least, setting.most)
        for setting in protocol.SETTINGS
        for suffix in ([".knock", '.a "quoted" label'] if setting.label else [""])
        if setting.label or setting.key != protocol.THRESHOLD
    ],
)
def test_a_setting_is_taken_in_its_range(hashing: Device, key: str, least: int, most: int) -> None:
    before = hashing.status()[key]
    for value in (least - 1, most + 1):
        answer = hashing.command(f"set {key} {value}")
        assert answer == Error(f"set {key}", value, {"reason": "out of range"}, 7)
        assert hashing.status()[key] == before
    for value in (least, most):
        assert hashing.command(f"set {key} {value}") == Setting(key, value)
        assert hashing.status()[key] == value
    quiet(hashing)


@pytest.mark.parametrize(
    "key", ["gate.treshold", "gate", "decision.threshold.", "decision.threshold.KNOCK", "x" * 60]
)
def test_a_setting_that_does_not_exist_is_refused(hashing: Device, key: str) -> None:
    answer = hashing.command(f"set {key} 5")
    assert answer == Error(f"set {key[:40]}", 5, {"reason": "no such key"}, 6)


def test_one_threshold_sets_every_labels(hashing: Device) -> None:
    hashing.command("set decision.threshold 128")
    status = hashing.status()
    assert [status[f"decision.threshold.{label}"] for label in HASHING.labels] == [128] * 3
    assert {json.loads(line)["Label"] for line in hashing.replay(SOUND)} == {"Unknown"}
    quiet(hashing)


def test_settings_act_and_outlast_replay_and_reset(hashing: Device) -> None:
    other = dataclasses.replace(
        HASHING, gate=dataclasses.replace(HASHING.gate, threshold=450, backoff=0, delay=1), votes=3
    )
    for key, value in (
        ("gate.threshold", 450),
        ("gate.backoff", 0),
        ("gate.delay", 1),
        ("decision.votes", 3),
    ):
        hashing.command(f"set {key} {value}")
    hashing.command("reset")
    assert list(hashing.replay(SOUND)) == expected_lines(other, SOUND)
    quiet(hashing)


# Words


def test_a_board_without_a_microphone_says_so(hashing: Device) -> None:
    answer = hashing.command("live")
    assert answer == Error("live", 8000, {"reason": "no microphone with this sample rate"}, 8)
    assert not hashing.status().live


def test_usage_is_reported(hashing: Device) -> None:
    lines = heard(hashing, b"status now\nstages maybe\nset gate.threshold\nset gate.threshold high")
    reported = [(error.what, error.more["reason"]) for error in errors(lines)]
    assert reported == [("usage", "status"), ("usage", "stages on|off")] + 2 * [("usage", "set KEY VALUE")]


def test_reset_empties_everything_but_the_settings(hashing: Device) -> None:
    hashing.command("set gate.backoff 7")
    list(hashing.replay(SOUND[:500]))
    answer = hashing.command("reset")
    assert isinstance(answer, Status)
    assert (answer.sequence, answer["gate.backoff"]) == (0, 7)
    quiet(hashing)


def test_a_decision_line_fits_its_promise() -> None:
    longest = max(len(line) for line in expected_lines(HASHING, SOUND))
    assert longest + 1 <= 200


# Tensors


def tensor_of(seed: int) -> bytes:
    """Whose first byte means nothing special."""
    return b"\0" + np.random.default_rng(seed).bytes(SCRIPTED_INPUTS - 1)


def test_a_tensor_goes_through_the_model_exactly(scripted: Device) -> None:
    scripted.command("reset")
    for runs in range(3):
        tensor = tensor_of(runs)
        assert scripted.tensor(tensor) == scripted_output(tensor, runs)
    scripted.command("reset")
    assert scripted.tensor(tensor_of(9)) == scripted_output(tensor_of(9), 0)


def test_line_zero_starts_a_new_tensor(scripted: Device) -> None:
    scripted.command("reset")
    old, new = tensor_of(1), tensor_of(2)
    half = b"".join(numbered_line("tensor", n, old[360 * n :][:360]) for n in range(2))
    assert [parse_line(line) for line in heard(scripted, half)][-1:] == [Ack(2, room_of(scripted))]
    assert scripted.tensor(new) == scripted_output(new, 0)


def room_of(device: Device) -> int:
    """Bytes that may be on their way."""
    (line,) = heard(device, numbered_line("tensor", 0, b"x"))
    answer = parse_line(line)
    assert isinstance(answer, Ack)
    return answer.free


def test_too_much_of_a_tensor_is_refused(scripted: Device) -> None:
    scripted.command("reset")
    pieces = [numbered_line("tensor", n, bytes(360)) for n in range(3)]
    lines = heard(scripted, b"".join(pieces))
    parsed = [parse_line(line) for line in lines]
    assert [line.number for line in parsed if isinstance(line, Ack)] == [1, 2, 2]
    assert [(e.what, e.detail) for e in parsed if isinstance(e, Error)] == [("tensor size", SCRIPTED_INPUTS)]


def test_a_models_error_is_reported(scripted: Device) -> None:
    with pytest.raises(UserError, match=r'"model" 42'):
        scripted.tensor(b"\xe1" + bytes(SCRIPTED_INPUTS - 1))
    scripted.command("reset")
    assert scripted.tensor(tensor_of(4)) == scripted_output(tensor_of(4), 0)


def test_a_tensor_of_another_size_is_refused_here(scripted: Device) -> None:
    with pytest.raises(UserError, match=f"999 bytes for an input of {SCRIPTED_INPUTS}"):
        scripted.tensor(bytes(999))


@pytest.mark.parametrize(
    "word", [b"replay", b"live", b"audio 0 AAA= 00000000", b"set gate.delay 1", b"stages on"]
)
def test_a_bare_model_has_no_pipeline(scripted: Device, word: bytes) -> None:
    (error,) = errors(heard(scripted, word))
    assert error.what == "no pipeline"


def test_a_bare_model_cannot_be_played_to(scripted: Device) -> None:
    with pytest.raises(UserError, match="no pipeline"):
        list(scripted.replay(SOUND))


def test_a_tensor_between_decisions_does_not_change_them() -> None:
    with open_hashing("pc", incremental=True) as device:
        lines = expected_lines(HASHING, SOUND)
        device.command("replay")
        reported: list[str] = []
        for number, piece in enumerate(PAYLOADS):
            reported += heard(device, numbered_line("audio", number, piece))
            heard(device, numbered_line("tensor", 0, bytes(range(12))))
        assert [line for line in reported if line.startswith('{"ModelNumber"')] == lines


def test_an_image_prints_ascii_lines_only(hashing: Device) -> None:
    (line,) = heard(hashing, bytes(range(128, 256)))
    assert re.fullmatch(r"[ -~]+", line)
