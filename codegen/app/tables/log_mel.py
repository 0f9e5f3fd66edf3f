# SPDX-License-Identifier: Apache-2.0
"""All tables of the log mel energies, and what settings they can have. All arithmetic is float64's.

Definitions: Kaldi's feature-window.cc and mel-computations.cc; librosa's filters.mel, which has the scale of
HTK and Slaney's of the Auditory Toolbox.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from codegen.app.spec import Audio, LogMel, Window
from codegen.app.tables.rounding import nearest
from codegen.common.errors import UserError

FFT_MIN, FFT_MAX = 64, 4096
SAMPLE_BITS = 14  # of a sample before the window's normalisation
SLANEY_LINEAR_HZ = 200 / 3  # a unit of Slaney's scale below 1 kHz
SLANEY_BREAK = 15.0  # 1000 Hz on it
SLANEY_STEP = math.log(6.4) / 27  # of the natural logarithm to a unit above

UNITS = {"natural": math.log(2), "log2": 1.0, "db": 10 * math.log10(2)}  # of a logarithm to the base 2


@dataclass(frozen=True)
class LogMelTables:
    """What log_mel_t holds, as integers."""

    fft: int  # points
    preemphasis: int  # Q30
    weights: tuple[int, ...]  # Q30
    sines: tuple[int, ...]  # Q30
    firsts: tuple[int, ...]
    counts: tuple[int, ...]
    units: tuple[int, ...]  # Q20
    mel: tuple[int, ...]  # 0..65535
    addends: tuple[tuple[int, int], ...]  # mantissa, exponent; empty where nothing is added
    log2: tuple[int, ...]  # Q20
    floor: int  # Q20
    unit: int  # Q24


def log_mel_points(window: Window, mel: LogMel) -> int:
    """Of the FFT: as written, or the smallest power of 2 that holds a window."""
    return mel.fft or max(FFT_MIN, 1 << (window.size - 1).bit_length())


def log_mel_scratch_bytes(window: Window, mel: LogMel) -> int:
    """Memory that log_mel_frame() uses between its start and its end: fft int32."""
    return 4 * log_mel_points(window, mel)


def log_mel_tables(audio: Audio, window: Window, mel: LogMel) -> LogMelTables:
    """The tables of settings that passed check_log_mel()."""
    points = log_mel_points(window, mel)
    firsts: list[int] = []
    counts: list[int] = []
    units: list[float] = []
    weights: list[int] = []
    for first, triangle in triangles(audio.sample_rate, points, mel):
        largest = max(triangle)
        firsts.append(first)
        counts.append(len(triangle))
        weights += [nearest(65535 * weight / largest) for weight in triangle]
        units.append(math.log2(largest / 65535) + _unit_of_bins(window, points, mel))
    return LogMelTables(
        fft=points,
        preemphasis=nearest(2**30 * mel.preemphasis),
        weights=tuple(nearest(2**30 * weight) for weight in window_weights(window.size, mel)[:points]),
        sines=tuple(nearest(2**30 * math.sin(2 * math.pi * i / points)) for i in range(points // 4 + 1)),
        firsts=tuple(firsts),
        counts=tuple(counts),
        units=tuple(nearest(2**20 * unit) for unit in units),
        mel=tuple(weights),
        addends=tuple(_number(mel.offset, unit) for unit in units) if mel.offset else (),
        log2=tuple(nearest(2**20 * math.log2(1 + i / 128)) for i in range(129)),
        floor=nearest(2**20 * math.log2(mel.floor)),
        unit=nearest(2**24 * UNITS[mel.log]),
    )


def _unit_of_bins(window: Window, points: int, mel: LogMel) -> float:
    """log2 of what 1 is of a bin's power, or of 2^31 times its magnitude, before the window's shift."""
    amplitude = math.log2(points) - SAMPLE_BITS - math.log2(32768 / mel.full_scale)
    energy = amplitude - 31 if mel.spectrum == "magnitude" else 2 * amplitude
    return energy - (math.log2(window.size) if mel.per_sample else 0)


def _number(value: float, unit: float) -> tuple[int, int]:
    """value / 2^unit as a mantissa of 32 bits and an exponent."""
    exponent = math.floor(math.log2(value) - unit)
    mantissa = nearest(2 ** (math.log2(value) - unit - exponent + 31))
    return min(mantissa, 2**32 - 1), exponent - 31


def window_weights(size: int, mel: LogMel) -> list[float]:
    """The window function, size values of 0..1; a symmetric one ends as it begins."""
    length = size if mel.periodic else size - 1
    turns = [math.cos(2 * math.pi * i / length) for i in range(size)]
    if mel.window == "hann":
        return [0.5 - 0.5 * turn for turn in turns]
    if mel.window == "hamming":
        return [0.54 - 0.46 * turn for turn in turns]
    if mel.window == "povey":
        return [(0.5 - 0.5 * turn) ** 0.85 for turn in turns]
    return [1.0] * size


def to_mel(hertz: float, scale: str) -> float:
    """A frequency on a mel scale; kaldi's is htk's in other units."""
    if scale != "slaney":
        return 1127 * math.log1p(hertz / 700)
    if hertz < SLANEY_BREAK * SLANEY_LINEAR_HZ:
        return hertz / SLANEY_LINEAR_HZ
    return SLANEY_BREAK + math.log(hertz / (SLANEY_BREAK * SLANEY_LINEAR_HZ)) / SLANEY_STEP


def to_hertz(mel: float, scale: str) -> float:
    """The frequency of a place on a mel scale."""
    if scale != "slaney":
        return 700 * math.expm1(mel / 1127)
    if mel < SLANEY_BREAK:
        return mel * SLANEY_LINEAR_HZ
    return SLANEY_BREAK * SLANEY_LINEAR_HZ * math.exp(SLANEY_STEP * (mel - SLANEY_BREAK))


def triangles(rate: int, points: int, mel: LogMel) -> list[tuple[int, list[float]]]:
    """Of each filter its first bin and its weights above 0; none where it lies between two bins.

    The sides of kaldi's triangles are straight on the mel scale, those of the others in Hz.
    """
    low, high = to_mel(mel.low_hz, mel.scale), to_mel(mel.high_hz, mel.scale)
    edges = [low + (high - low) * i / (mel.filters + 1) for i in range(mel.filters + 2)]
    bins = [k * rate / points for k in range(points // 2)]
    corners = [to_hertz(edge, mel.scale) for edge in edges]
    widths = [right - left for left, right in zip(corners, corners[2:], strict=False)]
    if mel.scale == "kaldi":
        bins, corners = [to_mel(hertz, "kaldi") for hertz in bins], edges
    found = []
    for i, width in enumerate(widths):
        left, centre, right = corners[i : i + 3]
        sides = [min((x - left) / (centre - left), (right - x) / (right - centre)) for x in bins]
        inside = [k for k in range(1, len(bins)) if sides[k] > 0]
        height = 2 / width if mel.norm == "slaney" else 1.0
        found.append((inside[0] if inside else 1, [height * sides[k] for k in inside]))
    return found


def check_log_mel(audio: Audio, window: Window, mel: LogMel) -> None:
    """Settings in their ranges that still make no features: UserError.

    Ranges of single values and low_hz < high_hz <= sample_rate / 2 are expected to hold.
    """
    if mel.carried and window.stride > window.size:
        raise UserError(
            f"the sample before a window is of a gap: windows of {window.size} every {window.stride}",
            place="[log_mel] carried",
            remedy="Write carried = false, or a stride of at most the size.",
        )
    points = log_mel_points(window, mel)
    deaf = _deaf(audio, points, mel)
    if deaf is None:
        return
    fitting = next((n for n in range(mel.filters - 1, 0, -1) if _deaf(audio, points, mel, n) is None), None)
    remedies = [f"filters = {fitting}"] if fitting else []
    remedies += ["a larger fft"] if points < FFT_MAX else []
    raise UserError(
        f"filter {deaf + 1} of {mel.filters} lies between two bins of the FFT, which are "
        f"{audio.sample_rate / points:g} Hz apart, and hears nothing",
        place="[log_mel] filters",
        remedy=f"Write {', or '.join([*remedies, 'a wider range of low_hz to high_hz'])}.",
    )


def _deaf(audio: Audio, points: int, mel: LogMel, filters: int | None = None) -> int | None:
    """The first filter without a weight above 0."""
    bank = triangles(audio.sample_rate, points, replace(mel, filters=filters or mel.filters))
    return next((i for i, (_, weights) in enumerate(bank) if not weights), None)
