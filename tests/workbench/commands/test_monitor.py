# SPDX-License-Identifier: Apache-2.0
"""earshot monitor, as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tty
import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from tests.support.cli import earshot, here
from tests.support.scripted_image import BOOT
from toolbox.options import EXAMPLE
from workbench.live import microphone
from workbench.live.events import Mark, Received
from workbench.live.monitor import Monitor
from workbench.live.outputs import summary
from workbench.live.screen import picture

pytestmark = pytest.mark.xdist_group("images")


def recording(file: Path) -> Path:
    """Two seconds of noise in bursts."""
    noise = np.random.default_rng(5).standard_normal(32000) * 4000
    noise[12000:20000] = 0
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(noise.clip(-32768, 32767).astype("<i2").tobytes())
    return file


def last(text: str) -> dict[str, object]:
    found = json.loads(text.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_this_computer_decides_as_replay_does_and_the_session_is_shown_again(tmp_path: Path) -> None:
    file, session = recording(tmp_path / "a.wav"), tmp_path / "a.session"
    words = ("--target", "pc", "--app", EXAMPLE, "--wav", file, "--fast", "--json", "--record", session)
    done = earshot("monitor", *words)
    assert done.returncode == 0, done.stderr
    lines = earshot("replay", "--app", EXAMPLE, file).stdout.splitlines()
    assert len(lines) > 20
    whole = last(done.stdout)
    assert whole["counts"] == Counter(json.loads(line)["Label"] for line in lines)
    assert (whole["missed"], whole["seconds"], whole["device"]) == (0, 2.0, "smart_lock on pc")
    again = earshot("monitor", "--play", session, "--fast", "--json")
    assert last(again.stdout) == whole


@pytest.mark.qemu
def test_an_emulated_board_hears_the_file(tmp_path: Path) -> None:
    file = recording(tmp_path / "a.wav")
    done = earshot("monitor", "--target", "qemu", "--app", EXAMPLE, "--wav", file, "--fast", "--json")
    assert done.returncode == 0, done.stderr
    lines = earshot("replay", "--app", EXAMPLE, file).stdout.splitlines()
    whole = last(done.stdout)
    assert whole["counts"] == Counter(json.loads(line)["Label"] for line in lines)
    assert (whole["missed"], whole["lost"], whole["device"]) == (0, 0, "smart_lock on mps2_an386")


def test_a_device_of_sensiml_behind_a_port_is_shown_by_its_names(tmp_path: Path) -> None:
    names = tmp_path / "model.json"
    names.write_text('{"ModelDescriptions":[{"ClassMaps":{"0":"Unknown","1":"key_io","2":"knock"}}]}')
    ours, theirs = os.openpty()

    def answer() -> None:
        os.read(ours, 1)  # the port is open
        os.write(ours, b'{"ModelNumber":0,"Classification":2,"SegmentStart":0,"SegmentLength":6000}\n')

    try:
        tty.setraw(theirs)
        threading.Thread(target=answer, daemon=True).start()
        port = os.ttyname(theirs)
        command = [sys.executable, "-m", "workbench", "monitor", port, "--model-json", str(names)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline().endswith(" s   knock\n")
            watching.kill()
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_does_not_go_together_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = {
        (): "one thing can be watched",
        ("/dev/x", "--play", "f"): "one thing can be watched",
        ("--target", "pc", "--wav", "x.wav"): "needs an app",
        ("--target", "pc", "--app", str(EXAMPLE)): "needs sound",
        ("--target", "qemu", "--app", str(EXAMPLE), "--microphone"): "cannot hear this computer's microphone",
        ("/dev/x", "--wav", "x.wav"): "need a --target",
        ("/dev/x", "--clips", "f"): "--clips needs the sound",
        ("/dev/x", "--fast"): "--fast goes with",
        ("/dev/no_such_port",): "cannot be opened",
        ("--play", str(tmp_path / "none")): "No such file",
    }
    for words, text in said.items():
        assert here("monitor", *words) == 2, words
        assert text in capsys.readouterr().err, words


def test_without_sounddevice_one_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(UserError) as raised:
        next(microphone.listen(16000, 100))
    assert "pip install sounddevice" in str(raised.value)


def test_the_microphones_sound_comes_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    sound = np.arange(-500, 500, dtype=np.int16)

    class Stream:
        def __init__(self, **options: object) -> None:
            assert (options["samplerate"], options["channels"], options["dtype"]) == (16000, 1, "int16")
            self.take = options["callback"]

        def start(self) -> None:
            for start in range(0, 1000, 100):
                self.take(sound[start : start + 100].tobytes(), 100, None, None)  # type: ignore[operator]
            self.take(b"", 0, None, "input overflow")  # type: ignore[operator]

        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None: ...

    class Fake:
        PortAudioError = RuntimeError
        RawInputStream = Stream

    monkeypatch.setattr(microphone, "sounddevice", lambda: Fake)
    with pytest.raises(UserError, match="input overflow"):
        next(microphone.listen(16000, 100))


def test_the_picture_has_what_a_person_needs_and_no_escape_of_a_device() -> None:
    from rich.console import Console

    monitor = Monitor()
    boot = BOOT.replace('"output":1', '"output":1,"labels":["a\\u001b[2J","knocking"]').encode() + b"\n"
    monitor.take(Received(0.0, boot))
    line = b'{"ModelNumber":0,"Classification":1,"SegmentStart":0,"SegmentLength":1,"Label":"a\\u001b[2J",'
    monitor.take(Received(1.0, line + b'"Score":90,"Sequence":1}\n'))
    monitor.take(Mark(1.1, "knocking"))
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    console.print(picture(monitor.view(), "/dev/x", lambda score: f"{(score + 128) / 256:.1%}"))
    text = console.export_text()
    for words in ("app on b, /dev/x", "a\\x1b[2J", "85.2%", "of 1 marked sounds 0 right", "gate open"):
        assert words in text, words
    assert "\x1b" not in text + summary(monitor.view())
    assert "Sounds that you marked" in summary(monitor.view())
