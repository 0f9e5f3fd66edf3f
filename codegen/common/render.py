# SPDX-License-Identifier: Apache-2.0
"""Jinja2 as every template sees it: strict, quiet about white space, with filters for C."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import jinja2

from codegen.common.paths import TEMPLATES
from codegen.common.version import VERSION


def c_rows(values: Iterable[int], width: int = 0, columns: int = 104, indent: int = 4) -> str:
    """The numbers as aligned rows of a C initialiser, each indented, without braces.

    width: characters of the widest number (0: as wide as these numbers need);
    columns: the widest row allowed, including the indent.
    """
    words = [str(int(value)) for value in values]
    if not words:
        return ""
    cell = max(width, *map(len, words))
    per_row = max(1, (columns - indent) // (cell + 2))
    if per_row > 8:
        per_row -= per_row % 4
    rows = [words[start : start + per_row] for start in range(0, len(words), per_row)]
    return "\n".join(" " * indent + " ".join(f"{word:>{cell}}," for word in row) for row in rows)


def c_words(values: Iterable[int]) -> str:
    """32-bit words in hexadecimal, eight a row."""
    words = [f"0x{value:08X}," for value in values]
    return "\n".join("    " + " ".join(words[start : start + 8]) for start in range(0, len(words), 8))


def c_string(text: str) -> str:
    """A C string literal. Only printable ASCII passes the reader: quotes and backslashes are escaped."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def c_hex(value: int, digits: int = 8) -> str:
    """0x0000ABCD."""
    return f"0x{value:0{digits}X}"


def shape_text(shape: Sequence[int]) -> str:
    """15 x 20 x 1."""
    return " x ".join(str(size) for size in shape)


def comment(text: str) -> str:
    """Text from the model's file inside a C comment: nothing in it ends the comment or starts a trigraph."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("??", "? ?").rstrip("\\")


def short(value: float) -> str:
    """A float in as few digits as tell it for a comment."""
    return f"{value:.6g}" if math.isfinite(value) else str(value)


@cache
def environment() -> jinja2.Environment:
    """The one environment: `%%` line statements, `%#` line comments, undefined names are errors.

    It keeps the templates that it has compiled, which takes longer than to fill them in.
    """
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        line_statement_prefix="%%",
        line_comment_prefix="%#",
        autoescape=False,
    )
    env.globals["version"] = VERSION
    env.filters.update(
        c_rows=c_rows, c_string=c_string, c_hex=c_hex, shape_text=shape_text, short=short, comment=comment
    )
    return env


def render(template: str, **values: Any) -> str:
    """The text of templates/<template> for these values."""
    return environment().get_template(template).render(**values)
