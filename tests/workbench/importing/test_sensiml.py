# SPDX-License-Identifier: Apache-2.0
"""A Knowledge Pack of SensiML becomes an app, and each build names its classes for SensiML's gateway.

model.json as its documentation and public packs have it: NumModels, ModelIndexes, and ModelDescriptions with
Name, ClassMaps and ModelType.
"""

from __future__ import annotations

import dataclasses
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from codegen.app.spec import Cascade, Gate, Layout, Mfcc, Rounding, Spec
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.emit.gateway import gateway_text
from codegen.model.graph import Graph
from tests.support.cli import earshot, refused
from toolbox.options import EXAMPLE
from workbench.importing.sensiml import import_pack
from workbench.training.stand_in import stand_in

CLASSES = {"0": "Unknown", "1": "key_io", "2": "knocking", "3": "locking", "4": "unknown"}


def pack(
    folder: Path, shape: tuple[int, int] = (20, 15), classes: Any = CLASSES, outputs: int = 4, **more: Any
) -> Path:
    """model.json and model.tflite."""
    folder.mkdir(parents=True, exist_ok=True)
    described = {
        "Name": "door_rank_0",
        "ClassMaps": classes,
        "ModelType": "TensorFlow Lite for Micro",
        **more,
    }
    data = {"NumModels": 1, "ModelIndexes": {"0": "door_rank_0"}, "ModelDescriptions": [described]}
    (folder / "model.json").write_text(json.dumps(data))
    (folder / "model.tflite").write_bytes(stand_in(shape, outputs))
    return folder / "model.json"


@pytest.mark.parametrize(
    ("shape", "layout", "frames"),
    [
        ((20, 15), Layout.SCRAMBLED, 15),
        ((15, 20), Layout.FRAMES_BY_CEPSTRA, 15),
        ((1, 300), Layout.FRAMES_BY_CEPSTRA, 15),
    ],
)
def test_a_pack_becomes_an_app(shape: tuple[int, int], layout: Layout, frames: int, tmp_path: Path) -> None:
    """With the numbers of its device code: 127 subtracted, rounded toward zero, compared with 206/256."""
    done = earshot("import", pack(tmp_path / "kp", shape), "-o", tmp_path / "door")
    assert done.returncode == 0, done.stderr
    assert "classes key_io, knocking, locking, unknown. Window, gate, MFCC and scale are" in done.stdout
    spec = load_spec(tmp_path / "door")
    assert spec.pipeline is not None
    assert (spec.classifier.offset, spec.classifier.rounding, spec.classifier.layout) == (
        127,
        Rounding.ZERO,
        layout,
    )
    assert spec.pipeline.decision.labels == ("key_io", "knocking", "locking", "unknown")
    assert set(spec.pipeline.decision.thresholds) == {Fraction(206, 256)}
    assert spec.pipeline.cascade == Cascade(frames)
    assert spec.pipeline.gate == Gate(600, 14)
    assert spec.pipeline.front_end == Mfcc()
    assert earshot("verify", tmp_path / "door" / "model.tflite").returncode == 0
    assert "is there already" in refused("import", tmp_path / "kp" / "model.json", "-o", tmp_path / "door")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"classes": {"1": "a", "3": "b"}}, "its classes are numbered [1, 3]; 1 to n"),
        ({"classes": {"1": "a", "2": "a", "3": "b", "4": "c"}}, "two of its classes have one name"),
        ({"classes": ["a"]}, "its model has no class names"),
        ({"outputs": 3}, "has 3 outputs, and model.json names 4 classes"),
        (
            {"classes": {str(number): f"c{number}" for number in range(1, 257)}, "outputs": 256},
            "model.json, ModelDescriptions[0].ClassMaps: a class is numbered 256",
        ),
        ({"ModelType": "PME"}, "of the type 'PME', which is no neural network"),
        ({"shape": (49, 10)}, "its input is 1 x 49 x 10 x 1; frames of 20 cepstra are imported"),
    ],
)
def test_what_a_pack_lacks_is_told(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    reported = refused("import", pack(tmp_path / "kp", **given), "-o", tmp_path / "door")
    assert words in reported
    assert not (tmp_path / "door").exists()


def test_class_names_become_labels_of_their_own(tmp_path: Path) -> None:
    """Labels are 32 ASCII characters at most; classes that are alike by that alone stay apart."""
    names = ["Schlüssel", "a door's knock", "a door_s knock", "k" * 40, "k" * 32 + "x", "Unknown", "ü" * 3]
    classes = {str(number): name for number, name in enumerate(names, start=1)}
    done = earshot(
        "import", pack(tmp_path / "kp", classes=classes, outputs=len(names)), "-o", tmp_path / "door"
    )
    assert done.returncode == 0, done.stderr
    pipeline = load_spec(tmp_path / "door").pipeline
    assert pipeline is not None
    assert pipeline.decision.labels == (
        "Schl_ssel",
        "a_door_s_knock",
        "a_door_s_knock_2",
        "k" * 32,
        "k" * 30 + "_2",
        "class",
        "___",
    )


def test_a_pipeline_that_is_refused_is_told_of_the_file_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of what it wrote nothing is left, so no line of that is named; faults of the model name the model."""
    file = pack(tmp_path / "kp")
    written, copy = tmp_path / "door" / "pipeline.toml", tmp_path / "door" / "model.tflite"

    def check(spec: Spec, graph: Graph) -> None:
        raise UserErrors(
            [
                UserError("is wrong", file=written, place="line 9", remedy="Mend it."),
                UserError("is odd", file=copy, place="input", remedy="Train it."),
            ]
        )

    monkeypatch.setattr("workbench.importing.sensiml.check", check)
    with pytest.raises(UserErrors) as told:
        import_pack(file, json.loads(file.read_text()), tmp_path / "door")
    assert [(one.file, one.place, one.what) for one in told.value.errors] == [
        (str(file), None, "would become a pipeline.toml that is refused: is wrong"),
        (str(file.parent / "model.tflite"), "input", "is odd"),
    ]
    assert not (tmp_path / "door").exists()


def test_its_model_lies_beside_it(tmp_path: Path) -> None:
    file = pack(tmp_path / "kp")
    (tmp_path / "kp" / "model.tflite").rename(tmp_path / "model.tflite")
    assert "no .tflite lies beside it" in refused("import", file, "-o", tmp_path / "door")
    data = json.loads(file.read_text())
    data["ModelDescriptions"] *= 2
    file.write_text(json.dumps(data))
    assert "describes 2 models; one is imported" in refused("import", file, "-o", tmp_path / "door")


# The other way


def test_the_gateway_finds_class_names(tmp_path: Path) -> None:
    """What it looks up of a result line: ModelDescriptions[ModelNumber].ClassMaps[str(Classification)]."""
    data = json.loads(gateway_text(load_spec(EXAMPLE)))
    names = data["ModelDescriptions"][0]["ClassMaps"]
    assert names == {
        "0": "Unknown",
        "1": "keyboard_typing",
        "2": "knocking",
        "3": "mouse_click",
        "4": "unknown",
    }
    assert len(data["ModelDescriptions"][0]["FeatureNames"]) == 300
    turned = dataclasses.replace(
        load_spec(EXAMPLE),
        classifier=dataclasses.replace(load_spec(EXAMPLE).classifier, layout=Layout.CEPSTRA_BY_FRAMES),
    )
    first = json.loads(gateway_text(turned))["ModelDescriptions"][0]["FeatureNames"][:16]
    assert first[:2] + first[15:] == ["mfcc_000_frame_000", "mfcc_000_frame_001", "mfcc_001_frame_000"]
    assert data["NumModels"] == len(data["ModelIndexes"]) == len(data["ModelDescriptions"]) == 1
    (tmp_path / "kp").mkdir()
    (tmp_path / "kp" / "model.json").write_text(gateway_text(load_spec(EXAMPLE)))
    (tmp_path / "kp" / "model.tflite").write_bytes((EXAMPLE / "model.tflite").read_bytes())
    done = earshot("import", tmp_path / "kp" / "model.json", "-o", tmp_path / "again")
    assert done.returncode == 0, done.stderr
