# SPDX-License-Identifier: Apache-2.0
"""The Data page in a real browser: what it counts, asks for, finds wrong, and where its links lead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from codegen.common.paths import ROOT
from tests.support.browser import page
from tests.support.studio import studio

RATE = 16000
EXAMPLE = ROOT / "examples" / "smart_lock"
EVIL = 'x" hidden y'  # a column whose name would end a quoted property
LABELS = f"""\
file,start,end,label,session,device,"{EVIL.replace('"', '""')}"
a.wav,0,8000,knock,train,xg24,1
a.wav,4000,16000,click,train,xg24,2
b.wav,0,8000,knock,test,phone,1
b.wav,8000,16000,<i>loud</i>,test,phone,1
"""
# Where the first point of the map is drawn.
POINT = """() => {
    const { chart } = getElement(document.querySelector(".map").id.slice(1));
    return chart.convertToPixel({ seriesIndex: 0 }, chart.getOption().series[0].data[0]);
}"""


def test_what_there_is_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    noise = np.random.default_rng(1)
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, noise.integers(-9000, 9000, RATE).astype(np.int16), RATE)
    (tmp_path / "labels.csv").write_text(LABELS)
    with studio(tmp_path, "--app", str(EXAMPLE)) as address, page() as shown:
        shown.goto(f"{address}data")
        shown.get_by_text("4 segments, 2.2 s, 2 recordings").wait_for()
        rows = shown.get_by_role("row").filter(has=shown.get_by_role("button", name="knock"))
        assert rows.first.inner_text().split() == ["knock", "2", "1.0", "s", "2", "recordings"]
        assert shown.locator(".bars i").count() == 0
        condition = shown.get_by_label("condition")
        condition.fill("device=sofa")
        condition.press("Enter")
        shown.get_by_text("Values of device: phone, xg24.").wait_for()
        condition.fill("device=phone")
        condition.press("Enter")
        shown.get_by_text("2 of 4 segments, 1.0 s, 1 recording").wait_for()
        shown.get_by_placeholder("name of the query").fill("phones")
        shown.get_by_role("button", name="Save").click()
        shown.get_by_text("phones stands in queries.toml").wait_for()
        assert (tmp_path / "queries.toml").read_text() == '[phones]\nwhere = ["device=phone"]\n'
        shown.get_by_role("button", name="without device").click()
        shown.get_by_text("4 segments, 2.2 s, 2 recordings").wait_for()
        shown.get_by_role("row").get_by_role("button", name="2", exact=True).click()
        shown.get_by_text("1 of 4 segments").wait_for()
        shown.get_by_label(f"without {EVIL}", exact=True).click()
        shown.get_by_text("4 segments, 2.2 s, 2 recordings").wait_for()
        shown.get_by_role("button", name="Map").click()
        shown.get_by_text("4 segments; a click plays one").wait_for()
        chart = shown.locator(".map canvas").first
        place = chart.bounding_box()
        sound = shown.locator("audio")
        x, y = shown.evaluate(POINT)
        shown.mouse.click(place["x"] + x, place["y"] + y)
        sound.wait_for()
        shown.wait_for_function("document.querySelector('audio').duration > 0.4")
        shown.get_by_role("button", name="Check").click()
        shown.get_by_text("overlap (1)").click()
        shown.get_by_text("shares samples 4000 to 8000 with").wait_for()
        shown.get_by_role("link", name="labels.csv, line 3").first.click()
        shown.get_by_text("click (train): 0.250 s to 1.000 s, 12000 samples").wait_for()
        assert shown.url.startswith(f"{address}label?")
