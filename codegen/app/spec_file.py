# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml -> Spec. All faults of the file are reported at once: line, what is allowed, remedy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NoReturn

from codegen.app.checks import Values, contradictions
from codegen.app.keys import ERRORS, KEYS, REQUIRED
from codegen.app.presets import LOG_MEL_PRESETS, PRESETS, Preset
from codegen.app.rules import Labels, Milliseconds, Rule, UnfitError, did_you_mean, found
from codegen.app.several import members
from codegen.app.spec import (
    Audio,
    Cascade,
    Classifier,
    Decision,
    Device,
    Gate,
    Kind,
    Layout,
    LogMel,
    Mfcc,
    MicroFrontend,
    Pipeline,
    Rounding,
    Scale,
    Spec,
    Window,
)
from codegen.app.tables import check_front_end, check_scale
from codegen.common.errors import UserError, UserErrors
from codegen.common.reference import Reference
from codegen.common.toml_place import TomlFile, read_toml

FILE_NAME = "pipeline.toml"
NAME_LENGTH_MAX = 40
STAGES: dict[str, type] = {
    "audio": Audio,
    "window": Window,
    "gate": Gate,
    "scale": Scale,
    "cascade": Cascade,
    "device": Device,
}
FRONT_ENDS: dict[str, type[Mfcc] | type[MicroFrontend] | type[LogMel]] = {
    "mfcc": Mfcc,
    "micro_frontend": MicroFrontend,
    "log_mel": LogMel,
}

# Folder names whose generated symbols or headers would be taken for the runtime's or the C library's.
_TAKEN = """
    app board cascade classifier crc decision device fault faults fft gate kernels line log main mel mfcc
    model nn pipeline port protocol replay reset scale start tensor vectors window
    assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg
    stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar unistd
    wchar wctype
"""


def app_name(folder: str) -> str:
    """The folder's name as a C identifier, lower case, that can prefix every generated symbol."""
    name = re.sub(r"[^a-z0-9]+", "_", folder.lower()).strip("_")[:NAME_LENGTH_MAX].rstrip("_")
    if not name or name[0].isdigit():
        name = f"app_{name}".rstrip("_")
    return f"{name}_app" if name in _TAKEN.split() else name


def load_spec(path: Path, *, several: bool = False) -> Spec:
    """The spec of an app: `path` is its folder or its pipeline.toml. UserError with every fault found.

    several: it may have more than one classifier, which otherwise is refused.
    """
    toml = read_toml(find_pipeline(path))
    read = members(toml)
    if not read:
        return _load(toml, bare=set(toml.data) == {"classifier"})
    if len(read) > 1 and not several:
        raise UserError(
            f"there are {len(read)} classifiers, and this works with one",
            file=toml.path,
            place=toml.place("classifier", 1),
            remedy="Write an app of its own for each, in a folder of its own, with one [classifier].",
        )
    specs: list[Spec] = []
    faults = [fault for member in read for fault in member.faults]
    for member in read:
        try:
            specs.append(_load(member.toml, bare=False))
            if len(read) > 1 and specs[-1].classifier.engine != "aot":
                raise UserError(
                    "the engine tflm runs one classifier, and there are several",
                    file=toml.path,
                    place=member.toml.place("classifier", "engine"),
                    remedy='Leave engine away: "aot" runs several.',
                )
        except UserErrors as found:
            faults += found.errors
        except UserError as one:
            faults.append(one)
    if faults:
        _raise(list({str(fault): fault for fault in faults}.values()))  # what is one for all is said once
    first, *others = (
        replace(
            spec,
            name=f"{member.name}_of_{spec.name}" if index else spec.name,
            title=member.name,
            first=spec.name if index else "",
            waits=member.waits,
        )
        for index, (spec, member) in enumerate(zip(specs, read, strict=True))
    )
    return replace(first, others=tuple(others))


def _load(toml: TomlFile, *, bare: bool) -> Spec:
    """The spec of a file with one classifier."""
    values, faults = _read_values(toml)
    for (section, key), example in REQUIRED.items():
        missing = key not in _table(toml, section) and (section == "classifier" or not bare)
        if missing and isinstance(toml.data.get(section, {}), dict):
            faults.append(
                UserError(
                    "is missing",
                    file=toml.path,
                    place=toml.place(section, key),
                    remedy=f"Write it under [{section}]: {example}",
                )
            )
    faults += contradictions(toml, values)
    if not bare:
        faults += _front_end_faults(toml)
    model = toml.path.absolute().parent / values.get(("classifier", "model"), "")
    if ("classifier", "model") in values and not model.is_file():
        what = "is a folder" if model.is_dir() else "is not there"
        faults.append(
            UserError(
                f"the model {values['classifier', 'model']} {what}",
                file=toml.path,
                place=toml.place("classifier", "model"),
                remedy="Give the path of a .tflite file, from the folder of pipeline.toml.",
            )
        )
    if faults:
        _raise(faults)
    spec = _spec(toml.path.absolute(), model, values, bare)
    if spec.pipeline is not None:
        _check_tables(toml, spec.pipeline)
    return spec


def _raise(faults: list[UserError]) -> NoReturn:
    if len(faults) == 1:
        raise faults[0]
    raise UserErrors(sorted(faults, key=lambda fault: _line_number(fault.place)))


def _check_tables(toml: TomlFile, pipeline: Pipeline) -> None:
    """Values that are right by themselves and still make no tables: the faults get their file and line."""
    faults: list[UserError] = []

    def collect(check: Callable[[], None]) -> None:
        try:
            check()
        except UserError as fault:
            section, key = re.findall(r"\w+", fault.place or "")
            place = toml.place(section, key)
            faults.append(UserError(fault.what, file=toml.path, place=place, remedy=fault.remedy))

    collect(lambda: check_front_end(pipeline))
    collect(lambda: check_scale(pipeline.scale))
    if faults:
        _raise(faults)


def find_pipeline(path: Path) -> Path:
    """An app's pipeline.toml: `path` is that file or its folder. UserError where there is none."""
    if path.is_dir():
        if not (path / FILE_NAME).is_file():
            raise UserError(
                f"this folder has no {FILE_NAME}",
                file=path,
                remedy=f"An app is a folder with {FILE_NAME} and its model, like examples/smart_lock.",
            )
        return path / FILE_NAME
    if not path.exists():
        raise UserError("there is no such app", file=path, remedy="Give a folder with a pipeline.toml in it.")
    if path.suffix != ".toml":
        raise UserError("is not an app", file=path, remedy="Give a folder with a pipeline.toml in it.")
    return path


def _line_number(place: str | None) -> int:
    line = re.match(r"line (\d+)", place or "")
    return int(line[1]) if line else 1 << 30


def _table(toml: TomlFile, section: str) -> dict[str, Any]:
    table = toml.data.get(section)
    return table if isinstance(table, dict) else {}


def _read_values(toml: TomlFile) -> tuple[Values, list[UserError]]:
    """Values that fit their keys, and a fault for everything else in the file. Defaults are filled in."""
    faults: list[UserError] = []
    values: Values = {}

    def fault(what: str, remedy: str | None, *key: str | int) -> None:
        faults.append(UserError(what, file=toml.path, place=toml.place(*key), remedy=remedy))

    for section, table in toml.data.items():
        if section not in KEYS or not isinstance(table, dict):
            fault(*_not_a_section(section, table), section)
        else:
            for key in (key for key in table if key not in KEYS[section]):
                fault(*_unknown_key(section, key), section, key)

    for section, rules in KEYS.items():
        table = _table(toml, section)
        fields = _defaults(toml, section, values)
        for key, usual in rules.items():
            rule = _rule(toml, section, key, usual)
            if key not in table:
                if hasattr(fields, key):
                    values[section, key] = getattr(fields, key)
                continue
            unfit = rule.faults(key, table[key]) if isinstance(rule, Labels) else []
            try:
                value = rule.read(key, table[key])
                if not isinstance(value, Milliseconds):
                    values[section, key] = value
                elif ("audio", "sample_rate") in values:
                    values[section, key] = value.samples(key, values["audio", "sample_rate"])
            except UnfitError as first:
                unfit = unfit or [first]
            for wrong in unfit:
                item = () if wrong.item is None else (wrong.item,)
                fault(wrong.what, wrong.remedy, section, key, *item)
    return values, faults


def _rule(toml: TomlFile, section: str, key: str, usual: Rule) -> Rule:
    """What a key allows: the threshold of an error is no share."""
    anomaly = _table(toml, "decision").get("kind") == Kind.ANOMALY.value
    return ERRORS if anomaly and (section, key) == ("decision", "threshold") else usual


def _defaults(toml: TomlFile, section: str, values: Values) -> object | None:
    """What has the defaults of a section's keys; those of a front end only where it is in the file."""
    preset = _preset(toml)
    if section == "window" and preset is not None:
        return preset.window(values.get(("audio", "sample_rate"), Audio.sample_rate))
    if section == "gate" and preset is not None:
        return Gate(threshold=-1, backoff=0)
    if section == "scale" and preset is not None:
        ranged = preset.scale.formula is None  # half a range that is written leaves the other half
        if ranged or not {"minimum", "maximum"} & set(_table(toml, "scale")):
            return preset.scale
    if preset is not None and section == preset.front_end.section:
        settings = preset.front_end
        if isinstance(settings, LogMel):
            settings = replace(settings, high_hz=values.get(("audio", "sample_rate"), Audio.sample_rate) / 2)
        return settings
    if section in FRONT_ENDS:
        return FRONT_ENDS[section]() if section in toml.data else None
    return STAGES[section]() if section in STAGES else None


def _preset(toml: TomlFile) -> Preset[MicroFrontend] | Preset[LogMel] | None:
    """The settings that a front end's keys are the changes of; of [mfcc] there are none."""
    if "micro_frontend" in toml.data:
        name = _table(toml, "micro_frontend").get("preset", "tflm")
        return PRESETS.get(name) if isinstance(name, str) else None
    if "log_mel" in toml.data:
        name = _table(toml, "log_mel").get("preset", "librosa")
        return LOG_MEL_PRESETS.get(name) if isinstance(name, str) else None
    return None


def _front_end_faults(toml: TomlFile) -> list[UserError]:
    """There is one front end."""
    named = [section for section in toml.data if section in FRONT_ENDS]
    if len(named) == 1:
        return []
    every = " or ".join(f"[{section}]" for section in FRONT_ENDS)
    if not named:
        what, place = "there is no front end: nothing says what the model hears", None
        remedy = f"Write the section of the features that the model learnt from: {every}."
    else:
        what, place = f"is a second front end, after [{named[0]}]", toml.place(named[1])
        remedy = "Leave all but one away: a model hears the features that it learnt from."
    return [UserError(what, file=toml.path, place=place, remedy=remedy)]


def _homes(key: str) -> str:
    """The sections that have this key: "[gate] or [decision]", or nothing."""
    return " or ".join(f"[{section}]" for section, rules in KEYS.items() if key in rules)


def _not_a_section(section: str, table: Any) -> tuple[str, str]:
    """What is wrong with an entry of the file's top level, and the remedy."""
    if section in KEYS:
        if isinstance(table, list):
            return "is written as an array of tables", f"Write [{section}] with single brackets."
        return f"found {found(table)}; a section is allowed", f"Write [{section}] on its own line."
    if _homes(section) and not isinstance(table, dict):
        return "stands before any section", f"Write it under {_homes(section)}."
    near = did_you_mean(section, list(KEYS))
    return "is unknown", near or f"Known sections: {', '.join(KEYS)}."


def _unknown_key(section: str, key: str) -> tuple[str, str]:
    near = did_you_mean(key, list(KEYS[section]))
    if near is None and _homes(key):
        near = f"It belongs to {_homes(key)}."
    return "is unknown", near or f"Keys of [{section}]: {', '.join(KEYS[section])}."


def _floats(key: str, value: Any) -> Any:
    """Numbers of a front end as floats; one for all values as a list of one."""
    if key in ("mean", "deviation"):
        return tuple(map(float, value)) if isinstance(value, tuple) else (float(value),)
    return float(value) if isinstance(value, Decimal) else value


def _spec(file: Path, model: Path, values: Values, bare: bool) -> Spec:
    """The dataclasses of values that are all right."""

    def given(section: str) -> dict[str, Any]:
        return {key: values[section, key] for key in KEYS[section] if (section, key) in values}

    chosen = given("classifier")
    chosen["model"] = model
    if "layout" in chosen:
        chosen["layout"] = Layout(chosen["layout"])
    if "rounding" in chosen:
        chosen["rounding"] = Rounding(chosen["rounding"])
    if "reference" in chosen:
        chosen["reference"] = Reference(chosen["reference"])
    name = app_name(file.parent.name)
    classifier = Classifier(**chosen)
    if bare:
        return Spec(name, file, classifier, None)

    section = next(section for section in FRONT_ENDS if (section, "filters") in values)
    chosen = {key: _floats(key, value) for key, value in given(section).items() if key != "preset"}
    decision = given("decision")
    labels = decision["labels"]
    if "kind" in decision:
        decision["kind"] = Kind(decision["kind"])
    threshold = decision.pop("threshold")
    each = threshold if isinstance(threshold, tuple) else (threshold,) * len(labels)
    pipeline = Pipeline(
        audio=Audio(**given("audio")),
        window=Window(**given("window")),
        gate=Gate(**given("gate")),
        front_end=FRONT_ENDS[section](**chosen),
        scale=Scale(**given("scale")),
        cascade=Cascade(**given("cascade")),
        decision=Decision(thresholds=tuple(Fraction(share) for share in each), **decision),
    )
    return Spec(name, file, classifier, pipeline, Device(**given("device")))
