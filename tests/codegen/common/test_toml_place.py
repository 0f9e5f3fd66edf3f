# SPDX-License-Identifier: Apache-2.0
"""Lines of sections and keys: documents whose line numbers the test itself laid out."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.common.errors import UserError
from codegen.common.toml_place import parse_toml, read_toml

FILE = Path("some.toml")

# Each value's text and how many lines it spans; all of them hold what a careless scanner trips over.
VALUES = [
    ("1", 1),
    ("0.80 # [gate]", 1),
    ('"[x] = # \\" y"', 1),
    ("'[x] \\'", 1),
    ('"""\n[no]\nk = 1 \\"""\n""""', 4),
    ("'''\n[no]\\'''", 2),
    ("[1, # ]\n 2,\n [ \"]\", '['],\n]", 4),
    ("{ a = 1, b.c = [ { d = '}' } ] }", 1),
    ("1979-05-27 07:32:00", 1),
    ("[]", 1),
]
NAMES = ["threshold", '"with space.dot"', "'quoted'", "12", "dotted.key"]
SECTIONS = ["[a]", "[ b . c ]", '["d.e"]', "[[list]]", "[list.inner]", "[[list]]"]


def name_of(written: str) -> tuple[str, ...]:
    if written[0] in "\"'":
        return (written[1:-1],)
    return tuple(part.strip() for part in written.split("."))


@given(st.lists(st.tuples(st.sampled_from(range(len(VALUES))), st.integers(0, 2)), min_size=30, max_size=30))
def test_lines_are_those_of_the_text(choices: list[tuple[int, int]]) -> None:
    lines: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    tables = [("a",), ("b", "c"), ("d.e",), ("list", 0), ("list", 0, "inner"), ("list", 1)]
    draws = iter(choices)
    for header, table in zip(SECTIONS, tables, strict=True):
        lines.append(header)
        expected[table] = len(lines)
        for written in NAMES:
            value, gap = next(draws)
            lines += ["# [comment] = 'quote"] * gap
            expected[(*table, *name_of(written))] = len(lines) + 1
            text, height = VALUES[value]
            assert text.count("\n") == height - 1
            lines += f"{written} = {text}".split("\n")
    parsed = parse_toml("\n".join(lines), FILE)
    assert {key: parsed.lines.get(key) for key in expected} == expected


def test_items_of_an_array_have_their_own_line() -> None:
    parsed = parse_toml('[decision]\nlabels = [\n  "a",\n\n  "b", "c"\n]\n', FILE)
    assert [parsed.line("decision", "labels", index) for index in range(3)] == [3, 5, 5]
    assert parsed.place("decision", "labels", 1) == "line 5, [decision] labels item 2"


def test_a_place_that_is_not_written_is_where_it_would_be() -> None:
    parsed = parse_toml("\n[gate]\nbackoff = 1\n", FILE)
    assert parsed.place("gate", "threshold") == "line 2, [gate] threshold"
    assert parsed.place("mfcc", "fft") == "[mfcc] fft"
    assert parsed.place("mfcc") == "mfcc"


def test_tables_in_arrays_are_named_without_their_index() -> None:
    parsed = parse_toml("[[memory]]\nsize = 1\n[[memory]]\nsize = 2\n", FILE)
    assert parsed.place("memory", 1, "size") == "line 4, [memory] size"


def test_decimals_stay_exact() -> None:
    assert parse_toml("t = 0.10\n", FILE).data["t"] == Decimal("0.10")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = \n", "line 1, column 5"),
        ("a = 1\nb = 2\n[x\n", "line 3, column 3"),
        ("a = 1\na = 2", "line 2"),
        ("a = 1\nb = 'x\n", "line 2"),
    ],
)
def test_syntax_errors_have_their_line(text: str, place: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_toml(text, FILE)
    assert str(caught.value).startswith(f"some.toml, {place}: not TOML: ")


@pytest.mark.parametrize("text", ["x = " + "[" * 5000, "x = " + "1" * 5000])
def test_monsters_are_refused_without_a_traceback(text: str) -> None:
    with pytest.raises(UserError, match="not usable TOML"):
        parse_toml(text, FILE)


def test_windows_text_is_read(tmp_path: Path) -> None:
    file = tmp_path / "w.toml"
    file.write_bytes(b"\xef\xbb\xbfa = 1\r\n\r\n[b]\r\nc = '''x\r\ny'''\r\nd = 2\r\n")
    parsed = read_toml(file)
    assert parsed.data == {"a": 1, "b": {"c": "x\ny", "d": 2}}
    assert parsed.line("b", "d") == 6


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such file"):
        read_toml(tmp_path / "absent.toml")
    with pytest.raises(UserError, match="cannot be read"):
        read_toml(tmp_path)
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"a = 1\nb = 't\xfcr'\n")
    with pytest.raises(UserError, match=r"latin\.toml, line 2: byte 0xFC is not UTF-8"):
        read_toml(latin)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = " + "9" * 5000, "line 2"),
        ("a = 1\n[c]\nb = 0x" + "f" * 5000, r"line 3, \[c\] b"),
        ("[c]\nb = [1, 1e999999999]", r"line 2, \[c\] b item 2"),
        ("b = 1." + "0" * 5000, "line 1, b"),
    ],
)
def test_a_number_of_thousands_of_digits(text: str, place: str) -> None:
    with pytest.raises(UserError, match=f"{place}: not usable TOML: a number too large"):
        parse_toml(text, Path("x.toml"))
