# SPDX-License-Identifier: Apache-2.0
"""The one way to an image, whatever runs it: this computer, an emulator, a board on a serial port."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from codegen.board.description import Board, load_board
from codegen.board.stand_in import able, qemu_board
from codegen.common.errors import UserError
from toolbox.test_log import BOARD, note
from workbench.progress import remark, waiting
from workbench.targets.device import TIMEOUT, Device
from workbench.targets.own_time import Clock
from workbench.targets.pc import pc_link
from workbench.targets.qemu import Microphone, QemuOptions, qemu_link
from workbench.targets.renode import RenodeOptions, renode_link
from workbench.targets.serial_port import BAUD, SerialLink, is_hardware

if TYPE_CHECKING:
    from codegen.compile import App

__all__ = [
    "BAUD",
    "Device",
    "Microphone",
    "QemuOptions",
    "RenodeOptions",
    "open_app",
    "open_target",
    "target_board",
]

PC, QEMU, RENODE = "pc", "qemu", "renode"
EMULATED_BOARD = "mps2_an386"  # where no board is named


def target_board(target: str, board: str | None = None) -> Board | None:
    """The board whose image runs on a target: for qemu the named one or its stand-in, for renode the named.

    None: a serial port, where the image is already. UserError where they do not go together.
    """
    if target == PC:
        if board not in (None, PC):
            raise UserError(
                f'the target pc runs the image of the board pc, not of "{board}"',
                remedy="Leave --board out, or use --target qemu.",
            )
        return load_board(PC)
    if target == QEMU:
        return qemu_board(load_board(board or EMULATED_BOARD))
    if target == RENODE:
        named = load_board(board or EMULATED_BOARD)
        if named.renode is None:
            raise UserError(
                f'Renode has no machine for the board "{named.name}"',
                remedy=f"Boards that Renode runs: {able(lambda board: board.renode is not None)}.",
            )
        return named
    return None


def open_target(
    target: str,
    image: Path | None = None,
    *,
    board: str | None = None,
    qemu: QemuOptions | None = None,
    renode: RenodeOptions | None = None,
    baud: int = BAUD,
    timeout: float = TIMEOUT,
    clock: Clock | None = None,
) -> Device:
    """Opens "pc", "qemu", "renode" or a serial port (a device or a pyserial URL).

    image: for pc the program, for an emulator the ELF of the board (default mps2_an386); a port has its own.
    timeout: seconds without a word until the image is given up; in Renode they are emulated ones.
    clock: of the image behind a port, where it has a time of its own.
    UserError where something is missing or silent.
    """
    runs = target_board(target, board)
    if runs is None:
        with waiting(f"waiting for the image at {target}"):
            device = Device(SerialLink(target, baud), target, timeout, running=True, clock=clock)
        if is_hardware(target):
            note(device.boot.board, BOARD)
        return device
    if image is None:
        raise UserError(f"the target {target} needs an image")
    if not image.exists():
        raise UserError("there is no such image", file=image)
    note(runs.name, target)
    if runs.name == PC:
        return Device(pc_link(image), str(image), timeout)
    with waiting(f"starting the emulator {target} with {runs.name}"):
        if target == RENODE:
            link = renode_link(runs, image, renode)
            return Device(link, str(image), timeout, clock=link.clock)
        return Device(qemu_link(runs, image, qemu or QemuOptions()), str(image), timeout)


def open_app(
    app: Path | App,
    target: str,
    *,
    board: str | None = None,
    engine: str | None = None,
    build_dir: Path | None = None,
    qemu: QemuOptions | None = None,
    renode: RenodeOptions | None = None,
    baud: int = BAUD,
    timeout: float = TIMEOUT,
) -> Device:
    """open_target with the image of this app: built, and found to be of the same model and features.

    engine: "aot" or "tflm" in place of the app's own.
    UserError also where the build fails or a board runs something else.
    """
    from codegen.compile import load_app
    from workbench.build import build

    runs = target_board(target, board)
    chosen = "aot" if runs is not None and runs.hosted else engine
    app = load_app(app, chosen)
    image = build(runs.name, app.spec, build_dir, engine=engine).image if runs is not None else None
    device = open_target(target, image, board=board, qemu=qemu, renode=renode, baud=baud, timeout=timeout)
    try:
        _check_same(device, app)
    except BaseException:
        device.close()
        raise
    return device


def _check_same(device: Device, app: App) -> None:
    from codegen.app.contract import feature_contract
    from codegen.app.fit import remarks
    from codegen.passes.app_ends import computed_graph

    spec, graph = app.spec, app.graph
    for text in remarks(spec, computed_graph(spec, graph)):
        remark(text, once=True)
    model = app.model_hash
    contract = feature_contract(spec) if spec.pipeline is not None else None
    for what, theirs, ours in (
        ("model", device.boot.model, model),
        ("feature contract", device.boot.contract, contract),
    ):
        if theirs != ours:
            raise UserError(
                f'it runs "{device.boot.name}" with {what} {theirs}, the app has {ours}',
                file=device.name,
                remedy="Build and flash the app's image first.",
            )
