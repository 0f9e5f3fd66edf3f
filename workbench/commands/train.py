# SPDX-License-Identifier: Apache-2.0
"""earshot train: recordings with labels become the app's int8 model."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from codegen.app.spec import Kind
from codegen.common.errors import UserError
from toolbox import environment
from workbench.arguments import whole
from workbench.audio import recording as audio
from workbench.data.labels import read_labels
from workbench.data.query import add_arguments as add_query
from workbench.data.query import conditions_of
from workbench.own_folder import own_folder
from workbench.training.compared import listed
from workbench.training.environment import ENVIRONMENT
from workbench.training.front_end import FOLDER, front_end, front_end_spec
from workbench.training.plot import plot_search, plot_training
from workbench.training.quiet import quiet
from workbench.training.recipe import FILE_NAME, load_recipe
from workbench.training.search_space import recipe_text
from workbench.training.sets import Labelled
from workbench.training.tensorboard_log import TensorBoardLog
from workbench.workers import Opened, workers
from workbench.workers import add_arguments as add_scheduler

if TYPE_CHECKING:
    from workbench.training.train import Job, Trained

NAME = "train"
HELP = "train the app's model on labelled recordings"
DESCRIPTION = """\
Makes features of the recordings with the firmware's own C, trains the network of the app's training.toml on
them (without that file, the network of its defaults), keeps the best epoch, converts it to int8, and says
what the firmware makes of it. It becomes the app's model where it decides no worse than the one that is
there; else it is written beside that one, as model.new.tflite. -o writes it elsewhere.

LABELS is a CSV: file,start,end,label,session (samples, end exclusive; docs/training.md has more), an Audacity
label track, or a folder of them. Segments of the session "train" are learnt from, those of "test" only tried;
where no label has a session, a share of the authors or recordings is held back.

  ./earshot train --app examples/smart_lock --labels recordings/labels.csv
  ./earshot train --app my_app --labels tracks/ --test more_tracks/ -o candidate.tflite
  ./earshot train --app my_app --labels door.txt --resample --channel left --convert
  ./earshot train --app my_app --labels recordings/labels.csv --folds 5
  ./earshot train --app my_app --labels recordings/labels.csv --search 40 --most-instructions 100000

--folds N tells how far a recipe is to be trusted: N networks are trained, each on all but a part of the
authors of the training session, and tried on that part. No model is written; the test session stays shut.

--search N tries N recipes beside the app's own, chosen by Optuna, and shows which give the most for how many
instructions: networks of all kinds and sizes, learning rate, smoothing, mix. What a network takes is known
before an epoch is spent on it, and one over the --most-... budget is not trained. Each recipe on the front is
written as a training.toml of its own to copy into the app; no model is written, the test session stays shut.

Ctrl-C ends the training early and keeps what was learnt. The same command goes on after the last whole epoch
(--anew begins again), a search after its last candidate; features are kept, too, all in build/training/.
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Which app, which sounds, where to."""
    parser.add_argument("--app", type=Path, required=True, metavar="DIR", help="folder with pipeline.toml")
    parser.add_argument(
        "--labels", type=Path, required=True, metavar="LABELS", help="what is heard where: a file or folder"
    )
    parser.add_argument(
        "--test",
        type=Path,
        metavar="LABELS",
        help="labels of sounds that are only tried, in place of a session",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="MODEL.tflite",
        help="write the model there; the app keeps its own",
    )
    parser.add_argument(
        "--folds",
        type=whole(2, 20),
        metavar="N",
        help="cross-validate the recipe with N trainings, 2..20; writes no model",
    )
    parser.add_argument(
        "--search",
        type=whole(1, 1000),
        metavar="N",
        help="try N recipes beside the app's, 1..1000; writes no model. With --folds each is cross-validated",
    )
    for what, unit, of in (
        ("instructions", "N", "for a decision"),
        ("flash", "BYTES", "for its constants"),
        ("ram", "BYTES", "for its tensors"),
    ):
        parser.add_argument(
            f"--most-{what}", type=whole(1), metavar=unit, help=f"of --search: a network takes no more {of}"
        )
    parser.add_argument(
        "--anew",
        action="store_true",
        help="begin again where a training was interrupted; with --search: forget what it has tried",
    )
    parser.add_argument(
        "--tensorboard", type=Path, metavar="DIR", help="write the course of the training for TensorBoard"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, progress on stderr")
    add_scheduler(parser)
    add_query(parser)
    audio.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """0: the model is where it was asked for. 1: it is worse than the app's and lies beside it. 130: Ctrl-C
    ended it early. What cannot be used is a UserError."""
    recipe = load_recipe(args.app)
    _check_kind(args.app)
    labelled = Labelled(
        args.labels, args.test, audio.reader(args), resampled=args.resample, conditions=conditions_of(args)
    )
    _check_words(args)
    if args.output is not None and args.output.suffix != ".tflite":
        raise UserError("is no .tflite file", file=args.output, remedy="Name the model: -o model.tflite")
    if importlib.util.find_spec("tensorflow") is None:
        _check(args.app, labelled)
        environment.go_on_in(ENVIRONMENT, "train", "TensorFlow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a network of this size is faster without

    def say(text: str) -> None:
        print(text, file=sys.stderr if args.json else sys.stdout, flush=True)

    say("Starting TensorFlow.")
    with quiet():
        from workbench.training.train import Job

    if not recipe.file.exists():
        say(f"There is no {FILE_NAME} in {args.app}: its defaults are taken.")
    spec, pipeline = front_end(args.app)
    with workers(Opened(spec, pipeline), args.scheduler) as found:
        job = Job(spec, pipeline, recipe, say, found, anew=args.anew)
        if args.tensorboard is not None:
            job = replace(job, watch=TensorBoardLog(args.tensorboard).watch)
        if args.search is not None:
            return _search(args, job, labelled)
        if args.folds is not None:
            return _folds(args, job, labelled)
        return _train(args, job, labelled)


def _folds(args: argparse.Namespace, job: Job, labelled: Labelled) -> int:
    """The tables; 130 where Ctrl-C ended it."""
    from workbench.training.folds import cross_validate

    folds = cross_validate(job, labelled, args.folds)
    print(json.dumps(folds.object()) if args.json else f"\n{folds.text()}")
    return 130 if folds.interrupted else 0


def _train(args: argparse.Namespace, job: Job, labelled: Labelled) -> int:
    """The model and what it is worth; exit codes as run()'s."""
    from workbench.training.train import app_folder, train

    trained = train(args.app, job, labelled, args.output)
    folder = own_folder(FOLDER, app_folder(args.app))
    report, curves = folder / "report.json", folder / "curves.svg"
    report.write_text(json.dumps(trained.object(), indent=1) + "\n", encoding="utf-8")
    plot_training(trained.epochs, trained.best, curves)
    if args.json:
        print(json.dumps(trained.object()))
    else:
        print(_text(trained))
        print(f"The figures are in {report}, the course of the training in {curves}.")
    if trained.interrupted:
        return 130
    return 0 if trained.verdict.taken else 1


def _check_words(args: argparse.Namespace) -> None:
    """UserError for options that do not go together."""
    for option, given in (("--search", args.search), ("--folds", args.folds)):
        if given is not None and (args.output is not None or args.test is not None):
            raise UserError(
                f"{option} writes no model and tries the training session alone",
                remedy=f"Leave {'--test' if args.output is None else '-o'} away.",
            )
    for name in ("instructions", "flash", "ram"):
        if args.search is None and getattr(args, f"most_{name}") is not None:
            raise UserError(f"--most-{name} is a budget of --search", remedy="Add --search 20, say.")


def _search(args: argparse.Namespace, job: Job, labelled: Labelled) -> int:
    """The front as a table, a picture and recipes; 130 where Ctrl-C ended it."""
    from workbench.training.search import Budget, Wanted, search
    from workbench.training.train import app_folder

    app = app_folder(args.app)
    folder = own_folder(FOLDER, app) / "search"
    budget = Budget(args.most_instructions, args.most_flash, args.most_ram)
    found = search(job, labelled, Wanted(args.search, budget, args.folds), folder)
    for old in folder.glob("candidate_*.toml"):
        old.unlink()
    for one in found.front:
        comment = f"Candidate {one.number} of a search: a copy as {FILE_NAME} in the app is its recipe."
        file = folder / f"candidate_{one.number}.toml"
        file.write_text(recipe_text(one.recipe, comment, app), encoding="utf-8")
    told, picture = folder / "search.json", folder / "front.svg"
    told.write_text(json.dumps(found.object(app), indent=1) + "\n", encoding="utf-8")
    plot_search(found, picture)
    if args.json:
        print(json.dumps(found.object(app)))
    else:
        print(f"\n{found.text()}")
        print(f"The picture is {picture}, all candidates are in {told}.")
        if any(one.number for one in found.front):
            print(f"To take one: cp {folder}/candidate_NUMBER.toml {app}/{FILE_NAME}, and train.")
    return 130 if found.interrupted else 0


def _check_kind(app: Path) -> None:
    """UserError for an app whose model is no classifier."""
    _, pipeline = front_end_spec(app)
    kind = pipeline.decision.kind
    if kind is not Kind.CLASSES:
        raise UserError(
            f'is "{kind.value}": `train` fits networks with a score a label',
            file=app,
            place="[decision] kind",
            remedy="Train the model with a program of your own on the features of `earshot features`, "
            "and copy it into the app.",
        )


def _check(app: Path, labelled: Labelled) -> None:
    """Refuses what is wrong with the input before TensorFlow is installed for it."""
    _, pipeline = front_end_spec(app)
    labelled.segments(pipeline.audio.sample_rate)
    if labelled.test is not None:
        read_labels(labelled.test, pipeline.audio.sample_rate)


def _text(trained: Trained) -> str:
    """Layers, sizes, tables and where the model went, for a person."""
    layers = [("layer", "kind", "output", "parameters")]
    for row in trained.layers:
        shape = " x ".join(map(str, row.shape))
        layers.append((row.name, row.kind, shape, f"{row.parameters:,}"))
    widths = [max(len(row[column]) for row in layers) for column in range(4)]
    lines = [""]
    for name, kind, output, parameters in layers:
        left = f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {output:<{widths[2]}}"
        lines.append(f"{left}  {parameters:>{widths[3]}}")
    size = trained.sizes
    share = 100 * size["int8"] / size["float"]
    lines.append(
        f"The model takes {size['int8']:,} bytes in int8; in float it took {size['float']:,} ({share:.0f} %)."
    )
    for name, table in trained.int8.items():
        lines += ["", f"{name}, the firmware's integer code, with the app's thresholds:", table.table()]
        before, after = (tables[name].mean_sensitivity or 0.0 for tables in (trained.float_, trained.int8))
        lines.append(
            f"Mean of the sensitivities before the conversion to int8: {100 * before:.1f} %, "
            f"after: {100 * after:.1f} %."
        )
        if found := trained.apart[name]:
            lines += [
                f"Before and after it, {len(found)} pieces have vectors decided otherwise:",
                *listed(found),
            ]
    verdict = trained.verdict
    lines += ["", f"{verdict.model} is written ({verdict.why}); feature contract {trained.contract}."]
    lines.append(f"Its card, {verdict.model.stem}.card.md beside it, tells of what it was made.")
    if verdict.previous is not None:
        lines.append(f"The model of before is kept as {verdict.previous}.")
    if not verdict.taken:
        lines.append(
            "The app keeps its model. To take the new one, move it, its .contract and its .card.md over that."
        )
    return "\n".join(lines)
