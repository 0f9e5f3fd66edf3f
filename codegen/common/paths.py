# SPDX-License-Identifier: Apache-2.0
"""Where the clone lies, and what it holds."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = ROOT / "templates"
BOARDS = ROOT / "boards"
