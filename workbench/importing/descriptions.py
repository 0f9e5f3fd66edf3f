# SPDX-License-Identifier: Apache-2.0
"""model.json of a SensiML Knowledge Pack: its models and the names of their classes
(https://sensiml.com/documentation/, Open Gateway, class names)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from workbench.importing.published import read_object, shown

DESCRIPTIONS = "ModelDescriptions"
AGAIN = "Give the model.json of a Knowledge Pack as it is."
_CLASS_MAX = 255  # a result line's Classification


@dataclass(frozen=True)
class Description:
    """A model. kind and name are empty where the file tells none; classes: 0 is Unknown."""

    name: str
    kind: str
    classes: Mapping[int, str]


def descriptions(file: Path, data: Mapping[str, Any]) -> tuple[Description, ...]:
    """The models, in the order of their numbers. UserError with the place where one is none.

    data: what `file` holds
    """
    models = data.get(DESCRIPTIONS)
    if not isinstance(models, list) or not models or not all(isinstance(one, dict) for one in models):
        raise UserError("describes no model", file=file, place=DESCRIPTIONS, remedy=AGAIN)
    found = []
    for number, model in enumerate(models):
        place = f"{DESCRIPTIONS}[{number}].ClassMaps"
        classes = _classes(file, place, model.get("ClassMaps"))
        found.append(Description(_text(model.get("Name")), _text(model.get("ModelType")), classes))
    return tuple(found)


def read_class_maps(file: Path) -> Mapping[int, Mapping[int, str]]:
    """Model number -> class -> name. UserError where the file is no model.json."""
    return {number: one.classes for number, one in enumerate(descriptions(file, read_object(file)))}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _classes(file: Path, place: str, names: object) -> Mapping[int, str]:
    if not isinstance(names, dict) or not names or not all(isinstance(name, str) for name in names.values()):
        raise UserError("its model has no class names", file=file, place=place, remedy=AGAIN)
    for number in names:
        if not (number.isascii() and number.isdigit() and str(int(number[:9])) == number):
            what = f"a class is numbered {shown(number)}; 0 to {_CLASS_MAX} is known"
            raise UserError(what, file=file, place=place, remedy=AGAIN)
    classes = {int(number): name for number, name in names.items()}
    if max(classes) > _CLASS_MAX:
        what = f"a class is numbered {max(classes)}; 0 to {_CLASS_MAX} is known"
        raise UserError(what, file=file, place=place, remedy=AGAIN)
    return classes
