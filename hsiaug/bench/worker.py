"""The worker process: it runs the plugins of one group of trials after the other, and holds no test
label.

It is started with the data of a scene without a label. Then it is sent where a group of trials has
its fits, each of its trials as a pickle, and its split: None for one that it has. What it sends is
that of :mod:`hsiaug.bench.messages`.
"""

import json
import os
import pickle
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from hsiaug.base.shortages import shortage_of
from hsiaug.base.user_cache import cache_root
from hsiaug.bench.blind_data import BlindData
from hsiaug.bench.engine import WorkerSettings
from hsiaug.bench.messages import outcome_message
from hsiaug.data.loading import hide_labels
from hsiaug.registry.isolation.confinement import beside, confine
from hsiaug.registry.isolation.processes import Channel, join_run
from hsiaug.registry.lookup import Found, import_here, registry, third_party
from hsiaug.registry.progress import progress_values
from hsiaug.registry.session_plugins import Parcel, parcels, unpack
from hsiaug.tasks.task import get_task
from hsiaug.trial.run import run_group
from hsiaug.trial.saved_fits import make_folder_of_package
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext

SHORT = 77
"""Exit code of a worker that is short of memory or processes."""
OPEN = "Plugins were not kept from the files that hold labels"
DEVICES = Path("/dev"), Path("/proc/self")
CACHES = {
    *("CUDA_CACHE_PATH", "MPLCONFIGDIR", "NUMBA_CACHE_DIR"),
    *("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR"),
}
"""Variables that say where libraries keep what they have compiled or found out: elsewhere they
would try in vain.
"""
STEP_EVERY = 0.2
"""Seconds between two reports of a plugin's own progress: fits call it at every step."""


@dataclass(frozen=True)
class WorkerStart:
    """Arguments that a worker is started with.

    Attributes
    ----------
    task : str
        Name of the task of all its trials.
    sha256 : str
        Of the scene that they were planned on.
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

    settings: WorkerSettings
    task: str
    sha256: str
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
    start.settings.bounds.apply()
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
            device=start.settings.device,
            progress=_progress(channel),
            tell=tell,
        ):
            channel.send(outcome_message(spec.hash, outcome))


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
    context = SceneContext(start.data.data, get_task(start.task), start.cache)
    if start.settings.bounds.isolate == "off":
        context.notes = (f"{OPEN} (--isolate off).",)
    else:
        # Without it trials run too, and save no fit.
        with suppress(OSError):
            start.cache.mkdir(parents=True, exist_ok=True)
        changed = _changed(start.cache, hidden=start.hidden)
        confined = confine(beside(start.hidden), changed, closed="with a path")
        if not confined and start.hidden:
            if start.settings.bounds.isolate == "on":
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
    if start.settings.bounds.isolate == "off":
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
