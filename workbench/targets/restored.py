# SPDX-License-Identifier: Apache-2.0
"""A board is left as it was found."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from codegen.common.errors import UserError
from workbench.protocol.lines import Setting, Status
from workbench.targets.device import Device


@contextmanager
def restored(device: Device) -> Iterator[None]:
    """One that listened to its microphone before does so after, with or without stages as before."""
    before = device.status()
    yield
    device.command("stages on" if before.stages else "stages off")
    if before.live:
        after = device.command("live")
        if not isinstance(after, Status):
            print(f"earshot: {device.name} does not listen to its microphone again", file=sys.stderr)


@contextmanager
def with_settings(device: Device, settings: Mapping[str, int]) -> Iterator[None]:
    """Settings of a running image, by their keys in the status line, while the block runs. UserError where
    it refuses one."""
    before = device.status()
    _set(device, settings)
    yield
    _set(device, {key: before[key] for key in settings})


def _set(device: Device, settings: Mapping[str, int]) -> None:
    for key, value in settings.items():
        if not isinstance(device.command(f"set {key} {value}"), Setting):
            raise UserError(f"does not take {key} {value}", file=device.name)
