"""Suites: several benchmarks in one TOML file, as docs/suites.md describes it.

A suite is a list of runs. What a run does not say is taken from ``[defaults]``; a profile, chosen
on the command line, beats both, so that a suite can be made small for a try. It may declare the
claims and tables of a paper, which reports then show.

An arm of these is told by the runs that plan it, its generator and classifier, and the settings
that these were given there, so that profiles and ``--data`` change claims and tables with the runs.
"""

import math
import os
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hsiaug.base.errors import InputError, check_known
from hsiaug.bench.plan import MOST_TRIALS, Plan
from hsiaug.bench.request import Request, RequestKeys, Settings
from hsiaug.data.catalogue import find_entry, own_card, status
from hsiaug.data.pair_sets import find_pairs, pairs_status, split_bands
from hsiaug.data.paths import is_file, user_path
from hsiaug.data.tomlfile import read_toml, validate_table
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import USUAL, task_names, task_of
from hsiaug.trial.declared_tables import (
    ArmTrial,
    ArmTrials,
    Claim,
    DeclaredTable,
    DeclaredTables,
    Listed,
    TableSetting,
)
from hsiaug.trial.spec import TrialSpec


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
    optional_scenes : tuple of str
        More of them, which are left out where their files are not here.
    set : tuple of Settings
        {plugin: {parameter: value}}, or a list of such tables, whose arms then stand in one
        table of results.
    """

    task: str | None = None
    scenes: Annotated[tuple[str, ...], Listed, Field(min_length=1)] = ()
    optional_scenes: Annotated[tuple[str, ...], Listed] = ()
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


class ArmKeys(BaseModel):
    """An arm of claims and tables.

    Attributes
    ----------
    run : tuple of str
        Names of the runs that plan it.
    classifier : str or None
        None for an arm whose samples alone are looked at.
    set : Settings
        The settings that its generator and its classifier are given there.
    omega : float or None
        None = the generator's own, or every value where the arm is swept over ω.
    lam : float or None
        λ (``lambda`` in the file); None = whatever the runs plan.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    run: Annotated[tuple[str, ...], Listed, Field(min_length=1)]
    generator: str
    classifier: str | None = None
    set: Settings = {}
    lam: float | None = Field(default=None, alias="lambda")
    omega: float | None = None
    train: Literal["both", "synthetic"] = "both"


class SuiteFile(BaseModel):
    """A whole suite. Made by :func:`read_suite`, which turns what is wrong into an InputError."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    title: str = ""
    store: str | None = None
    cluster: dict[str, str | int] = {}
    defaults: Keys = Keys()
    run: Annotated[tuple[RunKeys, ...], Field(min_length=1)]
    profiles: dict[str, Profile] = {}
    arms: dict[str, ArmKeys] = {}
    claim: tuple[Claim, ...] = ()
    table: tuple[DeclaredTable, ...] = ()


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
    optional : frozenset of str
        Scenes that may be missing.
    """

    name: str
    asked: tuple[tuple[str, Request], ...]
    elsewhere: bool = False
    optional: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Suite:
    """A suite, with the runs that were asked for.

    Attributes
    ----------
    file : SuiteFile
        As it is written.
    store : Path or None
        Folder of the records, if the file or its profile names one.
    notes : tuple of str
        Sentences on runs that were left out.
    """

    file: SuiteFile
    store: Path | None
    runs: tuple[Run, ...]
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
        Run(
            run.name,
            tuple(_requests(path, run, merged)),
            optional=frozenset(_scene_ref(path, scene) for scene in merged.optional_scenes),
        )
        for run, merged in zip(wanted, keys, strict=True)
    ]
    check_tables(f"suite {path}", asked.arms, asked.claim, asked.table, names)
    store = chosen.store or asked.store
    return Suite(asked, None if store is None else Path(store), tuple(runs))


def declared_tables(
    suite: Suite,
    plans: Sequence[Plan],
    ref: str,
    profile: str | None = None,
    data: str | None = None,
) -> DeclaredTables:
    """The claims and tables of a suite, with the trials of their arms.

    Parameters
    ----------
    ref, profile, data : str or None
        What was typed for the suite.
    plans : sequence of Plan
        The plans of its runs, in their order.

    Raises
    ------
    InputError
        Where an arm stands for several trials of one draw.
    """
    runs = [(run.name, request) for run in suite.runs for _, request in run.asked]
    file = suite.file
    arms = place_arms(file.arms, file.claim, runs, plans)
    typed = (("--suite", ref), ("--profile", profile), ("--data", data))
    options = " ".join(f"{name} {shlex.quote(value)}" for name, value in typed if value)
    return DeclaredTables(options, file.title, file.claim, file.table, arms)


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


def only_present(suite: Suite) -> Suite:
    """The suite without the optional scenes whose files are not here; a note names them.

    Raises InputError where no run is left.
    """
    absent = [
        ref
        for ref in dict.fromkeys(
            ref for run in suite.runs for ref, _ in run.asked if ref in run.optional
        )
        if not _is_here(ref)
    ]
    if not absent:
        return suite
    runs = [
        replace(run, asked=tuple(pair for pair in run.asked if pair[0] not in absent))
        for run in suite.runs
    ]
    names = ", ".join(Path(ref).stem for ref in absent)
    if not any(run.asked for run in runs):
        rule = "a suite must have a scene whose files are here"
        hint = (
            "'hsiaug datasets info NAME' says how to get those of the catalogue, python -m"
            " benchmarks.make_scenes, in a clone, makes others; --data takes data of yours."
        )
        raise InputError(rule, value=f"none of {names}", hint=hint)
    empty = [run.name for run in runs if not run.asked]
    without = f"; no run of {', '.join(empty)} is left" if empty else ""
    note = f"scenes left out, whose files are not here: {names}{without}"
    kept = tuple(run for run in runs if run.asked)
    return replace(suite, runs=kept, notes=(*suite.notes, note))


def missing_card(ref: str) -> bool:
    """Whether what was typed for a scene, or for a set with its bands, is a card that is not
    there.
    """
    card = own_card(split_bands(ref)[0])
    return card is not None and not is_file(card)


def _is_here(ref: str) -> bool:
    """Whether the files of a scene, or of a set, are here; one that is wrong is met when it is
    loaded.
    """
    if missing_card(ref):
        return False
    pairs = find_pairs(ref)
    if pairs is not None:
        return pairs_status(pairs) == "here"
    return status(find_entry(ref)) in ("embedded", "here")


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
    if not merged.scenes and not merged.optional_scenes:
        raise InputError(
            f"suite {path}: run {run.name!r} must name its scenes",
            hint='Add scenes = ["indian_pines"], for example, to the run or to [defaults].',
        )
    if (number := math.prod(len(part) for part in _product(merged))) > MOST_TRIALS:
        rule = f"suite {path}: run {run.name!r} must be at most {MOST_TRIALS:,} benchmarks"
        raise InputError(rule, value=f"{number:,}", hint=f"List fewer {', '.join(PRODUCT)}.")
    return merged


def _product(keys: Keys) -> tuple[Sequence[Any], ...]:
    """Scenes, protocols and settings, whose every combination is a plan."""
    return (*keys.scenes, *keys.optional_scenes), keys.protocols, keys.set


def _scene_ref(path: Path, scene: str) -> str:
    """What to type for a scene of a suite: the path of a card is relative to the suite."""
    if own_card(split_bands(scene)[0]):
        return os.path.normpath(path.parent / user_path(scene))
    return scene


def _requests(path: Path, run: RunKeys, keys: Keys) -> Iterator[tuple[str, Request]]:
    """A scene and a request for every combination of the keys in PRODUCT."""
    shared: dict[str, Any] = {name: getattr(keys, name) for name in RequestKeys.model_fields}
    for scene, protocol, overrides in product(*_product(keys)):
        ref = _scene_ref(path, scene)
        try:
            # What a card that may be missing is of, the run says.
            absent = scene in keys.optional_scenes and missing_card(ref)
            own: dict[str, Any] = {
                "task": keys.task or USUAL if absent else task_of(ref, keys.task),
                "protocol": protocol and parse_protocol(protocol, keys.buffer, path.parent),
                "overrides": overrides,
            }
        except InputError as error:
            raise InputError(
                f"suite {path}, run {run.name!r}: {error.rule}", value=error.value, hint=error.hint
            ) from error
        # Each value was read as a key of the file.
        yield ref, Request.model_construct(**shared, **own)


# Claims and tables


def check_tables(
    where: str,
    arms: Mapping[str, ArmKeys],
    claims: Sequence[Claim],
    tables: Sequence[DeclaredTable],
    runs: Iterable[str],
) -> None:
    """Raise InputError where a claim, a table or an arm names what the suite does not have.

    Parameters
    ----------
    where : str
        The suite, for the error.
    """
    known_runs = list(runs)
    for name, arm in arms.items():
        for run in arm.run:
            check_known(f"{where}: `run` of arm {name!r} must be a run", run, known_runs)
    named = [(claim.name, arm) for claim in claims for one in claim.differences for arm in one.arms]
    named += [(table.name, row.arm) for table in tables for row in table.rows]
    for name, arm_name in named:
        check_known(f"{where}: {name} must speak of arms under [arms]", arm_name, arms)


def place_arms(
    arms: Mapping[str, ArmKeys],
    claims: Sequence[Claim],
    runs: Iterable[tuple[str, Request]],
    plans: Sequence[Plan],
) -> dict[str, ArmTrials]:
    """The planned trials of each arm.

    Parameters
    ----------
    runs : iterable of (str, Request)
        The run and the request of each plan.

    Raises
    ------
    InputError
        Where an arm that is not swept stands for several trials of one draw.
    """
    swept = {one.arm: one.sweep for claim in claims for one in claim.differences if one.sweep}
    planned = list(zip(runs, plans, strict=True))
    return {name: _trials_of(name, arm, swept.get(name), planned) for name, arm in arms.items()}


def _trials_of(
    name: str,
    arm: ArmKeys,
    sweep: str | None,
    planned: Sequence[tuple[tuple[str, Request], Plan]],
) -> ArmTrials:
    trials: dict[TableSetting, dict[int, dict[Any, ArmTrial]]] = {}
    for (run, request), plan in planned:
        if run not in arm.run or _settings(arm, request.overrides) != _settings(arm, arm.set):
            continue
        for trial in plan.trials:
            if not _fits(arm, sweep, trial, plan):
                continue
            setting = TableSetting(plan.scene.name, trial.protocol.text)
            adds = plan.cards["generator", arm.generator].adds
            samples = trial.samples_hash if adds else ""
            found = ArmTrial(trial.hash, samples, trial.rate.lam, trial.omega)
            key = found.hash if arm.classifier else found.samples
            trials.setdefault(setting, {}).setdefault(trial.seed, {}).setdefault(key, found)
    for setting, draws in trials.items():
        several = next((list(same.values()) for same in draws.values() if len(same) > 1), None)
        if several and not sweep:
            rule = f"arm {name!r} must be one trial of each draw on {setting.scene}"
            found_values = ", ".join(
                f"λ = {one.lam:g}" + ("" if one.omega is None else f" and ω = {one.omega:g}")
                for one in several
            )
            hint = "Say lambda or omega of the arm, or fewer runs."
            raise InputError(rule, value=found_values, hint=hint)
    return {
        setting: {seed: tuple(same.values()) for seed, same in sorted(draws.items())}
        for setting, draws in trials.items()
    }


def _settings(arm: ArmKeys, overrides: Settings) -> dict[str, dict[str, str]]:
    """What an arm's generator and classifier are given; a plugin without settings is left out."""
    names = (arm.generator, arm.classifier)
    return {name: dict(values) for name, values in overrides.items() if name in names and values}


def _fits(arm: ArmKeys, sweep: str | None, trial: TrialSpec, plan: Plan) -> bool:
    if trial.generator.name != arm.generator or trial.train != arm.train:
        return False
    if arm.classifier and trial.classifier.name != arm.classifier:
        return False
    own = plan.cards["generator", arm.generator].guidance
    omega = own if arm.omega is None else arm.omega
    if sweep != "omega" and trial.omega != omega:
        return False
    return arm.lam is None or trial.rate.lam == arm.lam
