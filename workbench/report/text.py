# SPDX-License-Identifier: Apache-2.0
"""A report for a person at a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from codegen.app.rules import UNKNOWN
from workbench.profiling.budgets import Change
from workbench.report.decided import Decided
from workbench.report.decisions import Changed
from workbench.report.report import Report


def as_text(report: Report) -> str:
    """The tables, and what has changed."""
    lines = [f"{report.profile.app} on {report.profile.board}, build {report.build[:12]}", ""]
    lines += _numbers(report)
    lines += ["", *_decisions(report)]
    return "\n".join(lines)


def verdict(report: Report) -> str:
    """One sentence: over budget, decided otherwise than accepted, or neither."""
    faults = []
    if report.grown:
        faults.append("OVER BUDGET: " + ", ".join(f"{change.group} {change.name}" for change in report.grown))
    if report.changed:
        compared = len(report.now.recordings) - report.uncompared
        classes = ", ".join(f"{named(one.decided)} {one.before} -> {one.now}" for one in report.classes)
        what = classes or "the same classes as often, in other windows or with other scores"
        faults.append(f"DECISIONS CHANGED on {len(report.changed)} of {compared} recordings: {what}")
    if faults:
        return "; ".join(faults)
    missing = [
        words
        for there, words in ((report.budgets, "numbers for this board"), (report.before, "decisions"))
        if there is None
    ]
    if missing:
        return f"nothing to compare with: no {' and no '.join(missing)} were accepted yet"
    if report.now.recordings and report.uncompared == len(report.now.recordings):
        return "within the accepted budgets; no decision was compared: other recordings were accepted"
    return "within the accepted budgets, and decided as accepted"


def advice(report: Report, option: str) -> str:
    """What to do about it, a line, or nothing. option: what accepts on the caller's command line."""
    if report.passed and report.budgets is not None and report.before is not None:
        return ""
    return f"If that is as it should be, {option} stores the current numbers and decisions.\n"


def _numbers(report: Report) -> list[str]:
    rows = [f"  {'':<26}{'accepted':>12}{'now':>12}{'change':>9}"]
    for change in report.changes:
        mark = "  over budget" if report.budgets and change.grown else ""
        name = f"{change.group} {change.name}"
        rows.append(
            f"  {name:<26}{_amount(change.accepted):>12}{_amount(change.found):>12}{growth(change):>9}{mark}"
        )
    return rows


def _decisions(report: Report) -> list[str]:
    total, new = len(report.now.recordings), report.uncompared
    if report.before is None:
        return [f"decisions on {total} recordings; none were accepted yet"]
    lines = [f"decisions: {len(report.changed)} of {total - new} recordings changed since accepted"]
    if new:
        lines[0] += f"; {new} are not among the accepted ones"
    if report.before.model != report.now.model:
        lines.append(f"  the model is another one: {report.before.model} then, {report.now.model} now")
    if report.gone:
        lines.append(f"  accepted, but not played now: {', '.join(report.gone)}")
    lines += [f"  {one.name} ({one.now.truth}): {difference(one)}" for one in report.changed]
    for cell in report.cells:
        lines.append(f"  {cell.truth} decided as {named(cell.decided)}: {cell.before} -> {cell.now}")
    return lines


def difference(one: Changed) -> str:
    """knocking 21 -> 15, Unknown (below threshold) 6 -> 12; 6 differ, at 3.100 s first: ..."""
    if one.classes:
        words = ", ".join(f"{named(label)} {was} -> {now}" for label, (was, now) in one.classes.items())
    else:
        words = f"{counts(one.now.counts)} as before, in other windows or with other scores"
    found = one.places
    if not found:
        return words if one.classes else f"{words}; which ones was not stored"
    was, now = (_decided(each) for each in (found[0].before, found[0].now))
    differ = f"{len(found)} differ" if len(found) > 1 else "1 differs"
    return f"{words}; {differ}, at {found[0].end / one.rate:.3f} s first: {was} before, {now} now"


def _decided(one: Decided | None) -> str:
    return "no decision" if one is None else f"{named(one.label)} with score {one.score}"


def named(label: str) -> str:
    """What the device calls Unknown is no class: an app may have one of that name beside it."""
    return f"{label} (below threshold)" if label == UNKNOWN else label


def counts(found: Mapping[str, int]) -> str:
    """21 knocking, 6 Unknown (below threshold)."""
    return ", ".join(f"{count} {named(label)}" for label, count in found.items()) or "nothing"


def growth(change: Change) -> str:
    """+1.2%, new, gone, or nothing."""
    if change.accepted == change.found or change.accepted is None:
        return ""
    if change.found is None:
        return "gone"
    return "new" if change.share is None else f"{change.share:+.1%}"


def _amount(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
