# SPDX-License-Identifier: Apache-2.0
"""The table of skipped proofs that ends a test run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.common.paths import ROOT

TESTS = """
import pytest

@pytest.mark.parametrize("n", [1, 2])
def test_a(n):
    pytest.skip("the moon is not full")

@pytest.mark.skip(reason="arm-none-eabi-gcc is not on PATH")
def test_b():
    pass

def test_c():
    pass

@pytest.mark.xfail
def test_d():
    assert 0
"""


def run(folder: Path, tests: str, *words: str, ci: bool) -> subprocess.CompletedProcess[str]:
    """pytest with the plugin alone on these tests."""
    (folder / "test_x.py").write_text(tests)
    env = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith("PYTEST")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.support.skipped", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**env, "PYTHONPATH": str(ROOT), **({"CI": "true"} if ci else {})},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", [("-n0",), ("-n1",)])
def test_skips_are_reported_by_reason_before_the_closing_line(tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(tmp_path, TESTS, *words, ci=False)
    assert done.returncode == 0
    lines = [line for line in done.stdout.splitlines() if line]
    start = next(index for index, line in enumerate(lines) if "3 skipped proofs, and why" in line)
    assert lines[start + 1 :][:4] == [
        "    2  the moon is not full",
        "       in test_x.py",
        "    1  arm-none-eabi-gcc is not on PATH",
        "       in test_x.py",
    ]
    assert "1 passed, 3 skipped, 1 xfailed" in lines[-1]


def test_without_a_skip_there_is_no_table(tmp_path: Path) -> None:
    assert "skipped proofs" not in run(tmp_path, "def test_a(): pass", ci=True).stdout


def test_on_a_ci_machine_a_tool_that_can_be_installed_may_not_be_missing(tmp_path: Path) -> None:
    done = run(tmp_path, TESTS, ci=True)
    assert done.returncode == 1
    assert "ERROR: may not be skipped on a CI machine: arm-none-eabi-gcc is not on PATH" in done.stdout
    assert "moon" not in done.stdout.split("ERROR:")[1]


def test_on_a_ci_machine_other_reasons_stay_skips(tmp_path: Path) -> None:
    assert run(tmp_path, TESTS.replace("arm-none-eabi-gcc", "a wizard"), ci=True).returncode == 0
