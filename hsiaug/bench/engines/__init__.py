"""Engines: where the trials of a run are carried out, how one is asked for, and how it is opened.

Each has a module, which gives an executor; ``bench/loops.py: run_groups`` submits the groups of
trials to it.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hsiaug.base.errors import InputError, check_known, did_you_mean
from hsiaug.bench.engine import Engine, Say

ENGINES = ("local", "dask", "slurm")
"""Modules here, by the engine's name. One is imported when its engine is asked for, and offers
``make``.
"""
MAX_SETTING = 10**6
"""Processes, jobs, trials or GPUs that can be asked for."""
Number = Annotated[int, Field(ge=1, le=MAX_SETTING)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,:@+-]{0,254}$")]
"""One or several separated by commas. They stand in the job's script, where no other character is
safe.
"""


class ClusterSettings(BaseModel):
    """Settings of engines; docs/cluster.md says which engine uses which.

    on: the engine, as NAME or NAME:ADDRESS. workers: processes or jobs at the same time.
    threads: trials at the same time in each of them. memory: of each, as 4GB. gpus: that a trial
    asks for. partition, account: of SLURM; time: of each of its jobs, as 90m or 2h; tasks: jobs
    of an array at most. labels: of Dask; "here" sends its workers the scene without labels, so
    that these need not have them: the command scores.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: str = "local"
    workers: Number | None = None
    threads: Number = 1
    memory: Annotated[str, Field(pattern=r"^[0-9]{1,12} ?[kKMGT]i?B$")] | None = None
    gpus: Annotated[int, Field(ge=0, le=MAX_SETTING)] = 0
    partition: Name | None = None
    account: Name | None = None
    time: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[mh]$")] | None = None
    tasks: Number | None = None
    labels: Literal["everywhere", "here"] = "everywhere"

    @property
    def minutes(self) -> int | None:
        """Time limit of each job in minutes."""
        if self.time is None:
            return None
        return int(self.time[:-1]) * (60 if self.time.endswith("h") else 1)


def cluster_settings(
    on: str | None, typed: Iterable[str], suite: Mapping[str, object] | None = None
) -> ClusterSettings:
    """Return settings: KEY=VALUE as typed beats the suite. on: the engine, if named.

    Raises InputError for anything that is no such setting.
    """
    found = dict(suite or {})
    for word in typed:
        key, equals, value = word.partition("=")
        if not equals or key not in ClusterSettings.model_fields:
            hint = did_you_mean(key, ClusterSettings.model_fields)
            raise InputError("`cluster` must be KEY=VALUE", value=repr(word), hint=hint)
        found[key] = value
    if on is not None:
        found["on"] = on
    try:
        return ClusterSettings.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        rule = (
            f"the cluster setting {key} is not valid ({first['msg'][:1].lower()}{first['msg'][1:]})"
        )
        hint = "For example workers=4, threads=2, memory=4GB, gpus=1, partition=short, time=2h."
        raise InputError(rule, value=repr(first["input"]), hint=hint) from error


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
