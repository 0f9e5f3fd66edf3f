# SPDX-License-Identifier: Apache-2.0
"""Recordings as the pipeline wants them: int16 mono at the app's sample rate, untouched unless asked."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from codegen.common.errors import UserError

RAW_SUFFIXES = (".s16le", ".pcm")  # headerless little-endian int16 mono at the app's rate
Reader = Callable[[Path, int], NDArray[np.int16]]  # a file and the app's rate -> its samples
_EXACT = ("PCM_16", "ALAC_16")
_CHANNELS = {"left": 1, "right": 2}
_CANCELLED = 0.01  # a mean with less than this share of its loudest channel's energy is not what was heard
_MAGIC = (b"RIFF", b"RF64", b"fLaC")  # with which a file begins that says what it is
_BLOCK = 1 << 16  # frames read at once: a header that promises too many samples reserves no memory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of every command that reads recordings."""
    parser.add_argument("--resample", action="store_true", help="convert recordings of another sample rate")
    parser.add_argument("--mix-down", action="store_true", help="average the channels of stereo recordings")
    parser.add_argument(
        "--channel",
        type=_channel,
        metavar="C",
        help="take one channel: left, right, or its number from 1",
    )
    parser.add_argument(
        "--convert", action="store_true", help="round recordings that are not 16-bit integers to 16 bits"
    )


def _channel(text: str) -> int:
    """left, right or a number -> the channel's number from 1."""
    number = _CHANNELS.get(text.lower())
    if number is None and text.isascii() and text.isdigit() and 1 <= len(text) <= 4:
        number = int(text)
    if not number:
        raise argparse.ArgumentTypeError(f'"{text}" is no channel; left, right, or a number from 1')
    return number


def reader(args: argparse.Namespace) -> Reader:
    """read_audio with the options of add_arguments."""
    if args.mix_down and args.channel is not None:
        raise UserError(
            "--mix-down and --channel exclude each other",
            remedy="--mix-down takes the mean of all channels, --channel one of them.",
        )
    return partial(
        read_audio, resample=args.resample, mix=args.mix_down, convert=args.convert, channel=args.channel
    )


def read_with_arguments(args: argparse.Namespace, path: Path, sample_rate: int) -> NDArray[np.int16]:
    """One recording with the options of add_arguments."""
    return reader(args)(path, sample_rate)


def file_rate(path: Path) -> int | None:
    """The sample rate that a recording's header tells, in Hz; None where there is none that can be read."""
    if path.suffix.lower() in RAW_SUFFIXES:
        return None
    try:
        return int(soundfile.info(path).samplerate)
    except (soundfile.LibsndfileError, OSError):
        return None


def read_audio(
    path: Path,
    sample_rate: int,
    resample: bool = False,
    mix: bool = False,
    convert: bool = False,
    *,
    channel: int | None = None,
    options: bool = True,
) -> NDArray[np.int16]:
    """The samples of a WAV, FLAC or other audio file; int16[n], n > 0.

    16-bit mono files of the right rate come back bit for bit. The others raise UserError unless the caller
    allows to resample (soxr VHQ), to mix (mean of the channels), names a channel (from 1), and allows to
    convert (full scale stays full scale, to the nearest step).

    options: the caller's command has those of add_arguments, and a refusal may advise them.
    """
    if path.suffix.lower() in RAW_SUFFIXES:
        return _read_raw(path)
    opened = False
    try:
        with soundfile.SoundFile(path) as file:
            opened = True
            if channel is not None and channel > file.channels:
                raise UserError(
                    f"it has {_counted(file.channels)}; there is no channel {channel}",
                    file=path,
                    remedy=f"--channel takes 1 (left) to {file.channels} of this recording.",
                )
            wanted = {
                "--resample": file.samplerate != sample_rate and not resample,
                "--mix-down": file.channels != 1 and not mix and channel is None,
                "--convert": file.subtype not in _EXACT and not convert,
            }
            if any(wanted.values()):
                missing = [option for option in wanted if wanted[option]]
                raise _unconverted(path, file, sample_rate, missing, options)
            exact = file.subtype in _EXACT
            samples = _read_frames(file, "int16" if exact else "float64")
            rate, promised = file.samplerate, file.frames
    except soundfile.LibsndfileError as error:
        raise _unreadable(path, error, opened) from None
    if samples.shape[0] == 0:
        raise UserError("holds no samples", file=path)
    if samples.shape[0] < promised < 1 << 62:  # the largest count means an unknown one
        raise UserError(f"is cut short: it holds {samples.shape[0]} of {promised} samples", file=path)
    if channel is not None:
        samples = samples[:, channel - 1 : channel]
    if exact and samples.shape[1] == 1 and rate == sample_rate:
        return np.ascontiguousarray(samples[:, 0], dtype=np.int16)

    sound = samples.astype(np.float64) * (1.0 if exact else 32768.0)
    if not np.isfinite(sound).all():
        raise UserError("holds samples that are no numbers", file=path)
    mono = _mean(sound, path)
    if rate != sample_rate:
        mono = soxr.resample(mono, rate, sample_rate, quality="VHQ")
        if mono.size == 0:
            raise UserError(f"is too short for one sample at {sample_rate} Hz", file=path)
    rounded: NDArray[np.int16] = np.clip(np.rint(mono), -32768, 32767).astype(np.int16)
    return rounded


def _unconverted(
    path: Path, file: soundfile.SoundFile, sample_rate: int, options: list[str], advised: bool
) -> UserError:
    """What of a recording is not the app's, and the options that convert it, or what else does."""
    faults = {
        "--resample": f"its sample rate is {file.samplerate} Hz, the app's is {sample_rate} Hz",
        "--mix-down": f"it has {_counted(file.channels)}, the app hears one",
        "--convert": f"its samples are {file.subtype_info}, the app's are 16-bit integers",
    }
    remedy = f"Add {' '.join(options)} to have it converted on reading."
    if not advised:
        remedy = f"Convert it first, such as by: sox {path.name} -r {sample_rate} -c 1 -b 16 converted.wav"
    elif "--mix-down" in options:
        remedy += " --channel left takes one channel instead of the mean."
    return UserError("; ".join(faults[option] for option in options), file=path, remedy=remedy)


def _mean(sound: NDArray[np.float64], path: Path) -> NDArray[np.float64]:
    """The mean of the channels; UserError where they cancel each other, as opposite phases do."""
    mean: NDArray[np.float64] = sound.mean(axis=1)
    loudest = float(np.square(sound).sum(axis=0).max())
    if sound.shape[1] > 1 and float(np.square(mean).sum()) < _CANCELLED * loudest:
        raise UserError(
            "its channels cancel each other: their mean is next to silence",
            file=path,
            remedy="Take --channel left, or right, instead of --mix-down.",
        )
    return mean


def _counted(channels: int) -> str:
    return f"{channels} channel{'' if channels == 1 else 's'}"


def _read_frames(file: soundfile.SoundFile, dtype: str) -> NDArray[Any]:
    """All frames; [n, channels]."""
    blocks = [np.zeros((0, file.channels), dtype)]
    while blocks[-1].shape[0] or len(blocks) == 1:
        blocks.append(file.read(_BLOCK, dtype, always_2d=True))
    return np.concatenate(blocks)


def read_pipe(stream: BinaryIO, read: Reader, sample_rate: int) -> NDArray[np.int16]:
    """A recording from a pipe, read to its end: WAV or FLAC by their first bytes, else raw samples as in a
    file named .s16le."""
    data = stream.read()
    suffix = ".wav" if data[:4] in _MAGIC else RAW_SUFFIXES[0]
    with tempfile.NamedTemporaryFile(suffix=suffix) as copy:
        copy.write(data)
        copy.flush()
        try:
            return read(Path(copy.name), sample_rate)
        except UserError as error:
            raise UserError(error.what, file="standard input", remedy=error.remedy) from None


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
