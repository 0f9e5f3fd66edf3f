# SPDX-License-Identifier: Apache-2.0
"""Labels as JSON: Label Studio's export (JSON, JSON-MIN), and SensiML's project (.dclproj exported as JSON).

Label Studio has a list of tasks; the regions of a task are in its annotations (or, exported by a model,
predictions), with times in seconds. SensiML has a list of files with metadata and sessions of segments; its
ends are inclusive, those here are not.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from codegen.common.errors import UserError
from workbench.data.found import recording_named
from workbench.data.segment import RateOf, Segment, below, by_file, checked

NO_SESSION = "no session"  # its name in a SensiML project
_REMEDY = "Export it again: Label Studio's JSON or JSON-MIN, or SensiML's project as JSON."
_AUDIO = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".m4a")


def read_json(text: str, path: Path, rate_of: RateOf) -> tuple[list[Segment], list[UserError]]:
    """The segments, and the faults of single entries. UserError where the file is none of these formats."""
    try:
        tasks = json.loads(text)
    except (ValueError, RecursionError) as error:
        where = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else None
        raise UserError("is no JSON", file=path, place=where, remedy=_REMEDY) from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise UserError("is no list of tasks or files", file=path, remedy=_REMEDY)
    segments: list[Segment] = []
    errors: list[UserError] = []
    for number, task in enumerate(tasks, start=1):
        kind = _sensiml if "file_name" in task else _label_studio
        for entry in kind(task, _Place(path, f"entry {number}", rate_of)):
            if isinstance(entry, Segment):
                segments.append(entry)
            else:
                errors.append(entry)
    return segments, errors


class _Place:
    """An entry of a file."""

    def __init__(self, path: Path, entry: str, rate_of: RateOf) -> None:
        self.path, self.entry, self.rate_of = path, entry, rate_of

    def fault(self, what: str, remedy: str = _REMEDY) -> UserError:
        """Of this entry."""
        return UserError(what, file=self.path, place=self.entry, remedy=remedy)

    def recording(self, name: object) -> Path:
        """UserError where it is not there."""
        found = recording_named(name, self.path) if isinstance(name, str) and name else None
        if found is None:
            raise self.fault(f"there is no recording {name}", f"Put it into the folder of {self.path.name}.")
        return found


def _label_studio(task: dict[str, Any], place: _Place) -> Iterator[Segment | UserError]:
    data = task.get("data", task)
    names = [value for value in data.values() if _is_audio(value)] if isinstance(data, dict) else []
    try:
        file = place.recording(names[0] if names else task.get("file_upload"))
    except UserError as error:
        yield error
        return
    regions: list[Any] = []
    lists = task.get("annotations") or task.get("completions") or task.get("predictions")
    for annotation in lists if isinstance(lists, list) else []:
        if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
            regions += _list(annotation.get("result"))
    if "data" not in task:  # JSON-MIN: the regions stand under the tag's own name
        regions += [one for value in task.values() for one in _list(value) if isinstance(one, dict)]
    for region in regions:
        value = region.get("value", region) if isinstance(region, dict) else {}
        words = value.get("labels") or value.get("audiolabels") if isinstance(value, dict) else None
        if isinstance(words, list) and words:
            yield _timed(value.get("start"), value.get("end"), words[0], file, place)


def _timed(start: object, end: object, label: object, file: Path, place: _Place) -> Segment | UserError:
    times = [one for one in (start, end) if isinstance(one, int | float) and 0 <= one < 1e9]
    if len(times) != 2 or not isinstance(label, str):
        return place.fault(f"a region from {start} to {end} is no stretch of seconds")
    rate = place.rate_of(file)
    first, last = (round(one * rate) for one in times)
    return _checked(Segment(file, first, last, label, source=place.path, entry=place.entry, timed=True))


def _sensiml(task: dict[str, Any], place: _Place) -> Iterator[Segment | UserError]:
    try:
        file = place.recording(task["file_name"])
    except UserError as error:
        yield error
        return
    rows = [row for row in _list(task.get("metadata")) if isinstance(row, dict)]
    metadata = tuple((str(row.get("name")), str(row.get("value"))) for row in rows if row.get("value"))
    for session in _list(task.get("sessions")):
        if not isinstance(session, dict):
            yield place.fault("a session is no object")
            continue
        for row in _list(session.get("segments")):
            start, end, value = (
                row.get(key) if isinstance(row, dict) else None for key in ("start", "end", "value")
            )
            if not (
                isinstance(start, int) and isinstance(end, int) and start >= 0 and isinstance(value, str)
            ):
                yield place.fault(f"a segment from {start} to {end} of {value} is none")
                continue
            name = str(session.get("session_name") or "")
            yield _checked(
                Segment(
                    file,
                    start,
                    end + 1,
                    value,
                    session="" if name == NO_SESSION else name,
                    source=place.path,
                    entry=place.entry,
                    metadata=metadata,
                )
            )


def _checked(segment: Segment) -> Segment | UserError:
    try:
        return checked(segment)
    except UserError as error:
        return error


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_audio(value: object) -> bool:
    return isinstance(value, str) and value.split("?d=")[-1].split("?")[0].lower().endswith(_AUDIO)


def label_studio_text(segments: Iterable[Segment], folder: Path, rate_of: RateOf) -> str:
    """Tasks that Label Studio imports, with an annotation each; recordings below its local files' root."""
    tasks = []
    for file, own in by_file(segments).items():
        rate = rate_of(file)
        result = [
            {
                "id": f"segment{number}",
                "from_name": "label",
                "to_name": "audio",
                "type": "labels",
                "value": {
                    "start": segment.start / rate,
                    "end": segment.end / rate,
                    "channel": 0,
                    "labels": [segment.label],
                },
            }
            for number, segment in enumerate(own)
        ]
        name = below(file, folder)
        tasks.append({"data": {"audio": f"/data/local-files/?d={name}"}, "annotations": [{"result": result}]})
    return json.dumps(tasks, indent=1, ensure_ascii=False) + "\n"


def common(segments: Sequence[Segment]) -> list[tuple[str, str]]:
    """What is known of a recording, and the same for all of its segments."""
    return sorted(set.intersection(*(set(one.known) for one in segments)))


def sensiml_text(segments: Sequence[Segment], folder: Path) -> str:
    """A project as SensiML's tools import it: every segment is of a session there, those of none in
    NO_SESSION. Of what is known of a recording, what is common."""
    files = []
    for file, own in by_file(segments).items():
        sessions: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for segment in own:
            row = {"name": "Label", "value": segment.label, "start": segment.start, "end": segment.end - 1}
            sessions[segment.session or NO_SESSION].append(row)
        metadata = common(own)
        files.append(
            {
                "file_name": below(file, folder),
                "metadata": [{"name": name, "value": value} for name, value in metadata],
                "sessions": [{"session_name": name, "segments": rows} for name, rows in sessions.items()],
            }
        )
    return json.dumps(files, indent=1, ensure_ascii=False) + "\n"
