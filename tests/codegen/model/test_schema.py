# SPDX-License-Identifier: Apache-2.0
"""The schema's numbers here are those of TensorFlow Lite's own generated code."""

from __future__ import annotations

import ai_edge_litert.schema_py_generated as generated
import pytest

from codegen.model import schema


def _numbers(name: str) -> dict[str, int]:
    return {k: v for k, v in vars(getattr(generated, name)).items() if isinstance(v, int)}


def test_enumerations_are_the_schemas() -> None:
    assert {name: number for number, name in enumerate(schema.OPERATORS)} == _numbers("BuiltinOperator")
    assert {name.upper(): number for number, name in enumerate(schema.TYPES)} == _numbers("TensorType")
    assert {name.upper(): n for n, name in enumerate(schema.ACTIVATIONS)} == _numbers(
        "ActivationFunctionType"
    )
    assert {name.upper(): number for number, name in enumerate(schema.PADDINGS)} == _numbers("Padding")


def _slots(table: str) -> dict[str, int]:
    """Field -> slot, from the order in which the generated code writes them."""
    import inspect
    import re

    prefix = f"{table}Add"
    found = {}
    for name, function in vars(generated).items():
        if name.startswith(prefix):
            number = re.search(r"Prepend\w+Slot\((\d+)", inspect.getsource(function))
            if number:
                found[name.removeprefix(prefix)] = int(number.group(1))
    return found


@pytest.mark.parametrize(
    "table", ["Model", "OperatorCode", "SubGraph", "Buffer", "Tensor", "QuantizationParameters", "Operator"]
)
def test_slots_of_tables_are_the_schemas(table: str) -> None:
    slots = _slots(table)
    ours = {k: v for k, v in vars(getattr(schema, table)).items() if isinstance(v, int)}
    assert ours
    for name, slot in ours.items():
        camel = "".join(word.capitalize() for word in name.split("_"))
        camel = {"OptionsType": "BuiltinOptionsType", "Options": "BuiltinOptions"}.get(camel, camel)
        assert slots[camel] == slot, name


@pytest.mark.parametrize("op", sorted(schema.OPTIONS))
def test_slots_of_options_are_the_schemas(op: str) -> None:
    number, fields = schema.OPTIONS[op]
    (table,) = [name for name, value in _numbers("BuiltinOptions").items() if value == number]
    slots = _slots(table)
    defaults = getattr(generated, table + "T")()
    for name, field in fields.items():
        camel = "".join(word.capitalize() for word in name.split("_"))
        assert slots[camel] == field.slot
        default = getattr(defaults, camel[0].lower() + camel[1:])
        if field.kind in ("int32", "int8", "float32", "bool"):
            assert default == field.default, name
