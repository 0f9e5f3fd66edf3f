# SPDX-License-Identifier: Apache-2.0
"""`scons board=... emulate` and `flash`: SCons builds in a process of its own, which ends before they begin.

So nobody waits for an emulator or a probe who only wants to build, and SCons has written what it remembers.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from toolbox.exit_code import INTERRUPTED
from toolbox.options import AFTER, BuildOptions
from toolbox.scons import scons_command, scons_environment
from workbench.progress import remark

_PATHS = ("app", "build", "tflm")
_NOT_FOR_THE_BUILD = ("emulator", "suites", "probe", "port", "accept")


def run(options: BuildOptions, arguments: Mapping[str, str], targets: Sequence[str], launch: Path) -> int:
    """Builds what is asked for, then does options.after in that order; the exit code.

    arguments, targets, launch: of the command line, see read_options. 0: done; 1: a case or the flashing
    failed; 2: it could not be tried; 130: interrupted.
    """
    words = [
        f"{name}={(launch / value).resolve() if name in _PATHS else value}"
        for name, value in arguments.items()
        if name not in _NOT_FOR_THE_BUILD
    ]
    rest = [target for target in targets if target not in AFTER]
    try:
        for what in options.after:
            _check(what, options)
        code = _built([*words, *rest, "firmware"])
        if code != 0:
            return code
        return next(filter(None, (_do(what, options) for what in options.after)), 0)
    except UserError as error:
        print(error, file=sys.stderr)
        return int(getattr(error, "exit_code", 2))
    except KeyboardInterrupt:
        remark(INTERRUPTED)
        return 130


def _built(words: Sequence[str]) -> int:
    """SCons's exit code. After an interrupt it is waited for: it writes what it remembers, and says it."""
    process = subprocess.Popen([*scons_command(), *words], cwd=ROOT, env=scons_environment())
    try:
        return process.wait()
    except KeyboardInterrupt:
        code = process.wait()
        if code == 0:  # it had built everything
            raise
        return code


def _check(what: str, options: BuildOptions) -> None:
    """UserError for what cannot be done, before a minute of building."""
    if what == "emulate":
        from workbench.suites.emulator import check

        check(options.spec, options.board.name, options.emulator)
    else:
        from workbench.flash.choose import methods_of

        methods_of(options.board)


def _do(what: str, options: BuildOptions) -> int:
    if what == "emulate":
        from workbench.suites.emulate import emulate

        image = options.folder / "firmware.elf"
        return emulate(
            options.board.name,
            options.app,
            image,
            options.build,
            wanted=options.emulator,
            suites=options.suites,
            jobs=options.jobs,
        )
    from workbench.flash.flash import flash

    flash(options.board, options.folder, options.probe, options.port, verbose=options.verbose)
    return 0
