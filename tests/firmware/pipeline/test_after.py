# SPDX-License-Identifier: Apache-2.0
"""Slopes in time, and a fixed mean and deviation, behind [mfcc] and [log_mel]: against float64."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from codegen.app.contract import feature_contract
from codegen.app.spec import Cascade, LogMel, Mfcc, Scale, Window
from codegen.app.spec_file import load_spec
from tests.firmware.pipeline.test_log_mel import features, sounds
from tests.reference.log_mel import log_mel
from tests.support.apps import App
from tests.support.pipeline_toml import CLASSIFIER, DECISION, app_with, the_fault
from workbench.host.features import extract
from workbench.host.host_library import HostLibrary, HostPipeline

Floats = NDArray[np.float64]
MEL = LogMel(filters=12, log="natural", fft=512)
WINDOW = Window(400, 160)


def with_slopes(values: Floats, orders: int, reach: int) -> Floats:
    """Kaldi's DeltaFeatures::Process for a stream: frames before the first are the first, and a frame is told
    when the last that it needs has come."""
    n = np.arange(1, reach + 1)
    late = orders * reach
    frames = np.concatenate([np.repeat(values[:1], 2 * late, axis=0), values])
    parts = [frames]
    for _ in range(orders):
        last = parts[-1]
        padded = np.pad(last, ((reach, reach), (0, 0)), mode="edge")
        ahead = sum(k * padded[reach + k : reach + k + len(last)] for k in n)
        behind = sum(k * padded[reach - k : reach - k + len(last)] for k in n)
        parts.append((ahead - behind) / (2 * (n**2).sum()))
    told = np.concatenate(parts, axis=1)
    return np.asarray(told[late : late + len(values)])


def built(folder: Path, app: App) -> HostPipeline:
    folder.mkdir()
    pipeline = HostLibrary(app.build(folder), app.spec).pipeline
    assert pipeline is not None
    return pipeline


def sound() -> NDArray[np.int16]:
    return np.concatenate(list(sounds(np.random.default_rng(7), 3000)))


@pytest.mark.parametrize(("orders", "reach"), [(1, 1), (1, 4), (2, 2), (2, 4)])
@pytest.mark.parametrize("section", ["mfcc", "log_mel"])
def test_slopes_are_kaldis(tmp_path: Path, section: str, orders: int, reach: int) -> None:
    """In the unit of the values, whatever the front end has made."""
    plain = Mfcc(cepstra=7, filters=15) if section == "mfcc" else MEL
    pipelines = []
    for deltas in (0, orders):
        front_end = replace(plain, deltas=deltas, delta_frames=reach)
        scale = Scale(-1000000, 1000000)
        app = (
            App(window=WINDOW, mfcc=front_end, scale=scale, cascade=Cascade(2))
            if isinstance(front_end, Mfcc)
            else App(window=WINDOW, other=front_end, scale=scale, cascade=Cascade(2))
        )
        pipelines.append(built(tmp_path / str(deltas), app))
    values, found = (extract(pipeline, sound()).values for pipeline in pipelines)
    expected = with_slopes(values.astype(np.float64), orders, reach)
    assert found.shape == (len(values), plain.size * (1 + orders))
    assert np.abs(found - expected).max() <= 0.5 + np.abs(expected).max() / 2**21
    assert np.abs(found[:, plain.size :]).max() > 1000
    assert np.array_equal(extract(pipelines[1], sound()).values, found), "a reset forgets the frames before"


def test_normalised_features_are_those_of_floating_point(tmp_path: Path) -> None:
    """From samples to 0..255, with a mean and a deviation for each value and slope."""
    samples = sound()
    logarithms = with_slopes(log_mel(16000, WINDOW, 512, MEL, samples), 2, 2)
    random = np.random.default_rng(3)
    mean = tuple(np.round(logarithms.mean(axis=0) + random.normal(0, 0.1, 36), 3).tolist())
    deviation = tuple(np.round(logarithms.std(axis=0) * random.uniform(0.5, 2, 36), 3).tolist())
    mel = replace(MEL, deltas=2, mean=mean, deviation=deviation)
    app = App(window=WINDOW, other=mel, scale=Scale(-4 * 65536, 4 * 65536), cascade=Cascade(2))
    found = extract(built(tmp_path / "app", app), samples).scaled
    wanted = features((logarithms - np.array(mean)) / np.array(deviation), -4.0, 4.0)
    assert np.abs(found - wanted).max() <= 1
    assert np.count_nonzero(found != wanted) <= max(1, wanted.size / 1000)
    assert len(np.unique(found)) > 200


def test_one_mean_and_deviation_for_all_values_and_what_leaves_32_bits(tmp_path: Path) -> None:
    plain = Mfcc(cepstra=5)
    scale = Scale(-1000000, 1000000)
    values = extract(built(tmp_path / "plain", App(mfcc=plain, scale=scale)), sound()).values
    for mean, deviation in ((-3.25, 7.5), (10000.0, 0.001), (-10000.0, 0.001)):
        mfcc = replace(plain, mean=(mean,), deviation=(deviation,))
        app = App(mfcc=mfcc, scale=scale)
        found = extract(built(tmp_path / f"{mean}", app), sound()).values
        exact = (values - 4096 * mean) / deviation
        assert np.abs(found - exact.clip(-(2**31), 2**31 - 1)).max() <= 0.5 + np.abs(values).max() / 2**15
    assert found.min() == 2**31 - 1


APP = CLASSIFIER + DECISION


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("[mfcc]\ndeltas = 3\n", "line 2, [mfcc] deltas", "one of 0, 1, 2"),
        ("[log_mel]\ndelta_frames = 5\n", "line 2, [log_mel] delta_frames", "1..4"),
        ("[mfcc]\ndelta = 2\n", "line 2, [mfcc] delta", "is unknown"),
        ("[micro_frontend]\ndeltas = 1\n", "line 2, [micro_frontend] deltas", "is unknown"),
        ("[mfcc]\nmean = []\n", "line 2, [mfcc] mean", "a number, or one a value"),
        ("[mfcc]\nmean = [1, 'a']\n", "line 2, [mfcc] mean", 'found "a"'),
        ("[mfcc]\ndeviation = 0\n", "line 2, [mfcc] deviation", "0.001..10000"),
        ("[mfcc]\ndeviation = 2\n", "line 2, [mfcc] deviation", "which become 0..255"),
        ("[log_mel]\nmean = 2\n[scale]\nminimum = 0\n", "line 2, [log_mel] mean", "which become 0..255"),
        (
            "[mfcc]\ndeltas = 1\ncepstra = 2\nmean = [1, 2]\n[scale]\nminimum = 0\nmaximum = 9\n",
            "line 4, [mfcc] mean",
            "2 numbers; a frame has 2 cepstra and their slopes, 4 values",
        ),
    ],
)
def test_what_is_refused(text: str, place: str, what: str, tmp_path: Path) -> None:
    fault = the_fault(tmp_path, text + APP)
    assert (fault.place or "").startswith(place)
    assert what in fault.what


def test_a_front_end_without_them_keeps_its_contract(tmp_path: Path) -> None:
    """Models that were trained before there were such keys; with them the features are others."""
    texts = {
        "plain": "[mfcc]\n",
        "off": "[mfcc]\ndeltas = 0\ndelta_frames = 3\n",
        "slopes": "[mfcc]\ndeltas = 1\n",
        "wide": "[mfcc]\ndeltas = 1\ndelta_frames = 3\n",
        "normal": "[mfcc]\ndeviation = 2\n[scale]\nminimum = -500000\nmaximum = 500000\n",
        "moved": "[mfcc]\nmean = 1\n[scale]\nminimum = -500000\nmaximum = 500000\n",
    }
    apps = {name: app_with(tmp_path, text + APP, name) for name, text in texts.items()}
    contracts = {name: feature_contract(load_spec(app)) for name, app in apps.items()}
    assert contracts["plain"] == contracts["off"]
    assert len(set(contracts.values())) == len(texts) - 1
