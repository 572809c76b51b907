"""The worker process: it runs the plugins of one group of trials after the other, and holds no test
label.

It is started with the data of a scene without a label. Then it is sent the trials of a group, each
as a pickle, and their split: None for one that it has. What it sends are pairs: ``("stage", name)``
as a trial goes on, ``("outside", text)`` for what a plugin does outside of its package, then
``("end", TrialOutcome)``.
"""

import os
import pickle
import re
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self, cast

from hsiaug.bench.engine import WorkerSettings
from hsiaug.contracts import silent
from hsiaug.core.scene import HasCube
from hsiaug.data.loading import hide_labels
from hsiaug.data.windows import FileCube
from hsiaug.registry.isolation.confinement import confine, programs
from hsiaug.registry.isolation.processes import join_run
from hsiaug.registry.isolation.shared_arrays import SENDS_FILES, SharedArrays
from hsiaug.registry.isolation.watching import watch
from hsiaug.registry.lookup import registry
from hsiaug.registry.session_plugins import Parcel, parcels, unpack
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.run import run_group
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext

CHECKSUM = re.compile(r"#[0-9a-f]{12}$")
"""What parameters write behind the name of a file, so that other content is another parameter."""


class BlindData:
    """A scene or pairs without labels, as workers have them: their arrays are shared
    (:class:`hsiaug.registry.isolation.shared_arrays.SharedArrays`). Of a large cube a process that
    is being started is given its own file, opened, where that holds nothing else.

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
        self._shared = SharedArrays(data)
        cube = getattr(self.data, "pixels", None)
        self._cube = cube if isinstance(cube, FileCube) and cube.whole else None

    def _load_cube(self) -> None:
        if isinstance(self.data, HasCube) and self._cube is None:
            # What the file holds beside the cube might be labels: an array is made of it.
            _ = self.data.cube

    def __getstate__(self) -> tuple[Any, ...]:
        self._load_cube()
        sent = self._cube if SENDS_FILES else None
        return self._shared, sent and reduction.DupFd(sent.file.fileno())

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        shared, cube = state
        self.data = shared.value
        if cube is not None:
            cast(Any, self.data).pixels.file = open(cube.detach(), "rb")  # noqa: PTH123, SIM115


# The process


DEVICES = Path("/dev"), Path("/proc/self")
LIBRARIES_CACHES = (
    *("CUDA_CACHE_PATH", "MPLCONFIGDIR", "NUMBA_CACHE_DIR"),
    *("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"),
)
"""Variables that say where libraries keep what they have compiled or found out: elsewhere they
would try in vain.
"""


@dataclass(frozen=True)
class WorkerStart:
    """Arguments that a worker is started with.

    Attributes
    ----------
    task : str
        Name of the task of all its trials.
    cache : Path
        Of fitted generators.
    data : BlindData
        The scene without labels.
    named : frozenset of Path
        Files that parameters of plugins name, which they may read.
    temporary : Path or None
        Folder in which it makes one for its temporary files.
    plugins : tuple of Parcel
        Those that no package registers.
    """

    settings: WorkerSettings
    task: str
    cache: Path
    data: BlindData
    named: frozenset[Path] = frozenset()
    temporary: Path | None = field(default=None, compare=False)
    plugins: tuple[Parcel, ...] = field(default_factory=parcels)


def named_files(trials: Iterable[TrialSpec]) -> frozenset[Path]:
    """The files and folders that parameters of the plugins of trials name.

    Parameters
    ----------
    trials : iterable of TrialSpec
        Of one scene.
    """
    values = {
        name
        for trial in trials
        for _, plugin in trial.plugins
        for value in (getattr(plugin.params, item.name) for item in fields(plugin.params))
        if isinstance(value, str)
        for name in _names_in(value)
    }
    found = set()
    for value in values:
        # A text that no file can be called is none.
        with suppress(OSError, ValueError):
            path = Path(value).expanduser()
            if value and path.exists():
                found.add(path.resolve())
    return frozenset(found)


def _names_in(value: str) -> tuple[str, ...]:
    """What may be the name of a file: all of a parameter's text, or what follows ``file:`` or
    ``openclip:MODEL@``; without the checksum behind it.
    """
    name = CHECKSUM.sub("", value)
    return value, name, name.removeprefix("file:"), name.partition("@")[2]


def serve(connection: Connection, start: WorkerStart) -> None:
    """Run trials until the other end of the connection is closed."""
    join_run()
    sending = threading.Lock()

    def send(kind: str, value: Any) -> None:
        with sending:
            try:
                connection.send((kind, value))
            except OSError:
                # Nobody hears this process any more.
                os._exit(1)

    own = os.getpid()
    context = _begin(start, send)
    unpack(start.plugins)
    hide_labels()
    while True:
        try:
            packed, split = connection.recv()
        except (EOFError, OSError):
            # Not by the interpreter's shutdown, which would wait for threads that plugins left.
            os._exit(0)
        if split is not None:
            context.split = split
        for _, outcome in run_group(
            _in_turn(packed, context),
            context,
            registry(),
            device=start.settings.device,
            progress=silent,
            tell=lambda stage: send("stage", stage),
        ):
            if os.getpid() != own:
                # A copy that a plugin made of this process, which goes on itself.
                os._exit(0)
            send("end", outcome)


def _begin(start: WorkerStart, send: Callable[[str, Any], None]) -> SceneContext:
    """What trials run on, without a label. From now on this process reads programs and what
    parameters name, and changes nothing but its temporary files and saved fits, where the system
    allows that; what it does elsewhere is told.
    """
    temporary = tempfile.mkdtemp(dir=start.temporary)
    tempfile.tempdir = os.environ["TMPDIR"] = temporary
    for name in LIBRARIES_CACHES:
        # Its own: libraries run what they find in caches of theirs.
        os.environ.setdefault(name, str(Path(temporary, name)))
    # Without it trials run too, and save no fit.
    with suppress(OSError):
        start.cache.mkdir(parents=True, exist_ok=True)
    context = SceneContext(start.data.data, get_task(start.task), start.cache)
    readable = [*programs(), *start.named]
    writable = [start.cache, Path(temporary), *DEVICES]
    confine(readable, writable)
    watch([*readable, *writable], lambda text: send("outside", text))
    return context


def _in_turn(packed: Iterable[bytes], context: SceneContext) -> Iterator[TrialSpec]:
    """Each trial as it is begun: to read one imports its plugins. From the first with a third-party
    classifier on no fit is saved: it could spoil one that trials without it find.
    """
    for spec in map(pickle.loads, packed):
        context.saves = context.saves and "classifier" not in dict(spec.third_party_parts)
        yield spec
