# SPDX-License-Identifier: Apache-2.0
"""budgets.toml: the example takes no more than was accepted, and growth is noticed."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from tests.support.cli import refused
from tests.support.tools import need_tool
from toolbox.options import EXAMPLE
from workbench.profiling.budgets import FILE, Budgets, Change, accept, accepted, compare, measures, table
from workbench.profiling.profile import Profile, profile

BOARD = "mps2_an386"


@pytest.fixture(scope="module")
def found() -> Profile:
    need_tool("arm-none-eabi-gcc")
    need_tool("qemu-system-arm")
    return profile(EXAMPLE, BOARD)


def test_the_example_takes_no_more_than_was_accepted(found: Profile) -> None:
    budgets = accepted(EXAMPLE, BOARD)
    assert budgets is not None
    if budgets.compiler != found.compiler:
        pytest.skip(f"the budgets are of GCC {budgets.compiler}, here is {found.compiler}")
    assert not [change for change in compare(found, budgets) if change.grown], table(compare(found, budgets))


def test_every_stage_has_a_budget(found: Profile) -> None:
    budgets = accepted(EXAMPLE, BOARD)
    assert budgets is not None
    assert budgets.numbers["instructions"].keys() == {
        *(stage.name for stage in found.stages),
        "full",
        "incremental",
        "worst",
    }
    assert budgets.numbers["flash"].keys() == {"code", "constants"}
    assert {"arena", "state", "stack"} <= budgets.numbers["ram"].keys()


@pytest.mark.parametrize(
    ("accepted_number", "number", "grown"),
    [(1000, 1000, False), (1000, 1010, False), (1000, 1011, True), (1000, 900, False), (None, 1, True)],
)
def test_one_percent_is_the_limit(accepted_number: int | None, number: int, grown: bool) -> None:
    assert Change("instructions", "gate", accepted_number, number).grown is grown


def test_growth_of_one_stage_is_reported(tmp_path: Path, found: Profile) -> None:
    accept(tmp_path, found)
    stages = tuple(
        dataclasses.replace(stage, instructions=stage.instructions * 102 // 100 + 1)
        if stage.name == "gate"
        else stage
        for stage in found.stages
    )
    budgets = accepted(tmp_path, BOARD)
    assert budgets is not None
    assert budgets == Budgets(found.compiler, measures(found))
    changes = compare(dataclasses.replace(found, stages=stages), budgets)
    assert [change.name for change in changes if change.grown] == ["gate"]
    assert "instructions gate" in table(changes)
    assert "over budget" in table(changes)


def test_accepting_keeps_other_boards(tmp_path: Path, found: Profile) -> None:
    accept(tmp_path, dataclasses.replace(found, board="other"))
    accept(tmp_path, found)
    assert accepted(tmp_path, "other") == accepted(tmp_path, BOARD)
    assert accepted(tmp_path, BOARD) == Budgets(found.compiler, measures(found))
    assert accepted(tmp_path, "third") is None


def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('[mps2_an386]\ncompiler = "12"\n\n[mps2_an386.flash]\ncode = 1.5\n')
    with pytest.raises(UserError, match="line 5"):
        accepted(tmp_path, BOARD)


def test_what_budgets_are_not_for_is_refused(tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(EXAMPLE, app, ignore=shutil.ignore_patterns(FILE))
    assert "without --kernels" in refused("profile", "--app", app, "--accept", "--kernels", "fast")
    assert "has no numbers" in refused("profile", "--app", app, "--check")
