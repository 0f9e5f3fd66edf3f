# SPDX-License-Identifier: Apache-2.0
"""Cross-validation by author: how far a recipe is to be trusted, before the test session is opened.

Each author, or recording without one, is decided once, by a network that has not heard it. What one split
says by luck, several together do not: the spread over the folds is what a figure is worth.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from codegen.app.contract import feature_contract
from workbench.training.compared import Found, doubtful, listed
from workbench.training.confusion import Confusion, confusion, summed
from workbench.training.figures import aligned, percent
from workbench.training.judge import decide
from workbench.training.sets import Labelled, make_folds
from workbench.training.train import Job
from workbench.training.unfinished import Unfinished


@dataclass(frozen=True)
class Fold:
    """One part of the sounds, and the network that has not heard it."""

    groups: tuple[str, ...]  # authors or recordings that were tried
    pieces: int
    best: int  # number of the epoch whose weights were kept
    float_: Confusion  # the network before its conversion
    int8: Confusion  # the firmware's own code
    doubtful: tuple[Found, ...]  # pieces that sound like another class


@dataclass(frozen=True)
class CrossValidation:
    """All folds; `interrupted`: Ctrl-C came before the last."""

    cost: str
    folds: tuple[Fold, ...]
    interrupted: bool

    @property
    def int8(self) -> Confusion:
        """All folds' decisions in one table."""
        return summed([fold.int8 for fold in self.folds])

    @property
    def means(self) -> list[float]:
        """Of each fold the mean of the sensitivities, int8, 0..1."""
        return [mean for fold in self.folds if (mean := fold.int8.mean_sensitivity) is not None]

    @property
    def doubtful(self) -> list[Found]:
        """Pieces of all folds that sound like another class, those first that do so throughout."""
        found = [one for fold in self.folds for one in fold.doubtful]
        return sorted(found, key=lambda one: -one.count / one.vectors)

    def object(self) -> dict[str, Any]:
        """For --json."""
        return {
            "folds": [
                {
                    "tried": list(fold.groups),
                    "pieces": fold.pieces,
                    "best_epoch": fold.best,
                    "float": fold.float_.object(),
                    "int8": fold.int8.object(),
                }
                for fold in self.folds
            ],
            "int8": self.int8.object(),
            "doubtful": [one.object() for one in self.doubtful],
            "mean": float(np.mean(self.means)),
            "deviation": float(np.std(self.means, ddof=1)) if len(self.means) > 1 else None,
            "interrupted": self.interrupted,
        }

    def text(self) -> str:
        """Tables for a person."""
        rows: list[tuple[str, ...]] = [("fold", "authors or recordings", "pieces", "epoch", "float", "int8")]
        for number, fold in enumerate(self.folds, start=1):
            means = (percent(table.mean_sensitivity) for table in (fold.float_, fold.int8))
            rows.append((str(number), str(len(fold.groups)), str(fold.pieces), str(fold.best), *means))
        spread = ""
        if len(self.means) > 1:
            spread = f", standard deviation over the folds {100 * np.std(self.means, ddof=1):.1f} points"
        heard = (
            []
            if not self.doubtful
            else [
                "",
                f"{len(self.doubtful)} pieces were taken for another class by a network that has not heard "
                "them; listen to them again:",
                *listed(self.doubtful),
            ]
        )
        return "\n".join(
            [
                "Mean of the sensitivities of sounds that the network has not heard:",
                *aligned(rows),
                f"Mean {100 * np.mean(self.means):.1f} %{spread}.",
                "",
                "All folds together, the firmware's integer code, with the app's thresholds:",
                self.int8.table(),
                *heard,
            ]
        )


def cross_validate(job: Job, labelled: Labelled, count: int) -> CrossValidation:
    """Trains `count` networks of one recipe, each on all but a part of the sounds, and tries it on that part.
    Nothing is written to the app. Ctrl-C keeps the folds that are done; without any it goes on its way.
    UserError on unusable input.
    """
    spec, pipeline, say = job.spec, job.pipeline, job.say
    parts = make_folds(pipeline, job.recipe, labelled, count, say)
    takes = job.cost(job.network()).text
    say(takes)
    names, contract = pipeline.spec.decision.labels, feature_contract(spec)
    folds: list[Fold] = []
    done: list[Unfinished] = []
    interrupted = False
    try:
        for number, sets in enumerate(parts, start=1):
            groups = tuple(sorted({piece.group for piece in sets["test"].pieces}))
            say(f"Fold {number} of {count}: {len(groups)} authors or recordings are tried.")
            made = job.fit(job.network(), sets, f"fold_{number}")
            if made.fitted.interrupted:
                raise KeyboardInterrupt
            decided = decide(spec, "new", made.content, contract, [sets["test"]])["test"]
            truths = made.vectors["test"].labels.tolist()
            float_ = confusion(names, zip(truths, job.decided(made, "test"), strict=True))
            pieces, best = len(sets["test"].pieces), made.fitted.best
            folds.append(
                Fold(groups, pieces, best, float_, decided.table, tuple(doubtful(names, decided.pieces)))
            )
            means = (percent(table.mean_sensitivity) for table in (float_, decided.table))
            say("Mean of the sensitivities: {} in float, {} in int8.".format(*means))
            done.append(made.unfinished)
        for one in done:
            one.done()
    except KeyboardInterrupt:
        if not folds:
            raise
        interrupted = True
        say(f"interrupted; {len(folds)} of {count} folds are done")
    return CrossValidation(takes, tuple(folds), interrupted)
