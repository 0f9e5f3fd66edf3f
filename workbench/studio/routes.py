# SPDX-License-Identifier: Apache-2.0
"""What the pages' scripts fetch: tiles of a recording, and its sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from fastapi import APIRouter, Response

from codegen.common.errors import UserError
from workbench.studio.sound import Sound
from workbench.studio.studio import Studio

# The address has the time of the file in it: a tile never changes.
_FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}
_NEVER = {"Cache-Control": "no-store"}


def router(studio: Studio) -> APIRouter:
    """The routes below /sound. What a name or number is wrong in is answered by 404 and the message."""
    routes = APIRouter(prefix="/sound")

    @routes.get("/peaks/{level}/{index}")
    def peaks(level: int, index: int, recording: str) -> Response:
        return _answer(lambda: _open(studio, recording).peaks(level, index).astype("<i2").tobytes())

    @routes.get("/spectrogram/{level}/{index}")
    def spectrogram(level: int, index: int, recording: str) -> Response:
        return _answer(lambda: _open(studio, recording).spectrogram(level, index).tobytes())

    @routes.get("/play")
    def play(recording: str, start: int, end: int) -> Response:
        return _answer(lambda: _open(studio, recording).wav(start, end), "audio/wav", _NEVER)

    @routes.get("/take/{number}")
    def take(number: int) -> Response:
        return _answer(lambda: studio.recorder.found(number).wav(), "audio/wav", _NEVER)

    return routes


def _open(studio: Studio, recording: str) -> Sound:
    return studio.sounds.open(studio.folder.recording(recording))


def _answer(
    make: Callable[[], bytes],
    kind: str = "application/octet-stream",
    headers: Mapping[str, str] = _FOREVER,
) -> Response:
    try:
        return Response(make(), media_type=kind, headers=dict(headers))
    except UserError as error:
        return Response(f"{error}\n", 404, media_type="text/plain", headers=dict(_NEVER))
