# SPDX-License-Identifier: Apache-2.0
"""Generated sources: the same bytes for the same app, warning-free C, and a folder that builds anywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.compile import compile_app
from codegen.emit.sources import sources
from tests.support.build_sh import build
from tests.support.cli import earshot, refused
from tests.support.compile import WARNINGS
from tests.support.shared import shared
from tests.support.tools import need_tool
from tests.support.tutorial import BARE, noises, tutorial_app, tutorial_library
from workbench.export.package import package, write_package
from workbench.verify.reference import ReferenceInterpreter

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tutorial_app(tmp_path_factory.mktemp("app") / "Front Door")


@pytest.fixture(scope="module")
def folder(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `earshot generate` writes for it."""
    folder = tmp_path_factory.mktemp("package") / "new" / "sources"
    done = earshot("generate", "--app", app, "-o", folder)
    assert done.returncode == 0, done.stderr
    return folder


def generated(app: Path) -> dict[str, str]:
    return sources(compile_app(app))


def texts(folder: Path) -> Iterator[tuple[str, str]]:
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "build" not in file.relative_to(folder).parts:
            yield str(file.relative_to(folder)), file.read_text()


def test_an_app_has_four_files_and_a_bare_model_three(app: Path, tmp_path: Path) -> None:
    assert list(generated(app)) == ["front_door.h", "front_door_model.c", "front_door_pipeline.c", "app.c"]
    bare = generated(tutorial_app(tmp_path / "bare", text=BARE))
    assert list(bare) == ["bare.h", "bare_model.c", "app.c"]
    assert ".pipeline = NULL" in bare["app.c"]
    assert "pipeline" not in bare["bare.h"]


def test_the_same_app_gives_the_same_bytes(app: Path, tmp_path: Path) -> None:
    """In another folder of the same name, by another process with another order of its sets."""
    copy = tmp_path / app.name
    shutil.copytree(app, copy)
    program = "import sys; from pathlib import Path; from codegen.compile import compile_app\n"
    program += "from codegen.emit.sources import sources\n"
    program += "for name, text in sources(compile_app(Path(sys.argv[1]))).items(): print(name, text)"
    reported = [
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for path, seed in ((app, "1"), (copy, "2"))
    ]
    assert reported[0] == reported[1]
    assert reported[0].decode() == "".join(f"{name} {text}\n" for name, text in generated(app).items())


def test_sources_hold_no_paths_and_no_dates(app: Path, folder: Path) -> None:
    for name, text in texts(folder):
        assert str(app.parent) not in text, name
        assert str(ROOT) not in text, name
        if name != "LICENSE":
            assert not re.search(r"20[2-9][0-9]-[01][0-9]|[0-9]:[0-9][0-9]:[0-9]", text), name


def test_written_text_is_in_the_house_style(app: Path, folder: Path, tmp_path: Path) -> None:
    clang_format = Path(sys.executable).with_name("clang-format")  # of the lock file
    (tmp_path / ".clang-format").write_text((ROOT / ".clang-format").read_text())
    files = {**generated(app), "main.c": (folder / "main.c").read_text()}
    bare = package(compile_app(tutorial_app(tmp_path / "bare", text=BARE)))
    files |= {"bare.h": bare["bare.h"].decode(), "bare_main.c": bare["main.c"].decode()}
    for name in ("front_door.h", "app.c", "main.c", "bare.h", "bare_main.c"):
        (tmp_path / name).write_text(files[name])
        done = subprocess.run(
            [clang_format, "--dry-run", "-Werror", name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def decisions(program: Path, samples: NDArray[np.int16]) -> list[str]:
    reported = subprocess.run(
        [str(program)], input=samples.astype("<i2").tobytes(), capture_output=True, check=True
    )
    assert reported.stderr == b""
    return reported.stdout.decode().splitlines()


@pytest.mark.parametrize(("compiler", "flags"), [("gcc", SANITIZERS), ("clang", ("-O2",))])
def test_the_example_decides_as_the_library(
    app: Path, folder: Path, tmp_path: Path, compiler: str, flags: tuple[str, ...]
) -> None:
    """Built with warnings as errors, by gcc with its sanitizers."""
    program = build(folder, need_tool(compiler), "-O1", *WARNINGS, *flags)
    samples = noises(4, seed=2)
    pipeline = tutorial_library(app, tmp_path).pipeline
    assert pipeline is not None
    labels = ("Unknown", *pipeline.spec.decision.labels)
    expected = [
        f"window {step.sequence}: {labels[step.class_index]}, score {step.score}"
        for step in pipeline.steps(samples)
        if step.decided
    ]
    assert len({line.split(":")[1] for line in expected}) >= 3
    assert decisions(program, samples) == expected


def test_the_example_decides_as_the_reference_says(app: Path, folder: Path) -> None:
    """From the reference system's vectors and the interpreter, without any C of ours."""
    vectors = np.load(shared("vectors/mfcc/stream_slide.npz"))
    # scale 1, zero point -128, offset 0: a feature u enters as u - 128
    inputs = (vectors["feature_u8"].astype(np.int16) - 128).astype(np.int8)
    with ReferenceInterpreter(app / "model.tflite") as reference:
        scores = reference.run(inputs.reshape(-1, 15, 20, 1))
    labels = ("key_io", "knocking", "locking", "unknown")
    expected = []
    for window, row in zip(vectors["window_index"], scores, strict=True):
        # 0.80 of 256 steps above -128 are 204.8
        label = labels[int(np.argmax(row))] if row.max() >= 77 else "Unknown"
        expected.append(f"window {window}: {label}, score {row.max()}")
    program = build(folder, "gcc", "-O2", "-Wall")
    assert decisions(program, vectors["audio"]) == expected


def test_the_bare_example_gives_the_interpreters_outputs(tmp_path: Path) -> None:
    app = tutorial_app(tmp_path / "bare", text=BARE)
    write_package(package(compile_app(app)), tmp_path / "sources")
    assert not (tmp_path / "sources/pipeline").exists()
    inputs = np.random.default_rng(3).integers(-128, 128, (5, 15, 20, 1), np.int8)
    with ReferenceInterpreter(app / "model.tflite") as reference:
        expected = [" ".join(str(value) for value in row) for row in reference.run(inputs)]
    program = build(tmp_path / "sources", "gcc", "-O1", *WARNINGS, *SANITIZERS)
    assert decisions(program, inputs.reshape(-1).view("<i2")) == expected


@pytest.mark.parametrize(
    ("core", "kernels"),
    [("cortex-m0plus", "small"), ("cortex-m4", "small"), ("cortex-m4", "fast"), ("cortex-m55", "small")],
)
def test_it_compiles_for_cortex_m(tmp_path: Path, core: str, kernels: str) -> None:
    compiler = need_tool("arm-none-eabi-gcc")
    app = tutorial_app(tmp_path / "door", classifier=f'kernels = "{kernels}"')
    folder = tmp_path / "sources"
    write_package(package(compile_app(app)), folder)
    sources = [str(path) for path in sorted(folder.rglob("*.c")) if path.name != "main.c"]
    objects = tmp_path / "objects"
    objects.mkdir()
    done = subprocess.run(
        [compiler, *WARNINGS, "-Os", f"-mcpu={core}", "-mthumb", f"-I{folder}", "-c", *sources],
        cwd=objects,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert wanted_of_libraries(objects, "arm-none-eabi-nm") <= {"memcpy", "memmove", "memset"}


def wanted_of_libraries(objects: Path, nm: str) -> set[str]:
    """Symbols that no object defines, without the compiler's own helpers for 64-bit integers."""
    files = [str(path) for path in objects.iterdir()]
    reported = subprocess.run([nm, *files], capture_output=True, text=True, check=True).stdout
    symbols = [line.split()[-2:] for line in reported.splitlines() if len(line.split()) >= 2]
    defined = {name for kind, name in symbols if kind != "U"}
    wanted = {name for kind, name in symbols if kind == "U"} - defined
    helpers = {
        "idiv",
        "uidiv",
        "idivmod",
        "uidivmod",
        "ldivmod",
        "uldivmod",
        "lmul",
        "llsl",
        "llsr",
        "lasr",
        "lcmp",
        "ulcmp",
    }
    own = {f"__aeabi_{helper}" for helper in helpers} | {"__clzsi2", "__clzdi2"}
    own |= {name for name in wanted if name.startswith("__gnu_thumb1_case")}
    return {name.removeprefix("__aeabi_").rstrip("48") for name in wanted - own}


# What is in the way


def test_a_folder_of_ours_is_written_again(app: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    write_package(package(compile_app(app)), folder)
    build(folder, "gcc", "-O0")
    bare = tutorial_app(tmp_path / "front_door", text=BARE)
    write_package(package(compile_app(bare)), folder)
    assert not (folder / "front_door_pipeline.c").exists()
    assert not list(folder.glob("pipeline/*"))
    write_package(package(compile_app(app)), folder)
    assert dict(texts(folder)) == {name: data.decode() for name, data in package(compile_app(app)).items()}


def test_foreign_and_changed_files_are_not_touched(app: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    reported = refused("generate", "--app", app, "-o", folder)
    assert "thesis.txt: was not made by generate; nothing is overwritten" in reported
    assert [path.name for path in folder.iterdir()] == ["thesis.txt"]
    (folder / "thesis.txt").unlink()
    write_package(package(compile_app(app)), folder)
    before = dict(texts(folder))
    (folder / "main.c").write_text("mine too")
    reported = refused("generate", "--app", app, "-o", folder)
    assert "main.c: was changed after it was made" in reported
    assert dict(texts(folder)) == {**before, "main.c": "mine too"}
    (folder / "main.c").unlink()
    (folder / "main.c").symlink_to(app / "pipeline.toml")
    with pytest.raises(UserError, match=r"main\.c: was changed"):
        write_package(package(compile_app(app)), folder)


def test_a_file_in_the_way_is_refused(app: Path, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert "is a file; a folder is wanted" in refused("generate", "--app", app, "-o", file)
    assert "cannot be written" in refused("generate", "--app", app, "-o", file / "below")


def test_a_wrong_app_is_reported_with_all_its_faults(tmp_path: Path) -> None:
    text = '[window]\nsize = -4\n[gaet]\n[classifier]\nmodel = "model.tflite"\n'
    text += '[decision]\nlabels = ["a", "b", "c", "d"]\nthreshold = 80\n[mfcc]\n'
    app = tutorial_app(tmp_path / "door", text=text)
    reported = refused("generate", "--app", app, "-o", tmp_path / "out")
    assert "pipeline.toml, line 2, [window] size: -4 is out of range" in reported
    assert "pipeline.toml, line 3, [gaet]: is unknown\n  Did you mean gate?" in reported
    wrong = "pipeline.toml, line 8, [decision] threshold: 80 is out of range; a number, 0..1, is allowed"
    assert wrong in reported
    assert "It is a share, not per cent: 0.8" in reported
    assert not (tmp_path / "out").exists()


def test_a_model_that_does_not_fit_is_reported(tmp_path: Path) -> None:
    text = '[classifier]\nmodel = "model.tflite"\n[cascade]\nframes = 14\n'
    app = tutorial_app(
        tmp_path / "door", text=text + '[decision]\nlabels = ["a", "b"]\nthreshold = 0.5\n[mfcc]\n'
    )
    reported = refused("generate", "--app", app, "-o", tmp_path / "out")
    assert "line 4, [cascade] frames" in reported
    assert "line 6, [decision] labels" in reported
