"""Suites: several benchmarks in one TOML file, as docs/suites.md describes it.

A suite is a list of runs. What a run does not say is taken from ``[defaults]``; a profile, chosen
on the command line, beats both, so that a suite can be made small for a try.
"""

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from hsiaug.base.errors import InputError, check_known
from hsiaug.bench.plan import MOST_TRIALS
from hsiaug.bench.request import Request, RequestKeys, Settings
from hsiaug.data.pair_sets import find_pairs, split_bands, task_of
from hsiaug.data.paths import is_file, user_path
from hsiaug.data.tomlfile import read_toml, validate_table
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import task_names

Listed = BeforeValidator(
    lambda value: tuple(value) if isinstance(value, list | tuple) else (value,)
)
"""A single entry is a list of one."""


class Keys(RequestKeys):
    """Keys of a run beside those of every request; unknown ones are refused.

    Every key may stand in [defaults] and in a profile too, and replaces theirs whole.

    Attributes
    ----------
    task : str or None
        Pixels, segmentation or change.
    scenes, protocols, set : tuple of str or tuple of Settings or None
        Every combination is a plan of its own.
    scenes : tuple of str
        Catalogue names, or cards (.toml) relative to the suite; the masks of a protocol
        ``fixed:FILE`` are relative to it too.
    set : tuple of Settings
        {plugin: {parameter: value}}, or a list of such tables, whose arms then stand in one
        table of results.
    """

    task: str | None = None
    scenes: Annotated[tuple[str, ...], Listed, Field(min_length=1)] = ()
    protocols: Annotated[tuple[str | None, ...], Listed, Field(min_length=1)] = (None,)
    set: Annotated[tuple[Settings, ...], Listed, Field(min_length=1)] = ({},)


class RunKeys(Keys):
    """A run.

    Attributes
    ----------
    name : str
        What ``only`` and the tables call it.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]


class Profile(Keys):
    """Keys that override those of every run.

    Attributes
    ----------
    store : str or None
        A folder for its records.
    """

    store: str | None = None


class SuiteFile(BaseModel):
    """A whole suite. Made by :func:`read_suite`, which turns what is wrong into an InputError."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = ""
    store: str | None = None
    cluster: dict[str, str | int] = {}
    defaults: Keys = Keys()
    run: Annotated[tuple[RunKeys, ...], Field(min_length=1)]
    profiles: dict[str, Profile] = {}


@dataclass(frozen=True)
class Run:
    """A named list of benchmarks whose results stand together.

    Attributes
    ----------
    asked : tuple of (str, Request)
        Scene (name, card or folder) and request.
    elsewhere : bool
        On other data than those it was written for, whose usual protocol replaces one that does
        not fit them.
    """

    name: str
    asked: tuple[tuple[str, Request], ...]
    elsewhere: bool = False


@dataclass(frozen=True)
class Suite:
    """A suite.

    Attributes
    ----------
    store : Path or None
        Folder of the records, if the file names one.
    cluster : mapping of str to str or int
        Where trials run.
    notes : tuple of str
        Sentences on runs that were left out.
    """

    title: str
    store: Path | None
    runs: tuple[Run, ...]
    cluster: Mapping[str, str | int]
    notes: tuple[str, ...] = ()


PRODUCT = ("scenes", "protocols", "set")
"""Keys whose every combination is a plan."""

PACKAGE = Path(__file__).parents[1]


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


def is_suite(ref: str) -> bool:
    """True where a text is the path of a suite; False for a scene's name, its card, and what no one
    can read.
    """
    path = user_path(ref)
    try:
        keys = (
            read_toml(path, "card", InputError).keys() if path.suffix.lower() == ".toml" else set()
        )
    except (FileNotFoundError, InputError):
        return False  # the reader of cards says what is wrong
    return bool(keys & {"run", "defaults", "profiles"})


def read_suite(
    path: Path, *, profile: str | None = None, only: Sequence[str] = (), draws: Sequence[int] = ()
) -> Suite:
    """The suite in a TOML file.

    Parameters
    ----------
    profile : str or None
        A name under [profiles].
    only : sequence of str
        Names of the runs wanted, all where empty.
    draws : sequence of int
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
    asked = validate_table(table, SuiteFile, path, "suite", InputError)
    names = [run.name for run in asked.run]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        rule = f"suite {path}: each run must have a name of its own"
        raise InputError(rule, value=repr(twice[0]), hint="Rename one of them.")
    typed = [(name, names, "only") for name in only] + (
        [(profile, asked.profiles, "profile")] if profile else []
    )
    for name, known, option in typed:
        check_known(f"`{option}` must be a name in suite {path}", name, known)
    chosen = asked.profiles[profile] if profile else Profile()
    wanted = [run for run in asked.run if not only or run.name in only]
    keys = [_merged(path, asked.defaults, run, chosen, draws) for run in wanted]
    runs = [
        Run(run.name, tuple(_requests(path, run, merged)))
        for run, merged in zip(wanted, keys, strict=True)
    ]
    store = chosen.store or asked.store
    return Suite(asked.title, None if store is None else Path(store), tuple(runs), asked.cluster)


def on_data(suite: Suite, refs: Sequence[str]) -> Suite:
    """The suite on other data: names of the catalogue, cards or folders, in place of the first
    scenes of their task.

    Notes name the runs that have no such scene. Raises InputError where no run is left.
    """
    tasks = {
        ref: (entry.card.task,) if (entry := find_pairs(ref)) else task_names(of_scenes=True)
        for ref in refs
    }
    runs: list[Run] = []
    for run in suite.runs:
        asked: list[tuple[str, Request]] = []
        for ref, its in tasks.items():
            first = next((own for own, request in run.asked if request.task in its), None)
            asked += [(ref, request) for own, request in run.asked if own == first]
        runs.append(Run(run.name, tuple(asked), elsewhere=True))
    others = {own.name: {request.task for _, request in own.asked} for own in suite.runs}
    left_out = [
        f"{run.name} ({' and '.join(sorted(others[run.name]))})" for run in runs if not run.asked
    ]
    named = ", ".join(f"{ref} ({' or '.join(its)})" for ref, its in tasks.items())
    if len(left_out) == len(runs):
        rule = (
            "`data` must be of a task that the suite has:"
            f" {', '.join(sorted(set().union(*others.values())))}"
        )
        raise InputError(rule, value=named, hint="Name other data, or another suite.")
    said = (
        [f"runs left out, whose task is not that of {named}: {', '.join(left_out)}"]
        if left_out
        else []
    )
    return replace(suite, runs=tuple(run for run in runs if run.asked), notes=(*suite.notes, *said))


def _merged(
    path: Path, defaults: Keys, run: RunKeys, profile: Profile, draws: Sequence[int]
) -> Keys:
    """Every key of a run: the profile's, else its own, else the defaults'."""
    given: dict[str, Any] = {}
    for table in (defaults, run, profile):
        given |= {key: getattr(table, key) for key in table.model_fields_set}
    if draws:
        given["seeds"] = tuple(draws)
    merged = Keys().model_copy(
        update={key: value for key, value in given.items() if key in Keys.model_fields}
    )
    if not merged.scenes:
        raise InputError(
            f"suite {path}: run {run.name!r} must name its scenes",
            hint='Add scenes = ["indian_pines"], for example, to the run or to [defaults].',
        )
    if (number := math.prod(len(getattr(merged, name)) for name in PRODUCT)) > MOST_TRIALS:
        rule = f"suite {path}: run {run.name!r} must be at most {MOST_TRIALS:,} benchmarks"
        raise InputError(rule, value=f"{number:,}", hint=f"List fewer {', '.join(PRODUCT)}.")
    return merged


def _requests(path: Path, run: RunKeys, keys: Keys) -> Iterator[tuple[str, Request]]:
    """A scene and a request for every combination of the keys in PRODUCT."""
    shared: dict[str, Any] = {name: getattr(keys, name) for name in RequestKeys.model_fields}
    for scene, protocol, overrides in product(keys.scenes, keys.protocols, keys.set):
        # The path of a card is relative to the suite.
        card, _ = split_bands(scene)
        ref = (
            os.path.normpath(path.parent / user_path(scene))
            if card.lower().endswith(".toml")
            else scene
        )
        try:
            own: dict[str, Any] = {
                "task": task_of(ref, keys.task),
                "protocol": protocol and parse_protocol(protocol, keys.buffer, path.parent),
                "overrides": overrides,
            }
        except InputError as error:
            raise InputError(
                f"suite {path}, run {run.name!r}: {error.rule}", value=error.value, hint=error.hint
            ) from error
        # Each value was read as a key of the file.
        yield ref, Request.model_construct(**shared, **own)
