# SPDX-License-Identifier: Apache-2.0
"""The table of docs/models.md: published models from sound to decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from workbench.profiling.profile import Profile
from workbench.progress import remark
from workbench.published.catalogue import AbsentError, Folders, Published, published_models
from workbench.published.compare import Compared, Detections, Differing, compare
from workbench.verify.public_table import markdown
from workbench.verify.reference import NoReferenceError

HEADS = (
    "model",
    "from",
    "front end",
    "test sound",
    "the publisher detects",
    "Earshot, PC",
    "Earshot, Cortex-M4 (QEMU)",
    "features differing",
    "scores differing",
    "decisions QEMU / PC differing",
    "instructions a decision",
    "flash B",
    "RAM B",
)
_NUMBERS = 3  # columns at the right
SKIPPED = "skipped"


@dataclass(frozen=True)
class Row:
    """A model's. same: nothing is otherwise than its publisher has it; skipped: for it lacks something"""

    cells: tuple[str, ...]
    same: bool
    skipped: bool = False


def rows(folders: Sequence[Path], most: int | None) -> list[Row]:
    """One a model of models.toml. A model that lacks something says what. UserError: a folder is none."""
    there = Folders(folders)
    return [_row(published, there, most) for published in published_models()]


def table(found: Sequence[Row]) -> str:
    """Markdown."""
    return markdown(HEADS, len(HEADS) - _NUMBERS, [row.cells for row in found])


def _row(published: Published, folders: Folders, most: int | None) -> Row:
    start = (published.name, published.repository)
    remark(f"{published.name}, of {published.repository}")
    try:
        found = compare(published, folders, most)
    except AbsentError as error:
        return Row(_told(start, f"{SKIPPED}: {error}"), same=True, skipped=True)
    except (UserError, NoReferenceError) as error:
        remark(str(error))
        said = error.what if isinstance(error, UserError) else str(error)
        return Row(_told(start, f"refused: {said}"), same=False)
    return Row((*start, *_cells(published, found)), same(found))


def _told(start: tuple[str, ...], words: str) -> tuple[str, ...]:
    told = words.split("\n", maxsplit=1)[0].replace("|", "/")
    return (*start, told, *[""] * (len(HEADS) - len(start) - 1))


def same(found: Compared) -> bool:
    """As the publisher has it: every detection, and in integers every value; as PC and emulator have it."""
    heard = found.heard
    exact = heard.features.differing + heard.scores.differing == 0 or not found.publisher.exact
    return heard.published == heard.pc == heard.qemu and exact and heard.decisions.differing == 0


def _cells(published: Published, found: Compared) -> tuple[str, ...]:
    heard, words, taken = found.heard, published.words, found.profile
    assert found.app.spec.pipeline is not None
    return (
        f"`[{found.app.spec.pipeline.front_end.section}]`; {found.publisher.code}",
        f"{', '.join(f'`{name}`' for name in published.sounds)}: {heard.sounds}, {heard.seconds:,.0f} s",
        *(_detected(by, words) for by in (heard.published, heard.pc, heard.qemu)),
        *(_differing(one) for one in (heard.features, heard.scores, heard.decisions)),
        f"{instructions(taken, found):,}",
        f"{taken.flash.total:,}",
        f"{taken.ram.image:,}",
    )


def instructions(taken: Profile, found: Compared) -> int:
    """From one decision to the next: front end of every window, and the model."""
    assert found.app.spec.pipeline is not None
    windows = found.app.spec.pipeline.cascade.step
    one = taken.decisions.incremental
    return windows * taken.front_end + (taken.decisions.full if one is None else one)


def _detected(found: Detections, words: Sequence[str]) -> str:
    """Of all sounds together."""
    count = {word: sum(of for (_, heard), of in found.items() if heard == word) for word in words}
    return ", ".join(f"{word} {of}" for word, of in count.items()) if len(words) > 1 else f"{count[words[0]]}"


def _differing(found: Differing) -> str:
    by = f", by {found.largest} at most" if found.largest else ""
    return f"{found.differing:,} of {found.compared:,}{by}"
