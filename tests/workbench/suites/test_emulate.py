# SPDX-License-Identifier: Apache-2.0
"""`scons board=... emulate`: the suites of an app run, fail where they must, and leave nothing running."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.common.paths import ROOT
from tests.support.cli import earshot
from tests.support.compile import SUPPORT
from tests.support.plant import plant
from tests.support.processes import until
from tests.support.tools import need_tool
from tests.support.tutorial import noises
from toolbox.options import EXAMPLE
from toolbox.scons import scons_environment
from workbench.audio.synthesize import write_wav
from workbench.build import build
from workbench.suites.emulator import QEMU, RENODE, Emulator
from workbench.suites.generate import Generated, generate
from workbench.suites.renode import run_on_renode
from workbench.suites.run import run_robot

pytestmark = pytest.mark.xdist_group("images")

SUITES = '[recordings]\nsynthetic = true\ncount = 4\nlabels = "none.csv"\nlong = 3\n'
RENODE_STAND_IN = SUPPORT / "renode" / "renode-test"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example with few recordings, which are made."""
    need_tool("qemu-system-arm")
    need_tool("arm-none-eabi-gcc")
    folder = tmp_path_factory.mktemp("app") / "door"
    folder.mkdir()
    for name in ("pipeline.toml", "model.tflite", "model.contract"):
        shutil.copy(EXAMPLE / name, folder)
    (folder / "suites.toml").write_text(SUITES)
    return folder


@pytest.fixture(scope="module")
def built(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A build folder of its own."""
    return tmp_path_factory.mktemp("build")


Make = Callable[..., Generated]


@pytest.fixture(scope="module")
def made(app: Path, built: Path) -> Make:
    """Generates the suites for an image in a folder."""

    def make(folder: Path, board: str = "mps2_an386", image: Path | None = None) -> Generated:
        image = image or build(board, app, built).image
        pc = build("pc", app, built).image
        chosen = load_board(board)
        return generate(load_spec(app), Emulator(QEMU, chosen, chosen), image, pc, folder)

    return make


def counts(xunit: Path) -> tuple[int, int]:
    """Cases and failed cases of a JUnit file."""
    root = ElementTree.parse(xunit).getroot()
    return len(list(root.iter("testcase"))), len(list(root.iter("failure")))


def emulators(word: str) -> list[int]:
    """QEMUs with this word among theirs."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                words = (folder / "cmdline").read_bytes()
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if b"qemu-system-arm" in words and word.encode() in words and state != "Z":
                found.append(int(folder.name))
    return found


def test_the_suites_pass(app: Path, built: Path) -> None:
    """As a person runs them."""
    done = earshot("board=mps2_an386", f"app={app}", f"build={built}", "emulator=qemu", "emulate")
    assert done.returncode == 0, done.stdout + done.stderr
    folder = built / "mps2_an386" / "door" / "emulate"
    cases, failed = counts(folder / "results" / "xunit.xml")
    assert (cases >= 36, failed) == (True, 0)
    assert f"{cases} of {cases} cases passed on mps2_an386 in QEMU" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(
        "The sounds were made by a program, for want of recordings."
    )
    assert {"log.html", "report.html", "output.xml"} <= {file.name for file in (folder / "results").iterdir()}
    assert emulators(str(built)) == []


def test_the_suites_pass_on_a_cortex_m33(made: Make, tmp_path: Path) -> None:
    """Those whose cases differ most."""
    generated = made(tmp_path, "mps2_an505")
    words = ["--suite", "Gate", "--suite", "Recordings", "--console", "quiet"]
    done = run_robot(generated.folder, tmp_path / "results", words)
    assert counts(done.xunit) == (13, 0)


def test_decisions_are_expected_that_the_sounds_must_have(made: Make, tmp_path: Path) -> None:
    """The expected lines are not empty, and differ where they must."""
    generated = made(tmp_path)
    lines = {file.stem: file.read_text().splitlines() for file in (tmp_path / "expected").iterdir()}
    assert len(lines) == generated.cases
    empty = {name for name, own in lines.items() if not own}
    assert empty == {"silence", "gate_shut", "gate_raised", "settings_stay"}
    assert lines["halves"] == lines["again"] == lines["restart"] == lines["recording_000"]
    assert lines["reset"] != lines["recording_000"]
    assert lines["votes_3"] != lines["votes_10"]
    assert lines["live_gate"] != lines["settings_go"]
    assert all('"Label":"Unknown"' in line for line in lines["unknown"])
    assert len(lines["long"]) > 20


def test_a_level_that_is_taken_off_leaves_the_cases_true(app: Path, built: Path, tmp_path: Path) -> None:
    """dc_block changes what the gate sees: the cases of the gate leave room for it."""
    copy = tmp_path / "level"
    shutil.copytree(app, copy)
    text = (copy / "pipeline.toml").read_text()
    (copy / "pipeline.toml").write_text(text.replace("[window]", "dc_block = 4\n\n[window]", 1))
    (copy / "model.contract").unlink()
    image, pc = build("mps2_an386", copy, built).image, build("pc", copy, built).image
    board = load_board("mps2_an386")
    generated = generate(load_spec(copy), Emulator(QEMU, board, board), image, pc, tmp_path / "emulate")
    done = run_robot(generated.folder, tmp_path / "results", ["--suite", "Gate", "--console", "quiet"])
    assert counts(done.xunit) == (9, 0)


def test_a_wrong_image_fails_and_its_stage_is_reported(
    made: Make, app: Path, built: Path, tmp_path: Path
) -> None:
    """One bit of a table is wrong: the run ends with failures that say where computer and image part."""
    wrong = plant(build("mps2_an386", app, built).image, tmp_path / "wrong.elf", "door_lifter", 5 * 32)
    generated = made(tmp_path / "emulate", image=wrong)
    results = tmp_path / "results"
    words = ["--test", "Two Events In A Row", "--test", "Silence"]
    done = run_robot(generated.folder, results, [*words, "--console", "quiet"])
    cases, failed = counts(done.xunit)
    assert cases == 2
    if failed == 0:  # so small a fault changes no decision of this sound
        pytest.fail("the fault was not noticed")
    assert done.failed == failed == 1
    text = (results / "output.xml").read_text()
    assert re.search(r"Decision \d+ of \d+ is wrong", text)
    assert "at stage cepstra, value 5" in text
    assert emulators(str(tmp_path)) == []


def test_another_build_is_refused(made: Make, app: Path, built: Path, tmp_path: Path) -> None:
    """The image is that of the other board's build id: no recording is even played."""
    generated = made(tmp_path / "emulate")
    resource = generated.folder / "emulator.resource"
    right = resource.read_text()
    resource.write_text(right.replace("build=", "build=0"))
    words = ["--test", "Silence", "--console", "quiet"]
    done = run_robot(generated.folder, tmp_path / "results", words)
    assert done.failed == 1
    assert "The image says build " in (tmp_path / "results" / "output.xml").read_text()


def test_a_gate_that_never_opens_is_refused(app: Path, built: Path) -> None:
    copy = app.parent / "shut"
    shutil.copytree(app, copy)
    text = (copy / "pipeline.toml").read_text()
    (copy / "pipeline.toml").write_text(text.replace("threshold = 600", "threshold = 32767"))
    done = earshot("board=mps2_an386", f"app={copy}", f"build={built}", "emulate")
    assert done.returncode == 2
    assert "the gate never opens" in done.stderr


# Whatever happens, no emulator is left


RUN = """
import sys; from pathlib import Path; from workbench.suites.run import run_robot
try:
    run_robot(Path(sys.argv[1]), Path(sys.argv[2]), ["--test", "A Long Recording"])
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.fixture
def running(made: Make, tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A case that takes long enough to be interrupted, and the folder of its results."""
    generated = made(tmp_path)
    write_wav(tmp_path / "sounds" / "long.wav", np.tile(noises(10), 60))
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(generated.folder), str(tmp_path / "results")],
        cwd=ROOT,
        env=scons_environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process, tmp_path / "results"
    finally:
        process.kill()
        process.communicate()


def in_the_case(built: Path) -> None:
    """Waits until it plays."""
    assert until(lambda: emulators(str(built)))
    time.sleep(1.0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_robot_and_emulator(
    running: tuple[subprocess.Popen[bytes], Path], built: Path, number: signal.Signals
) -> None:
    process, results = running
    in_the_case(built)
    os.kill(process.pid, number)
    process.communicate(timeout=900)
    assert process.returncode == 130
    assert until(lambda: not emulators(str(built)))
    assert (results / "output.xml").is_file()  # robot wrote what it had


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_run_leaves_no_emulator(running: tuple[subprocess.Popen[bytes], Path], built: Path) -> None:
    process, _ = running
    in_the_case(built)
    process.kill()
    process.wait()
    assert until(lambda: not emulators(str(built)))


def test_others_build_while_suites_run_and_ctrl_c_tells_what_was_finished(app: Path, built: Path) -> None:
    """The lock is of builds alone: the same app is built, for the same board, while its suites run."""
    words = ["board=mps2_an386", f"app={app}", f"build={built}", "emulator=qemu", "emulate"]
    process = subprocess.Popen(
        [sys.executable, "-m", "workbench", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        assert until(lambda: emulators(str(built)), 300)
        build("mps2_an386", app, built)
        assert process.poll() is None
    finally:
        os.killpg(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=900)
    assert process.returncode == 130, out
    assert re.search(r"interrupted: (\d+) of (\d+) cases finished, \1 of them passed on mps2_an386", out), out
    assert until(lambda: not emulators(str(built)))


# renode-test


@pytest.mark.parametrize("renode", ["stand-in", "real"])
def test_the_same_suites_run_under_renode_test(
    app: Path, built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renode: str
) -> None:
    """The real one where it is installed. The stand-in is Robot with Renode's keywords, which start QEMU with
    its UART on the socket: it proves our half, the resource file, the Remote library, the line, the results.
    Two suites run side by side: each has keywords, an image and a line of its own.
    """
    program = RENODE_STAND_IN if renode == "stand-in" else Path(need_tool("renode-test"))
    monkeypatch.setenv("STAND_IN_PYTHON", sys.executable)
    board = load_board("mps2_an386")
    chosen = Emulator(RENODE, board, board, program)
    image = build("mps2_an386", app, built).image
    pc = build("pc", app, built).image
    generated = generate(load_spec(app), chosen, image, pc, tmp_path)
    for suite in generated.folder.glob("*.robot"):
        if not {"gate", "decisions"} & set(suite.stem.split("_")):
            suite.unlink()
            continue
        head, _, cases = suite.read_text().partition("*** Test Cases ***\n")
        suite.write_text(head + "*** Test Cases ***\n" + "\n\n".join(cases.split("\n\n")[:3]) + "\n")
    done = run_on_renode(program, pc, generated.folder, tmp_path / "results", jobs=2)
    assert counts(done.xunit) == (6, 0), (tmp_path / "results" / "output.xml").read_text()[-3000:]
    assert done.failed == 0
    assert emulators(str(built)) == []
