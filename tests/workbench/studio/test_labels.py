# SPDX-License-Identifier: Apache-2.0
"""Labels while they are edited on a page: what is written, taken back, and changed by others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from codegen.common.errors import UserError
from workbench.data.labels import read_labels
from workbench.studio.folder import open_folder
from workbench.studio.labels import Labels

RATE = 16000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.zeros(RATE, np.int16), RATE)
    return tmp_path


def seen(labels: Labels, recording: Path) -> list[tuple[int, int, str, str]]:
    found = [one.segment for one in labels.of(recording)]
    return [(one.start, one.end, one.label, one.session) for one in found]


def test_each_step_is_written_and_can_be_taken_back(folder: Path) -> None:
    labels, one, two = Labels(open_folder(folder)), folder / "a.wav", folder / "b.wav"
    labels.add(one, 500, 900, "knock", "train")
    labels.add(two, 100, 200, "click")
    labels.change(one, labels.of(one)[0].key, start=400, label="bang")
    labels.remove(two, [labels.of(two)[0].key])
    table = "file,start,end,label,session\n"
    texts = [
        f"{table}a.wav,400,900,bang,train\n",
        f"{table}a.wav,400,900,bang,train\nb.wav,100,200,click,\n",
        f"{table}a.wav,500,900,knock,train\nb.wav,100,200,click,\n",
        f"{table}a.wav,500,900,knock,train\n",
        table,
    ]
    file = folder / "labels.csv"
    assert file.read_text() == texts[0]
    for text in texts[1:]:
        assert labels.undo()
        assert file.read_text() == text
    assert not labels.undo()
    for text in reversed(texts[:-1]):
        assert labels.redo()
        assert file.read_text() == text
    assert not labels.redo()
    assert seen(labels, one) == [(400, 900, "bang", "train")]
    assert labels.undo()
    labels.add(two, 1, 2, "new")
    assert not labels.redo()  # what was taken back is gone after another step


def test_a_file_changed_outside_is_noticed_and_not_undone(folder: Path) -> None:
    labels, one = Labels(open_folder(folder)), folder / "a.wav"
    labels.add(one, 500, 900, "knock")
    version = labels.version
    labels.refresh()
    assert labels.changes == []
    assert labels.version == version
    theirs = "file,start,end,label\na.wav,1,2,theirs\nb.wav,5,x,broken\n"
    (folder / "labels.csv").write_text(theirs)
    labels.refresh()
    assert labels.changes == [folder / "labels.csv"]
    labels.refresh()
    assert labels.changes == [folder / "labels.csv"], "read by whichever page came first, told by each"
    assert labels.version > version
    assert seen(labels, one) == [(1, 2, "theirs", "")]
    assert [error.place for error in labels.errors()] == ["line 3"]
    assert not labels.undo()
    assert (folder / "labels.csv").read_text() == theirs


def test_label_tracks_are_written_where_the_folder_has_some(folder: Path) -> None:
    (folder / "a.txt").write_text("0.1\t0.2\tknock\n")
    labels = Labels(open_folder(folder))
    labels.add(folder / "b.wav", 8000, 16000, "click")
    labels.add(folder / "a.wav", 0, 800, "bang")
    assert (folder / "b.txt").read_text() == "0.500000\t1.000000\tclick\n"
    assert (folder / "a.txt").read_text() == "0.1\t0.2\tknock\n0.000000\t0.050000\tbang\n"
    assert not (folder / "labels.csv").exists()
    assert {one.label for one in labels.segments()} == {"knock", "bang", "click"}


def test_in_a_folder_with_label_tracks_no_label_is_written_that_nobody_reads(folder: Path) -> None:
    (folder / "a.txt").write_text("0.1\t0.2\tknock\n")
    (folder / "deep").mkdir()
    for name in ("deep/c.wav", "a.flac", "D.WAV"):  # a.txt is of a.wav; no track is read beside D.WAV
        soundfile.write(folder / name, np.zeros(RATE, np.int16), RATE)
    labels = Labels(open_folder(folder))
    for name in ("deep/c.wav", "a.flac", "D.WAV"):
        with pytest.raises(UserError, match="no label track of its own is read"):
            labels.add(folder / name, 0, 800, "bang")
        assert labels.of(folder / name) == []
    assert [file.name for file in folder.rglob("*.txt")] == ["a.txt"]
    assert [one.label for one in read_labels(folder, RATE)] == ["knock"]


def test_a_csv_that_is_named_takes_the_labels_though_tracks_are_there(folder: Path) -> None:
    (folder / "a.txt").write_text("0.1\t0.2\tknock\n")
    labels = Labels(open_folder(folder / "monday.csv"))
    assert not labels.tracks
    labels.add(folder / "a.wav", 0, 800, "bang", "train")
    assert (folder / "a.txt").read_text() == "0.1\t0.2\tknock\n"
    assert (folder / "monday.csv").read_text() == "file,start,end,label,session\na.wav,0,800,bang,train\n"


def test_a_segment_that_is_gone_is_told(folder: Path) -> None:
    labels, one = Labels(open_folder(folder)), folder / "a.wav"
    labels.add(one, 500, 900, "knock")
    key = labels.of(one)[0].key
    labels.remove(one, [key])
    with pytest.raises(UserError, match="not there any more"):
        labels.remove(one, [key])
    with pytest.raises(UserError, match="not there any more"):
        labels.change(one, key, start=1)
