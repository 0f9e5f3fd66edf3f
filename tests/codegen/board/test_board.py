# SPDX-License-Identifier: Apache-2.0
"""boards/*/board.toml: what is accepted, how a mistake is reported, and what the board adds to an image."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from codegen.board.description import Board, Memory, board_names, load_board
from codegen.board.flash import Flash, Pack
from codegen.board.pins import Pin
from codegen.common.errors import UserError
from codegen.common.paths import BOARDS
from codegen.emit.board import board_sources
from tests.support.images import hashing_image
from tests.support.tools import need_tool
from toolbox.link import check_fit
from toolbox.sizes import sizes

CHIPS = [name for name in board_names() if not load_board(name).hosted]

CHIP = """\
name = "chip"
description = "A chip"
core = "cortex-m33"
fpu = "fpv5-sp-d16"
clock_hz = 39_000_000
stack = 4096
interrupts = 4
port = "chip_family"

[[memory]]
name = "flash"
kind = "flash"
start = 0x0800_0000
size = 0x1_0000

[[memory]]
name = "ram"
kind = "ram"
start = 0x2000_0000
size = 0x8000

[irq]
2 = "uart_rx_handler"

[constants]
uart_base = 0x4000_0000
baud = 115200

[pins]
uart_tx = "PA05"
uart_rx = "P1.10"

[microphone]
rate = 16000
settling = 4096
"""
FLASHED = """
[flash]
openocd = ["interface/jlink.cfg", "target/nrf52.cfg"]
jlink = "CHIP_xxAA"
erase = "chip"

[pack]
name = "Maker.Chip_DFP"
device = "CHIP1"
"""


def boards(folder: Path, **files: str) -> Path:
    """A folder of boards with these texts of board.toml."""
    for name, text in files.items():
        (folder / name).mkdir()
        (folder / name / "board.toml").write_text(text)
    return folder


def refusal(folder: Path, text: str, name: str = "chip") -> str:
    """The message for a board.toml of this text."""
    with pytest.raises(UserError) as error:
        load_board(name, boards(folder, **{name: text}))
    return str(error.value)


def test_every_board_of_the_project_is_accepted_and_has_its_port() -> None:
    assert {"pc", "mps2_an386", "mps2_an505"} <= set(board_names())
    for name in board_names():
        board = load_board(name)
        assert (BOARDS.parent / "firmware" / "port" / board.port).is_dir(), board.port
        assert {"board.h"} <= set(board_sources(board))


def test_the_memories_of_mps2_an386_are_those_of_the_machine_qemu_models() -> None:
    board = load_board("mps2_an386")  # facts of Arm AN386, also read from QEMU's mps2.c
    assert board.core == "cortex-m4"
    assert board.clock_hz == 25_000_000
    assert board.qemu == "mps2-an386"
    assert board.memories == (
        Memory("code", "flash", 0, 4 << 20),
        Memory("ram", "ram", 0x20000000, 4 << 20),
        Memory("psram", "ram", 0x21000000, 16 << 20),
    )
    assert board.more_ram == board.memories[2:]


def test_a_board_becomes_what_its_file_says(tmp_path: Path) -> None:
    board = load_board("chip", boards(tmp_path, chip=CHIP))
    assert board == Board(
        name="chip",
        description="A chip",
        file=tmp_path / "chip" / "board.toml",
        port="chip_family",
        core="cortex-m33",
        fpu="fpv5-sp-d16",
        clock_hz=39_000_000,
        stack=4096,
        interrupts=4,
        memories=(Memory("flash", "flash", 0x08000000, 65536), Memory("ram", "ram", 0x20000000, 32768)),
        irq=((2, "uart_rx_handler"),),
        constants=(("uart_base", 0x40000000), ("baud", 115200)),
        pins=(("uart_tx", Pin(0, 5)), ("uart_rx", Pin(1, 10))),
        microphone=(("rate", 16000), ("settling", 4096)),
    )


def test_an_unknown_board_is_reported_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        load_board("chipp", boards(tmp_path, chip=CHIP))
    assert str(error.value) == 'there is no board "chipp"\n  Did you mean "chip"? Boards: chip.'


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("clock_hz", "clock_mhz", "line 5, clock_mhz", "this key is not known\n  Did you mean"),
        ("clock_hz = 39_000_000", 'clock_hz = "fast"', "line 5, clock_hz", "must be a whole number from 1"),
        ("stack = 4096", "stack = true", "line 6, stack", "must be a whole number"),
        ("stack = 4096", "stack = 4100", "line 6, stack", "a multiple of 8"),
        ("stack = 4096", "stack = 32768", "line 6, stack", 'smaller than the ram "ram", 32768 bytes'),
        ('core = "cortex-m33"', 'core = "cortex-a9"', "line 3, core", "must be one of cortex-m3,"),
        ('port = "chip_family"', 'port = "../x"', "line 8, port", "must be a name of lower-case letters"),
        ('name = "chip"', 'name = "chop"', "line 1, name", 'its folder "chip"'),
        ("size = 0x8000", "size = 0", "line 20, [memory] size", "must be a whole number from 1"),
        ('kind = "ram"', 'kind = "rom"', "line 18, [memory] kind", "must be one of flash, ram"),
        (
            "start = 0x2000_0000",
            "start = 0x0800_FFFF",
            "line 19, [memory] start",
            '"ram" and "flash" overlap',
        ),
        (
            "start = 0x2000_0000",
            "start = 0xFFFF_FFF0",
            "line 20, [memory] size",
            "beyond the 32-bit addresses",
        ),
        ("size = 0x8000", "length = 0x8000", "line 20, [memory] length", "this key is not known"),
        ("size = 0x8000", "", "line 16, [memory]", "size is missing"),
        ('kind = "ram"', 'kind = "flash"', "line 10, [memory]", 'there is none with kind = "ram"'),
        ("2 = ", "4 = ", "line 23, [irq] 4", "the vector table has interrupts 0 to 3"),
        ("2 = ", "uart = ", "line 23, [irq] uart", "is not the number of an interrupt"),
        ('"uart_rx_handler"', "7", "line 23, [irq] 2", "must be a name of lower-case letters"),
        ("baud = 115200", "baud = -1", "line 27, [constants] baud", "must be a whole number from 0"),
        ("baud = 115200", "Baud = 1", "line 27, [constants] Baud", "must be a name of lower-case letters"),
        ('"PA05"', '"PE05"', "line 30, [pins] uart_tx", 'must be a pin such as "PA05" or "P1.03"'),
        ('"PA05"', '"PA32"', "line 30, [pins] uart_tx", "must be a pin"),
        ('"PA05"', "5", "line 30, [pins] uart_tx", "must be a pin"),
        ('"PA05"', '"P1.10"', "line 31, [pins] uart_rx", "uart_tx is on the pin P1.10 already"),
        ("uart_tx =", "TX =", "line 30, [pins] TX", "must be a name of lower-case letters"),
        ("rate = 16000", "rate = 1", "line 34, [microphone] rate", "from 8000 to 48000"),
        ("settling =", "settle =", "line 35, [microphone] settle", 'Did you mean "settling"?'),
        ("[irq]", "[irqs]", "line 22, [irqs]", 'Did you mean "irq"?'),
        ("name =", "irq = 5\nname =", "line 1, irq", "must be written as [irq]"),
    ],
)
def test_a_mistake_is_reported_with_its_line(
    tmp_path: Path, old: str, new: str, place: str, words: str
) -> None:
    assert old in CHIP
    text = CHIP.replace('[irq]\n2 = "uart_rx_handler"\n', "") if new.startswith("irq = ") else CHIP
    message = refusal(tmp_path, text.replace(old, new, 1))
    assert place in message
    assert words in message
    assert str(tmp_path / "chip" / "board.toml") in message


@pytest.mark.parametrize("key", ["description", "port", "core", "fpu", "clock_hz", "stack", "interrupts"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    text = re.sub(rf"^{key} = .*\n", "", CHIP, flags=re.MULTILINE)
    assert f"{key} is missing" in refusal(tmp_path, text)


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, CHIP.replace("39_000_000", "0").replace("stack = 4096", "stack = 1"))
    assert "line 5, clock_hz" in message
    assert "line 6, stack" in message


def test_a_board_inherits_and_overrides(tmp_path: Path) -> None:
    heir = 'name = "heir"\ninherits = "chip"\nclock_hz = 78_000_000\n[constants]\nbaud = 921600\n'
    board = load_board("heir", boards(tmp_path, chip=CHIP, heir=heir))
    assert board.name == "heir"
    assert board.clock_hz == 78_000_000
    assert board.constants == (("uart_base", 0x40000000), ("baud", 921600))
    assert board.memories == load_board("chip", tmp_path).memories


def test_how_a_board_is_flashed_in_the_order_of_its_file(tmp_path: Path) -> None:
    board = load_board("chip", boards(tmp_path, chip=CHIP + FLASHED))
    assert board.flash == Flash(
        methods=("openocd", "jlink"),
        erase="chip",
        jlink="CHIP_xxAA",
        openocd=("interface/jlink.cfg", "target/nrf52.cfg"),
    )
    assert board.pack == Pack("Maker.Chip_DFP", "CHIP1")
    heir = 'name = "heir"\ninherits = "chip"\n[flash]\njlink = "OTHER"\n'
    other = load_board("heir", boards(tmp_path, heir=heir)).flash
    assert other is not None
    assert (other.jlink, other.erase, other.methods) == ("OTHER", "chip", ("jlink", "openocd"))


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ('jlink = "CHIP_xxAA"', 'jlink = "CHIP; rm"', "line 39, [flash] jlink", "must be a name of letters"),
        ('jlink = "CHIP_xxAA"', "jlink = 5", "line 39, [flash] jlink", "must be a name of letters"),
        ('jlink = "CHIP_xxAA"', 'jlinc = "C"', "line 39, [flash] jlinc", 'Did you mean "jlink"?'),
        ('"chip"\n\n[pack]', '"page"\n\n[pack]', "line 40, [flash] erase", "must be one of sector, chip"),
        ('["interface/jlink.cfg", "target/nrf52.cfg"]', "[]", "[flash] openocd", "must be a list of files"),
        ('"target/nrf52.cfg"', '"x.cfg]; exec"', "[flash] openocd", "must be a list of files"),
        ('jlink = "CHIP_xxAA"', 'bossac = "0x2341"', "[flash] bossac", "must be vendor:product"),
        ('name = "Maker.Chip_DFP"', 'name = "Maker"', "line 43, [pack] name", 'must be "Vendor.Pack"'),
        ('name = "Maker.Chip_DFP"', "pyocd = 1", "[pack] pyocd", "must be true or false"),
        ('device = "CHIP1"', "", "line 42, [pack]", "device is missing"),
    ],
)
def test_a_mistake_in_how_it_is_flashed(tmp_path: Path, old: str, new: str, place: str, words: str) -> None:
    assert old in FLASHED
    message = refusal(tmp_path, CHIP + FLASHED.replace(old, new, 1))
    assert place in message
    assert words in message


def test_a_board_that_names_no_way_to_flash_it(tmp_path: Path) -> None:
    message = refusal(tmp_path, CHIP + '[flash]\nerase = "chip"\n')
    assert "line 36, [flash]: it names no way to flash the board" in message
    assert "commander, jlink, pyocd, openocd, bossac" in message


def test_this_computer_is_not_flashed(tmp_path: Path) -> None:
    text = 'name = "here"\ndescription = "d"\nport = "pc"\n[flash]\njlink = "X"\n'
    assert "a board without core is this computer" in refusal(tmp_path, text, "here")


def test_inheritance_in_a_circle_is_refused(tmp_path: Path) -> None:
    both = boards(tmp_path, a='name = "a"\ninherits = "b"\n', b='name = "b"\ninherits = "a"\n')
    with pytest.raises(UserError, match="inherits from itself"):
        load_board("a", both)


def test_inheriting_from_nowhere_is_refused(tmp_path: Path) -> None:
    assert 'there is no board "nix"' in refusal(tmp_path, 'name = "a"\ninherits = "nix"\n', "a")


def test_the_vector_table_has_each_handler_at_its_number(tmp_path: Path) -> None:
    text = board_sources(load_board("chip", boards(tmp_path, chip=CHIP)))["vectors.c"]
    table = text[text.index("vectors[20] = {") :]
    entries = re.findall(r"\{\.(?:stack|handler) = (\w+)\}", table)
    assert len(entries) == 20
    assert entries[0] == "_stack_top"
    assert entries[1] == "reset_handler"
    assert entries[3] == "fault_handler"  # HardFault, Arm DDI 0553: exception 3
    assert entries[15] == "systick_handler"  # exception 15
    assert entries[16:] == ["default_handler", "default_handler", "uart_rx_handler", "default_handler"]


def test_the_port_finds_the_boards_constants_in_board_h(tmp_path: Path) -> None:
    header = board_sources(load_board("chip", boards(tmp_path, chip=CHIP)))["board.h"]
    (tmp_path / "board.h").write_text(header)
    (tmp_path / "main.c").write_text(
        '#include "board.h"\n#include <stdio.h>\n'
        'int main(void) { printf("%s %lu %lu %lu %d", BOARD_NAME, (unsigned long)BOARD_CLOCK_HZ,\n'
        "(unsigned long)BOARD_UART_BASE, (unsigned long)BOARD_BAUD, BOARD_UART_RX_IRQ);\n"
        'printf(" %d.%d %d.%d %lu", BOARD_UART_TX_PORT, BOARD_UART_TX_PIN, BOARD_UART_RX_PORT,\n'
        "BOARD_UART_RX_PIN, (unsigned long)BOARD_MICROPHONE_SETTLING); }\n"
    )
    if shutil.which("gcc") is None:
        pytest.skip("gcc is not on PATH")
    program = tmp_path / "main"
    subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", tmp_path / "main.c", "-o", program], check=True)
    printed = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    assert printed == "chip 39000000 1073741824 115200 2 0.5 1.10 4096"


@pytest.mark.parametrize("name", CHIPS)
def test_every_board_builds_and_fits(name: str) -> None:
    """-Werror is among the flags; the linker script's ASSERTs hold; the checksum covers all of the flash."""
    board = load_board(name)
    image = hashing_image(name)
    found = sizes(image, board)
    assert 5000 < found.flash < board.code.size
    assert board.stack < found.ram < board.ram.size


@pytest.mark.parametrize("name", CHIPS)
def test_what_outlasts_a_reset_lies_at_the_top_of_the_ram(name: str) -> None:
    """Arduino's bootloader of the Nano 33 BLE, a Zephyr, has data and stacks up to 0x20009E14."""
    ram = load_board(name).ram
    with hashing_image(name).open("rb") as file:
        section = ELFFile(file).get_section_by_name(".noinit")
        start, end = section["sh_addr"], section["sh_addr"] + section["sh_size"]
    assert (start, end > start, end <= ram.end) == (ram.end - 512, True, True)
    assert ram.start + 0x9E14 < start


def test_an_image_on_nano33ble_ends_before_the_place_of_a_new_bootloader() -> None:
    assert load_board("nano33ble").code.end == 0xE0000


@pytest.mark.parametrize(
    ("old", "new", "words", "reported"),
    [
        (
            "size = 0x1_0000",
            'size = 0x4000\nlimit = "the rest is taken"',
            "code, constants and data do not fit the flash flash",
            r"pipeline.toml: the image is 4,\d{3} bytes too large for the 16,384 bytes of flash at 0x8000000 "
            r"to 0x8004000 of chip: the rest is taken\n  Take a smaller model, or kernels",
        ),
        (
            "stack = 4096",
            "stack = 32752",
            "data and stack do not fit the RAM ram",
            r"the image is 5\d\d bytes too large for the 32,768 bytes of ram at 0x20000000 to 0x20008000",
        ),
        (
            "start = 0x0800_0000",
            "start = 0x0800_0040",
            "a table of 20 vectors at a multiple of 128 bytes",
            "",
        ),
    ],
)
def test_an_image_that_does_not_fit_is_not_linked(
    tmp_path: Path, old: str, new: str, words: str, reported: str
) -> None:
    assert old in CHIP
    text = CHIP.replace(old, new, 1)
    board = load_board("chip", boards(tmp_path, chip=text))
    for name, source in board_sources(board).items():
        (tmp_path / name).write_text(source)
    (tmp_path / "main.c").write_text(
        "void reset_handler(void) {} void fault_handler(void) {} void systick_handler(void) {}\n"
        "void default_handler(void) {} void uart_rx_handler(void) {}\n"
        '__attribute__((section(".rodata.big"), used)) const char big[0x5000] = {1};\n'
        '__attribute__((section(".bss.big"), used)) char more[64];\n'
    )
    flags = ["-mcpu=cortex-m33", "-mthumb", "-nostartfiles", "--specs=nano.specs", "-Wl,--build-id=sha1"]
    files: list[str | Path] = [
        tmp_path / "main.c",
        tmp_path / "vectors.c",
        f"-T{tmp_path / 'linker.ld'}",
        "-o",
        tmp_path / "out",
    ]
    done = subprocess.run(
        [need_tool("arm-none-eabi-gcc"), *flags, *files], capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert words in done.stderr
    if "do not fit" in words:
        with pytest.raises(UserError, match=reported):
            check_fit(done.stderr, board, tmp_path / "pipeline.toml")
