# SPDX-License-Identifier: Apache-2.0
"""Tries recipes under a budget of instructions and bytes, and shows what accuracy costs.

Optuna proposes (multi-objective TPE: Ozaki et al., 2020), from what was tried before. Each candidate's cost
comes from its untrained network; one over the budget is not trained. What is measured is the firmware's own
integer code, on sounds that the network has not learnt from; the test session stays shut. All that was tried
is kept: the same command with a larger number goes on, and an interruption changes no result.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from codegen.app.contract import feature_contract
from codegen.common.errors import UserError
from codegen.common.version import VERSION
from toolbox.locks import lock
from workbench.host.model_app import write_whole
from workbench.training.confusion import Confusion, summed
from workbench.training.figures import aligned, percent
from workbench.training.judge import decide
from workbench.training.on_board import OnBoard
from workbench.training.recipe import Recipe
from workbench.training.search_space import SPACE, Chosen, recipe_text, suggested
from workbench.training.sets import Labelled, Set, make_folds, make_sets

if TYPE_CHECKING:
    import optuna

    from workbench.training.train import Job, Made

_VAIN = 40  # candidates in a row over the budget until it is said that there are none within it
_OWN, _COST, _MEAN = "own", "cost", "mean"  # attributes of a study and of its trials


@dataclass(frozen=True)
class Budget:
    """Of a network at most; None: no limit."""

    instructions: int | None = None  # of a decision
    flash: int | None = None  # bytes of constants
    ram: int | None = None  # bytes for its tensors

    def excess(self, cost: OnBoard) -> float:
        """By what share the worst figure is over the budget; negative: it is within."""
        pairs = self._pairs(cost)
        return max((now / most - 1 for now, most in pairs if most is not None), default=-1.0)

    def _pairs(self, cost: OnBoard) -> list[tuple[int, int | None]]:
        return [
            (cost.instructions, self.instructions),
            (cost.constants, self.flash),
            (cost.memory, self.ram),
        ]


@dataclass(frozen=True)
class Wanted:
    """What a search is asked for."""

    count: int  # recipes that are trained, beside the one that it begins with
    budget: Budget = Budget()
    folds: int | None = None  # parts of the training session that are tried in turn; None: the validation set


@dataclass(frozen=True)
class Candidate:
    """A recipe that was tried."""

    number: int  # 0: the recipe that the search began with
    recipe: Recipe
    cost: OnBoard
    mean: float | None  # of the sensitivities, 0..1; None: it was over the budget, and was not trained

    def object(self, folder: Path) -> dict[str, Any]:
        """For --json. folder: where its recipe would stand."""
        return {
            "number": self.number,
            "recipe": recipe_text(self.recipe, "", folder),
            "instructions": self.cost.instructions,
            "flash": self.cost.constants,
            "ram": self.cost.memory,
            "incremental": not self.cost.reason,
            "mean": self.mean,
        }


@dataclass(frozen=True)
class Search:
    """All candidates, in their order."""

    candidates: tuple[Candidate, ...]
    budget: Budget
    interrupted: bool

    @property
    def front(self) -> list[Candidate]:
        """Those within the budget of which no other is as good for fewer instructions, or better for as many;
        by their instructions."""
        found: list[Candidate] = []
        tried = [one for one in self.candidates if one.mean is not None and self.budget.excess(one.cost) <= 0]
        for one in sorted(tried, key=lambda one: (one.cost.instructions, -(one.mean or 0.0), one.number)):
            if not found or (one.mean or 0.0) > (found[-1].mean or 0.0):
                found.append(one)
        return found

    def object(self, folder: Path) -> dict[str, Any]:
        """For --json and search.json. folder: the app's."""
        return {
            "candidates": [one.object(folder) for one in self.candidates],
            "front": [one.number for one in self.front],
            "budget": dataclasses.asdict(self.budget),
            "interrupted": self.interrupted,
        }

    def text(self) -> str:
        """The front and the recipe that the search began with, as a table."""
        header = ("", "network", "instructions", "flash, B", "RAM, B", "mean of the sensitivities")
        front = self.front
        own = [one for one in self.candidates[:1] if one not in front]
        rows = [header, *(_row(one) for one in own + front)]
        trained = sum(one.mean is not None for one in self.candidates)
        over = len(self.candidates) - trained
        also = f"; over the budget, and not trained: {over}" if over else ""
        return "\n".join([f"{trained} recipes were tried{also}. The front:", *aligned(rows)])


def _row(one: Candidate) -> tuple[str, ...]:
    network = one.recipe.network
    sizes = [*map(str, network.convolutions), *(f"dense {units}" for units in network.dense)]
    named = network.file.name if network.file is not None else f"{network.kind} {' '.join(sizes)}".strip()
    cost = one.cost
    mean = "over the budget" if one.mean is None else percent(one.mean)
    figures = (f"{number:,}" for number in (cost.instructions, cost.constants, cost.memory))
    return (f"{one.number}" if one.number else "your recipe", named, *figures, mean)


def search(job: Job, labelled: Labelled, wanted: Wanted, folder: Path) -> Search:
    """The wanted number of recipes beside the job's own are trained and tried. folder: of the app's searches.
    UserError on unusable input, and where nothing is within the budget. Ctrl-C keeps what is done; without
    any it goes on its way.
    """
    with lock(folder / "search.lock", "earshot: waiting for the search"):
        return _search(job, _Tried(job, labelled, wanted), wanted, folder)


def _search(job: Job, tried: _Tried, wanted: Wanted, folder: Path) -> Search:
    budget, study = wanted.budget, _study(folder, tried.key, anew=job.anew)
    say, seed, vain, interrupted = job.say, job.recipe.fit.seed, 0, False
    found = _before(study, tried)
    if len(found) > 1:
        say(f"{len(found) - 1} candidates were tried before; the search goes on")
    try:
        if not found:
            own = tried.candidate(0, job.recipe)
            study.set_user_attr(_OWN, _told(own))
            found.append(own)
        while sum(one.mean is not None for one in found[1:]) < wanted.count:
            study.sampler = _sampler(seed + len(found))
            trial = study.ask()
            one = tried.candidate(len(found), tried.suggested(trial))
            for name, value in _told(one).items():
                trial.set_user_attr(name, value)
            trial.set_constraint("budget", budget.excess(one.cost))
            study.tell(trial, (one.mean or 0.0, one.cost.instructions))
            found.append(one)
            vain = 0 if one.mean is not None else vain + 1
            if vain == _VAIN:
                _check_found(found, budget, vain)
                say(f"the last {vain} candidates were over the budget: the search ends here")
                break
    except KeyboardInterrupt:
        if not found:
            raise
        interrupted = True
        say(f"interrupted; what was tried is kept in {folder}")
    return Search(tuple(found), budget, interrupted)


def _check_found(found: Sequence[Candidate], budget: Budget, vain: int) -> None:
    """UserError where none of the candidates is within the budget."""
    if any(one.mean is not None for one in found[1:]):
        return
    least = min(found, key=lambda one: budget.excess(one.cost))
    raise UserError(
        f"none of {vain} networks in a row is within the budget; the nearest takes "
        f"{least.cost.instructions:,} instructions, {least.cost.constants:,} B of flash and "
        f"{least.cost.memory:,} B of RAM",
        remedy="Allow more.",
    )


class _Tried:
    """What every candidate is fitted to and tried on."""

    def __init__(self, job: Job, labelled: Labelled, wanted: Wanted) -> None:
        self._job, self._budget, folds = job, wanted.budget, wanted.folds
        if folds is not None:
            self._parts = make_folds(job.pipeline, job.recipe, labelled, folds, job.say)
            self._watched = "test"  # of a fold: a part of the training session
        else:
            made = {one.name: one for one in make_sets(job.pipeline, job.recipe, labelled, job.say)}
            self._watched = "validation"
            self._parts = [{name: one for name, one in made.items() if name != "test"}]
            if not made["validation"].pieces:
                raise UserError(
                    "nothing is held back that could tell which recipe is better",
                    file=job.recipe.file,
                    place="[data] validation",
                    remedy="Let it be 0.15, or try each recipe on parts in turn: --folds 3.",
                )
        self._contract = feature_contract(job.spec)
        self.own = job.recipe
        self.key = self._key(folds)

    def suggested(self, trial: Any) -> Recipe:
        """The recipe of a trial, whether it is new or was told before."""
        labels = self._job.pipeline.spec.decision.labels
        return suggested(trial, self._job.recipe, self._job.shape, labels)

    def candidate(self, number: int, recipe: Recipe) -> Candidate:
        """Fits and tries it where its cost is within the budget. KeyboardInterrupt: it was interrupted."""
        job = dataclasses.replace(self._job, recipe=recipe)
        job.say(f"Candidate {number}: {_row(Candidate(number, recipe, _NONE, None))[1]}")
        cost = job.cost(job.network())
        job.say(cost.text)
        if number and self._budget.excess(cost) > 0:
            job.say("That is over the budget.")
            return Candidate(number, recipe, cost, None)
        tables: list[Confusion] = []
        fits: list[Made] = []
        for part, sets in enumerate(self._parts, start=1):
            fold = f"_fold_{part}" if len(self._parts) > 1 else ""
            made = job.fit(job.network(), sets, f"candidate_{number}{fold}")
            if made.fitted.interrupted:
                raise KeyboardInterrupt
            watched = [sets[self._watched]]
            decided = decide(job.spec, "search", made.content, self._contract, watched)
            tables.append(decided[self._watched].table)
            fits.append(made)
        for made in fits:
            made.done()
        mean = summed(tables).mean_sensitivity or 0.0
        job.say(f"Mean of the sensitivities, int8: {percent(mean)}.")
        return Candidate(number, recipe, cost, mean)

    def _key(self, folds: int | None) -> str:
        """A hash of all that the candidates' figures depend on beside their recipes."""
        from workbench.training.convert import versions

        recipe = self._job.recipe
        file = recipe.network.file
        classifier = dataclasses.replace(self._job.spec.classifier, model=Path())
        told = (
            VERSION,
            versions(),
            SPACE,
            self._contract,
            classifier,
            self._job.pipeline.spec,
            recipe.data,
            recipe.augmentation,
            recipe.fit,
            recipe.network if file is None else file.read_bytes(),
            self._budget,
            folds,
            [_pieces(sets, self._job.pipeline.sample_rate) for sets in self._parts],
        )
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]


_NONE = OnBoard(0, 0, "", 0, 0)


def _pieces(sets: Mapping[str, Set], rate: int) -> list[tuple[Any, ...]]:
    """The sounds themselves: how they are read, and what is in a file, may have changed."""
    return [
        (name, str(recording.file), hashlib.sha256(recording.samples.tobytes()).digest(), recording.pieces)
        for name, one in sorted(sets.items())
        for recording in one.recordings(rate)
    ]


def _told(one: Candidate) -> dict[str, Any]:
    return {_COST: dataclasses.asdict(one.cost), _MEAN: one.mean}


def _before(study: optuna.Study, tried: _Tried) -> list[Candidate]:
    """What was tried by an earlier run of the same search."""
    import optuna

    told = study.user_attrs.get(_OWN)
    if told is None:
        return []
    found = [Candidate(0, tried.own, OnBoard(**told[_COST]), told[_MEAN])]
    for trial in study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)):
        own = trial.user_attrs
        recipe = tried.suggested(Chosen(trial.params))
        found.append(Candidate(len(found), recipe, OnBoard(**own[_COST]), own[_MEAN]))
    return found


def _study(folder: Path, key: str, *, anew: bool) -> optuna.Study:
    """What was tried by that name; anew: it is forgotten."""
    import optuna
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    _mend(folder / "journal.log")
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder / "journal.log")))
    if anew and key in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=key, storage=storage)
    return optuna.create_study(
        storage=storage, study_name=key, directions=["maximize", "minimize"], load_if_exists=True
    )


def _mend(journal: Path) -> None:
    """Keeps its whole lines: behind one that a crash or a full disk cut off Optuna reads nothing."""
    lines = journal.read_bytes().splitlines(keepends=True) if journal.is_file() else []
    for number, line in enumerate(lines):
        try:
            json.loads(line)
            whole = line.endswith(b"\n")
        except ValueError:
            whole = False
        if not whole:
            write_whole(journal, b"".join(lines[:number]))
            return


def _sampler(seed: int) -> optuna.samplers.BaseSampler:
    """Proposes by what was told and by the seed alone: an interruption changes nothing."""
    import optuna

    return optuna.samplers.TPESampler(seed=seed % 2**32, constant_liar=False)
