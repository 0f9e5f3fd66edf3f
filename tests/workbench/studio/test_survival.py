# SPDX-License-Identifier: Apache-2.0
"""What a Live session outlives: a port that is pulled out, a device that starts anew, two tabs, and time."""

from __future__ import annotations

import contextlib
import itertools
import pickle
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.support.browser import WAIT, page
from tests.support.scripted_image import BOOT
from tests.support.studio import studio
from tests.workbench.live.test_monitor import LABELS, decision, status
from workbench.live.events import Event, Level, Mark, Received
from workbench.live.monitor import Monitor
from workbench.live.run import watch
from workbench.live.sources import PlaySource
from workbench.studio.live import Live, _Page

A_SECOND = 40  # decisions
BOOTED = BOOT.replace('"output":1', f'"output":1,"rate":16000,"labels":["{LABELS[0]}","{LABELS[1]}"]') + "\n"


class FakeBoard:
    """Behind a TCP port: it decides "knocking" all the time, and can be pulled out and reset."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._gate = 600
        self.url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        self.reset = threading.Event()
        self.pulled = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection:
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(1 / A_SECOND)
        half = b""
        for number in itertools.count():
            try:
                data = connection.recv(4096)
                if not data:
                    return
                *lines, half = (half + data).split(b"\n")
            except TimeoutError:
                lines = []
            for line in lines:
                connection.sendall(self._answer(line.decode()))
            if self.reset.is_set():
                self.reset.clear()
                connection.sendall(BOOTED.encode())
            if self.pulled.is_set():
                return
            connection.sendall(self._decided(number))

    def _decided(self, number: int) -> bytes:
        return decision(2, sequence=number)

    def _answer(self, line: str) -> bytes:
        if line.startswith("set gate.threshold "):
            self._gate = int(line.split()[2])
        if line == "boot":
            return BOOTED.encode()
        return status(**{"gate.threshold": self._gate}) if line == "status" or "set" in line else b""


def test_two_tabs_see_one_session_that_outlives_port_and_device(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, studio(tmp_path) as address, page() as first:
        board = FakeBoard(server)
        second = first.context.browser.new_page(viewport=first.viewport_size)
        second.set_default_timeout(WAIT)
        for tab in (first, second):
            tab.goto(f"{address}live")
        first.get_by_role("textbox", name="port").fill(board.url)
        first.get_by_role("button", name="Start").click()
        for tab in (first, second):
            tab.locator(".hero .class").filter(has_text="knocking").wait_for()
            tab.get_by_text("app on b").wait_for()
        second.get_by_role("slider", name="gate: threshold").locator("[tabindex]").focus()
        second.keyboard.press("ArrowRight")
        first.locator(".slider").get_by_text("630", exact=True).wait_for()
        nodes = first.evaluate("document.querySelectorAll('*').length")
        first.wait_for_function(
            "Number(document.querySelector('.counters').innerText.match(/in (\\d+) s/)[1]) > 3"
        )
        board.reset.set()
        first.locator(".counters .bad").filter(has_text="1").wait_for()
        board.pulled.set()
        for tab in (first, second):
            tab.get_by_role("alert").wait_for()
        second.close()
        board.pulled.clear()
        first.get_by_role("alert").wait_for(state="hidden")
        first.locator(".hero .class").filter(has_text="knocking").wait_for()
        assert abs(first.evaluate("document.querySelectorAll('*').length") - nodes) < 20
        first.get_by_role("button", name="Stop").click()
        first.get_by_role("button", name="Start").wait_for()


def hour(first: int, seconds: int) -> Iterator[Event]:
    """Forty decisions a second, the level, a status each second and a mark each minute; pauses between."""
    for second in range(first, first + seconds):
        yield Received(second, status(decisions=A_SECOND * second))
        if second % 60 == 30:
            yield Mark(second, LABELS[second // 60 % 2])
        for number in range(0, 0 if second % 10 == 9 else A_SECOND):
            time = second + number / A_SECOND
            yield Received(time, decision(1 + second // 10 % 2, score=number))
            yield Level(time, 100 * number)


def test_an_hour_of_forty_decisions_a_second_takes_no_more_memory_than_twenty_minutes() -> None:
    """In the session's own time: all that a page shows, and all that it is made of."""
    live, monitor = Live(None), Monitor(LABELS)
    page_ = _Page(live)

    def size_after(first: int, seconds: int) -> int:
        watch(PlaySource(hour(first, seconds), fast=True), monitor, page_, lambda _: ())
        for _ in range(700):  # levels: as many as are ever kept, however fast this computer is
            page_.show(monitor.view())
        return len(pickle.dumps((vars(monitor), live.view, list(live.news), list(live.levels))))

    early = size_after(0, 1200)
    late = size_after(1200, 2400)
    assert monitor.view().decisions > 120_000
    assert late < 1.02 * early
