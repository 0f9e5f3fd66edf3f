# SPDX-License-Identifier: Apache-2.0
"""The C of firmware/pipeline for tests: structs built at run time, one library for every setting."""

from __future__ import annotations

import atexit
import ctypes
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.app.spec import Audio, Mfcc, Scale, Window
from codegen.app.tables import MfccTables, mfcc_scratch_bytes, mfcc_tables
from codegen.app.tables.mfcc import log_floor, power_bits
from codegen.app.tables.scale import scale_multiplier
from tests.support.compile import FIRMWARE, compile_shared, load

SOURCES = tuple(sorted((FIRMWARE / "pipeline").glob("*.c")))
AUDIO, WINDOW, MFCC = Audio(), Window(), Mfcc()  # the defaults


@lru_cache(maxsize=1)
def runtime() -> Path:
    """libpipeline.so: all of firmware/pipeline, to load or to link an app against; gone when Python ends."""
    folder = tempfile.TemporaryDirectory(prefix="pipeline")
    atexit.register(folder.cleanup)
    return compile_shared(Path(folder.name), SOURCES, name="pipeline")


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """All of firmware/pipeline, loaded."""
    return load(runtime())


class FilterC(ctypes.Structure):
    """mfcc_filter_t."""

    _fields_ = [("first", ctypes.c_uint16), ("count", ctypes.c_uint16)]


class MfccC(ctypes.Structure):
    """mfcc_t."""

    _fields_ = [
        ("window", ctypes.c_size_t),
        ("fft", ctypes.c_size_t),
        ("filters", ctypes.c_size_t),
        ("cepstra", ctypes.c_size_t),
        ("preemphasis", ctypes.c_int32),
        ("weights", ctypes.c_void_p),
        ("twiddles", ctypes.c_void_p),
        ("bank", ctypes.c_void_p),
        ("mel", ctypes.c_void_p),
        ("log2", ctypes.c_void_p),
        ("log_add", ctypes.c_void_p),
        ("log_add_count", ctypes.c_size_t),
        ("power_bits", ctypes.c_uint32),
        ("floor", ctypes.c_int32),
        ("cosines", ctypes.c_void_p),
        ("dct_first", ctypes.c_int32),
        ("dct_other", ctypes.c_int32),
        ("lifter", ctypes.c_void_p),
        ("energy_offset", ctypes.c_int32),
        ("scratch", ctypes.c_void_p),
    ]


class MfccStages:
    """One mfcc_t and its steps, each callable by itself."""

    def __init__(
        self,
        audio: Audio = AUDIO,
        window: Window = WINDOW,
        mfcc: Mfcc = MFCC,
        *,
        tables: MfccTables | None = None,
        code: ctypes.CDLL | None = None,
    ) -> None:
        self.code = code or library()
        made = tables or mfcc_tables(audio, window, mfcc)
        self.window, self.fft, self.filters, self.cepstra = window.size, mfcc.fft, mfcc.filters, mfcc.cepstra
        self._kept: list[NDArray[Any]] = []
        self._scratch = np.zeros(mfcc_scratch_bytes(mfcc) // 4, np.uint32)
        bank = np.array(list(zip(made.bank.firsts, made.bank.counts, strict=True)), np.uint16)
        self.struct = MfccC(
            window=window.size,
            fft=mfcc.fft,
            filters=mfcc.filters,
            cepstra=mfcc.cepstra,
            preemphasis=made.preemphasis,
            weights=self._array((*made.window, *(0 for _ in range(-len(made.window) % 4))), np.int16),
            twiddles=self._array(made.twiddles.stages + made.twiddles.split, np.int16),
            bank=self._array(bank, np.uint16),
            mel=self._array(made.bank.weights, np.uint16),
            log2=self._array(made.log2, np.int16),
            log_add=self._array(made.log_add, np.uint8),
            log_add_count=len(made.log_add),
            power_bits=power_bits(mfcc),
            floor=log_floor(mfcc),
            cosines=self._array([value for row in made.dct.cosines for value in row], np.int16),
            dct_first=made.dct.first,
            dct_other=made.dct.other,
            lifter=self._array(made.lifter, np.int32),
            energy_offset=made.energy_offset,
            scratch=self._scratch.ctypes.data,
        )

    def _array(self, values: Sequence[int] | NDArray[Any], dtype: Any) -> int:
        array = np.array(values, dtype)
        self._kept.append(array)
        return int(array.ctypes.data)

    def __call__(self, samples: Sequence[int] | NDArray[np.int16]) -> list[int]:
        """mfcc_frame()."""
        window = _padded(samples)
        cepstra = np.zeros(self.cepstra, np.int32)
        self.code.mfcc_frame(ctypes.byref(self.struct), _pointer(window), _pointer(cepstra))
        return [int(value) for value in cepstra]

    def windowed(self, samples: Sequence[int] | NDArray[np.int16]) -> tuple[NDArray[np.uint32], int]:
        """The packed window and its largest magnitude."""
        window = _padded(samples)
        values = np.full(self.fft // 2, 0xDEADBEEF, np.uint32)
        peak = self.code.mfcc_window(ctypes.byref(self.struct), _pointer(window), _pointer(values))
        return values, int(peak)

    def normalised(self, values: NDArray[np.uint32], peak: int) -> int:
        """Normalises the packed window in place; the shift."""
        return int(
            self.code.mfcc_normalise(ctypes.byref(self.struct), ctypes.c_int32(peak), _pointer(values))
        )

    def spectrum(self, values: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Packed bins. The C leaves those above fft / 4 conjugated; here they are not."""
        bins = np.zeros(self.fft // 2, np.uint32)
        self.code.mfcc_fft(ctypes.byref(self.struct), _pointer(values), _pointer(bins))
        parts = bins.astype("<u4").view("<i2").reshape(-1, 2)
        parts[self.fft // 4 + 1 :, 1] *= -1  # -32768 stays what it is, as in int16
        return parts.reshape(-1).view("<u4").astype(np.uint32)

    def log_mel(self, bins: NDArray[np.uint32], shift: int) -> NDArray[np.int32]:
        """Logarithms of the energies."""
        values = np.zeros(self.filters, np.int32)
        self.code.mfcc_log_mel(
            ctypes.byref(self.struct), _pointer(bins), ctypes.c_uint(shift), _pointer(values)
        )
        return values

    def dct(self, log_mel: NDArray[np.int32]) -> NDArray[np.int32]:
        """Cepstra before the lifter."""
        cepstra = np.zeros(self.cepstra, np.int32)
        self.code.mfcc_dct(ctypes.byref(self.struct), _pointer(log_mel.copy()), _pointer(cepstra))
        return cepstra

    def lifted(self, cepstra: NDArray[np.int32]) -> NDArray[np.int32]:
        """Cepstra after the lifter."""
        values = cepstra.copy()
        self.code.mfcc_lift(ctypes.byref(self.struct), _pointer(values))
        return values


def _padded(samples: Sequence[int] | NDArray[np.int16]) -> NDArray[np.int16]:
    """Values that must not count up to a multiple of 4."""
    given = np.array(samples, np.int16)
    return np.append(given, np.full(-given.size % 4, -32768, np.int16))


def unpacked(words: NDArray[np.uint32]) -> list[int]:
    """Packed pairs as the int16 values in their order."""
    return [int(value) for value in words.astype("<u4").view("<i2")]


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class GateSettingsC(ctypes.Structure):
    """gate_settings_t."""

    _fields_ = [("threshold", ctypes.c_int32), ("backoff", ctypes.c_int32), ("delay", ctypes.c_int32)]


class GateStateC(ctypes.Structure):
    """gate_state_t."""

    _fields_ = [
        ("settings", GateSettingsC),
        ("held", ctypes.c_uint32),
        ("passed", ctypes.c_uint32),
        ("triggered", ctypes.c_bool),
    ]


class GateC(ctypes.Structure):
    """gate_t."""

    _fields_ = [("initial", GateSettingsC), ("state", ctypes.POINTER(GateStateC))]


class Gate:
    """One gate, restored to its settings."""

    def __init__(self, threshold: int, backoff: int, delay: int) -> None:
        self._code = library()
        self._code.gate_step.restype = ctypes.c_bool
        for key in ("threshold", "backoff", "delay"):
            getattr(self._code, f"gate_set_{key}").restype = ctypes.c_bool
        self.state = GateStateC()
        initial = GateSettingsC(threshold, backoff, delay)
        self._struct = GateC(initial, ctypes.pointer(self.state))
        self.restore()

    def step(self, samples: Sequence[int]) -> bool:
        """gate_step()."""
        window = np.array(samples, np.int16)
        return bool(
            self._code.gate_step(ctypes.byref(self._struct), _pointer(window), ctypes.c_size_t(window.size))
        )

    def set(self, key: str, value: int) -> bool:
        """gate_set_<key>()."""
        return bool(getattr(self._code, f"gate_set_{key}")(ctypes.byref(self._struct), ctypes.c_int32(value)))

    def reset(self) -> None:
        """gate_reset()."""
        self._code.gate_reset(ctypes.byref(self._struct))

    def restore(self) -> None:
        """gate_restore()."""
        self._code.gate_restore(ctypes.byref(self._struct))


class ScaleC(ctypes.Structure):
    """scale_t."""

    _fields_ = [
        ("count", ctypes.c_size_t),
        ("minimum", ctypes.c_int32),
        ("maximum", ctypes.c_int32),
        ("multiplier", ctypes.c_uint64),
    ]


def scaled(
    minimum: int,
    maximum: int,
    values: NDArray[np.int32],
    multiplier: int | None = None,
    *,
    toward_zero: bool = False,
) -> NDArray[np.uint8]:
    """scale_frame(), or scale_zero_frame(), of any number of values."""
    factor = scale_multiplier(Scale(minimum, maximum)) if multiplier is None else multiplier
    struct = ScaleC(values.size, minimum, maximum, factor)
    given = np.ascontiguousarray(values, np.int32)
    features = np.zeros(values.size, np.uint8)
    run = library().scale_zero_frame if toward_zero else library().scale_frame
    run(ctypes.byref(struct), _pointer(given), _pointer(features))
    return features


class VerdictC(ctypes.Structure):
    """verdict_t."""

    _fields_ = [("score", ctypes.c_int32, 24), ("class_index", ctypes.c_uint32, 8)]


class DecisionStateC(ctypes.Structure):
    """decision_state_t."""

    _fields_ = [
        ("votes", ctypes.c_uint8),
        ("held", ctypes.c_uint8),
        ("next", ctypes.c_uint8),
        ("recent", ctypes.c_uint8 * 10),
        ("gap", ctypes.c_bool),
    ]


class DecisionC(ctypes.Structure):
    """decision_t."""

    _fields_ = [
        ("labels", ctypes.c_size_t),
        ("initial_limits", ctypes.c_void_p),
        ("limits", ctypes.c_void_p),
        ("never", ctypes.c_int32),
        ("initial_votes", ctypes.c_uint8),
        ("state", ctypes.POINTER(DecisionStateC)),
        ("smooth", ctypes.c_void_p),
        ("smoothing", ctypes.c_void_p),
    ]


class SmoothingValuesC(ctypes.Structure):
    """smoothing_values_t."""

    _fields_ = [("mean", ctypes.c_uint8), ("suppress", ctypes.c_uint16)]


class SmoothingC(ctypes.Structure):
    """smoothing_t."""

    _fields_ = [("initial", SmoothingValuesC), ("most", ctypes.c_uint8), ("values", ctypes.c_void_p)]


class DecisionMeanC(ctypes.Structure):
    """decision_mean_t."""

    _fields_ = [
        ("smoothing", SmoothingC),
        ("history", ctypes.c_void_p),
        ("means", ctypes.c_void_p),
        ("state", ctypes.c_void_p),
    ]


class Decision:
    """One decision stage, restored to its settings. mean: scores of a mean and decisions suppressed; most:
    scores that it has room for, where that is more."""

    def __init__(
        self, limits: Sequence[int], votes: int = 1, mean: tuple[int, int] | None = None, most: int = 1
    ) -> None:
        self._code = library()
        self._code.decision_step.restype = VerdictC
        self._code.decision_set_threshold.restype = ctypes.c_bool
        self._code.decision_set_votes.restype = ctypes.c_bool
        self._initial = np.array(limits, np.int32)
        self.limits = np.zeros(len(limits), np.int32)
        self.state = DecisionStateC()
        self._struct = DecisionC(
            len(limits),
            self._initial.ctypes.data,
            self.limits.ctypes.data,
            128,
            votes,
            ctypes.pointer(self.state),
        )
        if mean is not None:
            room = max(mean[0], most)
            self._mean_memory = [np.zeros(size, np.int8) for size in (8, room * len(limits), len(limits), 4)]
            places = [memory.ctypes.data for memory in self._mean_memory]
            smoothing = SmoothingC(SmoothingValuesC(*mean), room, places[0])
            self._mean = DecisionMeanC(smoothing, *places[1:])
            self._struct.smooth = ctypes.cast(self._code.decision_mean, ctypes.c_void_p)
            self._struct.smoothing = ctypes.addressof(self._mean)
        self.restore()

    def step(self, scores: Sequence[int]) -> tuple[int, int]:
        """decision_step(): class and score."""
        given = np.array(scores, np.int8)
        verdict = self._code.decision_step(ctypes.byref(self._struct), _pointer(given))
        return verdict.class_index, verdict.score

    def set_threshold(self, label: int, limit: int) -> bool:
        """decision_set_threshold()."""
        return bool(
            self._code.decision_set_threshold(
                ctypes.byref(self._struct), ctypes.c_size_t(label), ctypes.c_int32(limit)
            )
        )

    def set_votes(self, votes: int) -> bool:
        """decision_set_votes()."""
        return bool(self._code.decision_set_votes(ctypes.byref(self._struct), ctypes.c_int32(votes)))

    def set_mean(self, mean: int) -> bool:
        """smoothing_set_mean()."""
        self._code.smoothing_set_mean.restype = ctypes.c_bool
        return bool(self._code.smoothing_set_mean(ctypes.byref(self._struct), ctypes.c_int32(mean)))

    def set_suppress(self, suppress: int) -> bool:
        """smoothing_set_suppress()."""
        self._code.smoothing_set_suppress.restype = ctypes.c_bool
        return bool(self._code.smoothing_set_suppress(ctypes.byref(self._struct), ctypes.c_int32(suppress)))

    def gap(self) -> None:
        """decision_gap()."""
        self._code.decision_gap(ctypes.byref(self._struct))

    def reset(self) -> None:
        """decision_reset()."""
        self._code.decision_reset(ctypes.byref(self._struct))

    def restore(self) -> None:
        """decision_restore()."""
        self._code.decision_restore(ctypes.byref(self._struct))
