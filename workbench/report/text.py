"""A report for a person at a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.profiling.budgets import Change
from workbench.report.report import Report


def as_text(report: Report) -> str:
    """The tables, and what has changed."""
    lines = [f"{report.profile.app} on {report.profile.board}, build {report.build[:12]}", ""]
    lines += _numbers(report)
    lines += ["", *_decisions(report)]
    return "\n".join(lines)


def verdict(report: Report) -> str:
    """One sentence: over budget, or not."""
    if report.budgets is None:
        return "nothing was accepted for this board yet; accept=1 stores these numbers"
    if report.grown:
        return "OVER BUDGET: " + ", ".join(f"{change.group} {change.name}" for change in report.grown)
    return "within the accepted budgets"


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
    for one in report.changed:
        lines.append(
            f"  {one.name} ({one.now.truth}): {counts(one.before.counts)} -> {counts(one.now.counts)}"
        )
    for cell in report.cells:
        lines.append(f"  {cell.truth} decided as {cell.decided}: {cell.before} -> {cell.now}")
    return lines


def counts(found: Mapping[str, int]) -> str:
    """21 knocking, 6 Unknown."""
    return ", ".join(f"{count} {label}" for label, count in found.items()) or "nothing"


def growth(change: Change) -> str:
    """+1.2%, new, gone, or nothing."""
    if change.accepted == change.found or change.accepted is None:
        return ""
    if change.found is None:
        return "gone"
    return "new" if change.share is None else f"{change.share:+.1%}"


def _amount(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
