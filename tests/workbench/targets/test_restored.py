# SPDX-License-Identifier: Apache-2.0
"""A board is left as it was found, whatever ended what was done with it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from codegen.common.errors import UserError
from tests.support.scripted_image import STATUS, ScriptedImage, scripted
from workbench.targets.restored import restored, with_settings

SETTINGS = {"gate.threshold": -1}


class Found(ScriptedImage):
    """One that listens, with stages."""

    def _take(self, line: str) -> None:
        super()._take(line)
        listening = STATUS.replace('"live":false', '"live":true').replace('"stages":false', '"stages":true')
        self._out = self._out.replace(STATUS.encode(), listening.encode())


class Leaves(ScriptedImage):
    """One that answers nothing from some point on."""

    def gone(self) -> str:
        """It is."""
        self._take = lambda line: None  # type: ignore[method-assign]
        return "first"


def sent(image: ScriptedImage) -> list[str]:
    return [line for line in image.received if line != "status"]


AFTER = ["set gate.threshold 600", "stages on", "live"]


def test_settings_stages_and_microphone_come_back() -> None:
    device, image = scripted()
    image.__class__ = Found
    with restored(device), with_settings(device, SETTINGS):
        device.command("stages off")
    assert sent(image) == ["set gate.threshold -1", "stages off", *AFTER]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_they_come_back_after_an_error(error: BaseException) -> None:
    device, image = scripted()
    image.__class__ = Found

    def played() -> None:
        with restored(device), with_settings(device, SETTINGS):
            device.send(b"audio 0 half of a li")
            raise error

    with pytest.raises(type(error)):
        played()
    assert sent(image) == ["set gate.threshold -1", "audio 0 half of a li", *AFTER]


def test_what_was_set_before_one_was_refused_comes_back() -> None:
    def refuses(line: str) -> Iterable[str]:
        return ['{"error":"value x","detail":0,"code":31}'] if line == "set gate.delay 90" else []

    device, image = scripted(refuses)
    status = STATUS.replace('"gate.threshold":600', '"gate.threshold":600,"gate.delay":2')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.support.scripted_image.STATUS", status)
        with (
            pytest.raises(UserError, match=r"does not take gate\.delay 90"),
            with_settings(device, {**SETTINGS, "gate.delay": 90}),
        ):
            raise AssertionError
    assert sent(image)[-2:] == ["set gate.threshold 600", "set gate.delay 2"]


def test_a_refused_setting_that_the_status_does_not_tell_keeps_the_message() -> None:
    def refuses(line: str) -> Iterable[str]:
        return ['{"error":"value x","detail":0,"code":31}'] if line == "set gate.hold 90" else []

    device, image = scripted(refuses)
    with (
        pytest.raises(UserError, match=r"does not take gate\.hold 90"),
        with_settings(device, {**SETTINGS, "gate.hold": 90}),
    ):
        raise AssertionError
    assert sent(image)[-1] == "set gate.threshold 600"


def test_one_that_is_gone_keeps_the_error(capsys: pytest.CaptureFixture[str]) -> None:
    device, image = scripted()
    image.__class__ = Leaves
    assert isinstance(image, Leaves)
    device.timeout = 0.01
    with pytest.raises(ValueError, match="first"), restored(device):
        raise ValueError(image.gone())
    assert device.timeout == 0.01
    assert "scripted is not left as it was found: nothing answers" in capsys.readouterr().err
