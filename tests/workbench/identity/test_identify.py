# SPDX-License-Identifier: Apache-2.0
"""Who is at a port: each thing that may be there gets its own true words."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

import pytest

from codegen.common.errors import UserError
from tests.support.cli import earshot, here
from tests.support.doors import on_a_socket
from tests.support.scripted_image import BOOT
from toolbox.options import EXAMPLE
from workbench.build import build
from workbench.identity.ask import Sensiml, ask
from workbench.identity.origin import origin
from workbench.protocol.lines import Boot, parse_line
from workbench.targets.link import LinkClosedError
from workbench.targets.serial_port import SerialLink

pytestmark = pytest.mark.xdist_group("images")


class Says:
    """A link that says something, and whose time passes as it is listened to."""

    def __init__(self, data: bytes, *, closes: bool = False) -> None:
        self.data, self.closes = data, closes
        self.now = 0.0
        self.sent = b""

    def send(self, data: bytes) -> None:
        """See Link."""
        self.sent += data

    def receive(self, timeout: float) -> bytes:
        """See Link."""
        if self.closes:
            raise LinkClosedError("pulled")
        self.now += timeout
        data, self.data = self.data, b""
        return data

    def close(self) -> None:
        """See Link."""


def asked(data: bytes, *, closes: bool = False) -> Boot | Sensiml:
    link = Says(data, closes=closes)
    return ask(link, "/dev/x", 5.0, lambda: link.now)


def test_an_image_says_who_it_is_among_other_lines() -> None:
    assert asked(b'\xff\xfehalf\n{"status":0}\n' + BOOT.encode() + b"\n") == parse_line(BOOT)


def test_a_device_of_sensiml_is_known_by_its_results_or_its_offer() -> None:
    result = b'{"ModelNumber":0,"Classification":2,"SegmentStart":0,"SegmentLength":6000}\r\n'
    assert asked(result) == Sensiml(None)
    offer = b'{"version":2,"sample_rate":16000,"column_location":{"Microphone":0},"samples_per_packet":112}\n'
    assert asked(offer) == Sensiml(16000, 112)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing came within 5 seconds"),
        (bytes(range(256)), r"no text \(256 bytes\): another rate"),
        (b"login: \n", 'no image of Earshot: it said "login:"'),
        (b"half a line", 'it said "half a line"'),
        (b"\x1b[2Jx" + b"y" * 200 + b"\n", 'it said "' + r"\\x1b\[2Jxy"),
        (b"boot\n", "echoes"),
        (b'{"column_location":{},"sample_rate":1e999,"samples_per_packet":9}\n', "no image of Earshot"),
        (b'{"column_location":' + b"[" * 4000 + b"\n", "no image of Earshot"),
        (b'{"error":"tflm","detail":3,"code":33}\n', "does not start"),
    ],
)
def test_what_else_is_there_is_told(data: bytes, words: str) -> None:
    with pytest.raises(UserError, match=words):
        asked(data)


def test_a_port_that_closes_is_told() -> None:
    with pytest.raises(UserError, match="the port closed while it was asked"):
        asked(b"", closes=True)


def test_a_port_that_is_open_elsewhere_is_not_shared() -> None:
    ours, theirs = os.openpty()
    try:
        first = SerialLink(os.ttyname(theirs))
        with pytest.raises(UserError, match="another program has it open"):
            SerialLink(os.ttyname(theirs))
        first.close()
        SerialLink(os.ttyname(theirs)).close()
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_came_before_a_port_closed_comes_whole() -> None:
    for text in (b"a", b"ab", b"abc", b"abcd"):
        with socket.create_server(("127.0.0.1", 0)) as server:
            link = SerialLink(f"socket://127.0.0.1:{server.getsockname()[1]}")
            connection, _ = server.accept()
            connection.sendall(text)
            connection.close()
            said = b""
            with contextlib.suppress(LinkClosedError):
                while True:
                    said += link.receive(1)
            link.close()
        assert said == text


def test_an_absent_port_names_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.targets.serial_port.ports", lambda: ["/dev/ttyACM0", "/dev/ttyS4"])
    with pytest.raises(UserError, match="there is no such port") as raised:
        SerialLink("/dev/ttyACM9")
    assert raised.value.remedy == "These are there: /dev/ttyACM0, /dev/ttyS4."


def test_build_and_app_are_found_and_another_contract_comes_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image = build("pc", EXAMPLE).image
    other = tmp_path / "other"
    other.mkdir()
    text = (EXAMPLE / "pipeline.toml").read_text()
    assert "cepstra = 20" in text
    (other / "pipeline.toml").write_text(text.replace("cepstra = 20", "cepstra = 19"))
    (other / "model.tflite").write_bytes(b"another")
    with on_a_socket(image) as url:
        assert here("identify", url) == 0
    said = capsys.readouterr().out
    assert said.startswith("smart_lock on pc, engine aot")
    assert "build/pc/smart_lock/firmware\n" in said
    assert "that of examples/smart_lock\n" in said
    with on_a_socket(image) as url:
        assert here("identify", url, "--app", other) == 1
    first, second, third, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith(f"WARNING: it computes other features than {other}: feature contract ")
    assert "says nothing about this app" in second
    assert third.startswith("WARNING: it runs another model")


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    boot = parse_line(BOOT)
    assert isinstance(boot, Boot)
    (tmp_path / "build/b/app").mkdir(parents=True)
    (tmp_path / "build/b/app/firmware.elf").write_bytes(b"no ELF")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/pipeline.toml").write_text("[")
    known = origin(boot, None, tmp_path)
    assert (known.build, known.app) == (None, None)


def test_json_is_one_object() -> None:

    with on_a_socket(build("pc", EXAMPLE).image) as url:
        found = json.loads(earshot("identify", url, "--json", "--app", EXAMPLE).stdout)
    assert found["boot"]["name"] == "smart_lock"
    assert (found["same_model"], found["same_contract"]) == (True, True)
    assert found["build"].endswith("build/pc/smart_lock/firmware")
