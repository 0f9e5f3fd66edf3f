# SPDX-License-Identifier: Apache-2.0
"""Sessions of the benchmark's runner in the layout of its checker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import here

WORDS = ("mlperf", "results", "--task", "kws", "--board", "xg24", "--submitter", "me")


def session(folder: Path, port: str = "/dev/ttyACM0") -> Path:
    """A folder as the runner leaves it."""
    folder.mkdir()
    (folder / "log.txt").write_text(f"Initializing SerialDevice on port: {port} at 115200 baud\n")
    (folder / "results.txt").write_text("Top 1% = 90.1\n")
    (folder / "results.json").write_text("[]")
    return folder


def test_a_board_s_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sessions = ("--accuracy", session(tmp_path / "a"), "--performance", session(tmp_path / "p"))
    out = tmp_path / "out"
    assert here(*WORDS, *sessions, "-o", out) == 0
    said = capsys.readouterr()
    root = out / "closed" / "me"
    assert said.out.strip() == str(root)
    assert "emulator" not in said.err
    found = sorted(str(file.relative_to(root)) for file in root.rglob("*.*") if file.is_file())
    names = ("log.txt", "results.json", "results.txt")
    assert found == [
        *(f"results/xg24/kws/{kind}/{name}" for kind in ("accuracy", "performance") for name in names),
        "systems/xg24.json",
    ]
    system = json.loads((root / "systems" / "xg24.json").read_text())
    assert (system["Status"], system["Division"], system["Board Name"]) == ("available", "Closed", "xg24")
    assert system["Processor(s) Name"] == "Arm Cortex-M33"
    assert system["Processor(s) Frequencies"] == "73.728 MHz"
    assert system["Processor memory type and capacity"] == "256 KB RAM"
    assert system["Processor storage type and capacity"] == "1536 KB flash"
    assert system["Hardware Notes"] == ""


def test_an_emulator_is_told_and_what_a_person_wrote_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = (
        *WORDS,
        "--accuracy",
        session(tmp_path / "a", "/dev/pts/3"),
        "-o",
        tmp_path,
        "--division",
        "open",
    )
    assert here(*words) == 0
    assert "their times are no result of the benchmark" in capsys.readouterr().err
    file = tmp_path / "open" / "me" / "systems" / "xg24.json"
    assert json.loads(file.read_text())["Status"] == "rdi"
    assert "EMULATED" in json.loads(file.read_text())["Hardware Notes"]
    file.write_text("{}")
    assert here(*words) == 0
    assert file.read_text() == "{}"


def test_an_energy_session_brings_its_plots(tmp_path: Path) -> None:
    one = session(tmp_path / "e")
    for number in range(2):
        (one / f"energy_inf_00{number}.png").write_bytes(b"%d" % number)
    (one / "other.png").write_bytes(b"")
    assert here(*WORDS, "--energy", one, "-o", tmp_path / "out") == 0
    found = tmp_path / "out" / "closed" / "me" / "results" / "xg24" / "kws" / "energy"
    names = ["energy_inf_000.png", "energy_inf_001.png", "log.txt", "results.json", "results.txt"]
    assert sorted(file.name for file in found.iterdir()) == names


def test_a_description_of_the_other_kind_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An emulator's times never stand under a board's description, nor a board's under an emulator's."""
    boards = {
        kind: session(tmp_path / kind, port)
        for kind, port in (("real", "/dev/ttyACM0"), ("pty", "/dev/pts/3"))
    }
    for first, second, told in (
        ("real", "pty", "describes a system that is available; the sessions come from an emulator"),
        ("pty", "real", "says EMULATED; the sessions come from a board"),
    ):
        words = (*WORDS, "-o", tmp_path / f"{first} first", "--accuracy")
        assert here(*words, boards[first]) == 0
        assert here(*words, boards[second]) == 2
        assert told in capsys.readouterr().err
        assert here(*words, boards[first]) == 0
    system = next((tmp_path / "real first").rglob("xg24.json"))
    system.write_text("{")
    assert here(*WORDS, "-o", tmp_path / "real first", "--accuracy", boards["real"]) == 2
    assert "cannot be read as JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("-o", "out"), "no session is named"),
        (("--accuracy", "none", "-o", "out"), "none: has no log.txt: it is no finished session"),
        (("--accuracy", "none"), "--output is missing"),
    ],
)
def test_what_is_missing_is_told(
    more: tuple[str, ...],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert here(*WORDS, *more) == 2
    assert reason in capsys.readouterr().err


def test_a_submitter_is_a_folder_s_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (*WORDS[:-1], "../me", "--accuracy", session(tmp_path / "a"), "-o", tmp_path / "out")
    assert here(*words) == 2
    assert "cannot be a folder of the submission" in capsys.readouterr().err
