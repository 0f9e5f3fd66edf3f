# SPDX-License-Identifier: Apache-2.0
"""Devices that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.doors import DOORS, open_hashing, open_scripted
from workbench.targets import Device


@pytest.fixture(params=DOORS, scope="module")
def hashing(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The hashing image, one for all tests; each leaves it alive."""
    with open_hashing(request.param) as device:
        yield device


@pytest.fixture(params=DOORS, scope="module")
def scripted(request: pytest.FixtureRequest) -> Iterator[Device]:
    """The bare model."""
    with open_scripted(request.param) as device:
        yield device
