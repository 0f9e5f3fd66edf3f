# SPDX-License-Identifier: Apache-2.0
"""The bound of an image's stack: added up by hand for small programs, and above what an image really took."""

from __future__ import annotations

import dataclasses
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from codegen.board.description import load_board
from codegen.common.errors import UserError
from tests.support.clone import clone, reported, scons
from tests.support.doors import open_image
from tests.support.images import M33_BOARD, QEMU_BOARD
from tests.support.tools import need_tool
from toolbox import stack_bound as stack_bound_module
from toolbox.options import EXAMPLE
from toolbox.stack_bound import FRAME, INDIRECT, Bound, check_stack, stack_bound, unclaimed
from workbench.build import build

pytestmark = pytest.mark.xdist_group("images")

VECTORS = """
void reset_start(void); void handler(void); void fault_handler(void);
__attribute__((section(".vectors"), used)) void (*const vectors[])(void) = {
    (void (*)(void))0x20001000, reset_start, fault_handler, handler,
};
__attribute__((naked)) void fault_handler(void) { __asm("mov sp, r0; b fault_handler"); }
#define ASM(name, text) __attribute__((naked, noinline)) void name(void) { __asm(text); }
"""
HANDLER = 'ASM(handler, "push {r4, lr}; pop {r4, pc}")\n'


def link(folder: Path, code: str, core: str = "cortex-m4") -> Path:
    """An ELF of this code, with its vector table first."""
    (folder / "code.c").write_text(VECTORS + code)
    elf = folder / "code.elf"
    words = [need_tool("arm-none-eabi-gcc"), f"-mcpu={core}", "-mthumb", "-O2", "-nostdlib", "-ereset_start"]
    words += ["-Wl,--section-start=.vectors=0,--section-start=.text=0x100", str(folder / "code.c")]
    subprocess.run([*words, "-o", str(elf)], check=True)
    return elf


def test_every_function_that_is_pointed_to_is_in_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a pointer that comes new with a file cannot be left out. A number may be an address by chance, but
    not of the same function in images of two boards."""
    images = [build(board, EXAMPLE).image for board in ("mps2_an386", "nrf52840dk")]
    assert not frozenset.intersection(*map(unclaimed, images))
    monkeypatch.setattr(stack_bound_module, "INDIRECT", INDIRECT[:2])
    found = frozenset.intersection(*map(unclaimed, images))
    assert "stream_loop_64" in found


def test_pushes_and_calls_are_added_up_along_the_deepest_way(tmp_path: Path) -> None:
    """Numbers by hand: 8 + 24 at the call, 20 + 256 at its call, 8 below; the other way 32 + 40 less."""
    code = """
    ASM(leaf, "str r4, [sp, #-8]!; ldr r4, [sp], #8; bx lr")
    ASM(deep, "stmdb sp!, {r4-r7, lr}; sub.w sp, sp, #256; bl leaf; add.w sp, sp, #256;"
        "ldmia sp!, {r4-r7, pc}")
    ASM(wide, "push {r4-r11, lr}; sub sp, #4; add sp, #4; pop {r4-r11, pc}")
    ASM(tail, "push {r0-r3}; add sp, #16; b.w wide")
    ASM(early, "cbz r0, 1f; push {r4-r11, lr}; sub sp, #60; bl leaf; add sp, #60; pop {r4-r11, pc}; 1: bx lr")
    ASM(reset_start, "push {r4, lr}; sub sp, #24; cbz r0, 1f; bl deep; 1: bl tail; bl early; add sp, #24;"
        "pop {r4, pc}")
    """
    bound = stack_bound(link(tmp_path, code + HANDLER))
    assert bound == Bound(32 + 276 + 8, ("reset_start", "deep", "leaf"), 8 + FRAME, ("handler",))
    assert FRAME == 36
    assert bound.total == 316 + 44


def test_code_behind_a_jump_by_a_table_is_followed(tmp_path: Path) -> None:
    code = """
    ASM(deep, "sub sp, #400; add sp, #400; bx lr")
    ASM(reset_start, "push {r4, lr}; tbb [pc, r0]; .byte 1, 3; nop; pop {r4, pc}; bl deep; pop {r4, pc}")
    """
    assert stack_bound(link(tmp_path, code + HANDLER)).main == 8 + 400


def test_the_compilers_own_frames_are_seen(tmp_path: Path) -> None:
    code = """
    volatile int sink;
    __attribute__((noinline)) void inner(volatile char *p)
    {
        volatile char own[512];
        own[sink] = *p;
        sink = own[1];
    }
    void reset_start(void) { volatile char own[1000]; own[sink] = 1; inner(own); sink = own[2]; }
    """
    assert 1512 <= stack_bound(link(tmp_path, code + HANDLER)).main <= 1512 + 2 * 16


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            'ASM(two, "push {r4, lr}; bl reset_start; pop {r4, pc}")\n'
            'ASM(reset_start, "push {r4, lr}; bl two; pop {r4, pc}")',
            "the stack has no bound: reset_start > two > reset_start",
        ),
        (
            "volatile int n;\n"
            'void reset_start(void) { char a[n]; __asm volatile("" ::"r"(a) : "memory"); n = 1; }',
            r"the stack of reset_start\(\) has no fixed size, at 0x",
        ),
        (
            'ASM(reset_start, "push {r4, lr}; blx r3; pop {r4, pc}")',
            r"reset_start\(\) calls through a pointer, and nobody",
        ),
    ],
)
def test_what_has_no_bound_is_refused(tmp_path: Path, code: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        stack_bound(link(tmp_path, code + "\n" + HANDLER))


def test_a_pointer_leads_where_the_list_says(tmp_path: Path) -> None:
    """Of the functions whose address lies in the data; tensor_input is listed as one that calls the model."""
    code = """
    ASM(app_run, "sub sp, #96; add sp, #96; bx lr")
    ASM(app_reset, "sub sp, #992; add sp, #992; bx lr") /* nobody points to it */
    ASM(tensor_input, "push {r4, lr}; blx r3; pop {r4, pc}")
    ASM(reset_start, "b tensor_input")
    __attribute__((section(".rodata"), used)) void (*const model[])(void) = {app_run};
    """
    bound = stack_bound(link(tmp_path, code + HANDLER))
    assert (bound.main, bound.chain) == (8 + 96, ("reset_start", "tensor_input", "app_run"))


def test_every_pointer_of_the_list_has_a_reason() -> None:
    assert all(re.search(r"\w{4}", each.reason) for each in INDIRECT)


@pytest.mark.parametrize(("board", "guard"), [(QEMU_BOARD, 256), (M33_BOARD, 0)])
def test_a_stack_that_is_too_small_is_refused(tmp_path: Path, board: str, guard: int) -> None:
    elf = link(tmp_path, 'ASM(reset_start, "sub sp, #400; add sp, #400; bx lr")\n' + HANDLER)
    described = load_board(board)
    assert check_stack(elf, dataclasses.replace(described, stack=444 + guard)).total == 444
    with pytest.raises(
        UserError, match=rf"{board}/board.toml: the stack of {board} has {440 + guard} bytes.*"
    ):
        check_stack(elf, dataclasses.replace(described, stack=440 + guard))


def test_a_build_whose_stack_is_too_small_fails_with_one_message(tmp_path: Path) -> None:
    root = clone(tmp_path / "clone")
    board = root / "boards" / QEMU_BOARD / "board.toml"
    board.write_text(board.read_text().replace("stack       = 8192", "stack       = 512", 1))
    message = reported(scons(root, f"board={QEMU_BOARD}"))
    assert re.fullmatch(
        rf"{board}: the stack of {QEMU_BOARD} has 512 bytes, 256 of them its guard, and the image can take "
        r"\d{3}: \d{3} by reset_start > main > [\w. >]+, \d+ by an interrupt\n  Write stack = \d+ or more.\n",
        message,
    )
    (needed,) = re.findall(r"stack = (\d+)", message)
    board.write_text(board.read_text().replace("stack       = 512", f"stack       = {needed}", 1))
    done = scons(root, f"board={QEMU_BOARD}")
    assert done.returncode == 0, done.stderr
    assert re.search(rf"stack  at most +\d{{3}} B  of +{int(needed):,} B", done.stdout)


@pytest.mark.parametrize(("door", "board"), [("qemu", QEMU_BOARD), ("m33", M33_BOARD)])
@pytest.mark.parametrize("kernels", ["small", "fast"])
def test_an_image_never_took_more(door: str, board: str, kernels: str) -> None:
    """What startup painted and a run left alone, after sound, settings, errors and a refused line."""
    elf = build(board, EXAMPLE, kernels=kernels).image
    bound = stack_bound(elf)
    with open_image(door, elf) as device:
        noise = np.random.default_rng(1).integers(-20000, 20000, 16000).astype(np.int16)
        assert list(device.replay(noise))
        for word in ("set gate.threshold 601", "set nothing 1", "stages 1", "audio 7", "nonsense"):
            device.send(word.encode() + b"\n")
        device.command("boot")
        used = device.status()["stack"]
    assert bound.main / 2 < used <= bound.total


def test_a_constant_with_the_value_of_an_address_is_no_call(tmp_path: Path) -> None:
    """The runtime's own functions are no model's, whatever words the weights hold."""
    code = """
    ASM(app_reset, "push {r4-r7, lr}; pop {r4-r7, pc}")
    ASM(classifier_reset, "push {r4, lr}; blx r0; pop {r4, pc}")
    ASM(reset_start, "push {r4, lr}; bl classifier_reset; pop {r4, pc}")
    __attribute__((used)) void (*const model)(void) = app_reset;
    __attribute__((used)) void (*const weight)(void) = classifier_reset;
    """
    bound = stack_bound(link(tmp_path, code + HANDLER))
    assert bound.chain == ("reset_start", "classifier_reset", "app_reset")
    assert bound.main == 8 + 8 + 20
