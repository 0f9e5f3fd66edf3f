# SPDX-License-Identifier: Apache-2.0
"""Every source says under which license it is; what is generated for a user says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.board.description import load_board
from codegen.common.paths import ROOT
from codegen.emit.board import board_sources
from workbench.house.license_headers import TEXT, add_header, has_header, sources, style


def test_every_source_has_its_license() -> None:
    found = sources()
    assert {file.suffix for file in found} >= {".py", ".c", ".h", ".in"}
    assert len(found) > 400
    assert [str(file.relative_to(ROOT)) for file in found if not has_header(file)] == []


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", '"""Doc."""\n', f'# {TEXT}\n"""Doc."""\n'),
        ("a.sh", "#!/bin/sh\ntrue\n", f"#!/bin/sh\n# {TEXT}\ntrue\n"),
        ("tflm.in", "# why\nnumpy\n", f"# {TEXT}\n# why\nnumpy\n"),  # pip reads it
        ("a.c", "/* What it does. */\n", f"/* {TEXT} */\n/* What it does. */\n"),
        ("a.c.in", "{# why #}\nint x;\n", f"{{# {TEXT} -#}}\n{{# why #}}\nint x;\n"),
    ],
)
def test_a_header_is_missed_and_added(tmp_path: Path, name: str, text: str, expected: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert style(file) is not None
    assert not has_header(file)
    add_header(file)
    assert file.read_text() == expected
    assert has_header(file)


def test_what_is_generated_has_none() -> None:
    assert not any(TEXT in text for text in board_sources(load_board("mps2_an386")).values())
