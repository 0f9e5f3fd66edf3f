# SPDX-License-Identifier: Apache-2.0
"""Models that others published, as a table: is it the same on this computer and on the emulated core, and
what does it take? The models are not part of this project; sources.toml says where each was found."""

from __future__ import annotations

import hashlib
import re
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


def public_table(models: Sequence[Path], samples: int, seed: int) -> str:
    """Markdown; known models first, in the order of sources.toml, the others by their file's name. What
    differs() tells of it."""
    return markdown(HEADS, 5, in_order(models, lambda model, source: _row(model, source, samples, seed)))


def in_order(models: Sequence[Path], row_of: Callable[[Path, Source | None], list[str]]) -> list[list[str]]:
    """A row of each model: known ones as sources.toml has them, then the others by their first cell."""
    known = {source.sha256: (place, source) for place, source in enumerate(sources())}
    rows = []
    for model in models:
        place, source = known.get(_hash(model), (len(known), None))
        rows.append((place, row_of(model, source)))
    rows.sort(key=lambda pair: (pair[0], pair[1][0]))
    return [row for _, row in rows]


def markdown(heads: Sequence[str], words: int, rows: Sequence[Sequence[str]]) -> str:
    """A table, whose first columns are words and whose others are numbers."""
    right = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, right, *rows))


def differs(table: str) -> bool:
    """Whether a value of a public_table() differs."""
    return re.search(r", (?!0 )[\d,]+ differing", table) is not None


def _hash(model: Path) -> str:
    return hashlib.sha256(model.read_bytes()).hexdigest()[:16]


def _row(model: Path, source: Source | None, samples: int, seed: int) -> list[str]:
    """One model's; what refuses it is said in place of its numbers."""
    start = [model.stem, ""] if source is None else [source.name, f"{source.repository}: {source.path}"]
    try:
        reference, cells = _compared(model_app(model), samples, seed)
        found = profile(model_app(model, reference=reference).spec.file.parent)
    except (UserError, NoReferenceError) as error:
        said = error.what if isinstance(error, UserError) else str(error)
        return [*start, "", said.split("\n")[0].replace("|", "/"), "", "", ""]
    return [*start, reference.value, *cells, f"{found.decisions.full:,}", f"{found.ram.total:,}"]


def _compared(app: App, samples: int, seed: int) -> tuple[Reference, list[str]]:
    """Against LiteRT, or TensorFlow Lite Micro where LiteRT has no reference of it."""
    try:
        return Reference.LITERT, _cells(app, Reference.LITERT, samples, seed)
    except NoReferenceError:
        other = model_app(app.spec.classifier.model, reference=Reference.TFLM)
        return Reference.TFLM, _cells(other, Reference.TFLM, samples, seed)


def _cells(app: App, reference: Reference, samples: int, seed: int) -> list[str]:
    cells = []
    for target, count in (("pc", samples), ("qemu", samples // _SHARE)):
        wanted = Wanted(target, "aot", reference, count, seed, sequence=True, layers=False)
        results = verify_model(app, wanted).results.values()
        compared, differing = (sum(getattr(one, key) for one in results) for key in ("compared", "differing"))
        cells.append(f"{compared:,} values, {differing:,} differing")
    return cells
