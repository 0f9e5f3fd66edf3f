# SPDX-License-Identifier: Apache-2.0
"""The feature contract: what changes it, and what must not."""

from __future__ import annotations

import dataclasses
import re
from fractions import Fraction

import pytest

from codegen.app import contract as contract_module
from codegen.app.contract import feature_contract
from codegen.app.spec import Audio, Cascade, Gate, Layout, Mfcc, Pipeline, Rounding, Scale, Window
from codegen.app.tables import MfccTables, front_end_tables
from tests.support.apps import App

BASE = App()


def contract(**changes: object) -> str:
    return feature_contract(dataclasses.replace(BASE, **changes).spec)  # type: ignore[arg-type]


def test_is_16_hex_digits_and_the_same_every_time() -> None:
    assert re.fullmatch("[0-9a-f]{16}", contract())
    assert contract() == feature_contract(App().spec)


def test_every_setting_that_makes_features_changes_it() -> None:
    changes: list[dict[str, object]] = [
        {},
        {"audio": Audio(8001)},
        {"audio": Audio(dc_block=8)},
        {"audio": Audio(dc_block=9)},
        {"window": Window(400, 200)},
        {"window": Window(399, 399)},
        {"mfcc": Mfcc(cepstra=19)},
        {"mfcc": Mfcc(filters=22)},
        {"mfcc": Mfcc(fft=1024)},
        {"mfcc": Mfcc(low_hz=21)},
        {"mfcc": Mfcc(high_hz=7999)},
        {"mfcc": Mfcc(lifter=0)},
        {"mfcc": Mfcc(preemphasis=0.96)},
        {"scale": Scale(-500000, 500001)},
        {"scale": Scale(-500001, 500000)},
        {"cascade": Cascade(16)},
        {"offset": 127},
        {"rounding": Rounding.ZERO},
        {"layout": Layout.CEPSTRA_BY_FRAMES},
        {"layout": Layout.SCRAMBLED},
    ]
    contracts = [contract(**change) for change in changes]
    assert len(set(contracts)) == len(changes)


def test_what_may_change_without_training_leaves_it() -> None:
    for change in (
        {"gate": Gate(700, 3, 2)},
        {"cascade": Cascade(15, slide=False)},
        {"labels": ("x", "y")},
        {"threshold": Fraction(1, 3)},
        {"votes": 5},
        {"input_scale": 0.5, "input_zero_point": 3},
    ):
        assert contract(**change) == contract()


def test_a_table_made_otherwise_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = contract()

    def other(pipeline: Pipeline) -> object:
        tables = front_end_tables(pipeline)
        assert isinstance(tables, MfccTables)
        return dataclasses.replace(tables, log2=(1, *tables.log2[1:]))

    monkeypatch.setattr(contract_module, "front_end_tables", other)
    assert contract() != before


def test_does_not_know_where_the_app_is_or_its_name() -> None:
    spec = BASE.spec
    moved = dataclasses.replace(spec, name="other", file=spec.file.parent / "elsewhere.toml")
    assert feature_contract(moved) == feature_contract(spec)


def test_a_bare_model_has_none() -> None:
    with pytest.raises(ValueError, match="bare"):
        feature_contract(dataclasses.replace(BASE.spec, pipeline=None))
