# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin: what a test needs or costs, as markers, so that a person can choose.

    ./earshot test --fast              what an edit most often breaks: under a minute of CPU
    ./earshot test -m "not qemu"       nothing in an emulator

fast is a list: files that together take under a minute of CPU time, some of every room. The other
markers follow from the file: its folder, or what its source names.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from codegen.common.paths import ROOT

FAST = (
    "codegen/app",
    "codegen/common",
    "codegen/emit/test_incremental_source.py",
    "codegen/emit/test_line_size.py",
    "codegen/emit/test_tflm_resolver.py",
    "codegen/emit/test_modes.py",
    "codegen/kernels/test_requantize.py",
    "codegen/ops/test_cast.py",
    "codegen/passes/test_memory_plan.py",
    "docs/test_boards_pages.py",
    "docs/test_commands_page.py",
    "docs/test_models_page.py",
    "docs/test_protocol_page.py",
    "firmware/dsp",
    "firmware/pipeline/test_cascade.py",
    "firmware/pipeline/test_decision.py",
    "firmware/pipeline/test_gate.py",
    "firmware/pipeline/test_mfcc.py",
    "firmware/pipeline/test_scale.py",
    "workbench/targets/test_window.py",
    "firmware/port/test_dma_ring.py",
    "firmware/port/test_drivers_mps2.py",
    "house/test_rooms.py",
    "workbench/audio/test_audio.py",
    "workbench/data/test_labels.py",
    "workbench/host/test_library.py",
    "workbench/protocol/test_lines.py",
    "workbench/suites/test_suites.py",
)
SOAK = ("firmware/device/test_long.py", "firmware/pipeline/test_ten_thousand_windows.py")
# marker -> words in a file's source that say so
WORDS = {
    "qemu": ('"qemu"', "qemu-system-arm"),
    "renode": ("need_renode", "renode-test", "renode_link"),
    "build": ("tests.support.clone", "workbench.build", "scons("),
}
MARKERS = {
    "fast": "what an edit most often breaks; all of them take under a minute of CPU time",
    "build": "builds images by SCons",
    "qemu": "runs an image in QEMU",
    "renode": "is about Renode",
    "docs": "holds a page of docs/ to the truth",
    "soak": "long runs",
}


def pytest_configure(config: pytest.Config) -> None:
    """The markers are known."""
    for name, text in MARKERS.items():
        config.addinivalue_line("markers", f"{name}: {text}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test gets those of its file."""
    for item in items:
        for name in markers_of(item.path):
            item.add_marker(name)


@cache
def markers_of(file: Path) -> frozenset[str]:
    """The markers of a test file."""
    try:
        name = file.relative_to(ROOT / "tests").as_posix()
    except ValueError:
        return frozenset()
    text = file.read_text(encoding="utf-8")
    found = {marker for marker, words in WORDS.items() if any(word in text for word in words)}
    found |= {"fast"} if name.startswith(FAST) else set()
    found |= {"docs"} if name.startswith("docs/") else set()
    found |= {"soak"} if name in SOAK else set()
    return frozenset(found)
