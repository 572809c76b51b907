"""Observation of a plugin while it computes: global state of the process, inputs, progress, optimiser steps."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import os
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.protocol.view import TrainView
from hsiaug.trial.guard import kept_state
from hsiaug.trial.machine import OptimiserWork


class Cancelled(Exception):
    """Raised out of ``progress`` by the kit, as a user's Ctrl-C or a time limit would."""


class ProgressRecorder:
    """A ``progress`` that remembers its calls, and may cancel at one of them.

    work: what is counted meanwhile. calls: (done, total, note) of each. cancelled_after: the optimiser steps that were
    taken before the cancellation, or None where there was none.
    """

    def __init__(self, cancel_at: int | None = None, work: OptimiserWork | None = None) -> None:
        self.calls: list[tuple[Any, Any, Any]] = []
        self.error = Cancelled("by the conformance kit")
        self.cancelled_after: int | None = None
        self._at, self._work = cancel_at, work or OptimiserWork()

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self.calls.append((done, total, note))
        if self._at is not None and len(self.calls) >= self._at:
            if self.cancelled_after is None:
                self.cancelled_after = self._work.steps
            raise self.error


def checksum(value: Any) -> str:
    """A checksum of all arrays that a plugin is given in a view, in samples, or in what it is to predict."""
    digest = hashlib.sha256()
    for array in _arrays(value):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(value: Any) -> Iterator[NDArray[Any]]:
    if isinstance(value, np.ndarray):
        yield value
    elif dataclasses.is_dataclass(value):
        parts = [getattr(value, item.name) for item in dataclasses.fields(value)]
        # Made once and then kept by the view, which is shared.
        parts += [value.real, value.normaliser] if isinstance(value, TrainView) else []
        for part in parts:
            yield from _arrays(part)


def process_state() -> dict[str, Any]:
    """Global state that no plugin may change, in a form that can be compared."""
    import torch

    state: Any = np.random.get_state(legacy=True)
    return {
        "the random state of random": random.getstate(),
        "the random state of numpy": (state[1].tobytes(), *state[2:]),
        "the random state of torch": torch.get_rng_state().numpy().tobytes(),
        "torch's number of threads": torch.get_num_threads(),
        "torch's default dtype": torch.get_default_dtype(),
        "torch's gradient mode": torch.is_grad_enabled(),
        "torch's deterministic mode": torch.are_deterministic_algorithms_enabled(),
        "numpy's error handling": np.geterr(),
        "the working directory": os.getcwd(),  # noqa: PTH109
    }


def changed(before: dict[str, Any]) -> set[str]:
    """Names of the global state that changed."""
    return {name for name, value in process_state().items() if before[name] != value}


@contextmanager
def other_global_seeds() -> Iterator[None]:
    """Within it the global random states are others; afterwards they are as before."""
    import torch

    with kept_state():
        random.seed(20_11)
        np.random.seed(20_11)
        # Not torch.manual_seed, which would reseed the GPUs too, and these are not restored.
        torch.default_generator.manual_seed(20_11)
        yield


def helpers() -> set[str]:
    """Names of the threads and child processes of this process."""
    return {f"thread {t.name}" for t in threading.enumerate()} | {
        f"process {p.name}" for p in multiprocessing.active_children()
    }
