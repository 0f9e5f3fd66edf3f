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
from typing import NoReturn

from codegen.common.errors import UserError, disk_error
from codegen.common.paths import ROOT
from toolbox import tools
from toolbox.exit_code import INTERRUPTED
from toolbox.locks import lock

STAMP = "earshot.stamp"  # the clone's path and the lock file: what `./earshot` compares, so keep both alike
BASE, BASE_LOCK = ".venv", "base.lock"  # the environment that every command has


def stamp(root: Path, *lock_files: Path) -> bytes:
    """What the stamp of an environment holds that is complete, in place and up to date."""
    return f"{root}\n".encode() + b"".join(file.read_bytes() for file in lock_files)


def make(folder: Path, lock_file: Path, *, over_base: bool = False) -> None:
    """Makes `folder` anew unless its stamp says it is right.

    The stamp is written last: an installation that was interrupted has none and is redone.
    over_base: its lock file has only what is wanted beside the packages of .venv, which it sees.
    """
    held = lock(ROOT / "build" / f"{folder.name}.lock", f"earshot: waiting for the setup of {folder.name}")
    with held:
        wanted = stamp(ROOT, *([lock_file.with_name(BASE_LOCK)] if over_base else []), lock_file)
        if (folder / STAMP).is_file() and (folder / STAMP).read_bytes() == wanted:
            return
        _need_venv()
        print(
            f"earshot: installing the Python packages of requirements/{lock_file.name} into {folder.name}",
            file=sys.stderr,
            flush=True,
        )
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=not over_base, symlinks=True)
        if over_base:
            # As a site folder, with its .pth files: so coverage.py counts lines there, too.
            line = f"import site; site.addsitedir({str(packages(ROOT / BASE))!r})\n"
            (packages(folder) / "base.pth").write_text(line, encoding="utf-8")
        install(folder, lock_file, pip_of=ROOT / BASE if over_base else None)
        (folder / STAMP).write_bytes(wanted)


def go_on_in(name: str, lock: str, package: str, *, over_base: bool = False) -> NoReturn:
    """The same command again in another environment of the clone, which is made where it is not there.

    lock: of requirements/, without .lock. package: which the present environment lacks, as a person calls it
    """
    folder = ROOT / name
    if Path(sys.prefix).resolve() == folder.resolve():
        raise UserError(
            f"{folder} is there, but has no {package}", remedy="Remove that folder and run this again."
        )
    make(folder, ROOT / "requirements" / f"{lock}.lock", over_base=over_base)
    sys.stdout.flush()
    python = str(folder / "bin" / "python")
    os.execve(python, [python, "-P", "-m", "workbench", *sys.argv[1:]], os.environ)


def packages(folder: Path) -> Path:
    """Where an environment has its packages."""
    return folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _need_venv() -> None:
    """Debian keeps what a virtualenv needs in a package of its own."""
    if importlib.util.find_spec("ensurepip") is None:
        tools.install([tools.VENV])
        importlib.invalidate_caches()
        if importlib.util.find_spec("ensurepip") is None:
            raise UserError(f"{sys.executable} cannot make virtualenvs", remedy=tools.remedy([tools.VENV]))


def install(folder: Path, lock_file: Path, *, pip_of: Path | None = None) -> None:
    """From the index of the user's pip configuration, whatever environment is active. pip_of: the environment
    whose pip does it, where that is another."""
    unwanted = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_REQUIRE_VIRTUALENV", "PIP_USER", "PIP_TARGET")
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    command = [str((pip_of or folder) / "bin" / "python"), "-m", "pip"]
    if pip_of is not None:
        command += ["--python", str(folder / "bin" / "python")]
    command += ["install", "--quiet", "--disable-pip-version-check"]
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
