# SPDX-License-Identifier: Apache-2.0
"""What SCons remembers of a file is forgotten before the file is made anew, and written when all is done.

SCons keeps the signatures of a build in one file, written at its end. Where that fails, or SCons is killed,
the file on the disk would be that of an earlier build: back at that one's settings, SCons would call files of
the later one up to date. So it is taken off the disk before the first action. Without it all is made anew.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from SCons import SConsign
from SCons.Node.FS import File
from SCons.Script import GetOption, Main

_PART = ".part"  # the ending of a file that is being made


def generate(env: Any) -> None:
    """Patches SCons's tasks and its end; compilers keep the lock until they end; adds env.Whole(action)."""
    descriptor = env["LOCK"].fileno()

    def spawn(
        shell: str, _escape: object, _command: str, words: Sequence[str], variables: Mapping[str, str]
    ) -> int:
        # A compiler that outlives a killed SCons still writes: it holds the lock as well.
        done = subprocess.run(
            [shell, "-c", " ".join(words)], env=dict(variables), pass_fds=(descriptor,), check=False
        )
        return done.returncode if done.returncode >= 0 else 128 - done.returncode

    env.Replace(SPAWN=spawn)
    if getattr(Main.BuildTask, "forgets", False):  # another environment of the same build did it
        return
    Main.BuildTask.forgets = True
    database = Path(f"{env['OPTIONS'].board_folder}/.sconsign.dblite")
    needs_execute, failed, write = Main.BuildTask.needs_execute, Main.BuildTask.failed, SConsign.write

    def forgetful(task: Any) -> bool:
        if not needs_execute(task):
            return False
        if not GetOption("no_exec"):
            for node in task.targets:
                _forget(node)
            database.unlink(missing_ok=True)
        return True

    def cleaning(task: Any) -> None:
        for node in task.targets:
            if isinstance(node, File) and not node.precious:
                Path(node.get_abspath()).unlink(missing_ok=True)
                Path(node.get_abspath() + _PART).unlink(missing_ok=True)
        failed(task)

    def careful() -> None:
        try:
            write()
        except OSError as error:
            _give_up(database)
            where = database.parent
            print(
                f"{where}: cannot be written: {error.strerror}. The next build makes all anew.",
                file=sys.stderr,
            )
            Main.exit_status = Main.exit_status or 2

    Main.BuildTask.needs_execute = forgetful
    Main.BuildTask.failed = cleaning
    SConsign.write = careful


def _forget(node: Any) -> None:
    """Its entry, which SCons has read before it found the file out of date."""
    if isinstance(node, File):
        signatures = node.dir.sconsign()
        if signatures.entries.pop(node.name, None) is not None:
            signatures.dirty = True


def _give_up(database: Path) -> None:
    """Half a file does not stay, nor does SCons try again at its very end."""
    for opened in SConsign.DB_sync_list:
        opened._needs_sync = False
    with contextlib.suppress(OSError):
        database.with_suffix(".tmp").unlink(missing_ok=True)


def exists(env: Any) -> bool:
    """Always."""
    return True
