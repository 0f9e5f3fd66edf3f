# SPDX-License-Identifier: Apache-2.0
"""Recordings as the pipeline wants them: int16 mono at the app's sample rate, untouched unless asked."""

from __future__ import annotations

import argparse
import io
import os
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
from workbench.audio.wav_header import DataChunk, closed, data_chunk
from workbench.progress import remark

UNNAMED = ".raw"  # samples of a kind that the name does not tell
RAW_SUFFIXES = (".s16le", ".pcm")  # headerless little-endian int16 mono at the app's rate
Reader = Callable[[Path, int], NDArray[np.int16]]  # a file and the app's rate -> its samples
_EXACT = ("PCM_16", "ALAC_16")
_CHANNELS = {"left": 1, "right": 2}
_CANCELLED = 0.01  # a mean with less than this share of its loudest channel's energy is not what was heard
_FINE = 256  # frames read at once of a damaged file: the last readable sample is not missed by more
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

    parser.add_argument(
        "--take-readable",
        action="store_true",
        help="of a damaged recording take what can be read: all before the damage",
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
        read_audio,
        resample=args.resample,
        mix=args.mix_down,
        convert=args.convert,
        channel=args.channel,
        readable=args.take_readable,
    )


def read_with_arguments(args: argparse.Namespace, path: Path, sample_rate: int) -> NDArray[np.int16]:
    """One recording with the options of add_arguments."""
    return reader(args)(path, sample_rate)


def file_rate(path: Path) -> int | None:
    """The sample rate that a recording's header tells, in Hz; None where there is none that can be read."""
    if path.suffix.lower() in (*RAW_SUFFIXES, UNNAMED):
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
    readable: bool = False,
) -> NDArray[np.int16]:
    """The samples of a WAV, FLAC or other audio file; int16[n], n > 0.

    16-bit mono files of the right rate come back bit for bit. The others raise UserError unless the caller
    allows to resample (soxr VHQ), to mix (mean of the channels), names a channel (from 1), and allows to
    convert (full scale stays full scale, to the nearest step).

    options: the caller's command has those of add_arguments, and a refusal may advise them.
    readable: of a damaged file what lies before the damage.
    """
    if path.suffix.lower() in (*RAW_SUFFIXES, UNNAMED):
        return _read_raw(path)
    advice = "--take-readable" if options and not readable else ""
    opened = False
    try:
        with soundfile.SoundFile(_source(path, readable, advice)) as file:
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
            rate, promised = file.samplerate, file.frames
            dtype = "int16" if exact else "float64"
            samples = _read_frames(file, dtype) if not readable else _read_before_damage(path, dtype)
    except soundfile.LibsndfileError as error:
        raise _damaged(path, error, advice) if opened else _unreadable(path, error) from None
    if samples.shape[0] == 0:
        raise UserError("holds no samples", file=path)
    _check_whole(path, samples.shape[0], promised, _readable(advice, samples.shape[0], rate), readable)
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


def _check_whole(path: Path, count: int, promised: int, remedy: str | None, readable: bool) -> None:
    """Fewer samples than the header says are refused; where they are wanted nevertheless, that is said."""
    if count < promised < 1 << 62:  # the largest count means an unknown one
        what = f"it holds {count} of {promised} samples"
        if not readable:
            raise UserError(f"is cut short: {what}", file=path, remedy=remedy)
        remark(f"{path}: {what}")


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
    if path.suffix.lower() == UNNAMED:
        raise UserError(
            "its name does not tell what its samples are",
            file=path,
            remedy=f"If they are 16-bit little-endian, one channel, at the app's rate, name it "
            f"{path.stem}{RAW_SUFFIXES[0]}; else convert it to WAV.",
        )
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


def _source(path: Path, readable: bool, advice: str) -> Path | io.BytesIO:
    """What to read: of a WAV that was never closed its bytes with their length, where that is allowed."""
    try:
        chunk = data_chunk(path)
    except OSError:  # soundfile says why
        return path
    if chunk is None:
        return path
    if chunk.never_closed:
        if readable:
            return io.BytesIO(closed(path, chunk))
        way = f"sox --ignore-length {path.name} closed.wav"
        raise UserError(
            f"its header says 0 samples, {chunk.held} bytes follow: the recording was never closed",
            file=path,
            remedy=f"{advice} takes them; so does: {way}" if advice else f"This mends it: {way}",
        )
    if chunk.cut:
        _remark_cut(path, chunk)
    return path


def _remark_cut(path: Path, chunk: DataChunk) -> None:
    remark(
        f"{path}: its header says {chunk.said} bytes of samples, {chunk.held} are there: "
        "cut short, or written by a program that did not know the length"
    )


def _read_before_damage(path: Path, dtype: str) -> NDArray[Any]:
    """All frames up to the first that cannot be read; [n, channels]."""
    chunk = data_chunk(path)
    source = io.BytesIO(closed(path, chunk)) if chunk is not None and chunk.never_closed else path
    with soundfile.SoundFile(source) as file:
        blocks = [np.zeros((0, file.channels), dtype)]
        try:
            while blocks[-1].shape[0] or len(blocks) == 1:
                blocks.append(file.read(_FINE, dtype, always_2d=True))
        except soundfile.LibsndfileError:
            pass
    return np.concatenate(blocks)


def _readable(advice: str, count: int, rate: int) -> str | None:
    return f"{advice} takes the {count} samples before, {count / rate:.2f} s." if advice and count else None


def _damaged(path: Path, error: soundfile.LibsndfileError, advice: str) -> UserError:
    """A file that opens and then ends in an error: where."""
    reason = error.error_string.rstrip(".")
    try:
        count = _read_before_damage(path, "float32").shape[0]
        with soundfile.SoundFile(path) as file:
            rate, promised = file.samplerate, file.frames
    except (soundfile.LibsndfileError, OSError):
        return UserError(f"is damaged or cut short ({reason})", file=path)
    return UserError(
        f"is damaged or cut short at sample {count} of {promised} ({reason})",
        file=path,
        remedy=_readable(advice, count, rate),
    )


def _unreadable(path: Path, error: soundfile.LibsndfileError) -> UserError:
    """libsndfile says "System error." for most of what a person gets wrong."""
    if not os.path.exists(path):  # noqa: PTH110 - a name too long for the system is none, too
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
