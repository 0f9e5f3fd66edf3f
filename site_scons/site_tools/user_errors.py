# SPDX-License-Identifier: Apache-2.0
"""What the user did wrong ends a build with its message alone: no target's name, no traceback."""

from __future__ import annotations

import sys
from typing import Any

from SCons.Script import Main

from codegen.common.errors import UserError
from toolbox.exit_code import ExitCode


def generate(env: Any) -> None:
    """A UserError raised by an action is reported as it is; exit code 2, or the error's own."""
    failed = Main.BuildTask.failed

    def reported(task: Any) -> None:
        error = task.exc_info()[1]
        cause = (getattr(error, "exc_info", None) or (None, None))[1]
        if not isinstance(cause, UserError | ExitCode):
            failed(task)
            return
        if isinstance(cause, UserError):
            print(cause, file=sys.stderr)
        task.exception = (error, error, None)
        task.do_failed(getattr(cause, "exit_code", 2))
        task.exc_clear()

    Main.BuildTask.failed = reported


def exists(env: Any) -> bool:
    """Always."""
    return True
