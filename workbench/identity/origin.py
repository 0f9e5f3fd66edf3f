# SPDX-License-Identifier: Apache-2.0
"""Which build and which app of this computer an image comes from, by what its boot line says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from elftools.common.exceptions import ELFError

from codegen.app.contract import feature_contract
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.compile import with_graphs
from workbench.flash.boot_line import build_id
from workbench.protocol.lines import Boot


@dataclass(frozen=True)
class Comparison:
    """An app beside what the image says. contract: None of a bare model."""

    app: Path
    model: str  # start of the file's SHA-256, 16 hex digits; empty where there is no model file
    contract: str | None
    same_model: bool
    same_contract: bool


@dataclass(frozen=True)
class Origin:
    """build: the image's file with the same build id; None: none is here. app: the app asked about, or one
    of this checkout with the same model and contract; None: none is known."""

    build: Path | None
    app: Comparison | None


def origin(boot: Boot, app: Path | None, root: Path = ROOT) -> Origin:
    """Looks in build/ and, where no app is named, among the apps beside them. UserError: `app` is none."""
    build = next((file for file in images(root) if _id(file) == boot.build), None) if boot.build else None
    if app is not None:
        return Origin(build, compare(boot, app))
    return Origin(build, _same(boot, _apps(root)))


def images(root: Path = ROOT) -> list[Path]:
    """Images in the build folder of a checkout."""
    found = [*root.glob("build/*/*/firmware.elf"), *root.glob("build/pc/*/firmware")]
    return sorted(file for file in found if file.is_file())


def _id(file: Path) -> str | None:
    try:
        return build_id(file)
    except (UserError, ELFError, OSError):
        return None


def _apps(root: Path) -> list[Path]:
    return sorted(
        file.parent for file in [*root.glob("*/pipeline.toml"), *root.glob("examples/*/pipeline.toml")]
    )


def _same(boot: Boot, apps: Sequence[Path]) -> Comparison | None:
    compared = (one for one in _compared(boot, apps) if one.same_model and one.same_contract)
    return next(compared, None)


def _compared(boot: Boot, apps: Iterable[Path]) -> Iterable[Comparison]:
    for app in apps:
        try:
            yield compare(boot, app)
        except UserError:
            continue  # an app that is not whole is nobody's origin


def compare(boot: Boot, app: Path) -> Comparison:
    """An app beside an image. UserError where the app cannot be read."""
    spec = load_spec(app, several=True)
    file = spec.classifier.model
    model = hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.is_file() else ""
    if spec.others:
        model = with_graphs(spec, spec.classifier.engine).model_hash
    contract = feature_contract(spec) if spec.pipeline is not None else None
    return Comparison(app, model, contract, model == boot.model, contract == boot.contract)
