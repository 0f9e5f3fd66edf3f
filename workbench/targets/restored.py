# SPDX-License-Identifier: Apache-2.0
"""A board is left as it was found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from workbench.protocol.lines import Status
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
