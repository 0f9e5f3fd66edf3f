# SPDX-License-Identifier: Apache-2.0
"""No line of an app is longer than the buffer the generator gives it."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Iterable

import pytest

from codegen.app.spec import Cascade, Classifier, Mfcc, Spec
from codegen.board.description import board_names
from codegen.common import protocol
from codegen.compile import Compiled
from codegen.emit.line_size import (
    BOARD_NAME_MAX,
    ERROR_MAX,
    line_size,
    longest_lines,
)
from codegen.model.graph import Graph, Tensor
from tests.support.apps import App, without_layers
from tests.support.doors import open_hashing, open_scripted
from tests.support.images import HASHING, bursts
from workbench.protocol.lines import Error, parse_line

pytestmark = pytest.mark.xdist_group("images")


def bare(outputs: int) -> Compiled:
    """A bare model."""
    tensors = (Tensor(0, "in", (1, 4), "int8"), Tensor(1, "out", (1, outputs), "int8"))
    graph = Graph("model", "0" * 64, tensors, (), (0,), (1,))
    spec = App().spec
    return without_layers(Spec("app", spec.file, Classifier(spec.classifier.model), None), graph)


def test_the_input_stage_of_the_tutorial_decides() -> None:
    # {"stage":"input","sequence":4294967295,"values":[-128,...]} with 300 values, and the newline
    head, tail = '{"stage":"input","sequence":4294967295,"values":[', "]}"
    assert line_size(App().compiled) == len(head) + 300 * 5 - 1 + len(tail) + 1


def test_a_wide_frame_of_cepstra_may_decide() -> None:
    app = dataclasses.replace(App(), mfcc=Mfcc(cepstra=23), cascade=Cascade(frames=1))
    status = max(len(line) for line in longest_lines(app.compiled) if line.startswith('{"status"'))
    assert line_size(app.compiled) == status + 1


def test_many_long_labels_make_status_and_boot_long() -> None:
    labels = tuple(f"label {index} {'x' * 40}" for index in range(100))
    app = dataclasses.replace(App(), labels=labels)
    size = line_size(app.compiled)
    assert size > sum(len(f'"decision.threshold.{label}":-2147483648,') for label in labels)


def test_a_bare_model_needs_its_tensor_line_alone() -> None:
    small, large = line_size(bare(1)), line_size(bare(100_000))
    assert small <= large
    assert large > protocol.TENSOR_CHUNK // 3 * 4


def test_every_line_is_json_that_the_host_understands() -> None:
    for line in [*longest_lines(HASHING.compiled), *longest_lines(bare(700))]:
        if line.startswith('{"tensor"'):
            continue  # a made-up checksum
        assert parse_line(line) is not None, line


def test_the_image_prints_the_kinds_of_line_that_were_measured() -> None:
    """Key by key, in their order."""
    with open_hashing("pc") as device:
        device.command("stages on")
        reported = list(device.replay(bursts(30)))
        device.send(b"boot\nstatus\nset gate.delay 0\nset gate.delay x\nreplay\n")
        answers = [device._line(time.monotonic() + 300) for _ in range(5)]
        reported += [line for line in answers if line is not None]

    def keys(lines: Iterable[str]) -> set[tuple[str, ...]]:
        return {tuple(json.loads(line)) for line in lines}

    others = ("tensor", "cycles")  # which this image is not asked for, and which this computer has not
    measured = {kind for kind in keys(longest_lines(HASHING.compiled)) if kind[0] not in others}
    assert keys(reported) == measured


def test_no_board_has_a_longer_name() -> None:
    assert max(map(len, board_names())) <= BOARD_NAME_MAX


def test_words_of_errors_keep_to_their_bounds() -> None:
    for error in protocol.ERRORS:
        worst = {
            protocol.Subject.NONE: error.words,
            protocol.Subject.RECEIVED: f"{error.words} " + "x" * 2 * protocol.SUBJECT_MAX,
            protocol.Subject.TRANSFER: f"tensor {error.words}",
            protocol.Subject.TENSOR: f"tensor {error.words}",
        }
        assert len(worst[error.subject]) <= ERROR_MAX, error
        assert len(error.reason) <= protocol.REASON_MAX
    assert max(len(word.usage) for word in protocol.WORDS) <= protocol.REASON_MAX


@pytest.mark.parametrize("key", ['"' * 80, "\\" * 400, "\x01" * 300, 'gate."' + "\\" * 200])
def test_the_worst_errors_still_come(key: str) -> None:
    """Lines that do not fit the buffer are dropped: these are not."""
    with open_scripted("pc") as bare_device, open_hashing("pc") as device:
        answer = device.command(f"set {key} -2147483647")
        assert isinstance(answer, Error)
        assert answer.what.startswith("set ")
        assert isinstance(bare_device.command(key), Error)
        assert device.status()["dropped"] == 0
        assert bare_device.status()["dropped"] == 0


def test_no_line_of_a_sound_with_every_stage_is_too_long() -> None:
    with open_hashing("pc") as device:
        device.command("stages on")
        lines = list(device.replay(bursts(60)))
        assert max(map(len, lines)) < line_size(HASHING.compiled)
        assert device.status()["dropped"] == 0
