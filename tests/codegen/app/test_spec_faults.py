# SPDX-License-Identifier: Apache-2.0
"""pipeline.toml: what a person is told of a wrong one, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.app.keys import KEYS
from codegen.app.rules import Samples, Whole
from codegen.app.spec_file import load_spec
from codegen.common.errors import UserError
from tests.support.pipeline_toml import CLASSIFIER, DECISION, app_with, faults, the_fault

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
    (
        "[mfcc]\nfft = 500\n" + CLASSIFIER + DECISION,
        "line 2",
        "found 500; one of 128, 256, 512, 1024, 2048, 4096",
        "",
    ),
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
        CLASSIFIER + 'engine = "tflm"\nram_weights = 4096\n' + DECISION,
        "line 4, [classifier] ram_weights",
        "where the model lies",
        "ram_weights away",
    ),
    (
        "[cascade]\nevery = 4\nslide = false\n" + CLASSIFIER + DECISION,
        "line 2, [cascade] every",
        "every 4 windows, and every decision empties",
        "every away",
    ),
    (
        "[window]\nsize = 200\n" + CLASSIFIER + DECISION,
        "line 2, [window] size",
        "200 samples, and the stride, which is not written, is 400",
        "stride = 200",
    ),
    (
        "[audio]\nsample_rate = 22050\n[window]\nsize = '25 ms'\n[mfcc]\n" + CLASSIFIER + DECISION,
        "line 4, [window] size",
        '"25 ms" at 22050 Hz is 551.25 samples; a window has whole ones',
        "size = 551",
    ),
    (
        "[window]\nsize = 200\nstride = '1.1 s'\n" + CLASSIFIER + DECISION,
        "line 3, [window] stride",
        'found "1.1 s"; a whole number of samples, 1..16384, is allowed, or a time: "25 ms"',
        "",
    ),
    (
        "[window]\nstride = '1024.0625 ms'\n" + CLASSIFIER + DECISION,
        "line 2, [window] stride",
        "is 16385 samples; a whole number of samples, 1..16384",
        "",
    ),
    (
        "[window]\nsize = '0.1 ms'\n" + CLASSIFIER + DECISION,
        "line 2, [window] size",
        "is 1.6 samples; a whole number of samples, 2..4096",
        "",
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
    (
        CLASSIFIER + "[decision]\nkind='anomly'\nlabels=['a']\nthreshold=1\n",
        "line 4, [decision] kind",
        'found "anomly"; allowed: "classes", "binary", "anomaly"',
        "Did you mean anomaly?",
    ),
    (
        CLASSIFIER + "[decision]\nkind='anomaly'\nlabels=['a', 'b']\nthreshold=1\n",
        "line 5, [decision] labels",
        '2 labels; kind = "anomaly" has one, of what the model does not give back as it was given',
        'Write labels = ["b"]',
    ),
    (
        CLASSIFIER + "[decision]\nkind='binary'\nlabels=['a', 'b']\nthreshold=1\n",
        "line 5, [decision] labels",
        '2 labels; kind = "binary" has one',
        "leave kind away",
    ),
    (
        CLASSIFIER + "[decision]\nkind='anomaly'\nlabels=['a']\nthreshold=1000001\n",
        "line 6",
        "1000001 is out of range; a number, 0..1000000, is allowed",
        "",
    ),
    (CLASSIFIER + "[decision]\nkind='binary'\nlabels=['a']\nthreshold=50\n", "line 6", "out of", "0.5"),
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
    model = app_with(tmp_path, CLASSIFIER) / "model.tflite"
    with pytest.raises(UserError, match="is not an app"):
        load_spec(model)


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
        ("[mfcc]\n[window]\nsize = 2000\nstride = 2000\n", "line 3, [window] size", "FFT of 512"),
    ],
)
def test_what_does_not_fit_a_front_end(text: str, place: str, what: str, tmp_path: Path) -> None:
    fault = the_fault(tmp_path, text + CLASSIFIER + DECISION)
    assert fault.place == place
    assert what in fault.what
    assert fault.remedy


def test_ranges_are_enforced_at_both_ends(tmp_path: Path) -> None:
    for section, key, rule in [(name, *item) for name, rules in KEYS.items() for item in rules.items()]:
        if not isinstance(rule, Whole | Samples):
            continue
        for value in (rule.low - 1, rule.high + 1):
            text = f"[{section}]\n{key} = {value}\n"
            for other in (CLASSIFIER, DECISION):
                text += other.split("\n", 1)[1] if other.startswith(f"[{section}]") else ""
            text += "".join(other for other in (CLASSIFIER, DECISION) if not other.startswith(f"[{section}]"))
            assert f"{value} is out of range" in the_fault(tmp_path, text).what
