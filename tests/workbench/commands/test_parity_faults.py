# SPDX-License-Identifier: Apache-2.0
"""`earshot parity` names the stage: one bit of an image is flipped in each of them, and it says where."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.cli import earshot, refused, remarks
from tests.support.doors import on_a_socket
from tests.support.plant import plant
from tests.support.tools import need_tool
from tests.support.tutorial import BARE, noises, tutorial_app
from toolbox.options import EXAMPLE
from workbench.audio.synthesize import write_wav
from workbench.build import build
from workbench.protocol.lines import Decision, Stage, parse_line
from workbench.targets import open_target
from workbench.verify.parity import DECISION, STAGES, first_difference

pytestmark = pytest.mark.xdist_group("images")

LINES: dict[str, list[str]] = {}  # of the right image, by target
BIT_OF_INT32 = 32


def sound() -> NDArray[np.int16]:
    """A window whose peak is the threshold's next number, and enough noise that every table is used."""
    click = np.zeros(400 * 20)
    click[400 * 16 + 7] = 601
    return np.concatenate([click, noises(4, 21)]).astype(np.int16)


def image_of(target: str) -> Path:
    """The example, as it ships."""
    if target == "qemu":
        need_tool("qemu-system-arm")
        need_tool("arm-none-eabi-gcc")
    return build("pc" if target == "pc" else "mps2_an386", EXAMPLE).image


def lines_of(target: str, image: Path) -> list[str]:
    with open_target(target, image, timeout=600) as device:
        device.command("stages on")
        return list(device.replay(sound()))


def right_lines(target: str) -> list[str]:
    if target not in LINES:
        LINES[target] = lines_of(target, image_of(target))
    return LINES[target]


def seen_feature(lines: list[str]) -> int:
    """A feature of some window."""
    stages = [parse_line(line) for line in lines]
    return next(s.values[3] for s in stages if isinstance(s, Stage) and s.stage == "features")


def telling_bit(lines: list[str]) -> int:
    """A bit of the table of limits that changes what some decision is. 77 is the smallest score >= 0.80."""
    parsed = [parse_line(line) for line in lines]
    scores = [s.values for s in parsed if isinstance(s, Stage) and s.stage == "scores"]
    assert any(isinstance(line, Decision) for line in parsed)
    for label in range(4):
        own = [max(row) for row in scores if row.index(max(row)) == label]
        for bit in range(7):
            if any((score >= 77) != (score >= 77 ^ 1 << bit) for score in own):
                return BIT_OF_INT32 * label + bit
    raise AssertionError("no score is between two limits")


# The object and its bit; a struct's fields lie elsewhere where pointers have 64 bits.
FAULTS: dict[str, Callable[[str, list[str]], tuple[str, int]]] = {
    "cepstra": lambda target, lines: ("smart_lock_lifter", 5 * BIT_OF_INT32),
    "gate": lambda target, lines: ("smart_lock_gate", 0),
    "features": lambda target, lines: ("smart_lock_scale", 8 * 16 + 32),
    "frame": lambda target, lines: ("smart_lock_quantize", 8 * seen_feature(lines)),
    "input": lambda target, lines: ("smart_lock_classifier", 8 * (24 if target == "pc" else 12)),
    "scores": lambda target, lines: ("smart_lock_dense2_weights", 0),
    "decision": lambda target, lines: ("smart_lock_initial_limits", telling_bit(lines)),
}


def test_every_stage_has_its_fault() -> None:
    assert tuple(FAULTS) == STAGES


@pytest.mark.parametrize("target", ["pc", "qemu"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_flipped_bit_is_named_by_its_stage(tmp_path: Path, stage: str, target: str) -> None:
    """The stages before are the same in that window, so the fault is in this one."""
    right = right_lines(target)
    symbol, bit = FAULTS[stage](target, right)
    wrong = lines_of(target, plant(image_of(target), tmp_path / "firmware", symbol, bit))
    found = first_difference(right, wrong)
    assert found is not None
    assert found.stage == stage
    at = next(i for i, pair in enumerate(zip(right, wrong, strict=False)) if pair[0] != pair[1])
    first = parse_line(right[at])
    if isinstance(first, Stage):
        assert (first.sequence, first.stage, first.values) == (found.window, stage, found.ours)
        assert isinstance(found.ours, tuple)
        assert isinstance(found.theirs, tuple)
        assert isinstance(found.value, int)
        assert found.ours[found.value] != found.theirs[found.value]
    else:
        assert (stage, found.ours, found.theirs) == (DECISION, right[at], wrong[at])


def test_the_same_lines_do_not_differ() -> None:
    assert first_difference(right_lines("pc"), list(right_lines("pc"))) is None


def test_a_line_too_few_or_twice_is_a_difference() -> None:
    lines = right_lines("pc")
    at = next(i for i, line in enumerate(lines) if "Classification" in line)
    decision = parse_line(lines[at])
    assert isinstance(decision, Decision)
    for changed, theirs in (
        (lines[:at] + lines[at + 1 :], None),
        (lines[: at + 1] + lines[at:], lines[at]),
    ):
        found = first_difference(lines, changed)
        assert found is not None
        if theirs is None:
            assert (found.window, found.stage, found.theirs) == (decision.sequence, DECISION, None)
        else:
            assert found.ours != found.theirs == theirs


# The command


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Two seconds."""
    file = tmp_path / "door.wav"
    write_wav(file, sound()[:40000])
    return file


def test_parity_of_the_example(recording: Path) -> None:
    need_tool("qemu-system-arm")
    need_tool("arm-none-eabi-gcc")
    done = earshot("parity", "--app", EXAMPLE, recording)
    assert done.returncode == 0, done.stderr
    assert remarks(done) == done.stdout
    assert done.stdout.splitlines()[1:] == ["  qemu the same as pc", "all the same"]
    assert "100 windows" in done.stdout


def test_a_difference_is_reported_with_both_values_and_exit_code_1(tmp_path: Path, recording: Path) -> None:
    """The wrong image is behind a serial port, as a board would be."""
    wrong = plant(image_of("pc"), tmp_path / "firmware", "smart_lock_lifter", 5 * BIT_OF_INT32)
    with on_a_socket(wrong) as url:
        done = earshot("parity", "--app", EXAMPLE, "--targets", f"pc,{url}", "--json", recording)
    assert done.returncode == 1, done.stderr
    result = json.loads(done.stdout)
    (target,) = result["recordings"][0]["targets"]
    first = target["first"]
    assert (result["differing"], target["same"], first["stage"], first["value"]) == (1, False, "cepstra", 5)
    with on_a_socket(wrong) as url:
        done = earshot("parity", "--app", EXAMPLE, "--targets", f"pc,{url}", recording)
    assert done.returncode == 1, done.stderr
    reported = done.stdout.splitlines()
    assert reported[1].startswith(f"  {url} differs, first in window {first['window']} (at ")
    assert reported[2].startswith("    stage cepstra, value 5")
    assert reported[3].split() == ["pc", str(first["ours"][5])]
    assert reported[4].split() == [url, str(first["theirs"][5])]
    assert reported[-1] == "NOT the same"


def test_a_changed_setting_is_reported(tmp_path: Path, recording: Path) -> None:
    wrong = plant(image_of("pc"), tmp_path / "firmware", "smart_lock_gate", 0)
    with on_a_socket(wrong) as url:
        done = earshot("parity", "--app", EXAMPLE, "--targets", f"pc,{url}", recording)
    assert done.returncode == 1, done.stderr
    assert f"gate.threshold is 600 on pc and 601 on {url}" in done.stdout


def test_parity_refuses_what_it_cannot_compare(tmp_path: Path, recording: Path) -> None:
    for targets in ("pc", "pc,pc", ","):
        assert "two different targets" in refused("parity", "--app", EXAMPLE, "--targets", targets, recording)
    bare = tutorial_app(tmp_path / "bare", text=BARE)
    assert "earshot verify" in refused("parity", "--app", bare, recording)
