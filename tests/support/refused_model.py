# SPDX-License-Identifier: Apache-2.0
"""Models that the reader refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.common.errors import UserError, UserErrors
from codegen.passes.legalise import load_graph


def refused(path: Path) -> str:
    """The message with which the reader refuses; it names the file and offers a remedy."""
    with pytest.raises(UserError) as caught:
        load_graph(path)
    text = str(caught.value)
    assert str(path) in text
    assert "\n  " in text or isinstance(caught.value, UserErrors)
    return text
