"""earshot demo: what a newcomer sees first."""

from __future__ import annotations

import re

from codegen.graph import Quantization
from tests.support.cli import earshot
from tests.support.tools import need_tool
from workbench.commands.demo import Heard, events, sentence
from workbench.lines import Decision


def decision(sequence: int, label: str, score: int) -> Decision:
    """Of a 15-window cascade whose newest window is `sequence`."""
    return Decision(0, 1, 400 * (sequence - 14), 6000, label, score, sequence)


def test_decisions_in_a_row_for_one_label_are_one_event() -> None:
    heard = events(
        [
            decision(40, "knock", 90),
            decision(41, "knock", 120),
            decision(42, "click", 80),
            decision(43, "click", 70),
            decision(60, "click", 75),  # the gate was shut in between
        ],
        16000,
    )
    assert list(heard) == [
        Heard(41 * 400 / 16000, "knock", 120, 2),  # window 40 ends after 41 windows of 25 ms
        Heard(43 * 400 / 16000, "click", 80, 2),
        Heard(61 * 400 / 16000, "click", 75, 1),
    ]


def test_a_share_is_what_the_score_means() -> None:
    softmax = Quantization((1 / 256,), (-128,))
    assert sentence(Heard(1.5, "knock", 72, 3), softmax).split() == ["1.50", "s", "knock", "78.1%", "3"]


def test_the_demo_hears_something_in_the_emulator() -> None:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    done = earshot("demo")
    assert done.returncode == 0, done.stderr
    assert re.search(r"The image takes [\d,]+ bytes of flash", done.stdout)
    assert re.search(r"GNU build id [0-9a-f]{40}\.", done.stdout)
    lines = re.findall(r"^ +[\d.]+ s   [\w ]+ +[\d.]+% +\d+$", done.stdout, re.MULTILINE)
    assert len(lines) >= 4, done.stdout
