# SPDX-License-Identifier: Apache-2.0
"""docs/protocol.md, the C and the host against the one table of the protocol."""

from __future__ import annotations

import base64
import dataclasses
import json
import re

from codegen.common import protocol
from codegen.common.paths import ROOT
from codegen.emit.protocol import protocol_sources
from tests.support.compile import FIRMWARE
from workbench.house.protocol_page import tables
from workbench.profiling.tables import with_tables
from workbench.protocol.lines import Error, numbered_line, parse_line

HEADER = protocol_sources()["protocol_table.h"]
DEVICE = [
    file
    for file in sorted((FIRMWARE / "device").rglob("*.c"))
    if file.name not in ("base64.c", "json.c")  # texts of JSON itself
]
PAGE = (ROOT / "docs" / "protocol.md").read_text()


def blocks(kind: str) -> list[str]:
    """Lines of the page's ```kind blocks."""
    found = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return "".join(found).splitlines()


def test_lines_out_are_lines_the_host_understands() -> None:
    kinds = {type(parse_line(line)).__name__ for line in blocks("out")}
    assert kinds == {
        *("Boot", "Decision", "Stage", "Status", "Error", "Ack", "Setting", "TensorPart", "Stack", "Fault"),
        "Cycles",
        "Samples",
        "ClassifierLine",
    }


def test_lines_out_have_no_spaces_but_in_their_texts() -> None:
    for line in blocks("out"):
        assert line == json.dumps(json.loads(line), separators=(",", ":"))


def test_lines_in_have_the_right_checksum() -> None:
    for line in blocks("in"):
        word, number, data, _ = line.split(" ")
        assert numbered_line(word, int(number), base64.b64decode(data)) == line.encode() + b"\n"


def test_its_tables_are_the_protocols() -> None:
    assert with_tables(PAGE, tables()) == PAGE, "renew them: ./earshot check --fix"


def test_its_lines_out_have_the_keys_of_the_table_in_their_order() -> None:
    for line in blocks("out"):
        values = json.loads(line)
        line_format = next(one for one in protocol.LINES if one.first == next(iter(values)))
        listed = [key.key for key in line_format.keys]
        found = [key for key in values if key in listed]
        assert found == [key for key in listed if key in found], line
        assert line_format.more or len(found) == len(values), line


def test_its_errors_are_reported_with_their_number() -> None:
    for line in blocks("out"):
        error = parse_line(line)
        if isinstance(error, Error):
            assert error.code is not None
            assert error.entry == dataclasses.replace(error, code=None).entry, line


def c_text() -> str:
    """The handwritten C that speaks on the serial line."""
    folders = (FIRMWARE / room for room in ("device", "port", "tflm"))
    return "\n".join(file.read_text() for folder in folders for file in sorted(folder.rglob("*.[ch]")))


def test_the_c_has_words_keys_and_lengths_from_the_table_alone() -> None:
    """A literal of its own would be a second place."""
    words = {word.word for word in protocol.EVERY_WORD} | set(protocol.keys()) | set(protocol.STAGES)
    words |= {error.words for error in protocol.ERRORS}
    literals = {literal for file in DEVICE for literal in re.findall(r'"([^"\n]*)"', file.read_text())}
    assert not words & literals


def test_every_entry_of_the_table_is_used_by_the_c() -> None:
    """One that nobody sends, or understands, is left over."""
    text = c_text()
    for name in re.findall(r"^extern const protocol_error_t (\w+);", HEADER, re.MULTILINE):
        assert f"&{name}" in text, name
    for macro in re.findall(r"^#define ((?:KEY|WORD|USAGE|STAGE|RESET|PROTOCOL)_\w+) ", HEADER, re.MULTILINE):
        assert re.search(rf"\b{macro}\b", text), macro


def test_codes_are_reported_once_and_say_what_follows() -> None:
    codes = [error.code for error in protocol.ERRORS]
    assert codes == sorted(set(codes))
    assert 0 < codes[0] < codes[-1] < 256  # a byte in C
    assert len({error.name for error in protocol.ERRORS}) == len(codes)


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
