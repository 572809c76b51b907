"""Pieces of the program that write, each with a disk that fails at every operation in turn."""

from __future__ import annotations

import hashlib
import itertools
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults.disk import AWAY, faulty_disk
from hsiaug.base.errors import HsiaugError
from hsiaug.base.files import write_text_whole
from hsiaug.bench.engines.slurm import SlurmJob, read_jobs, write_jobs
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.data.cards import FileSpec
from hsiaug.data.catalogue import download
from hsiaug.registry.scaffold import write_package
from hsiaug.registry.state import load_state, save_state
from hsiaug.report.output_files import array_writers, write_files
from hsiaug.trial.record_json import Record
from hsiaug.trial.saved_fits import load_fit, save_fit
from hsiaug.trial.store import Store
from hsiaug.trial.store_merge import merge
from hsiaug.trial.trial_run import Fit
from hsiaug.ui.answers import AnswerFile, PixelAnswer


@dataclass(frozen=True)
class Piece:
    """A piece of the program that writes below a folder.

    begin: makes what is there before. look: what can be read there, equal for equal content; it
    fails where something is damaged. notes: whether a failure is something to note, and no
    error. makes: whether it makes the folder anew.
    """

    begin: Callable[[Path], object]
    run: Callable[[Path], object]
    look: Callable[[Path], Any]
    notes: bool = False
    makes: bool = False


def each_fault(piece: Piece, kind: str, folder: Path) -> int:
    """Let every operation of a piece fail in turn; how many there were.

    Raises AssertionError, with the operation, unless there is at most one error and it names the
    path; what was there before is still there, or what the piece writes is; and the piece once more
    ends as on a good disk.
    """
    old, new = _quiet(piece, folder / "quiet" / "disk")
    for at in itertools.count(1):
        disk = folder / str(at) / "disk"
        disk.mkdir(parents=True)
        piece.begin(disk)
        error, told = None, None
        with faulty_disk(disk, kind, at) as fault:
            try:
                told = piece.run(disk)
            except (HsiaugError, OSError) as caught:
                # The command line tells of an OSError by the name of its file.
                error = caught
        if fault.fired is None:
            assert error is None
            break
        if kind == "gone":
            assert not disk.exists(), f"{fault.fired}: the folder was made anew"
            disk.with_name(disk.name + AWAY).rename(disk)
        context = f"{fault.fired}: {error or told}"
        assert error is None or (str(disk) in str(error) and not piece.notes), context
        now = piece.look(disk)
        if error is None and not piece.notes:
            assert now == new, context
        # Of several records, some may be there.
        assert now in (old, new) or (
            isinstance(now, list) and all(one in [*old, *new] for one in now)
        ), context
        piece.run(disk)
        assert piece.look(disk) == new, context
        shutil.rmtree(disk.parent)
    return at - 1


def _quiet(piece: Piece, disk: Path) -> tuple[Any, Any]:
    """What can be read before and after a piece on a good disk."""
    disk.mkdir(parents=True)
    piece.begin(disk)
    old = piece.look(disk)
    piece.run(disk)
    return old, piece.look(disk)


def pieces(records: Sequence[Record]) -> Mapping[str, Piece]:
    """The pieces by name. records: two sound ones, without predictions."""
    counts = [np.sum(one["metrics"]["confusion"], axis=0) for one in records]
    predicted = [np.repeat(np.arange(1, len(count) + 1, dtype=np.int16), count) for count in counts]
    index = [np.arange(len(labels), dtype=np.int32) for labels in predicted]

    def put(*numbers: int) -> Callable[[Path], None]:
        def begin(folder: Path) -> None:
            store = Store(folder / "store", create=True)
            for number in numbers:
                store.put(records[number], (index[number], predicted[number]))

        return begin

    def put_anew(folder: Path) -> None:
        Store(folder / "store").put(
            {**records[0], "command": "hsiaug again"}, (index[0], predicted[0][::-1].copy())
        )

    def begin_merge(folder: Path) -> None:
        put(0)(folder)
        put(0, 1)(folder.parent / "source")

    return {
        "a first record": Piece(put(), put(0), _stored, makes=True),
        "a record": Piece(
            put(0), lambda f: Store(f / "store").put(records[1], (index[1], predicted[1])), _stored
        ),
        "a record anew": Piece(put(0), put_anew, _stored),
        "a check before a run": Piece(put(0), _check, _stored),
        "a merge": Piece(
            begin_merge,
            lambda f: merge(f / "store", Store(f.parent / "source" / "store"), lambda *_: None),
            _stored,
            makes=True,
        ),
        **OTHERS,
    }


def _stored(folder: Path) -> Any:
    """What a store holds, all of which must be sound."""
    store = Store(folder / "store")
    assert store.read().damaged == ()
    return [(one, store.predictions(one["hash"])[1].tolist()) for one in store.each()]


def _check(folder: Path) -> None:
    store = Store(folder / "store")
    store.check_writable()
    store.sweep()


STATE = {"x": np.arange(600, dtype=np.float32)}


def _save(folder: Path) -> str | None:
    return save_fit(folder / "cache" / "0123", lambda made: save_state(made, STATE, {"a": 1}), 3.0)


def _fitted(folder: Path) -> Any:
    found = load_fit(folder / "cache" / "0123", load_state)
    return found.fitted[0]["x"].tolist() if isinstance(found, Fit) else None


def _damaged_fit(folder: Path) -> None:
    _save(folder)
    (folder / "cache" / "0123" / "fitted" / "state.json").write_text("{")


def _answers(folder: Path) -> AnswerFile:
    return AnswerFile(folder / "answers.csv", (20, 30))


def _first_answer(folder: Path, line: str = "") -> None:
    _answers(folder).add(PixelAnswer(((1, 2), (1, 3)), "class", "wheat"))
    with (folder / "answers.csv").open("a") as file:
        file.write(line)


def _answer(folder: Path) -> None:
    given, second = _answers(folder), PixelAnswer(((3, 4),), "none")
    if second not in given.given:
        given.add(second)


def _add_scene(folder: Path) -> None:
    """A scene of one's own with a picture."""
    source = folder.parent / "source"
    source.mkdir(exist_ok=True)
    np.save(source / "cube.npy", np.random.default_rng(0).random((6, 5, 4), dtype=np.float32))
    np.save(source / "labels.npy", np.arange(30).reshape(6, 5) % 4)

    def picture(scene: object, path: Path) -> None:
        path.write_bytes(b"a picture" * 100)

    if not (folder / "farm.toml").exists():
        add_scene(
            source / "cube.npy",
            source / "labels.npy",
            folder / "farm.toml",
            ImportOptions(),
            picture,
        )


def _scene(folder: Path) -> dict[str, bytes]:
    return _files(folder) if (folder / "farm.toml").exists() else {}


def _files(folder: Path) -> dict[str, bytes]:
    """Content of the files of a folder that are not hidden."""
    named = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    seen = {
        name: path
        for name, path in named.items()
        if not any(part.startswith(".") for part in name.parts)
    }
    return {name.as_posix(): path.read_bytes() for name, path in seen.items()}


def _package(folder: Path) -> None:
    if not (folder / "hsiaug-mine").exists():
        write_package("generator", "mine", folder)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *words: object) -> None:
        pass


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address of a web server on this machine that has the files of a folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _download(folder: Path) -> None:
    source = folder.parent / "source"
    source.mkdir(exist_ok=True)
    content = bytes(range(256)) * 400
    (source / "cube.npy").write_bytes(content)
    with _served(source) as address:
        digest = hashlib.sha256(content).hexdigest()
        file = FileSpec(
            file="cube.npy", urls=(f"{address}/cube.npy",), sha256=digest, size=len(content)
        )
        download([(file, folder / "cube.npy")], "farm", progress=False)


def _nothing(folder: Path) -> None:
    """There is an empty folder before."""


OTHERS = {
    "a saved fit": Piece(_nothing, _save, _fitted, notes=True),
    "a damaged fit": Piece(_damaged_fit, _save, _fitted, notes=True),
    "an answer": Piece(_first_answer, _answer, lambda f: _answers(f).given),
    "answers with a bad line": Piece(
        partial(_first_answer, line="x,y\n"), _answer, lambda f: _answers(f).given
    ),
    "a scene of one's own": Piece(_nothing, _add_scene, _scene, makes=True),
    "a text": Piece(_nothing, lambda f: write_text_whole(f / "x.md", "text\n" * 5000), _files),
    "arrays": Piece(
        _nothing,
        lambda f: write_files([f / "x.npz", f / "x.mat"], array_writers(lambda: STATE)),
        lambda f: sorted(_files(f)),
    ),
    "a package": Piece(_nothing, _package, _files, makes=True),
    "a download": Piece(_nothing, _download, _files, makes=True),
    "jobs": Piece(
        _nothing, lambda f: write_jobs(f, "one", [SlurmJob("1_0", ("a",))]), read_jobs, makes=True
    ),
}
"""Pieces that need no record."""
