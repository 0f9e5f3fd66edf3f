# SPDX-License-Identifier: Apache-2.0
"""model.json, where SensiML's Open Gateway finds class names: ModelDescriptions[ModelNumber].ClassMaps."""

from __future__ import annotations

import json

from codegen.app.rules import UNKNOWN
from codegen.app.spec import Layout, Spec

NAME = "model.json"
_TYPE = "TensorFlow Lite for Microcontrollers"


def gateway_text(spec: Spec) -> str:
    """For an app; its result lines have ModelNumber 0. FeatureNames: of the model's input, in its order."""
    assert spec.pipeline is not None
    section, size = spec.pipeline.front_end.section, spec.pipeline.front_end.size
    frames = spec.pipeline.cascade.frames
    places = [(frame, value) for frame in range(frames) for value in range(size)]
    if spec.classifier.layout is Layout.CEPSTRA_BY_FRAMES:
        places.sort(key=lambda place: place[1])
    names = [f"{section}_{value:03}_frame_{frame:03}" for frame, value in places]
    classes = enumerate((UNKNOWN, *spec.pipeline.decision.labels))
    described = {
        "Name": spec.name,
        "ClassMaps": {str(index): label for index, label in classes},
        "ModelType": _TYPE,
        "FeatureNames": names,
    }
    data = {"NumModels": 1, "ModelIndexes": {"0": spec.name}, "ModelDescriptions": [described]}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
