# SPDX-License-Identifier: Apache-2.0
"""What a chip's flash holds after flashing: the same bytes by hex, bin and ELF, no hole among them."""

from __future__ import annotations

import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from codegen.board.description import board_names, load_board
from codegen.common.errors import UserError
from tests.support.doors import open_image
from tests.support.images import M33_BOARD, QEMU_BOARD, hashing_image, scripted_image, wide_image
from tests.support.tools import need_tool
from toolbox.checksum import SECTION, fill_checksum
from toolbox.options import EXAMPLE
from workbench.build import build

pytestmark = pytest.mark.xdist_group("images")

CHIPS = [name for name in board_names() if not load_board(name).hosted]
ERASED = 0xFF
IMAGES = {"hashing": hashing_image, "wide": wide_image, "scripted": scripted_image}


def forms(elf: Path, folder: Path) -> tuple[bytes, dict[int, int]]:
    """firmware.bin, and firmware.hex as address -> byte, of an image that has no other form than the ELF."""
    for form in ("binary", "ihex"):
        command = [need_tool("arm-none-eabi-objcopy"), "-O", form, str(elf), str(folder / form)]
        subprocess.run(command, check=True)
    return (folder / "binary").read_bytes(), read_hex(folder / "ihex")


def read_hex(file: Path) -> dict[int, int]:
    """Address -> byte of an Intel hex file (its records 00, 02 and 04), each record's checksum verified."""
    found: dict[int, int] = {}
    base = 0
    for line in file.read_text().split():
        record = bytes.fromhex(line.removeprefix(":"))
        assert sum(record) % 256 == 0, line
        size, address, kind, data = record[0], int.from_bytes(record[1:3], "big"), record[3], record[4:-1]
        assert size == len(data)
        if kind == 0:
            found.update((base + address + index, byte) for index, byte in enumerate(data))
        elif kind in (2, 4):
            base = int.from_bytes(data, "big") << (4 if kind == 2 else 16)
    return found


def check_forms(elf: Path, binary: bytes, by_hex: dict[int, int], start: int) -> None:
    """All of them, and the checksum, say the same of every byte from the first to the last."""
    assert sorted(by_hex) == list(range(start, start + len(binary)))
    assert bytes(by_hex[address] for address in sorted(by_hex)) == binary
    assert len(binary) % 8 == 0
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        checksum = parsed.get_section_by_name(SECTION)["sh_addr"] - start
        segments = [
            each for each in parsed.iter_segments() if each["p_type"] == "PT_LOAD" and each["p_filesz"]
        ]
        for segment in segments:
            at = segment["p_paddr"] - start
            assert binary[at : at + segment["p_filesz"]] == segment.data()
        assert sum(segment["p_filesz"] for segment in segments) == len(binary)
    crc = zlib.crc32(binary[:checksum])
    assert binary[checksum:] == crc.to_bytes(4, "little") + bytes(4)


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize("board", CHIPS)
def test_every_form_of_an_image_says_the_same_of_every_byte(board: str, kernels: str) -> None:
    need_tool("arm-none-eabi-gcc")
    elf = build(board, EXAMPLE, kernels=kernels).image
    by_hex = read_hex(elf.with_suffix(".hex"))
    check_forms(elf, elf.with_suffix(".bin").read_bytes(), by_hex, load_board(board).code.start)


@pytest.mark.parametrize("image", IMAGES)
@pytest.mark.parametrize("board", [QEMU_BOARD, M33_BOARD])
def test_so_it_is_with_other_apps(tmp_path: Path, board: str, image: str) -> None:
    elf = IMAGES[image](board)
    check_forms(elf, *forms(elf, tmp_path), load_board(board).code.start)


def flashed_by_hex(elf: Path, by_hex: dict[int, int], folder: Path) -> Path:
    """The ELF whose segments hold what an erased flash holds once the hex was written to it."""
    flashed = Path(shutil.copy(elf, folder / "flashed.elf"))
    with flashed.open("r+b") as file:
        for segment in ELFFile(file).iter_segments():
            if segment["p_type"] == "PT_LOAD" and segment["p_filesz"]:
                addresses = range(segment["p_paddr"], segment["p_paddr"] + segment["p_filesz"])
                file.seek(segment["p_offset"])
                file.write(bytes(by_hex.get(address, ERASED) for address in addresses))
    return flashed


@pytest.mark.parametrize("kernels", ["small", "fast"])
@pytest.mark.parametrize(("door", "board"), [("qemu", QEMU_BOARD), ("m33", M33_BOARD)])
def test_the_hex_on_erased_flash_starts(tmp_path: Path, door: str, board: str, kernels: str) -> None:
    """The image compares its flash with its checksum at each start."""
    elf = build(board, EXAMPLE, kernels=kernels).image
    flashed = flashed_by_hex(elf, read_hex(elf.with_suffix(".hex")), tmp_path)
    with open_image(door, flashed) as device:
        assert device.boot.reset == "power"


CODE = """
#include <stdint.h>
const uint64_t wide __attribute__((used)) = 1;
void reset_handler(void) {}
void fault_handler(void) {}
void default_handler(void) {}
void systick_handler(void) {}
void uart_rx_handler(void) {}
void uart_tx_handler(void) {}
void audio_timer_handler(void) {}
"""
UNNAMED = 'const uint16_t odd __attribute__((section(".odd"), used)) = 1;'


@pytest.mark.parametrize(
    ("padding", "more", "section"),
    [(". += 2;", "", ".rodata"), (None, UNNAMED, ".note.gnu.build-id"), (None, "", None)],
)
def test_a_gap_between_two_sections_is_refused(
    tmp_path: Path, padding: str | None, more: str, section: str | None
) -> None:
    """Within a segment, where the ELF has zeros and the hex nothing: no padding, or a section unnamed."""
    made = hashing_image(QEMU_BOARD).parent
    script = (made / "linker.ld").read_text()
    right = ". = ALIGN(ALIGNOF(.rodata));"
    assert script.count(right) == 1
    (tmp_path / "linker.ld").write_text(script.replace(right, padding or right))
    (tmp_path / "code.c").write_text(CODE + more)
    elf = tmp_path / "gap.elf"
    command = [need_tool("arm-none-eabi-gcc"), "-mcpu=cortex-m4", "-mthumb", "-O2", "-nostdlib"]
    command += [f"-T{tmp_path / 'linker.ld'}", "-Wl,--build-id=sha1", str(tmp_path / "code.c")]
    subprocess.run([*command, str(made / "vectors.c"), "-o", str(elf)], check=True)
    if section is None:
        fill_checksum(elf)
        return
    with pytest.raises(UserError, match=rf"the flash content has a gap of 2 bytes before {section} at 0x"):
        fill_checksum(elf)
