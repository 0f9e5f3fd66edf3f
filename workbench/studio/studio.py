# SPDX-License-Identifier: Apache-2.0
"""What all pages of a studio share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from workbench.studio.course import Course
from workbench.studio.folder import Folder
from workbench.studio.heard import Listener
from workbench.studio.job import Job
from workbench.studio.labels import Labels
from workbench.studio.live import Live
from workbench.studio.recorder import Recorder
from workbench.studio.sound import Sounds


@dataclass(frozen=True)
class Studio:
    """One folder, and the app that listens to it where there is one."""

    folder: Folder
    app: Path | None
    labels: Labels
    listener: Listener | None  # the app, on recordings
    live: Live
    recorder: Recorder
    training: Job = field(default_factory=Job)
    courses: list[Course] = field(default_factory=list)  # of the last training, by its epochs
    building: Job = field(default_factory=Job)
    scratch: TemporaryDirectory[str] = field(default_factory=TemporaryDirectory)  # gone at the end
    sounds: Sounds = field(default_factory=Sounds)
