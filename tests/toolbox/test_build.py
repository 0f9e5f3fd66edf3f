# SPDX-License-Identifier: Apache-2.0
"""SCons from the outside: what is built, nothing twice, no trace of a path; and what is refused."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.support.clone import clone, reported, scons
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from toolbox.sizes import sizes
from workbench.build import Build, build

BOARD = "mps2_an386"
BOARDS = "mps2_an386, mps2_an505, nano33ble, nrf52840dk, pc, xg24"
ROOT = EXAMPLE.parent.parent


@dataclass(frozen=True)
class Built:
    """A clone with the example built for mps2_an386, by compilers that keep a log of their calls."""

    root: Path
    log: Path
    env: dict[str, str]
    output: str

    @property
    def folder(self) -> Path:
        """Where the image lies."""
        return self.root / "build" / BOARD / "smart_lock"

    def calls(self) -> list[str]:
        """The command lines of compiler, linker and objcopy so far, without questions for their version."""
        return [line for line in self.log.read_text().splitlines() if not line.endswith("--version")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The example in a fresh clone."""
    folder = tmp_path_factory.mktemp("first")
    log = folder / "calls"
    wrappers = folder / "wrappers"
    wrappers.mkdir()
    for program in ("arm-none-eabi-gcc", "arm-none-eabi-objcopy"):
        wrapper = wrappers / program
        wrapper.write_text(f'#!/bin/sh\necho "{program} $*" >>{log}\nexec {need_tool(program)} "$@"\n')
        wrapper.chmod(0o755)
    env = {"PATH": f"{wrappers}:{os.environ['PATH']}"}
    root = clone(folder / "clone")
    done = scons(root, f"board={BOARD}", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return Built(root, log, env, done.stdout)


def test_a_build_leaves_every_form_of_the_image(built: Built) -> None:
    for name in ("firmware.elf", "firmware.bin", "firmware.hex", "firmware.map", "size.txt"):
        assert (built.folder / name).stat().st_size > 0, name
    assert (built.folder / "generated" / "smart_lock_model.c").is_file()


def test_the_output_is_one_short_line_an_action_and_the_sizes(built: Built) -> None:
    lines = built.output.splitlines()
    assert "  CC   firmware/pipeline/gate.c" in lines
    assert f"  LD   build/{BOARD}/smart_lock/firmware.elf" in lines
    assert "arm-none-eabi-gcc" not in built.output
    assert re.search(r"flash +total +[\d,]+ B +of +4,194,304 B", built.output)
    assert re.search(r"RAM +stack +8,192 B", built.output)


def test_a_repeat_build_runs_no_action(built: Built) -> None:
    before = built.calls()
    assert len(before) > 20  # the wrappers do see the calls
    files = {path: path.stat().st_mtime_ns for path in built.folder.rglob("*") if path.is_file()}
    done = scons(built.root, f"board={BOARD}", env=built.env)
    assert done.stdout == "scons: `firmware' is up to date.\n", done.stdout
    assert built.calls() == before
    assert files == {path: path.stat().st_mtime_ns for path in built.folder.rglob("*") if path.is_file()}


def test_verbose_shows_the_commands(built: Built, tmp_path: Path) -> None:
    done = scons(built.root, "-n", f"board={BOARD}", f"build={tmp_path}", "verbose=1", env=built.env)
    assert re.search(
        r"^arm-none-eabi-gcc .*-mcpu=cortex-m4 .*firmware/pipeline/gate\.c$", done.stdout, re.MULTILINE
    )


def test_clone_and_build_folder_leave_no_trace_in_the_image(built: Built, tmp_path: Path) -> None:
    second = clone(tmp_path / "a much longer path" / "to the second")
    images = ("firmware.elf", "firmware.bin", "firmware.hex")
    texts = ("firmware.map", "size.txt")  # these name the objects, and so the build folder
    (tmp_path / "temporary files").mkdir()
    env = {"TMPDIR": str(tmp_path / "temporary files")}
    for words, folder, names in (
        ([], second / "build", (*images, *texts)),
        (["build=elsewhere"], second / "elsewhere", images),
    ):
        done = scons(second, f"board={BOARD}", *words, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        for name in names:
            assert sha256(folder / BOARD / "smart_lock" / name) == sha256(built.folder / name), name
    elf = (built.folder / "firmware.elf").read_bytes()
    assert str(built.root).encode() not in elf
    assert (
        b"firmware/pipeline/gate.c" in elf
    )  # the debug information is there, and names sources from the root


def sha256(file: Path) -> str:
    """Of its content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_compile_commands_lie_where_an_editor_looks(built: Built) -> None:
    entries = json.loads((built.root / "compile_commands.json").read_text())
    files = {entry["file"] for entry in entries}
    assert "firmware/pipeline/gate.c" in files
    assert f"build/{BOARD}/smart_lock/generated/app.c" in files
    for entry in entries:
        assert (built.root / entry["file"]).is_file()
        assert entry["directory"] == str(built.root)
        assert "-mcpu=cortex-m4" in entry["command"]


def test_the_image_knows_its_gnu_build_id(built: Built) -> None:
    notes = subprocess.run(
        ["arm-none-eabi-readelf", "-n", built.folder / "firmware.elf"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (told_by_binutils,) = re.findall(r"Build ID: ([0-9a-f]{40})", notes)
    with (built.folder / "firmware.elf").open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name("image_build_id")
    start = symbol["st_value"] - load_board(BOARD).code.start
    image = (built.folder / "firmware.bin").read_bytes()
    assert image[start : start + 20].hex() == told_by_binutils


def test_the_image_starts_with_stack_and_reset(built: Built) -> None:
    image = (built.folder / "firmware.bin").read_bytes()
    stack, reset = (int.from_bytes(image[at : at + 4], "little") for at in (0, 4))
    board = load_board(BOARD)
    assert stack == board.ram.start + board.stack  # at the bottom of the ram, growing down to its start
    with (built.folder / "firmware.elf").open("rb") as file:
        (symbol,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name("reset_handler")
    assert reset == symbol["st_value"] | 1  # Thumb


def test_the_image_has_no_float_instruction(built: Built) -> None:
    listing = subprocess.run(
        ["arm-none-eabi-objdump", "-d", built.folder / "firmware.elf"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert listing.count("\n") > 1000
    assert re.findall(r"\tv[a-z]+(?:\.\w+)*\t.*", listing) == []


def test_sizes_are_those_of_binutils(built: Built) -> None:
    listing = subprocess.run(
        ["arm-none-eabi-size", "-A", "-d", built.folder / "firmware.elf"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    section = {name: int(size) for name, size in re.findall(r"^\.(\S+) +(\d+)", listing, re.MULTILINE)}
    found = sizes(built.folder / "firmware.elf", load_board(BOARD))
    assert found.code == section["vectors"] + section["text"]
    assert found.constants == section["rodata"] + section["note.gnu.build-id"] + section["image_checksum"]
    assert found.data == section["data"]
    assert found.bss == section["bss"] + section.get("noinit", 0)
    assert found.stack == 8192
    assert (built.folder / "firmware.bin").stat().st_size == found.flash  # nothing between the sections


STARTUP = """
void reset_handler(void) {}
void fault_handler(void) {}
void default_handler(void) {}
void systick_handler(void) {}
void uart_rx_handler(void) {}
void uart_tx_handler(void) {}
void audio_timer_handler(void) {}
"""


def link(built: Built, folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Compiles and links this code with the flags, vector table and linker script of the image."""
    entries = json.loads((built.root / "compile_commands.json").read_text())
    command = next(entry["command"] for entry in entries if entry["file"].endswith("gate.c")).split()
    flags = [word for word in command if word.startswith(("-m", "-O", "-std"))]
    (folder / "code.c").write_text(code)
    vectors = built.root / "build" / BOARD / "board"
    words = [
        *flags,
        "-nostartfiles",
        "--specs=nano.specs",
        "--specs=nosys.specs",
        "-T",
        str(vectors / "linker.ld"),
    ]
    words += [
        "-Wl,--build-id=sha1",
        str(folder / "code.c"),
        str(vectors / "vectors.c"),
        "-o",
        str(folder / "out"),
    ]
    return subprocess.run(["arm-none-eabi-gcc", *words], capture_output=True, text=True, check=False)


def test_a_heap_makes_the_link_fail(built: Built, tmp_path: Path) -> None:
    assert link(built, tmp_path, STARTUP).returncode == 0
    spoilt = STARTUP.replace("reset_handler(void) {}", "reset_handler(void) { kept = malloc(8); }")
    done = link(built, tmp_path, f"#include <stdlib.h>\nvoid *volatile kept;\n{spoilt}")
    assert done.returncode != 0
    assert "malloc is linked: an image has no heap" in done.stderr


@pytest.mark.parametrize("expression", ["(int)((float)n / 3.0f)", "(int)(n * 0.3)"])
def test_float_makes_the_compiler_fail(built: Built, tmp_path: Path, expression: str) -> None:
    done = link(built, tmp_path, f"{STARTUP}\nint spoilt(int n) {{ return {expression}; }}\n")
    assert done.returncode != 0
    assert "not permitted with '-mgeneral-regs-only'" in done.stderr


def test_a_change_builds_what_it_touches_and_no_more(tmp_path: Path) -> None:
    root = clone(tmp_path / "clone")
    assert scons(root, "board=pc").returncode == 0
    pipeline = root / "examples" / "smart_lock" / "pipeline.toml"
    pipeline.write_text(pipeline.read_text().replace("threshold = 600", "threshold = 601"))
    done = scons(root, "board=pc")
    compiled = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  CC")]
    assert compiled == ["build/pc/smart_lock/generated/smart_lock_pipeline.c"]
    model = root / "build/pc/smart_lock/generated/smart_lock_model.c"
    before = model.stat().st_mtime_ns
    pipeline.write_text(pipeline.read_text().replace("threshold = 601", "threshold = 602"))
    assert scons(root, "board=pc", "generated").returncode == 0
    assert model.stat().st_mtime_ns == before  # the same text is not written again
    (root / "examples" / "smart_lock" / "model.contract").write_text("0123456789abcdef\n")
    assert "trained on features" in reported(scons(root, "board=pc", "generated"))


def test_an_image_too_large_for_its_board_is_reported_in_one_message(tmp_path: Path) -> None:
    root = clone(tmp_path / "clone")
    board = root / "boards" / BOARD / "board.toml"
    board.write_text(board.read_text().replace("size  = 0x0040_0000", "size  = 0x8000", 1))
    message = reported(scons(root, f"board={BOARD}"))
    assert re.fullmatch(
        rf"{root}/examples/smart_lock/pipeline.toml: the image is 2\d,\d{{3}} bytes too large "
        rf"for the 32,768 bytes of code at 0x0 to 0x8000 of {BOARD}\n  Take a smaller model.*\n",
        message,
    )


BUILD = """
import sys
from pathlib import Path
from workbench.build import build
print(build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])).image)
"""


def test_builds_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    need_tool("arm-none-eabi-gcc")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD, board, str(EXAMPLE), str(tmp_path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for board in ("pc", BOARD, "pc")
    ]
    for process in running:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert Path(output.strip()).is_file()


@pytest.fixture(scope="module")
def on_pc(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The example for this computer."""
    return build("pc", EXAMPLE, tmp_path_factory.mktemp("pc"))


def test_build_tells_where_image_and_library_lie(on_pc: Build) -> None:
    assert on_pc.directory.parts[-2:] == ("pc", "smart_lock")
    assert os.access(on_pc.image, os.X_OK)
    assert on_pc.library == on_pc.directory / "libearshot.so"
    assert on_pc.library.is_file()


def test_the_library_reaches_for_nothing_of_device_or_port(on_pc: Build) -> None:
    symbols = subprocess.run(
        ["nm", "-D", str(on_pc.library)], capture_output=True, text=True, check=True
    ).stdout
    assert " pipeline_step" in symbols
    assert not re.search(r" (port_|protocol_|main$)", symbols, re.MULTILINE)


def test_scons_alone_prints_its_help() -> None:
    for words in ((), ("-h",)):
        done = scons(ROOT, *words)
        assert done.returncode == 0
        for word in ("board=", "app=", "verbose=", BOARD, "generated"):
            assert word in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["board=mps3"],
            f'there is no board "mps3"\n  Boards: {BOARDS}.\n',
        ),
        (["bord=pc"], 'there is no option "bord"\n  Did you mean "board"?'),
        (
            ["app=examples/smart_lock"],
            f"no board is named\n  Add board=NAME, one of: {BOARDS}.\n",
        ),
        (["board=pc", "generate"], 'there is no target and no command "generate"\n  Did you mean "generate'),
        (["board=pc", "engine=tflm"], "engine=tflm is for Cortex-M boards"),
        (["board=pc", "engine=tvm"], 'there is no engine "tvm"'),
        (["board=pc", "verbose=yes"], "verbose=yes is not allowed"),
        (["board=pc", "jobs=0"], "jobs=0 is not allowed\n  Write a number from 1 to 64: jobs=2.\n"),
        (["board=pc", "suites=long"], "suites=long is not allowed\n  Write suites=all or suites=short.\n"),
        (["board=pc", "app=nowhere"], "nowhere: there is no such app"),
    ],
)
def test_what_scons_refuses_is_reported_in_one_message(words: list[str], message: str) -> None:
    assert message in reported(scons(ROOT, *words))


def test_outside_the_environment_scons_says_how_to_enter_it(tmp_path: Path) -> None:
    (tmp_path / "elftools.py").write_text("raise ModuleNotFoundError('x', name='elftools')\n")
    done = scons(ROOT, "board=pc", env={"PYTHONPATH": str(tmp_path)})
    assert 'elftools is missing here. Run:  eval "$(./earshot env)"' in reported(done)


@pytest.mark.parametrize(("board", "program"), [(BOARD, "arm-none-eabi-gcc"), ("pc", "gcc")])
def test_a_missing_compiler_is_reported_in_one_message(tmp_path: Path, board: str, program: str) -> None:
    message = reported(scons(ROOT, f"board={board}", f"build={tmp_path}", env={"PATH": str(tmp_path)}))
    assert message.startswith(f"{program} (builds for ")
    assert "is not on PATH\n  Install it:\n" in message
    assert "Debian, Ubuntu:" in message
    assert "Fedora:" in message
    assert "macOS:" in message


def spoilt_app(folder: Path, model: bytes) -> Path:
    """The example with another model."""
    app = folder / "spoilt"
    app.mkdir()
    (app / "pipeline.toml").write_bytes((EXAMPLE / "pipeline.toml").read_bytes())
    (app / "model.tflite").write_bytes(model)
    return app


def test_a_model_that_is_none_ends_the_build_with_its_message(tmp_path: Path) -> None:
    app = spoilt_app(tmp_path, (EXAMPLE / "model.tflite").read_bytes()[:1000])
    message = reported(scons(ROOT, "generated", "board=pc", f"app={app}", f"build={tmp_path / 'out'}"))
    assert str(app / "model.tflite") in message


def test_build_raises_what_scons_says(tmp_path: Path) -> None:
    app = spoilt_app(tmp_path, b"no model")
    with pytest.raises(UserError, match=re.escape(str(app / "model.tflite"))):
        build("pc", app, tmp_path / "out")
