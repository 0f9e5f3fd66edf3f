# SPDX-License-Identifier: Apache-2.0
"""How a program that SCons runs ends the build with its own exit code."""

from __future__ import annotations

INTERRUPTED = "interrupted"  # all that is said where Ctrl-C ends something; the exit code is 130


class ExitCode(Exception):
    """A program has failed and has said why."""

    def __init__(self, code: int) -> None:
        """code: what the build ends with: 1, a check failed; 2, bad input."""
        super().__init__(f"exit code {code}")
        self.exit_code = code
