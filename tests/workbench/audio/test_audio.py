# SPDX-License-Identifier: Apache-2.0
"""Recordings: what is read bit for bit, what is converted when asked, what is refused, and in which words."""

from __future__ import annotations

import argparse
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from codegen.common.errors import UserError
from workbench.audio.recording import add_arguments, file_rate, read_audio, reader

RATE = 16000


def noise(count: int, seed: int = 1) -> NDArray[np.int16]:
    samples = np.random.default_rng(seed).integers(-32768, 32768, count).astype(np.int16)
    samples[:2] = (-32768, 32767)
    return samples


def wav(samples: bytes, channels: int = 1, rate: int = RATE, bits: int = 16, kind: int = 1) -> bytes:
    """A WAV file by hand, so that the reader's library is not both ends of the test."""
    frame = channels * bits // 8
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, kind, channels, rate, rate * frame, frame, bits)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(samples)) + samples
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@pytest.mark.parametrize("count", [1, 400, 200_001])
def test_16_bit_mono_is_untouched(tmp_path: Path, count: int) -> None:
    samples = noise(count + 1)
    (tmp_path / "a.wav").write_bytes(wav(samples.astype("<i2").tobytes()))
    read = read_audio(tmp_path / "a.wav", RATE)
    assert read.dtype == np.int16
    assert np.array_equal(read, samples)
    # the options change nothing where there is nothing to convert
    assert np.array_equal(read_audio(tmp_path / "a.wav", RATE, True, True, True), samples)


def test_flac_and_raw_are_untouched(tmp_path: Path) -> None:
    samples = noise(5000)
    soundfile.write(tmp_path / "a.flac", samples, RATE, subtype="PCM_16")
    assert np.array_equal(read_audio(tmp_path / "a.flac", RATE), samples)
    for name in ("a.s16le", "a.pcm"):
        (tmp_path / name).write_bytes(b"".join(struct.pack("<h", value) for value in samples))
        assert np.array_equal(read_audio(tmp_path / name, RATE), samples)


def refused(path: Path, *words: str) -> str:
    with pytest.raises(UserError) as caught:
        read_audio(path, RATE)
    reported = str(caught.value)
    assert reported.startswith(f"{path}: ")
    for word in words:
        assert word in reported
    return reported


def test_another_rate_is_refused_then_resampled(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    time = np.arange(44100) / 44100
    tone = np.rint(20000 * np.sin(2 * np.pi * 1000 * time)).astype("<i2")
    path.write_bytes(wav(tone.tobytes(), rate=44100))
    reported = refused(path, "44100 Hz", "16000 Hz", "--resample")
    assert "--mix-down" not in reported
    read = read_audio(path, RATE, resample=True)
    assert read.shape == (16000,)
    expected = 20000 * np.sin(2 * np.pi * 1000 * np.arange(16000) / RATE)
    assert np.abs(read[500:-500] - expected[500:-500]).max() < 2
    assert np.array_equal(read, read_audio(path, RATE, resample=True))


def test_stereo_is_refused_then_averaged(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    pairs = np.array([[100, 300], [-32768, -32768], [32767, 32767], [1, 2], [3, 4], [-5, 5]], "<i2")
    path.write_bytes(wav(pairs.tobytes(), channels=2))
    refused(path, "it has 2 channels", "--mix-down")
    # halves go to the even neighbour
    assert read_audio(path, RATE, mix=True).tolist() == [200, -32768, 32767, 2, 4, 0]


def test_a_channel_is_taken_bit_for_bit(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    pairs = np.array([[100, 300], [-32768, -32767], [32767, 1]], "<i2")
    path.write_bytes(wav(pairs.tobytes(), channels=2))
    assert "--channel left" in refused(path, "it has 2 channels")
    assert read_audio(path, RATE, channel=1).tolist() == [100, -32768, 32767]
    assert read_audio(path, RATE, channel=2).tolist() == [300, -32767, 1]
    with pytest.raises(UserError, match="it has 2 channels; there is no channel 3"):
        read_audio(path, RATE, channel=3)
    path.write_bytes(wav(pairs[:, 0].tobytes()))
    assert read_audio(path, RATE, channel=1).tolist() == [100, -32768, 32767]
    with pytest.raises(UserError, match="it has 1 channel; there is no channel 2"):
        read_audio(path, RATE, channel=2)


def test_opposite_phases_are_not_mixed_to_silence(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    tone = np.rint(9000 * np.sin(np.arange(4000) / 7)).astype("<i2")
    path.write_bytes(wav(np.stack([tone, -tone + 1], axis=1).astype("<i2").tobytes(), channels=2))
    with pytest.raises(UserError, match="its channels cancel each other") as caught:
        read_audio(path, RATE, mix=True)
    assert "--channel left" in str(caught.value)
    assert np.array_equal(read_audio(path, RATE, channel=1), tone)
    path.write_bytes(wav(np.stack([tone, 0 * tone], axis=1).astype("<i2").tobytes(), channels=2))
    assert np.abs(read_audio(path, RATE, mix=True)).max() > 4000  # a silent channel halves it, no more


def test_who_has_no_options_advises_none(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(b"\1\0" * 8, channels=2, rate=44100))
    with pytest.raises(UserError) as caught:
        read_audio(path, RATE, options=False)
    assert "--" not in str(caught.value)
    assert "sox a.wav -r 16000 -c 1 -b 16" in str(caught.value)


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_arguments(parser)
    return parser.parse_args(words)


def test_a_channel_by_its_name_or_number(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.array([[1, 2, 3]], "<i2").tobytes(), channels=3))
    for words, value in (("left", 1), ("Right", 2), ("3", 3)):
        assert reader(options("--channel", words))(path, RATE).tolist() == [value]
    for words in ("0", "middle", "-1", ""):
        with pytest.raises(argparse.ArgumentError, match="is no channel; left, right, or a number from 1"):
            options("--channel", words)
    with pytest.raises(UserError, match="--mix-down and --channel exclude each other"):
        reader(options("--channel", "left", "--mix-down"))


def test_float_is_refused_then_rounded(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    values = np.array([0.0, 1.0, -1.0, 0.5, 1 / 32768, 0.4 / 32768, -0.6 / 32768, 7.0, -7.0], "<f4")
    path.write_bytes(wav(values.tobytes(), bits=32, kind=3))
    refused(path, "32 bit float", "16-bit integers", "--convert")
    expected = [0, 32767, -32768, 16384, 1, 0, -1, 32767, -32768]
    assert read_audio(path, RATE, convert=True).tolist() == expected


def test_24_and_8_bit_are_refused_then_rounded(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    values = [0, 256, 127, 129, -129, 8388607, -8388608]
    path.write_bytes(wav(b"".join(struct.pack("<i", value)[:3] for value in values), bits=24))
    refused(path, "24 bit", "--convert")
    assert read_audio(path, RATE, convert=True).tolist() == [0, 1, 0, 1, -1, 32767, -32768]
    path.write_bytes(wav(bytes([128, 129, 0, 255]), bits=8))
    refused(path, "8 bit", "--convert")
    assert read_audio(path, RATE, convert=True).tolist() == [0, 256, -32768, 127 * 256]


def test_float_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(np.array([0.0, np.nan], "<f4").tobytes(), bits=32, kind=3))
    with pytest.raises(UserError, match="no numbers"):
        read_audio(path, RATE, convert=True)


def test_several_differences_are_reported_in_one_message(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(bytes(60), channels=2, rate=48000, bits=24))
    refused(path, "48000 Hz", "2 channels", "24 bit", "--resample --mix-down --convert")


def test_what_is_no_recording(tmp_path: Path) -> None:
    text = tmp_path / "notes.wav"
    text.write_text("dear diary\n" * 100)
    refused(text, "is not audio that can be read", "WAV and FLAC are read")
    empty = tmp_path / "empty.wav"
    empty.touch()
    refused(empty, "is empty")
    silent = tmp_path / "header.wav"
    silent.write_bytes(wav(b""))
    refused(silent, "holds no samples")
    refused(tmp_path / "absent.wav", "there is no such file")
    refused(tmp_path, "is a folder")
    raw = tmp_path / "a.pcm"
    raw.write_bytes(bytes(3))
    refused(raw, "3 bytes")
    (tmp_path / "folder.pcm").mkdir()
    refused(tmp_path / "folder.pcm", "cannot be read")
    raw.write_bytes(b"")
    refused(raw, "holds no samples")
    refused(tmp_path / "b.pcm", "there is no such file")


def test_a_header_that_promises_too_much_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(5000), RATE, subtype="PCM_16")
    broken = bytearray(path.read_bytes())
    broken[21] |= 0x0F  # STREAMINFO's 36-bit count of samples: 68 thousand million
    broken[22:26] = b"\xff\xff\xff\xff"
    path.write_bytes(broken)
    refused(path, "is damaged or cut short")


def test_a_flac_cut_short_is_not_taken_for_a_short_one(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    soundfile.write(path, noise(50_000), RATE, subtype="PCM_16")
    path.write_bytes(path.read_bytes()[:60_000])
    refused(path, "is damaged or cut short")


@settings(max_examples=60)
@given(st.data())
def test_damaged_files_end_in_one_message(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damaged") / "a.flac"
    soundfile.write(path, noise(2000), RATE, subtype="PCM_16")
    whole = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    reported = str(path)
    try:
        samples = read_audio(path, RATE, True, True, True)
    except UserError as error:
        reported = str(error)
    else:
        assert samples.dtype == np.int16
    assert str(path) in reported


# --- headers that are not true, damage ---


def _said_wav(path: Path, samples: NDArray[np.int16], said: int) -> Path:
    """A WAV whose header says `said` bytes of samples."""
    soundfile.write(path, samples, RATE, "PCM_16")
    data = bytearray(path.read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = said.to_bytes(4, "little")
    path.write_bytes(data)
    return path


def test_a_recording_that_was_never_closed(tmp_path: Path) -> None:
    """A logger that lost power leaves the length 0: said, and taken where that is wanted."""
    samples = np.arange(1000, dtype=np.int16)
    path = _said_wav(tmp_path / "lost.wav", samples, 0)
    with pytest.raises(UserError, match=r"says 0 samples, 2000 bytes follow(.|\n)*--take-readable(.|\n)*sox"):
        read_audio(path, RATE)
    assert np.array_equal(read_audio(path, RATE, readable=True), samples)


def test_a_header_that_says_more_is_remarked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples = np.arange(1000, dtype=np.int16)
    assert np.array_equal(read_audio(_said_wav(tmp_path / "cut.wav", samples, 4000), RATE), samples)
    assert "says 4000 bytes of samples, 2000 are there" in capsys.readouterr().err
    for said in (2000, 0x7FFFFFFF - 36, 0xFFFFFFFF):  # true; as programs write it into a pipe
        assert len(read_audio(_said_wav(tmp_path / "piped.wav", samples, said), RATE)) == 1000
        assert capsys.readouterr().err == ""


def test_a_flac_damaged_in_the_middle(tmp_path: Path) -> None:
    """Told by its sample; all before it can be taken."""
    samples = np.random.default_rng(1).integers(-3000, 3000, 100000).astype(np.int16)
    path = tmp_path / "damaged.flac"
    soundfile.write(path, samples, RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        read_audio(path, RATE)
    found = re.search(
        r"at sample (\d+) of 100000 (.|\n)*--take-readable takes the \1 samples", str(caught.value)
    )
    assert found is not None
    taken = read_audio(path, RATE, readable=True)
    assert 30000 < len(taken) == int(found[1]) < 60000
    assert np.array_equal(taken, samples[: len(taken)])


def test_raw_samples_by_another_name(tmp_path: Path) -> None:
    path = tmp_path / "door.raw"
    path.write_bytes(bytes(100))
    with pytest.raises(UserError, match=r"name it door\.s16le"):
        read_audio(path, RATE)
    assert file_rate(path) is None


def test_a_name_too_long_for_the_system(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file"):
        read_audio(tmp_path / ("x" * 300 + ".wav"), RATE)
