# SPDX-License-Identifier: Apache-2.0
"""The browser is led to the studio, and nobody else learns the address."""

from __future__ import annotations

import queue
import stat
import webbrowser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from workbench.studio.browser import opened

ADDRESS = "http://127.0.0.1:8300/a-token_of_32_characters_at_least/"


def test_the_token_is_in_a_file_of_its_owner_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    given: queue.SimpleQueue[str] = queue.SimpleQueue()
    monkeypatch.setattr(webbrowser, "open", given.put)
    with opened(ADDRESS):
        word = given.get(timeout=300)  # what a browser's command line has
        assert "token" not in word
        assert urlsplit(word).scheme == "file"
        file = Path(unquote(urlsplit(word).path))
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert f'http-equiv="refresh" content="0; url={ADDRESS}"' in file.read_text()
    assert not file.exists()


def test_the_file_is_removed_when_the_studio_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    given: queue.SimpleQueue[str] = queue.SimpleQueue()
    monkeypatch.setattr(webbrowser, "open", given.put)
    with pytest.raises(KeyboardInterrupt), opened(ADDRESS):
        raise KeyboardInterrupt
    assert not Path(unquote(urlsplit(given.get(timeout=300)).path)).exists()
