# SPDX-License-Identifier: Apache-2.0
"""What models take, as a table: both modes of the kernels, beside what TensorFlow Lite Micro takes and what
others published. sources.toml says where each model and each published figure was found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from codegen.common.errors import UserError
from workbench.host.model_app import model_app
from workbench.profiling.baselines import MODELS
from workbench.profiling.profile import profile
from workbench.verify.public_table import Source, in_order, markdown

HEADS = (
    "model",
    "MAC",
    "instructions: small / fast",
    "TFLM + CMSIS-NN",
    "MAC per instruction",
    "in general kernels",
    "cycles, estimate",
    "published cycles",
    "flash B: small / fast",
    "RAM B",
)


def cost_table(models: Sequence[Path]) -> str:
    """Markdown; known models first, in the order of sources.toml, the others by their file's name."""
    return markdown(HEADS, 1, in_order(models, _row))


def _row(model: Path, source: Source | None) -> list[str]:
    """One model's; what refuses it is said in place of its numbers."""
    name = model.stem if source is None else source.name
    try:
        app = model_app(model).spec.file.parent
        small, fast = (profile(app, kernels=kernels) for kernels in ("small", "fast"))
    except UserError as error:
        return [name, error.what.split("\n")[0].replace("|", "/"), *[""] * (len(HEADS) - 2)]
    known = None if source is None else next((one for one in MODELS if Path(one.model).name == name), None)
    both = (small, fast)
    return [
        name,
        f"{small.mac:,}",
        " / ".join(f"{found.decisions.full:,}" for found in both),
        "-" if known is None else f"{known.cmsis_nn:,}",
        " / ".join(f"{found.mac / found.decisions.full:.3f}" for found in both),
        f"{small.general_share:.1%}",
        f"{small.cycles.full:,}",
        source.published if source is not None and source.published else "-",
        " / ".join(f"{found.flash.total:,}" for found in both),
        f"{small.ram.total:,}",
    ]
