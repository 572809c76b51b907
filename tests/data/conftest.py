"""A small scene on disk, cards for it, and a web server on this machine to download it from."""

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

HEAD = """
name = "estate"
"""
LABELS = """
[labels]
file = "labels.npy"
names = ["wheat", "rye", "track"]
"""


@pytest.fixture(autouse=True)
def _blank_pictures(blank_pictures: None) -> None:
    """Each scene that is added gets a picture."""


@pytest.fixture
def cube() -> np.ndarray:
    """(6, 5, 4) uint16 with three different axes, so that a swapped one is seen."""
    return np.random.default_rng(1).integers(0, 5000, (6, 5, 4), dtype=np.uint16)


@pytest.fixture
def codes() -> np.ndarray:
    """(6, 5) uint8 codes 0..3."""
    return (np.arange(30) % 4).astype(np.uint8).reshape(6, 5)


@pytest.fixture
def estate(tmp_path: Path, cube: np.ndarray, codes: np.ndarray) -> Callable[..., Path]:
    """Writes cube.npy, labels.npy and a card; ``estate(cube='file = "x.mat"', labels=…, rest=…)``
    gives its path.
    """
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "labels.npy", codes)

    def write(
        cube: str = 'file = "cube.npy"', labels: str = LABELS, rest: str = "", head: str = HEAD
    ) -> Path:
        card = tmp_path / "estate.toml"
        card.write_text(f"{head}\n[cube]\n{cube}\n{labels}\n{rest}\n", encoding="utf-8")
        return card

    return write


@dataclass
class Server:
    """Serves bytes by path; ``seen`` lists every path asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    stall: set[str] = field(default_factory=set)
    cut: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A web server on 127.0.0.1 that can be told to stall or to hang up half-way through."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.lstrip("/")
            site.seen.append(path)
            body = site.files.get(path)
            if body is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # whoever asked has given up
                self.send_body(path, body)

        def send_body(self, path: str, body: bytes) -> None:
            half = path in site.stall or path in site.cut
            self.wfile.write(body[: len(body) // 2] if half else body)
            self.wfile.flush()
            if path in site.stall:
                site.release.wait()

        def log_message(self, *args: object) -> None: ...

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Server(f"http://127.0.0.1:{httpd.server_port}")
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield site
    site.release.set()
    httpd.shutdown()
    httpd.server_close()
    thread.join()


@pytest.fixture
def closed_port() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
