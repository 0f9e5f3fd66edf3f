# SPDX-License-Identifier: Apache-2.0
"""Live sessions of the studio: this computer hears a recording, settings go to it and into pipeline.toml."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.browser import page
from tests.support.studio import studio
from workbench.audio.synthesize import events
from workbench.host.features import app_score
from workbench.live.controls import Control
from workbench.live.watched import Wanted
from workbench.studio.live import Live

RATE = 16000
EXAMPLE = ROOT / "examples" / "smart_lock"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A copy of the example, whose pipeline.toml is written."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "my_lock"))


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A folder with knocks for longer than any test takes."""
    folder = tmp_path / "sounds"
    folder.mkdir()
    soundfile.write(folder / "knocks.wav", np.resize(events("knocking", 4, 5).samples, 1800 * RATE), RATE)
    return folder


def until(condition: Callable[[], bool], live: Live) -> None:
    """Waits for it, as long as the session runs."""
    while not condition():
        assert live.running, live.error
        time.sleep(0.02)


def test_a_setting_goes_to_the_device_and_into_the_file(app: Path, sounds: Path) -> None:
    live = Live(app)
    before = (app / "pipeline.toml").read_text()
    with pytest.raises(UserError, match="no setting of the device differs"):
        live.write_back()
    live.start(Wanted(target="pc", recordings=(sounds / "knocks.wav",)))
    with pytest.raises(UserError, match="runs already"):
        live.start(Wanted(target="pc", microphone=True))
    until(lambda: live.view is not None and bool(live.view.settings), live)
    assert live.changed() == {}
    live.set("gate.threshold", 777)
    live.set("decision.threshold.knocking", 90)
    live.ask(Control(mark="knocking"))

    def done() -> bool:
        settings = live.view.settings if live.view is not None else {}
        return settings.get("gate.threshold") == 777 and settings.get("decision.threshold.knocking") == 90

    until(done, live)
    live.stop()
    assert not live.running
    assert live.error is None
    assert live.levels
    assert list(live.changed()) == ["[gate] threshold", "[decision] threshold"]
    assert live.write_back() == app / "pipeline.toml"
    spec, was = load_spec(app), load_spec(EXAMPLE)
    assert spec.pipeline is not None
    assert was.pipeline is not None
    assert spec.pipeline.gate.threshold == 777
    limits = list(app_score(was).limits(was.pipeline.decision))
    limits[was.pipeline.decision.labels.index("knocking")] = 90
    assert list(app_score(spec).limits(spec.pipeline.decision)) == limits
    now = (app / "pipeline.toml").read_text()
    kept = [line for line in before.splitlines() if not line.startswith("threshold")]
    assert [line for line in now.splitlines() if line in kept] == kept
    assert live.changed() == {}


def test_what_ends_a_session_is_kept_for_the_page(app: Path, tmp_path: Path) -> None:
    live = Live(app)
    live.start(Wanted(port=str(tmp_path / "ttyACM9")))
    live.stop()
    assert live.error is not None
    assert "ttyACM9" in str(live.error)
    with pytest.raises(UserError, match="needs an app"):
        Live(None).start(Wanted(target="pc", microphone=True))


def test_a_person_watches_marks_and_writes_back(app: Path, sounds: Path) -> None:
    with studio(sounds, "--app", str(app)) as address, page() as shown:
        shown.goto(f"{address}live")
        shown.get_by_label("recording", exact=True).click()
        shown.get_by_role("option", name="knocks.wav").click()
        shown.get_by_role("button", name="Start").click()
        shown.locator(".hero .class").filter(has_text="knocking").wait_for()
        shown.keyboard.press("2")
        shown.get_by_text("(really knocking)").wait_for()
        confusion = shown.locator(".confusion")
        marked = confusion.inner_text()
        assert "knocking" in marked
        for modifier in ("Alt", "Control", "Meta"):  # the browser's own, such as 100 % zoom
            shown.keyboard.press(f"{modifier}+0")
        assert shown.locator(".counters .bad").inner_text() == ""
        gate = shown.get_by_role("slider", name="gate: threshold")
        gate.locator("[tabindex]").focus()
        place = shown.locator(".livechart").bounding_box()
        shown.keyboard.press("ArrowRight")
        shown.locator(".slider").filter(has_text="gate: threshold").get_by_text("630", exact=True).wait_for()
        shown.get_by_role("button", name="Write into pipeline.toml").click()
        shown.get_by_text("[gate] threshold = 630").wait_for()
        shown.get_by_role("button", name="Write", exact=True).click()
        shown.get_by_text("Written into").wait_for()
        assert shown.locator(".livechart").bounding_box() == place
        assert confusion.inner_text() == marked
        assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
        shown.keyboard.press("1")
        shown.get_by_text("(really keyboard_typing)").wait_for()
        shown.get_by_role("button", name="Stop").click()
        shown.get_by_role("link", name="1 that were decided wrong wait on the Record page").click()
        shown.get_by_text("the app has decided knocking").wait_for()
        shown.get_by_role("button", name="Keep").click()
        shown.get_by_text("keyboard_typing_001.wav is written.").wait_for()
    assert (sounds / "labels.csv").read_text().splitlines()[1].endswith(",keyboard_typing,train")
    spec = load_spec(app)
    assert spec.pipeline is not None
    assert spec.pipeline.gate.threshold == 630
