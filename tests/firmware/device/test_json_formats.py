# SPDX-License-Identifier: Apache-2.0
"""The arguments of json_print(), which no compiler checks: each of the type that its format says.

Every call is taken out of the preprocessed sources and compiled as a printf() of the same types.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from codegen.common.protocol import LINES, SETTINGS, Key, Kind
from tests.support.compile import FIRMWARE, protocol_table

SOURCES = sorted(
    file
    for file in FIRMWARE.rglob("*.c")
    if file.name != "json.c" and "json_print(" in file.read_text(encoding="utf-8")
)
# What printf() takes in the place of each kind, on a computer whose int64_t is long.
PRINTF = {"s": "%s", "t": "%s%zu", "u": "%u", "d": "%d", "l": "%ld", "x": "%p%zu"}
OTHER = {"s": "d", "t": "l", "u": "l", "d": "l", "l": "d", "x": "u"}  # a mutant of each
# How the table's kinds are printed: in quotes or not, and by which.
PRINTED = {
    Kind.COUNT: (False, "u"),
    Kind.CLASS: (False, "u"),
    Kind.INT8: (False, "d"),
    Kind.INT32: (False, "d"),
    Kind.INT64: (False, "l"),
    Kind.FLAG: (False, "s"),
    Kind.TEXT: (True, "st"),
    Kind.HEX: (True, "sx"),
}
HEAD = "int printed(const void *json, const char *format, ...) __attribute__((format(printf, 2, 3)));\n"
_CALL = re.compile(r'json_print\(([^,"]+),\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Source:
    """A preprocessed file. calls: of each call where its name and format stand, the object, the format"""

    name: str
    text: str
    calls: tuple[tuple[int, int, str, str], ...]

    def checked(self) -> str:
        """With printed() in place of json_print()."""
        text, done = [HEAD], 0
        for start, end, json, format_ in self.calls:
            as_printf = re.sub("%(.)", lambda kind: PRINTF[kind[1]], format_)
            text += [self.text[done:start], f'printed({json}, "{as_printf}"']
            done = end
        return "".join([*text, self.text[done:]])

    def mutants(self) -> Iterator[Source]:
        """One for each value of each call: another kind in its place."""
        for number, (start, end, json, format_) in enumerate(self.calls):
            for kind in re.finditer("%(.)", format_):
                other = f"{format_[: kind.start()]}%{OTHER[kind[1]]}{format_[kind.end() :]}"
                calls = (*self.calls[:number], (start, end, json, other), *self.calls[number + 1 :])
                yield replace(self, calls=calls)


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    folder = tmp_path_factory.mktemp("formats")
    protocol_table(folder)
    found = []
    for file in SOURCES:
        command = ["gcc", "-E", "-P", "-std=c11", f"-I{FIRMWARE}", f"-I{folder}", str(file)]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        calls = tuple(
            (call.start(), call.end(), call[1], "".join(_LITERAL.findall(call[2])))
            for call in _CALL.finditer(text)
        )
        assert len(calls) == len(re.findall(r"json_print\((?!json_t)", text)), file
        found.append(Source(file.name, text, calls))
    return found


def faults(text: str) -> str:
    """What the compiler says of it."""
    command = ["gcc", "-std=gnu11", "-fsyntax-only", "-Wformat", "-Wformat-signedness", "-x", "c", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    return done.stderr


def test_every_argument_has_the_type_of_its_format(sources: list[Source]) -> None:
    assert sum(len(source.calls) for source in sources) >= 15
    for source in sources:
        assert faults(source.checked()) == "", source.name


def test_another_kind_of_any_value_is_seen(sources: list[Source]) -> None:
    """So the test above can fail for each of them."""
    mutants = [mutant for source in sources for mutant in source.mutants()]
    assert len(mutants) >= 40
    for mutant in mutants:
        assert "-Wformat" in faults(mutant.checked()), mutant.calls


def test_every_key_is_printed_as_the_protocols_table_says(sources: list[Source]) -> None:
    keys = [key for line in LINES for key in line.keys]
    keys += [Key(setting.key, Kind.INT32, "") for setting in SETTINGS]
    allowed: dict[str, set[tuple[bool, str]]] = {}
    for key in keys:
        quoted, letters = PRINTED.get(key.kind, (False, ""))
        allowed.setdefault(key.key, set()).update((quoted, letter) for letter in letters)
    seen = set()
    for source in sources:
        for *_, format_ in source.calls:
            if "samples_per_packet" in format_:
                continue  # SensiML's own line, codegen/common/protocol/stream.py
            for key_, quote, kind in re.findall(r'\\"([A-Za-z_.]+?)(?:\.%s)?\\":(\\"|)%(.)', format_):
                assert (quote != "", kind) in allowed[key_], (source.name, key_, kind)
                seen.add(key_)
    assert len(seen) >= 35, seen
