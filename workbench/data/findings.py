# SPDX-License-Identifier: Apache-2.0
"""What is wrong with labelled recordings: each finding with its place and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from workbench.data.segment import Segment, find_class

# kind -> what it is, for a person. Those of HINTS may be as they should; they do not fail a check.
KINDS: Mapping[str, str] = {
    "broken": "lines of the label file, and recordings, that cannot be read",
    "format": "recordings of another rate, or not 16-bit mono",
    "label": "labels that are no class of the app",
    "range": "segments that reach beyond their recording",
    "overlap": "segments that share samples",
    "both": "a recording, an author or person in two sessions",
    "duplicate": "the same samples under two names",
    "clipping": "segments in which the microphone was overdriven",
    "silence": "segments with nothing in them",
    "dc": "recordings that are not about zero",
    "few": "classes with too few segments, or of too few people or recordings",
    "device": "a device or place in two sessions",
    "noise": "labels that a cross-validated model finds improbable: worth a second hearing",
}
HINTS = ("device", "noise")
FEWEST = 20  # segments of a class in a session
FEWEST_GROUPS = 3  # authors, or recordings where no author is named
_PEOPLE, _THINGS = ("author", "person", "speaker"), ("device", "microphone", "place", "room")
_SHOWN = 5  # names in a message


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong."""

    kind: str  # of KINDS
    place: str  # file, and where in it
    what: str
    remedy: str

    @property
    def fails(self) -> bool:
        """Whether it fails a check."""
        return self.kind not in HINTS


def where(segment: Segment) -> str:
    """Label file and line of a segment."""
    return f"{segment.source.name}, {segment.place}"


def of_labels(segments: Sequence[Segment], labels: Sequence[str] | None) -> list[Finding]:
    """What the label file alone tells. labels: the app's classes, where there is an app."""
    found = list(_overlaps(segments))
    found += _both(segments)
    if labels is not None:
        found += _unknown_labels(segments, labels)
    return found + list(_few(segments, labels))


def _unknown_labels(segments: Sequence[Segment], labels: Sequence[str]) -> Iterable[Finding]:
    first: dict[str, Segment] = {}
    counts: dict[str, int] = {}
    for segment in segments:
        if find_class(segment, labels) is None:
            first.setdefault(segment.label, segment)
            counts[segment.label] = counts.get(segment.label, 0) + 1
    for label, segment in first.items():
        more = f", and {counts[label] - 1} more" if counts[label] > 1 else ""
        yield Finding(
            "label",
            where(segment),
            f'"{label}" is no class of the app{more}; its classes are {", ".join(labels)}',
            "Correct the label, give its class in the column role, or add it to [decision] labels.",
        )


def _overlaps(segments: Sequence[Segment]) -> Iterable[Finding]:
    order = sorted(segments, key=lambda one: (str(one.file), one.start))
    before: list[Segment] = []
    for segment in order:
        before = [one for one in before if one.file == segment.file and one.end > segment.start]
        for other in before:
            ours, theirs = (
                f'"{one.label}"' + (f" of {one.session}" if one.session else "") for one in (segment, other)
            )
            end = min(segment.end, other.end)
            what = f"{ours} shares samples {segment.start} to {end} with {theirs} of {other.place}"
            if segment.session != other.session:
                remedy = "A test on what was learnt proves nothing: give them to one session."
            elif segment.label != other.label:
                remedy = "Shorten one of them: a sample is of one class."
            else:
                remedy = "Remove one, or shorten it: what they share counts twice."
            yield Finding("overlap", where(segment), what, remedy)
        before.append(segment)


def _both(segments: Sequence[Segment]) -> Iterable[Finding]:
    """What is in two sessions: a recording, who made it, with what, where."""
    for session, other in combinations(
        sorted({segment.session for segment in segments if segment.session}), 2
    ):
        for name in ("recording", *_PEOPLE, *_THINGS):
            ours, theirs = (
                {_value(one, name): one for one in reversed(segments) if one.session == which}
                for which in (session, other)
            )
            both = sorted(value for value in ours.keys() & theirs.keys() if value)
            if not both:
                continue
            shown = ", ".join(both[:_SHOWN]) + (
                f" and {len(both) - _SHOWN} more" if len(both) > _SHOWN else ""
            )
            yield Finding(
                "device" if name in _THINGS else "both",
                where(theirs[both[0]]),
                f"{name} {shown}: in the sessions {session} and {other}",
                "Sounds of one of them resemble each other more than a stranger's: give each to one session.",
            )


def _value(segment: Segment, name: str) -> str:
    if name == "recording":
        return segment.file.name
    if name == "author":
        return segment.author
    return dict(segment.metadata).get(name, "")


def _few(segments: Sequence[Segment], labels: Sequence[str] | None) -> Iterable[Finding]:
    for session in sorted({segment.session for segment in segments}):
        of_session = [segment for segment in segments if segment.session == session]
        words = f" of the session {session}" if session else ""
        there = sorted({_name(segment, labels) for segment in of_session})
        for name in dict.fromkeys([*there, *(labels or ())]):
            own = [segment for segment in of_session if _name(segment, labels) == name]
            groups = len({segment.group for segment in own})
            place = where(own[0]) if own else of_session[0].source.name
            if len(own) < FEWEST:
                what = f"{len(own)} segments of {name}{words}"
                yield Finding("few", place, what, f"Record more: {FEWEST} are the least that says anything.")
            elif groups < FEWEST_GROUPS:
                many = "s" * (groups > 1)
                what = f"all {len(own)} {name}{words} are of {groups} author{many} or recording{many}"
                yield Finding(
                    "few", place, what, "Record other people, rooms or things: a model learns these by heart."
                )


def _name(segment: Segment, labels: Sequence[str] | None) -> str:
    """The class, as the app would take it."""
    index = find_class(segment, labels or ())
    return segment.label if labels is None or index is None else labels[index]
