# SPDX-License-Identifier: Apache-2.0
"""decision.mean and decision.suppress while an image runs: it then decides as one that was built so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.tools import need_target
from tests.support.tutorial import PIPELINE, noises, tutorial_app
from workbench.protocol.lines import Error, Setting
from workbench.targets import Device, open_app

OTHERS = {"mean": 4, "suppress": 3}


def app(folder: Path, mean: int, suppress: int) -> Path:
    """The tutorial's, which decides at each window."""
    more = f"mean = {mean}\nsuppress = {suppress}\n[gate]\nthreshold = -1\n"
    return tutorial_app(folder / f"door_{mean}_{suppress}", text=PIPELINE.format(classifier="") + more)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("smoothing")


def lines(device: Device, sound: NDArray[np.int16]) -> list[str]:
    assert isinstance(device.command("set decision.threshold -40"), Setting)
    return list(device.replay(sound))


@pytest.mark.parametrize("target", ["pc", "qemu"])
def test_it_decides_as_an_image_that_was_built_so(folder: Path, target: str) -> None:
    need_target(target)
    sound = noises(3, 4)
    with open_app(app(folder, 2, 9), target) as device:
        before = lines(device, sound)
        for key, value in OTHERS.items():
            assert isinstance(device.command(f"set decision.{key} {value}"), Setting)
        status = device.status()
        assert {key: status[f"decision.{key}"] for key in OTHERS} == OTHERS
        changed = lines(device, sound)
        for wrong in ("mean 0", "mean 11", "suppress -1", "suppress 10001", "means 1"):
            assert isinstance(device.command(f"set decision.{wrong}"), Error), wrong
        assert lines(device, sound) == changed
    with open_app(app(folder, *OTHERS.values()), "pc") as device:
        assert lines(device, sound) == changed != before


def test_an_image_without_them_has_no_such_key(folder: Path) -> None:
    with open_app(tutorial_app(folder / "plain"), "pc") as device:
        assert "decision.mean" not in device.status().values
        refused = device.command("set decision.mean 3")
        assert isinstance(refused, Error)
        assert refused.entry is not None
        assert refused.entry.reason == "no such key"
