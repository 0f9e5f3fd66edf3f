# SPDX-License-Identifier: Apache-2.0
"""Two classifiers in one image: each decides as it does in an image of its own, and one waits for the other.

The apps are the examples' models behind one front end, with the real build, on the PC and on an emulated
Cortex-M4. What is expected comes from two images with one classifier each.
"""

from __future__ import annotations

import json
import re
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.spec_file import load_spec
from codegen.common.paths import ROOT
from codegen.compile import compile_app, load_app
from codegen.emit.line_size import line_size
from codegen.emit.sources import sources
from tests.support.cli import earshot
from tests.support.compile import FIRMWARE, compile_shared
from tests.support.pipeline_c import SOURCES
from tests.support.tools import need_target, need_tool
from workbench.build import build
from workbench.host.host_library import HostLibrary
from workbench.protocol.lines import ClassifierLine, Error, Setting
from workbench.suites.emulator import choose
from workbench.suites.generate import generate
from workbench.targets import Device, open_app

FRONT = "[gate]\nthreshold = 300\nbackoff = 39\n[mfcc]\n"
DOOR = """
[cascade]
frames = 15
[classifier]
model = "door.tflite"
[decision]
labels = ["keyboard_typing", "knocking", "mouse_click", "unknown"]
threshold = 0.6
"""
WORDS = """
[cascade]
frames = 32
[classifier]
model = "words.tflite"
[decision]
labels = ["alexa", "computer", "jarvis", "unknown"]
threshold = 0.5
votes = 3
"""
WAITS, STAYS = "door.unknown", 3


def several(door: str, words: str, waits: str = "") -> str:
    """The two as classifiers of one file."""
    texts = [FRONT]
    for name, text, more in (("door", door, ""), ("words", words, waits)):
        cascade, classifier = text.split("[classifier]")
        model, decision = classifier.split("[decision]")
        texts += [
            f'[[classifier]]\nname = "{name}"\n{more}{model}',
            cascade.replace("[cascade]", "[classifier.cascade]"),
            f"[classifier.decision]{decision}",
        ]
    return "\n".join(texts)


APPS = {
    "door": FRONT + DOOR,
    "words": FRONT + WORDS,
    "both": several(DOOR, WORDS),
    "waits": several(DOOR, WORDS, f'waits_for = "{WAITS}"\nstays = {STAYS}\n'),
}


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of the apps, by name."""
    root = tmp_path_factory.mktemp("apps")
    return {name: write_app(root, name) for name in APPS}


def write_app(root: Path, name: str) -> Path:
    """The folder of one."""
    folder = root / name
    folder.mkdir()
    (folder / "pipeline.toml").write_text(APPS[name])
    shutil.copy(ROOT / "examples/smart_lock/model.tflite", folder / "door.tflite")
    shutil.copy(ROOT / "examples/keywords/model.tflite", folder / "words.tflite")
    return folder


@lru_cache
def sound() -> NDArray[np.int16]:
    """Six seconds of clicks and of noise that grows and ends, so that the gate opens and closes."""
    random = np.random.default_rng(5)
    loud = np.repeat(random.choice([1, 20, 200, 900], 60), 1600)
    samples = random.normal(0, 1, loud.size) * loud
    samples[:: 16000 // 5] += 9000
    clipped: NDArray[np.int16] = np.clip(samples, -32768, 32767).astype(np.int16)
    return clipped


def played(device: Device) -> list[dict[str, Any]]:
    """Decisions and stages of the sound."""
    return [json.loads(line) for line in device.replay(sound())]


def numbered(lines: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """Those of one model, as an image with it alone would print them."""
    found = []
    for line in lines:
        if line["ModelNumber"] == number:
            rest = {key: value for key, value in line.items() if key != "ModelNumber"}
            found.append(rest if "stage" in line else {"ModelNumber": 0} | rest)
    return found


def decisions(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The decision lines."""
    return [line for line in lines if "stage" not in line]


def heard(folder: Path, target: str, *, stages: bool) -> list[dict[str, Any]]:
    """What an app's image prints of the sound."""
    with open_app(folder, target) as device:
        device.command(f"stages {'on' if stages else 'off'}")
        return played(device)


def test_each_model_decides_as_in_an_image_of_its_own(apps: dict[str, Path]) -> None:
    both = heard(apps["both"], "pc", stages=True)
    door, words = (heard(apps[name], "pc", stages=True) for name in ("door", "words"))
    assert numbered(both, 0) == door
    shared = [line for line in words if line.get("stage") not in ("cepstra", "features")]
    assert numbered(both, 1) == shared
    assert len(decisions(door)) > 100
    assert len(decisions(words)) > 100
    assert {line["Label"] for line in decisions(door)} != {line["Label"] for line in decisions(words)}


def test_one_runs_for_the_windows_after_the_detection_that_it_waits_for(apps: dict[str, Path]) -> None:
    """The cascade of a model that waits goes on, so what it decides is what it decides without waiting."""
    opened: set[int] = set()
    for line in decisions(heard(apps["door"], "pc", stages=False)):
        if line["Label"] == WAITS.split(".")[1]:
            opened |= set(range(line["Sequence"], line["Sequence"] + STAYS))
    waits = heard(apps["waits"], "pc", stages=True)
    alone = {
        line["sequence"]: line["values"]
        for line in heard(apps["words"], "pc", stages=True)
        if line.get("stage") == "scores"
    }
    scores = {
        line["sequence"]: line["values"] for line in numbered(waits, 1) if line.get("stage") == "scores"
    }
    assert scores == {window: values for window, values in alone.items() if window in opened}
    assert 10 < len(scores) < len(alone) - 10


def test_pc_and_emulated_chip_print_the_same_lines(apps: dict[str, Path]) -> None:
    need_target("qemu")
    assert heard(apps["waits"], "pc", stages=True) == heard(apps["waits"], "qemu", stages=True)


def test_settings_are_of_each_model_and_the_boot_lines_name_them(apps: dict[str, Path]) -> None:
    with open_app(apps["waits"], "pc") as device:
        device.command("boot")
        door, words = (device.next_line(5) for _ in range(2))
        assert isinstance(door, ClassifierLine)
        assert isinstance(words, ClassifierLine)
        assert (door.number, door.name, door.frames, door.waits_for) == (0, "door", 15, None)
        assert (words.number, words.name, words.frames) == (1, "words", 32)
        assert (words.waits_for, words.stays) == (WAITS, STAYS)
        assert words.labels[0] == "alexa"
        before = device.status()
        assert before["words.decision.votes"] == 3
        assert before["door.decision.votes"] == 1
        assert isinstance(device.command("set words.decision.threshold.alexa 77"), Setting)
        assert isinstance(device.command("set door.decision.threshold.knocking -5"), Setting)
        assert isinstance(device.command("set decision.votes 5"), Setting)
        after = device.status()
        changed = {key: value for key, value in after.values.items() if before.values[key] != value}
        settings = {key: value for key, value in changed.items() if "decision." in key}
        assert settings == {
            "door.decision.votes": 5,
            "door.decision.threshold.knocking": -5,
            "words.decision.votes": 5,
            "words.decision.threshold.alexa": 77,
        }
        wrong = ("words.decision.threshold.knocking 1", "words.decision.votes 11", "doors.x 1")
        for each in (*wrong, "words.gate.threshold 5", "decision.threshold 500", "words.d 1", "words. 1"):
            assert isinstance(device.command(f"set {each}"), Error), each
        unknown = device.command("set decision.thresholdx 500")
        assert isinstance(unknown, Error)
        assert unknown.entry is not None
        assert unknown.entry.reason == "no such key"  # nor one out of range
        kept = device.status().values
        assert {key: kept[key] for key in settings} == settings
        assert kept["gate.threshold"] == before.values["gate.threshold"]


def test_every_line_fits_the_buffer_of_lines(apps: dict[str, Path]) -> None:
    with open_app(apps["waits"], "pc") as device:
        device.command("stages on")
        longest = max(len(line) for line in device.replay(sound()))
    assert longest < line_size(compile_app(apps["waits"]))


def test_the_models_tensors_share_memory(apps: dict[str, Path]) -> None:
    texts = sources(compile_app(apps["both"]))
    lines = [line for name in texts if name != "app.c" for line in texts[name].splitlines()]
    (arena,) = (line for line in lines if line.startswith("arena_t "))
    needed = max(compile_app(apps[name]).plan.arena for name in ("door", "words"))
    assert int(re.findall(r"\d+", arena)[0]) >= needed
    assert "#define words_of_both_arena both_arena" in lines


def test_the_plan_shows_each_models_memory_and_what_all_take(apps: dict[str, Path]) -> None:
    both, door, words = (
        json.loads(earshot("plan", "--app", apps[name], "--json").stdout)
        for name in ("both", "door", "words")
    )
    assert [one.pop("name") for one in both["classifiers"]] == ["door", "words"]
    alone = [{key: value for key, value in one.items() if key != "model"} for one in (door, words)]
    assert both["classifiers"] == alone
    assert both["arena"] == max(door["arena"], words["arena"])
    assert both["kept"] == door["history"] + words["history"]
    shown = earshot("plan", "--app", apps["both"]).stdout
    assert f"arena        {both['arena']:>9,} B  one for all" in shown
    drawn = earshot("plan", "--app", apps["both"], "-o", apps["both"] / "plan.svg")
    assert drawn.returncode == 2
    assert "a figure is of one model" in drawn.stderr


def test_an_image_is_recognised_by_all_its_models(apps: dict[str, Path]) -> None:
    both, door = load_app(apps["both"]), load_app(apps["door"])
    assert door.model_hash == door.graph.sha256[:16]
    assert both.model_hash not in (door.model_hash, both.others[0].model_hash)
    with open_app(apps["both"], "pc") as device:
        assert device.boot.model == both.model_hash


def test_two_apps_link_into_one_program(apps: dict[str, Path], tmp_path: Path) -> None:
    """All generated C of both but app.c: what each decides while they hear in turns is what it decides alone,
    so nothing is shared by accident."""
    need_tool("gcc")
    files = list(SOURCES)
    for name in ("door", "words"):
        for file, text in sources(compile_app(apps[name])).items():
            if file != "app.c":
                (tmp_path / file).write_text(text)
                files += [tmp_path / file] if file.endswith(".c") else []
    files += sorted((FIRMWARE / "nn").glob("*.c"))
    library = compile_shared(tmp_path, files, includes=[tmp_path], flags=["-O0"])
    together = [HostLibrary(library, load_spec(apps[name])).pipeline for name in ("door", "words")]
    found: list[list[dict[str, Any]]] = [[], []]
    for piece in np.array_split(sound(), 37):
        for pipeline, lines in zip(together, found, strict=True):
            assert pipeline is not None
            lines += [
                {"Sequence": step.sequence, "Score": step.score, "Classification": step.class_index}
                for step in pipeline.steps(piece)
                if step.decided
            ]
    for name, lines in zip(("door", "words"), found, strict=True):
        alone = decisions(heard(apps[name], "pc", stages=False))
        assert lines == [{key: line[key] for key in lines[0]} for line in alone]


def test_suites_expect_the_image_of_all_models(apps: dict[str, Path], tmp_path: Path) -> None:
    need_target("qemu")
    spec, pc = load_spec(apps["both"], several=True), build("pc", apps["both"]).image
    generate(spec, choose("mps2_an386", "qemu"), pc, pc, tmp_path, short=True)
    assert load_app(apps["both"]).model_hash in (tmp_path / "suites" / "emulator.resource").read_text()
