# SPDX-License-Identifier: Apache-2.0
"""`earshot test --coverage`: lines of C are counted over all programs, and what never ran is named."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.tools import need_tool
from workbench.house import coverage

SOURCE = """\
int twice(int x)
{
    if (x < 0)
        return 0;
    return 2 * x;
}

int main(int count, char **words)
{
    (void)words;
    return twice(count - 2) != 0;
}
"""


def test_lines_are_counted_of_all_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of a program that is gone by then; each line ran as often as in both."""
    need_tool("gcc")
    gcc = shutil.which("gcc")
    root, data = tmp_path / "root", tmp_path / "counters"
    (root / "firmware" / "pipeline").mkdir(parents=True)
    source = root / "firmware" / "pipeline" / "twice.c"
    source.write_text(SOURCE)
    shim = tmp_path / "shim"
    shim.write_text(coverage.SHIM.format(gcc=gcc, data=data))
    shim.chmod(0o755)
    built = tmp_path / "built"
    built.mkdir()
    subprocess.run([shim, str(source), "-o", str(built / "twice")], cwd=tmp_path, check=True)
    environment = {**os.environ, "GCOV_PREFIX": str(data)}
    for words in ([], ["more"]):
        subprocess.run([str(built / "twice"), *words], env=environment, check=False)
    shutil.rmtree(built)
    monkeypatch.setattr(coverage, "ROOT", root)
    (lines,) = coverage.c_lines(data).values()
    assert {line: lines[line] for line in (3, 4, 5, 11)} == {3: 2, 4: 1, 5: 1, 11: 2}


def test_a_compiler_that_refuses_is_heard(tmp_path: Path) -> None:
    need_tool("gcc")
    shim = tmp_path / "shim"
    shim.write_text(coverage.SHIM.format(gcc="false", data=tmp_path / "counters"))
    shim.chmod(0o755)
    assert subprocess.run([shim, "a.c", "-o", str(tmp_path / "a")], check=False).returncode == 1


def test_rooms_with_too_few_lines_fail_and_are_first() -> None:
    found = {
        "firmware/dsp/a.h": dict.fromkeys(range(100), 1),
        "firmware/nn/a.h": dict.fromkeys(range(100), 1),
        "firmware/pipeline/a.c": {**dict.fromkeys(range(100), 1), 7: 0, 8: 0, 9: 0, 20: 0, 30: 0},
        "firmware/device/a.c": dict.fromkeys(range(100), 2),
        "codegen/a.py": {1: 1, 2: 0},
    }
    text, enough = coverage.report(found)
    assert enough  # Python's share is reported alone
    assert [row.split()[0] for row in text.splitlines()[-3:]]
    found["firmware/pipeline/a.c"][31] = 0
    text, enough = coverage.report(found)
    assert not enough
    rows = [row.split()[0] for row in text.splitlines()]
    assert rows.index("firmware/pipeline") < rows.index("firmware/device")
    assert coverage.missing(found) == "firmware/pipeline/a.c: 7-9, 20, 30-31\ncodegen/a.py: 2\n"
