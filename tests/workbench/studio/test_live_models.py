# SPDX-License-Identifier: Apache-2.0
"""The page Live of a board with two models: each has its class, and one is looked at."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.support.browser import page
from tests.support.studio import studio
from tests.workbench.live.test_models import BOOT, LINES, STATUS, decision
from tests.workbench.studio.test_survival import FakeBoard


class TwoModels(FakeBoard):
    """The door hears a knock all the time, the words hear "no"; settings are taken."""

    def _decided(self, number: int) -> bytes:
        lines = decision(0, 1, "knock", 90, number), decision(1, 2, "no", 95, number)
        return "".join(f"{line}\n" for line in lines).encode()

    def _answer(self, line: str) -> bytes:
        if line == "boot":
            return "\n".join([BOOT, *LINES, ""]).encode()
        if line.startswith("set "):
            _, key, value = line.split()
            return f'{{"set":"{key}","value":{value}}}\n'.encode()
        return f"{json.dumps(STATUS)}\n".encode() if line == "status" else b""


def test_a_person_looks_at_one_of_two_models(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, studio(tmp_path) as address, page() as shown:
        board = TwoModels(server)
        shown.goto(f"{address}live")
        shown.get_by_role("textbox", name="port").fill(board.url)
        shown.get_by_role("button", name="Start").click()
        shown.locator(".hero .class").filter(has_text="knock").wait_for()
        shown.get_by_role("button", name="door: knock").wait_for()
        shown.get_by_role("button", name="words: no").click()
        shown.locator(".hero .class").filter(has_text="no").wait_for()
        shown.get_by_text("3 of 3 votes").wait_for()
        shown.get_by_role("button", name="3 maybe").wait_for()
        shown.get_by_role("slider", name="yes: threshold").locator("[tabindex]").focus()
        shown.keyboard.press("ArrowRight")
        shown.locator(".slider").filter(has_text="yes: threshold").get_by_text("score 91").wait_for()
        shown.get_by_role("button", name="door: knock").click()
        shown.get_by_role("slider", name="click: threshold").wait_for()
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
