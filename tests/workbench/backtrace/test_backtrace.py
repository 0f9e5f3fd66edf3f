# SPDX-License-Identifier: Apache-2.0
"""earshot backtrace: faults planted three calls deep in an image under QEMU, and dumps made by hand."""

from __future__ import annotations

import json
import re
import time
from functools import lru_cache
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.support.cli import earshot, refused
from tests.support.images import FAULTY_MODEL, SCRIPTED_INPUTS, faulty_image
from tests.support.tools import need_tool
from workbench.backtrace.dump import Dump, read_dumps
from workbench.backtrace.image import Image
from workbench.backtrace.places import places
from workbench.backtrace.registers import in_words
from workbench.backtrace.unwind import Frame, unwind
from workbench.protocol.lines import numbered_line
from workbench.targets import device as device_module
from workbench.targets import open_target

pytestmark = pytest.mark.xdist_group("images")

BOARDS = ("mps2_an386", "mps2_an505")
UNDEFINED, BUS, NOWHERE, OVERFLOW = 1, 2, 3, 4  # what faulty_model.c does
CALLS = ("fail_inner", "fail_middle", "fail_outer", "run")
ENDS = ("main", "reset_start")


def line_of(text: str) -> int:
    """The line of faulty_model.c with this text."""
    lines = FAULTY_MODEL.read_text().splitlines()
    (number,) = [number for number, line in enumerate(lines, start=1) if text in line]
    return number


@lru_cache
def log(board: str, how: int) -> str:
    """What the image prints, from its boot line to the one after the fault, as a terminal may keep it."""
    need_tool("qemu-system-arm")
    image = faulty_image(board)
    build = Image(image).build
    lines = [f'{{"boot":"app","board":"b","engine":"e","build":"{build}","model":"0","input":1,"output":1}}']
    with open_target("qemu", image, board=board) as device:
        tensor = bytes([how]) + bytes(SCRIPTED_INPUTS - 1)
        for number, at in enumerate(range(0, SCRIPTED_INPUTS, 360)):
            device.send(numbered_line("tensor", number, tensor[at : at + 360]))
        deadline = time.monotonic() + 600
        while not lines[-1].startswith('{"boot":"app","board":"mps2'):
            line = device._line(deadline)
            assert line is not None, lines
            lines.append(line)
    return "".join(f"[12:00:{number % 60:02}] {line}\r\n" for number, line in enumerate(lines))


def dump_of(board: str, how: int) -> Dump:
    (dump,) = read_dumps(log(board, how).splitlines())
    return dump


def functions(image: Path, frames: list[Frame]) -> list[str | None]:
    """The innermost function of each frame and those it was inlined into."""
    return [place.function for chain in places(image, [frame.at for frame in frames]) for place in chain]


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize(
    ("how", "bit", "text"),
    [(UNDEFINED, "UNDEFINSTR", "udf #1"), (BUS, "PRECISERR", "0xA0000000")],
)
def test_a_fault_is_found_in_its_line_and_its_callers(board: str, how: int, bit: str, text: str) -> None:
    image, dump = faulty_image(board), dump_of(board, how)
    frames = unwind(dump, Image(image))
    assert not any(frame.guess for frame in frames)
    chains = places(image, [frame.at for frame in frames])
    assert [chain[0].function for chain in chains[:4]] == list(CALLS)
    assert [chain[0].line for chain in chains[:4]] == [
        line_of(text),
        line_of("inner = fail_inner(how)"),
        line_of("return fail_middle(how, bytes)"),
        line_of("fail_outer(in[0], in)"),
    ]
    assert {chain[0].file for chain in chains[:4]} == {str(FAULTY_MODEL)}
    named = functions(image, frames)
    assert [name for name in named if name in ENDS] == list(ENDS)
    assert named[-1] == "reset_start"
    reported = in_words(dump.registers)
    assert any(line.startswith(f"{bit}: ") for line in reported)
    assert ("BFARVALID: bfar has the address: 0xa0000000" in reported) == (how == BUS)


@pytest.mark.parametrize("board", BOARDS)
def test_a_jump_into_nowhere_is_found_by_lr(board: str) -> None:
    image, dump = faulty_image(board), dump_of(board, NOWHERE)
    frames = unwind(dump, Image(image))
    assert (frames[0].address, frames[0].note) == (0, "no code of this image")
    chains = places(image, [frame.at for frame in frames[1:5]])
    assert [chain[0].function for chain in chains] == list(CALLS)
    assert chains[0][0].line in (line_of("nowhere();"), line_of("nowhere();") + 1)
    assert any(line.startswith("INVSTATE: ") for line in in_words(dump.registers))


@pytest.mark.parametrize("board", BOARDS)
def test_a_stack_overflow_shows_by_guesses_who_filled_it(board: str) -> None:
    image, dump = faulty_image(board), dump_of(board, OVERFLOW)
    assert "pc" not in dump.registers
    frames = unwind(dump, Image(image))
    assert len(frames) > 5  # of 64 lines of 32 bytes, 256 bytes and more a call
    assert all(frame.guess for frame in frames)
    assert set(functions(image, frames)) == {"fall_deeper"}


def test_a_handler_leads_to_what_it_interrupted() -> None:
    """A dump made of a real one: the same fault, but as if an interrupt had come there and failed at once."""
    image, real = faulty_image("mps2_an386"), dump_of("mps2_an386", UNDEFINED)
    with image.open("rb") as file:
        (handler,) = ELFFile(file).get_section_by_name(".symtab").get_symbol_by_name("systick_handler")
    sp = real.registers["sp"] - 0x20
    registers = {
        **real.registers,
        "pc": handler["st_value"] & ~1,
        "lr": 0xFFFFFFF9,
        "sp": sp,
        "psr": 0x6100000F,
    }
    fresh = {sp + 4 * index: 0 for index in range(8)}
    frames = unwind(Dump("fault", 3, registers, {**real.stack, **fresh}, None), Image(image))
    assert frames[1].note == "interrupted here"
    assert frames[1:] == [
        Frame(frames[1].address, False, False, "interrupted here"),
        *unwind(real, Image(image))[1:],
    ]
    assert functions(image, frames)[:3] == ["systick_handler", "fail_inner", "fail_middle"]


def test_without_the_stack_guesses_are_all_there_is() -> None:
    """Registers name two functions; with a gap in the stack the rest are words that lie after a call."""
    image, real = faulty_image("mps2_an386"), dump_of("mps2_an386", UNDEFINED)
    whole = unwind(real, Image(image))
    none = unwind(Dump("fault", 6, real.registers, {}, None), Image(image))
    assert none == whole[:1]
    # The word that fail_middle returns by is lost.
    lost = next(a for a, word in real.stack.items() if word & ~1 == whole[2].address and word & 1)
    rest = {address: word for address, word in real.stack.items() if address != lost}
    frames = unwind(Dump("fault", 6, real.registers, rest, None), Image(image))
    assert frames[:2] == whole[:2]
    assert all(frame.guess for frame in frames[2:])
    assert {frame.address for frame in whole[3:]} <= {frame.address for frame in frames[2:]}


def test_garbage_in_a_dump_ends_nothing_but_the_chain() -> None:
    image, real = Image(faulty_image("mps2_an386")), dump_of("mps2_an386", UNDEFINED)
    for value in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFF9, real.registers["pc"] | 1):
        stack = dict.fromkeys(real.stack, value)
        frames = unwind(Dump("fault", 6, real.registers, stack, None), image)
        assert frames[0].address == real.registers["pc"]
        assert len(frames) <= 64 + 2
    for name in ("pc", "sp", "lr"):
        unwind(Dump("fault", 6, {**real.registers, name: 0xFFFFFFFF}, real.stack, None), image)


def test_the_command_tells_it_for_people(tmp_path: Path) -> None:
    file = tmp_path / "serial.log"
    file.write_text("garbage\n" + log("mps2_an386", BUS))
    done = earshot("backtrace", "--elf", faulty_image("mps2_an386"), file)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("fault (bus fault)\n  PRECISERR: ")
    assert re.search(r"^ +#0 0x\w{8}  fail_inner  .*faulty_model\.c:\d+$", done.stdout, re.MULTILINE)
    assert re.search(r"^ +#1 0x\w{8}  fail_middle ", done.stdout, re.MULTILINE)
    assert re.search(r"^ +main .*main\.c:\d+$", done.stdout, re.MULTILINE)
    assert "maybe" not in done.stdout
    assert f"pc {dump_of('mps2_an386', BUS).registers['pc']:08x}" in done.stdout


def test_the_command_tells_it_for_programs(tmp_path: Path) -> None:
    file = tmp_path / "serial.log"
    file.write_text(log("mps2_an386", UNDEFINED) + log("mps2_an386", NOWHERE))
    done = earshot("backtrace", "--elf", faulty_image("mps2_an386"), "--json", file)
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["faults"]
    assert first["frames"][0]["places"][0]["function"] == "fail_inner"
    assert second["frames"][1]["note"] == "by lr"
    assert first["registers"]["pc"] == f"{dump_of('mps2_an386', UNDEFINED).registers['pc']:08x}"


def test_what_cannot_be_used_is_refused(tmp_path: Path) -> None:
    image = faulty_image("mps2_an386")
    other = tmp_path / "other.log"
    other.write_text(re.sub(r'"build":"\w+"', '"build":"00ff"', log("mps2_an386", BUS)))
    reported = refused("backtrace", "--elf", image, other)
    assert "the log is of build 00ff, this is build " in reported
    assert earshot("backtrace", "--elf", image, "--any-build", other).returncode == 0
    empty = tmp_path / "empty.log"
    empty.write_text('{"error":"audio","detail":0}\n')
    assert "there is no fault line in it" in refused("backtrace", "--elf", image, empty)
    assert "No such file" in refused("backtrace", "--elf", image, tmp_path / "none.log")
    assert "no ELF file" in refused("backtrace", "--elf", empty, other)
    with pytest.raises(UserError, match="cannot be read"):
        Image(tmp_path / "none.elf")


def test_a_fault_that_meets_a_command_is_kept_for_the_backtrace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_tool("qemu-system-arm")
    kept = tmp_path / "build" / "fault.log"
    monkeypatch.setattr(device_module, "FAULT_LOG", kept)
    image = faulty_image("mps2_an386")
    with open_target("qemu", image) as device, pytest.raises(UserError, match="the image stopped") as caught:
        device.tensor(bytes([BUS]) + bytes(SCRIPTED_INPUTS - 1))
    assert f"`earshot backtrace --elf {image} {kept}` tells where" in str(caught.value)
    (dump,) = read_dumps(kept.read_text().splitlines())
    assert dump.build == Image(image).build
    assert unwind(dump, Image(image)) == unwind(dump_of("mps2_an386", BUS), Image(image))


def test_every_fault_of_a_log_is_read_and_half_lines_are_not() -> None:
    fault = '{"error":"fault","detail":3,"pc":"00000010","sp":"20000000","cfsr":"00000000"}'
    stack = '{"stack":"20000000","words":"00000001 00000002"}'
    text = [stack, fault, stack, stack[:-2], fault.replace("10", "20"), "x" + stack]
    first, second = read_dumps(text)
    assert (first.registers["pc"], first.stack) == (0x10, {0x20000000: 1, 0x20000004: 2})
    assert (second.registers["pc"], second.stack) == (0x20, first.stack)
    assert first.build is None
    assert read_dumps(['{"error":"interrupt","detail":20}']) == []


def test_the_boards_of_these_tests_are_two_cores() -> None:
    assert [load_board(name).core for name in BOARDS] == ["cortex-m4", "cortex-m33"]
