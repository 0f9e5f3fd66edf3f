# SPDX-License-Identifier: Apache-2.0
"""An app with several models: what each takes, and all together in one image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.profiling.cycles import Cost
from workbench.profiling.margin import Margin, Work, boards_of, margin_on
from workbench.profiling.memory import Ram
from workbench.profiling.profile import DEFAULT_BOARD, Profile, Profiler, profilers
from workbench.profiling.text import (
    as_json,
    heading,
    layer_lines,
    margin_lines,
    memory_lines,
    ram_object,
    stage_lines,
    sum_lines,
    verdict,
)

HEAD = ("app", "board", "counted_on", "compiler")
OF_IMAGE = (
    "flash",
    "ram",
    "margin",
    "verdicts",
    "front_end",
    "stages",
    *HEAD,
)  # keys that no model has alone


@dataclass(frozen=True)
class Together:
    """Of the models in the order in which they run; window, gate, front end and scale run once for all.

    names: of the classifiers; models: what each takes, all counted in the one image
    steady: instructions of a window while there is sound, on average; worst: where each makes its dearest
    decision in one window
    ram: arena and stack, which all share, are those of the largest; state and weights, the sums
    """

    names: tuple[str, ...]
    models: tuple[Profile, ...]
    steady: int
    worst: int
    ram: Ram
    margins: tuple[Margin, ...]


def profile_together(
    app: Path,
    board_name: str = DEFAULT_BOARD,
    *,
    kernels: str | None = None,
    build_dir: Path | None = None,
) -> Together:
    """Builds and counts; arguments and errors are those of profile()."""
    found = profilers(app, board_name, kernels=kernels, build_dir=build_dir)
    models = tuple(each.profile(found.named, found.shipped) for each in found.each)
    work = _work(found.each)
    rams = [model.ram for model in models]
    ram = Ram(
        arena=max(one.arena for one in rams),
        state=sum(one.state for one in rams),
        stack=max(one.stack for one in rams),
        image=rams[0].image,
        bound=rams[0].bound,
        weights=sum(one.weights for one in rams),
    )
    return Together(
        names=tuple(each.spec.title for each in found.each),
        models=models,
        steady=work.each.instructions + work.one.instructions,
        worst=work.each.instructions + work.worst.instructions,
        ram=ram,
        margins=tuple(margin_on(board, work) for board in boards_of(found.named)),
    )


def _work(each: tuple[Profiler, ...]) -> Work:
    """Of a window, all models awake: a model that decides once in N windows with an Nth of its work."""
    first = each[0]
    assert first.spec.pipeline is not None
    audio, window = first.spec.pipeline.audio, first.spec.pipeline.window
    nothing = Cost(0, 0, 0)
    decisions = [one.stage_cost("decision") for one in each]
    steady = (
        (one.steady_cost() + decided).once_in(one.every) for one, decided in zip(each, decisions, strict=True)
    )
    worst = sum((one.worst_cost() for one in each), sum(decisions, nothing))
    return Work(
        audio.sample_rate / window.stride,
        window.stride,
        first.front_end_cost(),
        sum(steady, nothing),
        1,
        worst,
    )


def together_json(found: Together) -> dict[str, Any]:
    """The object `profile --json` prints of several models."""
    whole = [as_json(model) for model in found.models]
    first = whole[0]
    classifiers = []
    for name, model, each in zip(found.names, found.models, whole, strict=True):
        own = {key: value for key, value in each.items() if key not in OF_IMAGE}
        kept = {"arena": model.ram.arena, "state": model.ram.state, "weights": model.ram.weights}
        classifiers.append({"name": name} | own | {"decision": _decision(model), "ram": kept})
    return {
        **{key: first[key] for key in (*HEAD, "front_end")},
        "stages": [stage for stage in first["stages"] if stage["name"] != "decision"],
        "classifiers": classifiers,
        "together": {"window": found.steady, "worst_window": found.worst},
        "flash": first["flash"],
        "ram": ram_object(found.ram),
        "margin": verdict(found.margins[0]),
        "verdicts": [verdict(margin) for margin in found.margins],
    }


def _decision(model: Profile) -> int:
    return next(stage.instructions for stage in model.stages if stage.name == "decision")


def together_text(found: Together) -> str:
    """The tables `profile` prints of several models."""
    first = found.models[0]
    shared = [stage for stage in first.stages if stage.name != "decision"]
    lines = [*heading(first, kernels=False), "", *stage_lines(shared, first.front_end)]
    for name, model in zip(found.names, found.models, strict=True):
        ram = model.ram
        weights = f", weights {ram.weights:,} B" if ram.weights else ""
        lines += [
            "",
            f"{name}, kernels {model.kernels}:",
            *layer_lines(model),
            "",
            *sum_lines(model),
            f"  and from scores to a class {_decision(model):,}",
            f"  RAM    arena {ram.arena:,} B, state {ram.state:,} B{weights}",
        ]
    lines += [
        "",
        f"{', '.join(found.names)} together:",
        f"  {'a window, on average':<26}{found.steady:>14,}",
        f"  {'worst, all at once':<26}{found.worst:>14,}",
        "",
        *memory_lines(first, found.ram),
        "  The arena is one for all models, which run one after the other; what they keep is each one's own.",
        "",
        *margin_lines(found.margins, "all models awake"),
    ]
    return "\n".join(lines)
