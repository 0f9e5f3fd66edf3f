# SPDX-License-Identifier: Apache-2.0
"""The one list of commands, in the order `earshot --help` shows them."""

from __future__ import annotations

# name of the module in workbench/commands; the command's own name is its NAME
COMMANDS: tuple[str, ...] = (
    "demo",
    "test",
    "operators",
    "check",
    "features",
    "inspect",
    "infer",
    "verify",
    "published",
    "plan",
    "profile",
    "report",
    "replay",
    "monitor",
    "identify",
    "capture",
    "parity",
    "generate",
    "studio",
    "data",
    "train",
    "evaluate",
    "tune",
    "worker",
    "import_",
    "synthesize",
    "packs",
    "backtrace",
    "debug",
    "evidence",
    "mlperf",
)
