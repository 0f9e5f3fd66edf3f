# SPDX-License-Identifier: Apache-2.0
"""The project's own tests."""

from __future__ import annotations

import argparse
import subprocess
import sys

from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.scons import scons_environment

NAME = "test"
HELP = "run the tests of Earshot itself"
DESCRIPTION = """\
Installs what the tests need (compilers, emulator) where that is possible, then runs them on all cores.
The run ends with a table of the proofs that were skipped, and why.

  earshot test                       everything
  earshot test --fast                what an edit most often breaks: under a minute of CPU time
  earshot test tests/codegen/ops     a folder or a file
  earshot test -k gate -x            words for pytest are passed on
  earshot test -m "not qemu"         markers: fast, build, qemu, renode, docs, soak
  earshot test --coverage            also counts which lines run, of Python and of the C on this computer
"""

BAD_USAGE = 4  # of pytest
WORDS_PASS = True  # pytest's options are not ours


def arguments(parser: argparse.ArgumentParser) -> None:
    """All words go to pytest."""
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="words for pytest")


def run(args: argparse.Namespace) -> int:
    """pytest's exit code: 0 passed, 1 a test failed, 5 no test was found, 2 an unknown option."""
    tools.ensure(*tools.TOOLS)
    tools.try_install(*tools.PROOFS)
    chosen = [word for word in args.words if word not in ("--fast", "--coverage")]
    chosen += ["-m", "fast"] if "--fast" in args.words else []
    # A file's tests stay on one core: what they build together is built once.
    words = ["--numprocesses=auto", "--dist=loadfile", *chosen]
    if "--coverage" in args.words:
        from workbench.house.coverage import run as covered

        code = covered(words)
    else:
        command = [sys.executable, "-m", "pytest", *words]
        code = subprocess.run(command, cwd=ROOT, env=with_bytecode(), check=False).returncode
    return 2 if code == BAD_USAGE else code


def with_bytecode() -> dict[str, str]:
    """The environment of SCons, in which Python keeps under build/ what it has compiled.

    A run of the tests starts hundreds of processes, and many machines have PYTHONDONTWRITEBYTECODE set.
    """
    environment = scons_environment()
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**environment, "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "pycache")}
