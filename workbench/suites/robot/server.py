# SPDX-License-Identifier: Apache-2.0
"""The keyword library behind Robot's Remote interface.

renode-test brings a Python and a Robot Framework of its own, which lack what the library needs. So the
library stays in this process, and renode-test speaks to it over a local socket.
"""

from __future__ import annotations

import inspect
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from xmlrpc.server import MultiPathXMLRPCServer, SimpleXMLRPCDispatcher, SimpleXMLRPCRequestHandler

from codegen.common.errors import UserError
from workbench.suites.robot.keywords import Keywords


class _Handler(SimpleXMLRPCRequestHandler):
    """Any path is right. Keeps stderr for what matters."""

    rpc_paths = ()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Remote:
    """The four questions of the Remote interface."""

    def __init__(self, library: object) -> None:
        self._library = library

    def get_keyword_names(self) -> list[str]:
        """Every keyword, as Python names it."""
        functions = inspect.getmembers(type(self._library), inspect.isfunction)
        return [name for name, _ in functions if name[0] != "_"]

    def get_keyword_arguments(self, name: str) -> list[str]:
        """In Robot's form: name, name=default, *rest, **named."""
        kinds = inspect.Parameter
        signs: dict[int, str] = {kinds.VAR_POSITIONAL: "*", kinds.VAR_KEYWORD: "**"}
        reported = []
        for argument in inspect.signature(self._keyword(name)).parameters.values():
            default = "" if argument.default is kinds.empty else f"={argument.default}"
            reported.append(signs.get(argument.kind, "") + argument.name + default)
        return reported

    def get_keyword_documentation(self, name: str) -> str:
        """Its docstring."""
        return inspect.getdoc(self._keyword(name)) or ""

    def run_keyword(
        self, name: str, arguments: Sequence[Any], named: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What Robot shall say of it."""
        try:
            value = self._keyword(name)(*arguments, **(named or {}))
        except (AssertionError, UserError) as error:
            return {"status": "FAIL", "error": str(error)}
        except Exception as error:  # it is reported in the log; the server goes on
            return {"status": "FAIL", "error": f"{type(error).__name__}: {error}"}
        return {"status": "PASS", "return": "" if value is None else value}

    def _keyword(self, name: str) -> Callable[..., object]:
        keyword: Callable[..., object] = getattr(self._library, name)
        return keyword


class _Server(socketserver.ThreadingMixIn, MultiPathXMLRPCServer):
    """A library for each path that is asked: suites run side by side, an image each."""

    daemon_threads = True

    def __init__(self, library: Callable[[], Keywords]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler, logRequests=False, allow_none=True)
        self._library = library
        self._lock = threading.Lock()
        self.libraries: list[Keywords] = []

    def _marshaled_dispatch(self, data: Any, dispatch_method: Any = None, path: Any = None) -> Any:
        with self._lock:
            if path not in self.dispatchers:
                self.libraries.append(self._library())
                dispatcher = SimpleXMLRPCDispatcher(allow_none=True)
                dispatcher.register_instance(Remote(self.libraries[-1]))
                self.add_dispatcher(path, dispatcher)
        return super()._marshaled_dispatch(data, dispatch_method, path)


@contextmanager
def serving(library: Callable[[], Keywords]) -> Iterator[str]:
    """The address of a server of keywords, as long as the context lasts: each path has a library of its own.

    The images are ended with it.
    """
    with _Server(library) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            for one in server.libraries:
                one.end_image()
