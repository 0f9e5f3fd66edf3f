# SPDX-License-Identifier: Apache-2.0
"""What an image does when something is wrong: it says so by name, starts anew, and says why it did."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from elftools.elf.elffile import ELFFile

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.firmware.device.test_live import microphone
from tests.support.debugger import Debugger
from tests.support.doors import board_of, open_image
from tests.support.expected import expected_lines
from tests.support.images import HASHING, SCRIPTED_INPUTS, bursts, hashing_image, scripted_image
from toolbox.checksum import SECTION, fill_checksum
from workbench.backtrace.dump import read_dumps
from workbench.backtrace.image import Image
from workbench.protocol.lines import Boot, Error, Fault, Line, Stack, Status, numbered_line, parse_line
from workbench.targets import Device, QemuOptions
from workbench.targets import device as device_module

pytestmark = pytest.mark.xdist_group("images")

CORES = ("qemu", "m33")


def reported(device: Device, last: type, seconds: float = 600) -> list[Line]:
    """Lines up to the first of this kind."""
    deadline = time.monotonic() + seconds
    lines: list[Line] = []
    while not lines or not isinstance(lines[-1], last):
        line = device._line(deadline)
        assert line is not None, lines
        parsed = parse_line(line)
        if parsed is not None:
            lines.append(parsed)
    return lines


def send(device: Device, what: int) -> None:
    """Asks the scripted model to do it."""
    tensor = bytes([what]) + bytes(SCRIPTED_INPUTS - 1)
    for number, at in enumerate(range(0, SCRIPTED_INPUTS, 360)):
        device.send(numbered_line("tensor", number, tensor[at : at + 360]))


def break_with(device: Device, what: int) -> list[Line]:
    """The scripted model does it; all lines until the image has started again."""
    send(device, what)
    lines = reported(device, Boot)
    return [line for line in lines if isinstance(line, Error | Stack | Boot)]


def symbol(image: Path, name: str) -> tuple[int, int]:
    """Address and size of a function."""
    with image.open("rb") as file:
        table = ELFFile(file).get_section_by_name(".symtab")
        found = max((s for s in table.iter_symbols() if s.name == name), key=lambda s: s["st_size"])
    return found["st_value"] & ~1, found["st_size"]


@pytest.mark.parametrize("door", CORES)
@pytest.mark.parametrize(("what", "number", "cfsr"), [(0xE2, 6, 1 << 16), (0xE8, 5, 1 << 15)])
def test_a_fault_is_dumped_and_the_image_starts_again(door: str, what: int, number: int, cfsr: int) -> None:
    """An undefined instruction is a usage fault, a write to nowhere a bus fault with its address."""
    image = scripted_image(board_of(door))
    with open_image(door, image) as device:
        assert device.boot.reset == "power"
        error, *stack, boot = break_with(device, what)
        assert isinstance(error, Error)
        assert (error.what, error.detail, error.code) == ("fault", number, 64)
        values = {key: int(str(value), 16) for key, value in error.more.items()}
        assert values["cfsr"] & cfsr
        if number == 5:
            assert values["bfar"] == 0xA0000000
        start, size = symbol(image, "run")
        assert start <= values["pc"] < start + size
        assert values["exc"] >> 8 == 0xFFFFFF
        # The stack from the frame to the top, without a gap; the frame is what the error line says.
        words: list[int] = []
        for line in stack:
            assert isinstance(line, Stack)
            assert line.address == values["sp"] + 4 * len(words)
            words += line.words
        assert words[:8] == [values[name] for name in ("r0", "r1", "r2", "r3", "r12", "lr", "pc", "psr")]
        assert values["sp"] + 4 * len(words) == load_board(board_of(door)).ram.start + 8192
        assert isinstance(boot, Boot)
        assert boot.reset == "fault"
        assert device.status()["errors"] == 0  # it has forgotten everything
        assert device.command("boot") == boot


def kept(device: Device) -> list[Line]:
    """What the first line sent after a fault's reset brings after its answer."""
    device.send(b"status\n")
    lines = [reported(device, Status)[-1], reported(device, Fault)[-1]]
    return [*lines[1:], *(reported(device, Stack)[-1] for _ in range(8))]


def nothing_kept(device: Device) -> bool:
    """Two lines bring their answers alone."""
    lines: list[Line] = []
    for _ in range(2):
        device.send(b"status\n")
        lines += reported(device, Status)
    return [type(line) for line in lines] == [Status, Status]


@pytest.mark.parametrize("door", CORES)
def test_a_fault_is_kept_for_a_host_that_comes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], door: str
) -> None:
    """Told once, word for word, after the answer to the first line; not after a start by power."""
    log = tmp_path / "fault.log"
    monkeypatch.setattr(device_module, "FAULT_LOG", log)
    image = scripted_image(board_of(door))
    with open_image(door, image) as device:
        assert nothing_kept(device)
        error, *stack, _ = break_with(device, 0xE8)
        assert isinstance(error, Error)
        fault, *again = kept(device)
        assert fault == Fault(error.what, error.detail, error.more, error.code)
        assert again == stack[:8]
        assert nothing_kept(device)
        error, *stack, _ = break_with(device, 0xE2)
        assert isinstance(error, Error)
        deadline = time.monotonic() + 600
        while not log.exists() or len(log.read_text().splitlines()) < 2 + len(stack[:8]):
            assert time.monotonic() < deadline
            device.status()
    assert f'its last run ended with "fault" {error.detail}; `earshot backtrace' in capsys.readouterr().err
    (dump,) = read_dumps(log.read_text().splitlines())
    assert (dump.what, dump.build) == ("fault", Image(image).build)
    start, size = symbol(image, "run")
    assert start <= dump.registers["pc"] < start + size
    assert list(dump.stack.values()) == [
        word for line in stack[:8] if isinstance(line, Stack) for word in line.words
    ]


@pytest.mark.parametrize("damage", ["sum", "words"])
def test_a_fault_that_is_not_whole_is_not_reported(tmp_path: Path, damage: str) -> None:
    """Another program had the RAM between, or another image was flashed: its checksum begins the sum."""
    image = scripted_image(board_of("qemu"))
    with open_image("qemu", image, QemuOptions(debugger=tmp_path / "gdb")) as device:
        with Debugger(tmp_path / "gdb", image) as debugger:
            debugger.run_to("reset_handler", lambda: send(device, 0xE2))
            offset = 4 if damage == "sum" else 200
            debugger.set_word("fault", debugger.word("fault", offset) ^ 0x100, offset)
        boot = reported(device, Boot)[-1]
        assert isinstance(boot, Boot)
        assert boot.reset == "power"
        assert nothing_kept(device)


@pytest.mark.parametrize("door", CORES)
def test_what_a_bootloader_left_is_cleared_before_anything_else(tmp_path: Path, door: str) -> None:
    """Interrupts and SysTick enabled and pending, all of them masked, the MPU forbidding every device, stacks
    and vectors that are not ours."""
    image = scripted_image(board_of(door))
    stack = load_board(board_of(door)).ram.start
    with open_image(door, image, QemuOptions(debugger=tmp_path / "gdb")) as device:
        with Debugger(tmp_path / "gdb", image) as debugger:
            debugger.run_to("main", lambda: send(device, 0xE9))
            assert not any(debugger.register(0xE000E100 + 4 * word) for word in range(8))  # enabled
            # Pending are those alone whose device still asks: the UART, in which the bell has just rung.
            assert sum(debugger.register(0xE000E200 + 4 * word).bit_count() for word in range(8)) < 4
            assert debugger.register(0xE000E010) & 3 == 0  # SysTick
            assert debugger.register(0xE000ED04) & (1 << 28 | 1 << 26) == 0  # PendSV and SysTick
            assert not any(debugger.register(0xE000E400 + 4 * word) for word in range(24))  # priorities
            assert not any(debugger.register(0xE000ED18 + 4 * word) for word in range(3))
            assert debugger.register(0xE000ED08) == load_board(board_of(door)).code.start  # VTOR
            assert debugger.register(0xE000ED10) & 6 == 0  # no deep sleep
            assert debugger.register(0xE000ED14) & 1 << 3 == 0  # a word at an odd address is allowed
            assert stack + 8192 - 64 < debugger.stack_pointer() <= stack + 8192
            # Painted up to what is in use (the bottom is guarded), and nothing after it.
            assert debugger.register(stack + 4096) == debugger.register(stack + 8192 - 128) == 0xA5A5A5A5
            assert debugger.word("_bss_start") == 0
        lines = [line for line in reported(device, Boot) if isinstance(line, Error | Stack | Boot)]
        assert lines == [device.boot]
        assert device.command("boot") == device.boot
        assert device.status()["errors"] == 0
        assert 0 < device.status()["stack"] < 4096


@pytest.mark.parametrize("door", CORES)
def test_a_stack_overflow_is_named(door: str) -> None:
    with open_image(door, scripted_image(board_of(door))) as device:
        error, *_, boot = break_with(device, 0xE3)
        assert isinstance(error, Error)
        assert error.what == "stack overflow"
        assert error.detail == (4 if door == "qemu" else 6)  # the MPU's exception; the stack limit's
        assert isinstance(boot, Boot)
        assert boot.reset == "fault"


@pytest.mark.parametrize("door", CORES)
def test_a_main_loop_that_hangs_is_ended_by_the_watchdog(door: str) -> None:
    """A microsecond an instruction: the watchdog's 30 seconds are 30 million of them."""
    image = scripted_image(board_of(door))
    with open_image(door, image, QemuOptions(icount=10)) as device:
        error, *_, boot = break_with(device, 0xE7)
        assert isinstance(error, Error)
        assert (error.what, error.detail) == ("watchdog", 2)
        start, size = symbol(image, "run")
        assert start <= int(str(error.more["pc"]), 16) < start + size
        assert isinstance(boot, Boot)
        assert boot.reset == "fault"


def test_a_main_loop_that_idles_is_left_alone() -> None:
    """Two minutes of emulated time, most of them asleep."""
    with open_image("qemu", scripted_image(board_of("qemu")), QemuOptions(icount=10)) as device:
        for _ in range(60):  # each says it of the time since the last; a busy computer gives it little
            time.sleep(1)
            before = device.status()
            if before["awake"] < 50:
                break
        assert before["awake"] < 50
        assert device.boot.reset == "power"
        assert device.command("boot") == device.boot


@pytest.mark.parametrize("door", CORES)
def test_a_microphone_without_data_is_named_and_the_image_goes_on(tmp_path: Path, door: str) -> None:
    options = QemuOptions(microphone(tmp_path, np.zeros(0, np.int16)))
    with open_image(door, hashing_image(board_of(door)), options) as device:
        error = reported(device, Error)[-1]
        assert isinstance(error, Error)
        assert (error.what, error.detail) == ("microphone without data", 8000)
        status = device.status()
        assert status["errors"] == status["restarts"] + (not status.live)  # it may have been tried again
        sound = bursts(40)
        assert list(device.replay(sound)) == expected_lines(HASHING, sound)
        assert isinstance(device.command("live"), Status)  # tried again, and reported again
        assert isinstance(reported(device, Error)[-1], Error)


def test_a_microphone_that_stays_silent_resets_the_image_once(tmp_path: Path) -> None:
    """Seven faults and a reset in 70 seconds of the board's time, which passes faster than ours."""
    options = QemuOptions(microphone(tmp_path, np.zeros(0, np.int16)), icount=5)
    with open_image("qemu", hashing_image(board_of("qemu")), options) as device:
        lines = reported(device, Boot, 120)
        errors = [line.what for line in lines if isinstance(line, Error)]
        assert errors == ["microphone without data"] * 7 + ["microphone"]
        assert isinstance(lines[-1], Boot)
        assert lines[-1].reset == "fault"
        again = [line for _ in range(10) for line in reported(device, Error, 120)]
        assert [line.what for line in again if isinstance(line, Error)] == ["microphone without data"] * 10
        assert not any(isinstance(line, Boot) for line in again)


@pytest.mark.parametrize("place", [0, -1])
def test_a_damaged_image_refuses_to_run(tmp_path: Path, place: int) -> None:
    """One bit of the flash is wrong: in the first constant, or in the last."""
    image = Path(shutil.copy(scripted_image(board_of("qemu")), tmp_path / "firmware.elf"))
    with image.open("r+b") as file:
        constants = ELFFile(file).get_section_by_name(".rodata")
        file.seek(constants["sh_offset"] + place % constants["sh_size"])
        (byte,) = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte ^ 4]))
    with pytest.raises(UserError, match=r'does not start: {"error":"image checksum"'):
        open_image("qemu", image, timeout=10)


def test_an_image_without_its_checksum_is_refused(tmp_path: Path) -> None:
    image = Path(shutil.copy(scripted_image(board_of("qemu")), tmp_path / "firmware.elf"))
    with image.open("r+b") as file:
        section = ELFFile(file).get_section_by_name(SECTION)
        file.seek(section["sh_offset"])
        right = int.from_bytes(file.read(4), "little")
        file.seek(section["sh_offset"])
        file.write(bytes(4))
    with pytest.raises(UserError, match=r'does not start: {"error":"image checksum"'):
        open_image("qemu", image, timeout=10)
    assert fill_checksum(image) == right
    with open_image("qemu", image) as device:
        assert device.boot.image == f"{right:08x}"
