# SPDX-License-Identifier: Apache-2.0
"""The energy gate: when it opens, for how long, and what never passes it."""

from __future__ import annotations

from codegen.app.spec import Gate
from codegen.emit.suite import Case, Suite
from workbench.suites.context import Context, case, play, step
from workbench.suites.emulator import FULL_SCALE


def suite(context: Context) -> Suite:
    """Silence, sounds at the threshold, and single loud samples."""
    make, gate = context.make, context.pipeline.gate
    nothing = step("There Should Be No Decision")
    long = 3 * make.cascade
    loud = make.noise(long, FULL_SCALE * 3 // 4 if context.pipeline.audio.dc_block else FULL_SCALE)
    raised = case(
        "Noise below a threshold raised to full scale",
        "gate_raised",
        f"gate.threshold {FULL_SCALE} is never exceeded",
        step("Change Setting", "gate.threshold", FULL_SCALE),
        play(context.sound("full_scale", loud)),
        nothing,
    )
    if gate.threshold < 0:
        cases = [_silence(context, "Silence passes an open gate", "silence", gate, ()), raised]
    else:
        below, _ = _around(context)
        noise = make.noise(long, below) if below else make.silence(long)
        cases = [
            case(
                "Silence",
                "silence",
                "No sample but 0: the gate stays shut",
                play(context.sound("silence", make.silence(long))),
                nothing,
            ),
            case(
                "Noise as loud as the threshold",
                "gate_shut",
                f"The largest sample is {below}, which does not open the gate",
                play(context.sound("at_threshold", noise)),
                nothing,
            ),
            raised,
            _click(context, "A click opens the gate", "gate_click", gate, ()),
        ]
    for key, words in (("backoff", "Back-off of {}"), ("delay", "Delay of {}")):
        for value in (0, 1, 5):
            if value == getattr(gate, key):
                continue
            changed = Gate(gate.threshold, *(value if name == key else getattr(gate, name) for name in TIMES))
            name = words.format(f"{value} window{'s' * (value != 1)}")
            one = _silence if gate.threshold < 0 else _click
            cases.append(one(context, name, f"gate_{key}_{value}", changed, ((f"gate.{key}", value),)))
    return Suite("gate", "The gate opens above its threshold, and for its back-off", tuple(cases))


TIMES = ("backoff", "delay")


def _around(context: Context) -> tuple[int, int]:
    """Peaks that do not open the gate, and do: next to each other, or where a level is taken off the sound
    before, with room for that."""
    threshold = context.pipeline.gate.threshold
    if context.pipeline.audio.dc_block:
        return threshold * 3 // 4, min(FULL_SCALE, threshold + threshold // 4 + 4)
    return threshold, threshold + 1


def _silence(
    context: Context, name: str, slug: str, gate: Gate, settings: tuple[tuple[str, int], ...]
) -> Case:
    """Nothing but zeros, where every window passes."""
    windows = 3 * context.make.cascade + gate.backoff + gate.delay
    sound = context.sound(f"silence_{windows}", context.make.silence(windows))
    decided = decided_windows(gate, [True] * windows, context)
    return case(
        name,
        slug,
        f"gate.threshold {gate.threshold} lets every window pass",
        *(step("Change Setting", key, value) for key, value in settings),
        play(sound),
        step("Decisions Should Be In Windows", *ranges(decided)),
    )


def _click(context: Context, name: str, slug: str, gate: Gate, settings: tuple[tuple[str, int], ...]) -> Case:
    """One sample just above the threshold, after the cascade has filled."""
    make = context.make
    window = make.cascade + 4
    _, above = _around(context)
    sound = make.click(window + gate.backoff + gate.delay + make.cascade + 6, window, above)
    file = context.sound(f"click_{window}_{gate.delay}_{gate.backoff}", sound)
    shape = context.pipeline.window
    windows = range((len(sound) - shape.size) // shape.stride + 1)
    loud = make.clicked(window)
    decided = decided_windows(gate, [index in loud for index in windows], context)
    return case(
        name,
        slug,
        f"One sample of {above}, in window {window}",
        *(step("Change Setting", key, value) for key, value in settings),
        play(file),
        step("Decisions Should Be In Windows", *ranges(decided)),
    )


def decided_windows(gate: Gate, loud: list[bool], context: Context) -> list[int]:
    """As docs/pipeline.md says of [gate] and [cascade]: the expectation that no C made."""
    cascade = context.pipeline.cascade
    decided: list[int] = []
    plan: list[bool] = []
    filled = 0
    for window, exceeds in enumerate(loud):
        if not plan:
            plan = [False] * gate.delay + [True] * (1 + gate.backoff) if exceeds else [False]
        filled += 1
        if plan.pop(0) and filled >= cascade.frames and (window + 1) % cascade.every == 0:
            decided.append(window)
            if not cascade.slide:
                filled = 0
    return decided


def ranges(windows: list[int]) -> list[str]:
    """20, 21, 22, 30 as 20-22 and 30."""
    words: list[str] = []
    start = 0
    for index in range(1, len(windows) + 1):
        if index == len(windows) or windows[index] != windows[index - 1] + 1:
            first, last = windows[start], windows[index - 1]
            words.append(str(first) if first == last else f"{first}-{last}")
            start = index
    return words
