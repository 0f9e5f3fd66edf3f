# SPDX-License-Identifier: Apache-2.0
"""Is a new model worth taking? Both decide the same sounds, by the firmware's own integer code."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from codegen.app.spec import Spec
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from toolbox.locks import lock
from workbench.host.features import app_score, open_pipeline
from workbench.host.model_app import write_whole
from workbench.training.confusion import Confusion
from workbench.training.evaluation import DecidedPiece, counted, decided_pieces
from workbench.training.sets import Set


@dataclass(frozen=True)
class Verdict:
    """Where the new model went, and why."""

    model: Path  # what was written
    taken: bool  # the new model is the one that was asked for: the app's, or -o's
    previous: Path | None  # where the app's model of before lies now, if it was replaced
    before: Confusion | None  # what the app's model decides; None where there is none, or it fits no more
    why: str


@dataclass(frozen=True)
class Decided:
    """What a model decides of a set."""

    table: Confusion
    pieces: tuple[DecidedPiece, ...]


def decide(
    front: Spec, name: str, model: bytes, contract: str | None, sets: Sequence[Set]
) -> dict[str, Decided]:
    """What a model decides of each set, in a copy of the app that `front` is; the copy is called `name`.

    contract: of the features it was trained on, where that is known. UserError where it does not fit the app.
    """
    origin = front.file.parent
    copy = origin.with_name(f"{origin.name.removesuffix('_features')}_{name}")
    file = copy / front.classifier.model.relative_to(origin)
    # Another training of the app must not put its model there until this one is open.
    with lock(copy.with_name(f"{copy.name}.lock"), "earshot: waiting for the build"):
        file.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(front.file, copy / front.file.name)
        write_whole(file, model)
        file.with_suffix(".contract").unlink(missing_ok=True)
        if contract is not None:
            write_whole(file.with_suffix(".contract"), contract.encode())
        pipeline = open_pipeline(copy)
        limits = app_score(load_spec(copy)).limits(pipeline.spec.decision)
    names = pipeline.spec.decision.labels
    made = {}
    for one in sets:
        pieces = tuple(decided_pieces(pipeline, one.recordings(pipeline.sample_rate), limits))
        table = counted(names, [pair for piece in pieces for pair in piece.pairs])
        made[one.name] = Decided(table, pieces)
    return made


def judge(
    front: Spec, app_model: Path, output: Path | None, sets: Sequence[Set], new: Mapping[str, Confusion]
) -> Verdict:
    """Where the new model belongs: in place of the app's where the mean of its sensitivities is no lower on
    the test set, or the validation set where there is none. sets: those of `new`. Nothing is written yet."""
    against = sets[-1] if sets else None
    before, fits = _before(front, app_model, against)
    if output is not None:
        return Verdict(output.absolute(), True, None, before, "as -o asks")
    if not app_model.is_file():
        return Verdict(app_model, True, None, None, "the app had no model")
    if not fits:
        why = "the model of before does not fit the app any more"
        return Verdict(app_model, True, _beside(app_model, "previous"), None, why)
    was = before.mean_sensitivity if before is not None else None
    now = new[against.name].mean_sensitivity if against is not None else None
    if against is None or was is None or now is None:
        why = "no test or validation sounds can tell whether it is better than the app's"
        return Verdict(_beside(app_model, "new"), False, None, None, why)
    figures = (
        f"mean of the sensitivities on {against.name} sounds: {100 * was:.1f} % before, {100 * now:.1f} % now"
    )
    if now < was:
        return Verdict(_beside(app_model, "new"), False, None, before, figures)
    return Verdict(app_model, True, _beside(app_model, "previous"), before, figures)


def _before(front: Spec, model: Path, against: Set | None) -> tuple[Confusion | None, bool]:
    """What the app's model decides of a set, and whether it fits the app at all."""
    if against is None or not model.is_file():
        return None, True
    file = model.with_suffix(".contract")
    contract = file.read_text(encoding="ascii", errors="replace") if file.is_file() else None
    try:
        return decide(front, "before", model.read_bytes(), contract, [against])[against.name].table, True
    except UserError:
        return None, False  # of other labels, features or shape


def write(verdict: Verdict, content: bytes, contract: str, card: str) -> None:
    """The model and, beside it, the contract of the features it was trained on and its card; each whole or
    not at all. The model of before is moved away first, with what lies beside it."""
    if verdict.previous is not None:
        for old, new in zip(_files(verdict.model), _files(verdict.previous), strict=True):
            new.unlink(missing_ok=True)
            if old.is_file():
                shutil.copyfile(old, new)
    try:
        verdict.model.parent.mkdir(parents=True, exist_ok=True)
        written = (content, f"{contract}\n".encode(), card.encode())
        for file, data in zip(_files(verdict.model), written, strict=True):
            write_whole(file, data)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror}", file=verdict.model) from None


def _files(model: Path) -> tuple[Path, Path, Path]:
    """The model, its contract, its card."""
    return model, model.with_suffix(".contract"), model.with_suffix(".card.md")


def _beside(model: Path, word: str) -> Path:
    return model.with_name(f"{model.stem}.{word}{model.suffix}")
