# SPDX-License-Identifier: Apache-2.0
"""`scons board=... emulate`: an app's suites, written and run on an emulator."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from toolbox import tools
from toolbox.locks import lock
from workbench.build import build
from workbench.progress import waiting
from workbench.suites.emulator import QEMU, RENODE, Emulator, check, choose, need_renode_test
from workbench.suites.generate import Generated, generate
from workbench.suites.renode import run_on_renode
from workbench.suites.results import Results, StoppedError
from workbench.suites.run import run_robot
from workbench.suites.settings import SHORT_COUNT, SHORT_LONG
from workbench.targets.renode import SCRIPT

SHORT = f"; the short set: {SHORT_COUNT} recordings at most, one of {SHORT_LONG} s. suites=all runs all"
SYNTHESISED = (
    "The sounds were made by a program, for want of recordings. Name yours in suites.toml: docs/emulation.md."
)


def emulate(
    board: str,
    app: Path,
    image: Path,
    build_dir: Path,
    *,
    wanted: str | None,
    suites: str | None = None,
    jobs: int | None = None,
) -> int:
    """Generates an app's suites and runs them. 0: every case passed, 1: one failed, 130: interrupted.

    image: of that board, built; wanted: "qemu" or "renode" alone; suites: "all" or "short", None: short under
    Renode, whose cases take longer. jobs: Renodes side by side, None: one for each core. UserError: they
    could not be run.
    """
    spec = load_spec(app, several=True)
    check(spec, board, wanted)
    emulator = choose(board, wanted)
    if emulator.renode_test is not None:
        need_renode_test(emulator.renode_test)
    short = (suites or ("short" if emulator.name == RENODE else "all")) == "short"
    pc_image = build("pc", app, build_dir).image
    if emulator.board != load_board(board):
        image = build(emulator.board.name, app, build_dir).image
    folder = image.parent / "emulate"
    with lock(folder / ".lock", f"waiting for the suites in {folder}"):
        image, pc_image = _copies(emulator, image, pc_image, folder / "images")
        with waiting("working out on this computer what is expected"):
            generated = generate(spec, emulator, image, pc_image, folder, short=short)
        print(f"{generated.cases} cases for {emulator.words}{SHORT if short else ''}", flush=True)
        try:
            done = _run(emulator, pc_image, generated, folder / "results", jobs or os.cpu_count() or 1)
        except StoppedError as stopped:
            passed = sum(case.passed for case in stopped.cases)
            print(
                f"interrupted: {len(stopped.cases)} of {generated.cases} cases finished, "
                f"{passed} of them passed on {emulator.words}"
            )
            print(f"  log    {stopped.log}" if stopped.log else f"  see    {folder / 'results'}")
            return 130
    print(f"{len(done.cases) - done.failed} of {generated.cases} cases passed on {emulator.words}")
    print(f"  log    {done.log}\n  JUnit  {done.xunit}")
    if generated.synthesised:
        print(SYNTHESISED)
    return 1 if done.failed else 0


def _copies(emulator: Emulator, image: Path, pc_image: Path, folder: Path) -> tuple[Path, Path]:
    """The images as they are now: others may build meanwhile."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    renode = emulator.board.renode
    beside = [SCRIPT, *(Path(file).name for file in renode.files)] if renode is not None else []
    for name in (image.name, *beside):
        shutil.copy2(image.parent / name, folder / name)
    return folder / image.name, Path(shutil.copy2(pc_image, folder / f"pc_{pc_image.name}"))


def _run(emulator: Emulator, pc_image: Path, generated: Generated, results: Path, jobs: int) -> Results:
    if emulator.name == QEMU:
        tools.ensure("qemu-system-arm")
        return run_robot(generated.folder, results, cases=generated.names)
    assert emulator.renode_test is not None
    return run_on_renode(
        emulator.renode_test, pc_image, generated.folder, results, jobs=jobs, cases=generated.names
    )
