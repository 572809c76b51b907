"""In this process, which has its libraries loaded: commands, and trials whose plugins, scene or
clock exist only here.
"""

import contextlib
import functools
import io
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

import hsiaug.registry.lookup as plugins
from hsiaug.bench.engine import Group
from hsiaug.bench.worker import WorkerStart
from hsiaug.cli.main import main
from hsiaug.tasks.task import get_task
from hsiaug.trial.outcome import TrialOutcome
from hsiaug.trial.run import run_group
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import SceneContext


class Here:
    """What a worker process does, without a process: blind scene and split, and no other."""

    stage = "split"
    runs = True

    def __init__(self) -> None:
        self._start: WorkerStart | None = None
        self._context: SceneContext | None = None
        self._outcomes: Iterator[tuple[TrialSpec, TrialOutcome]] = iter(())

    def send(self, start: WorkerStart, trials: Group, blind: Any) -> None:
        if self._context is None or start != self._start:
            self._start = start
            self._context = SceneContext(start.data.data, get_task(start.task), Path(start.cache))
        self._context.split = blind
        self._outcomes = run_group(
            trials,
            self._context,
            plugins.registry(),
            device=start.settings.device,
            progress=lambda *_: None,
        )

    def take_outside(self) -> list[Any]:
        return []

    def receive(self) -> TrialOutcome:
        _, outcome = next(self._outcomes)
        return outcome

    def end(self) -> None:
        """It has no process."""


class AtOnce(Executor):
    """An executor that calls what is submitted within ``submit``, with one worker."""

    def __init__(self, jobs: int = 1) -> None:
        self._worker = Here()

    def submit(self, call: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(call(*args, self._worker, **kwargs))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._worker.end()


def run_trials_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every trial from now on run in this process."""
    monkeypatch.setattr("hsiaug.bench.engines.local.WorkerProcesses", AtOnce)


def hsiaug(*words: str, cwd: Path | None = None, site: Path | None = None) -> CompletedProcess[str]:
    """What :func:`tests.third_party.hsiaug` does in processes. site: a folder of plugin packages,
    installed meanwhile.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pytest.raises(SystemExit) as ended,
    ):
        run_trials_here(patch)
        if site is not None:
            make_importable(patch, site)
        patch.setenv("COLUMNS", "140")
        patch.setattr(sys, "argv", ["hsiaug", *words])
        main()
    code = ended.value.code
    return CompletedProcess(
        words, code if isinstance(code, int) else 0, out.getvalue(), err.getvalue()
    )


def make_importable(patch: pytest.MonkeyPatch, site: Path) -> None:
    """Install the plugin packages of a folder in this process, until the patch is undone."""
    patch.syspath_prepend(site)
    for file in site.glob("*.py"):
        # What is imported from there is forgotten in the end, so that another folder's module of
        # that name is read anew.
        patch.setitem(sys.modules, file.stem, None)
        del sys.modules[file.stem]
    patch.setattr(plugins, "_installed", functools.cache(plugins._installed.__wrapped__))


def refused(folder: Path, *words: str) -> str:
    """The error message of a command that must be refused, typed in a folder, which must stay as it
    is.
    """
    before = sorted(folder.rglob("*"))
    answer = hsiaug(*words, cwd=folder)

    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr and answer.stdout == ""
    assert sorted(folder.rglob("*")) == before
    return " ".join(answer.stderr.split())


__all__ = ["hsiaug", "refused", "run_trials_here"]
