# SPDX-License-Identifier: Apache-2.0
"""The labels of a studio's folder while they are edited: one CSV, or a label track for each recording.

Every edit is written at once, into the same files that `data`, `train` and `evaluate` read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from codegen.common.errors import UserError
from workbench.data.label_lines import ChangedOutsideError, Edit, LabelLines
from workbench.data.label_track import recording_beside
from workbench.data.labels import own_rates
from workbench.data.segment import Segment
from workbench.data.sessions import TRAIN, usual_session
from workbench.studio.folder import Folder

Done = TypeVar("Done")
RATE = 16000  # Hz, of recordings whose file does not tell one
_STEPS = 500  # that can be taken back


@dataclass(frozen=True)
class Placed:
    """A segment that the page shows. key: of its line, for edits."""

    key: int
    segment: Segment


class Labels:
    """All labels of a folder, with undo and redo. `version` grows whenever a page has to look again."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.version = 0
        self.changes: list[Path] = []  # label files that others have changed, in the order of time
        self._rate_of = own_rates(RATE)
        self._files: dict[Path, LabelLines] = {}
        self._done: list[tuple[LabelLines, Edit]] = []
        self._undone: list[tuple[LabelLines, Edit]] = []
        self.tracks = not folder.named and not folder.table.exists() and any(self._tracks())

    @property
    def files(self) -> list[LabelLines]:
        """The label files there are: of a folder with label tracks those, else the CSV."""
        if not self.tracks:
            return [self._file(self.folder.table)]
        return [self._file(path) for path in self._tracks()]

    def of(self, recording: Path) -> list[Placed]:
        """The segments of a recording, in the order of time."""
        files = [self._file_of(recording)] if self._is_read(recording) else []
        found = [Placed(key, one) for file in files for key, one in file.segments if one.file == recording]
        return sorted(found, key=lambda one: (one.segment.start, one.segment.end))

    def segments(self) -> list[Segment]:
        """All that can be read."""
        return [segment for file in self.files for _, segment in file.segments]

    def usual_session(self) -> str:
        """What a new segment gets where nobody names a session (workbench.data.sessions); label tracks have
        none. A folder's first ones get none, so that `train` holds some back."""
        return "" if self.tracks else usual_session(self.files, "")

    def session_of_take(self) -> str:
        """What a recording gets: as `usual_session`, but a folder's first one is learnt from."""
        return "" if self.tracks else usual_session(self.files, TRAIN)

    def errors(self) -> list[UserError]:
        """What cannot be read, with file and line."""
        return [error for file in self.files for error in file.errors]

    def refresh(self) -> None:
        """Reads again what was changed outside, and remembers which files in `changes`: each page tells those
        that it has not told. What was done to them cannot be taken back any more."""
        changed = [file for file in self.files if file.refresh()]
        for file in changed:
            self._forget(file)
        self.version += bool(changed)
        self.changes += [file.path for file in changed]

    def add(self, recording: Path, start: int, end: int, label: str, session: str = "") -> None:
        """A new segment, in samples of the recording's own rate. UserError where it cannot be written,
        or would be read by no command."""
        self.add_all(recording, [(start, end)], label, session)

    def add_all(
        self, recording: Path, places: Sequence[tuple[int, int]], label: str, session: str = ""
    ) -> None:
        """New segments of one label, a single step; else as `add`. places: start and end of each, at least
        one."""
        if not self._is_read(recording):
            raise UserError(
                f"no label track of its own is read in {self.folder.root}",
                file=recording,
                remedy="Label tracks are read beside recordings (.wav before .flac) in the folder itself. "
                f"Start the studio with a CSV, which takes the labels of all: {self.folder.table}.",
            )
        file = self._file_of(recording)
        segments = [Segment(recording, *place, label, session=session, source=file.path) for place in places]
        self._do(file, lambda: file.add(*segments))

    def change(
        self,
        recording: Path,
        key: int,
        *,
        start: int | None = None,
        end: int | None = None,
        label: str | None = None,
        session: str | None = None,
    ) -> None:
        """What is given of a segment becomes this."""
        file = self._file_of(recording)
        old = self._segment(file, key)
        new = replace(
            old,
            start=old.start if start is None else start,
            end=old.end if end is None else end,
            label=old.label if label is None else label,
            session=old.session if session is None else session,
        )
        if new != old:
            self._do(file, lambda: file.change(key, new))

    def remove(self, recording: Path, keys: Sequence[int]) -> None:
        """Takes segments away."""
        if not keys:
            return
        file = self._file_of(recording)
        self._do(file, lambda: file.remove(keys))

    def undo(self) -> bool:
        """Takes the last step back; False where there is none."""
        return self._step(self._done, self._undone)

    def redo(self) -> bool:
        """Does the last step again that was taken back."""
        return self._step(self._undone, self._done)

    def _step(self, source: list[tuple[LabelLines, Edit]], target: list[tuple[LabelLines, Edit]]) -> bool:
        if not source:
            return False
        file, edit = source[-1]
        self._guarded(file, lambda: file.apply(edit.reversed()))
        source.pop()
        target.append((file, edit.reversed()))
        self.version += 1
        return True

    def _do(self, file: LabelLines, edit: Callable[[], Edit]) -> None:
        made = self._guarded(file, edit)
        self._done = [*self._done[-_STEPS:], (file, made)]
        self._undone.clear()
        self.version += 1

    def _guarded(self, file: LabelLines, act: Callable[[], Done]) -> Done:
        try:
            return act()
        except ChangedOutsideError:
            self._forget(file)
            self.version += 1
            raise

    def _forget(self, file: LabelLines) -> None:
        for steps in (self._done, self._undone):
            steps[:] = [step for step in steps if step[0] is not file]

    def _segment(self, file: LabelLines, key: int) -> Segment:
        found = next((one for number, one in file.segments if number == key), None)
        if found is None:
            raise UserError("the segment is not there any more", file=file.path)
        return found

    def _is_read(self, recording: Path) -> bool:
        """Whether commands read what labels it: read_labels takes a folder's label tracks from no deeper, and
        each for one recording."""
        beside = recording_beside(recording.with_suffix(".txt"))
        return not self.tracks or (recording.parent == self.folder.root and beside == recording)

    def _file_of(self, recording: Path) -> LabelLines:
        return self._file(recording.with_suffix(".txt") if self.tracks else self.folder.table)

    def _file(self, path: Path) -> LabelLines:
        if path not in self._files:
            if self.folder.name(path) is None:
                raise UserError("is a link that leads out of the folder", file=path)
            self._files[path] = LabelLines(path, self._rate_of)
        return self._files[path]

    def _tracks(self) -> list[Path]:
        """Label tracks beside recordings in the folder itself, as read_labels takes them."""
        texts = sorted(file for file in self.folder.root.glob("*.txt") if file.is_file())
        return [file for file in texts if recording_beside(file)]
