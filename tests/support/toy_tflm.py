# SPDX-License-Identifier: Apache-2.0
"""A toy in TensorFlow Lite Micro's shape, as a checkout with its library or as packs; tests/support/toy_tflm.

Its one operator, FULLY_CONNECTED, ignores weights: output i is the sum of the input's bytes plus i, modulo
256. So what an image answers shows that this library ran, and not Earshot's own engine.
"""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.models.networks import Network
from tests.support.tools import need_tool
from toolbox import tools
from toolbox.packs.cache import PackCache
from toolbox.tflm.packs import PACKS, TFLM

TOY = Path(__file__).with_name("toy_tflm")
INPUTS, OUTPUTS = 10, 4
REFUSED = -77  # as the first input: the toy's Invoke() fails
ON_THE_WAY = INPUTS + OUTPUTS + 200  # bytes of arena without which the toy does not start
KERNEL = "arm_fully_connected_s8"
DOWNLOADS = "tensorflow/lite/micro/tools/make/downloads"
THIRD_PARTY = {
    "flatbuffers/include/flatbuffers/flatbuffers.h": "flatbuffers",
    "gemmlowp/fixedpoint/fixedpoint.h": "gemmlowp",
    "ruy/ruy/profiler/instrumentation.h": "ruy",
}
M4_HARD = ("-mcpu=cortex-m4", "-mthumb", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
M4_SOFT = ("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=soft")
M33_HARD = ("-mcpu=cortex-m33", "-mthumb", "-mfpu=fpv5-sp-d16", "-mfloat-abi=hard")
SOURCES = (
    "tensorflow/lite/micro/micro_interpreter.cc",
    "tensorflow/lite/micro/kernels/fully_connected.cc",
    "arm_fully_connected.c",
)


def need_cxx() -> None:
    """Skips the test where C++ for Cortex-M is not installed and cannot be."""
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    tools.ensure("arm-none-eabi-g++")


def expected(inputs: NDArray[np.int8]) -> NDArray[np.int8]:
    """What the toy computes: [n, OUTPUTS] for [n, INPUTS]."""
    sums = inputs.astype(np.int64).sum(axis=1)[:, None] + np.arange(OUTPUTS)
    return np.asarray(sums.astype(np.int8))


def toy_app(folder: Path, text: str = "", *, refused: bool = False) -> Path:
    """A bare model of one dense layer. text: further lines of [classifier]; refused: with a layer after it
    that the engine aot does not compute, and the toy has."""
    folder.mkdir(parents=True, exist_ok=True)
    network = Network(1, (1, INPUTS), 0.1, 3)
    network.dense(OUTPUTS)
    if refused:
        network.cumulate()
    network.save(folder / "model.tflite")
    (folder / "pipeline.toml").write_text(f'[classifier]\nmodel = "model.tflite"\n{text}')
    return folder


def toy_sources(
    folder: Path,
    *,
    kernel: str = KERNEL,
    inputs: int = INPUTS,
    outputs: int = OUTPUTS,
    ends: int = 1,
    second: int | None = None,
    faults: bool = False,
) -> Path:
    """The toy's files and its third parties', without a library.

    kernel: the name of its function; ends: outputs of a model: the second is one value longer, or has
    `second` values, and is as the first would be of the first value alone; faults: it jumps to nowhere
    """
    shutil.copytree(TOY, folder, dirs_exist_ok=True)
    for header in THIRD_PARTY:
        file = folder / DOWNLOADS / header
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("#pragma once\n")
    (folder / "toy_sizes.h").write_text(
        f"#define TOY_INPUT {inputs}\n#define TOY_OUTPUT {outputs}\n#define TOY_REFUSED {REFUSED}\n"
        f"#define TOY_ENDS {ends}\n#define TOY_KERNEL {kernel}\n"
        f"#define TOY_SECOND {outputs + 1 if second is None else second}\n"
        f"#define TOY_FAULTS {int(faults)}\n"
    )
    return folder


def library_file(tree: Path, build: str = "toy") -> Path:
    """Where a library of the checkout lies."""
    return tree / "gen" / build / "lib" / "libtensorflow-microlite.a"


def build_library(tree: Path, machine: Sequence[str] = M4_HARD, *, build: str = "toy") -> Path:
    """Compiles the toy for a core, as TFLM's own build leaves it."""
    file = library_file(tree, build)
    objects = tree / "gen" / build / "obj"
    objects.mkdir(parents=True, exist_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    names = []
    includes = [f"-I{tree}", *(f"-I{folder}" for folder in _include_folders(tree / DOWNLOADS))]
    for source in SOURCES:
        cxx = source.endswith(".cc")
        compiler = ["arm-none-eabi-g++", "-std=c++17", "-fno-rtti"] if cxx else ["arm-none-eabi-gcc"]
        name = objects / f"{Path(source).stem}.o"
        words = [*compiler, *machine, "-Os", "-ffunction-sections", "-fno-exceptions", *includes]
        subprocess.run([*words, "-c", tree / source, "-o", name], check=True)
        names.append(name)
    file.unlink(missing_ok=True)
    subprocess.run(["arm-none-eabi-ar", "rcs", file, *names], check=True)
    return file


def toy_tree(
    folder: Path, machine: Sequence[str] = M4_HARD, *, kernel: str = KERNEL, faults: bool = False
) -> Path:
    """A checkout with its library built."""
    tree = toy_sources(folder, kernel=kernel, faults=faults)
    build_library(tree, machine)
    return tree


def _include_folders(downloads: Path) -> list[Path]:
    return [downloads / "flatbuffers/include", downloads / "gemmlowp", downloads / "ruy"]


# Packs


def pdsc(name: str, components: str, conditions: str = "", version: str = "1.0.0") -> str:
    """The text of a description."""
    vendor, pack = name.split(".", 1)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.6">
  <vendor>{vendor}</vendor>
  <name>{pack}</name>
  <description>A toy</description>
  <url>http://example.invalid/</url>
  <releases><release version="{version}">Toy.</release></releases>
  <conditions>{conditions}</conditions>
  <components>{components}</components>
</package>
"""


def write_pack(cache: Path, name: str, text: str, files: Iterable[tuple[str, str]]) -> Path:
    """VENDOR/PACK/1.0.0.pack in a cache. files: name and text."""
    file = cache.joinpath(*name.split(".", 1)) / "1.0.0.pack"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.pdsc", text)
        for inside, content in files:
            archive.writestr(inside, content)
    return file


_KERNEL = 'Cclass="Machine Learning" Cgroup="TensorFlow" Csub="Kernel"'


def toy_packs(cache: Path) -> Path:
    """The seven packs with the toy in them; what belongs to other cores and compilers does not compile."""
    tree = toy_sources(cache.parent / "toy_sources")
    texts = {
        str(file.relative_to(tree)): file.read_text()
        for file in sorted(tree.rglob("*"))
        if file.suffix in (".h", ".cc", ".c") and "downloads" not in file.parts
    }
    kernel = f"""
    <component {_KERNEL} Cvariant="Reference" Cversion="1.0.0" condition="Third parties">
      <files><file category="sourceCpp" name="broken.cc"/></files>
    </component>
    <component {_KERNEL} Cvariant="CMSIS-NN" Cversion="1.0.0" condition="CMSIS-NN">
      <RTE_Components_h>#define RTE_TOY 1</RTE_Components_h>
      <Pre_Include_Global_h>
        #define TOY_FIRST 1
      </Pre_Include_Global_h>
      <files>
        <file category="sourceCpp" name="{SOURCES[0]}"/>
        <file category="sourceCpp" name="{SOURCES[1]}" condition="GCC"/>
        <file category="sourceCpp" name="broken.cc" condition="Arm compiler"/>
        <file category="sourceCpp" name="broken.cc" attr="template"/>
        <file category="include" name="./"/>
      </files>
    </component>"""
    conditions = """
    <condition id="CMSIS-NN"><require condition="Third parties"/>
      <require Cclass="CMSIS" Cgroup="NN Lib"/></condition>
    <condition id="Third parties"><require Cclass="Data" Csub="flatbuffers" Cvariant="tensorflow"/>
      <require Cclass="Data" Csub="gemmlowp"/><require Cclass="Data" Csub="ruy"/></condition>
    <condition id="GCC"><require Tcompiler="GCC"/></condition>
    <condition id="Arm compiler"><accept Tcompiler="ARMCC"/><accept Tcompiler="AC6"/></condition>"""
    first = '#ifndef TOY_FIRST\n#error "not included first"\n#endif\n#include "RTE_Components.h"\n'
    first += '#ifndef RTE_TOY\n#error "no RTE_Components.h"\n#endif\n'
    texts[SOURCES[0]] = first + texts[SOURCES[0]]
    files = [*texts.items(), ("broken.cc", "#error this must not be compiled\n")]
    write_pack(cache, TFLM, pdsc(TFLM, kernel, conditions), files)
    for header, name in THIRD_PARTY.items():
        folder = "include" if name == "flatbuffers" else "."
        component = f"""<component Cclass="Data" Cgroup="Math" Csub="{name}" Cvariant="tensorflow"
          Cversion="1.0.0"><files><file category="include" name="{folder}/"/></files></component>"""
        inside = header.partition("/")[2]
        write_pack(
            cache, f"tensorflow.{name}", pdsc(f"tensorflow.{name}", component), [(inside, "#pragma once\n")]
        )
    write_pack(cache, "tensorflow.kissfft", pdsc("tensorflow.kissfft", ""), [])
    nn = f"""<component Cclass="CMSIS" Cgroup="NN Lib" Cversion="1.0.0" condition="Core">
      <files><file category="sourceC" name="Source/{SOURCES[2]}"/>
      <file category="header" name="Include/toy_sizes.h"/></files></component>"""
    cores = '<condition id="Core"><accept Dcore="Cortex-M4"/><accept Dcore="Cortex-M33"/></condition>'
    write_pack(
        cache,
        "ARM.CMSIS-NN",
        pdsc("ARM.CMSIS-NN", nn, cores),
        [(f"Source/{SOURCES[2]}", texts[SOURCES[2]]), ("Include/toy_sizes.h", texts["toy_sizes.h"])],
    )
    core = """<component Cclass="CMSIS" Cgroup="CORE" Cversion="6.0.0" condition="Armv7-A">
      <files><file category="sourceC" name="broken.c"/></files></component>
    <component Cclass="CMSIS" Cgroup="CORE" Cversion="6.0.0" condition="Cortex-M">
      <files><file category="include" name="Core/Include/"/></files></component>"""
    both = '<condition id="Cortex-M"><accept Dcore="Cortex-M*"/></condition>'
    both += '<condition id="Armv7-A"><accept Dcore="Cortex-A5"/></condition>'
    write_pack(cache, "ARM.CMSIS", pdsc("ARM.CMSIS", core, both), [("Core/Include/core.h", "")])
    assert all(PackCache(cache).pack_file(name) for name in PACKS)
    return cache
