"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError
from hsiaug.bench import defaults
from hsiaug.core.view_names import AUTO, VIEWS
from hsiaug.tasks import settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


PLAN, WHERE = "More: what to run", "More: where to run"
"""Panels of rarer options in the help of a command, below those that most runs need."""


def option(
    help: str,
    *names: str,
    metavar: str = "",
    default: object = None,
    panel: str | None = None,
    **typer_options: Any,
) -> Any:
    """An option of a command.

    Parameters
    ----------
    metavar : str
        What stands for its value in the help; empty for a switch.
    default : object
        What the help names as its default; None for none.
    panel : str or None
        Its place in the help.
    typer_options : object
        Other arguments of :func:`typer.Option`.
    """
    return typer.Option(
        *names,
        help=help if default is None else f"{help} Default: {default}.",
        metavar=metavar,
        show_default=False,
        rich_help_panel=panel,
        **typer_options,
    )


def by_task(names: Mapping[str, Sequence[str]]) -> str:
    """``svm,cnn2d; segmentation: unet``: the usual plugins of each task, those of the usual task,
    which is not named, first. Tasks with the same ones are named together.
    """
    tasks: dict[str, list[str]] = {}
    for task, plugins in names.items():
        tasks.setdefault(",".join(plugins), []).append(task)
    usual, *others = tasks
    return "; ".join([usual, *(f"{' and '.join(tasks[plugins])}: {plugins}" for plugins in others)])


GENERATORS = by_task({task: usual.generators for task, usual in settings.OF_TASKS.items()})
CLASSIFIERS = by_task({task: usual.classifiers for task, usual in settings.OF_TASKS.items()})
SCENE = "A scene of 'hsiaug datasets list', a card (TOML), or a folder of a card or of pairs."
SceneRef = Annotated[str, typer.Argument(metavar="SCENE", help=SCENE)]
SceneOrHash = Annotated[
    str,
    typer.Argument(metavar="SCENE", help=f"{SCENE[:-1]}; or the hash of a record of a benchmark."),
]
Task = Annotated[
    str | None,
    option(
        "pixels, segmentation, change, or a task of another package.",
        metavar="TASK",
        default="what the data are",
        panel=PLAN,
    ),
]
Generators = Annotated[
    str | None,
    option(
        "Generators; their controls run automatically.",
        metavar="NAME,…",
        default=GENERATORS,
    ),
]
GeneratorName = Annotated[str | None, option("The generator.", metavar="NAME", default=GENERATORS)]
Classifiers = Annotated[str | None, option("Classifiers.", metavar="NAME,…", default=CLASSIFIERS)]
View = Annotated[
    str | None,
    option(
        f"Spectra that classifiers read: {', '.join(VIEWS)} or {AUTO} (chosen inside the training"
        " pixels).",
        metavar="VIEW,…",
        default=settings.VIEW,
        panel=PLAN,
    ),
]
Lambdas = Annotated[
    str | None,
    option(
        "Sample balance rates λ, or START:STOP:STEP: 1 fills every class up to the largest, more"
        " adds to all. For masks, synthetic pairs per real one.",
        "--lambda",
        metavar="NUMBER,…",
        default=",".join(f"{lam:g}" for lam in defaults.LAMBDAS),
    ),
]
Lambda = Annotated[
    float,
    option(
        "Sample balance rate λ; for masks, synthetic pairs per real one.",
        "--lambda",
        metavar="NUMBER",
        default=1,
    ),
]
TimesList = Annotated[
    str | None,
    option(
        "M: synthetic samples per real one, in addition to those of λ.",
        "--times",
        metavar="NUMBER,…",
        default=f"{settings.TIMES:g}",
        panel=PLAN,
    ),
]
Train = Annotated[
    str | None,
    option(
        "Training samples: both, synthetic or real.",
        metavar="WHAT,…",
        default=",".join(defaults.TRAIN),
        panel=PLAN,
    ),
]
OMEGA = "Guidance strength ω; 0 is purely conditional."
Omegas = Annotated[
    str | None, option(OMEGA, "--omega", metavar="NUMBER,…", default="the generator's")
]
Omega = Annotated[float | None, option(OMEGA, metavar="NUMBER", default="the generator's")]
Preset = Annotated[
    str,
    option(
        "Preset of the plugins: tiny, cpu, paper, or their own.",
        metavar="NAME",
        default=defaults.PRESET,
        panel=PLAN,
    ),
]
Setting = Annotated[
    list[str] | None,
    option("A parameter of a plugin; repeat for more.", "--set", metavar="PLUGIN.PARAMETER=VALUE"),
]
SuiteFile = Annotated[
    str | None,
    option(
        "Run a suite: a TOML file, or the name of one that comes with hsiaug.",
        "--suite",
        metavar="SUITE",
        panel=PLAN,
    ),
]
AnyProtocol = Annotated[
    str | None,
    option(
        "How training and test pixels are chosen: issd, kshot:K, fields:K, blocks:B, random:RATIO"
        " (leaky), fixed:FILE, …; for masks places, places:N, blocks:B.",
        metavar="PROTOCOL",
        default=f"{settings.PROTOCOL}; 'hsiaug plugins list' has all",
    ),
]
Buffer = Annotated[
    str | None,
    option(
        "Labelled pixels around training pixels to leave out: none, centre or patch.",
        metavar="BUFFER",
        default="the protocol's",
        panel=PLAN,
    ),
]
Patch = Annotated[
    int | None,
    option(
        "Side of patches in pixels, odd; or of tiles.",
        metavar="N",
        default=f"{settings.PATCH}; of tiles 64, 32 or 16",
        panel=PLAN,
    ),
]
Seeds = Annotated[
    str | None,
    option(
        "Splits: a number N (seeds 0 to N-1), a range 100-109, or a list 3,5,8-9.",
        metavar="SEEDS",
        default=defaults.DRAWS,
    ),
]
Device = Annotated[
    str,
    option(
        "auto (a GPU if there is one), cpu, cuda, cuda:1 or mps.", metavar="DEVICE", default="auto"
    ),
]
MOST_JOBS = 1024
"""Worker processes at most: each takes a few hundred MB."""
Jobs = Annotated[
    int | None,
    option(
        "Worker processes.", metavar="N", default="one per core, 1 on a GPU", min=1, max=MOST_JOBS
    ),
]
On = Annotated[
    str | None,
    option(
        "Where trials run: local, dask, dask:ADDRESS or slurm.",
        metavar="WHERE",
        default="local",
        envvar="HSIAUG_ON",
        show_envvar=False,
        panel=WHERE,
    ),
]
Cluster = Annotated[
    list[str] | None,
    option(
        "workers, threads, gpus, labels, memory, partition, account, time or tasks"
        " (docs/cluster.md); repeat for more.",
        "--cluster",
        metavar="KEY=VALUE",
        panel=WHERE,
    ),
]
Json = Annotated[bool, option("Print JSON, and nothing else on standard output.", "--json")]
Port = Annotated[
    int | None,
    option(
        "Serve at this port, 0 for any that is free, and open no browser.",
        metavar="N",
        default="a free one",
        min=0,
        max=65535,
    ),
]
StoreDir = Annotated[
    Path, option("Folder of the records.", "--store", metavar="FOLDER", default=defaults.STORE)
]


MOST_SECONDS = 3.6e6
"""Of a time that is given as an option: what a system's timer takes."""
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def duration(option: str, text: str) -> float:
    """Seconds of a time as ``90s``, ``20m`` or ``1h``. Raises InputError for anything else."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(s|m|min|h)", text.strip())
    seconds = float(match[1]) * UNITS[match[2]] if match else 0.0
    if not 0.001 <= seconds <= MOST_SECONDS:
        rule = f"{option} must be a time with its unit: s, m or h"
        raise InputError(rule, value=repr(text), hint="Write 90s, 20m or 1h; 1000h at most.")
    return seconds


def given(ctx: typer.Context, names: Sequence[str]) -> list[str]:
    """The options among those parameters that the user typed."""
    sources = {
        parameter.opts[0]: ctx.get_parameter_source(parameter.name or "")
        for parameter in ctx.command.params
        if parameter.name in names
    }
    return [
        option
        for option, source in sources.items()
        if source is not None and source.name != "DEFAULT"
    ]


def refuse_typed(ctx: typer.Context, names: Sequence[str], rule: str, hint: str) -> None:
    """Raise InputError where the user typed one of the options of those parameters."""
    if refused := given(ctx, names):
        raise InputError(rule, value=", ".join(refused), hint=hint)


# What is typed, as commands read it


def is_hash(text: str) -> bool:
    """Whether a text may be the hash of a record, or its beginning, and is no file or folder."""
    return re.fullmatch("[0-9a-f]{4,64}", text) is not None and not Path(text).exists()


def task_for(scene: str, *, generators: Sequence[str] = (), classifiers: Sequence[str] = ()) -> str:
    """The task of a set of pairs; of a scene that which the named plugins serve, pixels first.

    Raises InputError for a plugin that there is not.
    """
    from hsiaug.data.pair_sets import find_pairs
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import task_names, task_of

    task = task_of(scene)
    if find_pairs(scene) is not None:
        return task
    found = [registry().find("generator", name) for name in generators]
    found += [registry().find("classifier", name) for name in classifiers]
    for plugin in found:
        card = plugin.card
        if not card.serves(task):
            return next((one for one in card.tasks if one in task_names(of_scenes=True)), task)
    return task
