# SPDX-License-Identifier: Apache-2.0
"""The tables of docs/performance.md, as Markdown; a page holds them between comments that name them.

`smart_lock` and `smart_lock_layers` are of the example; `models` has the models at hand side by side with
TFLM. A table whose models are not at hand is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from codegen.common.errors import UserError
from toolbox.options import EXAMPLE
from workbench.host.model_app import model_app, write_whole
from workbench.profiling.baselines import MODELS, TUTORIAL, Baseline
from workbench.profiling.profile import Profile, profile

# Instructions for 32 multiply-accumulates where two channels and four positions share every load: 8 SMLAD a
# channel pair with int8 weights widened in registers, or with weights stored as int16.
BOUND = {"small": 30 / 32, "fast": 28 / 32}


EXAMPLE_TABLES = ("smart_lock", "smart_lock_layers")


def example_tables() -> dict[str, str]:
    """The example's: `smart_lock` and `smart_lock_layers`."""
    found = {kernels: profile(EXAMPLE, kernels=kernels) for kernels in ("small", "fast")}
    return {"smart_lock": _example(found), "smart_lock_layers": _layers(found["small"])}


def model_table(folder: Path) -> str | None:
    """`models`: those that lie below `folder`, the baselines' first; None where there is none."""
    known = [(baseline.model, baseline) for baseline in MODELS]
    found = sorted(str(file.relative_to(folder).with_suffix("")) for file in folder.rglob("*.tflite"))
    others = [(name, None) for name in found if name not in dict(known)]
    rows = []
    for name, baseline in (*known, *others):
        file = folder / f"{name}.tflite"
        if file.is_file():
            app = model_app(file).spec.file.parent
            small, fast = (profile(app, kernels=kernels) for kernels in ("small", "fast"))
            rows.append(_model(name, baseline, small, fast))
    if not rows:
        return None
    return _table(
        [
            "model",
            "MAC",
            "TFLM, reference kernels",
            "TFLM + CMSIS-NN",
            "Earshot small",
            "Earshot fast",
            "times fewer",
            "MAC per instruction",
            "flash B: TFLM / small / fast",
            "RAM B: TFLM / Earshot",
        ],
        rows,
    )


def _model(name: str, baseline: Baseline | None, small: Profile, fast: Profile) -> list[str]:
    """A row; what was not measured with TFLM is a dash."""
    flash = [f"{found.flash.total:,}" for found in (small, fast)]
    ratios = (
        "-" if baseline is None else f"{baseline.cmsis_nn / found.decisions.full:.2f}"
        for found in (small, fast)
    )
    return [
        f"`{name}`" if baseline is None else f"{baseline.name} (`{name}`)",
        f"{small.mac:,}",
        "-" if baseline is None else f"{baseline.reference:,}",
        "-" if baseline is None else f"{baseline.cmsis_nn:,}",
        f"{small.decisions.full:,}",
        f"{fast.decisions.full:,}",
        " / ".join(ratios),
        f"{small.mac / small.decisions.full:.3f} / {small.mac / fast.decisions.full:.3f}",
        " / ".join(["-" if baseline is None else f"{baseline.flash:,}", *flash]),
        f"{'-' if baseline is None else f'{baseline.ram:,}'} / {small.ram.total:,}",
    ]


def _example(found: Mapping[str, Profile]) -> str:
    """What a window and a decision take, small, fast and with TFLM."""
    small, fast = found["small"], found["fast"]
    rows = [
        [f"stage {stage.name}", f"{stage.instructions:,}", f"{other.instructions:,}", ""]
        for stage, other in zip(small.stages, fast.stages, strict=True)
    ]
    full = f"{TUTORIAL.cmsis_nn:,}"
    pairs = (
        ("decision, full", small.decisions.full, fast.decisions.full),
        ("decision, incremental", small.decisions.incremental, fast.decisions.incremental),
        ("decision, worst after a gap", small.decisions.worst, fast.decisions.worst),
        ("incremental, cycles (estimate)", small.cycles.incremental, fast.cycles.incremental),
        ("full, cycles (estimate)", small.cycles.full, fast.cycles.full),
    )
    rows += [[name, f"{a:,}", f"{b:,}", "" if "cycles" in name else full] for name, a, b in pairs]
    times = [TUTORIAL.cmsis_nn / (one.decisions.incremental or 1) for one in (small, fast)]
    rows += [
        ["times fewer instructions than TFLM", f"{times[0]:.1f}", f"{times[1]:.1f}", "1"],
        ["flash, code B", f"{small.flash.code:,}", f"{fast.flash.code:,}", f"{TUTORIAL.code:,}"],
        [
            "flash, constants B",
            f"{small.flash.constants:,}",
            f"{fast.flash.constants:,}",
            f"{TUTORIAL.flash - TUTORIAL.code:,}",
        ],
        ["RAM, arena B", f"{small.ram.arena:,}", f"{fast.ram.arena:,}", f"{TUTORIAL.arena:,}"],
        ["RAM, state B", f"{small.ram.state:,}", f"{fast.ram.state:,}", ""],
        ["RAM, all with stack B", f"{small.ram.total:,}", f"{fast.ram.total:,}", f"{TUTORIAL.ram:,}"],
    ]
    return _table(["smart_lock on mps2_an386", "small", "fast", "TFLM + CMSIS-NN"], rows)


def _layers(found: Profile) -> str:
    """What each layer takes, and the bound of its convolution or dense arithmetic."""
    rows = []
    for layer in found.layers:
        mac, count = layer.mac_incremental or 0, layer.incremental or 0
        bound = round(mac * BOUND[found.kernels])
        rows.append(
            [
                f"{layer.name} {layer.op}".strip(),
                f"{layer.mac:,}" if layer.mac else "",
                f"{layer.instructions:,}",
                layer.mode,
                f"{mac:,}" if mac else "",
                f"{count:,}",
                f"{bound:,}" if bound else "",
                f"{bound / count:.0%}" if bound and count else "",
                f"{layer.state:,}" if layer.state else "",
            ]
        )
    heads = ["layer", "MAC", "full", "mode", "MAC", "incremental", "bound", "of it", "state B"]
    return _table(heads, rows)


def _table(heads: list[str], rows: list[list[str]]) -> str:
    right = ["---" if index == 0 else "---:" for index in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, right, *rows))


def block(page: str, name: str) -> str | None:
    """The table of this name in a page's text."""
    match = _block(name).search(page)
    return match[2].rstrip("\n") if match else None


def renew_page(page: Path, tables: Mapping[str, str]) -> None:
    """Writes these tables into a page, whose other lines stay. Of tables that are all "" only the places are
    looked for, before long work. UserError where it cannot be read or written, or has no place for one."""
    try:
        text = page.read_text(encoding="utf-8")
        renewed = with_tables(text, tables)
        if any(tables.values()):
            write_whole(page, renewed.encode())
    except OSError as error:
        raise UserError(f"cannot be renewed: {error.strerror}", file=page) from None
    except UnicodeDecodeError:
        raise UserError("is no text in UTF-8", file=page, remedy="Name a page of Markdown.") from None
    except UserError as error:
        raise UserError(error.what, file=page, remedy=error.remedy) from None


def with_tables(page: str, tables: Mapping[str, str]) -> str:
    """The page's text with these tables. UserError where it has no place for one."""
    for name, table in tables.items():
        match = _block(name).search(page)
        if match is None:
            raise UserError(
                f'the page has no place for the table "{name}"',
                remedy=f"Write the lines <!-- {name} --> and <!-- end --> where it belongs.",
            )
        page = page[: match.start(2)] + table + "\n" + page[match.end(2) :]
    return page


def _block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)
