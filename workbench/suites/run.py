"""Runs generated suites, and ends what it started whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from codegen.common.errors import UserError
from toolbox.scons import scons_environment
from workbench.progress import SWITCH
from workbench.targets.link import die_with_parent

GRACE = 15.0  # seconds for a runner to write its results after it was told to end
SIGNALS = (signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Results:
    """What a run left behind."""

    failed: int  # cases
    log: Path
    xunit: Path


def run_robot(suites: Path, results: Path, words: Sequence[str] = ()) -> Results:
    """Plain `robot` over a folder of suites; log.html, report.html, output.xml and xunit.xml in `results`.

    words: further options for robot. UserError where robot could not run the suites at all.
    """
    results.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-P", "-m", "robot", "--outputdir", str(results), "--xunit", "xunit.xml"]
    command += ["--name", "Emulation", "--consolecolors", "auto", *words, str(suites)]
    return _results(_run(command, scons_environment()), results)


def run_renode(
    program: Path, suites: Path, results: Path, environment: Mapping[str, str], words: Sequence[str] = ()
) -> Results:
    """renode-test over the suites; the same results, xunit.xml made of its output."""
    results.mkdir(parents=True, exist_ok=True)
    files = sorted(str(file) for file in suites.glob("*.robot"))
    code = _run([str(program), "--results-dir", str(results), *words, *files], environment)
    output = results / "robot_output.xml"
    if not output.is_file():
        raise UserError(f"{program.name} ended with exit code {code} and no results", file=results)
    rebot = [sys.executable, "-P", "-m", "robot.rebot", "--outputdir", str(results), "--output", "output.xml"]
    rebot += ["--xunit", "xunit.xml", "--name", "Emulation", "--nostatusrc", str(output)]
    done = subprocess.run(rebot, env=scons_environment(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(f"the results cannot be read: {done.stderr.strip()}", file=output)
    return _results(_failed(results / "xunit.xml"), results)


def _results(code: int, results: Path) -> Results:
    """Robot's exit code is the number of failed cases, at most 250; above that it could not run."""
    if code > 250:
        raise UserError(f"robot could not run the suites (exit code {code})", file=results)
    return Results(code, results / "log.html", results / "xunit.xml")


def _failed(xunit: Path) -> int:
    from xml.etree import ElementTree

    root = ElementTree.parse(xunit).getroot()
    return min(250, int(root.get("failures", "0")) + int(root.get("errors", "0")))


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code. A session of its own: an interrupt reaches us, and we end it and all it started."""
    with _signals_interrupt():
        process = subprocess.Popen(
            command,
            env={**environment, SWITCH: "off"},  # Robot itself shows what runs
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),  # noqa: PLW1509
        )
        try:
            return process.wait()
        except BaseException:
            _end(process)
            raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """First as Ctrl-C would, so that results are written and teardowns run; then all of its session."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + GRACE
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(KeyboardInterrupt, subprocess.TimeoutExpired):
            process.wait(0.2)
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
