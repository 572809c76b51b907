"""Addresses of the page of ``hsiaug serve``: the report of a store while it grows, and the maps of its trials."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours
from hsiaug.base.errors import InputError
from hsiaug.base.text import visible
from hsiaug.quality.maps import picture_step
from hsiaug.report import Report, build_report, render_html
from hsiaug.report.html.page import HERE as REPORT
from hsiaug.report.labels import percent
from hsiaug.report.records import Trial
from hsiaug.report.scenes.ground_truth import MOST_VALUES, GroundTruth, local_ground_truth, read_predicted_maps
from hsiaug.report.tables import Table
from hsiaug.tasks.local import NoGroundTruthError
from hsiaug.trial.planned import read_plans
from hsiaug.trial.store import Reading, Store
from hsiaug.ui.server import HERE, json_answer, page_routes, png

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

REST = 2.0
"""Seconds between two looks at the store."""
FRAMED = {"Content-Security-Policy": "frame-ancestors 'self'"}
"""Beside what the report itself allows, which is its own script."""


class StorePage:
    """Endpoints over one store. Records are read again only where their files have changed."""

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, threading.RLock()
        self._files: Mapping[str, int] = {}
        self._read, self._report = Reading(), Report(())
        self._html: tuple[int, str] = (-1, "")
        self._truths: dict[str, GroundTruth] = {}
        self._version, self._looked, self._took = 0, -REST, 0.0

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        files = [HERE / name for name in ("store.html", "store.js", "ui.css")]
        files += [REPORT / name for name in ("stage.js", "page.css", "maps.js")]
        gets = {
            "version": self.version,
            "report": self.report,
            "trials": self.trials,
            "ground/{hash}": self.ground,
            "map/{kind}/{hash}/{place:int}": self.map,
        }
        return page_routes(files, gets)

    def version(self, _: Request) -> Response:
        """A number that rises when records change; how many there are; seconds that the last page took."""
        with self._lock:
            self._look()
            records = len(self._read.records) + len(self._read.damaged)
            return json_answer({"version": self._version, "records": records, "seconds": self._took})

    def report(self, _: Request) -> Response:
        """The page of ``hsiaug report --out report.html``, made again where records have changed."""
        from starlette.responses import HTMLResponse

        with self._lock:
            self._look()
            if self._html[0] != self._version:
                began = time.monotonic()
                self._html = self._version, render_html(self._report, self._store)
                self._took = time.monotonic() - began
            return HTMLResponse(self._html[1], headers=FRAMED)

    def trials(self, _: Request) -> Response:
        """Trials that have maps, by table."""
        with self._lock:
            self._look()
            named = [(table.title, _named_trials(table)) for table in self._report.tables]
            tables = [
                {"title": title, "trials": [[t.hash, name] for t, name in found]}
                for title, found in named
                if found
            ]
            return json_answer(tables)

    def ground(self, request: Request) -> Response:
        """Classes, colours and places of a trial's scene."""
        truth = self._truth(self._trial(request))
        return json_answer(
            {
                "classes": list(map(visible, truth.class_names)),
                "colours": class_colours(len(truth.class_names))[1:].tolist(),
                "places": list(map(visible, truth.places)),
                "shapes": [mask.shape for mask in truth.masks],
            }
        )

    def map(self, request: Request) -> Response:
        """PNGs (h, w) of every ``step``-th row and column: colours, or class ids as levels of grey, 0 = none."""
        trial, kind, place = self._trial(request), request.path_params["kind"], request.path_params["place"]
        truth = self._truth(trial)
        if place >= len(truth.masks):
            raise InputError("there is no such place", value=place, hint="Load the page again.")
        step = picture_step(truth.masks[place].shape)
        if kind == "colours" and (photo := truth.photo(step)) is not None:
            return png(photo)
        if kind == "true":
            return png(_levels(truth.masks[place], step))
        if kind == "called":
            with _told():
                return png(_levels(read_predicted_maps(self._store, trial, truth)[place], step))
        raise InputError("there is no such picture", value=kind, hint="Load the page again.")

    def _trial(self, request: Request) -> Trial:
        wanted = request.path_params["hash"]
        with self._lock:
            for table in self._report.tables:
                for trial in table.trials:
                    if trial.hash == wanted and trial.ok:
                        return trial
        raise InputError("there is no such trial", value=wanted, hint="Load the page again.")

    def _truth(self, trial: Trial) -> GroundTruth:
        with self._lock, _told():
            return local_ground_truth([trial], self._truths, MOST_VALUES)

    def _look(self) -> None:
        """Read what is new or another file, at most every REST seconds."""
        if time.monotonic() - self._looked < REST:
            return
        files = {hash: self._store.changed(hash) for hash in self._store.hashes()}
        if files != self._files or not self._version:
            same = {hash for hash, at in files.items() if self._files.get(hash) == at}
            kept = Reading(
                tuple(one for one in self._read.records if one["hash"] in same),
                tuple(one for one in self._read.damaged if one.hash in same),
            )
            self._read = self._store.read(files, known=kept, index=False)
            root, read = self._store.root, self._read
            self._report = build_report(
                read.records, store=str(root), damaged=read.damaged, planned=read_plans(root)
            )
            self._files, self._version = files, self._version + 1
        self._looked = time.monotonic()


def _named_trials(table: Table) -> list[tuple[Trial, str]]:
    """The trials of a table that went well, with what tells them apart and their score."""
    main = table.scores.main
    return [
        (trial, visible(f"{table.cell_label(cell, ', ')}, draw {trial.seed}: {main.name} {percent(score)}"))
        for cell in table.every_cell.values()
        for trial in cell.ok
        if (score := trial.metric(main.key)) is not None
    ]


def _levels(ids: NDArray[np.integer], step: int) -> NDArray[np.uint8]:
    return ids[::step, ::step].astype(np.uint8)


@contextmanager
def _told() -> Iterator[None]:
    """Raise InputError where there is no ground truth."""
    try:
        yield
    except NoGroundTruthError as error:
        raise InputError("there are no maps", value=str(error), hint="Have the scene on this machine.") from error
