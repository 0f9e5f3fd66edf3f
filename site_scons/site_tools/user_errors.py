# SPDX-License-Identifier: Apache-2.0
"""What the user did wrong, and Ctrl-C, end a build with one message: no target's name, no traceback."""

from __future__ import annotations

import sys
import threading
from typing import Any

from SCons.Script import Main
from SCons.Taskmaster.Job import Jobs

from codegen.common.errors import UserError
from toolbox.exit_code import INTERRUPTED, ExitCode

BY_SIGINT = 130  # a shell's exit code for what SIGINT has ended


def generate(env: Any) -> None:
    """A UserError raised by an action is printed as it is; exit code 2, or the error's own. Ctrl-C: 130."""
    failed, begin, end = Main.BuildTask.failed, Jobs._setup_sig_handler, Jobs._reset_sig_handler
    stopped = threading.Event()

    def reported(task: Any) -> None:
        error = task.exc_info()[1]
        cause = (getattr(error, "exc_info", None) or (None, None))[1]
        if getattr(error, "status", None) == BY_SIGINT:
            stopped.set()  # the compiler has heard of Ctrl-C before SCons has
        if not stopped.is_set() and not isinstance(cause, UserError | ExitCode):
            failed(task)
            return
        if isinstance(cause, UserError):
            print(cause, file=sys.stderr)
        task.exception = (error, error, None)
        task.do_failed(getattr(cause, "exit_code", 2))
        task.exc_clear()

    def stoppable(jobs: Any) -> None:
        interrupted = jobs.job.interrupted

        def stop() -> None:
            interrupted.interrupted = True
            stopped.set()
            jobs.job.taskmaster.stop()  # of itself SCons only stops where a task fails

        interrupted.set = stop
        begin(jobs)

    def ended(jobs: Any) -> None:
        end(jobs)
        if stopped.is_set():
            print(f"earshot: {INTERRUPTED}", file=sys.stderr)
            Main.exit_status = 130

    Main.BuildTask.failed = reported
    Jobs._setup_sig_handler, Jobs._reset_sig_handler = stoppable, ended


def exists(env: Any) -> bool:
    """Always."""
    return True
