"""Recordings as the pipeline wants them: int16 mono at the app's sample rate, untouched unless asked."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from codegen.common.errors import UserError

RAW_SUFFIXES = (".s16le", ".pcm")  # headerless little-endian int16 mono at the app's rate
_EXACT = ("PCM_16", "ALAC_16")
_BLOCK = 1 << 16  # frames read at once: a header that promises too many samples reserves no memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every command that reads recordings."""
    parser.add_argument("--resample", action="store_true", help="convert recordings of another sample rate")
    parser.add_argument("--mix-down", action="store_true", help="average the channels of stereo recordings")
    parser.add_argument(
        "--convert", action="store_true", help="round recordings that are not 16-bit integers to 16 bits"
    )


def read_with_arguments(args: argparse.Namespace, path: Path, sample_rate: int) -> NDArray[np.int16]:
    """read_audio with the options of add_arguments."""
    return read_audio(path, sample_rate, resample=args.resample, mix=args.mix_down, convert=args.convert)


def read_audio(
    path: Path, sample_rate: int, resample: bool = False, mix: bool = False, convert: bool = False
) -> NDArray[np.int16]:
    """The samples of a WAV, FLAC or other audio file; int16[n], n > 0.

    16-bit mono files of the right rate come back bit for bit. The others raise UserError unless the caller
    allows to resample (soxr VHQ), to mix (mean of the channels) and to convert (full scale stays full scale,
    to the nearest step).
    """
    if path.suffix.lower() in RAW_SUFFIXES:
        return _read_raw(path)
    opened = False
    try:
        with soundfile.SoundFile(path) as file:
            opened = True
            faults, options = [], []
            if file.samplerate != sample_rate and not resample:
                faults.append(f"its sample rate is {file.samplerate} Hz, the app's is {sample_rate} Hz")
                options.append("--resample")
            if file.channels != 1 and not mix:
                faults.append(f"it has {file.channels} channels, the app hears one")
                options.append("--mix-down")
            if file.subtype not in _EXACT and not convert:
                faults.append(f"its samples are {file.subtype_info}, the app's are 16-bit integers")
                options.append("--convert")
            if faults:
                raise UserError(
                    "; ".join(faults),
                    file=path,
                    remedy=f"Add {' '.join(options)} to have it converted on reading.",
                )
            exact = file.subtype in _EXACT
            samples = _read_frames(file, "int16" if exact else "float64")
            rate, promised = file.samplerate, file.frames
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error, opened) from None
    if samples.shape[0] == 0:
        raise UserError("holds no samples", file=path)
    if samples.shape[0] < promised < 1 << 62:  # the largest count means an unknown one
        raise UserError(f"is cut short: it holds {samples.shape[0]} of {promised} samples", file=path)
    if exact and samples.shape[1] == 1 and rate == sample_rate:
        return np.ascontiguousarray(samples[:, 0], dtype=np.int16)

    sound = samples.astype(np.float64) * (1.0 if exact else 32768.0)
    if not np.isfinite(sound).all():
        raise UserError("holds samples that are no numbers", file=path)
    mono = sound.mean(axis=1)
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate, quality="VHQ")
        if mono.size == 0:
            raise UserError(f"is too short for one sample at {sample_rate} Hz", file=path)
    rounded: NDArray[np.int16] = np.clip(np.rint(mono), -32768, 32767).astype(np.int16)
    return rounded


def _read_frames(file: soundfile.SoundFile, dtype: str) -> NDArray[Any]:
    """All frames; [n, channels]."""
    blocks = [np.zeros((0, file.channels), dtype)]
    while blocks[-1].shape[0] or len(blocks) == 1:
        blocks.append(file.read(_BLOCK, dtype, always_2d=True))
    return np.concatenate(blocks)


def _read_raw(path: Path) -> NDArray[np.int16]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UserError("there is no such file", file=path) from None
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", file=path) from None
    if not raw:
        raise UserError("holds no samples", file=path)
    if len(raw) % 2:
        raise UserError(f"has {len(raw)} bytes; raw 16-bit samples make an even number", file=path)
    return np.frombuffer(raw, "<i2").astype(np.int16)


def _unreadable(path: Path, error: soundfile.LibsndfileError, opened: bool) -> UserError:
    """libsndfile says "System error." for most of what a person gets wrong."""
    if opened:
        return UserError(f"is damaged or cut short ({error.error_string.rstrip('.')})", file=path)
    if not path.exists():
        return UserError("there is no such file", file=path)
    if path.is_dir():
        return UserError("is a folder; a recording is wanted", file=path)
    if path.stat().st_size == 0:
        return UserError("is empty", file=path)
    return UserError(
        f"is not audio that can be read ({error.error_string.rstrip('.')})",
        file=path,
        remedy=f"WAV and FLAC are read, and raw samples named {' or '.join(RAW_SUFFIXES)}.",
    )
