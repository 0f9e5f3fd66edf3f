# SPDX-License-Identifier: Apache-2.0
"""What `earshot check` remembers of the analysed C."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from workbench.house import analyse

CLEAN = "static inline int first(const int *values) { return values ? values[0] : 0; }\n"
FAULTY = "static inline int first(const int *values) { return values ? 0 : values[0]; }\n"
SOURCE = '#include "first.h"\nint of_none(void);\nint of_none(void) { return first(0); }\n'


def test_only_what_is_clean_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A header that changes is looked at again, and a finding is told each time."""
    monkeypatch.setattr(analyse, "CLEAN", tmp_path / "clean")
    source, header = tmp_path / "source.c", tmp_path / "first.h"
    source.write_text(SOURCE)
    words = ["gcc", "-O1", "-fanalyzer", "-Werror", f"-I{tmp_path}", "-c", str(source), "-o", os.devnull]

    def found() -> tuple[bool, int]:
        said = analyse.found(words, tmp_path)
        return "null" in said, len(list((tmp_path / "clean").glob("*")))

    header.write_text(CLEAN)
    assert found() == (False, 1)
    header.write_text(FAULTY)
    assert found() == (True, 1)
    assert found() == (True, 1)
    header.write_text(CLEAN)
    script = f'#!/bin/sh\ncase "$*" in *-fanalyzer*) exit 1;; esac\nexec {shutil.which("gcc")} "$@"\n'
    (tmp_path / "gcc").write_text(script)
    (tmp_path / "gcc").chmod(0o755)
    # from here on a run of the analyzer fails
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert found() == (False, 1), "looked at once more"


def test_each_source_of_a_port_is_looked_at_with_its_board(tmp_path: Path) -> None:
    """gcc takes what each board's own compiler can, clang-tidy what this computer's can."""
    for program, ports in (("gcc", {"pc", "mps2", "efr32", "nrf52"}), ("clang-tidy", {"pc"})):
        folder = tmp_path / program
        folder.mkdir()
        lines = analyse.commands(folder, program)
        sources = {word for line in lines for word in line if word.endswith(".c")}
        found = {Path(source).parent.name for source in sources if "/port/" in source} - {"cortex_m"}
        assert found == ports if shutil.which("arm-none-eabi-gcc") else found <= ports
        assert len({Path(source).parent.name for source in sources}) > len(found)
        for line in lines:
            (header,) = (Path(word.removeprefix("-I")) for word in line if word.startswith(f"-I{folder}"))
            assert (header / "board.h").is_file()
            assert ("-fanalyzer" in line) == (program == "gcc")


def test_a_finding_is_printed_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(analyse, "commands", lambda folder, program: [["clean"], ["first"], ["second"]])
    monkeypatch.setattr(analyse, "found", lambda words, folder: "" if words == ["clean"] else words[0])
    assert analyse.main(["gcc"]) == 1
    assert capsys.readouterr().out == "first\nsecond\n"
    monkeypatch.setattr(analyse, "found", lambda words, folder: "")
    assert analyse.main(["gcc"]) == 0
    assert capsys.readouterr().out == ""
