"""How many threads numerical libraries compute with: one in each process."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def one_thread() -> None:
    """Let numerical libraries that are loaded from now on, here and in child processes, compute
    with one thread.

    The order of their sums, and so the last bits of predictions, depends on the number of threads:
    it must not come from the user's environment, which is no part of a trial's hash. Trials run
    side by side instead.
    """
    os.environ.update(dict.fromkeys(VARIABLES, "1"))


@contextmanager
def one_thread_each() -> Iterator[None]:
    """The same for child processes that are started meanwhile, and nothing of this process is
    changed afterwards.
    """
    before = {name: os.environ.get(name) for name in VARIABLES}
    one_thread()
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def one_thread_here() -> Iterator[None]:
    """The same for this process too, whichever libraries it has loaded already."""
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 1
    try:
        with one_thread_each(), threadpool_limits(1):
            if torch:
                torch.set_num_threads(1)
            yield
    finally:
        if torch:
            torch.set_num_threads(before)


def threads() -> int:
    """Threads that numerical libraries use in this process."""
    return int(os.environ.get("OMP_NUM_THREADS") or cores())


def cores() -> int:
    """Cores that this process may use: on a cluster's node, and under ``taskset``, fewer than the
    machine has.
    """
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
