# SPDX-License-Identifier: Apache-2.0
"""Opens the studio in the browser, its token in no command line: all users of the computer see those.

The browser is given the name of a file that only its owner may read; the file sends it on to the address.
"""

from __future__ import annotations

import os
import tempfile
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path

from codegen.common.paths import ROOT

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<title>Earshot studio</title>
<p><a href="{address}">Earshot studio</a></p>
</html>
"""


@contextmanager
def opened(address: str) -> Iterator[None]:
    """The browser opens the address; the file that leads there is removed at the end of the block."""
    folder = ROOT / "build"  # not /tmp: browsers in a sandbox, such as Ubuntu's, have another one
    folder.mkdir(exist_ok=True)
    handle, name = tempfile.mkstemp(".html", "studio-", folder)  # with rights for its owner alone
    file = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(_PAGE.format(address=escape(address)))
        threading.Thread(target=webbrowser.open, args=(file.as_uri(),), daemon=True).start()
        yield
    finally:
        file.unlink(missing_ok=True)
