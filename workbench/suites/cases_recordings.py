# SPDX-License-Identifier: Apache-2.0
"""Each recording of the app decides as on the PC."""

from __future__ import annotations

from codegen.emit.suite import Suite
from workbench.suites.context import Context, case, play


def suite(context: Context) -> Suite:
    """One case a recording."""
    cases = []
    names: set[str] = set()
    for index, recording in enumerate(context.recordings):
        seconds = len(context.samples(recording)) / context.rate
        name = recording.file.stem
        if name in names:
            name = f"{name} {index}"
        names.add(name)
        what = f"{recording.words}, {seconds:.1f} s" if recording.labels else f"{seconds:.1f} s"
        cases.append(case(name, f"recording_{index:03d}", what, play(context.recording(recording))))
    return Suite("recordings", "Every recording decides as on the PC", tuple(cases))
