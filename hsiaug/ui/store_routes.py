"""Addresses of the page of ``hsiaug serve``: the report of a store while it grows."""

import threading
import time
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute

from hsiaug.bench.progress import heard_of
from hsiaug.report import Report, build_report, render_html, trials_of_store
from hsiaug.report.render_page import HTML
from hsiaug.trial.store import Store
from hsiaug.ui.server import HERE, page_routes

REST = 2.0
"""Seconds between two looks at the store."""
FRAMED = {"Content-Security-Policy": "frame-ancestors 'self'"}
"""Beside what the report itself allows, which is its own script."""


class StoreRoutes:
    """Endpoints over one store, which is read again where a file has changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._files: Mapping[str, int] = {}
        self._records = 0
        self._report = Report(())
        self._html: tuple[int, str] = (-1, "")
        self._version = 0
        self._looked = -REST
        self._took = 0.0

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        files = [HERE / name for name in ("store.html", "common.js", "store.js", "ui.css")]
        return page_routes(
            [*files, HTML / "page.css"], {"version": self.version, "report": self.report}
        )

    def version(self, _: Request) -> Response:
        """A number that rises when records change; how many there are; seconds that the last page
        took; what runs.
        """
        with self._lock:
            self._look()
            facts = {"version": self._version, "records": self._records, "seconds": self._took}
            return JSONResponse({**facts, "runs": heard_of(self._store.root)})

    def report(self, _: Request) -> Response:
        """The page of ``hsiaug report --out report.html``, made again where records have
        changed.
        """
        with self._lock:
            self._look()
            if self._html[0] != self._version:
                began = time.monotonic()
                self._html = self._version, render_html(self._report, self._store)
                self._took = time.monotonic() - began
            return HTMLResponse(self._html[1], headers=FRAMED)

    def _look(self) -> None:
        """Read what is new or another file, at most every REST seconds."""
        if time.monotonic() - self._looked < REST:
            return
        store = self._store
        files = {hash: store.changed(hash) for hash in store.hashes()}
        if files != self._files or not self._version:
            trials, damaged = trials_of_store(store)
            self._records = len(trials) + len(damaged)
            self._report = build_report(trials, store=str(store.root), damaged=damaged)
            self._files = files
            self._version = self._version + 1
        self._looked = time.monotonic()
