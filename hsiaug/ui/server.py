"""A server for one browser on this machine: an address with a secret in it, and nothing from
anywhere else.
"""

import logging
import os
import secrets
import signal
import socket
import sys
import webbrowser
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.base.signals import end_in_time, exit_code

Endpoint = Callable[[Request], Response | Awaitable[Response]]
Refusal = tuple[int, str]
"""A status of HTTP, and why."""

MAX_BODY_BYTES = 4 * 2**20
"""Bytes of a request at most, which are refused before they are read; answers have a few KB."""
HERE = Path(__file__).parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".html": "text/html"}
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
        " connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Lets through only requests to ``/TOKEN/…`` whose Host is this machine's own, and what acts
    only from its own page.

    The token keeps other users and pages out; the Host keeps out a page whose name was made to lead
    here (DNS rebinding). Everything else is answered 403. A POST from another page is refused too,
    as is one that is not JSON (415) or too long (413), before anything of it is read. Every answer
    has ``HEADERS`` that it does not set itself.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        self._hosts = {f"127.0.0.1:{port}".encode(), f"localhost:{port}".encode()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = scope["headers"]
        hosts = [value for name, value in headers if name == b"host"]
        token = f"{scope['path']}/".split("/")[1].encode()  # "*" has no slash
        allowed = (
            len(hosts) == 1
            and hosts[0] in self._hosts
            and secrets.compare_digest(token, self._token)
        )
        refusal = None if allowed else (403, "use the address that the command printed")
        if allowed and scope["method"] not in ("GET", "HEAD"):
            refusal = self._refuse_foreign(dict(headers))

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                set_already = {name.lower() for name, _ in message["headers"]}
                defaults = [
                    (name.lower().encode(), value.encode()) for name, value in HEADERS.items()
                ]
                message["headers"] = [
                    *message["headers"],
                    *(header for header in defaults if header[0] not in set_already),
                ]
            await send(message)

        app = (
            self._app
            if refusal is None
            else JSONResponse({"error": refusal[1]}, status_code=refusal[0])
        )
        await app(scope, receive, marked)

    def _refuse_foreign(self, headers: Mapping[bytes, bytes]) -> Refusal | None:
        origin = headers.get(b"origin")
        same_origin = origin is None or origin.removeprefix(b"http://") in self._hosts
        if not same_origin or headers.get(b"sec-fetch-site", b"same-origin") != b"same-origin":
            return 403, "only the page itself may ask for this"
        if (
            headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
            != b"application/json"
        ):
            return 415, "a request must be JSON: content-type application/json"
        length = headers.get(b"content-length", b"")
        if not length.isdigit():
            return 411, "a request must say how long it is: content-length"
        if int(length) > MAX_BODY_BYTES:
            return 413, f"a request has at most {MAX_BODY_BYTES // 2**20} MB"
        return None


def local_app(routes: Sequence[BaseRoute], token: str, port: int) -> ASGIApp:
    """The routes below ``/TOKEN``, guarded; an error of hsiaug is answered 400 with its text."""

    def refuse(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, status_code=400)

    inner = Starlette(
        routes=[Mount(f"/{token}", routes=list(routes))],
        exception_handlers={HsiaugError: refuse, ClientDisconnect: refuse},
    )
    return Guard(inner, token, port)


def local_config(routes: Sequence[BaseRoute], token: str, port: int) -> uvicorn.Config:
    """How :func:`local_app` is served."""
    return uvicorn.Config(
        local_app(routes, token, port),
        http="h11",
        log_level="error",
        access_log=False,
        lifespan="off",
        # An answer that takes long, as a map, holds up no Ctrl-C.
        timeout_graceful_shutdown=1,
    )


def page_routes(
    files: Iterable[Path], gets: Mapping[str, Endpoint], posts: Mapping[str, Endpoint] | None = None
) -> list[BaseRoute]:
    """Routes of a page: its files, texts of the package, by their names; and what answers GET and
    POST, by address.

    The address of the page itself is ``/``.
    """

    def route(path: Path) -> BaseRoute:
        def answer(_: Request) -> Response:
            return Response(path.read_text("utf-8"), media_type=KINDS[path.suffix])

        return Route("/" if path.suffix == ".html" else f"/{path.name}", answer)

    return [
        *map(route, files),
        *(Route(f"/{name}", endpoint) for name, endpoint in gets.items()),
        *(
            Route(f"/{name}", endpoint, methods=["POST"])
            for name, endpoint in (posts or {}).items()
        ),
    ]


class _Server(uvicorn.Server):
    """Ends in time though an answer, or a message that nobody reads, holds it up."""

    def handle_exit(self, sig: int, frame: Any) -> None:
        end_in_time(sig)
        # Of answers that are broken off nobody needs to hear.
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        super().handle_exit(sig, frame)


def serve_here(
    routes: Sequence[BaseRoute], port: int, *, browser: bool, announce: Callable[[str], object]
) -> None:
    """Serve on 127.0.0.1 until Ctrl-C.

    Parameters
    ----------
    port : int
        0 = one that is free.
    announce : callable
        Is given the address.

    Raises
    ------
    InputError
        Where the port is taken.
    """
    token = secrets.token_urlsafe(24)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        if os.name == "posix":  # a port is free again as soon as its last server ended
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(
                "`port` must be one that is free",
                value=f"{port}: {error.strerror}",
                hint="Leave it out.",
            ) from error
        port = listening.getsockname()[1]
        address = f"http://127.0.0.1:{port}/{token}/"
        config = local_config(routes, token, port)
        listening.listen()  # so that the browser may come before uvicorn does
        announce(address)
        # One in the terminal would hold up the server.
        screen = os.name != "posix" or sys.platform == "darwin"
        if browser and (screen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
            with suppress(webbrowser.Error):
                webbrowser.open(address)
        try:
            _Server(config).run(sockets=[listening])
        except KeyboardInterrupt as stopped:
            # Ctrl-C is how it is ended.
            if exit_code(stopped) != 128 + signal.SIGINT:
                raise
