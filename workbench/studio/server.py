# SPDX-License-Identifier: Apache-2.0
"""Serves a studio to a browser on this computer, until Ctrl-C."""

from __future__ import annotations

import contextlib
import secrets
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from nicegui import app as toolkit
from nicegui import ui

from codegen.common.errors import UserError
from workbench.studio.browser import opened
from workbench.studio.guard import HOSTS, App, Guard
from workbench.studio.pages import data, device, frame, label, live, record, train
from workbench.studio.routes import router
from workbench.studio.studio import Studio

PAGES = (record, label, data, train, device, live)


def serve(studio: Studio, port: int, *, browser: bool, say: Callable[[str], None]) -> None:
    """Serves until Ctrl-C. port: 0 for any that is free. UserError where it is not."""
    listening = _bound(port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)
    address = f"http://{HOSTS[0]}:{port}/{token}/"
    config = uvicorn.Config(
        application(studio, token, port),
        ws="wsproto",
        log_level="warning",
        access_log=False,
        server_header=False,
    )
    server = uvicorn.Server(config)
    say(address)
    shown = opened(address) if browser else contextlib.nullcontext()
    with listening, contextlib.suppress(KeyboardInterrupt), shown:  # Ctrl-C is the usual way to end it
        server.run(sockets=[listening])


def application(studio: Studio, token: str, port: int) -> App:
    """All pages and routes, behind the guard."""
    outer = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    toolkit.include_router(router(studio))
    for page in PAGES:
        page.register(studio)
    frame.register(studio)
    ui.run_with(
        outer,
        title="Earshot studio",
        favicon="👂",
        dark=None,  # as the browser's owner likes it
        mount_path=f"/{token}",
        show_welcome_message=False,
    )
    return Guard(outer, token, port)


def _bound(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOSTS[0], port))
        listening.listen()  # who comes before all is ready waits
    except OSError as error:
        listening.close()
        raise UserError(
            f"port {port} of {HOSTS[0]} cannot be had: {error.strerror}",
            remedy="Leave --port away: a free one is taken.",
        ) from None
    return listening
