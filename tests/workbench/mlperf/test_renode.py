# SPDX-License-Identifier: Apache-2.0
"""An image for the benchmark in Renode, which loses what comes before the image receives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from codegen.board.description import Board, load_board
from codegen.common.errors import UserError
from codegen.common.paths import BOARDS
from codegen.emit.board import renode_script
from tests.support.benchmark import SIZES, benchmark_image, stimuli
from tests.support.tools import need_tool
from workbench.mlperf.dataset import read_stimuli
from workbench.mlperf.dialogue import TIMEOUT, Dialogue
from workbench.mlperf.link import benchmark_link
from workbench.targets.link import LinkClosedError

BOARD = "nrf52840dk"
BOOT = [b"", b"m-timestamp-mode-performance\r\nm-lap-us-1\r\n", b"", b"m-init-done\r\nm-rea", b"dy\r\n"]
NAME = b"m-ready\r\nm-name-dut-[deaf]\r\nm-ready\r\n"


class Deaf:
    """Hears nothing until it has said all of its start; a second of its time passes with each look at it."""

    def __init__(self, boot: list[bytes], end: str = "") -> None:
        self.said, self.end = iter(boot), end
        self.left = len(boot)
        self.answer = b""
        self.seconds = 0.0
        self.closed = False

    def clock(self) -> float:
        """Of its own time."""
        self.seconds += 1
        return self.seconds

    def send(self, data: bytes) -> None:
        """Lost, before it has started."""
        if self.left == 0 and b"name%" in data:
            self.answer = NAME

    def receive(self, timeout: float) -> bytes:
        """The next piece of its start, or an answer."""
        if self.left:
            self.left -= 1
            return next(self.said)
        if self.end:
            raise LinkClosedError(self.end)
        answer, self.answer = self.answer, b""
        return answer

    def close(self) -> None:
        """Noted."""
        self.closed = True


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Callable[[Deaf], Deaf]:
    """Puts a stand-in in Renode's place."""

    def put(link: Deaf) -> Deaf:
        def start(board: Board, image: Path) -> Deaf:
            return link

        monkeypatch.setattr("workbench.mlperf.link.renode_link", start)
        return link

    return put


def test_an_image_that_hears_nothing_while_it_starts_is_waited_for(started: Callable[[Deaf], Deaf]) -> None:
    link = started(Deaf(BOOT))
    found = benchmark_link("renode", load_board(BOARD), Path("firmware.elf"))
    assert Dialogue(found, "renode", timeout=1.0).name == "renode"
    assert not link.closed


def test_an_image_that_never_starts_is_given_up_and_ended(started: Callable[[Deaf], Deaf]) -> None:
    link = started(Deaf([b"m-timestamp-mode-performance\r\n"]))
    with pytest.raises(UserError, match="did not say `m-ready` at its start within 60 seconds"):
        benchmark_link("renode", load_board(BOARD), Path("firmware.elf"))
    assert link.closed
    assert link.seconds > TIMEOUT


def test_a_renode_that_ends_meanwhile_is_one_message(started: Callable[[Deaf], Deaf]) -> None:
    link = started(Deaf(BOOT[:2], end="renode ended: no mono here"))
    with pytest.raises(UserError, match="no mono here"):
        benchmark_link("renode", load_board(BOARD), Path("firmware.elf"))
    assert link.closed


@pytest.mark.parametrize("board", ["nrf52840dk", "xg24"])
def test_real_renode_finds_what_this_computer_finds(board: str, tmp_path: Path) -> None:
    """The receivers of these boards are off until their image has turned them on."""
    need_tool("renode")
    copy = tmp_path / "firmware.elf"
    copy.write_bytes(benchmark_image("kws", board)[0].read_bytes())
    described = load_board(board)
    assert described.renode is not None
    (tmp_path / "renode.resc").write_text(renode_script(described))
    for beside in described.renode.files:
        (tmp_path / Path(beside).name).write_bytes((BOARDS / beside).read_bytes())
    inputs = [data for one in read_stimuli(stimuli(tmp_path / "stimuli", "kws", 4)) for data in one.inputs()]
    found = []
    for target, name, file in (("pc", "pc", benchmark_image("kws")[0]), ("renode", board, copy)):
        link = benchmark_link(target, load_board(name), file)
        try:
            dialogue = Dialogue(link, target)
            assert dialogue.identify().name == name
            results = []
            for data in inputs:
                dialogue.load(data)
                results.append(dialogue.infer().results)
        finally:
            link.close()
        found.append(results)
    assert len(found[0]) == 4
    assert len(found[0][0]) == SIZES["kws"][1]
    assert found[0] == found[1]
