# SPDX-License-Identifier: Apache-2.0
"""A checkout of TensorFlow Lite Micro that cannot be used: the message says why, and what mends it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.support.toy_tflm import (
    DOWNLOADS,
    M4_SOFT,
    M33_HARD,
    build_library,
    library_file,
    need_cxx,
    toy_sources,
)
from toolbox.tflm.archive import Target, board_target, misfit, read_library
from toolbox.tflm.found import find
from toolbox.tflm.tree import documented_step, find_tree

pytestmark = pytest.mark.xdist_group("tflm")
M4, M33, PC = load_board("mps2_an386"), load_board("mps2_an505"), load_board("pc")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need_cxx()
    tree = toy_sources(tmp_path_factory.mktemp("tree"))
    build_library(tree)
    return tree


@pytest.fixture
def tree(built: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(built, tmp_path / "tree"))


def refused(folder: Path) -> str:
    with pytest.raises(UserError) as error:
        find_tree(folder, M4)
    return str(error.value)


def test_what_is_found(tree: Path) -> None:
    found = find_tree(tree, M4)
    assert found.library == library_file(tree)
    assert found.where == tree
    downloads = tree / DOWNLOADS
    assert set(found.includes) == {
        tree,
        downloads / "flatbuffers/include",
        downloads / "gemmlowp",
        downloads / "ruy",
    }
    assert found.version == "TensorFlow Lite Micro of unknown version"
    assert found.registrations.int8 == {"FULLY_CONNECTED": "Register_FULLY_CONNECTED_INT8"}
    assert str(library_file(tree)) in found.reported()


def test_the_commit_is_reported_and_not_that_of_a_folder_around(tree: Path) -> None:
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.invalid", "-C", str(tree.parent)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "around"], check=True)
    assert find_tree(tree, M4).version.endswith("of unknown version")
    git[-1] = str(tree)
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "it"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    assert find_tree(tree, M4).version == f"TensorFlow Lite Micro {head[:12]}"


@pytest.mark.parametrize("part", ["..", "tensorflow/lite", "gen/toy/lib/libtensorflow-microlite.a"])
def test_it_is_found_from_around_and_inside(tree: Path, part: str) -> None:
    found = find_tree((tree / part).resolve(), M4)
    assert (found.where, found.library) == (tree, library_file(tree))


def test_third_parties_where_an_export_has_them(tree: Path) -> None:
    (tree / DOWNLOADS).rename(tree / "third_party")
    assert tree / "third_party/gemmlowp" in find_tree(tree, M4).includes
    (tree / "third_party").rename(tree / "elsewhere")
    assert tree / "elsewhere/gemmlowp" in find_tree(tree, M4).includes


def test_of_several_libraries_the_last_that_fits(tree: Path) -> None:
    build_library(tree, build="later")
    build_library(tree, M33_HARD, build="m33")
    later, first = library_file(tree, "later"), library_file(tree)
    os.utime(later, (2e9, 2e9))
    assert find_tree(tree, M4).library == later
    os.utime(first, (2.1e9, 2.1e9))
    assert find_tree(tree, M4).library == first
    assert find_tree(tree, M33).library == library_file(tree, "m33")


def test_no_such_folder(tmp_path: Path) -> None:
    assert "there is no such folder" in refused(tmp_path / "nowhere")
    assert "tflm= and EARSHOT_TFLM name a checkout" in refused(tmp_path / "nowhere")


def test_no_tflm_there(tmp_path: Path) -> None:
    assert "no TensorFlow Lite Micro is here" in refused(tmp_path)


def test_library_not_built(tree: Path) -> None:
    shutil.rmtree(tree / "gen")
    message = refused(tree)
    assert "its library is not built" in message
    assert (
        "TARGET=cortex_m_generic TARGET_ARCH=cortex-m4+fp OPTIMIZED_KERNEL_DIR=cmsis_nn microlite" in message
    )
    assert "cortex_m_generic/README.md" in message


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("micro_resource_variable.h", None),
        ("micro_interpreter.h", None),
        ("debug_log.h", "void DebugLog(const char* s);\n"),  # as it was until 2023
    ],
)
def test_another_version(tree: Path, header: str, text: str | None) -> None:
    file = tree / "tensorflow/lite/micro" / header
    if text is None:
        file.unlink()
    else:
        file.write_text(text)
    message = refused(tree)
    assert "another version of TensorFlow Lite Micro" in message
    assert f"tensorflow/lite/micro/{header}" in message


def test_third_party_missing(tree: Path) -> None:
    shutil.rmtree(tree / DOWNLOADS / "gemmlowp")
    message = refused(tree)
    assert "third-party headers are missing: gemmlowp (fixedpoint/fixedpoint.h)" in message
    assert DOWNLOADS in message


def test_without_cmsis_nn(tree: Path) -> None:
    file = library_file(tree)
    subprocess.run(["arm-none-eabi-ar", "d", file, "arm_fully_connected.o"], check=True)
    message = refused(tree)
    assert "it has no CMSIS-NN (OPTIMIZED_KERNEL_DIR=cmsis_nn was not given)" in message


def test_another_core_or_float_abi(tree: Path) -> None:
    shutil.rmtree(tree / "gen")
    build_library(tree, M4_SOFT, build="soft")
    build_library(tree, M33_HARD, build="m33")
    message = refused(tree)
    need = "mps2_an386 needs Cortex-M4 (v7E-M), hard-float ABI"
    assert (
        f"gen/soft/lib/libtensorflow-microlite.a: it was built for v7E-M, soft-float ABI; {need}" in message
    )
    assert (
        f"gen/m33/lib/libtensorflow-microlite.a: it was built for v8-M.mainline, hard-float ABI; {need}"
        in message
    )
    assert documented_step(M4) in message


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "does not begin as one"),
        (b"!<arch>\n", "without objects"),
        (b"!<arch>\n" + b"x" * 60, "cannot be read as a static library"),
        (b"!<arch>\n" + f"{'a.o/':<48}{100:<10}`\n".encode() + b"short", "ends too early"),
        (b"!<arch>\n" + f"{'a.o/':<48}{4:<10}`\n".encode() + b"text", "cannot be read as a static library"),
    ],
)
def test_no_library(tree: Path, data: bytes, why: str) -> None:
    library_file(tree).write_bytes(data)
    assert why in refused(tree)


def test_objects_of_different_cores(tree: Path) -> None:
    other = build_library(tree, M33_HARD, build="m33")
    objects = other.parent.parent / "obj"
    (objects / "micro_interpreter.o").rename(objects / "other.o")
    subprocess.run(["arm-none-eabi-ar", "r", library_file(tree), objects / "other.o"], check=True, stderr=-3)
    assert "its objects were built for different targets" in refused(tree)


def test_a_library_for_this_computer(tree: Path, tmp_path: Path) -> None:
    source = tmp_path / "x.c"
    source.write_text("int x;\n")
    subprocess.run(["gcc", "-c", source, "-o", tmp_path / "x.o"], check=True)
    library_file(tree).unlink()
    subprocess.run(["arm-none-eabi-ar", "rcs", library_file(tree), tmp_path / "x.o"], check=True)
    assert "not for Arm" in refused(tree)


def test_readelf_says_the_same(built: Path) -> None:
    """The attributes, by a reader that is not ours."""
    said = subprocess.run(
        ["arm-none-eabi-readelf", "-A", library_file(built)], check=True, capture_output=True, text=True
    ).stdout
    library = read_library(library_file(built))
    assert "Tag_CPU_arch: v7E-M" in said
    assert "Tag_ABI_VFP_args: VFP registers" in said
    assert (library.target.architecture, library.target.hard_float) == ("v7E-M", True)
    names = subprocess.run(
        ["arm-none-eabi-ar", "t", library_file(built)], check=True, capture_output=True, text=True
    ).stdout.split()
    assert list(library.members) == names
    assert "arm_nn_mat_mult_nt_t_s8" in library.symbols


def test_what_boards_need() -> None:
    assert board_target(M4) == Target("v7E-M", "Cortex-M4", True)
    assert board_target(M33) == Target("v8-M.mainline", "Cortex-M33", True)
    assert misfit(Target("v7E-M", "7E-M", True), M4) is None
    assert "soft-float ABI; mps2_an386 needs" in str(misfit(Target("v7E-M", "7E-M", False), M4))


def test_the_environment_names_it(tree: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EARSHOT_TFLM", str(tree))
    assert find(None, M4, tmp_path).where == tree
    monkeypatch.setenv("EARSHOT_TFLM", str(tmp_path / "nowhere"))
    assert find(tree, M4, tmp_path).where == tree  # the word on the command line wins
    with pytest.raises(UserError, match="no such folder"):
        find(None, M4, tmp_path)
    with pytest.raises(UserError, match="for Cortex-M boards"):
        find(tree, PC, tmp_path)
