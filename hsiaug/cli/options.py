"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError
from hsiaug.bench.ranges import numbers, seeds, words
from hsiaug.core.view_names import DEFAULT_VIEW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hsiaug.bench.plan import Plan
    from hsiaug.bench.progress import Detail
    from hsiaug.bench.suite import Suite
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.trial.store import Reading

__all__ = [
    "DRAWS",
    "OUTPUT",
    "PLAN",
    "USUAL_STORE",
    "WHERE",
    "AnyPatch",
    "AnyProtocol",
    "Audit",
    "Buffer",
    "Ceilings",
    "Cluster",
    "Device",
    "GeneratorName",
    "Jobs",
    "Json",
    "Lambda",
    "Omega",
    "On",
    "Patch",
    "Preset",
    "PresetName",
    "PresetOfAll",
    "Quiet",
    "ReadStore",
    "SceneRef",
    "Seed",
    "Setting",
    "StoreDir",
    "StoreWord",
    "SuiteData",
    "Task",
    "TaskName",
    "Verbose",
    "View",
    "check_complete",
    "detail",
    "duration",
    "named_store",
    "numbers",
    "overrides",
    "sample_request",
    "seeds",
    "suite_on",
    "task_of",
    "words",
]


class TaskName(StrEnum):
    """What is learnt."""

    pixels = "pixels"
    segmentation = "segmentation"
    change = "change"


class PresetName(StrEnum):
    """Sizes that plugins offer."""

    tiny = "tiny"
    cpu = "cpu"
    paper = "paper"


PLAN, DRAWS, WHERE, OUTPUT = "What to run", "Draws", "Where to run", "Output"
"""Panels of options in the help of a command."""

Task = Annotated[
    TaskName | None,
    typer.Option(
        help="What is learnt: classes of single pixels, or masks of tiles of one or two dates. Default: what the card of "
        "a set of pairs says; pixels for a scene.",
        rich_help_panel=PLAN,
    ),
]
AnyProtocol = Annotated[
    str | None,
    typer.Option(
        help="issd (default), issd:RATIO, kshot:K, fields:K (tested in other fields), blocks:B, random:RATIO (LEAKY), "
        "random-twin:PROTOCOL (LEAKY), fixed:FILE, within:PROTOCOL, added:KxPLACEMENT:PROTOCOL. For masks: places "
        "(default where data name them), places:N, blocks:B. Those of other packages as NAME:ARGUMENT.",
        rich_help_panel=DRAWS,
    ),
]
AnyPatch = Annotated[
    int | None,
    typer.Option(
        help="Side of the patches in pixels, odd (default 9); of the tiles of masks (default 64, 32 or 16).",
        rich_help_panel=DRAWS,
    ),
]

SceneRef = Annotated[
    str,
    typer.Argument(
        help="A scene of 'hsiaug datasets list', the TOML card of your own, or the folder of a card or of pairs."
    ),
]
Buffer = Annotated[
    str | None,
    typer.Option(
        help="Labelled pixels left out round training pixels: none, centre (no test pixel in a training patch) or "
        "patch (no test patch meets a training patch). Each protocol has its own default.",
        rich_help_panel=DRAWS,
    ),
]
Patch = Annotated[int, typer.Option(help="Side of the patches in pixels, odd.", rich_help_panel=DRAWS)]
GeneratorName = Annotated[
    str | None,
    typer.Option(
        help="The generator; 'hsiaug plugins list' shows all. Default: smote, or specdm for masks.",
        rich_help_panel=PLAN,
    ),
]
Lambda = Annotated[
    float,
    typer.Option(
        "--lambda",
        help="Sample balance rate λ: 1 fills every class to the largest; of masks, λ pairs for each real one.",
        rich_help_panel=PLAN,
    ),
]
Omega = Annotated[
    float | None,
    typer.Option(
        help="Guidance strength ω; 0 = purely conditional. Default: the generator's.", rich_help_panel=PLAN
    ),
]
View = Annotated[
    str | None,
    typer.Option(
        help="What classifiers are shown of each spectrum: raw, unit (unit norm), derivative, continuum "
        "(removed), raw+unit, or auto (chosen by cross-validation inside the training pixels; not for masks); several "
        "between commas.",
        show_default=DEFAULT_VIEW,
        rich_help_panel=PLAN,
    ),
]
Seed = Annotated[int, typer.Option(help="Number of the draw.", min=0, rich_help_panel=DRAWS)]
Preset = Annotated[PresetName, typer.Option(help="Size of a generator that offers several.", rich_help_panel=PLAN)]
PresetOfAll = Annotated[
    PresetName, typer.Option(help="Size of the plugins that offer several.", rich_help_panel=PLAN)
]
Ceilings = Annotated[
    str | None,
    typer.Option(
        "--ceilings",
        help="Also samples that no generator could make, a diagnosis that reads test labels: labels (real patches under "
        "their true labels), moments (Gaussians with true means, true covariances, or both), or labels,moments.",
        show_default=False,
        rich_help_panel=PLAN,
    ),
]
Setting = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="PLUGIN.PARAMETER=VALUE; repeat for more.", show_default=False, rich_help_panel=PLAN
    ),
]
Device = Annotated[
    str, typer.Option(help="auto (a GPU if there is one), cpu, cuda, cuda:1, mps.", rich_help_panel=WHERE)
]
USUAL_STORE = Path("hsiaug-results")
MOST_JOBS = 1024
"""Worker processes at most: each takes a few hundred MB."""
Jobs = Annotated[
    int | None,
    typer.Option(
        help="Worker processes. Default: one per core on the CPU, 1 on a GPU.",
        min=1,
        max=MOST_JOBS,
        rich_help_panel=WHERE,
    ),
]
On = Annotated[
    str | None,
    typer.Option(
        envvar="HSIAUG_ON",
        help="Where trials run: local (default; processes of this machine), dask (Dask workers on this machine), "
        "dask:ADDRESS (a scheduler that is running) or slurm (jobs; returns when they are submitted).",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Cluster = Annotated[
    list[str] | None,
    typer.Option(
        "--cluster",
        metavar="KEY=VALUE",
        help="workers, threads, memory, gpus, partition, account, time or tasks; repeat for more (docs/cluster.md).",
        show_default=False,
        rich_help_panel=WHERE,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json", help="Print the result as JSON on stdout, and nothing else there.", rich_help_panel=OUTPUT
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        help="Only the result, and what went wrong: no progress and no notes.",
        rich_help_panel=OUTPUT,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="A line for every trial as it ends, with its seconds by stage.",
        rich_help_panel=OUTPUT,
    ),
]
Audit = Annotated[
    bool,
    typer.Option(
        "--audit",
        help="On a terminal: all of the protocol's audit, not three lines of it.",
        rich_help_panel=OUTPUT,
    ),
]
Columns = Annotated[
    int,
    typer.Option(
        help="Of a picture: how many columns of a two-column page it fills, 1 (3.5 inches) or 2 (7.2 inches).",
        min=1,
        max=2,
        rich_help_panel=OUTPUT,
    ),
]
SuiteData = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DATA",
        help="Of a suite: run it on these data in place of its own, between commas: names of 'hsiaug datasets list', "
        "cards (.toml), or folders. Runs of another task are left out.",
        rich_help_panel=PLAN,
    ),
]
StoreDir = Annotated[Path, typer.Option("--store", help="Folder of the records.", rich_help_panel=OUTPUT)]
ReadStore = Annotated[
    Path | None,
    typer.Option("--store", help="Folder of the records.", show_default=str(USUAL_STORE), rich_help_panel=OUTPUT),
]
StoreWord = Annotated[
    Path | None, typer.Argument(metavar="STORE", help="The same as a word, for older scripts.", hidden=True)
]


def task_of(ref: str, asked: TaskName | None, *, quiet: bool = False) -> TaskName:
    """The task of a scene or a set of pairs; says what a folder without a card is taken for, unless quiet.

    Raises InputError where its card says another task than ``--task``.
    """
    from hsiaug.data.pair_sets import task_of as said

    task = TaskName(said(ref, None if asked is None else asked.value))
    if not quiet:
        _say_taken_for(ref)
    return task


def _say_taken_for(ref: str) -> None:
    """A note on what a folder without a card is taken for; nothing of anything else."""
    from hsiaug.cli.output import say
    from hsiaug.data.pair_sets import find_pairs

    entry = find_pairs(ref)
    if entry is not None and entry.taken_for:
        say(f"note: {entry.taken_for}", err=True)


def suite_on(suite: Suite, data: str, *, quiet: bool = False) -> Suite:
    """A suite on the data that ``--data`` names, with notes on what is left out, unless quiet.

    Raises InputError where none of its runs is of their task.
    """
    from hsiaug.bench.suite_data import on_data
    from hsiaug.cli.output import say

    refs = words(data)
    if not refs:
        raise InputError("--data must name data", value=repr(data), hint="A name, a card (.toml) or a folder.")
    changed = on_data(suite, refs)
    for ref in () if quiet else refs:
        _say_taken_for(ref)
    for note in () if quiet else changed.notes:
        say(f"note: {note}", err=True)
    return changed


def check_complete(plans: Sequence[Plan], read: Reading, *, wanted: bool = True) -> None:
    """End with exit code 1 where a trial failed or, where all were wanted, has no record."""
    from hsiaug.bench.schedule import trials_of

    failed = any(record["status"] == "failed" for record in read.records)
    if failed or (wanted and len(read.records) < len(trials_of(plans))):
        raise typer.Exit(1)


def detail(quiet: bool, verbose: bool) -> Detail:
    """How much a run tells. Raises InputError where both more and less is asked for."""
    if quiet and verbose:
        raise InputError("a run is quiet or verbose", value="--quiet --verbose", hint="Leave out one of them.")
    return "quiet" if quiet else "verbose" if verbose else "usual"


SHORTEST, LONGEST = 0.001, 3.6e6
"""Seconds of a time that is given as an option: what a system's timer takes."""
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def named_store(word: Path | None, option: Path | None) -> Path | None:
    """The store that a command was given, as a word or by ``--store``. Raises InputError for two."""
    if word is not None and option is not None and word != option:
        raise InputError(
            "the store must be named once", value=f"{word} and {option}", hint="Leave out one of them."
        )
    return option or word


def duration(option: str, text: str) -> float:
    """Seconds of a time as ``90s``, ``20m`` or ``1h``. Raises InputError for anything else."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(s|m|min|h)", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not SHORTEST <= seconds <= LONGEST:
        raise InputError(
            f"{option} must be a time with its unit: s, m or h",
            value=repr(text),
            hint="Write 90s, 20m or 1h; 1000h at most.",
        )
    return seconds


def overrides(settings: list[str]) -> dict[str, dict[str, str]]:
    """{plugin: {parameter: text}} from ``PLUGIN.PARAMETER=VALUE``. Raises InputError for another form."""
    found: dict[str, dict[str, str]] = {}
    for setting in settings:
        match = re.fullmatch(r"([^.=]+)\.([^.=]+)=(.*)", setting)
        if match is None:
            raise InputError(
                "--set must be PLUGIN.PARAMETER=VALUE", value=repr(setting), hint="For example --set smote.k=3."
            )
        plugin, name, value = match.groups()
        found.setdefault(plugin, {})[name] = value
    return found


def sample_request(
    generator: str,
    protocol: str | None,
    buffer: str | None,
    preset: PresetName,
    settings: list[str] | None,
    **fields: Any,
) -> SampleRequest:
    """What a command that makes samples was asked for. fields: of the request, those that need not be read first.

    Raises InputError for a protocol that there is not, and where ``--set`` names another plugin than the generator.
    """
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.quality.synthesis import SampleRequest

    by_plugin = overrides(settings or [])
    for name in by_plugin:
        if name != generator:
            raise InputError(
                "--set must name the generator of this command", value=repr(name), hint=f"Here: {generator}."
            )
    rule = None if protocol is None else parse_protocol(protocol, buffer)
    own = by_plugin.get(generator, {})
    return SampleRequest(generator, rule, buffer, preset=preset.value, overrides=own, **fields)
