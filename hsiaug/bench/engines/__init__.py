"""Engines: where the trials of a run are carried out. One module each, which gives an executor;
``bench/engine.py: run_groups`` submits the groups of trials to it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from hsiaug.base.errors import check_known
from hsiaug.bench.engine import ClusterSettings, Engine, Say

ENGINES = ("local", "dask", "slurm")
"""Modules here, by the engine's name. One is imported when its engine is asked for, and offers
``make``.
"""


@contextmanager
def open_engine(settings: ClusterSettings, jobs: int, say: Say) -> Iterator[Engine]:
    """The engine that the settings name, until the end of the context.

    Parameters
    ----------
    settings : ClusterSettings
        With the engine's name.
    jobs : int
        Trials at the same time, where that is ours to choose.
    say : callable
        Tells the user a line.

    Yields
    ------
    Engine
        Ready to take trials.

    Raises
    ------
    InputError
        For an unknown name, and for one whose libraries are not installed.
    """
    name, _, address = settings.on.partition(":")
    check_known("`on` must name an engine", name, ENGINES)
    engine: Engine = import_module(f"{__name__}.{name}").make(address, jobs, settings, say)
    try:
        yield engine
    finally:
        engine.cancel()
