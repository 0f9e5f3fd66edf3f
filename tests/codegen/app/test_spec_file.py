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
from codegen.app.keys import KEYS, REQUIRED, Whole
from codegen.app.spec import Layout, Rounding
from codegen.app.spec_file import FRONT_ENDS, app_name, load_spec
from codegen.common.errors import UserError, UserErrors
from codegen.common.paths import ROOT
from codegen.common.reference import Reference

CLASSIFIER = '[classifier]\nmodel = "model.tflite"\n'
DECISION = '[decision]\nlabels = ["a", "b"]\nthreshold = 0.80\n'


def app(tmp_path: Path, text: str, folder: str = "door") -> Path:
    path = tmp_path / folder
    path.mkdir(exist_ok=True)
    if "decision" in text and not any(f"[{section}]" in text for section in FRONT_ENDS):
        text += "\n[mfcc]\n"
    (path / "pipeline.toml").write_text(text, encoding="utf-8")
    (path / "model.tflite").write_bytes(b"no model, but a file")
    return path


def faults(tmp_path: Path, text: str) -> list[UserError]:
    with pytest.raises(UserError) as caught:
        load_spec(app(tmp_path, text))
    if isinstance(caught.value, UserErrors):
        return list(caught.value.errors)
    return [caught.value]


def the_fault(tmp_path: Path, text: str) -> UserError:
    (one,) = faults(tmp_path, text)
    assert one.file is not None
    assert one.file.endswith("door/pipeline.toml")
    return one


# What is right


def test_defaults_are_the_tutorial(tmp_path: Path) -> None:
    path = app(tmp_path, CLASSIFIER + DECISION)
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
        },
        "scale": {"minimum": -500000, "maximum": 500000, "formula": None},
        "cascade": {"frames": 15, "slide": True, "every": 1, "memory": 65536},
        "decision": {
            "labels": ("a", "b"),
            "thresholds": (Fraction(4, 5), Fraction(4, 5)),
            "votes": 1,
            "mean": 1,
            "suppress": 0,
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
        layout = "scrambled"
        offset = 127
        rounding = "zero"
        reference = "tflm"
        [decision]
        labels = ["a", "Knock-2/x", "unknown"]
        threshold = [0.1, 1, 0.000000000000000001]
        votes = 10
    """
    path = app(tmp_path, text)
    (path / "sub").mkdir()
    (path / "sub/m.tflite").touch()
    read = load_spec(path / "pipeline.toml")
    assert read.classifier == spec.Classifier(
        path / "sub/m.tflite", "aot", "fast", Layout.SCRAMBLED, 127, Rounding.ZERO, Reference.TFLM
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
    assert isinstance(read.pipeline.front_end, spec.Mfcc)
    assert isinstance(read.pipeline.front_end.lifter, float)


def test_classifier_alone_is_a_bare_model(tmp_path: Path) -> None:
    assert load_spec(app(tmp_path, CLASSIFIER)).pipeline is None


@given(st.decimals(0, 1, allow_nan=False, places=9))
def test_thresholds_are_the_decimal_written(value: Decimal) -> None:
    written = f"{value:f}"
    with tempfile.TemporaryDirectory() as folder:
        text = CLASSIFIER + f'[decision]\nlabels = ["a"]\nthreshold = {written}\n'
        read = load_spec(app(Path(folder), text)).pipeline
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
    assert load_spec(app(tmp_path, CLASSIFIER, folder)).name == name


@given(st.text())
def test_any_folder_has_a_c_identifier(folder: str) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", app_name(folder))


def test_the_current_folder_has_its_real_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(app(tmp_path, CLASSIFIER))
    assert load_spec(Path()).name == "door"
    assert load_spec(Path("pipeline.toml")).file == tmp_path / "door/pipeline.toml"


# What is wrong: text, place, words of the fault, words of the remedy

WRONG = [
    # unknown words
    ("[gaet]\n" + CLASSIFIER + DECISION, "line 1, [gaet]", "is unknown", "Did you mean gate?"),
    ("[xyz]\n" + CLASSIFIER + DECISION, "line 1, [xyz]", "is unknown", "Known sections: audio, window"),
    ("[gate]\n\ntreshold = 1\n" + CLASSIFIER + DECISION, "line 3, [gate] treshold", "unknown", "threshold?"),
    ("[window]\nfft = 512\n" + CLASSIFIER + DECISION, "line 2, [window] fft", "unknown", "to [mfcc]"),
    ("[window]\nqqq = 512\n" + CLASSIFIER + DECISION, "line 2, [window] qqq", "unknown", "size, stride"),
    ("sample_rate = 1\n" + CLASSIFIER + DECISION, "line 1, sample_rate", "before any", "under [audio]"),
    ("gate = 1\n" + CLASSIFIER + DECISION, "line 1, gate", "found 1; a section", "Write [gate]"),
    ("[[gate]]\n" + CLASSIFIER + DECISION, "line 1, [gate]", "array of tables", "single brackets"),
    # missing ones
    (DECISION, "[classifier] model", "is missing", 'model = "model.tflite"'),
    (CLASSIFIER + "[decision]\nthreshold = 1\n", "[decision] labels", "is missing", "labels = ["),
    (CLASSIFIER + '[decision]\nlabels = ["a"]', "line 3, [decision] threshold", "is missing", "= 0.80"),
    # types
    (
        '[gate]\nthreshold = "600"\n' + CLASSIFIER + DECISION,
        "line 2",
        'found "600"; a whole',
        "threshold = 600",
    ),
    ("[gate]\nthreshold = 600.0\n" + CLASSIFIER + DECISION, "line 2", "found 600.0", "Write threshold = 600"),
    (
        "[gate]\nthreshold = true\n" + CLASSIFIER + DECISION,
        "line 2",
        "found true; a whole number, -1..32767",
        "",
    ),
    ("[gate]\nthreshold = [1]\n" + CLASSIFIER + DECISION, "line 2", "found an array", ""),
    ("[gate]\nthreshold = { a = 1 }\n" + CLASSIFIER + DECISION, "line 2", "found a table", ""),
    ("[gate]\nthreshold = 1979-05-27\n" + CLASSIFIER + DECISION, "line 2", "found a date", ""),
    (
        "[mfcc]\nlow_hz = '20'\n" + CLASSIFIER + DECISION,
        "line 2",
        'found "20"; a number of Hz',
        "low_hz = 20",
    ),
    ("[mfcc]\nlow_hz = nan\n" + CLASSIFIER + DECISION, "line 2", "NaN is out of range", ""),
    ("[mfcc]\npreemphasis = inf\n" + CLASSIFIER + DECISION, "line 2", "Infinity is out of range", ""),
    ("[mfcc]\nfft = 500\n" + CLASSIFIER + DECISION, "line 2", "found 500; one of 128, 256, 512, 1024", ""),
    ("[cascade]\nslide = 'True'\n" + CLASSIFIER + DECISION, "line 2", 'found "True"', "slide = true"),
    ("[cascade]\nslide = 0\n" + CLASSIFIER + DECISION, "line 2", "true or false", "Write slide = false"),
    (CLASSIFIER + "layer_outputs = true\n" + DECISION, "line 3", "for a bare model", "verify --layers"),
    (CLASSIFIER + "reference = 'litr'\n" + DECISION, "line 3", 'allowed: "litert", "tflm"', "mean litert?"),
    (CLASSIFIER + "kernels = 'smal'\n" + DECISION, "line 3", 'allowed: "small", "fast"', "mean small?"),
    (
        CLASSIFIER + "rounding = 5\n" + DECISION,
        "line 3, [classifier] rounding",
        'allowed: "nearest", "zero"',
        "",
    ),
    (CLASSIFIER + "layout = 'columns'\n" + DECISION, "line 3", '"cepstra_by_frames", "scrambled"', ""),
    (
        CLASSIFIER + "engine = 'tflm'\nreference = 'litert'\n" + DECISION,
        "line 4",
        "the engine tflm has the bits of TensorFlow Lite Micro",
        "Leave the key reference away",
    ),
    # ranges
    ("[window]\nsize = -400\n" + CLASSIFIER + DECISION, "line 2, [window] size", "-400 is out of range", ""),
    ("[audio]\ndc_block = 3\n" + CLASSIFIER + DECISION, "line 2", "one of 0, 4, 5, 6", ""),
    ("[audio]\nsample_rate = 44\n" + CLASSIFIER + DECISION, "line 2", "of Hz, 8000..48000", ""),
    ("[gate]\nbackoff = 1001\n" + CLASSIFIER + DECISION, "line 2", "windows, 0..1000", ""),
    ("[cascade]\nframes = 0\n" + CLASSIFIER + DECISION, "line 2", "0 is out of range", ""),
    (f"[scale]\nmaximum = {2**31}\n" + CLASSIFIER + DECISION, "line 2", "2147483648 is out of range", ""),
    (CLASSIFIER + "offset = 256\n" + DECISION, "line 3", "256 is out of range; a whole number, 0..255", ""),
    (CLASSIFIER + DECISION + "votes = 0\n", "line 6, [decision] votes", "0 is out of range", ""),
    # contradictions
    (
        "[cascade]\nevery = 4\nslide = false\n" + CLASSIFIER + DECISION,
        "line 2, [cascade] every",
        "every 4 windows, and every decision empties",
        "every away",
    ),
    (
        "[window]\nstride = 401\n" + CLASSIFIER + DECISION,
        "line 2, [window] stride",
        "400 samples every 401",
        "100..400",
    ),
    (
        "[window]\nstride = 99\n" + CLASSIFIER + DECISION,
        "line 2, [window] stride",
        "size/4..size",
        "100..400",
    ),
    (
        "[window]\nsize = 200\n" + CLASSIFIER + DECISION,
        "line 2, [window] size",
        "200 samples every 400",
        "= 200",
    ),
    ("[window]\nsize = 600\n" + CLASSIFIER + DECISION, "line 2, [window] size", "does not fit", "fft = 1024"),
    (
        "[mfcc]\nfft = 256\n" + CLASSIFIER + DECISION,
        "line 2, [mfcc] fft",
        "400 samples does not fit",
        "fft = 512",
    ),
    (
        "[audio]\nsample_rate = 8000\n" + CLASSIFIER + DECISION,
        "line 2, [audio]",
        "up to 8000 Hz",
        "high_hz = 4000",
    ),
    (
        "[mfcc]\nhigh_hz = 8000.5\n" + CLASSIFIER + DECISION,
        "line 2, [mfcc] high_hz",
        "up to 8000.5 Hz",
        "8000 or",
    ),
    ("[mfcc]\nlow_hz = 8000\n" + CLASSIFIER + DECISION, "line 2, [mfcc] low_hz", "low_hz is less", ""),
    (
        "[mfcc]\ncepstra = 24\n" + CLASSIFIER + DECISION,
        "line 2, [mfcc] cepstra",
        "24 cepstra of 23 filters",
        "= 23",
    ),
    (
        "[scale]\nminimum = 500000\n" + CLASSIFIER + DECISION,
        "line 2, [scale] minimum",
        "the minimum is less",
        "",
    ),
    # what makes no tables
    (
        "[mfcc]\nfilters = 128\nfft = 512\n" + CLASSIFIER + DECISION,
        "line 2, [mfcc] filters",
        "hears nothing",
        "filters = ",
    ),
    (
        "[scale]\nmaximum = 268435457\nminimum = 0\n" + CLASSIFIER + DECISION,
        "line 2, [scale] maximum",
        "2^28",
        "",
    ),
    # the decision
    (CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=1.01\n", "line 5", "1.01 is out of range", "0.0101"),
    (
        CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=80\n",
        "line 5",
        "80 is out of range",
        "per cent: 0.8",
    ),
    (CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=-0.1\n", "line 5", "-0.1 is out of range", ""),
    (CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=1e300\n", "line 5", "out of range", ""),
    (CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=1e-300\n", "line 5", "more than 18 decimals", ""),
    (
        CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=1e999999999\n",
        "line 5",
        "too large or too long to be meant",
        "",
    ),
    (
        CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=1e-999999999\n",
        "line 5",
        "too large or too long to be meant",
        "",
    ),
    (CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=[]\n", "line 5", "the array is empty", ""),
    (CLASSIFIER + "[decision]\nlabels=['a']\nthreshold='0.8'\n", "line 5", 'found "0.8"', "threshold = 0.8"),
    (
        CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=[0.5, 0.5]\n",
        "line 5",
        "2 thresholds for 1 labels",
        "each",
    ),
    (
        CLASSIFIER + "[decision]\nlabels=['a']\nthreshold=[\n1.5]\n",
        "line 6, [decision] threshold item 1",
        "1.5",
        "",
    ),
    (CLASSIFIER + "[decision]\nlabels='a'\nthreshold=1\n", "line 4", 'found "a"; an array', ""),
    (
        CLASSIFIER + "[decision]\nlabels=[]\nthreshold=1\n",
        "line 4, [decision] labels",
        "0 labels; 1..255",
        "one label",
    ),
    (
        CLASSIFIER + "[decision]\nlabels=['a',\n'b','a']\nthreshold=1\n",
        "line 5, [decision] labels item 3",
        "item 1",
        "",
    ),
    (CLASSIFIER + "[decision]\nlabels=['']\nthreshold=1\n", "item 1", "the label is empty", ""),
    (CLASSIFIER + "[decision]\nlabels=[3]\nthreshold=1\n", "item 1", "found 3; a label is text", ""),
    (CLASSIFIER + "[decision]\nlabels=['a b']\nthreshold=1\n", "item 1", '"a b" holds a space', ""),
    (CLASSIFIER + '[decision]\nlabels=["a\\"b"]\nthreshold=1\n', "item 1", "holds a quote", ""),
    (CLASSIFIER + '[decision]\nlabels=["a\\\\b"]\nthreshold=1\n', "item 1", "holds a backslash", ""),
    (CLASSIFIER + "[decision]\nlabels=['Tür']\nthreshold=1\n", "item 1", "holds '\\xfc'", "ASCII"),
    (CLASSIFIER + '[decision]\nlabels=["a\\n"]\nthreshold=1\n', "item 1", "a line end", ""),
    (
        CLASSIFIER + "[decision]\nlabels=['" + "x" * 33 + "']\nthreshold=1\n",
        "item 1",
        "33 characters; 32",
        "",
    ),
    (
        CLASSIFIER + "[decision]\nlabels=['Unknown']\nthreshold=1\n",
        "item 1",
        "below its threshold",
        '"unknown" is free',
    ),
    # the model
    (
        "[classifier]\nmodel = 'm.tflite'\n",
        "line 2, [classifier] model",
        "m.tflite is not there",
        "folder of",
    ),
    ("[classifier]\nmodel = '.'\n", "line 2, [classifier] model", "is a folder", ""),
    ("[classifier]\nmodel = ''\n", "line 2, [classifier] model", "name is empty", ""),
    ("[classifier]\nmodel = 3\n", "line 2, [classifier] model", "found 3; a file's name", ""),
]


@pytest.mark.parametrize(("text", "place", "what", "remedy"), WRONG)
def test_a_fault_is_reported_where_it_is(
    tmp_path: Path, text: str, place: str, what: str, remedy: str
) -> None:
    wrong = the_fault(tmp_path, text)
    assert place in (wrong.place or "")
    assert what in str(wrong)
    assert remedy in str(wrong)


def test_all_faults_are_reported_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = (
        '[gate]\ndelay = -1\n[window]\nsiz = 1\n[decision]\nlabels = ["", "a", "a", "b c"]\nthreshold = 2\n'
    )
    lines = [wrong.place for wrong in faults(tmp_path, text + CLASSIFIER)]
    assert lines == [
        "line 2, [gate] delay",
        "line 4, [window] siz",
        "line 6, [decision] labels item 1",
        "line 6, [decision] labels item 3",
        "line 6, [decision] labels item 4",
        "line 7, [decision] threshold",
    ]


def test_syntax_errors_have_their_line(tmp_path: Path) -> None:
    wrong = the_fault(tmp_path, CLASSIFIER + "[gate\n")
    assert wrong.place == "line 3, column 6"


def test_what_is_no_app(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such app"):
        load_spec(tmp_path / "absent")
    with pytest.raises(UserError, match=r"this folder has no pipeline\.toml"):
        load_spec(tmp_path)
    model = app(tmp_path, CLASSIFIER) / "model.tflite"
    with pytest.raises(UserError, match="is not an app"):
        load_spec(model)


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
}


def test_keys_are_the_fields_of_the_dataclasses() -> None:
    for section, rules in KEYS.items():
        names = [field.name for field in dataclasses.fields({**STAGES, **FRONT_ENDS}[section])]
        names += ["preset"] if section == "micro_frontend" else []
        assert sorted(rules) == sorted("threshold" if name == "thresholds" else name for name in names)


def test_the_page_tells_every_key_with_its_default_and_range() -> None:
    page = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")
    reported: dict[tuple[str, str], list[str]] = {}
    section = ""
    for line in page.splitlines():
        if heading := re.match(r"## \[(\w+)\]", line):
            section = heading[1]
        elif row := re.match(r"\| `(\w+)` \|", line):
            reported[section, row[1]] = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[2:-1]]
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
        value = "tflm" if key == "preset" else fields[key]
        value = value.value if isinstance(value, Layout | Rounding | Reference) else value
        expected = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
        if value is None:
            assert default == "none", key
            continue
        assert default.strip("`") == (f"{value:g}" if isinstance(value, float) else expected), key


def test_there_is_one_front_end(tmp_path: Path) -> None:
    folder = app(tmp_path, CLASSIFIER + DECISION)
    (folder / "pipeline.toml").write_text(CLASSIFIER + DECISION)
    with pytest.raises(UserError, match="no front end") as caught:
        load_spec(folder)
    assert "[mfcc] or [micro_frontend]" in str(caught.value)
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
    read = load_spec(app(tmp_path, section + CLASSIFIER + DECISION)).pipeline
    assert read is not None
    assert isinstance(read.front_end, spec.MicroFrontend)
    assert (read.front_end.filters, read.front_end.low_hz, read.front_end.pcan) == (
        filters,
        100.0,
        filters == 40,
    )
    assert read.window == spec.Window(*window)
    assert (read.gate.threshold, read.gate.backoff, read.scale.formula) == (-1, 0, "micro_wake_word")
    written = load_spec(app(tmp_path, section + "[window]\nsize = 512\n" + CLASSIFIER + DECISION)).pipeline
    assert written is not None
    assert written.window == spec.Window(512, window[1])


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ('[mfcc]\n[scale]\nformula = "micro_speech"\n', "line 3, [scale] formula", "for the values of"),
        (
            '[micro_frontend]\n[scale]\nformula = "micro_speech"\nmaximum = 3\n',
            "line 4, [scale] maximum",
            "beside",
        ),
        ("[micro_frontend]\nhigh_hz = 9000\n", "line 2, [micro_frontend] high_hz", "reaches to half"),
        ("[micro_frontend]\nfilters = 128\n", "line 2, [micro_frontend] filters", "hears nothing"),
        ("[mfcc]\n[window]\nsize = 2000\nstride = 2000\n", "line 3, [window] size", "2..1024"),
    ],
)
def test_what_does_not_fit_a_front_end(text: str, place: str, what: str, tmp_path: Path) -> None:
    fault = the_fault(tmp_path, text + CLASSIFIER + DECISION)
    assert fault.place == place
    assert what in fault.what
    assert fault.remedy


def test_ranges_are_enforced_at_both_ends(tmp_path: Path) -> None:
    for section, key, rule in [(name, *item) for name, rules in KEYS.items() for item in rules.items()]:
        if not isinstance(rule, Whole):
            continue
        for value in (rule.low - 1, rule.high + 1):
            text = f"[{section}]\n{key} = {value}\n"
            for other in (CLASSIFIER, DECISION):
                text += other.split("\n", 1)[1] if other.startswith(f"[{section}]") else ""
            text += "".join(other for other in (CLASSIFIER, DECISION) if not other.startswith(f"[{section}]"))
            assert f"{value} is out of range" in the_fault(tmp_path, text).what
