# SPDX-License-Identifier: Apache-2.0
"""What a run of suites is taken for: its own results, all of them, whatever ended it; nothing stays."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.processes import gone, until
from toolbox.scons import scons_environment
from workbench.suites.results import CaseResult, read_cases
from workbench.suites.run import run_renode, run_robot

PASSES = "*** Test Cases ***\nFirst\n    No Operation\nSecond\n    No Operation\n"
FAILS = "*** Test Cases ***\nFirst\n    No Operation\nSecond\n    Fail    no\n"
WAITS = """\
*** Settings ***
Library    OperatingSystem
*** Test Cases ***
First
    No Operation
Second
    Create File    ${OUTPUT DIR}/second
    Sleep    600
Third
    No Operation
"""
NAMES = ("First", "Second")

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt others")

# As renode-test does: Robot's output a suite each, then one for all; and an emulator that hears no signal.
RENODE_TEST = """\
#!/bin/sh
echo $$ >{here}/renode-test.pid
setsid sh -c 'trap "" INT TERM; echo $$ >{here}/renode.pid; while :; do sleep 1; done' &
while [ ! -s {here}/renode.pid ]; do sleep 0.05; done
{python} -P -m robot --outputdir {results} --output results-gate.robot.xml --log NONE --report NONE {suite}
code=$?
mv {results}/results-gate.robot.xml {results}/robot_output.xml
exit $code
"""
RUN = """
import os, sys; from pathlib import Path
from workbench.suites.results import StoppedError
from workbench.suites.run import run_renode
try:
    run_renode(*map(Path, sys.argv[1:]), os.environ)
except StoppedError as stopped:
    print([case.name for case in stopped.cases], stopped.log)
    sys.exit(130)
"""


def suites(folder: Path, text: str) -> Path:
    """A folder with one suite."""
    made = folder / "suites"
    made.mkdir()
    (made / "01__gate.robot").write_text(text)
    return made


def program(folder: Path, text: str) -> Path:
    """A shell script in the place of renode-test."""
    file = folder / "renode-test"
    file.write_text(text)
    file.chmod(0o755)
    return file


def renode_test(folder: Path) -> Path:
    """The stand-in above, for the suites of suites()."""
    words = {"here": folder, "python": sys.executable, "results": folder / "results"}
    return program(folder, RENODE_TEST.format(suite=folder / "suites" / "01__gate.robot", **words))


# renode-test in whose first run Renode dies in the second suite. Its own options come first.
CRASHING = """\
#!/bin/sh
[ -e {here}/crashed ] && died=no || died=yes
touch {here}/crashed
results=$2; shift 2
exec {python} -P -m robot --outputdir "$results" --output robot_output.xml --log NONE --report NONE \\
    --variable "DIED:$died" --name "Test Suite" "$@"
"""
CRASHES = """\
*** Test Cases ***
Second
    Should Be Equal    ${DIED}    no    [Errno 111] Connection refused    values=False
Third
    No Operation
"""


def pid(file: Path) -> int:
    """The process that a file names, once it does."""
    assert until(lambda: file.exists() and file.read_text().strip())
    return int(file.read_text())


def test_all_cases_of_a_run_are_reported(tmp_path: Path) -> None:
    done = run_robot(suites(tmp_path, FAILS), tmp_path / "results", ["--console", "none"], cases=NAMES)
    assert done.cases == (CaseResult("First", True, ""), CaseResult("Second", False, "no"))
    assert done.failed == 1
    assert done.log.is_file()
    assert done.xunit.is_file()


def test_results_of_an_earlier_run_are_not_taken_for_this_ones(tmp_path: Path) -> None:
    """The runner does not even start: whatever lay there is gone, and it is reported."""
    folder, results = suites(tmp_path, PASSES), tmp_path / "results"
    run_renode(renode_test(tmp_path), folder, results, os.environ, cases=NAMES)
    assert (results / "xunit.xml").is_file()
    broken = program(tmp_path, "#!/bin/sh\necho no psutil >&2\nexit 1\n")
    with pytest.raises(UserError, match="exit code 1 and without results"):
        run_renode(broken, folder, results, os.environ, cases=NAMES)
    assert list(results.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        (PASSES, (*NAMES, "Third"), '2 of 3 cases were run; missing: "Third"'),
        (PASSES, ("First",), '2 of 1 cases were run; not asked for: "Second"'),
        (PASSES, ("First", "Third"), 'missing: "Third"; not asked for: "Second"'),
        ("*** Settings ***\n", NAMES, "could not run the suites: it ended with exit code 252"),
    ],
    ids=["one is missing", "one too many", "another", "none"],
)
def test_a_run_of_other_cases_is_refused(
    tmp_path: Path, text: str, names: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        run_robot(suites(tmp_path, text), tmp_path / "results", ["--console", "none"], cases=names)


@pytest.mark.parametrize(("text", "code"), [(PASSES, 1), (FAILS, 0), (PASSES, 137)])
def test_an_exit_code_that_disagrees_with_the_results_is_refused(
    tmp_path: Path, text: str, code: int
) -> None:
    folder = suites(tmp_path, text)
    stand_in = renode_test(tmp_path)
    stand_in.write_text(stand_in.read_text().replace("exit $code", f"exit {code}"))
    with pytest.raises(UserError, match="cases failed"):
        run_renode(stand_in, folder, tmp_path / "results", os.environ, cases=NAMES)


@pytest.mark.parametrize("suites_before", [1, 0], ids=["beside another suite", "alone"])
def test_a_suite_in_which_renode_crashed_is_run_once_more(
    tmp_path: Path, suites_before: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other suite's results stay; log and JUnit file hold each case once."""
    folder, results = tmp_path / "suites", tmp_path / "results"
    folder.mkdir()
    (folder / "02__crashes.robot").write_text(CRASHES)
    names = ["Second", "Third"]
    if suites_before:
        (folder / "01__gate.robot").write_text("*** Test Cases ***\nFirst\n    No Operation\n")
        names.insert(0, "First")
    stand_in = program(tmp_path, CRASHING.format(here=tmp_path, python=sys.executable))
    done = run_renode(stand_in, folder, results, os.environ, cases=names)
    assert [(case.name, case.passed) for case in done.cases] == [(name, True) for name in names]
    assert "Renode crashed in 1 cases; 1 suites are run once more" in capsys.readouterr().out
    assert done.xunit.read_text().count("<testcase ") == len(names)


def test_an_output_that_ends_in_the_middle_has_the_cases_before(tmp_path: Path) -> None:
    run_robot(suites(tmp_path, FAILS), tmp_path / "results", ["--console", "none"])
    whole = tmp_path / "results" / "output.xml"
    cut = tmp_path / "cut.xml"
    cut.write_text(whole.read_text().partition('name="Second"')[0])
    assert read_cases(cut) == (CaseResult("First", True, ""),)
    assert read_cases(tmp_path / "none.xml") == ()


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run under the stand-in, in its second case."""
    folder = suites(tmp_path, WAITS)
    words = [str(renode_test(tmp_path)), str(folder), str(tmp_path / "results")]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *words],
        cwd=ROOT,
        env=scons_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    try:
        assert until((tmp_path / "results" / "second").exists)
        yield process
    finally:
        process.kill()
        left = tmp_path / "renode.pid"
        if left.exists():  # in a run that leaves it behind it has our pipe, too
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(left.read_text()), signal.SIGKILL)
        process.communicate()


@linux
def test_an_interrupt_tells_what_was_finished(running: subprocess.Popen[str], tmp_path: Path) -> None:
    """Though renode-test hears of it only through its group, and Renode not at all."""
    running.send_signal(signal.SIGINT)
    reported, _ = running.communicate(timeout=900)
    lines = reported.splitlines()
    assert lines[-1] == f"['First'] {tmp_path / 'results' / 'log.html'}"
    assert running.returncode == 130
    assert gone(pid(tmp_path / "renode.pid"))


@linux
@pytest.mark.parametrize("victim", ["earshot", "renode-test"])
def test_whoever_is_killed_leaves_no_emulator(
    running: subprocess.Popen[str], tmp_path: Path, victim: str
) -> None:
    os.kill(running.pid if victim == "earshot" else pid(tmp_path / "renode-test.pid"), signal.SIGKILL)
    running.communicate(timeout=900)
    assert running.returncode == (-signal.SIGKILL if victim == "earshot" else 1)  # 1: its UserError
    assert gone(pid(tmp_path / "renode.pid"))
