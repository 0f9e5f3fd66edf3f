"""profile: the same numbers every time, parts that add up, and the keys that scripts read."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from tests.models.networks import dense_only
from tests.support.cli import earshot, refused
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.build import build
from workbench.profiling.profile import Profile, profile

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
    told = subprocess.run(
        ["arm-none-eabi-size", "-A", str(image)], capture_output=True, text=True, check=True
    ).stdout
    sections = {name: int(size) for name, size in re.findall(r"^(\.\S+)\s+(\d+)", told, flags=re.MULTILINE)}
    assert profiles["small"].flash.code == sections[".text"] + sections[".vectors"]


def test_what_scripts_read(profiles: dict[str, Profile]) -> None:
    done = earshot("profile", "--app", EXAMPLE, "--kernels", "small", "--json")
    assert done.returncode == 0, done.stderr
    told, found = json.loads(done.stdout), profiles["small"]
    assert told["instructions"] == {
        "full": found.decisions.full,
        "incremental": found.decisions.incremental,
        "worst": found.decisions.worst,
    }
    assert {"name", "op", "mac", "instructions"} <= told["layers"][0].keys()
    assert [stage["name"] for stage in told["stages"]] == ["window", "gate", "mfcc", "scale", "decision"]
    assert told["flash"]["code"] == found.flash.code
    assert told["flash"]["constants"] == found.flash.constants
    assert told["ram"].keys() >= {"arena", "state", "stack", "total"}
    assert told["margin"]["clock_hz"] == 25_000_000


def test_a_bare_model_has_layers_and_no_stages(tmp_path: Path) -> None:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    done = earshot("profile", dense_only(tmp_path / "dense.tflite", 4), "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["instructions"]["incremental"] is None
    assert told["instructions"]["worst"] >= told["instructions"]["full"] > told["mac"] > 0
    assert told["stages"] == []
    assert told["margin"] is None
    assert sum(layer["instructions"] for layer in told["layers"]) == told["instructions"]["full"]


def test_what_cannot_be_counted_is_refused(tmp_path: Path) -> None:
    assert "this computer" in refused("profile", "--app", EXAMPLE, "--board", "pc")
    assert "MODEL.tflite, or --app" in refused("profile")
    with pytest.raises(UserError, match="there is no board"):
        profile(EXAMPLE, "mps2_an38")
