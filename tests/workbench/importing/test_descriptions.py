# SPDX-License-Identifier: Apache-2.0
"""Class names of a model.json, as `monitor --model-json` and `import` read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from codegen.common.errors import UserError
from workbench.importing.descriptions import read_class_maps


def test_each_model_has_its_names(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    file.write_text('{"ModelDescriptions":[{"ClassMaps":{"0":"Unknown","1":"ä"}},{"ClassMaps":{"255":"b"}}]}')
    assert read_class_maps(file) == {0: {0: "Unknown", 1: "ä"}, 1: {255: "b"}}


@pytest.mark.parametrize(
    ("models", "place", "what"),
    [
        (None, "ModelDescriptions", "describes no model"),
        ([], "ModelDescriptions", "describes no model"),
        ([{"ClassMaps": {"1": "a"}}, {}], "ModelDescriptions[1].ClassMaps", "its model has no class names"),
        ([{"ClassMaps": {"1": 7}}], "ModelDescriptions[0].ClassMaps", "its model has no class names"),
        ([{"ClassMaps": {"x": "a"}}], "ModelDescriptions[0].ClassMaps", "a class is numbered 'x'"),
        ([{"ClassMaps": {"01": "a"}}], "ModelDescriptions[0].ClassMaps", "a class is numbered '01'"),
        ([{"ClassMaps": {"256": "a"}}], "ModelDescriptions[0].ClassMaps", "a class is numbered 256"),
        ([{"ClassMaps": {"9" * 5000: "a"}}], "ModelDescriptions[0].ClassMaps", "a class is numbered '999"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, models: Any, place: str, what: str) -> None:
    file = tmp_path / "model.json"
    file.write_text(json.dumps({"ModelDescriptions": models}))
    with pytest.raises(UserError) as told:
        read_class_maps(file)
    assert (told.value.file, told.value.place) == (str(file), place)
    assert told.value.what.startswith(what)


def test_what_is_no_json_is_told(tmp_path: Path) -> None:
    file = tmp_path / "model.json"
    for text in ("[" * 100_000, "[]", "x", ""):
        file.write_text(text)
        with pytest.raises(UserError, match="holds no JSON object"):
            read_class_maps(file)
