# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml: what is read from a right one, and what a person is told of a wrong one."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.app import spec
from codegen.app.keys import KEYS, REQUIRED
from codegen.app.several import STAYS_MOST
from codegen.app.spec import Kind, Layout, Rounding
from codegen.app.spec_file import FRONT_ENDS, app_name, load_spec
from codegen.common.errors import UserError
from codegen.common.paths import ROOT
from codegen.common.reference import Reference
from tests.support.pipeline_toml import CLASSIFIER, DECISION, app_with, the_fault

# What is right


def test_defaults_are_the_tutorial(tmp_path: Path) -> None:
    path = app_with(tmp_path, CLASSIFIER + DECISION)
    read = load_spec(path)
    assert read.name == "door"
    assert read.file == path / "pipeline.toml"
    assert read.classifier == spec.Classifier(model=path / "model.tflite")
    assert read.pipeline is not None
    assert dataclasses.asdict(read.pipeline) == {
        "audio": {"sample_rate": 16000, "dc_block": 0},
        "window": {"size": 400, "stride": 400},
        "gate": {"threshold": 600, "backoff": 14, "delay": 0},
        "front_end": {
            "cepstra": 20,
            "filters": 23,
            "fft": 512,
            "low_hz": 20.0,
            "high_hz": 8000.0,
            "lifter": 22.0,
            "preemphasis": 0.97,
            "deltas": 0,
            "delta_frames": 2,
            "mean": (),
            "deviation": (),
        },
        "scale": {"minimum": -500000, "maximum": 500000, "formula": None, "rounding": "down"},
        "cascade": {"frames": 15, "slide": True, "every": 1, "memory": 65536},
        "decision": {
            "labels": ("a", "b"),
            "thresholds": (Fraction(4, 5), Fraction(4, 5)),
            "votes": 1,
            "mean": 1,
            "suppress": 0,
            "kind": Kind.CLASSES,
        },
    }


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """
        [audio]
        sample_rate = 48000
        [window]
        size = 1024
        stride = 256
        [gate]
        threshold = 0
        backoff = 64
        delay = 1
        [mfcc]
        cepstra = 13
        filters = 40
        fft = 1024
        low_hz = 62.5
        high_hz = 2.4e4
        lifter = 0
        preemphasis = 0
        [scale]
        minimum = -2147483648
        maximum = -2147483000
        [cascade]
        frames = 1
        slide = false
        [classifier]
        model = "sub/m.tflite"
        engine = "aot"
        kernels = "fast"
        ram_weights = 8000
        layout = "scrambled"
        offset = 127
        rounding = "zero"
        reference = "tflm"
        [decision]
        labels = ["a", "Knock-2/x", "unknown"]
        threshold = [0.1, 1, 0.000000000000000001]
        votes = 10
        [device]
        capture = true
    """
    path = app_with(tmp_path, text)
    (path / "sub").mkdir()
    (path / "sub/m.tflite").touch()
    read = load_spec(path / "pipeline.toml")
    assert read.classifier == spec.Classifier(
        path / "sub/m.tflite",
        "aot",
        "fast",
        Layout.SCRAMBLED,
        127,
        Rounding.ZERO,
        Reference.TFLM,
        ram_weights=8000,
    )
    assert read.pipeline == spec.Pipeline(
        spec.Audio(48000),
        spec.Window(1024, 256),
        spec.Gate(0, 64, 1),
        spec.Mfcc(13, 40, 1024, 62.5, 24000.0, 0.0, 0.0),
        spec.Scale(-(2**31), -2147483000),
        spec.Cascade(1, False),
        spec.Decision(("a", "Knock-2/x", "unknown"), (Fraction(1, 10), Fraction(1), Fraction(1, 10**18)), 10),
    )
    assert read.device == spec.Device(capture=True)
    assert isinstance(read.pipeline.front_end, spec.Mfcc)
    assert isinstance(read.pipeline.front_end.lifter, float)


def test_classifier_alone_is_a_bare_model(tmp_path: Path) -> None:
    assert load_spec(app_with(tmp_path, CLASSIFIER)).pipeline is None


@given(st.decimals(0, 1, allow_nan=False, places=9))
def test_thresholds_are_the_decimal_written(value: Decimal) -> None:
    written = f"{value:f}"
    with tempfile.TemporaryDirectory() as folder:
        text = CLASSIFIER + f'[decision]\nlabels = ["a"]\nthreshold = {written}\n'
        read = load_spec(app_with(Path(folder), text)).pipeline
    assert read is not None
    assert read.decision.thresholds == (Fraction(int(written.replace(".", "")), 10**9),)


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("smart_lock", "smart_lock"),
        ("Smart Lock-2", "smart_lock_2"),
        ("2nd", "app_2nd"),
        ("_x__y_", "x_y"),
        ("Tür", "t_r"),
        ("日本", "app_app"),
        ("pipeline", "pipeline_app"),
        ("math", "math_app"),
        ("Board", "board_app"),
        ("x" * 60, "x" * 40),
    ],
)
def test_names_are_c_identifiers(tmp_path: Path, folder: str, name: str) -> None:
    assert load_spec(app_with(tmp_path, CLASSIFIER, folder)).name == name


@given(st.text())
def test_any_folder_has_a_c_identifier(folder: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", app_name(folder))


def test_the_current_folder_has_its_real_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(app_with(tmp_path, CLASSIFIER))
    assert load_spec(Path()).name == "door"
    assert load_spec(Path("pipeline.toml")).file == tmp_path / "door/pipeline.toml"


# The keys, the dataclasses and the page about them are one list


STAGES = {
    "audio": spec.Audio,
    "window": spec.Window,
    "gate": spec.Gate,
    "mfcc": spec.Mfcc,
    "scale": spec.Scale,
    "cascade": spec.Cascade,
    "classifier": spec.Classifier,
    "decision": spec.Decision,
    "device": spec.Device,
}


def test_keys_are_the_fields_of_the_dataclasses() -> None:
    for section, rules in KEYS.items():
        names = [field.name for field in dataclasses.fields({**STAGES, **FRONT_ENDS}[section])]
        names += ["preset"] if section in ("micro_frontend", "log_mel") else []
        assert sorted(rules) == sorted("threshold" if name == "thresholds" else name for name in names)


def test_the_page_tells_every_key_with_its_default_and_range() -> None:
    page = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")
    reported: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in page.splitlines():
        if heading := re.match(r"## (\[+)(\w+)\]", line):
            section = heading[2] if heading[1] == "[" else f"each {heading[2]}"
        elif row := re.match(r"\| `(\w+)` \|", line):
            reported[section, row[1]] = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[2:-1]]
    of_each = [reported.pop(("each classifier", key)) for key in ("name", "waits_for", "stays")]
    assert of_each[2][2] == f"1..{STAYS_MOST} windows"
    assert list(reported) == [(section, key) for section, rules in KEYS.items() for key in rules]
    for (section, key), (kind, default, allowed, meaning) in reported.items():
        rule = KEYS[section][key]
        assert kind == rule.type_name, key
        assert allowed == " ".join(filter(None, [rule.range.replace('"', "`"), rule.unit])), key
        assert len(meaning) > 10
        if (section, key) in REQUIRED:
            assert default == "required"
            continue
        fields = {
            field.name: field.default for field in dataclasses.fields({**STAGES, **FRONT_ENDS}[section])
        }
        value = {"micro_frontend": "tflm", "log_mel": "librosa"}[section] if key == "preset" else fields[key]
        value = value.value if isinstance(value, Kind | Layout | Rounding | Reference) else value
        expected = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        if value in (None, ()):
            assert default == "none", key
            continue
        assert default.strip("`") == (f"{value:g}" if isinstance(value, float) else expected), key


def test_there_is_one_front_end(tmp_path: Path) -> None:
    folder = app_with(tmp_path, CLASSIFIER + DECISION)
    (folder / "pipeline.toml").write_text(CLASSIFIER + DECISION)
    with pytest.raises(UserError, match="no front end") as caught:
        load_spec(folder)
    assert "[mfcc] or [micro_frontend] or [log_mel]" in str(caught.value)
    second = the_fault(tmp_path, "[mfcc]\n[micro_frontend]\n" + CLASSIFIER + DECISION)
    assert (second.place, second.what) == ("line 2, [micro_frontend]", "is a second front end, after [mfcc]")


@pytest.mark.parametrize(
    ("preset", "filters", "window"),
    [("tflm", 32, (400, 160)), ("micro_wake_word", 40, (480, 160)), ("micro_speech", 40, (480, 320))],
)
def test_a_preset_sets_what_is_not_written(
    preset: str, filters: int, window: tuple[int, int], tmp_path: Path
) -> None:
    section = f'[micro_frontend]\npreset = "{preset}"\nlow_hz = 100\n'
    read = load_spec(app_with(tmp_path, section + CLASSIFIER + DECISION)).pipeline
    assert read is not None
    assert isinstance(read.front_end, spec.MicroFrontend)
    assert (read.front_end.filters, read.front_end.low_hz, read.front_end.pcan) == (
        filters,
        100.0,
        filters == 40,
    )
    assert read.window == spec.Window(*window)
    assert (read.gate.threshold, read.gate.backoff, read.scale.formula) == (-1, 0, "micro_wake_word")
    written = load_spec(
        app_with(tmp_path, section + "[window]\nsize = 512\n" + CLASSIFIER + DECISION)
    ).pipeline
    assert written is not None
    assert written.window == spec.Window(512, window[1])


def test_half_a_range_keeps_the_other_half_of_the_preset(tmp_path: Path) -> None:
    text = "[log_mel]\n[scale]\nminimum = -3932160\n" + CLASSIFIER + DECISION
    read = load_spec(app_with(tmp_path, text)).pipeline
    assert read is not None
    assert read.scale == spec.Scale(-3932160, 40 * 65536)


@pytest.mark.parametrize("preset", ["librosa", "mlperf_sww"])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_filters_reach_to_half_the_sample_rate(rate: int, preset: str, tmp_path: Path) -> None:
    """fmax of librosa's melspectrogram, and upper_edge_hertz of the streaming wake word."""
    text = f'[audio]\nsample_rate = {rate}\n[log_mel]\npreset = "{preset}"\nfilters = 20\n'
    read = load_spec(app_with(tmp_path, text + CLASSIFIER + DECISION)).pipeline
    assert read is not None
    assert isinstance(read.front_end, spec.LogMel)
    assert read.front_end.high_hz == rate / 2
