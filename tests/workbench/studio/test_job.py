# SPDX-License-Identifier: Apache-2.0
"""Commands that the studio runs: their lines, their ends, and the pages that start them."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.version import VERSION
from tests.support.browser import page
from tests.support.studio import studio
from workbench.audio.synthesize import write_session
from workbench.studio.course import Course, course
from workbench.studio.job import Job

EXAMPLE = ROOT / "examples" / "smart_lock"


def ended(job: Job) -> list[str]:
    """All lines of a command that ends by itself."""
    while job.running:
        time.sleep(0.02)
    return list(job.lines)


def test_lines_and_exit_codes_are_those_of_the_command(tmp_path: Path) -> None:
    job = Job()
    assert (job.running, job.code) == (False, None)
    job.start(["--version"])
    assert ended(job) == ["$ earshot --version", f"earshot {VERSION}"]
    assert job.code == 0
    job.start(["data", "check", str(tmp_path / "a file.csv")])
    lines = ended(job)
    assert lines[0] == f"$ earshot data check '{tmp_path / 'a file.csv'}'"
    assert "there is no such file" in lines[1]
    assert job.code == 2


def test_a_command_can_be_interrupted() -> None:
    """One that would go on for ever: it watches a port that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        job = Job()
        job.start(["monitor", f"socket://127.0.0.1:{server.getsockname()[1]}"])
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1)  # it asks: it is there
            with pytest.raises(UserError, match="runs already"):
                job.start(["--version"])
            job.stop()
            lines = ended(job)
    assert job.code == 0
    assert lines[-1].startswith("0 decisions in ")


def test_the_course_of_a_training_is_read_from_its_lines() -> None:
    lines = [
        "converting it untrained, to see what it takes",
        "epoch   1 of 60   loss 1.234",
        "epoch   9 of 60   loss 0.500   validation: loss 0.812,  85.1 % right",
        "epoch  60 of 60   loss 0.012   validation: loss 0.100, 100.0 % right",
        "epoch 9 is kept; converting its 1,234 parameters to int8",
    ]
    assert course(lines) == [Course(1, 1.234, None), Course(9, 0.5, 85.1), Course(60, 0.012, 100.0)]


def test_a_person_evaluates_and_builds(tmp_path: Path) -> None:
    write_session(tmp_path, seed=2, recordings=1, count=2, session="test")
    with studio(tmp_path, "--app", str(EXAMPLE)) as address, page() as shown:
        shown.goto(f"{address}train")
        shown.get_by_label("background", exact=True).fill("../elsewhere")
        shown.get_by_role("button", name="Evaluate").click()
        shown.get_by_text("lies outside the studio's folder").wait_for()
        shown.get_by_label("background", exact=True).fill("")
        shown.get_by_label("conditions").fill("label!=unknown label=whistle")
        shown.get_by_role("button", name="Evaluate").click()
        shown.get_by_text("evaluate: bad input (exit code 2)").wait_for()
        said = shown.locator(".log").inner_text()
        assert f"--labels {tmp_path / 'labels.csv'} --where 'label!=unknown' --where label=whistle" in said
        assert 'no segment meets "label=whistle"' in said
        shown.get_by_label("conditions").fill("label=knocking")
        shown.get_by_role("button", name="Evaluate").click()
        shown.get_by_text("evaluate: done").wait_for()
        cell = shown.locator(".confusion button")
        assert cell.all_inner_texts() == ["2"]
        cell.click()
        shown.get_by_role("link", name="test_knocking_00.wav, samples 16000 to 24000").click()
        shown.get_by_text("knocking (test): 1.000 s to 1.500 s, 8000 samples").wait_for()
        shown.goto(f"{address}device")
        shown.get_by_label("board", exact=True).click()
        shown.get_by_role("option", name="pc", exact=True).click()
        shown.get_by_role("button", name="Build").click()
        shown.get_by_text("board=pc: done").wait_for()
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
