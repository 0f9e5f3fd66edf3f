# SPDX-License-Identifier: Apache-2.0
"""A board is left as it was found, also where what was done with it ends in an error."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from codegen.common.errors import UserError
from workbench.protocol.lines import Setting, Status
from workbench.targets.device import Device

PATIENCE = 2.0  # seconds for an answer after an error: the image may be gone


@contextmanager
def restored(device: Device) -> Iterator[None]:
    """One that listened to its microphone before does so after, with or without stages as before."""
    before = device.status()

    def restore() -> None:
        device.command("stages on" if before.stages else "stages off")
        if before.live and not isinstance(device.command("live"), Status):
            print(f"earshot: {device.name} does not listen to its microphone again", file=sys.stderr)

    with _afterwards(device, restore):
        yield


@contextmanager
def with_settings(device: Device, settings: Mapping[str, int]) -> Iterator[None]:
    """Settings of a running image, by their keys in the status line, while the block runs. UserError where
    it refuses one."""
    before = device.status()
    own = {key: before[key] for key in settings if key in before.values}
    with _afterwards(device, lambda: _set(device, own)):
        _set(device, settings)
        yield


@contextmanager
def _afterwards(device: Device, restore: Callable[[], None]) -> Iterator[None]:
    """restore() after the block. After an error as far as the image answers; the error is what is raised."""
    try:
        yield
    except BaseException:
        timeout = device.timeout
        device.timeout = min(timeout, PATIENCE)
        try:
            device.send(b"\n")  # ends what may be left of a line
            device.status()
            restore()
        except UserError as error:
            print(f"earshot: {device.name} is not left as it was found: {error.what}", file=sys.stderr)
        finally:
            device.timeout = timeout
        raise
    restore()


def _set(device: Device, settings: Mapping[str, int]) -> None:
    for key, value in settings.items():
        if not isinstance(device.command(f"set {key} {value}"), Setting):
            raise UserError(f"does not take {key} {value}", file=device.name)
