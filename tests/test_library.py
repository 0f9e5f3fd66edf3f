"""The ctypes view of the PC library: the C compiler says where each member lies."""

from __future__ import annotations

import ctypes
import subprocess

import pytest

from tests.support.compile import FIRMWARE, WARNINGS
from workbench import library

STRUCTS = {
    "model_t": library._Model,
    "pipeline_t": library._Pipeline,
    "step_t": library._Step,
    "verdict_t": library._Verdict,
}


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """Size of each struct and offset and size of each member, from gcc."""
    folder = tmp_path_factory.mktemp("layout")
    lines = ['#include "pipeline/pipeline.h"', "#include <stdio.h>", "int main(void)", "{"]
    for name, view in STRUCTS.items():
        lines.append(f'    printf("{name} %zu\\n", sizeof({name}));')
        for field in view._fields_:
            member = f"{name}, {field[0]}"
            size = f"sizeof((({name} *)0)->{field[0]})"
            lines.append(f'    printf("{name}.{field[0]} %zu\\n", 1000 * offsetof({member}) + {size});')
    source = folder / "layout.c"
    source.write_text("\n".join([*lines, "    return 0;", "}", ""]))
    program = folder / "layout"
    subprocess.run(["gcc", *WARNINGS, f"-I{FIRMWARE}", str(source), "-o", str(program)], check=True)
    told = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
    return {words[0]: int(words[1]) for words in map(str.split, told.splitlines())}


@pytest.mark.parametrize("name", STRUCTS)
def test_structs_lie_as_the_compiler_lays_them(layout: dict[str, int], name: str) -> None:
    view = STRUCTS[name]
    assert ctypes.sizeof(view) == layout[name]
    for field in view._fields_:
        member = getattr(view, field[0])
        assert 1000 * member.offset + member.size == layout[f"{name}.{field[0]}"], field[0]
