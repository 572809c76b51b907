"""Suites: several benchmarks in one TOML file, as docs/papers.md describes it.

A suite is a list of runs; what a run does not say is taken from ``[defaults]``.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hsiaug.base.errors import InputError
from hsiaug.bench.plan import MOST_TRIALS
from hsiaug.bench.request import Request, RequestKeys, Settings
from hsiaug.data.catalogue import own_card
from hsiaug.data.pair_sets import split_bands
from hsiaug.data.paths import is_file, user_path
from hsiaug.data.texts import read_toml, validate_table
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import task_of

PRODUCT = ("scenes", "protocols", "set")
"""Keys whose every combination is a plan."""
PACKAGE = Path(__file__).parents[1]
Listed = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else (value,))
"""One value, or a list of them."""


class Keys(RequestKeys):
    """Keys of a run beside those of every request; unknown ones are refused.

    Attributes
    ----------
    task : str or None
        Pixels, segmentation or change.
    scenes : tuple of str
        Catalogue names, or cards (.toml) relative to the suite; the masks of a protocol
        ``fixed:FILE`` are relative to it too.
    protocols : tuple of str
        As ``--protocol`` takes them.
    set : tuple of Settings
        {plugin: {parameter: value}}, or a list of such tables, whose configurations are then rows
        of one table of results.
    """

    task: str | None = None
    scenes: Annotated[tuple[str, ...], Listed, Field(min_length=1)] = ()
    protocols: Annotated[tuple[str | None, ...], Listed, Field(min_length=1)] = (None,)
    set: Annotated[tuple[Settings, ...], Listed, Field(min_length=1)] = ({},)


class RunKeys(Keys):
    """A run. name: what tables call it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class SuiteFile(BaseModel):
    """A whole suite. Made by :func:`read_suite`, which turns what is wrong into an InputError."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = ""
    store: str | None = None
    cluster: dict[str, str | int] = {}
    defaults: Keys = Keys()
    run: Annotated[tuple[RunKeys, ...], Field(min_length=1)]


@dataclass(frozen=True)
class Run:
    """A named list of benchmarks whose results stand together.

    Attributes
    ----------
    asked : tuple of (str, Request)
        Scene (name, card or folder) and request.
    """

    name: str
    asked: tuple[tuple[str, Request], ...]


@dataclass(frozen=True)
class Suite:
    """A suite.

    Attributes
    ----------
    file : SuiteFile
        As it is written.
    store : Path or None
        Folder of the records, if the file names one.
    """

    file: SuiteFile
    store: Path | None
    runs: tuple[Run, ...]


def find_suite(ref: str) -> Path:
    """The path of a suite: its own, or that of one that comes with hsiaug, by name.

    Raises InputError for a name that there is not.
    """
    path = user_path(ref)
    if path.suffix.lower() == ".toml" or is_file(path):
        return path
    # A wheel has the first, a clone the second.
    folder = PACKAGE / "suites" if (PACKAGE / "suites").is_dir() else PACKAGE.parent / "benchmarks"
    names = sorted(own.stem for own in folder.glob("*.toml"))
    if ref not in names:
        rule = "`suite` must be a TOML file, or the name of a suite that comes with hsiaug"
        raise InputError(rule, value=repr(ref), hint=f"Known names: {', '.join(names)}.")
    return folder / f"{ref}.toml"


def read_suite(path: Path, *, seeds: Sequence[int] = ()) -> Suite:
    """The suite in a TOML file.

    Parameters
    ----------
    path : Path
        Of the file.
    seeds : sequence of int
        In place of every run's seeds.

    Raises
    ------
    InputError
        Naming the file, the key and the hint, where the file breaks the schema.
    """
    try:
        table = read_toml(path, "suite", InputError)
    except FileNotFoundError:
        raise InputError(f"suite {path} must exist", hint="Check the path.") from None
    file = validate_table(table, SuiteFile, path, "suite", InputError)
    names = Counter(run.name for run in file.run)
    if twice := [name for name, times in names.items() if times > 1]:
        rule = f"suite {path}: each run must have a name of its own"
        raise InputError(rule, value=repr(twice[0]), hint="Rename one of them.")
    runs = []
    for run in file.run:
        keys = _with_defaults(path, file.defaults, run, seeds)
        runs.append(Run(run.name, tuple(_requests(path, run.name, keys))))
    return Suite(file, None if file.store is None else Path(file.store), tuple(runs))


def _with_defaults(path: Path, defaults: Keys, run: RunKeys, seeds: Sequence[int]) -> Keys:
    """Every key of a run: its own, else that of the defaults."""
    given = {
        key: getattr(table, key) for table in (defaults, run) for key in table.model_fields_set
    }
    if seeds:
        given["seeds"] = tuple(seeds)
    given.pop("name")
    keys = Keys().model_copy(update=given)
    if not keys.scenes:
        raise InputError(
            f"suite {path}: run {run.name!r} must name its scenes",
            hint='Add scenes = ["indian_pines"], for example, to the run or to [defaults].',
        )
    if (number := math.prod(len(getattr(keys, key)) for key in PRODUCT)) > MOST_TRIALS:
        rule = f"suite {path}: run {run.name!r} must be at most {MOST_TRIALS:,} benchmarks"
        raise InputError(rule, value=f"{number:,}", hint=f"List fewer {', '.join(PRODUCT)}.")
    return keys


def _requests(path: Path, run: str, keys: Keys) -> Iterator[tuple[str, Request]]:
    """A scene and a request for every combination of the keys in PRODUCT."""
    shared: dict[str, Any] = {name: getattr(keys, name) for name in RequestKeys.model_fields}
    for scene, protocol, overrides in product(keys.scenes, keys.protocols, keys.set):
        ref = scene
        if own_card(split_bands(scene)[0]):
            # The path of a card is relative to the suite.
            ref = os.path.normpath(path.parent / user_path(scene))
        try:
            own: dict[str, Any] = {
                "task": task_of(ref, keys.task),
                "protocol": protocol and parse_protocol(protocol, keys.buffer, path.parent),
                "overrides": overrides,
            }
        except InputError as error:
            raise InputError(
                f"suite {path}, run {run!r}: {error.rule}", value=error.value, hint=error.hint
            ) from error
        # Each value was read as a key of the file.
        yield ref, Request.model_construct(**shared, **own)
