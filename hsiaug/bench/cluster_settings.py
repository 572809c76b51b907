"""Settings of where trials run and what they are given there: ``on``, ``cluster``, environment or suite."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hsiaug.base.errors import InputError, did_you_mean

__all__ = ["ClusterSettings", "cluster_settings"]

VARIABLE = "HSIAUG_CLUSTER"
MOST = 10**6
Number = Annotated[int, Field(ge=1, le=MOST)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,:@+-]{0,254}$")]
"""One or several separated by commas. They stand in the job's script, where no other character is safe."""


class ClusterSettings(BaseModel):
    """Settings of engines; docs/cluster.md says which engine uses which.

    on: the engine, as NAME or NAME:ADDRESS. workers: processes or jobs at the same time. threads: trials at the same
    time in each of them. memory: of each, as 4GB. gpus: that the trials of a generator on a GPU take. partition, account:
    of SLURM; time: of each of its jobs, as 90m or 2h; tasks: jobs of an array at most.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: str = "local"
    workers: Number | None = None
    threads: Number = 1
    memory: Annotated[str, Field(pattern=r"^[0-9]{1,12} ?[kKMGT]i?B$")] | None = None
    gpus: Annotated[int, Field(ge=0, le=MOST)] = 0
    partition: Name | None = None
    account: Name | None = None
    time: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,5}[mh]$")] | None = None
    tasks: Number | None = None

    @property
    def minutes(self) -> int | None:
        """Time limit of each job in minutes."""
        return None if self.time is None else int(self.time[:-1]) * (60 if self.time.endswith("h") else 1)


def cluster_settings(
    on: str | None, typed: Iterable[str], suite: Mapping[str, object] | None = None
) -> ClusterSettings:
    """Return settings: KEY=VALUE as typed beats the environment, which beats the suite. on: the engine, if named.

    Raises InputError for anything that is no such setting.
    """
    found = dict(suite or {})
    for source, words in ((VARIABLE, os.environ.get(VARIABLE, "").split()), ("`cluster`", typed)):
        for word in words:
            key, equals, value = word.partition("=")
            if not equals or key not in ClusterSettings.model_fields:
                hint = did_you_mean(key, ClusterSettings.model_fields)
                raise InputError(f"{source} must be KEY=VALUE", value=repr(word), hint=hint)
            found[key] = value
    if on is not None:
        found["on"] = on
    try:
        return ClusterSettings.model_validate(found)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(
            f"the cluster setting {key} is not valid ({first['msg'][:1].lower()}{first['msg'][1:]})",
            value=repr(first["input"]),
            hint="For example workers=4, threads=2, memory=4GB, gpus=1, partition=short, time=2h.",
        ) from error
