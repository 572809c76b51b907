"""Addresses of the page of ``hsiaug label``: its state, pictures, spectra, answers and exports."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import matplotlib
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, FiniteFloat, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from hsiaug.base.colours import class_colours, true_colours
from hsiaug.base.errors import InputError
from hsiaug.quality.map_files import check_map_targets, picture_step, save_map
from hsiaug.report.figures.files import image_bytes
from hsiaug.report.render_page import HTML
from hsiaug.ui.answers import PixelAnswer
from hsiaug.ui.labelling import Labelling, pixels_within
from hsiaug.ui.server import HERE, Endpoint, page_routes

EXPORTS = ("map.tif", "map.npy", "labels.tif", "labels.npy")


class _Body(BaseModel):
    said: Literal["class", "none", "skip"] = "class"
    name: str = ""
    pixels: list[tuple[int, int]] = []
    polygon: list[tuple[FiniteFloat, FiniteFloat]] = []


class LabelRoutes:
    """Endpoints over one labelling."""

    def __init__(self, labelling: Labelling) -> None:
        self._labelling = labelling
        self._scene = labelling.task.scene
        self._step = picture_step(self._scene.shape)

    def routes(self) -> list[BaseRoute]:
        """All of them."""
        files = [HERE / name for name in ("label.html", "common.js", "label.js", "ui.css")]
        files += [HTML / name for name in ("stage.js", "page.css")]
        labelling = self._labelling
        gets: dict[str, Endpoint] = {
            "scene": self.scene,
            "state": lambda _: self._state(),
            "means": lambda _: JSONResponse(labelling.class_means()),
            "pixel": self.pixel,
            "picture/{kind}": self.picture,
            "export/{file}": self.export,
        }
        posts: dict[str, Endpoint] = {
            "answer": self.answer,
            "undo": self._after(labelling.undo),
            "redo": self._after(labelling.redo),
            "class": self.add_class,
            "ask": self._after(labelling.ask),
            "map": self._after(labelling.make_map),
        }
        return page_routes(files, gets, posts)

    def _state(self) -> Response:
        return JSONResponse(self._labelling.state())

    def _after(self, work: Callable[[], PixelAnswer | None]) -> Endpoint:
        """Does the work, and answers with the state and the pixel of the answer that was taken back
        or given again.
        """

        def endpoint(_: Request) -> Response:
            moved = work()
            state = self._labelling.state()
            return JSONResponse({**state, "moved": None if moved is None else moved.pixels[0]})

        return endpoint

    def scene(self, _: Request) -> Response:
        """What does not change."""
        task = self._labelling.task
        waves = self._scene.wavelengths
        return JSONResponse(
            {
                "name": task.name,
                "shape": list(self._scene.shape),
                "wavelengths": None if waves is None else waves.tolist(),
                "bands": self._scene.bands,
                "file": str(self._labelling.answers.path),
                "members": len(task.members),
            }
        )

    def pixel(self, request: Request) -> Response:
        """Of a pixel: its spectrum (B,), its label, what the map calls it, and how much the
        committee disagrees.
        """
        try:
            row, column = (int(request.query_params[name]) for name in ("row", "column"))
        except (KeyError, ValueError) as error:
            raise _outside() from error
        height, width = self._scene.shape
        if not (0 <= row < height and 0 <= column < width):
            raise _outside()
        class_map = self._labelling.map
        doubt = self._labelling.doubt
        return JSONResponse(
            {
                "spectrum": [round(float(value), 6) for value in self._scene.pixels[row, column]],
                "label": int(self._labelling.labels()[row, column]),
                "map": None if class_map is None else int(class_map.ids[row, column]),
                "doubt": None if doubt is None else float(doubt[row, column]),
            }
        )

    def picture(self, request: Request) -> Response:
        """PNGs (h, w) of every ``step``-th row and column."""
        kind = request.path_params["kind"]
        class_map = self._labelling.map
        step = self._step
        doubt = self._labelling.doubt
        if kind == "colours":
            return _png(true_colours(self._scene.pixels, self._scene.wavelengths, step))
        if kind == "doubt" and doubt is not None:
            return _png(matplotlib.colormaps["viridis"](doubt[::step, ::step], bytes=True))
        ids = {
            "labels": self._labelling.labels(),
            "map": None if class_map is None else class_map.ids,
        }.get(kind)
        if ids is None:
            raise InputError("there is no such picture", value=kind, hint="Make a map first.")
        thin = np.maximum(ids[::step, ::step], 0)
        # No palette: it holds 256 colours, and there may be more classes.
        opaque = np.where(thin > 0, 255, 0).astype(np.uint8)
        return _png(np.dstack([class_colours(len(self._labelling.names))[thin], opaque]))

    async def answer(self, request: Request) -> Response:
        body = await _read(request)
        pixels = body.pixels or pixels_within(body.polygon, self._scene.shape)
        self._labelling.answer(pixels, body.said, body.name)
        return self._state()

    async def add_class(self, request: Request) -> Response:
        self._labelling.add_class((await _read(request)).name)
        return self._state()

    def export(self, request: Request) -> Response:
        """The map or the labels as a file of class ids, as ``hsiaug map`` writes it."""
        name = request.path_params["file"]
        labelling = self._labelling
        class_map = labelling.map
        task = labelling.task
        if name not in EXPORTS or (class_map is None and name.startswith("map")):
            raise InputError("there is no such file", value=name, hint="Make a map first.")
        check_map_targets([Path(name)])
        ids = np.maximum(labelling.labels(), 0)
        facts = {"SCENE": task.name, "REMARK": "labels"}
        if class_map is not None and name.startswith("map"):
            ids = class_map.ids
            facts |= {
                "CLASSIFIER": str(task.mapper),
                "REMARK": f"learnt from {class_map.learnt:,} pixels",
            }
        with TemporaryDirectory() as folder:
            target = Path(folder) / name
            own = name.startswith("map")
            save_map(target, ids, tuple(labelling.names), task.ground, facts, marked=own)
            content = target.read_bytes()
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type="application/octet-stream", headers=headers)


def _outside() -> InputError:
    return InputError("row and column must be of the scene", hint="Point at the scene.")


def _png(image: NDArray[np.uint8]) -> Response:
    return Response(image_bytes(image, format="PNG"), media_type="image/png")


async def _read(request: Request) -> _Body:
    """The JSON of a request. Raises InputError where it is none."""
    try:
        return _Body.model_validate_json(await request.body())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InputError(
            "a request must be sound", value=first["msg"], hint="Load the page again."
        ) from error
