"""docs/protocol.md against the C and the host: its lines are real, its tables complete."""

from __future__ import annotations

import base64
import json
import re

from codegen.common.paths import ROOT
from tests.support.compile import FIRMWARE
from workbench.protocol.lines import numbered_line, parse_line

PAGE = (ROOT / "docs" / "protocol.md").read_text()


def blocks(kind: str) -> list[str]:
    """Lines of the page's ```kind blocks."""
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return "".join(found).splitlines()


def literals(file: str, *calls: str) -> set[str]:
    """String literals in the calls of these functions."""
    text = (FIRMWARE / "device" / file).read_text()
    found = re.findall(rf"(?:{'|'.join(calls)})\((.*?)\);", text, re.DOTALL)
    return {literal for call in found for literal in re.findall(r'"([^"]*)"', call)}


def test_lines_out_are_lines_the_host_understands() -> None:
    kinds = {type(parse_line(line)).__name__ for line in blocks("out")}
    assert kinds == {
        *("Boot", "Decision", "Stage", "Status", "Error", "Ack", "Setting", "TensorPart", "Stack", "Fault"),
    }


def test_lines_out_have_no_spaces_but_in_their_texts() -> None:
    for line in blocks("out"):
        assert line == json.dumps(json.loads(line), separators=(",", ":"))


def test_lines_in_have_the_right_checksum() -> None:
    for line in blocks("in"):
        word, number, data, _ = line.split(" ")
        assert numbered_line(word, int(number), base64.b64decode(data)) == line.encode() + b"\n"


def test_every_error_of_the_device_is_on_the_page() -> None:
    told = set().union(
        *(
            literals(file, "protocol_error", "protocol_fault", "transfer_refuse")
            for file in ("main.c", "replay.c", "transfer.c", "tensor.c", "listen.c")
        )
    )
    assert {"unknown", "checksum", "order", "size", "model", "no pipeline"} <= told
    for text in told:
        for word in re.findall(r"[a-z]+", text):
            assert re.search(rf"\b{word}\b", PAGE), text


def test_every_counter_of_the_device_is_on_the_page() -> None:
    keys = literals("status.c", "json_number", "json_count", "json_flag")
    listed = re.search(r"keys\[\] = \{(.*?)\};", (FIRMWARE / "device" / "status.c").read_text(), re.DOTALL)
    assert listed
    keys |= set(re.findall(r'"(\w+)"', listed[1]))
    assert len(keys) > 8
    for key in keys:
        assert f"`{key}`" in PAGE, key


def test_every_word_the_device_understands_is_on_the_page() -> None:
    text = (FIRMWARE / "device" / "command.c").read_text()
    words = set(re.findall(r'\{"(\w+)", COMMAND_', text)) | set(re.findall(r'span_is\(word, "(\w+)"\)', text))
    assert len(words) == 9
    for word in words:
        assert re.search(rf"^\| `{word}\b", PAGE, re.MULTILINE), word


def test_every_setting_of_the_device_is_on_the_page() -> None:
    keys = literals("settings.c", "is", "json_number") | {"decision.threshold", "decision.threshold.LABEL"}
    assert len(keys) >= 6
    for key in keys:
        assert re.search(rf"^\| .*`{re.escape(key)}`.* \|", PAGE, re.MULTILINE), key


def test_a_decision_with_a_long_label_keeps_its_promise() -> None:
    most = {
        "ModelNumber": 0,
        "Classification": 255,
        "SegmentStart": 1 << 40,
        "SegmentLength": 1 << 17,
        "Label": "x" * 60,
        "Score": -128,
        "Sequence": (1 << 32) - 1,
    }
    assert len(json.dumps(most, separators=(",", ":"))) + 1 <= 200
