# SPDX-License-Identifier: Apache-2.0
"""earshot worker: this computer works for commands that run on another."""

from __future__ import annotations

import argparse
import os
import subprocess
from urllib.parse import urlsplit

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from workbench.arguments import whole
from workbench.workers import core_count
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

Whoever reaches a port of a scheduler or worker can run any code there: use them in a network that you trust.
With --host 127.0.0.1 scheduler and workers are on one computer, and only that can reach them; a tunnel of ssh
to the scheduler's port lets a command on another computer use them. Ctrl-C ends scheduler and worker.
"""
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def arguments(parser: argparse.ArgumentParser) -> None:
    """For whom."""
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="of the scheduler: tcp://HOST:8786")
    parser.add_argument("--scheduler", action="store_true", help="be the scheduler")
    parser.add_argument(
        "--host",
        metavar="IP",
        help="listen at this address alone (default: at all of this computer's; a worker of a scheduler at "
        "127.0.0.1: there)",
    )
    parser.add_argument(
        "--port", type=whole(0, 65535), default=8786, metavar="N", help="of the scheduler (default 8786)"
    )
    parser.add_argument(
        "--processes",
        type=whole(1, 1024),
        default=core_count(),
        metavar="N",
        help="of the worker (default: one for each core)",
    )


def run(args: argparse.Namespace) -> int:
    """Exit code of Dask's own program; 0 after Ctrl-C."""
    if args.scheduler and args.address is not None:
        raise UserError(
            "a scheduler has no scheduler's address",
            remedy="Leave one of them out: --scheduler, or the address of a worker's scheduler.",
        )
    host = args.host
    if args.scheduler:
        words = [*program("scheduler"), "--port", str(args.port)]
    elif args.address is None:
        raise UserError(
            "no scheduler is named",
            remedy="Name its address, such as tcp://192.168.0.7:8786, or let this computer be it: "
            "--scheduler.",
        )
    else:
        words = [*program("worker"), args.address, "--nworkers", str(args.processes), "--nthreads", "1"]
        words += ["--death-timeout", "60"]
        own = urlsplit(args.address if "://" in args.address else f"//{args.address}").hostname
        host = "127.0.0.1" if host is None and own in _LOOPBACK else host
    words += [] if host is None else ["--host", host]
    words += ["--no-dashboard", "--dashboard-address", "127.0.0.1:0"]  # Dask opens that port all the same
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, env=environment) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            return 0
