# SPDX-License-Identifier: Apache-2.0
"""Makes the pictures of docs/studio.md anew: each page of the studio, light and dark, on synthesised sounds.

    .venv/bin/python -m tests.docs.studio_pictures              all
    .venv/bin/python -m tests.docs.studio_pictures label live   these pages

It drives the studio as a person does, in the tests' browser, at 1280 x 800, and trains with TensorFlow.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.common.paths import ROOT
from tests.support.browser import page
from tests.support.studio import studio
from workbench.audio.synthesize import write_session

FIGURES = ROOT / "docs" / "figures"
THEMES = ("light", "dark")
COLOURS = 255  # of a picture: a third of the bytes
RECIPE = """\
[data]
train_session = "train"
test_session = "test"

[fit]
epochs = 30
"""


@dataclass(frozen=True)
class Shown:
    """A browser's page, and the studio that it shows."""

    page: Any
    address: str

    def open(self, path: str) -> None:
        """Another page."""
        self.page.goto(f"{self.address}{path}")

    def click(self, name: str) -> None:
        """A button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, field: str, option: str) -> None:
        """An option of a field."""
        self.page.get_by_label(field, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()

    def wait(self, text: str) -> None:
        """Until it stands on the page."""
        self.page.get_by_text(text).first.wait_for()


def record(shown: Shown) -> None:
    """Two takes wait, a third is made."""
    shown.open("record")
    shown.choose("which microphone", "an emulated board, a recording")
    shown.choose("recording", "train_knocking_00.wav")
    shown.click("Listen")
    shown.page.get_by_role("button", name="2 knocking").click()
    begin = shown.page.locator("button:not([disabled])").filter(has_text="Record (R)")
    for seconds in (4, 6):
        shown.page.get_by_label("seconds of a take").fill(str(seconds))
        begin.click()
        shown.wait(f"knocking, {seconds}.0 s")
    shown.page.get_by_label("seconds of a take").fill("60")
    begin.click()
    shown.page.get_by_text("Finish (R)").wait_for()


def end_recording(shown: Shown) -> None:
    """As it was."""
    shown.click("Stop")
    shown.wait("nobody listens")
    while shown.page.get_by_role("button", name="Discard").count():
        shown.page.get_by_role("button", name="Discard").first.click()
        shown.page.wait_for_timeout(300)


def label(shown: Shown) -> None:
    """A segment is chosen, and the app has heard the recording."""
    shown.open("label?recording=train_knocking_00.wav&start=40000&end=48000")
    shown.page.get_by_role("checkbox", name="app").click()
    shown.wait("the app")
    shown.page.get_by_text("the app has heard").wait_for(state="hidden")
    shown.page.get_by_text("listens").wait_for(state="hidden")
    shown.page.locator("canvas").focus()
    shown.page.keyboard.press("Home")


def data(shown: Shown) -> None:
    """The map of the segments."""
    shown.open("data")
    shown.click("Map")
    shown.wait("segments; a click plays one")


def train(shown: Shown) -> None:
    """After a training and an evaluation."""
    shown.open("train")
    shown.page.wait_for_timeout(1000)
    if not shown.page.get_by_text("evaluate: done").count():
        shown.click("Train")
        shown.wait("train: done")
        shown.click("Evaluate")
        shown.wait("evaluate: done")
    shown.page.locator(".confusion .bad button, .confusion button").first.click()
    shown.page.locator(".log").hover()
    shown.page.mouse.wheel(0, 100000)


def device(shown: Shown) -> None:
    """Counted, and built."""
    shown.open("device")
    shown.click("Build")
    shown.wait("board=mps2_an386: done")
    shown.click("Does it fit?")
    shown.wait("bytes of flash")


def live(shown: Shown) -> None:
    """A recording is over; one sound was marked right, one wrong."""
    shown.open("live")
    shown.page.wait_for_timeout(1000)
    if shown.page.get_by_text("· over").count():
        return
    shown.choose("recording", "train_knocking_00.wav")
    shown.click("Start")
    shown.page.locator(".hero .class").filter(has_text="knocking").wait_for()
    shown.page.keyboard.press("2")
    shown.wait("(really knocking)")
    shown.page.wait_for_timeout(3500)  # another knock
    shown.page.keyboard.press("3")
    shown.wait("· over")


PAGES: tuple[tuple[str, Callable[[Shown], None]], ...] = (
    ("train", train),  # the model that it makes is that of the others
    ("record", record),
    ("label", label),
    ("data", data),
    ("device", device),
    ("live", live),
)


def picture(shown: Shown, folder: Path) -> bytes:
    """PNG of the page, of few colours. folder: is shown as one of a home."""
    from PIL import Image

    shown.page.mouse.move(640, 798)
    shown.page.wait_for_timeout(900)  # tooltips and notes fade
    shown.page.evaluate(
        """folder => {
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            while (walker.nextNode()) {
                const text = walker.currentNode;
                if (text.data.includes(folder)) text.data = text.data.replaceAll(folder, "~/door");
            }
        }""",
        str(folder),
    )
    image = Image.open(io.BytesIO(shown.page.screenshot())).convert("RGB")
    few = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)
    stream = io.BytesIO()
    few.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def draw(folder: Path, only: Sequence[str], say: Callable[[str], None]) -> None:
    """Those of the pages named, or all. folder: an empty one."""
    app = Path(shutil.copytree(ROOT / "examples" / "smart_lock", folder / "lock"))
    (app / "training.toml").write_text(RECIPE)
    with (app / "pipeline.toml").open("a") as stream:
        stream.write("\n[device]\ncapture = true\n")
    sounds = folder / "recordings"
    rows = write_session(sounds, 3, recordings=4, count=6)
    test = write_session(sounds / "test", 4, recordings=1, count=6, session="test")
    more = "".join(f"test/{row}\n" for row in test.read_text().splitlines()[1:])
    test.unlink()
    rows.write_text(rows.read_text() + more)
    with studio(sounds, "--app", str(app)) as address, page() as browser:
        shown = Shown(browser, address)
        for name, go in (one for one in PAGES if not only or one[0] in only):
            for theme in THEMES:
                browser.emulate_media(color_scheme=theme)
                go(shown)
                made = picture(shown, folder)
                (FIGURES / f"studio_{name}_{theme}.png").write_bytes(made)
                say(f"studio_{name}_{theme}.png: {len(made) // 1000} kB")
                if name == "record":
                    end_recording(shown)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made_in:
        draw(Path(made_in), sys.argv[1:], lambda text: print(text, file=sys.stderr, flush=True))
