# SPDX-License-Identifier: Apache-2.0
"""What ends a session, what is only news, and whose answer a line is: errors and restarts of an image."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from codegen.common import protocol
from codegen.common.errors import UserError
from tests.support.scripted_image import BOOT, Extra, scripted
from workbench.protocol.lines import Ack, Boot, Error, Setting, Status, parse_line

SOUND = np.zeros(5 * 180, np.int16)
WATCHDOG = BOOT.replace("power", "watchdog")


def error_line(error: protocol.Error, *, numbered: bool = True) -> str:
    """As an image says it; numbered: False: as one did before there were numbers."""
    subject = {
        protocol.Subject.RECEIVED: f"{error.words} gate.threshold",
        protocol.Subject.TRANSFER: f"audio {error.words}",
        protocol.Subject.TENSOR: f"tensor {error.words}",
    }
    reason = f',"reason":"{error.reason}"' if error.reason else ""
    code = f',"code":{error.code}' if numbered else ""
    return f'{{"error":"{subject.get(error.subject, error.words)}","detail":0{reason}{code}}}'


def once(begin: str, line: str) -> Extra:
    """Said before the answer to the first line that begins so."""
    left = [line]

    def extra(received: str) -> Iterable[str]:
        return [left.pop()] if left and received.startswith(begin) else []

    return extra


STOPS = [error for error in protocol.ERRORS if error.stops]
OWN = [error for error in protocol.ERRORS if not error.stops and not error.refuses]
REFUSALS = [error for error in protocol.ERRORS if error.refuses]
WORDS = ["status", "boot", "set gate.threshold 5", "stages on", "replay", "live", "reset"]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("error", STOPS, ids=lambda error: error.name)
def test_an_error_after_which_the_image_resets_ends_the_session(
    error: protocol.Error, numbered: bool
) -> None:
    line = error_line(error, numbered=numbered)
    for word in WORDS:
        device, _ = scripted(once(word, line))
        with pytest.raises(UserError, match="the image stopped") as raised:
            device.command(word)
        assert line in str(raised.value)
        assert "rate of the serial line" not in str(raised.value)
    for word in ("audio", "replay"):
        device, _ = scripted(once(word, line))
        with pytest.raises(UserError, match="the image stopped"):
            list(device.replay(SOUND))


def test_an_unknown_error_stops_unless_its_number_says_otherwise() -> None:
    """Of an image that is newer than this host, or has a port of its own."""
    reported = {
        '{"error":"flux capacitor","detail":0}': True,
        '{"error":"flux capacitor","detail":0,"code":200}': True,
        '{"error":"flux capacitor","detail":0,"code":60}': False,
        '{"error":"flux capacitor","detail":0,"code":31}': False,
    }
    for line, stops in reported.items():
        error = parse_line(line)
        assert isinstance(error, Error)
        assert error.stops == stops, line
        assert error.refuses == ('"code":31' in line)


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("error", OWN, ids=lambda error: error.name)
def test_news_are_no_answer(error: protocol.Error, numbered: bool) -> None:
    for word in WORDS:
        device, _ = scripted(once(word, error_line(error, numbered=numbered)))
        answer = device.command(word)
        assert not isinstance(answer, Error), word


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("error", [e for e in REFUSALS if not e.of_transfer], ids=lambda error: error.name)
def test_a_refusal_answers_the_line(error: protocol.Error, numbered: bool) -> None:
    device, _ = scripted(once("set", error_line(error, numbered=numbered)))
    answer = device.command("set gate.threshold 5")
    assert isinstance(answer, Error)
    assert answer.entry == error


@pytest.mark.parametrize("error", [e for e in REFUSALS if e.of_transfer], ids=lambda error: error.name)
def test_a_late_refusal_of_a_numbered_line_answers_no_word(error: protocol.Error) -> None:
    device, _ = scripted(once("set", error_line(error)))
    assert device.command("set gate.threshold 5") == Setting("gate.threshold", 5)


@pytest.mark.parametrize("name", ["no_pipeline", "model_start", "audio"])
def test_a_transfer_that_cannot_go_on_says_so_at_once(name: str) -> None:
    """As when another host has typed `live` meanwhile."""
    device, _ = scripted(once("audio", error_line(protocol.BY_NAME[name])))
    with pytest.raises(UserError, match="audio was refused"):
        list(device.replay(SOUND))


@pytest.mark.parametrize("word", [word for word in WORDS if word != "boot"])
def test_a_boot_line_that_nobody_asked_for_is_a_restart(word: str) -> None:
    device, _ = scripted(once(word, WATCHDOG))
    with pytest.raises(UserError, match="has started anew"):
        device.command(word)


@pytest.mark.parametrize("number", range(5))
def test_a_restart_in_the_middle_of_a_transfer_is_found(number: int) -> None:
    device, image = scripted(once(f"audio {number}", WATCHDOG))
    with pytest.raises(UserError, match="has started anew"):
        list(device.replay(SOUND))
    device, image = scripted(once("tensor 1", WATCHDOG))
    with pytest.raises(UserError, match="has started anew"):
        device.tensor(bytes(device.boot.input))
    assert image.received[-1].startswith("tensor 1 ")


def test_a_restart_beside_the_question_who_is_there_is_found_by_the_line_too_many() -> None:
    device, _ = scripted(once("boot", BOOT))
    device.command("boot")
    with pytest.raises(UserError, match="has started anew"):
        device.status()


def test_a_restart_is_no_answer_to_a_question_that_is_still_open() -> None:
    """A slow image was asked twice who it is, and the second answer was lost with the reset."""
    device, _ = scripted(once("tensor 1", WATCHDOG))
    device._asked.append("boot")
    with pytest.raises(UserError, match="has started anew"):
        device.tensor(bytes(device.boot.input))


@pytest.mark.parametrize("cut", [1, 20, 36])
def test_a_boot_line_behind_a_line_that_the_reset_cut_off_is_found(cut: int) -> None:
    """A line that nobody reads is given up, wherever it is, and its end is lost with it."""
    lost = error_line(protocol.BY_NAME["fault"])[:cut]
    device, _ = scripted(once("tensor 1", lost + WATCHDOG))
    with pytest.raises(UserError, match="has started anew"):
        device.tensor(bytes(device.boot.input))


def test_a_restart_says_why() -> None:
    device, _ = scripted(once("replay", WATCHDOG))
    with pytest.raises(UserError, match="after watchdog: the main loop made no round for seconds"):
        list(device.replay(SOUND))


def test_a_restart_among_decisions_is_found() -> None:
    device, image = scripted()
    device.status()
    image._out += f"{WATCHDOG}\n".encode()
    with pytest.raises(UserError, match="has started anew"):
        list(device.results(0.5))


def test_boot_lines_that_were_asked_for_are_none() -> None:
    """Opening a port may have reset the board: then its own line comes, and the answer too."""
    device, _ = scripted(running=True)
    assert isinstance(device.command("boot"), Boot)
    assert isinstance(device.status(), Status)
    assert isinstance(device.command("boot"), Boot)
    assert isinstance(device.command("replay"), Ack)


def test_an_error_before_the_boot_line_may_be_the_reason_why_none_comes() -> None:
    """The image tries again by itself: it may come up. Only registers end the waiting at once."""
    image_says = [error_line(protocol.BY_NAME["pll_lock"])]
    device, _ = scripted(lambda line: [image_says.pop()] if image_says else [], running=True)
    assert device.boot.name == "app"
