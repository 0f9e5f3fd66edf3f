# SPDX-License-Identifier: Apache-2.0
"""The studio as it is served: what others are refused over the wire, and its pages in a real browser."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import numpy as np
import pytest
import soundfile

from tests.support.browser import WAIT, page
from tests.support.studio import studio

RATE = 16000
EVIL = "<img src=x onerror=alert(1)>.wav"


@dataclass(frozen=True)
class Served:
    """A studio and its folder."""

    address: str
    folder: Path

    @property
    def labels(self) -> str:
        return (self.folder / "labels.csv").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("studio") / "recordings"
    folder.mkdir()
    time = np.arange(10 * RATE) / RATE
    knocks = np.sin(2 * np.pi * 440 * time) * np.exp(-20 * (time % 2.5)) * 12000
    for name in ("door.wav", EVIL):
        soundfile.write(folder / name, knocks.astype(np.int16), RATE)
    (folder.parent / "outside.wav").write_bytes((folder / "door.wav").read_bytes())
    with studio(folder) as address:
        yield Served(address, folder)


def answer(
    served: Served, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, bytes]:
    """Of the server itself, to a path below the token; one that begins with / is taken as it is."""
    parts = urlsplit(served.address)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request(method, path if path[0] == "/" else parts.path + path, headers=headers or {})
    found = connection.getresponse()
    body = found.read()
    connection.close()
    return found.status, body


def test_strangers_are_refused(served: Served) -> None:
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MTIzNDU2Nzg5MDEyMzQ1Ng==",
    }
    socket = "_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    own = served.address.split("/")[2]
    assert answer(served, "label")[0] == 200
    for path in (
        "/",
        "/label",
        "/favicon.ico",
        "/docs",
        "/openapi.json",
        "/sound/play?recording=door.wav&start=0&end=9",
    ):
        assert answer(served, path)[0] == 403, path
    assert answer(served, "label", {"Host": "evil.example"})[0] == 403
    assert answer(served, "label", {"Origin": "http://evil.example"})[0] == 403
    assert answer(served, "label", method="POST")[0] == 403
    assert answer(served, socket, upgrade)[0] == 403
    assert answer(served, socket, {**upgrade, "Origin": "http://evil.example"})[0] == 403
    assert (
        answer(served, socket, {**upgrade, "Host": "evil.example", "Origin": "http://evil.example"})[0] == 403
    )
    assert answer(served, socket.replace("websocket", "polling"), {"Origin": f"http://{own}"})[0] == 200


@pytest.mark.parametrize(
    "name", ["../outside.wav", "/etc/passwd", "..%2foutside.wav", "door.wav/../../outside.wav"]
)
def test_no_name_leads_out_of_the_folder(served: Served, name: str) -> None:
    for what in ("peaks/0/0?", "spectrogram/0/0?", "play?start=0&end=100&"):
        status, body = answer(served, f"sound/{what}recording={quote(name)}")
        assert status == 404
        assert b"recording" in body
    assert answer(served, "sound/play?start=0&end=100&recording=door.wav")[0] == 200


def test_a_recording_is_labelled_by_hand(served: Served) -> None:
    """Click, drag, number keys, undo and delete; each step is in the file at once."""
    file = served.folder / "labels.csv"
    file.unlink(missing_ok=True)
    with page() as shown:
        shown.goto(f"{served.address}label?recording=door.wav")
        picture = shown.locator("canvas")
        place = picture.bounding_box()
        second = place["width"] / 10

        def at(seconds: float, height: float = 100) -> tuple[float, float]:
            return place["x"] + seconds * second, place["y"] + height

        def wait(*rows: tuple[float, float, str]) -> None:
            """Until the file has these rows, to a pixel."""
            expected = [(round(start * 20), round(end * 20), label) for start, end, label in rows]
            for _ in range(WAIT // 50):
                if found(file) == expected:
                    return
                shown.wait_for_timeout(50)
            assert found(file) == expected

        shown.get_by_placeholder("new label").fill("knock")
        shown.keyboard.press("Enter")
        shown.get_by_role("button", name="1 knock").wait_for()
        shown.mouse.click(*at(5))
        wait((5, 5.5, "knock"))
        shown.get_by_placeholder("new label").fill("bang")
        shown.keyboard.press("Enter")
        shown.get_by_role("button", name="bang").wait_for()
        shown.mouse.move(*at(1))
        shown.mouse.down()
        shown.mouse.move(*at(1.5))
        shown.mouse.move(*at(2))
        shown.mouse.up()
        wait((5, 5.5, "knock"), (1, 2, "bang"))  # in the file, and perhaps not yet back in the view
        shown.keyboard.press("1")
        wait((5, 5.5, "knock"), (1, 2, "knock"))
        shown.keyboard.press("Alt+2")  # the browser's own
        drag(shown, at(1.5), at(3.5))
        wait((5, 5.5, "knock"), (3, 4, "knock"))
        drag(shown, at(4), at(4.5))
        wait((5, 5.5, "knock"), (3, 4.5, "knock"))
        shown.keyboard.press("Control+z")
        shown.keyboard.press("Control+z")
        wait((5, 5.5, "knock"), (1, 2, "knock"))
        shown.keyboard.press("Control+y")
        wait((5, 5.5, "knock"), (3, 4, "knock"))
        shown.mouse.click(*at(5.25))
        shown.keyboard.press("Delete")
        wait((3, 4, "knock"))


def found(file: Path) -> list[tuple[int, int, str]]:
    """Segments, in steps of 50 ms."""
    if not file.exists():
        return []
    rows = [row.split(",") for row in file.read_text().splitlines()[1:]]
    return [(round(int(row[1]) * 20 / RATE), round(int(row[2]) * 20 / RATE), row[3]) for row in rows]


def drag(shown: Any, start: tuple[float, float], end: tuple[float, float]) -> None:
    shown.mouse.move(*start)
    shown.mouse.down()
    shown.mouse.move((start[0] + end[0]) / 2, end[1])
    shown.mouse.move(*end)
    shown.mouse.up()


def test_a_broken_file_and_an_evil_name_are_shown_as_text(served: Served) -> None:
    """The line that cannot be read is named; mending the file in an editor is noticed."""
    file = served.folder / "labels.csv"
    file.write_text('file,start,end,label\ndoor.wav,1600,3200,<b id="evil">bold</b>\ndoor.wav,x,9,knock\n')
    with page() as shown:
        shown.goto(f"{served.address}label")
        shown.get_by_role("button", name="door.wav").wait_for()
        alert = shown.get_by_role("alert").filter(has_text="labels.csv, line 3")
        alert.wait_for()
        assert 'start is "x", not a sample number' in alert.inner_text()
        assert shown.get_by_text('<b id="evil">bold</b>').count() >= 1
        assert shown.get_by_text(EVIL).count() >= 1
        assert shown.locator("#evil, img[src=x]").count() == 0
        file.write_text("file,start,end,label\ndoor.wav,1600,3200,knock\n")
        alert.wait_for(state="hidden")
        shown.get_by_text("labels.csv was changed by another program").wait_for()
    assert served.labels == "file,start,end,label\ndoor.wav,1600,3200,knock\n"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_jumps_and_nothing_is_cut_off(served: Served, theme: str) -> None:
    """At 1280 x 800: the picture stays where it was first drawn, and no part is wider than the window."""
    with page() as shown:
        shown.emulate_media(color_scheme=theme)
        shown.goto(f"{served.address}label")
        shown.locator("canvas").wait_for()
        before = shown.locator("canvas").bounding_box()
        shown.get_by_role("button", name="door.wav").click()
        shown.get_by_text("of 10.000 s").wait_for()
        assert shown.locator("canvas").bounding_box() == before
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ground = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (theme == "light")
