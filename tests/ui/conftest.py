"""A scene that is being labelled, with its page."""

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import Registry
from hsiaug.suggest.committee import Member
from hsiaug.ui.answers import AnswerFile
from hsiaug.ui.labelling import Labelling, LabellingTask

pytest.importorskip("starlette", reason="the extra ui is not installed")

TOKEN, PORT = "a-secret", 4321

Begin = Callable[..., Labelling]


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "answers.csv"


@pytest.fixture
def begin(toy: Scene, plugins: Registry, answers: Path) -> Begin:
    """Begins, or goes on with, labelling the toy scene from no label at all."""

    def start(known: np.ndarray | None = None, **changed: Any) -> Labelling:
        about: dict[str, Any] = {
            "scene": toy.unlabelled,
            "name": "toy",
            "known": np.zeros(toy.shape, dtype=np.int16) if known is None else known,
            "members": (Member("nearest", "raw"), Member("nearest", "unit")),
            "mapper": Member("rf", "raw"),
            "count": 6,
        }
        return Labelling(
            LabellingTask(**{**about, **changed}), AnswerFile(answers, toy.shape), plugins
        )

    return start


@pytest.fixture
def client(begin: Begin) -> Iterator[Any]:
    """Calls of the page's own addresses; ``client.labelling`` is what is behind them."""
    from starlette.testclient import TestClient

    from hsiaug.ui.label_routes import LabelRoutes
    from hsiaug.ui.server import local_app

    labelling = begin()
    app = local_app(LabelRoutes(labelling).routes(), TOKEN, PORT)
    made: Any = TestClient(
        app,
        base_url=f"http://127.0.0.1:{PORT}/{TOKEN}/",
        headers={"Content-Type": "application/json"},
    )
    made.labelling = labelling
    yield made
    labelling.wait()
    made.close()


@pytest.fixture
def served() -> Iterator[Callable[[Any], str]]:
    """Serves routes from this process, at the address that it gives."""
    import uvicorn

    from hsiaug.ui.server import local_config

    begun: list[tuple[Any, threading.Thread, socket.socket]] = []

    def serve(routes: Any) -> str:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # who comes before uvicorn does waits
        port = listening.getsockname()[1]
        server = uvicorn.Server(local_config(routes, TOKEN, port))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        begun.append((server, thread, listening))
        return f"http://127.0.0.1:{port}/{TOKEN}/"

    yield serve
    for server, thread, listening in begun:
        server.should_exit = True
        thread.join()
        listening.close()
