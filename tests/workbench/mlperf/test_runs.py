# SPDX-License-Identifier: Apache-2.0
"""The benchmark's tests over images: driven from here, and by MLCommons' own runner where it is at hand."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.board.description import load_board
from codegen.common.errors import UserError
from codegen.emit.mlperf import TASKS
from tests.support.benchmark import SIZES, benchmark_image, small_model, stimuli, streaming_image
from tests.support.cli import earshot, here, refused
from tests.support.tools import need_target
from workbench.mlperf.dataset import area_under_curve, read_stimuli, top_1
from workbench.mlperf.dialogue import Dialogue
from workbench.mlperf.link import benchmark_link
from workbench.mlperf.official import run_official, run_streaming
from workbench.mlperf.pseudo_terminal import pseudo_terminal
from workbench.mlperf.session import accuracy
from workbench.targets.serial_port import SerialLink

CHECKOUT = "EARSHOT_MLPERF"  # the folder of a checkout of mlcommons/tiny


@pytest.mark.parametrize("task", SIZES)
def test_stimuli_of_each_task(tmp_path: Path, task: str) -> None:
    image, _ = benchmark_image(task)
    folder = stimuli(tmp_path / "stimuli", task)
    link = benchmark_link("pc", load_board("pc"), image)
    try:
        dialogue = Dialogue(link, "pc")
        assert dialogue.identify().model == f"{task}01"
        found = accuracy(dialogue, read_stimuli(folder))
    finally:
        link.close()
    assert (found.stimuli, found.inputs) == (6, 18 if task == "ad" else 6)
    assert found.anomalies == (task == "ad")
    assert 0 <= found.share <= 1
    assert found.text().startswith("AUC 0." if task == "ad" else "top-1 ")


def test_the_image_on_a_pseudo_terminal_is_a_serial_port(tmp_path: Path) -> None:
    image, _ = benchmark_image("kws")
    link = benchmark_link("pc", load_board("pc"), image)
    try:
        with pseudo_terminal(link) as device:
            port = SerialLink(device)
            found = accuracy(Dialogue(port, device), read_stimuli(stimuli(tmp_path / "stimuli", "kws")))
            port.close()
    finally:
        link.close()
    assert found.stimuli == 6


def test_silence_is_told() -> None:
    class Silent:
        def send(self, data: bytes) -> None:
            pass

        def receive(self, timeout: float) -> bytes:
            return b""

        def close(self) -> None:
            pass

    with pytest.raises(UserError, match="no answer to `name`"):
        Dialogue(Silent(), "a port", timeout=0)


def test_shares_and_areas() -> None:
    assert top_1([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6]], [1, 0, 0]) == pytest.approx(2 / 3)
    assert area_under_curve([1, 2, 3, 4], [0, 0, 1, 1]) == 1
    assert area_under_curve([4, 3, 2, 1], [0, 0, 1, 1]) == 0
    assert area_under_curve([1, 2, 2, 3], [0, 0, 1, 1]) == 0.875
    assert np.isnan(area_under_curve([1, 2], [1, 1]))


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("", "names no file"),
        ("a.bin,12", "line 1: 'a.bin,12' is not FILE,CLASSES,CLASS or"),
        ("a.bin,2,0\na.bin,2,x", "line 2:"),
        ("a.bin,2,2", "line 1: class 2 of 2"),
        ("a.bin,2,0,0,4", "a window of 0 bytes"),
        (f"a.bin,2,{'1' * 5000}", "line 1: 'a.bin,2,1"),
        (f"{'a' * 140_000},2,0", "field larger than field limit"),
    ],
)
def test_labels_that_are_wrong_are_told(tmp_path: Path, labels: str, reason: str) -> None:
    (tmp_path / "y_labels.csv").write_text(labels)
    with pytest.raises(UserError, match=reason):
        read_stimuli(tmp_path)


def test_files_that_are_short_or_absent_are_told(tmp_path: Path) -> None:
    (tmp_path / "y_labels.csv").write_text("a.bin,2,0,8,4\nb.bin,2,0\n")
    (tmp_path / "a.bin").write_bytes(bytes(7))
    short, absent = read_stimuli(tmp_path)
    with pytest.raises(UserError, match="has 7 bytes, less than one input of 8"):
        list(short.inputs())
    with pytest.raises(UserError, match=r"b\.bin: cannot be read"):
        list(absent.inputs())
    (tmp_path / "a.bin").write_bytes(bytes(range(17)))
    assert list(short.inputs()) == [bytes(range(at, at + 8)) for at in (0, 4, 8)]


def test_the_command_builds_and_runs(tmp_path: Path) -> None:
    model = small_model(tmp_path, "kws")
    folder = stimuli(tmp_path / "stimuli", "kws")
    done = earshot(
        "mlperf", "run", model, "--task", "kws", "--target", "pc", "--stimuli", folder, "--count", "4"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pc runs kws01: top-1 ")
    assert " of 4 stimuli; " in done.stdout
    assert "is no result of the benchmark" in done.stderr
    assert "has 40 inputs, the reference model of kws 490" in done.stderr


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    model = small_model(tmp_path, "kws")
    folder = stimuli(tmp_path / "stimuli", "kws")
    words = ("mlperf", "run", model, "--task", "kws", "--target", "pc", "--stimuli", folder)
    assert "--board is missing" in refused("mlperf", "image", model, "--task", "kws")
    assert "--count 0 is not allowed" in refused(*words, "--count", "0")
    assert "--mode p and --output go with --runner" in refused(*words, "--mode", "p")
    assert "tells times by a pin, and this computer has none" in refused(*words, "--mode", "e")
    assert "it is no checkout of mlcommons/tiny" in refused(*words, "--runner", tmp_path)
    assert "compares them one by one" in refused("mlperf", "image", model, "--task", "ad", "--board", "pc")


def test_the_official_runner_talks_to_the_image_in_qemu(tmp_path: Path) -> None:
    """As it is, over a pseudo terminal: it finds board and task, sends all inputs, counts what it is told."""
    if not os.environ.get(CHECKOUT):
        pytest.skip(f"{CHECKOUT} names no checkout of mlcommons/tiny")
    need_target("qemu")
    tiny = Path(os.environ[CHECKOUT])
    folder = stimuli(tmp_path / "stimuli", "kws", 10)
    image, _ = benchmark_image("kws", "mps2_an386")
    own, official = (benchmark_link("qemu", load_board("mps2_an386"), image) for _ in range(2))
    try:
        share = accuracy(Dialogue(own, "qemu"), read_stimuli(folder)).share
        session = run_official(official, tiny, "kws01", folder, tmp_path / "run")
    finally:
        own.close()
        official.close()
    results = json.loads((session.folder / "results.json").read_text())
    assert len(results) == 10
    assert all(len(result["infer"]["results"]) == SIZES["kws"][1] for result in results)
    assert f"Top 1% = {100 * share:.1f}" in (session.folder / "results.txt").read_text()
    assert "Device name retrieved: mps2_an386" in session.log


def test_tasks_are_those_that_the_official_runner_knows() -> None:
    """By the model that the image names it chooses the test, and in it the folder of the stimuli."""
    if not os.environ.get(CHECKOUT):
        pytest.skip(f"{CHECKOUT} names no checkout of mlcommons/tiny")
    runner = Path(os.environ[CHECKOUT]) / "benchmark" / "runner"
    for mode in ("accuracy", "performance", "energy"):
        text = (runner / f"tests_{mode}.yaml").read_text()
        tests = dict(re.findall(r"^(\w+):\n(?:  .*\n)*?  model: (\w+)$", text, re.MULTILINE))
        assert tests == {task.model: task.dataset for task in TASKS.values()}


def test_the_driver_of_the_streaming_test_gets_what_ours_gets(tmp_path: Path) -> None:
    """As it is, too: every stride of a recording, the same features and scores as by our own dialogue."""
    if not os.environ.get(CHECKOUT):
        pytest.skip(f"{CHECKOUT} names no checkout of mlcommons/tiny")
    sound = np.random.default_rng(6).normal(0, 3000, 6 * 512).astype("<i2")
    soundfile.write(tmp_path / "sound.wav", sound, 16000)
    image, _ = streaming_image()
    own, official = (benchmark_link("pc", load_board("pc"), image) for _ in range(2))
    try:
        dialogue = Dialogue(own, "pc")
        ours = [dialogue.extract(sound[at : at + 512].tobytes()) for at in range(0, len(sound), 512)]
        found = np.load(
            run_streaming(official, Path(os.environ[CHECKOUT]), tmp_path / "sound.wav", tmp_path / "run")
        )
    finally:
        own.close()
        official.close()
    assert found["specgram"].tolist() == [list(features) for features, _ in ours]
    assert found["activations"].tolist() == [list(scores) for _, scores in ours]


@pytest.mark.parametrize(
    ("words", "rate"),
    [
        ((), 115200),
        (("--mode", "e"), 9600),
        (("--mode", "e", "--baud", "38400"), 38400),
    ],
)
def test_the_port_of_an_energy_image_has_its_rate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], rate: int
) -> None:
    asked: list[int] = []

    def link(target: str, board: object, image: object, baud: int) -> None:
        asked.append(baud)
        raise UserError("no port", file=target)

    monkeypatch.setattr("workbench.commands.mlperf.benchmark_link", link)
    folder = stimuli(tmp_path / "stimuli", "kws", 2)
    model = small_model(tmp_path, "kws")
    port = ("--task", "kws", "--stimuli", folder, "--target", "/dev/ttyACM9")
    assert here("mlperf", "run", model, *port, *words) == 2
    assert asked == [rate]
