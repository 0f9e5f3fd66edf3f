# SPDX-License-Identifier: Apache-2.0
"""Runs generated suites, and ends what it started whatever happens."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

from codegen.common.errors import UserError
from toolbox.scons import scons_environment
from workbench.progress import SWITCH
from workbench.suites.results import CaseResult, Results, StoppedError, check_complete, read_cases
from workbench.targets.link import die_with_parent
from workbench.targets.supervisor import supervised

GRACE = 10.0  # seconds for a runner to write its results after it was told to end
MOST_FAILED = 250  # Robot's exit code is the number of failed cases up to this; above it the run failed
RENODE_OUTPUT = "robot_output.xml"  # all suites, once renode-test has ended
RENODE_SUITES = "results-*.robot.xml"  # a suite each, until then
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def run_robot(
    suites: Path, results: Path, words: Sequence[str] = (), *, cases: Sequence[str] | None = None
) -> Results:
    """Plain `robot` over a folder of suites; log.html, report.html, output.xml and xunit.xml in `results`,
    which holds nothing else afterwards.

    words: further options for robot; cases: the names of all that must be run, None where `words` choose.
    UserError where robot could not run the suites, or not all of them; StoppedError at an interrupt.
    """
    _empty(results)
    command = [sys.executable, "-P", "-m", "robot", "--outputdir", str(results), "--xunit", "xunit.xml"]
    command += ["--name", "Emulation", "--consolecolors", "auto", *words, str(suites)]
    output = results / "output.xml"
    try:
        code = _run(command, scons_environment())
    except KeyboardInterrupt:
        raise StoppedError(read_cases(output), _existing(results / "log.html")) from None
    found = _checked(code, "robot", output, cases)
    if code != min(found.failed, MOST_FAILED):
        raise UserError(f"robot ended {_how(code)}, but {found.failed} cases failed", file=results)
    return found


def run_renode(
    program: Path,
    suites: Path,
    results: Path,
    environment: Mapping[str, str],
    words: Sequence[str] = (),
    *,
    cases: Sequence[str] | None = None,
) -> Results:
    """renode-test over the suites; the same results and errors as of run_robot.

    Where Renode crashed in a case, its suite is run once more, and that run's results stand.
    """
    _empty(results)
    command = [str(program), *words]
    files = sorted(suites.glob("*.robot"))
    found = _renode(command, files, results, environment)
    lost = {case.name for case in found.cases if case.crashed}
    if lost:
        again = [file for file in files if lost & set(file.read_text(encoding="utf-8").splitlines())]
        print(f"Renode crashed in {len(lost)} cases; {len(again)} suites are run once more", flush=True)
        # renode-test names a suite as its file; Robot itself leaves out the number that orders them.
        names = [name for file in files if file not in again for name in (file.stem, file.stem[4:])]
        kept = [word for name in names for word in ("--suite", name)]
        outputs = [results / "again" / RENODE_OUTPUT]
        if kept:
            _rebot([results / RENODE_OUTPUT], results, [*kept, "--output", "kept.xml"])
            outputs.insert(0, results / "kept.xml")
        _renode(command, again, results / "again", environment)
        _rebot(outputs, results)
        found = _read(results / "output.xml")
    if cases is not None:
        check_complete(found.cases, cases, results)
    return found


def _renode(
    command: Sequence[str], files: Sequence[Path], results: Path, environment: Mapping[str, str]
) -> Results:
    """One run of renode-test."""
    name = Path(command[0]).name
    try:
        code = _run(
            [*command, "--results-dir", str(results), *map(str, files)],
            environment,
            written=lambda: _written(results),
        )
    except KeyboardInterrupt:
        raise StoppedError(*_finished_suites(results)) from None
    if not (results / RENODE_OUTPUT).is_file():
        finished, _ = _finished_suites(results)
        after = f" after {len(finished)} finished cases" if finished else ""
        raise UserError(f"{name} ended {_how(code)} and without results{after}", file=results)
    _rebot([results / RENODE_OUTPUT], results)
    return _checked(code, name, results / "output.xml", None)


def _empty(results: Path) -> None:
    """What an earlier run left there must not be taken for this one's."""
    if results.exists():
        shutil.rmtree(results)
    results.mkdir(parents=True)


def _checked(code: int, runner: str, output: Path, cases: Sequence[str] | None) -> Results:
    """The results, once exit code, cases and verdicts agree."""
    results = output.parent
    if code > MOST_FAILED or not output.is_file() or not _whole(output):
        raise UserError(f"{runner} could not run the suites: it ended {_how(code)}", file=results)
    found = _read(output)
    if cases is not None:
        check_complete(found.cases, cases, results)
    if (code != 0) != (found.failed != 0):
        raise UserError(f"{runner} ended {_how(code)}, but {found.failed} cases failed", file=results)
    return found


def _read(output: Path) -> Results:
    return Results(read_cases(output), output.parent / "log.html", output.parent / "xunit.xml")


def _how(code: int) -> str:
    """How a process ended; a shell's codes from 129 on are signals."""
    return f"by signal {code - 128}" if 128 < code < 128 + signal.NSIG else f"with exit code {code}"


def _finished_suites(results: Path) -> tuple[tuple[CaseResult, ...], Path | None]:
    """The finished cases of a run that was ended, and the log of the suites that were whole."""
    output = results / RENODE_OUTPUT
    files = [output] if output.is_file() else sorted(results.glob(RENODE_SUITES))
    with contextlib.suppress(UserError):
        _rebot([file for file in files if _whole(file)], results)
    return read_cases(*files), _existing(results / "log.html")


def _whole(file: Path) -> bool:
    return file.read_bytes().rstrip().endswith(b"</robot>")


def _existing(file: Path) -> Path | None:
    return file if file.is_file() else None


def _rebot(outputs: Sequence[Path], results: Path, words: Sequence[str] = ()) -> None:
    """Robot's log, report, output and JUnit file of the outputs of other runs of it."""
    rebot = [sys.executable, "-P", "-m", "robot.rebot", "--outputdir", str(results), "--output", "output.xml"]
    rebot += ["--xunit", "xunit.xml", "--name", "Emulation", "--nostatusrc", *words, *map(str, outputs)]
    done = subprocess.run(rebot, env=scons_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"the results cannot be read: {done.stderr.strip()}", file=results)


def _written(results: Path) -> bool:
    """Whether each suite that was begun has its results: an interrupted renode-test begins the next one."""
    files = list(results.glob(RENODE_SUITES))
    return bool(files) and all(map(_whole, files))


def _run(
    command: Sequence[str], environment: Mapping[str, str], written: Callable[[], bool] | None = None
) -> int:
    """The exit code; 128 and the signal's number where one ended it.

    written: after an interrupt, whether the runner need not be waited for any longer.
    A session of its own: an interrupt reaches us, and we end the runner and all it started. Killed, we leave
    the same to its supervisor.
    """
    with _signals_interrupt():
        process = subprocess.Popen(
            supervised(list(command)),
            env={**environment, SWITCH: "off"},  # Robot itself shows what runs
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=None if sys.platform == "linux" else die_with_parent(),  # noqa: PLW1509
        )
        try:
            code = process.wait()
        except BaseException:
            _end(process, written or (lambda: False))
            raise
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes], written: Callable[[], bool]) -> None:
    """First the whole group as Ctrl-C would: results are written and teardowns run. Then all of it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    deadline = time.monotonic() + GRACE
    while process.poll() is None and time.monotonic() < deadline and not written():
        with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            process.wait(0.1)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        process.terminate()  # the supervisor ends what is left below it
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def _signals_interrupt() -> Iterator[None]:
    """The signals that end a program end what it runs, too: they become KeyboardInterrupt."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
