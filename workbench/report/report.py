# SPDX-License-Identifier: Apache-2.0
"""A report: the current numbers and decisions beside the accepted ones."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from toolbox.elf import build_id
from workbench.build import build
from workbench.profiling.budgets import Budgets, Change, accepted, compare, measures
from workbench.profiling.profile import Profile, profile
from workbench.profiling.text import as_json
from workbench.report import decisions
from workbench.report.decisions import Accepted, Changed, cells, changed
from workbench.suites.recordings import choose
from workbench.suites.settings import read_settings
from workbench.targets import open_app


@dataclass(frozen=True)
class CellChange:
    """A cell of the confusion table, over the recordings of both."""

    truth: str
    decided: str
    before: int
    now: int


@dataclass(frozen=True)
class Report:
    """budgets, before: None where nothing was accepted yet for this board, and for these decisions."""

    profile: Profile
    build: str  # GNU build id of the image
    budgets: Budgets | None
    before: Accepted | None
    now: Accepted

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every number, as accepted and as found."""
        empty = Budgets(self.profile.compiler, {group: {} for group in measures(self.profile)})
        return compare(self.profile, self.budgets or empty)

    @property
    def grown(self) -> tuple[Change, ...]:
        """The numbers over budget."""
        return tuple(change for change in self.changes if change.grown) if self.budgets else ()

    @property
    def changed(self) -> list[Changed]:
        """The recordings that decide otherwise."""
        return changed(self.before, self.now) if self.before else []

    @property
    def cells(self) -> list[CellChange]:
        """The cells of the confusion table that changed with them."""
        before = cells(one.before for one in self.changed)
        now = cells(one.now for one in self.changed)
        found = [CellChange(*cell, before[cell], now[cell]) for cell in sorted({*before, *now})]
        return _worst_first([cell for cell in found if cell.before != cell.now])

    @property
    def classes(self) -> list[CellChange]:
        """How often each class is decided, over the recordings of both, where that changed; truth is ""."""
        before: Counter[str] = Counter()
        now: Counter[str] = Counter()
        for one in self.changed:
            before.update(one.before.counts)
            now.update(one.now.counts)
        if self.before is not None:
            for name, heard in self.now.recordings.items():
                if name in self.before.recordings and name not in {one.name for one in self.changed}:
                    before.update(heard.counts)
                    now.update(heard.counts)
        found = [CellChange("", label, before[label], now[label]) for label in sorted({*before, *now})]
        return _worst_first([one for one in found if one.before != one.now])

    @property
    def gone(self) -> list[str]:
        """Accepted recordings that were not played."""
        known = self.before.recordings if self.before else {}
        return sorted(set(known) - set(self.now.recordings))

    @property
    def passed(self) -> bool:
        """Nothing is over its budget, and nothing is decided otherwise than accepted."""
        return not self.grown and not self.changed

    @property
    def uncompared(self) -> int:
        """Recordings that are not among the accepted ones."""
        known = self.before.recordings if self.before else {}
        return sum(name not in known for name in self.now.recordings)


def _worst_first(found: list[CellChange]) -> list[CellChange]:
    return sorted(found, key=lambda cell: -abs(cell.now - cell.before))


def make(app: Path, board: str, build_dir: Path | None = None) -> Report:
    """Builds, counts, plays. UserError where the app has no pipeline, or something cannot be built."""
    spec = load_spec(app)
    app = spec.file.parent
    if spec.pipeline is None:
        raise UserError(
            "it is a bare model, which hears nothing",
            file=spec.file,
            remedy="`earshot profile MODEL.tflite` has its numbers.",
        )
    found = profile(app, board)
    image = build(board, app, build_dir).image
    settings = read_settings(app)
    with tempfile.TemporaryDirectory() as made, open_app(app, "pc", build_dir=build_dir) as device:
        recordings = choose(settings, app, spec.pipeline.audio.sample_rate, Path(made))
        now = decisions.hear(device, recordings)
    return Report(found, build_id(image), accepted(app, board), decisions.read(app), now)


def as_object(report: Report) -> dict[str, Any]:
    """For --json and report.json."""
    return {
        "profile": as_json(report.profile),
        "build": report.build,
        "accepted": report.budgets is not None,
        "over_budget": [_change(change) for change in report.grown],
        "changes": [_change(change) for change in report.changes if change.accepted != change.found],
        "decisions": {
            "recordings": len(report.now.recordings),
            "compared": len(report.now.recordings) - report.uncompared,
            "changed": [
                {
                    "recording": one.name,
                    "truth": one.now.truth,
                    "before": dict(one.before.counts),
                    "now": dict(one.now.counts),
                    "differing": len(one.places),
                    "first": _place(one),
                }
                for one in report.changed
            ],
            "gone": report.gone,
            "classes": {one.decided: {"before": one.before, "now": one.now} for one in report.classes},
            "cells": [
                {"truth": cell.truth, "decided": cell.decided, "before": cell.before, "now": cell.now}
                for cell in report.cells
            ],
        },
    }


def _place(one: Changed) -> dict[str, Any] | None:
    """The first decision that differs; None where those of before were not stored."""
    if not one.places:
        return None
    place = one.places[0]
    sides = {"before": place.before, "now": place.now}
    return {"seconds": round(place.end / one.rate, 4)} | {
        side: None if made is None else {"label": made.label, "score": made.score}
        for side, made in sides.items()
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "group": change.group,
        "name": change.name,
        "accepted": change.accepted,
        "found": change.found,
        "share": change.share,
    }
