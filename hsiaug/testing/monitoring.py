"""What the checks do to a plugin while it computes: count and stop its progress, change the global random states."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from hsiaug.trial.guard import kept_state


class Cancelled(Exception):
    """Raised out of ``progress`` by the kit, as a user's Ctrl-C or a time limit would."""


class ProgressRecorder:
    """A ``progress`` that counts its calls, and cancels at one of them."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.calls = 0
        self._at = cancel_at

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self.calls += 1
        if self._at is not None and self.calls >= self._at:
            raise Cancelled("by the conformance kit")


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
