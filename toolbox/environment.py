# SPDX-License-Identifier: Apache-2.0
"""Makes a virtualenv from a lock file: what `./earshot` calls when its environment is absent or out of date.

Standard library only, run by the system's Python 3.11:  python3.11 -m toolbox.environment .venv base
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from codegen.common.errors import UserError, disk_error
from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.exit_code import INTERRUPTED
from toolbox.locks import lock

STAMP = "earshot.stamp"  # the clone's path and the lock file: what `./earshot` compares, so keep both alike


def stamp(root: Path, lock_file: Path) -> bytes:
    """What the stamp of an environment holds that is complete, in place and up to date."""
    return f"{root}\n".encode() + lock_file.read_bytes()


def make(folder: Path, lock_file: Path) -> None:
    """Makes `folder` anew unless its stamp says it is right.

    The stamp is written last: an installation that was interrupted has none and is redone.
    """
    held = lock(ROOT / "build" / f"{folder.name}.lock", f"earshot: waiting for the setup of {folder.name}")
    with held:
        wanted = stamp(ROOT, lock_file)
        if (folder / STAMP).is_file() and (folder / STAMP).read_bytes() == wanted:
            return
        _need_venv()
        print(
            f"earshot: installing the Python packages of requirements/{lock_file.name} into {folder.name}",
            file=sys.stderr,
            flush=True,
        )
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True, symlinks=True)
        install(folder, lock_file)
        (folder / STAMP).write_bytes(wanted)


def _need_venv() -> None:
    """Debian keeps what a virtualenv needs in a package of its own."""
    if importlib.util.find_spec("ensurepip") is None:
        tools.install([tools.VENV])
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") is None:
            raise UserError(f"{sys.executable} cannot make virtualenvs", remedy=tools.remedy([tools.VENV]))


def install(folder: Path, lock_file: Path) -> None:
    """From the index of the user's pip configuration, whatever environment is active."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_TARGET")
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    command = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    # A lock file is complete: what it does not name is not wanted.
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:", "--no-warn-script-location"]
    command += ["-r", str(lock_file)]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise UserError(
            f"pip could not install requirements/{lock_file.name}:\n{(done.stdout + done.stderr).rstrip()}",
            remedy="The first run needs a package index that pip reaches (see `pip config list`).",
        )


def main() -> int:
    """python -m toolbox.environment FOLDER LOCK"""
    parser = argparse.ArgumentParser(prog="toolbox.environment", description=__doc__)
    parser.add_argument("folder", help="the virtualenv, in the clone's root")
    parser.add_argument("lock", help="name of a file in requirements/, without .lock")
    words = parser.parse_args()
    try:
        make(ROOT / words.folder, ROOT / "requirements" / f"{words.lock}.lock")
    except (UserError, OSError) as error:
        reported = error if isinstance(error, UserError) else disk_error(error)
        if reported is None:
            raise
        print(f"earshot: {reported}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"earshot: {INTERRUPTED}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
