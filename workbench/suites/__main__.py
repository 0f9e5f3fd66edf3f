"""What `scons board=... emulate` runs once the image is built: python -m workbench.suites --help"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from codegen.app.spec_file import load_spec
from codegen.board.description import load_board
from codegen.common.errors import UserError
from toolbox import tools
from workbench.build import build
from workbench.progress import waiting
from workbench.suites.emulator import QEMU, check, choose
from workbench.suites.generate import generate
from workbench.suites.renode import run_on_renode
from workbench.suites.run import run_robot

SYNTHESISED = (
    "The sounds were made by a program, for want of recordings. Name yours in suites.toml: docs/emulation.md."
)


def main() -> int:
    """0: every case passed, 1: one failed, 2: they could not be run, 130: interrupted."""
    parser = argparse.ArgumentParser(prog="workbench.suites", description=__doc__)
    parser.add_argument("--board", required=True)
    parser.add_argument("--app", type=Path, required=True)
    parser.add_argument("--image", type=Path, required=True, help="of that board, built")
    parser.add_argument("--build", type=Path, required=True, help="where other boards are built")
    parser.add_argument("--emulator", help="qemu or renode")
    args = parser.parse_args()
    try:
        return emulate(args.board, args.app, args.image, args.build, args.emulator)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def emulate(board: str, app: Path, image: Path, build_dir: Path, wanted: str | None) -> int:
    """Generates an app's suites and runs them; the exit code."""
    spec = load_spec(app)
    check(spec, board, wanted)
    emulator = choose(board, wanted)
    pc_image = build("pc", app, build_dir).image
    if emulator.board != load_board(board):
        image = build(emulator.board.name, app, build_dir).image
    folder = image.parent / "emulate"
    with waiting("working out on this computer what is expected"):
        generated = generate(spec, emulator, image, pc_image, folder)
    print(f"{generated.cases} cases for {emulator.words}", flush=True)
    results = folder / "results"
    if emulator.name == QEMU:
        tools.ensure("qemu-system-arm")
        done = run_robot(generated.folder, results)
    else:
        assert emulator.renode_test is not None
        done = run_on_renode(emulator.renode_test, pc_image, generated.folder, results)
    passed = generated.cases - done.failed
    print(f"{passed} of {generated.cases} cases passed on {emulator.words}")
    print(f"  log    {done.log}\n  JUnit  {done.xunit}")
    if generated.synthesised:
        print(SYNTHESISED)
    return 1 if done.failed else 0


if __name__ == "__main__":
    sys.exit(main())
