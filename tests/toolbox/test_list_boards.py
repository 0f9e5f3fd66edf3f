# SPDX-License-Identifier: Apache-2.0
"""scons --list-boards: its table, and how test runs become what it says was proven."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from codegen.board.description import board_names, load_board
from codegen.common.paths import ROOT
from tests.support.proofs import Collector
from toolbox.board_table import FILE, Proof, board_table, read_proofs
from toolbox.test_log import note, noted


def report(test: str, *started: tuple[str, str], outcome: str = "passed") -> SimpleNamespace:
    return SimpleNamespace(
        nodeid=test,
        user_properties=[("started", [list(pair) for pair in started])],
        failed=outcome == "failed",
        skipped=outcome == "skipped",
    )


def write(file: Path, *reports: SimpleNamespace, whole: bool = False, date: str = "2026-01-02") -> None:
    collector = Collector()
    for each in reports:
        collector.take(each)
    collector.write(file, whole=whole, date=date)


def test_counts_dates_and_failures(tmp_path: Path) -> None:
    file = tmp_path / "build" / FILE
    write(
        file,
        report("a", ("x", "built")),  # set-up
        report("a", ("x", "qemu")),  # the call
        report("b", ("x", "qemu"), outcome="failed"),
        report("c", ("x", "renode"), outcome="skipped"),
        report("d"),
    )
    assert read_proofs(file) == {
        ("x", "built"): Proof(1, 0, "2026-01-02"),
        ("x", "qemu"): Proof(1, 1, "2026-01-02"),
    }
    assert str(read_proofs(file)["x", "qemu"]) == "1 passed, 1 FAILED, 2026-01-02"


def test_a_run_of_some_tests_replaces_what_those_said_alone(tmp_path: Path) -> None:
    file = tmp_path / FILE
    write(file, report("a", ("x", "qemu")), report("b", ("x", "qemu"), outcome="failed"))
    write(file, report("b", ("x", "qemu")), date="2026-01-05")
    assert read_proofs(file) == {("x", "qemu"): Proof(2, 0, "2026-01-05")}
    write(file, report("b"))  # it starts nothing any more
    assert read_proofs(file) == {("x", "qemu"): Proof(1, 0, "2026-01-02")}
    write(file, report("b", ("y", "qemu")), whole=True)
    assert list(read_proofs(file)) == [("y", "qemu")]


def test_one_whose_worker_crashed_has_failed(tmp_path: Path) -> None:
    """Its report is by who lost the worker, and knows nothing of what it started."""
    file = tmp_path / FILE
    write(file, report("a", ("x", "built"), ("x", "qemu")), report("b", ("x", "qemu")))
    crashed = SimpleNamespace(nodeid="a", user_properties=[], failed=True, skipped=False)
    write(file, report("a", ("x", "built")), crashed, date="2026-01-05")  # it crashed in its call
    assert read_proofs(file) == {
        ("x", "built"): Proof(0, 1, "2026-01-05"),
        ("x", "qemu"): Proof(1, 1, "2026-01-05"),
    }
    write(file, report("a", ("x", "qemu")), date="2026-01-06")
    assert read_proofs(file) == {("x", "qemu"): Proof(2, 0, "2026-01-06")}
    write(file, crashed, date="2026-01-07")
    assert read_proofs(file) == {("x", "qemu"): Proof(1, 1, "2026-01-07")}


def test_a_skipped_test_takes_back_what_it_said(tmp_path: Path) -> None:
    file = tmp_path / FILE
    write(file, report("a", ("x", "qemu")))
    write(file, report("a", outcome="skipped"))
    assert read_proofs(file) == {}


@pytest.mark.parametrize("text", ["", "[]", '{"boards": 3}', '{"boards": {"x": {"qemu": {"t": {}}}}}', "{"])
def test_a_damaged_file_proves_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / FILE
    file.write_text(text)
    assert read_proofs(file) == {}
    assert "never run here" in board_table(tmp_path)
    write(file, report("a", ("x", "qemu")))
    assert len(read_proofs(file)) == 1


def test_the_table_has_every_board_with_its_facts(tmp_path: Path) -> None:
    write(tmp_path / FILE, report("a", ("mps2_an386", "qemu"), ("mps2_an386", "built")))
    table = board_table(tmp_path)
    rows = {line.split()[0]: line for line in table.splitlines() if line and not line.startswith(" ")}
    assert set(board_names()) <= set(rows)
    for word in ("Cortex-M4 + FPU", "25 MHz", "4 MiB + 16 MiB", "QEMU"):
        assert word in rows["mps2_an386"]
    own = table[table.index("mps2_an386") :].split("\n")
    assert own[1].split(":")[1].strip() == "1 passed, 2026-01-02"
    assert own[2].split() == ["QEMU:", "1", "passed,", "2026-01-02"]
    for name in board_names():
        if load_board(name).flash is not None:
            assert "the board itself:" in table
    assert "No test has run here yet" not in table
    assert "No test has run here yet" in board_table(tmp_path / "none")


def test_scons_prints_it() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", "--list-boards"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "SCONSFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == board_table(ROOT / "build") + "\n"


def test_what_starts_is_noted_where_somebody_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "runs"
    monkeypatch.delenv("EARSHOT_RUNS")
    note("x", "qemu")
    assert noted(file) == frozenset()
    monkeypatch.setenv("EARSHOT_RUNS", str(file))
    note("x", "qemu")
    note("x", "qemu")
    note("y", "built")
    assert noted(file) == {("x", "qemu"), ("y", "built")}
    assert noted(file) == frozenset()


TESTS = """\
import subprocess, sys
import pytest
from toolbox.test_log import note

@pytest.fixture(scope="module")
def image():
    note("x", "built")

def test_one(image):
    note("x", "qemu")

def test_two(image):  # a process of its own
    note = "from toolbox.test_log import note; note('x', 'renode')"
    subprocess.run([sys.executable, "-c", note], check=True)

def test_three():
    note("x", "qemu")
    assert False
"""


def test_a_worker_that_crashes_takes_back_the_pass_of_its_test(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.proofs", "-n", "1"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for end in ("", "import os; os._exit(3)"):
        test.write_text(
            "from toolbox.test_log import note\n\ndef test_one():\n    note('x', 'qemu')\n"
            f"    {end or 'assert True'}\n"
        )
        subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, check=False)
        (proof,) = read_proofs(tmp_path / "build" / FILE).values()
        assert (proof.passed, proof.failed) == ((0, 1) if end else (1, 0))


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_run_of_pytest_writes_the_file(tmp_path: Path, workers: tuple[str, ...]) -> None:
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.proofs", *workers]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
    proofs = read_proofs(tmp_path / "build" / FILE)
    built = proofs.pop(("x", "built"))
    assert 1 <= built.passed <= 2  # once a worker
    assert {key: (proof.passed, proof.failed) for key, proof in proofs.items()} == {
        ("x", "qemu"): (1, 1),
        ("x", "renode"): (1, 0),
    }
