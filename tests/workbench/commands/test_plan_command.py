# SPDX-License-Identifier: Apache-2.0
"""earshot plan: the table, the numbers and the picture tell one sound plan."""

from __future__ import annotations

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.models.networks import tutorial_like
from tests.support.cli import earshot, refused
from tests.support.tutorial import tutorial_app

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tutorial_like(tmp_path_factory.mktemp("plan") / "model.tflite", 3)


def reported(*words: str | Path) -> dict[str, Any]:
    done = earshot("plan", *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_blocks_that_live_together_do_not_overlap(model: Path) -> None:
    """From the printed numbers alone; and the bound is what they say is alive at the fullest layer."""
    plan = reported(model)
    blocks = plan["blocks"]
    for a, b in combinations(blocks, 2):
        if a["first"] <= b["last"] and b["first"] <= a["last"]:
            assert a["offset"] + a["bytes"] <= b["offset"] or b["offset"] + b["bytes"] <= a["offset"]
    assert plan["arena"] == max(block["offset"] + block["bytes"] for block in blocks)
    alive = [
        sum(block["bytes"] for block in blocks if block["first"] <= call <= block["last"])
        for call in range(len(plan["layers"]))
    ]
    assert alive == [layer["alive"] for layer in plan["layers"]]
    assert plan["bound"] == max(alive) <= plan["arena"]


def test_the_table_has_every_block_and_both_sizes(model: Path) -> None:
    plan = reported(model)
    done = earshot("plan", model)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    rows = [line.split() for line in lines[2 : 2 + len(plan["blocks"])]]
    assert [(row[0], row[1]) for row in rows] == [
        (f"{block['offset']:,}", f"{block['bytes']:,}") for block in plan["blocks"]
    ]
    assert any(line.split()[:2] == ["arena", f"{plan['arena']:,}"] for line in lines)
    assert any(line.split()[:3] == ["lower", "bound", f"{plan['bound']:,}"] for line in lines)


def test_the_picture_has_a_rectangle_a_block(model: Path, tmp_path: Path) -> None:
    """In place and size: the figures are read back from the drawing."""
    plan = reported(model, "-o", tmp_path / "plan.svg")
    root = ElementTree.parse(tmp_path / "plan.svg").getroot()
    drawn = [group.find(f"{SVG}rect") for group in root.iter(f"{SVG}g")]
    assert len(drawn) == len(plan["blocks"])
    frames = [
        {key: float(rect.attrib[key]) for key in ("x", "y", "width", "height")}
        for rect in drawn
        if rect is not None
    ]
    scale = max(frame["height"] for frame in frames) / max(block["bytes"] for block in plan["blocks"])
    bottom = max(frame["y"] + frame["height"] for frame in frames)
    for frame, block in zip(frames, plan["blocks"], strict=True):
        assert frame["height"] == pytest.approx(block["bytes"] * scale, abs=0.02)
        assert bottom - frame["y"] - frame["height"] == pytest.approx(block["offset"] * scale, abs=0.02)
    columns = {frame["x"] for frame in frames}
    assert len(columns) == len({block["first"] for block in plan["blocks"]})


def test_an_incremental_app_has_all_its_memory_reported(tmp_path: Path) -> None:
    """The arena and the kept arrays of the C that is generated, byte for byte."""
    app = tutorial_app(tmp_path / "plan_app")
    plan = reported("--app", app, "-o", tmp_path / "plan.svg")
    generated = earshot("generate", "--app", app, "-o", tmp_path / "sources")
    assert generated.returncode == 0, generated.stderr
    source = (tmp_path / "sources/plan_app_model.c").read_text()
    assert f"The tensors between the layers, {plan['needed']} bytes" in source
    assert f"arena_t plan_app_arena[ARENA_BLOCKS({plan['arena']})];" in source
    arrays = re.findall(r"static _Alignas\(8\) int(8|16)_t plan_app_(\w+)_values\[(\d+)\];", source)
    kept = {name: int(count) * int(bits) // 8 for bits, name, count in arrays}
    assert len(kept) == 5
    assert {row["name"]: row["bytes"] for row in plan["kept"]} == kept
    assert plan["history"] == sum(kept.values()) > plan["arena"] > plan["needed"]
    assert {layer["phase"] for layer in plan["layers"]} == {"features", "each frame", "each decision"}
    printed = earshot("plan", "--app", app).stdout
    picture = (tmp_path / "plan.svg").read_text()
    for size in (*kept.values(), plan["arena"]):
        assert f" {size:,} " in printed
        assert f"<title>{size:,} B: " in picture
    assert f"{plan['arena'] + plan['history']:,} B" in printed


def test_bad_words_end_in_one_message(model: Path, tmp_path: Path) -> None:
    assert "One of the two" in refused("plan")
    assert "cannot be written" in refused("plan", model, "-o", tmp_path / "none/plan.svg")
