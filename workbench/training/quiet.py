# SPDX-License-Identifier: Apache-2.0
"""TensorFlow talks on the process's own stdout and stderr; here it is heard only when something fails."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing on stdout and stderr, from Python or C++, unless the block fails: then all of it on stderr."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    with tempfile.TemporaryFile() as words, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number in (1, 2):
            os.dup2(words.fileno(), number)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, file in zip((1, 2), kept, strict=True):
                os.dup2(file, number)
                os.close(file)
            if failed:
                words.seek(0)
                sys.stderr.write(words.read().decode("utf-8", "replace"))
