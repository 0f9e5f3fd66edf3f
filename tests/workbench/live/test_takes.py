# SPDX-License-Identifier: Apache-2.0
"""Takes beside label files and tables that other programs wrote: what is there stays byte for byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from codegen.common.errors import UserError
from workbench.data.captures import captures
from workbench.data.labels import own_rates, read_labels
from workbench.data.sessions import TRAIN
from workbench.live.samples import Take
from workbench.live.takes import Takes

RATE = 1000  # Hz


def take(samples: int = 500) -> Take:
    return Take(np.zeros(samples, np.int16), ())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With a recording old.wav of half a second, and nothing else."""
    Takes(tmp_path, None, None, {}).add(take(), RATE).rename(tmp_path / "old.wav")
    (tmp_path / "captures.csv").unlink()
    return tmp_path


@pytest.mark.parametrize(
    ("table", "added"),
    [
        ("file,start,end,label,Session\nold.wav,0,9,knock,test\n", "noise_001.wav,0,500,noise,test\n"),
        ("File,Start,End,Label\nold.wav,0,9,knock\n", None),
        ("file, start, end, label\nold.wav, 0, 9, knock\n", None),
        ("file;start;end;label;session\r\nold.wav;0;9;knock;test", "noise_001.wav;0;500;noise;test\r\n"),
        ("sep=;\nfile;start;end;label;session\nold.wav;0;9;a;\n", "noise_001.wav;0;500;noise;test\n"),
        ("file\tstart\tend\tlabel\tsession\nold.wav\t0\t9\ta\t\n", "noise_001.wav\t0\t500\tnoise\ttest\n"),
        (
            "file,start_ms,end_ms,label,session\nold.wav,0,9,a,\n",
            "noise_001.wav,0.000,500.000,noise,test\n",
        ),
        ("\ufeffsession,label,end,start,file\n\ntest,a,9,0,old.wav\n", "test,noise,500,0,noise_001.wav\n"),
    ],
)
def test_any_label_file_that_is_read_takes_rows(folder: Path, table: str, added: str | None) -> None:
    """added: the new line, where the lines before it stay; None: a column session comes to them all."""
    labels = folder / "labels.csv"
    labels.write_bytes(table.encode())
    Takes(folder, "noise", "test", {}).add(take(), RATE)
    if added is not None:
        before = table if table.endswith("\n") else f"{table}\r\n"
        assert labels.read_bytes() == f"{before}{added}".encode()
    else:
        assert labels.read_text().splitlines()[2] == "noise_001.wav,0,500,noise,test"
    found = {one.file.name: one for one in read_labels(labels, RATE, own_rate=True)}
    assert (found["old.wav"].start, found["old.wav"].end) == (0, 9)
    new = found["noise_001.wav"]
    assert (new.start, new.end, new.label, new.session) == (0, 500, "noise", "test")


@pytest.mark.parametrize(
    ("table", "whole"),
    [
        ("file, place\nold.wav, kitchen\n", "file, place\nold.wav, kitchen\n"),
        ("place,file\r\nkitchen,old.wav", "place,file\r\nkitchen,old.wav\r\n"),
        ('\ufefffile,"place"\n"old.wav","kitchen"\n\n', '\ufefffile,"place"\n"old.wav","kitchen"\n\n'),
    ],
)
def test_what_is_known_of_recordings_is_added_to_the_columns_there_are(
    folder: Path, table: str, whole: str
) -> None:
    """New columns come to the end of each row; nothing else of them changes."""
    file = folder / "captures.csv"
    file.write_bytes(table.encode())
    Takes(folder, None, None, {"place": "hall"}).add(take(), RATE)
    old, new = captures(folder)[folder / "old.wav"], captures(folder)[folder / "take_001.wav"]
    assert old == {"place": "kitchen"}
    assert new == {"place": "hall", "missing": "0", "clipped": "0"}
    lines = file.read_bytes().decode().splitlines(keepends=True)
    for line, before in zip(lines, whole.splitlines(keepends=True), strict=False):
        bare = before.rstrip("\r\n")
        tail = "" if not bare else ",missing,clipped" if "file" in bare else ",,"
        assert line == bare + tail + before[len(bare) :]
    once = file.read_bytes()
    Takes(folder, None, None, {"place": "a, b"}).add(take(), RATE)
    assert file.read_bytes()[: len(once)] == once
    assert captures(folder)[folder / "take_002.wav"]["place"] == "a, b"


@pytest.mark.parametrize("words", [("", "train"), ("two\nlines", "train"), (" a", "train"), ("a", "x\ry")])
def test_words_that_a_label_file_cannot_have_are_told_before_anything_is_recorded(
    tmp_path: Path, words: tuple[str, str]
) -> None:
    with pytest.raises(UserError, match=r"is no (label|session)|the label is empty"):
        Takes(tmp_path / "new", *words, {})
    assert not (tmp_path / "new").exists()


def test_a_label_longer_than_a_file_name_is_a_label(tmp_path: Path) -> None:
    label = "ü" * 300
    file = Takes(tmp_path, label, None, {}).add(take(), RATE)
    (segment,) = read_labels(tmp_path / "labels.csv", RATE)
    assert (segment.file, segment.label) == (file, label)


def test_a_table_that_breaks_meanwhile_costs_only_its_own_row(tmp_path: Path) -> None:
    takes = Takes(tmp_path, "noise", None, {"place": "hall"})
    (tmp_path / "labels.csv").write_bytes(b"\xff")
    with pytest.raises(UserError, match=r"not UTF-8; noise_001\.wav is written, and has no row here") as told:
        takes.add(take(), RATE)
    assert told.value.file == str(tmp_path / "labels.csv")
    assert captures(tmp_path)[tmp_path / "noise_001.wav"]["place"] == "hall"
    with pytest.raises(UserError) as told:
        takes.add(take(), RATE)
    assert told.value.what.count("is written") == 1
    assert "noise_002.wav is written" in told.value.what


def test_rows_that_cannot_be_read_count_for_the_usual_session(folder: Path) -> None:
    """Their recordings may come back."""
    labels = folder / "labels.csv"
    for table, session in (
        ("file,start,end,label\ngone.wav,0,9,a\n", ""),
        ("file,start,end,label,session\ngone.wav,0,9,a,test\n", TRAIN),
        ("file,start,end,label,session\n", TRAIN),
    ):
        labels.write_text(f"{table}")
        Takes(folder, "noise", None, {}).add(take(), RATE)
        last = labels.read_text().splitlines()[-1]
        assert last.removesuffix(f",{session}" if session else "").endswith(",0,500,noise")
        assert last.endswith(session or "noise")
    assert own_rates(1)(folder / "old.wav") == RATE
