# SPDX-License-Identifier: Apache-2.0
"""Contradictions in pipeline.toml: values right by themselves that do not fit together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from codegen.app.spec import Kind
from codegen.app.tables.after import UNIT
from codegen.common.errors import UserError
from codegen.common.toml_place import TomlFile

Values = dict[
    tuple[str, str], Any
]  # (section, key): what was read or its default; absent where it is at fault

_ONE_LABEL = {
    Kind.BINARY.value: "of what the model's one output is the probability of",
    Kind.ANOMALY.value: "of what the model does not give back as it was given",
}
_INTO_TENSOR = (("classifier", "offset"), ("classifier", "rounding"))


def _filters(values: Values, section: str, fault: Callable[..., UserError]) -> Iterator[UserError]:
    """Where the filters of a front end lie."""
    rate, low, high = ("audio", "sample_rate"), (section, "low_hz"), (section, "high_hz")
    if rate in values and high in values and 2 * Decimal(values[high]) > values[rate]:
        yield fault(
            f"filters up to {values[high]:g} Hz; sound of {values[rate]} Hz reaches to half its sample rate",
            f"Write high_hz = {values[rate] // 2} or less.",
            high,
            rate,
        )
    if low in values and high in values and Decimal(values[low]) >= Decimal(values[high]):
        what = f"filters from {values[low]:g} Hz up to {values[high]:g} Hz; low_hz is less than high_hz"
        yield fault(what, "Write low_hz = 20, or a higher high_hz.", low, high)


def _scale(toml: TomlFile, values: Values, fault: Callable[..., UserError]) -> Iterator[UserError]:
    """How the front end's values become features, and those the tensor."""
    minimum, maximum = ("scale", "minimum"), ("scale", "maximum")
    if minimum in values and maximum in values and values[minimum] >= values[maximum]:
        what = f"minimum {values[minimum]} and maximum {values[maximum]}; the minimum is less"
        yield fault(what, "Exchange them, or leave both away.", minimum, maximum)

    for section, unit in UNIT.items():
        written = values.get((section, "mean")) or values.get((section, "deviation"))
        if section in toml.data and written and not {minimum, maximum} <= set(toml.lines):
            yield fault(
                "mean and deviation change what the values are, and [scale] does not say which become 0..255",
                f"Write [scale] minimum and maximum: {-4 * unit} and {4 * unit} are -4..4 deviations.",
                (section, "deviation" if values.get((section, "deviation")) else "mean"),
            )

    formula = ("scale", "formula")
    if values.get(formula) is not None:
        if "micro_frontend" not in toml.data:
            what = f'formula = "{values[formula]}" is for the values of [micro_frontend]'
            yield fault(what, "Write minimum and maximum in its place.", formula)
        beside = [
            key for key in (minimum, maximum, ("scale", "rounding"), *_INTO_TENSOR) if key in toml.lines
        ]
        if beside:
            what = f"{beside[0][1]} beside a formula, which says all of how features enter the model"
            yield fault(what, "Leave one of them away.", beside[0])


def _decision(values: Values, fault: Callable[..., UserError]) -> Iterator[UserError]:
    """Labels, their thresholds, and what the model's output says of them."""

    def known(*keys: tuple[str, str]) -> bool:
        return all(key in values for key in keys)

    labels, threshold, kind = ("decision", "labels"), ("decision", "threshold"), ("decision", "kind")
    if known(labels) and values.get(kind) in (Kind.BINARY.value, Kind.ANOMALY.value):
        count, what = len(values[labels]), _ONE_LABEL[values[kind]]
        if count != 1:
            yield fault(
                f'{count} labels; kind = "{values[kind]}" has one, {what}',
                f'Write labels = ["{values[labels][-1]}"]: what is not that is Unknown. For a score a label '
                "leave kind away.",
                labels,
            )
    if known(labels, threshold) and isinstance(values[threshold], tuple):
        count = len(values[threshold])
        if count != len(values[labels]):
            yield fault(
                f"{count} thresholds for {len(values[labels])} labels; a number, or one a label, is allowed",
                "Write a threshold for each label, in the order of labels.",
                threshold,
            )


def contradictions(toml: TomlFile, values: Values) -> Iterator[UserError]:
    """Faults between values that are right by themselves."""

    def fault(what: str, remedy: str, *keys: tuple[str, str]) -> UserError:
        # The place is the first of the keys that the user wrote; the others are defaults.
        written = [key for key in keys if key in toml.lines]
        return UserError(what, file=toml.path, place=toml.place(*(written or keys)[0]), remedy=remedy)

    def known(*keys: tuple[str, str]) -> bool:
        return all(key in values for key in keys)

    size, stride, fft = ("window", "size"), ("window", "stride"), ("mfcc", "fft")
    if known(size, stride) and values[stride] > values[size] and stride not in toml.lines:
        yield fault(
            f"windows of {values[size]} samples, and the stride, which is not written, is {values[stride]}",
            f"Write stride = {values[size]}, or how many samples lie from one window's first to the next's.",
            size,
        )
    if known(size, fft) and values[size] > values[fft]:
        remedy = f"Write fft = {max(128, 1 << (values[size] - 1).bit_length())}."
        what = f"a window of {values[size]} samples does not fit an FFT of {values[fft]} points"
        yield fault(what, remedy, fft, size)

    for section in ("mfcc", "micro_frontend", "log_mel"):
        yield from _filters(values, section, fault)

    cepstra, filters = ("mfcc", "cepstra"), ("mfcc", "filters")
    if known(cepstra, filters) and values[cepstra] > values[filters]:
        what = f"{values[cepstra]} cepstra of {values[filters]} filters; there are at most as many as filters"
        yield fault(what, f"Write cepstra = {values[filters]} or less, or more filters.", cepstra, filters)

    yield from _scale(toml, values, fault)

    outputs = ("classifier", "layer_outputs")
    if values.get(outputs) and set(toml.data) != {"classifier"}:
        what = "the outputs of all layers are for a bare model: a file with [classifier] alone"
        yield fault(what, "Leave the key away; `earshot verify --layers` sets it where it needs it.", outputs)

    every, slide = ("cascade", "every"), ("cascade", "slide")
    if values.get(every, 1) > 1 and not values.get(slide, True):
        what = f"a decision every {values[every]} windows, and every decision empties the cascade"
        yield fault(
            what, "Leave the key every away, or slide: one of them says when to decide.", every, slide
        )

    engine, reference = ("classifier", "engine"), ("classifier", "reference")
    if values.get(engine) == "tflm" and values.get(reference) not in (None, "tflm"):
        what = f'the engine tflm has the bits of TensorFlow Lite Micro, not of "{values[reference]}"'
        yield fault(what, "Leave the key reference away.", reference, engine)

    in_ram = ("classifier", "ram_weights")
    if values.get(engine) == "tflm" and values.get(in_ram):
        what = "the engine tflm reads its weights where the model lies"
        yield fault(what, "Leave the key ram_weights away.", in_ram, engine)

    yield from _decision(values, fault)
