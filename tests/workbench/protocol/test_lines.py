# SPDX-License-Identifier: Apache-2.0
"""What the host makes of lines: the good ones, and anything else a wire can bring."""

from __future__ import annotations

import base64
import itertools
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.protocol.lines import (
    LONGEST,
    Ack,
    Boot,
    Decision,
    Error,
    Lines,
    Setting,
    Stack,
    Stage,
    Status,
    TensorPart,
    numbered_line,
    parse_line,
)

DECISION = (
    '{"ModelNumber":0,"Classification":2,"SegmentStart":0,"SegmentLength":6000,"Label":"knocking","Score":77,'
    '"Sequence":14}'
)
BOOT = (
    '{"boot":"smart_lock","board":"pc","engine":"aot","build":"00","model":"11","input":300,"output":4,'
    '"contract":"22","rate":16000,"frames":15,"labels":["a","b"]}'
)
GOOD = {
    DECISION: Decision(0, 2, 0, 6000, "knocking", 77, 14),
    BOOT: Boot("smart_lock", "pc", "aot", "00", "11", 300, 4, "22", 16000, 15, ("a", "b")),
    '{"boot":"m","board":"pc","engine":"aot","build":"","model":"1","input":3,"output":4}': Boot(
        "m", "pc", "aot", "", "1", 3, 4
    ),
    '{"status":12,"live":true,"stages":false,"dropped":3,"gate.threshold":600}': Status(
        12, True, False, {"dropped": 3, "gate.threshold": 600}
    ),
    '{"error":"fault","detail":3,"pc":"0000a2b4"}': Error("fault", 3, {"pc": "0000a2b4"}),
    '{"error":"fault","detail":3,"code":64,"pc":"0000a2b4"}': Error("fault", 3, {"pc": "0000a2b4"}, 64),
    '{"set":"gate.threshold","value":-7}': Setting("gate.threshold", -7),
    '{"ack":5,"room":1440}': Ack(5, 1440),
    '{"stage":"cepstra","sequence":12,"values":[1,-2]}': Stage("cepstra", 12, (1, -2)),
    f'{{"tensor":0,"data":"QUJD","crc":"{zlib.crc32(b"tensor 0 QUJD"):08x}"}}': TensorPart(0, b"ABC"),
    '{"stack":"20001f60","words":"00000000 80001711"}': Stack(0x20001F60, (0, 0x80001711)),
}


@pytest.mark.parametrize("text", GOOD)
def test_each_kind_is_recognised_by_its_first_key(text: str) -> None:
    assert parse_line(text) == GOOD[text]


@pytest.mark.parametrize("text", GOOD)
def test_a_half_line_is_nothing(text: str) -> None:
    for cut in range(len(text)):
        assert parse_line(text[:cut]) is None
        assert parse_line(text[cut + 1 :]) is None
        assert parse_line(text[: cut + 1] + text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"x":1}',
        '{"ack":1}',
        '{"ack":true,"room":1}',
        '{"ack":1.0,"room":1}',
        '{"ack":"1","room":1}',
        '{"room":1,"ack":1}',
        '{"set":5,"value":1}',
        '{"status":1,"live":1,"stages":false}',
        '{"stage":"cepstra","sequence":1,"values":7}',
        '{"stage":"cepstra","sequence":1,"values":["1"]}',
        '{"tensor":0,"data":"QUJD","crc":"00000000"}',
        '{"tensor":0,"data":"QUJD","crc":"xyz"}',
        '{"tensor":0,"data":"é","crc":"00000000"}',
        '{"boot":"m","labels":[1]}',
        '{"stack":"20001f60","words":""}',
        '{"stack":"20001F60","words":"00000000"}',
        '{"stack":"20001f60","words":"0000000"}',
        '{"stack":"20001f60","words":"00000000  00000001"}',
        '{"stack":"20001f60","words":"' + " ".join(["00000000"] * 9) + '"}',
        '{"ack":' + "9" * 5000 + ',"room":1}',
        '{"ack":' * 100_000,
        '{"stage":' + "[" * 100_000,
    ],
)
def test_other_objects_are_nothing(text: str) -> None:
    assert parse_line(text) is None


@given(
    st.text(max_size=80)
    | st.builds(json.dumps, st.dictionaries(st.sampled_from(["ack", "set", "boot"]), st.none()))
)
def test_nothing_raises(text: str) -> None:
    parse_line(text)


@given(st.lists(st.binary(max_size=20)), st.lists(st.integers(0, 200)))
def test_bytes_in_any_pieces_are_the_same_lines(lines: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(line.replace(b"\n", b"") + b"\n" for line in lines) + b"rest"
    edges = sorted({0, len(stream), *(cut % len(stream) for cut in cuts)})
    splitter = Lines()
    got = [line for a, b in itertools.pairwise(edges) for line in splitter.take(stream[a:b])]
    plain = [line.replace(b"\r", b"") for line in stream.split(b"\n")[:-1]]
    assert got == [line.decode("ascii", "replace") for line in plain]
    assert splitter.take(b"\n") == ["rest"]


def test_a_line_without_end_is_not_kept() -> None:
    splitter = Lines()
    for _ in range(LONGEST // 1000 + 2):
        assert splitter.take(b"x" * 1000) == []
    assert len(splitter.take(b"\nack\n")[0]) < LONGEST


@given(st.sampled_from(["audio", "tensor"]), st.integers(0, (1 << 32) - 1), st.binary(max_size=360))
def test_numbered_lines_are_as_described(word: str, number: int, payload: bytes) -> None:
    text, _, crc = numbered_line(word, number, payload).decode().rstrip("\n").rpartition(" ")
    assert text.split(" ") == [word, str(number), base64.b64encode(payload).decode()]
    assert crc == f"{zlib.crc32(text.encode()):08x}"


def test_a_boot_line_behind_a_line_that_was_cut_off_is_a_line() -> None:
    """A reset cuts off what nobody reads, and its line end with it."""
    boot = next(text for text in GOOD if text.startswith('{"boot"'))
    decision = next(text for text in GOOD if text.startswith('{"ModelNumber"'))
    for cut in range(1, len(decision)):
        assert Lines().take(f"{decision[:cut]}{boot}\n".encode()) == [decision[:cut], boot]
    assert Lines().take(f"{boot}\n{boot}\n".encode()) == [boot, boot]
    assert Lines().take(b"\n") == [""]
