# SPDX-License-Identifier: Apache-2.0
"""A studio that runs, as a person starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from codegen.common.paths import ROOT
from tests.support.not_root import not_root
from toolbox import environment
from workbench.commands.studio import ENVIRONMENT


@contextmanager
def studio(folder: Path, *words: str, packages: Path | None = None, bound: bool = False) -> Iterator[str]:
    """Its address, with a / at the end. Ctrl-C ends it, with exit code 0. packages: a folder of modules that
    it takes in place of its own. bound: by the rights of files, though we may be root."""
    environment.make(ROOT / ENVIRONMENT, ROOT / "requirements" / "studio.lock", over_base=True)
    python = str(ROOT / ENVIRONMENT / "bin" / "python")
    command = [python, "-P", "-m", "workbench", "studio", str(folder), "--no-browser", *words]
    command = not_root(command) if bound else command
    path = os.pathsep.join(map(str, filter(None, (ROOT, packages))))
    process = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            found = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", line)
            if found:
                break
        else:
            raise AssertionError("it told no address")
        yield found[0]
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
