# SPDX-License-Identifier: Apache-2.0
"""earshot synthesize: labelled sounds out of a seed."""

from __future__ import annotations

import argparse
from pathlib import Path

from codegen.common.errors import UserError
from workbench.audio.synthesize import write_session
from workbench.progress import waiting

NAME = "synthesize"
HELP = "write labelled knocks, clicks, typing and noises made from a seed"
DESCRIPTION = """\
Writes WAVs (16 kHz, 16 bit, mono) and a labels.csv: synthetic knocks, mouse clicks, typing and other noises,
for trying the tools where there are no recordings. The same seed always makes the same sounds. They are made
by simple models of struck things and prove nothing about real doors.

  earshot synthesize -o sounds --seed 7
  earshot evaluate --app examples/smart_lock --labels sounds/labels.csv
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where to, and how many."""
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="DIR", help="folder for the files"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of everything random (default 1)")
    parser.add_argument("--recordings", type=int, default=4, metavar="N", help="files a class (default 4)")
    parser.add_argument(
        "--events", type=int, default=6, metavar="N", help="events a file, of noise the seconds (default 6)"
    )
    parser.add_argument("--session", default="test", metavar="NAME", help='session column (default "test")')


def run(args: argparse.Namespace) -> int:
    """Exit code 0."""
    for option, low, high in (("seed", 0, 999_999), ("recordings", 1, 999), ("events", 1, 1000)):
        if not low <= getattr(args, option) <= high:
            raise UserError(f"--{option} {getattr(args, option)} is out of range; {low}..{high} are allowed")
    if args.output.exists() and not args.output.is_dir():
        raise UserError("is a file; a folder is wanted", file=args.output)
    with waiting("making sounds"):
        labels = write_session(args.output, args.seed, args.recordings, args.events, args.session)
    print(f"{4 * args.recordings} recordings are labelled in {labels}")
    return 0
