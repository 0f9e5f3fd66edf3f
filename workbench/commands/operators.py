# SPDX-License-Identifier: Apache-2.0
"""earshot operators: what the engine computes exactly, by the proofs themselves."""

from __future__ import annotations

import argparse

from codegen.common.paths import ROOT
from workbench.commands import test

NAME = "operators"
HELP = "run the proofs of all operators and print which options were compared, and how often"
DESCRIPTION = """\
Runs the tests that compare the engine's operators with TFLite's reference kernels, value by value, on this
computer and on an emulated Cortex-M4, and prints the table: each operator, how many models that hold it were
compared, how many output values, and with which options. The models tell it themselves; an operator without
cases does not appear. Then how many damaged models the reader was given.

  earshot operators
  earshot operators -k conv
  EARSHOT_EXAMPLES=50 earshot operators     fifty times as many cases, other ones each time
"""

WORDS_PASS = True


def arguments(parser: argparse.ArgumentParser) -> None:
    """All words go to pytest."""
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...", help="words for pytest")


def run(args: argparse.Namespace) -> int:
    """pytest's exit code: 0 all equal, 1 a value differed."""
    files = sorted((ROOT / "tests/codegen/ops").rglob("test_*.py"))
    files += [ROOT / "tests/workbench/verify" / name for name in ("test_models.py", "test_torch.py")]
    files += [ROOT / "tests/codegen/model/test_damaged_files.py"]
    words = ["--operators", *(str(file) for file in files), *args.words]
    return test.run(argparse.Namespace(words=words))
