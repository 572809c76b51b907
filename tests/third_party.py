"""Third-party plugin packages as users install them: a module and its dist-info on the path."""

import os
import signal
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from hsiaug.trial.store import Store
from tests.forked_commands import AVAILABLE, run_module
from tests.processes import Process

DUMMY = '''
"""A generator and a classifier that cost nothing, so that what is left is the framework."""
from dataclasses import dataclass
import numpy as np
from hsiaug.api import Card, Entry, PatchSamples, hookimpl, load_state, param, save_state


@dataclass(frozen=True)
class Params:
    gain: float = param(1.0, "factor of every sample", low=0, high=2)


class Fitted:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def sample(self, counts, *, guidance, seed):
        index = np.concatenate([np.resize(np.flatnonzero(self.y == c), n) for c, n in counts.items()])
        return PatchSamples.made(self.x[index], self.y[index], {"note": "dummy"})

    def save(self, folder):
        save_state(folder, {"x": self.x, "y": self.y})


class Generator:
    card = Card(name="dummy", version="1", summary="repeats", params=Params)

    def __init__(self, params):
        self.params = params

    def fit(self, view, *, seed, device, progress):
        progress(1, 1)
        return Fitted(view.real.x * np.float32(self.params.gain), view.real.y)

    def load(self, folder, *, device):
        return Fitted(**load_state(folder)[0])


class Guided(Generator):
    card = Card(name="guided", version="1", summary="repeats, and takes ω", guidance=1.5, params=Params)


class Commonest:
    card = Card(name="commonest", version="1", summary="the most frequent class", input="spectrum")

    def __init__(self, params):
        pass

    def fit(self, samples, view, *, seed, device, progress):
        self.answer = np.bincount(samples.y).argmax()
        return self

    def predict(self, patches):
        return np.full(len(patches), self.answer)


class Nearest(Commonest):
    """Nearest class mean: sensitive to every sample and every weight."""

    card = Card(name="nearest", version="1", summary="nearest class mean", input="spectrum")

    def fit(self, samples, view, *, seed, device, progress):
        self.ids = np.unique(samples.y)
        self.means = np.stack([samples.centres[samples.y == c].mean(axis=0) for c in self.ids])
        return self

    def predict(self, patches):
        distance = ((patches.centres[:, None] - self.means[None]) ** 2).sum(axis=-1)
        return self.ids[distance.argmin(axis=1)]


@hookimpl
def hsiaug_plugins():
    return [
        Entry("generator", "dummy", "dummy_plugin:Generator"),
        Entry("generator", "guided", "dummy_plugin:Guided"),
        Entry("classifier", "commonest", "dummy_plugin:Commonest"),
        Entry("classifier", "nearest", "dummy_plugin:Nearest"),
    ]
'''

ONE_SPLIT = (
    *("--classifier", "rf", "--view", "raw", "--lambda", "0.5", "--patch", "3"),
    *("--seeds", "1", "--jobs", "1"),
)
"""A benchmark of few trials, for a generator that is only to be seen at work."""


def install(folder: Path, module: str, code: str, distribution: str | None = None) -> Path:
    """Put a plugin package into ``folder``, which belongs on the path."""
    name = distribution or module.replace("_", "-")
    folder.mkdir(exist_ok=True)
    (folder / f"{module}.py").write_text(code)
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[hsiaug]\n{module} = {module}\n")
    return folder


def point(module: str) -> EntryPoint:
    """The entry point of such a package."""
    return EntryPoint(name=module, value=module, group="hsiaug")


def environment(*folders: Path, **extra: str) -> dict[str, str]:
    """The environment of a process that finds the packages in ``folders``."""
    path = os.pathsep.join([*map(str, folders), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "140", "OMP_NUM_THREADS": "1", **extra}


def hsiaug(
    *words: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed command in a process of its own, which begins with its libraries loaded
    where that makes no difference (:mod:`tests.forked_commands`).
    """
    return python_module("hsiaug", *words, env=env or environment(), cwd=cwd)


def hsiaug_anew(
    *words: str, env: dict[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the installed command as a user does: it loads its libraries itself."""
    command = [sys.executable, "-m", "hsiaug", *words]
    return subprocess.run(
        command, env=env or environment(), cwd=cwd, capture_output=True, text=True
    )


def python_module(
    module: str, *words: str, env: dict[str, str], cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m MODULE WORDS`` in a process as that of :func:`hsiaug`."""
    if AVAILABLE:
        return run_module(module, *words, env=env, cwd=cwd)
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True)


def patient(*words: str) -> list[str]:
    """The command, which after a signal removes what it had begun, however busy the machine is: it
    would end after seconds otherwise, and leave that behind.
    """
    return altered("from hsiaug.base import signals; signals.WITHIN = 300", *words)


def altered(setting: str, *words: str) -> list[str]:
    """The command, in whose process a line of Python sets what has no option."""
    code = (
        f"{setting}; import runpy; runpy.run_module('hsiaug', run_name='__main__', alter_sys=True)"
    )
    return [sys.executable, "-c", code, *words]


def started(*words: str, env: dict[str, str], cwd: Path | None = None) -> Process:
    """The command, begun as at a terminal: Ctrl-C reaches all its processes. Its stderr can be
    read.
    """
    return Process(
        patient(*words),
        env=env,
        cwd=cwd,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C, and they hand that
        # down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def results(store: Path) -> dict[str, Any]:
    """Status and checksum of the predictions of every record of a store, by hash."""
    return {r["hash"]: (r["status"], r["predictions_sha256"]) for r in Store(store).each()}
