# SPDX-License-Identifier: Apache-2.0
"""`earshot evidence`: a session whose every step can fail, and a file that cannot say more than its log."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from tests.support.cli import earshot, refused
from tests.support.scripted_image import STATUS, scripted
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.audio.recording import read_audio
from workbench.audio.synthesize import write_session
from workbench.evidence.pack import LOG, MANIFEST, Evidence, read, write
from workbench.evidence.page import add
from workbench.evidence.session import LinkRecorder, Session, SessionStep, Sound
from workbench.targets import open_app


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Knocks made from a seed."""
    folder = tmp_path_factory.mktemp("sounds")
    write_session(folder, 3, recordings=1, count=2, session="test")
    return next(file for file in sorted(folder.rglob("*.wav")) if "knock" in file.name)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Path:
    """Of a session with the image of this computer."""
    need_tool("gcc")
    file = tmp_path_factory.mktemp("evidence") / "pc.zip"
    done = earshot(
        "evidence", "--app", EXAMPLE, "--board", "pc", "--target", "pc", "-o", file, "--live", "0", recording
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "as on this computer" in done.stdout
    return file


def test_what_was_packed_is_read(file: Path, recording: Path) -> None:
    evidence = read(file)
    assert [step.name for step in evidence.steps] == [
        "boot",
        "status",
        f"replay {recording.name}",
        "cycles",
        "live",
        "taps",
    ]
    assert [step.passed for step in evidence.steps] == [True, True, True, None, None, None]
    assert len(evidence.expected[recording.name]) > 10
    done = earshot("evidence", "read", file)
    assert done.returncode == 0
    assert "not done: not asked for" in done.stdout


def changed(file: Path, to: Path, name: str, text: bytes) -> Path:
    """A copy with another content of one file in it."""
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(to, "w") as new:
        for each in old.namelist():
            new.writestr(each, text if each == name else old.read(each))
    return to


def test_a_changed_log_is_refused(file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as packed:
        log = packed.read(LOG)
    said = refused("evidence", "read", changed(file, tmp_path / "a.zip", LOG, log.replace(b"7", b"8", 1)))
    assert "session.log in it is not what was packed" in said


@pytest.mark.parametrize("gone", ['"boot":', '"ModelNumber":'])
def test_a_log_that_does_not_bear_out_the_steps_is_refused(file: Path, tmp_path: Path, gone: str) -> None:
    """Hashes and all written anew, but the image never said so."""
    evidence = read(file)
    log = tuple(line for line in evidence.log if gone not in line)
    assert len(log) < len(evidence.log)
    write(tmp_path / "b.zip", dataclasses.replace(evidence, log=log), tmp_path)
    with pytest.raises(UserError, match="its log says otherwise"):
        read(tmp_path / "b.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"no zip"])
def test_what_is_no_evidence_is_refused(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "other.zip"
    other.write_bytes(content)
    assert "is no evidence of ours" in refused("evidence", "read", other)


def test_a_manifest_without_its_keys_is_refused(file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as packed:
        manifest = json.loads(packed.read(MANIFEST))
    del manifest["steps"]
    copy = changed(file, tmp_path / "c.zip", MANIFEST, json.dumps(manifest).encode())
    assert "lacks what belongs there" in refused("evidence", "read", copy)


@pytest.mark.parametrize("words", [["read"], ["read", "a", "b"]])
def test_read_takes_one_file(words: list[str]) -> None:
    assert "`read` takes one file" in refused("evidence", *words)


def test_what_is_missing_is_named() -> None:
    assert "--board is missing" in refused("evidence", "--app", EXAMPLE, "-o", "a.zip")


def test_a_wrong_decision_and_another_build_fail(recording: Path) -> None:
    need_tool("gcc")
    samples = read_audio(recording, 16000)
    with open_app(EXAMPLE, "pc") as device:
        lines = tuple(device.replay(samples))
        device.link = LinkRecorder(device.link)
        wrong = Sound("a.wav", samples, (*lines[:4], "{}", *lines[5:]))
        less = Sound("b.wav", samples, lines[:-1])
        steps = {step.name: step for step in Session(device, "0" * 40, [wrong, less], 0).run()}
    assert steps["boot"].passed is False
    assert steps["replay a.wav"].passed is False
    assert "decision 5 of" in steps["replay a.wav"].words
    assert steps["replay b.wav"].passed is False


def test_cycles_are_those_of_the_recordings() -> None:
    """Of an image that can count: the first line starts it, the second has what came between."""
    none = '{"cycles":0,"last":[0,0,0,0,0],"most":[0,0,0,0,0]}'
    some = '{"cycles":1234,"last":[1,2,3,4,5],"most":[10,20000,30,4000000,50]}'
    lines = [none, some, some, none]
    status = STATUS.replace('"dropped"', '"errors":0,"dropped"')
    device, _ = scripted(lambda line: [lines.pop(0)] if line == "cycles" else [status] * (line == "status"))
    for passed in (True, False):
        steps = {step.name: step for step in Session(device, "", [], 0).run()}
        assert steps["cycles"].passed is passed
        if passed:
            assert steps["cycles"].words == (
                "in 1,234 windows at most gate 10 (last 1), front_end 20,000 (last 2), scale 30 (last 3), "
                "classifier 4,000,000 (last 4), decision 50 (last 5)"
            )


def test_a_page_has_the_newest_of_each_place(tmp_path: Path) -> None:
    page = tmp_path / "board.md"
    page.write_text("# board: a page\n\nText.\n")
    first = Evidence(
        "app", "board", "QEMU 1", "2026-01-01", "0.1.0", "ab" * 20, (SessionStep("boot", True, "it"),), {}, ()
    )
    add(first, tmp_path)
    add(
        dataclasses.replace(first, where="the board itself", steps=(SessionStep("boot", False, "no"),)),
        tmp_path,
    )
    add(dataclasses.replace(first, date="2026-02-02"), tmp_path)
    text = page.read_text()
    assert text.startswith("# board: a page\n\nText.\n\n## Evidence\n")
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert table == [
        "| step | where | date | image | result |",
        "| boot | the board itself | 2026-01-01 | app abababab | FAILED: no |",
        "| boot | QEMU 1 | 2026-02-02 | app abababab | passed: it |",
    ]
    with pytest.raises(UserError, match="has no page"):
        add(dataclasses.replace(first, board="other"), tmp_path)


def test_a_file_that_was_damaged_on_its_way_is_told(tmp_path: Path) -> None:
    """Any byte of it another: of the packed data, of the way it is packed, of its flags."""
    damaged = tmp_path / "a.zip"
    kinds: tuple[object, ...] = ({}, 5, ["x"])
    for hashes in kinds:
        with zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(MANIFEST, json.dumps({"sha256": hashes}))
        whole = damaged.read_bytes()
        for at in range(len(whole)):
            for change in (0, 1, 0xFF):
                damaged.write_bytes(whole[:at] + bytes([whole[at] ^ change]) + whole[at + 1 :])
                with pytest.raises(UserError):
                    read(damaged)
