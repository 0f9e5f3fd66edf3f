# SPDX-License-Identifier: Apache-2.0
"""What an app may take: accepted numbers in budgets.toml beside its pipeline.toml, and what grew since.

One table a board: instructions by stage and decision, bytes of flash and RAM. The numbers are a person's
decision: `earshot profile --accept` stores the current ones.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from codegen.common.toml_place import read_toml
from workbench.profiling.profile import Profile
from workbench.profiling.together import Together

FILE = "budgets.toml"
TOLERANCE = 0.01  # growth that is no growth
_HEAD = """\
# What this app was accepted to take, by board: instructions of each stage and decision, bytes of flash
# and RAM. `earshot profile --app DIR --check` fails where one has grown by more than 1 %; `--accept` stores
# the current ones.
"""

_BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key of TOML without quotes
GROUPS = ("instructions", "flash", "ram")
Numbers = Mapping[str, Mapping[str, int]]  # one of GROUPS -> name -> number


@dataclass(frozen=True)
class Budgets:
    """What was accepted on one board. compiler: GCC's version, with which the numbers are compared."""

    compiler: str
    numbers: Numbers


@dataclass(frozen=True)
class Change:
    """One number. accepted: None where budgets.toml does not have it; found: None where it is gone."""

    group: str  # "instructions", "flash" or "ram"
    name: str
    accepted: int | None
    found: int | None

    @property
    def grown(self) -> bool:
        """By more than the tolerance, or new."""
        if self.found is None:
            return False
        return self.accepted is None or self.found > self.accepted * (1 + TOLERANCE)

    @property
    def share(self) -> float | None:
        """Growth as a share of what was accepted."""
        if not self.accepted or self.found is None:
            return None
        return self.found / self.accepted - 1


def measures(found: Profile | Together) -> Numbers:
    """The numbers of a profile that have budgets; those of one of several classifiers under its name."""
    first = found if isinstance(found, Profile) else found.models[0]
    instructions = {stage.name: stage.instructions for stage in first.stages}
    if isinstance(found, Profile):
        instructions |= _decisions(found)
    else:
        del instructions["decision"]
        for name, model in zip(found.names, found.models, strict=True):
            own = {stage.name: stage.instructions for stage in model.stages if stage.name == "decision"}
            instructions |= {f"{name}.{key}": number for key, number in (own | _decisions(model)).items()}
        instructions |= {"together": found.steady, "together_worst": found.worst}
    return {
        "instructions": instructions,
        "flash": {"code": first.flash.code, "constants": first.flash.constants},
        "ram": {
            "arena": found.ram.arena,
            "state": found.ram.state,
            "stack": found.ram.stack,
            "image": found.ram.image,
        },
    }


def _decisions(found: Profile) -> dict[str, int]:
    """A model's, by how much of it is computed."""
    decisions = found.decisions
    incremental = {} if decisions.incremental is None else {"incremental": decisions.incremental}
    return {"full": decisions.full, **incremental, "worst": decisions.worst}


def accepted(app: Path, board: str) -> Budgets | None:
    """The table of a board in the app's budgets.toml; None where there is none. UserError: it is not one."""
    return _read(app).get(board)


def compare(found: Profile | Together, budgets: Budgets) -> tuple[Change, ...]:
    """Every number of the profile and of the budgets, in the order of the profile."""
    now, before = measures(found), budgets.numbers
    return tuple(
        Change(group, name, before.get(group, {}).get(name), now.get(group, {}).get(name))
        for group in dict.fromkeys((*now, *before))
        for name in dict.fromkeys((*now.get(group, {}), *before.get(group, {})))
    )


def accept(app: Path, found: Profile | Together) -> Path:
    """Writes the profile's numbers into the app's budgets.toml; other boards' stay. The file."""
    first = found if isinstance(found, Profile) else found.models[0]
    boards = {**_read(app), first.board: Budgets(first.compiler, measures(found))}
    lines = [_HEAD.rstrip()]
    for board, budgets in boards.items():
        lines += ["", f"[{board}]", f'compiler = "{budgets.compiler}"']
        for group, numbers in budgets.numbers.items():
            lines += ["", f"[{board}.{group}]"]
            named = {_key(name): number for name, number in numbers.items()}
            width = max(map(len, named), default=0)
            lines += [f"{key:<{width}} = {number}" for key, number in named.items()]
    file = _file(app)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _key(name: str) -> str:
    """As TOML has it."""
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _file(app: Path) -> Path:
    return (app if app.is_dir() else app.parent) / FILE


def _read(app: Path) -> dict[str, Budgets]:
    file = _file(app)
    if not file.is_file():
        return {}
    toml = read_toml(file)
    found = {}
    for board, groups in toml.data.items():
        wrong = _wrong(groups)
        if wrong is not None:
            raise UserError(
                "the table of a board holds compiler, and whole numbers in .instructions, .flash and .ram",
                file=file,
                place=toml.place(board, *wrong),
                remedy="`earshot profile --app DIR --accept` writes the board's current numbers.",
            )
        found[board] = Budgets(groups["compiler"], {group: groups.get(group, {}) for group in GROUPS})
    return found


def _wrong(groups: Any) -> tuple[str, ...] | None:
    """The key under a board that is not as it should be."""
    if not isinstance(groups, dict) or not isinstance(groups.get("compiler"), str):
        return ()
    for group, numbers in groups.items():
        if group == "compiler":
            continue
        if group not in GROUPS or not isinstance(numbers, dict):
            return (group,)
        for name, number in numbers.items():
            if not isinstance(number, int) or isinstance(number, bool) or number < 0:
                return (group, name)
    return None


def table(changes: tuple[Change, ...]) -> str:
    """For a person: what differs from what was accepted."""
    lines = []
    for change in changes:
        if change.accepted != change.found:
            share = f"{change.share:+.1%}" if change.share is not None else "new" if change.found else "gone"
            before = "-" if change.accepted is None else f"{change.accepted:,}"
            after = "-" if change.found is None else f"{change.found:,}"
            mark = "  over budget" if change.grown else ""
            lines.append(
                f"  {change.group + ' ' + change.name:<26}{before:>12} -> {after:>12}{share:>9}{mark}"
            )
    return "\n".join(lines) if lines else "  nothing has changed since the budgets were accepted"
