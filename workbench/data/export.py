# SPDX-License-Identifier: Apache-2.0
"""Labels for other programs: one file, or a label track for each recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from codegen.common.errors import UserError
from workbench.data.captures import NAME as CAPTURES
from workbench.data.label_json import common, label_studio_text, sensiml_text
from workbench.data.label_track import track_text
from workbench.data.labels import write_labels
from workbench.data.query import NAME as QUERIES
from workbench.data.segment import RateOf, Segment, below, by_file
from workbench.data.selection_table import table_text
from workbench.host.model_app import write_whole

FORMATS = ("csv", "audacity", "label-studio", "raven", "sensiml")


def export(segments: Sequence[Segment], kind: str, output: Path, source: Path, rate_of: RateOf) -> Path:
    """Writes one of FORMATS; the file or folder that was written.

    source: the label file the segments are of, or its folder. rate_of: at which they count samples. UserError
    where a file of theirs would be lost; then nothing is written. What a format has no
    place for is left out: without_place().
    """
    output = output.absolute()
    if not output.parent.is_dir():
        raise UserError("there is no such folder", file=output.parent)
    if kind == "audacity":
        _write_tracks(segments, output, rate_of)
        return output
    if output.resolve() in _read_from(segments, source):
        raise UserError("is a file that the labels come from", file=output, remedy="Name another with -o.")
    folder = output.parent
    outside = next((file for file in by_file(segments) if below(file, folder) is None), None)
    if outside is not None:
        raise UserError(
            f"the recording {outside} does not lie below {folder}",
            file=output,
            remedy="Write it into the recordings' folder, or one above: it names them relative to itself.",
        )
    if kind == "csv":
        write_labels(output, segments)
        return output
    if kind == "raven":
        text = table_text(segments, folder, rate_of)
    elif kind == "sensiml":
        text = sensiml_text(segments, folder)
    else:
        text = label_studio_text(segments, folder, rate_of)
    write_whole(output, text.encode())
    return output


def without_place(segments: Sequence[Segment], kind: str) -> dict[str, int]:
    """What `kind`, one of FORMATS, has no place for: a name, and in how many segments it is left out."""
    left: Counter[str] = Counter()
    for own in by_file(segments).values():
        kept = set(common(own)) if kind == "sensiml" else set()
        for one in () if kind == "csv" else own:
            left["session"] += bool(one.session) and kind != "sensiml"
            left["role"] += bool(one.role)
            left.update(name for name, value in one.known if (name, value) not in kept)
    return {name: count for name, count in left.items() if count}


def _read_from(segments: Sequence[Segment], source: Path) -> set[Path]:
    """The label files, what stands of recordings and queries beside them, and the recordings."""
    labels = {one.source for one in segments} | {source}
    beside = {file.parent / name for file in labels for name in (CAPTURES, QUERIES)}
    return {file.resolve() for file in (*labels, *beside, *by_file(segments))}


def _write_tracks(segments: Sequence[Segment], folder: Path, rate_of: RateOf) -> None:
    if folder.exists() and not folder.is_dir():
        raise UserError("is no folder", file=folder, remedy="Name the folder of the label tracks with -o.")
    tracks: dict[Path, Path] = {}  # the recording of each
    for file in by_file(segments):
        track = folder / f"{file.stem}.txt"
        if track in tracks:
            raise UserError(
                f"would be the label track of {tracks[track]} and of {file}",
                file=track,
                remedy="A track is named after its recording: rename one, or export the recordings of one "
                "folder at a time.",
            )
        if track.exists():
            raise UserError("is there already", file=track, remedy="Name another folder, or remove it.")
        tracks[track] = file
    folder.mkdir(exist_ok=True)
    own = by_file(segments)
    for track, file in tracks.items():
        write_whole(track, track_text(own[file], rate_of(file)).encode())
