# SPDX-License-Identifier: Apache-2.0
"""The C that takes lines apart and puts them together, against Python's own base64, zlib and json."""

from __future__ import annotations

import base64
import binascii
import ctypes
import json
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codegen.common import protocol
from codegen.common.protocol import LINE_MAX, PAYLOAD_MAX
from tests.support.compile import FIRMWARE, SUPPORT, compile_shared, load, protocol_table

NONE, STATUS, BOOT, SET, STAGES, CYCLES, REPLAY, LIVE, RESET, AUDIO, TENSOR, UNKNOWN, USAGE = range(13)
GOOD, FORM, CHECKSUM, TEXT = None, "form", "checksum", "payload"
MORE, LINE, TOO_LONG = range(3)


class Fault(ctypes.Structure):
    """protocol_error_t."""

    _fields_ = (("words", ctypes.c_char_p), ("code", ctypes.c_uint8), ("reason", ctypes.c_uint8))


class Command(ctypes.Structure):
    """command_t."""

    _fields_ = (
        ("kind", ctypes.c_int),
        ("key", ctypes.POINTER(ctypes.c_char)),
        ("key_length", ctypes.c_size_t),
        ("value", ctypes.c_int32),
        ("number", ctypes.c_uint32),
        ("payload", ctypes.POINTER(ctypes.c_char)),
        ("payload_size", ctypes.c_size_t),
        ("_fault", ctypes.POINTER(Fault)),
        ("usage", ctypes.c_char_p),
    )

    @property
    def fault(self) -> str | None:
        """The name of the error in the table, None for none."""
        return protocol.BY_CODE[self._fault.contents.code].name if self._fault else None


class Reader(ctypes.Structure):
    """reader_t."""

    _fields_ = (
        ("text", ctypes.c_char * LINE_MAX),
        ("used", ctypes.c_size_t),
        ("ended", ctypes.c_bool),
        ("skipping", ctypes.c_bool),
    )


class Json(ctypes.Structure):
    """json_t."""

    _fields_ = (
        ("text", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("used", ctypes.c_size_t),
        ("full", ctypes.c_bool),
        ("comma", ctypes.c_bool),
    )


@pytest.fixture(scope="module")
def c(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """base64.c, json.c, reader.c, command.c and crc32.h."""
    folder = tmp_path_factory.mktemp("text")
    names = ("base64", "json", "reader", "command")
    sources = [*(FIRMWARE / "device" / f"{name}.c" for name in names), SUPPORT / "crc32.c"]
    sources.append(protocol_table(folder))
    flags = ("-fsanitize=undefined", "-fno-sanitize-recover=all")
    library = load(compile_shared(folder, sources, includes=[folder], flags=flags, name="text"))
    library.crc32_of.restype = ctypes.c_uint32
    library.base64_encode.restype = ctypes.c_size_t
    library.base64_decode.restype = ctypes.c_bool
    library.json_end.restype = ctypes.c_size_t
    return library


def parse(c: ctypes.CDLL, line: bytes) -> tuple[Command, bytes, bytes]:
    """The command of a line; its key and its payload."""
    # In the middle of a page of its own kind: what reaches beyond it would show.
    memory = ctypes.create_string_buffer(b"\xa5" * 64 + line + b"\xa5" * 64, len(line) + 128)
    command = Command()
    c.command_parse(ctypes.byref(memory, 64), ctypes.c_size_t(len(line)), ctypes.byref(command))
    assert memory.raw[:64] == b"\xa5" * 64
    assert memory.raw[64 + len(line) :] == b"\xa5" * 64
    key = command.key[: command.key_length] if command.key_length else b""
    payload = command.payload[: command.payload_size] if command.payload_size else b""
    return command, bytes(key), bytes(payload)


def numbered(word: str, number: int, payload: bytes) -> bytes:
    """A line as docs/protocol.md describes it."""
    text = f"{word} {number} {base64.b64encode(payload).decode()}"
    return f"{text} {zlib.crc32(text.encode()):08x}".encode()


@given(st.binary(max_size=700), st.integers(0, 700))
def test_crc32_is_zlibs_in_one_piece_or_two(c: ctypes.CDLL, data: bytes, cut: int) -> None:
    first = c.crc32_of(0, data[:cut], ctypes.c_size_t(len(data[:cut])))
    assert c.crc32_of(first, data[cut:], ctypes.c_size_t(len(data[cut:]))) == zlib.crc32(data)


@given(st.binary(max_size=500))
def test_base64_goes_there_and_back(c: ctypes.CDLL, data: bytes) -> None:
    text = ctypes.create_string_buffer(b"\xa5" * 700, 700)
    length = c.base64_encode(data, ctypes.c_size_t(len(data)), text)
    assert text.raw[:length] == base64.b64encode(data)
    assert text.raw[length:] == b"\xa5" * (700 - length)
    size = ctypes.c_size_t()
    assert c.base64_decode(text, ctypes.c_size_t(length), text, ctypes.byref(size))  # in place
    assert text.raw[: size.value] == data


def strictly_decoded(text: bytes) -> bytes | None:
    """RFC 4648 with nothing forgiven: what does not encode to itself is refused."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return data if base64.b64encode(data) == text else None


@given(st.binary(max_size=40) | st.text("ABwxyz01+/=", max_size=24).map(str.encode))
@example(b"QUI=")
@example(b"QUJ=")  # bits in the padding
@example(b"QQ==")
@example(b"QR==")
@example(b"Q===")
@example(b"QQ==QQ==")
@example(b"QUJD\n")
@example(b"QU-_")
def test_base64_refuses_what_is_not_canonical(c: ctypes.CDLL, text: bytes) -> None:
    out, size = ctypes.create_string_buffer(64), ctypes.c_size_t()
    good = c.base64_decode(text, ctypes.c_size_t(len(text)), out, ctypes.byref(size))
    expected = strictly_decoded(text)
    assert good == (expected is not None)
    if expected is not None:
        assert out.raw[: size.value] == expected


@given(
    st.lists(st.tuples(st.text("abc.", min_size=1), st.integers(-(1 << 63), (1 << 63) - 1))),
    st.lists(st.integers(-(1 << 31), (1 << 31) - 1)),
    st.lists(st.binary(max_size=9)),
    st.integers(0, 400),
)
@example([("a", -(1 << 63)), ("b", 1 << 32), ("c", (1 << 32) - 1), ("d", 0)], [], [], 400)
def test_json_is_pythons_or_nothing(
    c: ctypes.CDLL, members: list[tuple[str, int]], numbers: list[int], texts: list[bytes], room: int
) -> None:
    memory = ctypes.create_string_buffer(b"\xa5" * (room + 32), room + 32)
    line = Json()
    c.json_begin(ctypes.byref(line), memory, ctypes.c_size_t(room))
    for key, number in members:
        c.json_number(ctypes.byref(line), key.encode(), ctypes.c_int64(number))
    c.json_list(ctypes.byref(line), b"numbers")
    for number in numbers:
        c.json_list_number(ctypes.byref(line), number)
    c.json_list_end(ctypes.byref(line))
    c.json_list(ctypes.byref(line), b"texts")
    for text in texts:
        c.json_list_string(ctypes.byref(line), text.replace(b"\0", b"\1"))
    c.json_list_end(ctypes.byref(line))
    c.json_print(ctypes.byref(line), b',"flag":%s', b"true")
    used = c.json_end(ctypes.byref(line))

    def shown(text: bytes) -> str:
        return "".join(chr(byte) if 32 <= byte < 127 else "?" for byte in text)

    parts = [f"{json.dumps(key)}:{number}" for key, number in members]
    parts.append(f'"numbers":{json.dumps(numbers, separators=(",", ":"))}')
    parts.append(f'"texts":{json.dumps([shown(text) for text in texts], separators=(",", ":"))}')
    expected = ("{" + ",".join([*parts, '"flag":true']) + "}\n").encode()
    assert memory.raw[room:] == b"\xa5" * 32
    assert used == (len(expected) if len(expected) <= room else 0)
    if used:
        assert memory.raw[:used] == expected


@given(st.lists(st.binary(max_size=600), max_size=6), st.binary(max_size=20))
@example([b"x" * LINE_MAX, b"x" * (LINE_MAX + 1), b"x" * 513, b"", b"\r", b"a\rb", b"c\r"], b"half")
def test_reader_keeps_whole_lines_and_tells_long_ones_once(
    c: ctypes.CDLL, lines: list[bytes], rest: bytes
) -> None:
    stream = b"".join(line + b"\n" for line in lines) + rest.replace(b"\n", b"").replace(b"\r", b"")
    reader, reported = Reader(), []
    for byte in stream:
        event = c.reader_take(ctypes.byref(reader), ctypes.c_uint8(byte))
        if event == LINE:
            reported.append(ctypes.string_at(ctypes.byref(reader), reader.used))
        elif event == TOO_LONG:
            reported.append(b"too long")
    sent = stream.replace(b"\r", b"\n").split(b"\n")[:-1]
    assert reported == [line if len(line) <= LINE_MAX else b"too long" for line in sent]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b"", NONE),
        (b"status", STATUS),
        (b"boot", BOOT),
        (b"replay", REPLAY),
        (b"live", LIVE),
        (b"reset", RESET),
        (b"stages on", STAGES),
        (b"stages off", STAGES),
        (b"status now", USAGE),
        (b"reset ", USAGE),
        (b"stages", USAGE),
        (b"stages maybe", USAGE),
        (b"set", USAGE),
        (b"set gate.threshold", USAGE),
        (b"set gate.threshold x", USAGE),
        (b"set gate.threshold 2147483648", USAGE),
        (b"set gate.threshold 1 ", USAGE),
        (b"set  1", USAGE),
        (b"set gate.threshold +1", USAGE),
        (b"set gate.threshold -", USAGE),
        (b" status", UNKNOWN),
        (b"Status", UNKNOWN),
        (b"\0", UNKNOWN),
        (b"\xff\xfe status", UNKNOWN),
    ],
)
def test_words(c: ctypes.CDLL, line: bytes, kind: int) -> None:
    command, key, _ = parse(c, line)
    assert command.kind == kind
    if kind == USAGE:
        assert command.usage.startswith(line.split()[0])
    if kind == UNKNOWN:
        assert key == line.split(b" ")[0]
    if kind == STAGES:
        assert command.value == (line == b"stages on")


@given(st.text("abc. ", min_size=1).filter(lambda key: key != ""), st.integers(-(1 << 31) + 1, (1 << 31) - 1))
def test_set_takes_the_last_word_as_the_value(c: ctypes.CDLL, key: str, value: int) -> None:
    command, found, _ = parse(c, f"set {key} {value}".encode())
    assert (command.kind, found, command.value) == (SET, key.encode(), value)


@given(st.sampled_from(["audio", "tensor"]), st.integers(0, (1 << 32) - 1), st.binary(max_size=PAYLOAD_MAX))
def test_a_payload_comes_whole(c: ctypes.CDLL, word: str, number: int, payload: bytes) -> None:
    line = numbered(word, number, payload)
    assert len(line) <= LINE_MAX
    command, _, found = parse(c, line)
    assert command.kind == (AUDIO if word == "audio" else TENSOR)
    assert (command.fault, command.number, found) == (GOOD, number, payload)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_payload_with_any_byte_changed_is_refused(
    c: ctypes.CDLL, payload: bytes, data: st.DataObject
) -> None:
    line = bytearray(numbered("audio", data.draw(st.integers(0, 1 << 32)) % (1 << 32), payload))
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    command, _, _ = parse(c, bytes(line))
    assert command.kind not in (AUDIO, TENSOR) or command.fault != GOOD


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"audio", FORM),
        (b"audio ", FORM),
        (b"audio 1", FORM),
        (b"audio 1 AAA=", FORM),
        (b"audio x AAA= 00000000", FORM),
        (b"audio -1 AAA= 00000000", FORM),
        (b"audio 1 AAA= 0000000", FORM),
        (b"audio 1 AAA= 000000000", FORM),
        (b"audio 1 AAA= 0000000G", FORM),
        (b"audio 1 AAA= 00000000", CHECKSUM),
        (numbered("audio", 1, b"ab").replace(b"audio 1 ", b"audio 01 "), CHECKSUM),
        (numbered("audio", 1, b"ab" * 181), TEXT),
        (b"audio 1 AB== %08x" % zlib.crc32(b"audio 1 AB=="), TEXT),
        (b"audio 1 A B= %08x" % zlib.crc32(b"audio 1 A B="), TEXT),
        (b"audio 4294967296 AAA= %08x" % zlib.crc32(b"audio 4294967296 AAA="), FORM),
        (b"audio 1 AAA= %08X" % zlib.crc32(b"audio 1 AAA="), FORM),
    ],
)
def test_what_is_wrong_with_a_payload_is_reported(c: ctypes.CDLL, line: bytes, fault: str) -> None:
    command, _, payload = parse(c, line)
    assert (command.kind, command.fault, payload) == (AUDIO, fault, b"")


@given(st.binary(max_size=LINE_MAX))
def test_any_bytes_are_understood_as_something(c: ctypes.CDLL, line: bytes) -> None:
    assert NONE <= parse(c, line)[0].kind <= USAGE


KINDS = {"status": STATUS, "boot": BOOT, "set": SET, "stages": STAGES, "cycles": CYCLES, "replay": REPLAY}
KINDS |= {"live": LIVE, "reset": RESET}
KINDS |= {"audio": AUDIO, "tensor": TENSOR}


def test_the_table_has_the_words_of_the_parser() -> None:
    assert KINDS.keys() == {word.word for word in protocol.WORDS}


@pytest.mark.parametrize("word", protocol.WORDS, ids=lambda word: word.word)
def test_a_word_is_none_with_a_letter_less_more_or_other(c: ctypes.CDLL, word: protocol.Word) -> None:
    text = word.word.encode()
    others = {text[:-1], text[1:], text + b"s", b" " + text, text.upper(), text + b"\0", text[:-1] + b"\0"}
    others |= {text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :] for at in range(len(text))}
    others -= {other.word.encode() for other in protocol.WORDS} | {b""}
    for other in others:
        for line in (other, other + b" on", other + b" gate.delay 1"):
            assert parse(c, line)[0].kind == UNKNOWN, line
    for line in (text, text + b" ", text + b" x", text + b" x y z"):
        command = parse(c, line)[0]
        alone = word.usage == word.word and line == text
        expected = KINDS[word.word] if alone or word.numbered else USAGE
        assert command.kind == expected, line
        if expected == USAGE:
            assert command.usage.decode() == word.usage


@pytest.mark.parametrize("setting", protocol.SETTINGS, ids=lambda setting: setting.key)
def test_every_setting_reaches_its_key_and_value(c: ctypes.CDLL, setting: protocol.Setting) -> None:
    key = setting.key + ".a label" * setting.label
    for value in (setting.least - 1, setting.least, setting.most, setting.most + 1):
        command, found, _ = parse(c, f"set {key} {value}".encode())
        assert (command.kind, found, command.value) == (SET, key.encode(), value)


@pytest.mark.parametrize("word", [word for word in protocol.WORDS if word.numbered], ids=lambda w: w.word)
@pytest.mark.parametrize(
    ("size", "fault"),
    [(0, GOOD), (1, GOOD), (PAYLOAD_MAX - 1, GOOD), (PAYLOAD_MAX, GOOD), (PAYLOAD_MAX + 1, TEXT)],
)
def test_a_payload_at_its_limit_and_beyond(
    c: ctypes.CDLL, word: protocol.Word, size: int, fault: str | None
) -> None:
    line = numbered(word.word, (1 << 32) - 1, (bytes(range(256)) * 2)[:size])
    command, _, payload = parse(c, line)
    assert command.fault == fault
    assert len(payload) == (size if fault is None else 0)


LINES = [
    *(word.usage.encode() for word in protocol.WORDS),
    *(f"set {setting.key} {setting.most}".encode() for setting in protocol.SETTINGS),
    *(numbered(word, 7, bytes(range(20))) for word in ("audio", "tensor")),
]


@given(st.sampled_from(LINES), st.data())
def test_a_line_with_bytes_changed_lost_or_put_in_is_understood_as_something(
    c: ctypes.CDLL, line: bytes, data: st.DataObject
) -> None:
    """Nothing beyond the line is read or written: parse() watches, and the sanitizer."""
    changed = bytearray(line)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(changed)))
        taken = data.draw(st.integers(0, 2))
        changed[at : at + taken] = data.draw(st.binary(max_size=3))
    command, key, payload = parse(c, bytes(changed[:LINE_MAX]))
    assert NONE <= command.kind <= USAGE
    assert len(payload) <= PAYLOAD_MAX
    if command.kind in (SET, UNKNOWN):
        assert key in bytes(changed)
