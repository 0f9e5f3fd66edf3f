# SPDX-License-Identifier: Apache-2.0
"""Constants that are read from RAM: which, where they lie in an image, and that it decides the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from codegen.board.description import load_board
from codegen.common.paths import ROOT
from codegen.emit.in_ram import charged, layers_in_ram
from codegen.kernels.layer import Array, Layer
from codegen.model.graph import Node
from tests.support.cli import earshot
from tests.support.tools import need_tool
from workbench.audio.synthesize import write_wav
from workbench.build import build
from workbench.profiling.memory import ram

EXAMPLE = ROOT / "examples" / "smart_lock"


def layer(name: str, nbytes: int, macs: int) -> Layer:
    arrays = (Array("weights", "int8_t", np.zeros(nbytes, np.int64), "all"),) if nbytes else ()
    node = Node(0, "CONV_2D", (0,), (1,))
    return Layer(name, "conv_2d", "conv_2d", (), arrays, (0,), 1, node, macs=macs)


@pytest.mark.parametrize(
    ("room", "names"),
    [
        (0, ""),
        (99, ""),
        (100, "a"),
        (399, "a"),
        (400, "a c"),  # b comes first, and does not fit
        (1100, "a b"),
        (1400, "a b c"),
        (1 << 24, "a b c"),  # neither a table nor what has no constants
    ],
)
def test_what_is_read_most_comes_first(room: int, names: str) -> None:
    layers = [layer("c", 300, 300), layer("table", 256, 0), layer("b", 1000, 9000), layer("a", 100, 5000)]
    assert layers_in_ram([*layers, layer("pool", 0, 70)], room) == set(names.split())


def test_shared_constants_take_room_once() -> None:
    """b's weights are a's: they lie where a's do, and count for the work of both."""
    layers = [layer("c", 100, 700), layer("a", 100, 500), layer("b", 100, 500)]
    owners = {("c", "weights"): "c_weights", ("a", "weights"): "a_weights", ("b", "weights"): "a_weights"}
    assert layers_in_ram(charged(layers, owners), 100) == {"a"}
    assert layers_in_ram(charged(layers, owners), 200) == {"a", "c"}


def test_an_image_reads_them_from_ram_and_decides_the_same(tmp_path: Path) -> None:
    for tool in ("arm-none-eabi-gcc", "qemu-system-arm"):
        need_tool(tool)
    app = tmp_path / "in_ram"
    app.mkdir()
    for name in ("model.tflite", "pipeline.toml"):
        shutil.copy(EXAMPLE / name, app)
    text = (app / "pipeline.toml").read_text()
    (app / "pipeline.toml").write_text(text.replace("[classifier]", "[classifier]\nram_weights = 7000", 1))
    sound = tmp_path / "bursts.wav"
    time = np.arange(9600)
    bursts = np.random.default_rng(4).normal(0, 9000, time.size) * np.exp(-(time % 4000) / 700)
    write_wav(sound, np.clip(bursts, -32768, 32767).astype(np.int16))
    plain = earshot("replay", "--app", EXAMPLE, "--target", "pc", sound)
    there = earshot("replay", "--app", app, "--target", "qemu", sound)
    assert there.returncode == 0, there.stderr
    assert there.stdout == plain.stdout
    assert there.stdout.count('"Classification"') >= 10

    image = build("mps2_an386", app).image
    told = ram(image, "in_ram", load_board("mps2_an386"), 0)
    with image.open("rb") as file:
        elf = ELFFile(file)
        inside = elf.get_section_by_name(".data")
        low, high = inside["sh_addr"], inside["sh_addr"] + inside["sh_size"]
        held = {
            symbol.name: symbol["st_size"]
            for symbol in elf.get_section_by_name(".symtab").iter_symbols()
            if symbol.name.startswith("in_ram_") and low <= symbol["st_value"] < high
        }
    assert {"in_ram_conv2_weights", "in_ram_conv3_weights"} <= held.keys()
    assert "in_ram_dense1_weights" not in held  # 22 KB, each read once a decision
    assert 2000 < sum(held.values()) <= 7000
    assert told.weights == sum(held.values())
