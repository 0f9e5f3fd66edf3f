# SPDX-License-Identifier: Apache-2.0
"""training.toml -> Recipe: which data, which network, how it is trained. All faults are reported at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from codegen.app.rules import Real, Rule, UnfitError, Whole, did_you_mean, found
from codegen.common.errors import UserError, UserErrors
from codegen.common.toml_place import TomlFile, read_toml
from workbench.training.kinds import CNN, KINDS, Network

FILE_NAME = "training.toml"
FUNCTION = "network"  # of a file that makes the network


@dataclass(frozen=True)
class Data:
    """What of the labelled recordings is used, and how it is cut."""

    train_session: str = "train"
    test_session: str = "test"
    test: float = 0.2  # share of each class held back as the test set where no label has a session
    segment: int = 8000  # samples; longer labelled stretches are cut into pieces of this
    validation: float = 0.15  # share of each class's authors that only watch the training
    synthetic: int = 0  # synthesised recordings a class added to the training set


@dataclass(frozen=True)
class Augmentation:
    """Altered copies of each training segment. Never of validation or test segments."""

    copies: int = 8  # a segment, beside itself; 0: none
    shift: int = 1200  # samples, at most, either way
    speed: float = 0.35  # octaves, at most, either way: another pitch and pace, another door
    gain_db: float = 12.0  # at most, either way
    room: float = 0.0  # share of the copies that sound as in a room
    room_time: int = (
        8000  # samples in which the longest reverberation falls by 60 dB; the shortest takes a tenth
    )
    tilt_db: float = 4.0  # standard deviation of a random microphone's response, in five bands
    noise: float = 0.5  # share of the copies with noise mixed in
    noise_db: float = 15.0  # the loudest noise lies this far below the sound; the faintest 25 dB lower
    background: float = 0.0  # share of the copies with a piece of the class unknown mixed in
    background_db: float = 5.0  # the loudest lies this far below the sound, the faintest 25 dB lower


@dataclass(frozen=True)
class Fit:
    """How the weights are found."""

    seed: int = 1
    epochs: int = 30
    batch: int = 256
    unknown: float = 2.0  # how often the class named unknown is drawn, against 1 for every other
    learning_rate: float = 0.002  # at the start; a cosine takes it to 0
    weight_decay: float = 0.001
    label_smoothing: float = 0.05
    mix: float = 0.3  # share of a second vector, at most, mixed into each
    fine_tune: int = 5  # epochs with int8's rounding, where the conversion loses more than 1 %; 0: never


@dataclass(frozen=True)
class Recipe:
    """One training.toml."""

    file: Path
    data: Data = Data()
    augmentation: Augmentation = Augmentation()
    network: Network = CNN
    fit: Fit = Fit()


@dataclass(frozen=True)
class Name:
    """Text."""

    range = "a name"
    unit = ""

    def read(self, key: str, value: Any) -> str:
        """The value; UnfitError where it is not a name."""
        if not isinstance(value, str) or not value:
            raise UnfitError(f"found {found(value)}; a name in quotes is allowed")
        return value


@dataclass(frozen=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]
    unit = ""

    @property
    def range(self) -> str:
        """What is allowed."""
        return ", ".join(self.words)

    def read(self, key: str, value: Any) -> str:
        """The value; UnfitError where it is no such word."""
        if value not in self.words:
            raise UnfitError(f"found {found(value)}; one of {self.range} is allowed")
        return str(value)


@dataclass(frozen=True)
class PythonFile:
    """A path, from training.toml's folder."""

    range = "a path, from the recipe's folder"
    unit = ""

    def read(self, key: str, value: Any) -> Path:
        """The value; UnfitError where it names no Python file."""
        if not isinstance(value, str) or not value.endswith(".py"):
            raise UnfitError(
                f"found {found(value)}; the path of a Python file is allowed", f'Write {key} = "network.py".'
            )
        return Path(value)


@dataclass(frozen=True)
class Sizes:
    """An array of whole numbers."""

    low: int  # items
    high: int
    item: Whole
    unit = ""

    @property
    def range(self) -> str:
        """What is allowed."""
        return f"{self.low}..{self.high} numbers of {self.item.range}"

    def read(self, key: str, value: Any) -> tuple[int, ...]:
        """The value; UnfitError where it is not such an array."""
        if not isinstance(value, list) or not self.low <= len(value) <= self.high:
            raise UnfitError(f"found {found(value)}; an array of {self.range} is allowed")
        return tuple(self.item.read(key, item) for item in value)


KEYS: Mapping[str, Mapping[str, Rule | Name | OneOf | Sizes | PythonFile]] = {
    "data": {
        "train_session": Name(),
        "test_session": Name(),
        "test": Real("0", "0.5"),
        "segment": Whole(1, 10_000_000, "samples"),
        "validation": Real("0", "0.5"),
        "synthetic": Whole(0, 1000, "recordings"),
    },
    "augmentation": {
        "copies": Whole(0, 1000),
        "shift": Whole(0, 100_000, "samples"),
        "speed": Real("0", "2", "octaves"),
        "gain_db": Real("0", "60", "dB"),
        "room": Real("0", "1"),
        "room_time": Whole(100, 200_000, "samples"),
        "tilt_db": Real("0", "30", "dB"),
        "noise": Real("0", "1"),
        "noise_db": Real("0", "90", "dB"),
        "background": Real("0", "1"),
        "background_db": Real("0", "90", "dB"),
    },
    "network": {
        "kind": OneOf(tuple(KINDS)),
        "convolutions": Sizes(0, 8, Whole(1, 512)),
        "kernel": Whole(1, 15),
        "normalize_after": Whole(0, 8),
        "dense": Sizes(0, 4, Whole(1, 4096)),
        "dropout": Real("0", "0.9"),
        "file": PythonFile(),
    },
    "fit": {
        "seed": Whole(0, 2**31 - 1),
        "epochs": Whole(1, 10_000),
        "batch": Whole(1, 65_536),
        "unknown": Real("0.1", "100"),
        "learning_rate": Real("0.000001", "1"),
        "weight_decay": Real("0", "1"),
        "label_smoothing": Real("0", "0.5"),
        "mix": Real("0", "0.5"),
        "fine_tune": Whole(0, 1000, "epochs"),
    },
}
SECTIONS: Mapping[str, type] = {"data": Data, "augmentation": Augmentation, "network": Network, "fit": Fit}


def load_recipe(path: Path) -> Recipe:
    """The recipe of an app: `path` is its folder, which may have none, or its training.toml.
    UserError with every fault found."""
    file = path / FILE_NAME if path.is_dir() else path
    if path.is_dir() and not file.exists():
        return Recipe(file.absolute())
    toml = read_toml(file)
    faults: list[UserError] = []
    sections: dict[str, Any] = {}
    for section in toml.data:
        if section not in KEYS:
            faults.append(_unknown(toml, (section,), list(KEYS), "section"))
    for section, kind in SECTIONS.items():
        values = _values(toml, section, faults)
        sections[section] = _network(toml, values, faults) if kind is Network else kind(**values)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise UserErrors(faults)
    return Recipe(toml.path.absolute(), **sections)


def _network(toml: TomlFile, values: dict[str, Any], faults: list[UserError]) -> Network:
    """[network] with the defaults of its kind."""
    if "file" in values:
        faults += _of_file(toml, values["file"])
        return Network(file=toml.path.absolute().parent / values["file"])
    of_kind = KINDS[values.get("kind", Network.kind)]
    network = replace(of_kind.defaults, **values)
    for key in values:
        if key != "kind" and key not in of_kind.keys:
            what = f'a network of the kind "{network.kind}" has no {key}; it has {", ".join(of_kind.keys)}'
            place = toml.place("network", key)
            faults.append(UserError(what, file=toml.path, place=place, remedy="Leave it away."))
    if network.kind in ("ds_cnn", "tcn") and not network.convolutions:
        what = f'a network of the kind "{network.kind}" has at least one convolution'
        faults.append(UserError(what, file=toml.path, place=toml.place("network", "convolutions")))
    if network.normalize_after > len(network.convolutions):
        count = len(network.convolutions)
        what = f"there is no convolution {network.normalize_after}; the network has {count}"
        faults.append(UserError(what, file=toml.path, place=toml.place("network", "normalize_after")))
    return network


def _of_file(toml: TomlFile, file: Path) -> list[UserError]:
    """A network that Python makes."""
    place = toml.place("network", "file")
    others = [key for key in toml.data["network"] if key != "file"]
    faults = []
    if others:
        what = f"the file says what the network is, and so does {others[0]}"
        faults.append(UserError(what, file=toml.path, place=place, remedy="Leave one of them away."))
    if not (toml.path.absolute().parent / file).is_file():
        faults.append(UserError(f"the file {file} is not there", file=toml.path, place=place))
    return faults


def _values(toml: TomlFile, section: str, faults: list[UserError]) -> dict[str, Any]:
    table = toml.data.get(section, {})
    if not isinstance(table, dict):
        what = f"found {found(table)}; a section [{section}] is allowed"
        faults.append(UserError(what, file=toml.path, place=toml.place(section)))
        return {}
    values: dict[str, Any] = {}
    kinds = {field.name: field.type for field in fields(SECTIONS[section])}
    for key, value in table.items():
        rule = KEYS[section].get(key)
        if rule is None:
            faults.append(_unknown(toml, (section, key), list(KEYS[section]), "key"))
            continue
        try:
            read = rule.read(key, value)
        except UnfitError as fault:
            faults.append(
                UserError(fault.what, file=toml.path, place=toml.place(section, key), remedy=fault.remedy)
            )
            continue
        values[key] = float(read) if kinds[key] == "float" else read  # type: ignore[arg-type]
    return values


def _unknown(toml: TomlFile, place: tuple[str, ...], known: list[str], what: str) -> UserError:
    return UserError(
        f"there is no such {what}; known: {', '.join(known)}",
        file=toml.path,
        place=toml.place(*place),
        remedy=did_you_mean(place[-1], known),
    )
