# SPDX-License-Identifier: Apache-2.0
"""Labelled segments for an app with several models, each of which knows labels of its own."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from codegen.app.spec import Spec
from codegen.common.errors import UserError
from workbench.data.segment import Segment, find_class
from workbench.training.confusion import UNKNOWN_CLASS
from workbench.training.evaluation import ONLY, Model


@dataclass(frozen=True)
class OwnSegments:
    """What one model is judged by. others: recordings in which nothing of it happens"""

    segments: tuple[Segment, ...]
    others: tuple[Path, ...]


def models_of(spec: Spec, name: str | None) -> list[tuple[Model, Spec]]:
    """The app's models, or the one of this name, each with its own spec. UserError where there is none."""
    if not spec.others:
        if name is not None:
            what = f"--classifier {name}: the app has one classifier, without a name"
            raise UserError(what, file=spec.file, remedy="Leave --classifier away.")
        return [(ONLY, spec)]
    every = [(Model(number, member.title), member) for number, member in enumerate(spec.members)]
    chosen = [pair for pair in every if name in (None, pair[0].name)]
    if not chosen:
        names = ", ".join(model.name for model, _ in every)
        raise UserError(f'no classifier is named "{name}"', file=spec.file, remedy=f"There are {names}.")
    return chosen


def one_of(app: Spec, name: str | None) -> tuple[int | None, Spec]:
    """The classifier of this name: its number, None where the app has one alone, and its spec as if it were
    alone. UserError where there are several and none is named, or there is none of the name."""
    if app.others and name is None:
        names = ", ".join(member.title for member in app.members)
        raise UserError(
            "the app has several classifiers, and this is of one",
            file=app.file,
            remedy=f"Name one: --classifier, {names}.",
        )
    ((model, spec),) = models_of(app, name)
    return (model.number, replace(spec, waits=None, others=())) if app.others else (None, spec)


def segments_of(segments: Sequence[Segment], labels: Sequence[str], known: Collection[str]) -> OwnSegments:
    """Those of a model's own labels. To it those of the others' labels are sound of its class `unknown`; or,
    where it has none, without a label.

    known: labels of all models; a segment of none of them stays, and is refused later with its line
    """
    own, left = [], []
    for segment in segments:
        if find_class(segment, labels) is not None or find_class(segment, tuple(known)) is None:
            own.append(segment)
        elif UNKNOWN_CLASS in labels:
            own.append(replace(segment, label=UNKNOWN_CLASS, role=""))
        else:
            left.append(segment.file)
    played = {segment.file for segment in own}
    others = tuple(file for file in dict.fromkeys(left) if file not in played)
    return OwnSegments(tuple(own), others)


def own_segments(segments: Sequence[Segment], app: Spec, member: Spec, labels: Path) -> OwnSegments:
    """What one of an app's models is judged by. UserError where the label file has nothing of it."""
    known = {label for one in app.members for label in labels_of(one)}
    own = segments_of(segments, labels_of(member), known)
    if not own.segments:
        raise UserError(
            f'no segment has a label of the classifier "{member.title}"',
            file=labels,
            remedy=f"Its labels: {', '.join(labels_of(member))}. Or name another by --classifier.",
        )
    return own


def labels_of(spec: Spec) -> tuple[str, ...]:
    """Of one model."""
    assert spec.pipeline is not None
    return spec.pipeline.decision.labels
