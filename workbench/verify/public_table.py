# SPDX-License-Identifier: Apache-2.0
"""Models that others published, as a table: is it the same on this computer and on the emulated core, and
what does it take? The models are not part of this project; sources.toml says where each was found."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.common.errors import UserError
from codegen.common.reference import Reference
from codegen.compile import App
from workbench.host.model_app import model_app
from workbench.profiling.profile import profile
from workbench.verify.model import Wanted, verify_model
from workbench.verify.reference import NoReferenceError

SOURCES = Path(__file__).with_name("sources.toml")
HEADS = ("model", "from", "bits of", "on this computer", "on a Cortex-M4 (QEMU)", "instructions", "RAM B")
Counts = tuple[int, int]  # values compared, and those that differ
_SHARE = 8  # of the samples, on the emulated core


@dataclass(frozen=True)
class Source:
    """Where a model was found. sha256: its first 16 digits; published: cycles, of what, and where; "" """

    name: str
    repository: str
    path: str
    sha256: str
    published: str = ""


def sources() -> tuple[Source, ...]:
    """All known ones, in the order of the file."""
    found = tomllib.loads(SOURCES.read_text(encoding="utf-8"))["model"]
    return tuple(Source(**one) for one in found)


def public_table(models: Sequence[Path], samples: int, seed: int) -> tuple[str, bool]:
    """Markdown, and whether no value differs; known models first, in the order of sources.toml, the others by
    their file's name."""
    differing: list[int] = []
    rows = in_order(models, lambda model, source: _row(model, source, samples, seed, differing))
    return markdown(HEADS, 5, rows), not any(differing)


def in_order(models: Sequence[Path], row_of: Callable[[Path, Source | None], list[str]]) -> list[list[str]]:
    """A row of each model: known ones as sources.toml has them, then the others by their first cell."""
    known = {source.sha256: (place, source) for place, source in enumerate(sources())}
    rows = []
    for model in models:
        place, source = known.get(content_hash(model), (len(known), None))
        rows.append((place, row_of(model, source)))
    rows.sort(key=lambda pair: (pair[0], pair[1][0]))
    return [row for _, row in rows]


def markdown(heads: Sequence[str], words: int, rows: Sequence[Sequence[str]]) -> str:
    """A table, whose first columns are words and whose others are numbers."""
    right = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, right, *rows))


def content_hash(model: Path) -> str:
    """As sources.toml has it."""
    return hashlib.sha256(model.read_bytes()).hexdigest()[:16]


def _row(model: Path, source: Source | None, samples: int, seed: int, differing: list[int]) -> list[str]:
    """One model's; what refuses it is said in place of its numbers. differing: gets how many values do"""
    start = [model.stem, ""] if source is None else [source.name, f"{source.repository}: {source.path}"]
    try:
        reference, counts = _compared(model_app(model), samples, seed)
        found = profile(model_app(model, reference=reference).spec.file.parent)
    except (UserError, NoReferenceError) as error:
        said = error.what if isinstance(error, UserError) else str(error)
        return [*start, "", said.split("\n")[0].replace("|", "/"), "", "", ""]
    differing += [apart for _, apart in counts]
    cells = [f"{compared:,} values, {apart:,} differing" for compared, apart in counts]
    return [*start, reference.value, *cells, f"{found.decisions.full:,}", f"{found.ram.total:,}"]


def _compared(app: App, samples: int, seed: int) -> tuple[Reference, list[Counts]]:
    """Against LiteRT, or TensorFlow Lite Micro where LiteRT has no reference of it."""
    try:
        return Reference.LITERT, _counts(app, Reference.LITERT, samples, seed)
    except NoReferenceError:
        other = model_app(app.spec.classifier.model, reference=Reference.TFLM)
        return Reference.TFLM, _counts(other, Reference.TFLM, samples, seed)


def _counts(app: App, reference: Reference, samples: int, seed: int) -> list[Counts]:
    """On this computer and on the emulated core."""
    counts = []
    for target, count in (("pc", samples), ("qemu", samples // _SHARE)):
        wanted = Wanted(target, "aot", reference, count, seed, sequence=True, layers=False)
        results = verify_model(app, wanted).results.values()
        compared, differing = (sum(getattr(one, key) for one in results) for key in ("compared", "differing"))
        counts.append((compared, differing))
    return counts
