"""The project's own tests."""

from __future__ import annotations

import argparse
import subprocess
import sys

from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.scons import scons_environment

NAME = "test"
HELP = "passes the tests of Earshot itself"
DESCRIPTION = """\
Installs what the tests need (compilers, emulator) where that is possible, then runs them on all cores.
The run ends with a table of the proofs that were skipped, and why.

  earshot test                       everything
  earshot test tests/codegen/ops     a folder or a file
  earshot test -k gate -x            words for pytest are passed on
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
    # A file's tests stay on one core: what they build together is built once.
    command = [sys.executable, "-m", "pytest", "--numprocesses=auto", "--dist=loadfile", *args.words]
    code = subprocess.run(command, cwd=ROOT, env=scons_environment(), check=False).returncode
    return 2 if code == BAD_USAGE else code
