# SPDX-License-Identifier: Apache-2.0
"""earshot worker: this computer works for commands that run on another."""

from __future__ import annotations

import argparse
import os
import subprocess

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.arguments import whole
from workbench.workers.cluster import program

NAME = "worker"
HELP = "let this computer work for long commands of others, by Dask"
DESCRIPTION = """\
Long work (features, evaluation, tuning on hours of recordings) can be handed to a Dask cluster: `train`,
`evaluate` and `tune` take --scheduler ADDRESS. The results are those of one computer, in the same order. Each
computer of the cluster has a checkout of the same version of Earshot, and builds the app by itself.

  earshot worker --scheduler                 on one computer; it tells its address
  earshot worker tcp://192.168.0.7:8786      on each that works, one process a core
  earshot tune --app my_app --labels labels.csv --background nights/ --scheduler tcp://192.168.0.7:8786

Whoever reaches a scheduler's port can run any code on its workers: use it in a network that you trust, or
give --host 127.0.0.1 and a tunnel of ssh. Ctrl-C ends scheduler and worker.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """For whom."""
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="of the scheduler: tcp://HOST:8786")
    parser.add_argument("--scheduler", action="store_true", help="be the scheduler")
    parser.add_argument(
        "--host", metavar="IP", help="of the scheduler: listen there alone (default: everywhere)"
    )
    parser.add_argument(
        "--port", type=whole(0, 65535), default=8786, metavar="N", help="of the scheduler (default 8786)"
    )
    parser.add_argument(
        "--processes",
        type=whole(1, 1024),
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="of the worker (default: one for each core)",
    )


def run(args: argparse.Namespace) -> int:
    """Exit code of Dask's own program; 0 after Ctrl-C."""
    if args.scheduler:
        words = [*program("scheduler"), "--port", str(args.port), "--no-dashboard"]
        words += ["--host", args.host] if args.host is not None else []
    elif args.address is None:
        raise UserError(
            "whose worker it shall be is not said",
            remedy="Name the scheduler's address, such as tcp://192.168.0.7:8786, or be it: --scheduler.",
        )
    else:
        words = [*program("worker"), args.address, "--nworkers", str(args.processes), "--nthreads", "1"]
        words += ["--no-dashboard", "--death-timeout", "60"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            return 0
