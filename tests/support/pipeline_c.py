"""The C of firmware/pipeline for tests: structs built at run time, one library for every setting."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from codegen.spec import Audio, Mfcc, Window
from codegen.tables import MfccTables, mfcc_scratch_bytes, mfcc_tables
from tests.support.compile import FIRMWARE, compile_shared, load

SOURCES = tuple(sorted((FIRMWARE / "pipeline").glob("*.c")))
AUDIO, WINDOW, MFCC = Audio(), Window(), Mfcc()  # the defaults
SANITIZE = ("-fsanitize=undefined,address", "-fno-sanitize-recover=all", "-g")


@lru_cache(maxsize=1)
def library() -> ctypes.CDLL:
    """All of firmware/pipeline."""
    folder = tempfile.TemporaryDirectory(prefix="pipeline")
    loaded = load(compile_shared(Path(folder.name), SOURCES, name="pipeline"))
    folder.cleanup()  # what is loaded stays
    return loaded


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
            weights=self._array(made.window, np.int16),
            twiddles=self._array(made.twiddles, np.int16),
            bank=self._array(bank, np.uint16),
            mel=self._array(made.bank.weights, np.uint16),
            log2=self._array(made.log2, np.int16),
            log_add=self._array(made.log_add, np.uint8),
            log_add_count=len(made.log_add),
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
        window = np.array(samples, np.int16)
        cepstra = np.zeros(self.cepstra, np.int32)
        self.code.mfcc_frame(ctypes.byref(self.struct), _pointer(window), _pointer(cepstra))
        return [int(value) for value in cepstra]

    def windowed(self, samples: Sequence[int] | NDArray[np.int16]) -> tuple[NDArray[np.uint32], int]:
        """The packed window and its largest magnitude."""
        window = np.array(samples, np.int16)
        values = np.full(self.fft // 2, 0xDEADBEEF, np.uint32)
        peak = self.code.mfcc_window(ctypes.byref(self.struct), _pointer(window), _pointer(values))
        return values, int(peak)

    def normalised(self, values: NDArray[np.uint32], peak: int) -> int:
        """Normalises the packed window in place; the shift."""
        return int(
            self.code.mfcc_normalise(ctypes.byref(self.struct), ctypes.c_int32(peak), _pointer(values))
        )

    def spectrum(self, values: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Packed bins."""
        bins = np.zeros(self.fft // 2, np.uint32)
        self.code.mfcc_fft(ctypes.byref(self.struct), _pointer(values), _pointer(bins))
        return bins

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


def unpacked(words: NDArray[np.uint32]) -> list[int]:
    """Packed pairs as the int16 values in their order."""
    return [int(value) for value in words.astype("<u4").view("<i2")]


def _pointer(array: NDArray[Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)
