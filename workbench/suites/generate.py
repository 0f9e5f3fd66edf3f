# SPDX-License-Identifier: Apache-2.0
"""An app's suites written into a folder, with their sounds and the lines they expect."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from codegen.app.contract import feature_contract
from codegen.app.spec import Spec
from codegen.compile import with_graphs
from codegen.emit.suite import Suite, SuiteImage, cases_of, resource_text, suite_text
from toolbox.elf import build_id
from workbench.suites import (
    cases_decision,
    cases_gate,
    cases_line,
    cases_recordings,
    cases_session,
)
from workbench.suites.context import Context
from workbench.suites.emulator import Emulator
from workbench.suites.expected import expect
from workbench.suites.recordings import choose, synthesised
from workbench.suites.settings import read_settings

KEYWORDS = "workbench.suites.robot.keywords.Keywords"
CONCERNS = (cases_recordings, cases_gate, cases_decision, cases_session, cases_line)


@dataclass(frozen=True)
class Generated:
    """What lies in the folder."""

    folder: Path  # of the .robot files
    suites: tuple[Suite, ...]
    synthesised: bool  # it plays sounds made by a program, not recordings

    @property
    def cases(self) -> int:
        """All of them."""
        return cases_of(self.suites)

    @property
    def names(self) -> tuple[str, ...]:
        """Of all cases, as Robot tells them."""
        return tuple(case.name.replace("\\", "") for suite in self.suites for case in suite.cases)


def generate(
    spec: Spec, emulator: Emulator, image: Path, pc_image: Path, folder: Path, *, short: bool = False
) -> Generated:
    """Writes folder/suites, folder/sounds and folder/expected anew.

    image: of the emulated board; short: the short set of settings.py.
    UserError where the app names recordings that are not there.
    """
    pipeline = spec.pipeline
    assert pipeline is not None
    app = spec.file.parent
    folders = {"EXPECTED": folder / "expected", "SOUNDS": folder / "sounds"}
    suites_folder = folder / "suites"
    for made in (*folders.values(), suites_folder):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
    settings = read_settings(app).short if short else read_settings(app)
    recordings = choose(settings, app, pipeline.audio.sample_rate, folders["SOUNDS"] / "synthetic")
    common = Path(os.path.commonpath([recording.file.parent for recording in recordings]))
    folders["RECORDINGS"] = common
    context = Context(pipeline, tuple(recordings), common, folders["SOUNDS"], settings.long)
    suites = [concern.suite(context) for concern in CONCERNS]
    suites = expect(suites, pc_image, folders)
    for number, suite in enumerate(suites, start=1):  # Robot runs them in the order of their numbers
        (suites_folder / f"{number:02d}__{suite.name}.robot").write_text(suite_text(suite), encoding="utf-8")
    described = SuiteImage(
        app=spec.name,
        board=emulator.board.name,
        file=image,
        build=build_id(image),
        model=with_graphs(spec, spec.classifier.engine).model_hash,
        contract=feature_contract(spec),
        pc_image=pc_image,
    )
    uart = emulator.board.renode.uart if emulator.board.renode is not None else ""
    resource = resource_text(described, emulator.name, folders, KEYWORDS, uart)
    (suites_folder / "emulator.resource").write_text(resource, encoding="utf-8")
    return Generated(suites_folder, tuple(suites), synthesised(settings))
