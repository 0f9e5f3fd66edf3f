# SPDX-License-Identifier: Apache-2.0
"""earshot capture, as a person runs it: against a device made of answers, behind a TCP port."""

from __future__ import annotations

import base64
import contextlib
import csv
import resource
import socket
import threading
import wave
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.common.errors import UserError
from tests.support.cli import here
from tests.support.doors import on_a_socket
from tests.support.scripted_image import BOOT, STATUS
from toolbox.options import EXAMPLE
from workbench.build import build
from workbench.data.captures import captures
from workbench.data.labels import read_labels
from workbench.live.capture import Capture
from workbench.live.samples import Take
from workbench.live.takes import Takes

pytestmark = pytest.mark.xdist_group("images")

SOUND = np.random.default_rng(6).integers(-20000, 20000, 1000).astype(np.int16)
LISTENS = STATUS.replace('"live":false', '"live":true')


def line(first: int, count: int) -> str:
    data = base64.b64encode(SOUND[first : first + count].astype("<i2").tobytes()).decode()
    crc = zlib.crc32(f"samples {first} 16 {data}".encode())
    return f'{{"samples":{first},"bits":16,"data":"{data}","crc":"{crc:08x}"}}'


@contextlib.contextmanager
def device(pieces: list[int | str], *, leaves: bool = False) -> Iterator[str]:
    """One that captures at 100 Hz and sends these lines, a number is one of 100 samples, then is silent, or
    leaves; its URL."""
    boot = BOOT.replace('"output":1', '"output":1,"rate":100,"labels":["knocking"]')
    on = LISTENS.replace('"gate.threshold"', '"capture":16,"uncaptured":70,"gate.threshold"')
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("r") as lines, contextlib.suppress(OSError):
                for received in lines:
                    answers = {
                        "boot": [boot],
                        "capture 16": [on],
                        "capture off": [on],
                        "status": [on.replace('"uncaptured":70', '"uncaptured":1170')],
                    }.get(received.strip(), [])
                    if received.startswith("capture 16"):
                        answers += [line(100 * one, 100) if isinstance(one, int) else one for one in pieces]
                    connection.sendall("".join(f"{answer}\n" for answer in answers).encode())
                    if leaves and received.startswith("capture 16"):
                        return

        threading.Thread(target=serve, daemon=True).start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"


def sound_of(file: Path) -> NDArray[np.int16]:
    with wave.open(str(file)) as read:
        assert (read.getnchannels(), read.getsampwidth(), read.getframerate()) == (1, 2, 100)
        return np.frombuffer(read.readframes(read.getnframes()), "<i2").astype(np.int16)


def test_takes_are_files_with_labels_and_what_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "recordings"
    words = (
        "-o",
        folder,
        "--label",
        "knocking",
        "--seconds",
        "3",
        "--count",
        "2",
        "--meta",
        "place=the hall",
    )
    with device(list(range(10))) as url:
        assert here("capture", url, *words, "--no-wait") == 0
    files = [folder / "knocking_001.wav", folder / "knocking_002.wav"]
    first = int(np.flatnonzero(sound_of(files[0])[0] == SOUND)[0])
    assert first % 100 == 0
    assert np.array_equal(sound_of(files[0]), SOUND[first : first + 300])
    assert len(sound_of(files[1])) == 300
    segments = read_labels(folder / "labels.csv", 100)
    assert [(s.file, s.label, s.start, s.end, s.session) for s in segments] == [
        (file, "knocking", 0, 300, "train") for file in files
    ]
    known = captures(folder)[files[1]]
    assert (known["device"], known["app"], known["place"], known["missing"]) == ("b", "app", "the hall", "0")
    assert f"{files[0]}: 3.00 s, loudest " in capsys.readouterr().out


def test_every_gap_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with device([0, 1, 3, 4, 7, 8, 9]) as url:
        assert here("capture", url, "-o", tmp_path, "--seconds", "10", "--no-wait") == 1
    said = capsys.readouterr().out
    whole = SOUND.copy()
    whole[200:300] = 0
    whole[500:700] = 0
    assert np.array_equal(sound_of(tmp_path / "take_001.wav"), whole)
    assert "100 samples are missing at 2.000 s" in said
    assert "200 samples are missing at 5.000 s" in said
    assert "  1100 samples found no room on the line since the capture began: give it a higher rate" in said
    assert not (tmp_path / "labels.csv").exists()
    assert captures(tmp_path)[tmp_path / "take_001.wav"]["missing"] == "300"


def test_a_take_that_ends_before_its_first_sample_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row from 0 to 0 would make all commands refuse labels.csv."""

    def pressed(self: Capture) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Capture, "pump", pressed)
    with device([]) as url:
        assert here("capture", url, "-o", tmp_path, "--label", "knocking", "--no-wait") == 130
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().out == "take 1 of 1: no sample came, nothing is written\n"


def decision(label: str) -> str:
    index = ("Unknown", "knocking").index(label)
    ends = f'"SegmentStart":0,"SegmentLength":1,"Label":"{label}","Score":1,"Sequence":1}}'
    return f'{{"ModelNumber":0,"Classification":{index},{ends}'


@pytest.mark.parametrize(("trigger", "begins"), [("knocking", [200, 600]), ("any", [100, 500])])
def test_takes_begin_before_what_the_device_decides(
    tmp_path: Path, trigger: str, begins: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    knock, unknown = decision("knocking"), decision("Unknown")
    pieces: list[int | str] = [0, 1, unknown, 2, knock, 3, knock, 4, 5, unknown, 6, knock, 7, 8, 9]
    words = ("-o", tmp_path, "--seconds", "3", "--ahead", "1", "--trigger", trigger, "--count", "2")
    with device(pieces) as url:
        assert here("capture", url, *words) == 0, capsys.readouterr().err
    files = sorted(tmp_path.glob("*.wav"))
    assert [sound_of(file).tolist() for file in files] == [SOUND[at : at + 300].tolist() for at in begins]
    assert [captures(tmp_path)[file]["trigger"] for file in files] == (
        ["knocking", "knocking"] if trigger == "knocking" else ["Unknown", "Unknown"]
    )


def test_a_device_of_sensiml_is_captured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It offers its samples, sends packets after `connect` and none after `disconnect`."""
    offer = b'{"version":2,"sample_rate":100,"column_location":{"Microphone":0},"samples_per_packet":50}\r\n'
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("r") as lines, contextlib.suppress(OSError):
                for received in lines:
                    said.append(received.strip())
                    if said[-1] == "boot":  # it repeats its offer, whatever comes
                        connection.sendall(offer)
                    for number in (1, 2, 4, 5) if said[-1] == "connect" else ():
                        body = b"\0\0" + number.to_bytes(4, "little")
                        body += SOUND[50 * number - 50 : 50 * number].astype("<i2").tobytes()
                        check = 0
                        for byte in body:
                            check ^= byte
                        connection.sendall(b"\xff" + len(body).to_bytes(2, "little") + body + bytes([check]))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"socket://127.0.0.1:{server.getsockname()[1]}"
        assert here("capture", url, "-o", tmp_path, "--seconds", "2.5", "--no-wait") == 1
        thread.join(60)
    assert [word for word in said if word not in ("", "boot")] == ["connect", "disconnect"]
    sound = sound_of(tmp_path / "take_001.wav")
    assert np.array_equal(sound[:100], SOUND[:100])
    assert not sound[100:150].any()
    assert np.array_equal(sound[150:], SOUND[150:250])
    assert "50 samples are missing at 1.000 s" in capsys.readouterr().out
    assert captures(tmp_path)[tmp_path / "take_001.wav"]["device"] == "SensiML"


def test_a_trigger_that_the_image_does_not_decide_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with device([0]) as url:
        assert here("capture", url, "-o", tmp_path, "--trigger", "knock") == 2
    assert "It decides any, Unknown, knocking." in capsys.readouterr().err


def test_what_came_before_the_port_went_is_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with device([0, 1, 2], leaves=True) as url:
        assert here("capture", url, "-o", tmp_path, "--seconds", "9", "--no-wait") == 2
    assert "What came before is kept." in capsys.readouterr().err
    kept = sound_of(tmp_path / "take_001.wav")
    assert np.array_equal(kept, SOUND[len(SOUND) - 700 - len(kept) :][: len(kept)])
    assert len(kept) > 0


def test_an_image_without_capture_is_told_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with on_a_socket(build("pc", EXAMPLE).image) as url:
        assert here("capture", url, "-o", tmp_path) == 2
    assert "Write [device] capture = true" in capsys.readouterr().err
    assert here("capture", "x", "-o", tmp_path, "--meta", "place") == 2
    assert "is no KEY=VALUE" in capsys.readouterr().err


def rows(file: Path) -> list[list[str]]:
    with file.open(newline="") as stream:
        return list(csv.reader(stream))


def take(count: int = 5) -> Take:
    return Take(np.zeros(count, np.int16), ())


def test_tables_that_are_there_keep_what_they_have(tmp_path: Path) -> None:
    (tmp_path / "noise_001.wav").write_bytes(b"mine")
    labels, table = tmp_path / "labels.csv", tmp_path / "captures.csv"
    labels.write_text("label,file,start,end,unit,mine\nnoise,noise_001.wav,0,3,s,x")  # no LF at its end
    table.write_text('file,person\nnoise_001.wav,"Ann, B"\n')
    takes = Takes(tmp_path, "noise", "test", {"place": "hall"})
    assert takes.add(take(), 100).name == "noise_002.wav"
    assert (tmp_path / "noise_001.wav").read_bytes() == b"mine"
    assert rows(labels) == [
        ["label", "file", "start", "end", "unit", "mine", "session"],
        ["noise", "noise_001.wav", "0", "3", "s", "x", ""],
        ["noise", "noise_002.wav", "0", "5", "samples", "", "test"],
    ]
    assert rows(table) == [
        ["file", "person", "place", "missing", "clipped"],
        ["noise_001.wav", "Ann, B", "", "", ""],
        ["noise_002.wav", "", "hall", "0", "0"],
    ]
    takes.add(take(), 100)
    assert rows(labels)[-1] == ["noise", "noise_003.wav", "0", "5", "samples", "", "test"]


def test_two_programs_add_takes_to_one_folder(tmp_path: Path) -> None:
    """Both write at once, each by its own view of the folder: all takes have files and rows of their own."""
    each = 40

    def record(label: str, place: str) -> None:
        takes = Takes(tmp_path, "noise", None, {place: label})
        for number in range(each):
            takes.add(Take(np.full(int(label) + number, int(label), np.int16), ()), 100)

    writers = [threading.Thread(target=record, args=words) for words in (("100", "hall"), ("200", "room"))]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    lengths = {file.name: len(sound_of(file)) for file in tmp_path.glob("*.wav")}
    both = [*range(100, 100 + each), *range(200, 200 + each)]
    assert sorted(lengths.values()) == both
    segments = read_labels(tmp_path / "labels.csv", 100)
    assert {one.file.name: one.end for one in segments} == lengths
    assert len(segments) == len(captures(tmp_path)) == 2 * each
    assert {file.suffix for file in tmp_path.iterdir()} == {".wav", ".csv"}


def test_a_take_that_the_disk_refuses_is_one_message(tmp_path: Path) -> None:
    takes = Takes(tmp_path, "noise", None, {})
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))  # as a full disk: it fails in the midst
    try:
        with pytest.raises(UserError, match="the take cannot be written: File too large") as raised:
            takes.add(take(1000), 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert raised.value.file == str(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("table", "added"),
    [
        ("file,start,end,label\na.wav,0,9,knock\n", "noise_001.wav,0,5,noise"),
        ("file,start,end,label,session\na.wav,0,9,knock,\n", "noise_001.wav,0,5,noise,"),
        ("file,start,end,label,session\na.wav,0,9,knock,test\n", "noise_001.wav,0,5,noise,train"),
        ("file,start,end,label\n", "noise_001.wav,0,5,noise,train"),
    ],
)
def test_a_take_does_not_bring_the_first_session(tmp_path: Path, table: str, added: str) -> None:
    """As soon as a segment has a session, `train` learns from the session "train" alone."""
    labels = tmp_path / "labels.csv"
    labels.write_text(table)
    Takes(tmp_path, "noise", None, {}).add(take(), 100)
    assert labels.read_text().splitlines()[-1] == added
    assert labels.read_text().splitlines()[1:-1] == table.splitlines()[1:]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("labels.csv", "file,start,label\n"),
        ("labels.csv", 'file,start,end,label\n"a.wav,0,9,knock\n'),
        ("captures.csv", "name\n"),
        ("captures.csv", "file\na,b\n"),
        ("labels.csv", "\xff\n"),
    ],
)
def test_a_table_that_rows_do_not_fit_is_told_before_anything_is_recorded(
    tmp_path: Path, name: str, text: str
) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError) as raised:
        Takes(tmp_path, "noise", "train", {})
    assert raised.value.file == str(tmp_path / name)
    assert (tmp_path / name).read_bytes() == text.encode("latin-1")
    assert [file.name for file in tmp_path.iterdir()] == [name]
