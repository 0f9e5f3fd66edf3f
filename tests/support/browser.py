# SPDX-License-Identifier: Apache-2.0
"""A real browser for tests of the studio: Debian's chromium, without a window, driven by Playwright.

Playwright lies in an environment of its own, .venv-browser, over .venv; the first test makes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from codegen.common.paths import ROOT
from tests.support.tools import need_tool
from toolbox import environment

WIDTH, HEIGHT = 1280, 800
WAIT = 300_000  # milliseconds until a condition has failed: no measure of speed


@contextmanager
def page() -> Iterator[Any]:
    """A page of a new browser. Skips where there is none. What the page's scripts complain of, and requests
    to elsewhere, fail the test at the end of the block."""
    program = need_tool("chromium")
    folder = ROOT / ".venv-browser"
    environment.make(folder, ROOT / "requirements" / "browser.lock", over_base=True)
    packages = str(environment.packages(folder))
    if packages not in sys.path:
        sys.path.append(packages)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        shown.set_default_timeout(WAIT)
        complaints: list[str] = []

        def hear(said: Any) -> None:
            if said.type == "error":
                complaints.append(said.text)

        def look(asked: Any) -> None:
            if not asked.url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")):
                complaints.append(f"asked {asked.url}")

        shown.on("console", hear)
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.on("request", look)
        try:
            yield shown
        finally:
            browser.close()
        assert complaints == [], complaints
