# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md holds what `profile --tables` prints, and places for all of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.profiling.baselines import MODELS, TUTORIAL
from workbench.profiling.budgets import accepted
from workbench.profiling.memory import compiler
from workbench.profiling.tables import block, example_tables, with_tables

PAGE = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")


def test_the_examples_tables_are_those_of_now() -> None:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    from workbench.build import build

    budgets = accepted(EXAMPLE, "mps2_an386")
    here = compiler(build("mps2_an386", EXAMPLE).image)
    if budgets is not None and budgets.compiler != here:
        pytest.skip(f"the page is of GCC {budgets.compiler}, here is {here}")
    renew = "renew the page: ./earshot profile --tables docs/performance.md"
    for name, table in example_tables().items():
        assert block(PAGE, name) == table, renew


def test_every_baseline_is_on_the_page() -> None:
    models = block(PAGE, "models")
    assert models is not None
    for baseline in MODELS:
        row = next(line for line in models.splitlines() if f"`{baseline.model}`" in line)
        for number in (baseline.mac, baseline.reference, baseline.cmsis_nn, baseline.flash, baseline.ram):
            assert f"{number:,}" in row
    example = block(PAGE, "smart_lock")
    assert example is not None
    assert f"{TUTORIAL.cmsis_nn:,}" in example
    assert "90b983c2" in PAGE


def test_mlperfs_page_tells_the_same_of_its_tasks() -> None:
    page = (ROOT / "docs" / "mlperf.md").read_text(encoding="utf-8")
    tasks, models = block(page, "tasks"), block(PAGE, "models")
    assert tasks is not None
    assert models is not None
    own = {line.split("`")[3]: [cell.strip() for cell in line.split("|")] for line in tasks.splitlines()[2:]}
    shared = [line for line in models.splitlines() if "mlperf_tiny/" in line]
    assert len(shared) == 3
    for line in shared:
        cells = [cell.strip() for cell in line.split("|")]
        row = own[cells[1].split("/")[1].rstrip("`)")]
        assert row[3:5] == [cells[2], f"{cells[5]} / {cells[6]}"]
        assert row[8] == cells[9].split(" / ", 1)[1]
        assert row[9] == cells[10].split(" / ")[1]
    streaming = page[page.index("| a frame, on an emulated") :].splitlines()[2:5]
    counts = [int(line.split("|")[2].replace(",", "")) for line in streaming]
    assert f"takes {sum(counts):,} instructions a frame" in page


def test_tables_are_put_between_their_marks() -> None:
    page = "a\n<!-- x -->\nold\n<!-- end -->\nb\n<!-- y -->\n<!-- end -->\nc\n"
    made = with_tables(page, {"x": "| 1 |\n| 2 |", "y": "| 3 |"})
    assert made == "a\n<!-- x -->\n| 1 |\n| 2 |\n<!-- end -->\nb\n<!-- y -->\n| 3 |\n<!-- end -->\nc\n"
    assert (block(made, "x"), block(made, "y"), block(made, "z")) == ("| 1 |\n| 2 |", "| 3 |", None)
    with pytest.raises(UserError, match="no place"):
        with_tables(page, {"z": ""})


def test_pages_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    from workbench.commands.profile import renew

    with pytest.raises(UserError, match=r"none\.md: cannot be renewed: No such file"):
        renew(tmp_path / "none.md")
