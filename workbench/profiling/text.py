# SPDX-License-Identifier: Apache-2.0
"""A profile for a person, and as the JSON that scripts read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workbench.profiling.cycles import MODEL
from workbench.profiling.margin import RING, Margin
from workbench.profiling.memory import Ram
from workbench.profiling.profile import Decisions, LayerProfile, Profile, StageProfile


def ram_object(ram: Ram) -> dict[str, int | None]:
    """The object `ram` of `profile --json`."""
    return {
        "arena": ram.arena,
        "state": ram.state,
        "stack": ram.stack,
        "weights": ram.weights,
        "total": ram.total,
        "image": ram.image,
        "stack_bound": ram.bound,
    }


def as_json(found: Profile) -> dict[str, Any]:
    """The object `profile --json` prints."""
    margin = found.margin
    return {
        "app": found.app,
        "board": found.board,
        "counted_on": found.counted_on,
        "engine": found.engine,
        "kernels": found.kernels,
        "compiler": found.compiler,
        "instructions": _decisions(found.decisions),
        "missed": found.decisions.missed,
        "mac": found.mac,
        "mac_per_instruction": round(found.mac / found.decisions.full, 4),
        "general_share": round(found.general_share, 4),
        "front_end": found.front_end,
        "layers": [_layer(layer) for layer in found.layers],
        "stages": [
            {"name": stage.name, "instructions": stage.instructions, **_parts(stage.parts)}
            for stage in found.stages
        ],
        "flash": {
            "code": found.flash.code,
            "constants": found.flash.constants,
            "model_constants": found.flash.model,
            "rooms": dict(found.flash.rooms),
        },
        "ram": ram_object(found.ram),
        "estimated_cycles": {**_decisions(found.cycles), "model": MODEL},
        "margin": None if margin is None else verdict(margin),
        "verdicts": [verdict(each) for each in found.margins],
    }


def verdict(margin: Margin) -> dict[str, Any]:
    """Of a board, for --json."""
    return {
        "board": margin.board,
        "virtual": margin.virtual,
        "clock_hz": margin.clock_hz,
        "flash_wait_states": margin.wait_states,
        "windows_per_second": margin.windows_hz,
        "cycles_per_instruction": round(margin.cycles, 3),
        "instructions_per_second": round(margin.instructions * margin.windows_hz),
        "steady_load": round(margin.steady_load, 4),
        "worst_load": round(margin.worst_load, 4),
        "worst_absorbed": margin.absorbed,
    }


def _decisions(found: Decisions) -> dict[str, int | None]:
    return {"full": found.full, "incremental": found.incremental, "worst": found.worst}


def _layer(layer: LayerProfile) -> dict[str, Any]:
    return {
        "name": layer.name,
        "op": layer.op,
        "mac": layer.mac,
        "instructions": layer.instructions,
        "mac_incremental": layer.mac_incremental,
        "incremental": layer.incremental,
        "mode": layer.mode,
        "reason": layer.reason,
        "general": layer.general,
        "state": layer.state,
    }


def _parts(parts: tuple[tuple[str, int], ...]) -> dict[str, Any]:
    return {"parts": [{"name": name, "instructions": count} for name, count in parts]} if parts else {}


def as_text(found: Profile) -> str:
    """The tables `profile` prints."""
    lines = heading(found)
    if found.stages:
        lines += ["", *stage_lines(found.stages, found.front_end)]
    lines += ["", *layer_lines(found), "", *sum_lines(found), "", *memory_lines(found, found.ram)]
    if found.margins:
        every = found.margins[0].every
        which = "each" if every == 1 else f"one in {every}"
        lines += ["", *margin_lines(found.margins, f"{which} with a decision")]
    return "\n".join(lines)


def heading(found: Profile, *, kernels: bool = True) -> list[str]:
    """What was counted on what. kernels: the app's are the model's own"""
    own = f" kernels {found.kernels}," if kernels else ""
    return [
        f"{found.app} on {found.board}: engine {found.engine},{own} GCC {found.compiler}.",
        f"Instructions executed by an emulated {found.counted_on}; they are not cycles.",
    ]


def stage_lines(stages: Sequence[StageProfile], front_end: int) -> list[str]:
    """Stages and their parts; front_end: of every window."""
    lines = [f"  {'stage':<26}{'instructions':>14}"]
    for stage in stages:
        lines.append(f"  {stage.name:<26}{stage.instructions:>14,}")
        lines += [f"    {name:<24}{count:>14,}" for name, count in stage.parts]
    return [*lines, f"  {'every window':<26}{front_end:>14,}"]


def layer_lines(found: Profile) -> list[str]:
    """The layers, a row each, and their sum."""
    incremental = found.decisions.incremental is not None
    wide = max(len(layer.name) for layer in found.layers) + 2
    heads = f"  {'layer':<{wide}}{'operator':<20}{'MAC':>12}{'full':>14}{'MAC/ins.':>10}"
    lines = [heads + (f"{'MAC':>12}{'incremental':>14}{'MAC/ins.':>10}{'state B':>9}" if incremental else "")]
    for layer in found.layers:
        line = f"  {layer.name:<{wide}}{layer.op:<20}" + _share(layer.mac, layer.instructions)
        if layer.incremental is not None and layer.mac_incremental is not None:
            line += _share(layer.mac_incremental, layer.incremental) + f"{layer.state or '':>9}"
        lines.append(line.rstrip())
    line = f"  {'sum':<{wide + 20}}" + _share(found.mac, found.decisions.full)
    if found.decisions.incremental is not None:
        mac = sum(layer.mac_incremental or 0 for layer in found.layers)
        line += _share(mac, found.decisions.incremental)
    reasons = [f"  {layer.name} in full: {layer.reason}" for layer in found.layers if layer.reason]
    return [*lines, line, *(reasons[:1] if incremental else []), *_general(found)]


def _general(found: Profile) -> list[str]:
    """Which layers no fast kernel serves, and what they are of the whole."""
    if found.engine == "tflm":
        return []
    reasons = [f"    {layer.name}: {layer.general}" for layer in found.layers if layer.general]
    return [f"  in general kernels: {found.general_share:.1%} of the instructions", *reasons]


def _share(mac: int, instructions: int) -> str:
    share = f"{mac / instructions:.3f}" if mac and instructions else ""
    return (
        f"{mac or '':>12,}{instructions:>14,}{share:>10}" if mac else f"{'':>12}{instructions:>14,}{'':>10}"
    )


def sum_lines(found: Profile) -> list[str]:
    """A decision in full, incremental, worst."""
    counts, cycles = found.decisions, found.cycles
    head = f"  {'a decision':<26}{'instructions':>14}{'cycles, est.':>14}"
    rows = [("full", counts.full, cycles.full)]
    if counts.incremental is not None and cycles.incremental is not None:
        rows.append(("incremental", counts.incremental, cycles.incremental))
    gap = f", {counts.missed} frames later" if found.stages else ""
    rows.append((f"worst{gap}", counts.worst, cycles.worst))
    return [
        head,
        *(f"  {name:<26}{count:>14,}{estimate:>14,}" for name, count, estimate in rows),
        f"  The estimate: {MODEL}.",
    ]


def memory_lines(found: Profile, ram: Ram) -> list[str]:
    """Flash and RAM of the image."""
    flash = found.flash
    return [
        f"  flash  code {flash.code:,} B, constants {flash.constants:,} B (of the model {flash.model:,})",
        "         code by room: " + ", ".join(f"{name} {size:,}" for name, size in flash.rooms),
        f"  RAM    arena {ram.arena:,} B, state {ram.state:,} B, stack {ram.stack:,} B"
        f"{f', weights {ram.weights:,} B' if ram.weights else ''}: "
        f"{ram.total:,} B from sound to scores; the image {ram.image:,} B",
        *(
            [f"         stack of the image: {ram.bound:,} B at most, by its calls, an interrupt included"]
            if ram.bound is not None
            else []
        ),
    ]


def margin_lines(margins: Sequence[Margin], which: str) -> list[str]:
    """One row a board: the real ones, and last a virtual one, whose clock is of no chip. which: windows"""
    margin = margins[0]
    lines = [
        f"  {margin.windows_hz:g} windows a second, {which}: "
        f"{margin.instructions * margin.windows_hz / 1e6:.2f} M instructions a second.",
        "  Does a board keep up? By estimated cycles, with the wait states of its flash:",
        f"  {'board':<14}{'MHz':>7}{'waits':>7}{'cycles/ins.':>13}   "
        f"{'while there is sound':<28}{'the window of the worst decision'}",
    ]
    for each in sorted(margins, key=lambda each: each.virtual):
        lines.append(
            f"  {each.board:<14}{each.clock_hz / 1e6:>7g}{each.wait_states:>7}{each.cycles:>13.2f}   "
            f"{_busy(each.steady_load):<28}{worst_verdict(each)}"
            + ("   (virtual: no chip runs at this clock)" if each.virtual else "")
        )
    return lines


def worst_verdict(margin: Margin) -> str:
    """Of the window with the dearest decision; of one that stays below its stride, whether its samples can
    wait."""
    if margin.worst_load > 1 and margin.absorbed:
        return f"{margin.worst_load:.2f} windows long; the samples that wait have room"
    if margin.worst_load <= 1 and margin.worst_load > margin.ring:
        waiting = margin.worst_load * RING / margin.ring
        return f"loses samples: {waiting:,.0f} wait, there is room for {RING:,}"
    return _busy(margin.worst_load)


def _busy(load: float) -> str:
    if load <= 1:
        return f"keeps up, busy {load:.1%}"
    return f"too slow, {load:.2f} times"
