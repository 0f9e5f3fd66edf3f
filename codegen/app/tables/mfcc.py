# SPDX-License-Identifier: Apache-2.0
"""All tables of the MFCC stage, and what settings it can have."""

from __future__ import annotations

import math
from dataclasses import dataclass

from codegen.app.spec import Audio, Mfcc, Window
from codegen.app.tables.dct import Dct, dct
from codegen.app.tables.fft import Twiddles, twiddles
from codegen.app.tables.lifter import lifter_table
from codegen.app.tables.log import log2_table, log_add_table
from codegen.app.tables.mel import MelBank, mel_bank
from codegen.app.tables.rounding import nearest
from codegen.app.tables.window import povey_window
from codegen.common.errors import UserError

FFT_MAX = 4096
POWER_BITS_MAX = 10
LOG_2 = 2839  # ln 2, Q12


@dataclass(frozen=True)
class MfccTables:
    """What mfcc_t holds, as integers."""

    preemphasis: int  # Q15
    window: tuple[int, ...]
    twiddles: Twiddles
    bank: MelBank
    log2: tuple[int, ...]
    log_add: tuple[int, ...]
    dct: Dct
    lifter: tuple[int, ...]
    energy_offset: int


def mfcc_tables(audio: Audio, window: Window, mfcc: Mfcc) -> MfccTables:
    """The tables of settings that passed check_mfcc()."""
    return MfccTables(
        preemphasis=int(32768 * mfcc.preemphasis),
        window=povey_window(window.size),
        twiddles=twiddles(mfcc.fft),
        bank=_bank(audio, mfcc),
        log2=log2_table(),
        log_add=log_add_table(),
        dct=dct(mfcc.filters, mfcc.cepstra),
        lifter=lifter_table(mfcc.lifter, mfcc.cepstra),
        energy_offset=_energy_offset(mfcc),
    )


def power_bits(mfcc: Mfcc) -> int:
    """Of mfcc_t: twice the bits that the FFT halved by, less 10, and at most as many as 64 bits hold."""
    return _full_bits(mfcc) - _lacking_bits(mfcc)


def log_floor(mfcc: Mfcc) -> int:
    """Of a filter's logarithm, Q12: 49125, in the scale of its power."""
    return 49125 - LOG_2 * _lacking_bits(mfcc)


def _full_bits(mfcc: Mfcc) -> int:
    return 2 * (mfcc.fft.bit_length() - 1) - 10


def _lacking_bits(mfcc: Mfcc) -> int:
    """Of an FFT of more than 1024 points. Cepstrum 0 gets them back; the others do not depend on scale."""
    return max(0, _full_bits(mfcc) - POWER_BITS_MAX)


def _energy_offset(mfcc: Mfcc) -> int:
    lacking = mfcc.filters * LOG_2 * _lacking_bits(mfcc) * dct(mfcc.filters, 1).first
    return nearest(190131 * math.sqrt(mfcc.filters / 23)) - nearest(lacking / 2048)


def mfcc_scratch_bytes(mfcc: Mfcc) -> int:
    """Memory that mfcc_frame() uses between its start and its end: two buffers of fft int16."""
    return 4 * mfcc.fft


def check_mfcc(audio: Audio, mfcc: Mfcc) -> None:
    """Settings in their ranges that still make no MFCC: UserError.

    Ranges of single values, cepstra <= filters and low_hz < high_hz <= sample_rate / 2 are expected to hold.
    """
    most = mfcc.fft // 2
    if mfcc.filters <= most:
        empty = _empty_filter(audio, mfcc, mfcc.filters)
        if empty is None:
            return
        what = (
            f"filter {empty + 1} of {mfcc.filters} lies between two bins of the FFT, "
            f"which are {audio.sample_rate / mfcc.fft:g} Hz apart, and hears nothing"
        )
    else:
        what = f"{mfcc.filters} filters for an FFT of {mfcc.fft} points; at most fft / 2 = {most} are allowed"
    fitting = next(
        (count for count in range(min(mfcc.filters, most), 0, -1) if _fits(audio, mfcc, count)),
        None,
    )
    remedies = []
    if fitting is not None:
        remedies.append(f"filters = {fitting}")
    if mfcc.fft < FFT_MAX:
        remedies.append("a larger fft")
    remedies.append("a wider range of low_hz to high_hz")
    raise UserError(what, place="[mfcc] filters", remedy=f"Write {', or '.join(remedies)}.")


def _bank(audio: Audio, mfcc: Mfcc, filters: int | None = None) -> MelBank:
    return mel_bank(audio.sample_rate, mfcc.fft, filters or mfcc.filters, mfcc.low_hz, mfcc.high_hz)


def _empty_filter(audio: Audio, mfcc: Mfcc, filters: int) -> int | None:
    """The first filter without a weight above 0."""
    bank = _bank(audio, mfcc, filters)
    return next((i for i in range(filters) if not any(bank.of_filter(i))), None)


def _fits(audio: Audio, mfcc: Mfcc, filters: int) -> bool:
    return _empty_filter(audio, mfcc, filters) is None
