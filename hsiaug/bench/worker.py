"""The worker process: it runs the plugins of one group of trials after the other, and holds no test
label.

It is started with the data of a scene without a label (:class:`BlindData`). Then it is sent where a
group of trials has its fits, each of its trials as a pickle, and its split: None for one that it
has.

What it sends is JSON, and bytes that are checked (:func:`read_message`): nothing that a plugin made
is unpickled. In order: ``{"stage": name}`` and ``{"step": […]}`` as a trial goes on; ``{"record":
…, "trial": hash, "parts": […], "columns": int}`` with its outcome, and then these parts, if any:
labels, the predicted class ids (int16, or ``columns`` values of float32 a pixel), the sheet of
samples, and samples of prompts.
"""

import json
import mmap
import os
import pickle
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from hsiaug.base.arrays import AnyArray
from hsiaug.base.shortages import shortage_of
from hsiaug.base.user_cache import cache_root
from hsiaug.bench.engine import Job, PluginProgress
from hsiaug.core.scene import HasCube
from hsiaug.data.loading import hide_labels
from hsiaug.data.windows import FileCube
from hsiaug.registry.isolation.confinement import beside, confine
from hsiaug.registry.isolation.processes import Channel, join_run, receive
from hsiaug.registry.lookup import Found, import_here, registry, third_party
from hsiaug.registry.progress import progress_values
from hsiaug.registry.session_plugins import Parcel, parcels, unpack
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.fits import make_folder_of_package
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.plugin_calls import LARGEST_PROVENANCE, RECORDED
from hsiaug.trial.prompts import MAX_PROMPTED_BYTES, read_prompted
from hsiaug.trial.record import PartialRecord, TrialError
from hsiaug.trial.record_json import decode
from hsiaug.trial.run import run_group
from hsiaug.trial.sheet import MAX_SHEET_BYTES, read_sheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext

SHORT = 77
"""Exit code of a worker that is short of memory or processes."""
OPEN = "Plugins were not kept from the files that hold labels"
DEVICES = Path("/dev"), Path("/proc/self")
CACHES = frozenset(
    {
        "CUDA_CACHE_PATH",
        "MPLCONFIGDIR",
        "NUMBA_CACHE_DIR",
        "TORCHINDUCTOR_CACHE_DIR",
        "TRITON_CACHE_DIR",
    }
)
"""Variables that say where libraries keep what they have compiled or found out: elsewhere they
would try in vain.
"""
STEP_EVERY = 0.2
"""Seconds between two reports of a plugin's own progress: fits call it at every step."""
SENDS_FILES = hasattr(reduction, "DupFd")
"""Whether a process can be given open files as it is started: not on Windows."""
ALIGNED = 64
"""Bytes that an array begins at a multiple of."""
MAX_MESSAGE_BYTES = 32 * LARGEST_PROVENANCE
"""Bytes of a message: what a generator and a classifier may say of themselves, each character
escaped, and more.
"""
MOST_LABELS = 2**31
"""Bytes of predictions."""
MOST_COLUMNS = 4096
"""Values of the prediction of a pixel."""


class BlindData:
    """A scene or pairs without labels, as workers have them. Sent to a process that is being
    started, it maps the arrays from one temporary file that has no name: all of these processes
    share one copy, and the file is gone once the last of them has ended. Of a large cube they are
    given its own file, opened, where that holds nothing else.

    data: the data; arrays are read-only where they are mapped.
    """

    def __init__(self, data: TaskData) -> None:
        self._take(cast(TaskData, data.unlabelled))

    @classmethod
    def unpacked(cls, packed: bytes) -> Self:
        """The data of :meth:`packed`, on another machine."""
        blind = cls.__new__(cls)
        blind._take(pickle.loads(packed))
        return blind

    def packed(self) -> bytes:
        """The data for another machine, as a pickle. A cube that is read in windows is opened there
        under the same name.
        """
        self._load_cube()
        return pickle.dumps(self.data, protocol=5)

    def _take(self, data: TaskData) -> None:
        self.data = data
        cube = getattr(self.data, "pixels", None)
        self._cube = cube if isinstance(cube, FileCube) and cube.whole else None

    @cached_property
    def _stored(self) -> tuple[Any, bytes, list[tuple[int, int]]]:
        """The file, the pickle of all but the arrays, and where the bytes of each array begin and
        end.
        """
        self._load_cube()
        arrays: list[pickle.PickleBuffer] = []
        head = pickle.dumps(self.data, protocol=5, buffer_callback=arrays.append)
        spans = []
        descriptor, name = tempfile.mkstemp(prefix="hsiaug-")
        with open(descriptor, "wb") as written:  # noqa: PTH123
            # Opened anew: through what a worker is sent it could change the data of all others.
            file = open(name, "rb")  # noqa: PTH123, SIM115
            weakref.finalize(self, file.close)
            os.unlink(name)  # noqa: PTH108
            for array in arrays:
                written.write(b"\0" * (-written.tell() % ALIGNED))
                begin = written.tell()
                written.write(array.raw())
                spans.append((begin, written.tell()))
            # An empty file cannot be mapped.
            written.write(b"\0")
        return file, head, spans

    def _load_cube(self) -> None:
        if isinstance(self.data, HasCube) and self._cube is None:
            # What the file holds beside the cube might be labels: an array is made of it.
            _ = self.data.cube

    def __getstate__(self) -> tuple[Any, ...]:
        if not SENDS_FILES:
            self._load_cube()
            return (self.data,)
        file, head, spans = self._stored
        cube = self._cube and reduction.DupFd(self._cube.file.fileno())
        return reduction.DupFd(file.fileno()), head, spans, cube

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if len(state) == 1:
            self._take(*state)
            return
        descriptor, head, spans, cube = state
        with open(descriptor.detach(), "rb") as file:  # noqa: PTH123
            mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        self.data = pickle.loads(head, buffers=[mapped[begin:end] for begin, end in spans])
        if cube is not None:
            cast(Any, self.data).pixels.file = open(cube.detach(), "rb")  # noqa: PTH123, SIM115


@dataclass(frozen=True)
class WorkerStart:
    """Arguments that a worker is started with.

    Attributes
    ----------
    cache : Path
        Of fitted generators.
    data : BlindData
        The scene without labels.
    hidden : tuple of Path
        Files with labels, and the store, which it is not to read.
    temporary : Path or None
        Folder in which it makes one for its temporary files.
    plugins : tuple of Parcel
        Those that no package registers.
    third_party : tuple of Found
        Those of other packages.
    """

    job: Job
    cache: Path
    data: BlindData = field(compare=False)
    hidden: tuple[Path, ...] = ()
    temporary: Path | None = field(default=None, compare=False)
    plugins: tuple[Parcel, ...] = field(default_factory=parcels)
    third_party: tuple[Found, ...] = field(default_factory=third_party)


@contextmanager
def _told_shortage() -> Iterator[None]:
    """Where memory or processes are short outside of trials, as under a low limit, the process ends
    with exit code SHORT.
    """
    try:
        yield
    except BaseException as error:
        if shortage_of(error) is None:
            raise
        os._exit(SHORT)


@_told_shortage()
def serve(
    connection: Connection,
    start: WorkerStart,
    environment: Mapping[str, str],
) -> None:
    """Run trials until the other end of the connection is closed.

    Parameters
    ----------
    environment : mapping of str to str
        Of the process.
    """
    os.environ.clear()
    os.environ.update(environment)
    context = _seal(start)
    del start.__dict__["hidden"]
    # Ctrl-C reaches the workers too; records are written by their parent, so they may stop at once.
    join_run(lambda *_: os._exit(130))
    # After its own thread: Python waits for ever for one that finds no memory as it begins.
    start.job.bounds.apply()
    channel = Channel(connection)

    def tell(stage: str) -> None:
        channel.send(json.dumps({"stage": stage}).encode())

    fits = start.cache
    import_here(start.third_party, lambda: _keep_fits(start, fits))
    unpack(start.plugins)
    hide_labels()
    while True:
        fits, packed, split = channel.receive()
        if split is not None:
            context.split = split
        for spec, outcome in run_group(
            _in_turn(packed, context),
            context,
            registry(),
            device=start.job.device,
            progress=_progress(channel),
            tell=tell,
        ):
            send_outcome(channel, spec, outcome)


def _in_turn(packed: Iterable[bytes], context: SceneContext) -> Iterator[TrialSpec]:
    """Each trial as it is begun: to read one imports its plugins. From the first with a third-party
    classifier on no fit is saved: it could spoil one that trials without it find.
    """
    for spec in map(pickle.loads, packed):
        context.saves = context.saves and "classifier" not in dict(spec.third_party_parts)
        yield spec


def _seal(start: WorkerStart) -> SceneContext:
    """What trials run on, without a label. From now on this process reads no file that holds
    one, and changes nothing but its temporary files and saved fits, where the system allows that:
    before a second thread is there, and before any plugin.
    """
    # Its own: libraries run what they find in caches of theirs.
    temporary = tempfile.mkdtemp(dir=start.temporary)
    tempfile.tempdir = os.environ["TMPDIR"] = temporary
    os.environ |= {name: str(Path(temporary, name)) for name in CACHES - os.environ.keys()}
    context = SceneContext(start.data.data, get_task(start.job.task), start.cache)
    if start.job.bounds.isolate == "off":
        context.notes = (f"{OPEN} (--isolate off).",)
    else:
        # Without it trials run too, and save no fit.
        with suppress(OSError):
            start.cache.mkdir(parents=True, exist_ok=True)
        changed = _changed(start.cache, hidden=start.hidden)
        confined = confine(beside(start.hidden), changed, closed="with a path")
        if not confined and start.hidden:
            if start.job.bounds.isolate == "on":
                raise OSError(
                    "this system cannot keep a worker from the files that hold labels"
                    " (--isolate on)"
                )
            context.notes = (f"{OPEN}: this system has no Landlock or seccomp, or forbids it.",)
    return context


def _changed(*fits: Path, hidden: Iterable[Path] = ()) -> Iterator[Path]:
    """What a worker may change: saved fits, its temporary files, devices, and what the system shows
    of itself. Of these never the user's cache, nor what is hidden, wherever that lies.
    """
    for folder in (*fits, Path(tempfile.gettempdir()), *DEVICES):
        yield from beside([cache_root(), *hidden], folder.resolve())


def _keep_fits(start: WorkerStart, fits: Path) -> None:
    """Before a plugin of another package is imported: from now on this process changes no fits but
    those of its group, and these only where packages have a part in them.
    """
    if start.job.bounds.isolate == "off":
        return
    own = [] if fits == start.cache else [fits]
    for folder in own:
        make_folder_of_package(folder)
    confine([Path("/")], _changed(*own))


def _progress(channel: Channel) -> Callable[..., None]:
    """The function that plugins report their progress to: (done, total, note)."""
    last = 0.0

    def progress(done: object, total: object, note: object = "") -> None:
        nonlocal last
        if time.monotonic() - last > STEP_EVERY:
            last = time.monotonic()
            channel.send(json.dumps({"step": progress_values(done, total, note)}).encode())

    return progress


# Messages


def send_outcome(channel: Channel, spec: TrialSpec, outcome: TrialOutcome) -> None:
    """Send what a trial came to."""
    labels, sheet, prompted = outcome.labels, outcome.sheet, outcome.prompted
    parts = {
        "labels": None if labels is None else labels.tobytes(),
        "sheet": None if sheet is None else sheet.to_bytes(),
        "prompted": None if prompted is None else prompted.to_bytes(),
    }
    sent = {name: part for name, part in parts.items() if part is not None}
    head = {
        "record": outcome.record,
        "trial": spec.hash,
        "parts": list(sent),
        "columns": None if labels is None or labels.ndim == 1 else labels.shape[1],
    }
    channel.send(json.dumps(head).encode(), *sent.values())


class BadMessage(Exception):
    """What a worker sent is no message, or the worker has ended."""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


Stage = Annotated[str, Field(pattern=f"^({'|'.join(RECORDED)})$")]


class _ErrorMessage(TrialError):
    stage: Stage


class _Record(PartialRecord):
    """The part of a record that a worker says, and nothing else."""

    model_config = ConfigDict(extra="forbid")

    status: Literal["ok", "failed"]
    error: _ErrorMessage | None


class _Outcome(_Message):
    record: _Record
    trial: str
    parts: tuple[Literal["labels", "sheet", "prompted"], ...]
    columns: Annotated[int, Field(ge=1, le=MOST_COLUMNS)] | None = None


class _Step(_Message):
    step: tuple[object, object, object]


class _Begun(_Message):
    stage: Stage


MESSAGE: TypeAdapter[_Outcome | _Step | _Begun] = TypeAdapter(_Outcome | _Step | _Begun)


def read_message(connection: Connection, trial: str) -> str | PluginProgress | TrialOutcome:
    """The next message: the name of a stage that begins, a step, or what the trial came to. Raises
    BadMessage where it is none of the trial with that hash.
    """
    # Of what is nested more than 200 deep the first makes an error, of a number that is not finite
    # the second.
    message, content = _received(
        connection, MAX_MESSAGE_BYTES, lambda data: (MESSAGE.validate_json(data), decode(data))
    )
    if isinstance(message, _Begun):
        return message.stage
    if isinstance(message, _Step):
        return PluginProgress(*progress_values(*message.step))
    ok = message.record.status == "ok"
    no_error = message.record.error is None
    whole = ok == ("labels" in message.parts) == no_error and ok >= bool(message.parts)
    if message.trial != trial or not whole:
        raise BadMessage
    how: dict[str, tuple[int, Callable[[bytes], object]]] = {
        "labels": (MOST_LABELS, partial(_predictions, columns=message.columns)),
        "sheet": (MAX_SHEET_BYTES, read_sheet),
        "prompted": (MAX_PROMPTED_BYTES, read_prompted),
    }
    parts = {part: _received(connection, *how[part]) for part in message.parts}
    return TrialOutcome(content["record"], **{"labels": None, **parts})


def _predictions(data: bytes, columns: int | None) -> AnyArray:
    """Class ids (n,) int16, or so many columns (n, K) float32 of a task without classes."""
    if columns is None:
        return np.frombuffer(data, np.int16)
    return np.frombuffer(data, np.float32).reshape(-1, columns)


def _received(connection: Connection, most: int, read: Callable[[bytes], object]) -> Any:
    try:
        return read(receive(connection, most))
    # pydantic's is a ValueError too.
    except (EOFError, OSError, ValueError, RecursionError, MemoryError) as error:
        raise BadMessage from error
