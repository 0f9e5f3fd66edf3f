# SPDX-License-Identifier: Apache-2.0
"""profile: the same numbers every time, parts that add up, and the keys that scripts read."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.models.networks import dense_only
from tests.support.cli import earshot, refused
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.build import build
from workbench.profiling.cycles import Cost, constants_of, cost
from workbench.profiling.margin import RING, Work, margin_on
from workbench.profiling.profile import Profile, profile, profilers
from workbench.profiling.text import as_json, as_text, worst_verdict

KERNELS = ("small", "fast")


@pytest.fixture(scope="module")
def profiles() -> dict[str, Profile]:
    """The example, with both kinds of kernels."""
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    return {kernels: profile(EXAMPLE, kernels=kernels) for kernels in KERNELS}


def test_the_same_numbers_come_twice(profiles: dict[str, Profile]) -> None:
    assert profile(EXAMPLE, kernels="small") == profiles["small"]


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_parts_add_up(profiles: dict[str, Profile], kernels: str) -> None:
    found = profiles[kernels]
    assert sum(layer.instructions for layer in found.layers) == found.decisions.full
    assert sum(layer.incremental or 0 for layer in found.layers) == found.decisions.incremental
    mfcc = next(stage for stage in found.stages if stage.name == "mfcc")
    assert sum(count for _, count in mfcc.parts) == mfcc.instructions
    assert sum(size for _, size in found.flash.rooms) == found.flash.code
    assert [layer.name for layer in found.layers if layer.op] == [
        "conv1",
        "conv2",
        "conv3",
        "conv4",
        "dense1",
        "dense2",
        "softmax1",
    ]
    named = sum(layer.instructions for layer in found.layers if layer.op)
    assert named > 0.99 * found.decisions.full  # what is of no layer is little


@pytest.mark.parametrize("kernels", KERNELS)
def test_a_decision_costs_what_its_macs_and_gaps_say(profiles: dict[str, Profile], kernels: str) -> None:
    decisions = profiles[kernels].decisions
    assert decisions.incremental is not None
    assert profiles[kernels].mac == 428_736  # of the tutorial's network, by hand
    assert sum(layer.mac_incremental or 0 for layer in profiles[kernels].layers) == 55_040
    assert decisions.incremental < decisions.full / 5
    # Catching up never costs more than a full run and a few steps of the classifier's loop.
    assert decisions.full <= decisions.worst < 1.01 * decisions.full
    assert decisions.missed > 1


def test_other_kernels_lie_beside_the_apps_own(profiles: dict[str, Profile]) -> None:
    small, fast = profiles["small"], profiles["fast"]
    assert (small.kernels, fast.kernels) == KERNELS
    assert fast.decisions.full < small.decisions.full
    assert fast.flash.constants > small.flash.constants
    built = build("mps2_an386", EXAMPLE, kernels="fast")
    assert built.directory.name == "smart_lock-fast"


def test_flash_is_what_the_linker_says(profiles: dict[str, Profile]) -> None:
    image = build("mps2_an386", EXAMPLE, kernels="small").image
    reported = subprocess.run(
        ["arm-none-eabi-size", "-A", str(image)], capture_output=True, text=True, check=True
    ).stdout
    rows = re.findall(r"^(\.\S+)\s+(\d+)", reported, flags=re.MULTILINE)
    sections = {name: int(size) for name, size in rows}
    assert profiles["small"].flash.code == sections[".text"] + sections[".vectors"]


def test_what_scripts_read(profiles: dict[str, Profile]) -> None:
    done = earshot("profile", "--app", EXAMPLE, "--kernels", "small", "--json")
    assert done.returncode == 0, done.stderr
    reported, found = json.loads(done.stdout), profiles["small"]
    assert reported["instructions"] == {
        "full": found.decisions.full,
        "incremental": found.decisions.incremental,
        "worst": found.decisions.worst,
    }
    assert {"name", "op", "mac", "instructions"} <= reported["layers"][0].keys()
    assert [stage["name"] for stage in reported["stages"]] == ["window", "gate", "mfcc", "scale", "decision"]
    assert reported["flash"]["code"] == found.flash.code
    assert reported["flash"]["constants"] == found.flash.constants
    assert reported["ram"].keys() >= {"arena", "state", "stack", "total"}
    assert reported["margin"]["clock_hz"] == 25_000_000


def test_a_bare_model_has_layers_and_no_stages(tmp_path: Path) -> None:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    done = earshot("profile", dense_only(tmp_path / "dense.tflite", 4), "--json")
    assert done.returncode == 0, done.stderr
    reported = json.loads(done.stdout)
    assert reported["instructions"]["incremental"] is None
    assert reported["instructions"]["worst"] >= reported["instructions"]["full"] > reported["mac"] > 0
    assert reported["stages"] == []
    assert reported["margin"] is None
    assert sum(layer["instructions"] for layer in reported["layers"]) == reported["instructions"]["full"]


def test_what_cannot_be_counted_is_refused(tmp_path: Path) -> None:
    assert "this computer" in refused("profile", "--app", EXAMPLE, "--board", "pc")
    assert "MODEL.tflite, or --app" in refused("profile")
    with pytest.raises(UserError, match="there is no board"):
        profile(EXAMPLE, "mps2_an38")


def test_real_boards_have_their_verdicts_and_the_virtual_one_is_marked(profiles: dict[str, Profile]) -> None:
    """A clock that no chip has frightens nobody: the boards that can be flashed come first."""
    found = profiles["small"]
    assert {each.board for each in found.margins} == {"mps2_an386", "nano33ble", "nrf52840dk", "xg24"}
    assert [each.board for each in found.margins if each.virtual] == ["mps2_an386"]
    assert found.margin is not None
    assert found.margin.board == "mps2_an386"
    rows = re.findall(r"^  (\w+) +[\d.]+ +\d+ +[\d.]+   (.*)$", as_text(found), re.MULTILINE)
    assert [board for board, _ in rows] == ["nano33ble", "nrf52840dk", "xg24", "mps2_an386"]
    assert all("too slow" not in verdict for board, verdict in rows if board != "mps2_an386")
    assert [board for board, verdict in rows if "virtual" in verdict] == ["mps2_an386"]
    reported = as_json(found)["verdicts"]
    assert [each["board"] for each in reported if not each["virtual"]] == ["nano33ble", "nrf52840dk", "xg24"]


def test_samples_wait_during_a_long_decision_as_long_as_there_is_room() -> None:
    """160 samples a window, 3840 that may wait: 24 windows. A decision so long, seldom enough, is no harm."""
    ring = (ROOT / "firmware" / "port" / "dma_ring.h").read_text()
    size, block, owned = (
        int(re.findall(rf"define DMA_RING_{name} +\(\D*(\d+)", ring)[0])
        for name in ("SIZE", "BLOCK", "OWNED")
    )
    assert size - owned * block == RING == 3840
    board = load_board("xg24")
    window = board.clock_hz // 100
    for windows, every, absorbed in ((24.0, 25, True), (24.1, 25, False), (1.5, 1, False), (1.5, 3, True)):
        decision = Cost(0, round(windows * window), 0)
        margin = margin_on(board, Work(100, 160, Cost(0, 0, 0), decision, every, decision))
        assert margin.worst_load == pytest.approx(windows, rel=1e-3)
        assert margin.absorbed is absorbed


def test_a_stride_beyond_the_microphone_s_memory_leaves_less_time() -> None:
    """8000 samples a window: half of that time is too long, however seldom it is."""
    board = load_board("xg24")
    window = board.clock_hz // 2
    for share, verdict in (
        (0.48, "keeps up, busy 48.0%"),
        (0.5, "loses samples: 4,000 wait, there is room for 3,840"),
    ):
        margin = margin_on(
            board, Work(2, 8000, Cost(0, 0, 0), Cost(0, 1, 0), 1, Cost(0, round(share * window), 0))
        )
        assert worst_verdict(margin) == verdict
        assert margin.absorbed is (share < 0.49)


def test_one_decision_in_five_windows(tmp_path: Path, profiles: dict[str, Profile]) -> None:
    """Five steps and what follows them; the front end works for every window as before."""
    app = shutil.copytree(EXAMPLE, tmp_path / "app")
    file = app / "pipeline.toml"
    file.write_text(file.read_text().replace("[cascade]\n", "[cascade]\nevery = 5\n"))
    found, each = profile(app), profiles["small"]
    assert found.front_end == each.front_end
    assert found.decisions.incremental is not None
    assert each.decisions.incremental is not None
    sliding = [layer for layer in each.layers if layer.mode == "incremental"]
    for layer in (layer for layer in found.layers if layer.op):
        assert layer.mac_incremental == (5 if layer.mode == "incremental" else 1) * next(
            one.mac_incremental or 0 for one in each.layers if one.name == layer.name
        )
    steps = sum(layer.incremental or 0 for layer in sliding)
    assert found.decisions.incremental == pytest.approx(each.decisions.incremental + 4 * steps, rel=0.02)
    assert found.decisions.missed % 5 == 0
    assert "one in 5 with a decision" in as_text(found)


def test_weights_in_ram_do_not_wait(tmp_path: Path) -> None:
    """All but those of the first dense layer are there. A convolution's are read once for three positions,
    four bytes a word; a dense layer's once."""
    app = app_in_ram(tmp_path)
    (one,) = profilers(app).each
    assert one.in_ram == {"conv1", "conv2", "conv3", "conv4", "dense2"}
    positions = {"conv1": (14 * 19, 64), "conv2": (13 * 18, 1024), "conv3": (12 * 17, 512)}
    positions["conv4"] = (11 * 16, 256)
    words = sum(-(-count // 3) * size // 4 for count, size in positions.values()) + 4 * 16 // 4
    section = one.trace.one("full")
    without = cost(one.trace, section, one.listing)
    found = one.full_cost()
    assert words <= without.constants - found.constants < 1.01 * words
    assert (found.instructions, found.cycles) == (without.instructions, without.cycles)


def app_in_ram(folder: Path) -> Path:
    """The example, most of whose weights are read from RAM."""
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        need_tool(tool)
    app = folder / "in_ram"
    app.mkdir()
    shutil.copy(EXAMPLE / "model.tflite", app)
    text = (EXAMPLE / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(text.replace("[classifier]", "[classifier]\nram_weights = 7000", 1))
    return app


def test_the_page_has_the_boards_verdicts(profiles: dict[str, Profile]) -> None:
    page = (ROOT / "docs" / "performance.md").read_text()
    for each in profiles["small"].margins:
        if not each.virtual:
            (row,) = (
                line for line in page.splitlines() if line.startswith("| ") and f"`{each.board}`" in line
            )
            cells = [cell.strip() for cell in row.split("|")][2:-1]
            assert cells[:2] == [f"{each.clock_hz / 1e6:g}", str(each.wait_states)]
            assert float(cells[2]) == pytest.approx(each.cycles, abs=0.02)
            assert float(cells[3].split()[0]) == pytest.approx(100 * each.steady_load, abs=0.2)
            assert float(cells[4].split()[0]) == pytest.approx(100 * each.worst_load, abs=0.6)


@pytest.mark.parametrize(
    ("cache", "waits", "cycles"),
    [("none", 0, 150), ("code", 0, 150), ("none", 2, 410), ("code", 2, 210), ("all", 2, 150)],
)
def test_wait_states_are_added_to_what_no_cache_serves(cache: str, waits: int, cycles: int) -> None:
    board = dataclasses.replace(load_board("xg24"), flash_wait_states=waits, flash_cache=cache)
    assert Cost(instructions=100, cycles=150, constants=30).on(board) == cycles


@pytest.mark.parametrize(
    ("function", "mnemonic", "operands", "words"),
    [
        ("any", "ldr", "r3, [pc, #16]", 1),
        ("any", "ldrb.w", "r3, [r1], #1", 1),
        ("any", "ldrd", "r3, r4, [r1, #8]", 2),
        ("any", "ldmia.w", "r1!, {r10, r11, ip}", 3),
        ("any", "ldr", "r3, [sp, #4]", 0),
        ("any", "ldmia.w", "sp!, {r4, r5, pc}", 0),
        ("any", "pop", "{r4, pc}", 0),
        ("any", "str", "r3, [r1]", 0),
        ("any", "ldrex", "r3, [r1]", 0),
        ("any", "adds", "r3, r1, #4", 0),
        ("stream_loop_64", "ldrd", "r8, r9, [r0], #8", 2),
        ("stream_loop_64", "ldrd", "ip, lr, [r1], #8", 0),
        ("dense_block", "ldmia.w", "r0!, {r10, r11, ip, lr}", 4),
        ("dense_block_int16", "ldmia.w", "r1!, {r6, r7, r8, r9}", 0),
        ("conv_block_loop", "ldmia.w", "r1!, {r10, r11, ip}", 0),
    ],
)
def test_loads_are_kept_apart_by_what_they_can_read(
    function: str, mnemonic: str, operands: str, words: int
) -> None:
    assert constants_of(function, mnemonic, operands) == words
