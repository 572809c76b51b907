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

    from hsiaug.registry.protocol_base import SplitProtocol


PLAN, DRAWS, WHERE, OUTPUT = (
    f"More: {name}" for name in ("what to run", "draws", "where to run", "output")
)
"""Panels of options in the help of a command, below the first, which holds those that most runs
need.
"""


def option(help: str, *names: str, panel: str | None = None, **typer_options: Any) -> Any:
    """An option of a command.

    Parameters
    ----------
    panel : str or None
        Its place in the help.
    typer_options : object
        Other arguments of :func:`typer.Option`.
    """
    return typer.Option(*names, help=help, rich_help_panel=panel, **typer_options)


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
SceneRef = Annotated[
    str, typer.Argument(help="A scene of 'hsiaug datasets list', a card (TOML), or a folder.")
]
Task = Annotated[
    str | None,
    option(
        "pixels, or masks: segmentation or change, or a task of another package. Default: what"
        " the data are.",
        metavar="TASK",
        panel=PLAN,
    ),
]
Generators = Annotated[
    str | None,
    option(
        "Generators, between commas. The controls that each needs run unasked. Default:"
        f" {GENERATORS}."
    ),
]
SmallestGain = Annotated[
    float | None,
    option(
        "The smallest gain that matters, in points: a smaller one is never called better.",
        min=0.0,
        show_default="1",
        metavar="POINTS",
        panel=OUTPUT,
    ),
]
GeneratorName = Annotated[str | None, option(f"The generator. Default: {GENERATORS}.")]
Classifiers = Annotated[str | None, option(f"Classifiers, between commas. Default: {CLASSIFIERS}.")]
View = Annotated[
    str | None,
    option(
        f"Spectra that classifiers read, between commas: {', '.join(VIEWS)} or {AUTO} (chosen"
        " inside the training pixels).",
        show_default=settings.VIEW,
        panel=PLAN,
    ),
]
Lambdas = Annotated[
    str | None,
    option(
        "Sample balance rates λ, between commas, or ranges START:STOP:STEP: 1 fills every class to"
        " the largest, more lets all grow. For masks, synthetic pairs per real pair.",
        "--lambda",
        show_default=",".join(f"{lam:g}" for lam in defaults.LAMBDAS),
    ),
]
Lambda = Annotated[
    float, option("Sample balance rate λ; of masks, synthetic pairs per real pair.", "--lambda")
]
TIMES = "Synthetic samples for each real one of a class, beside those of λ."
TimesList = Annotated[str | None, option(TIMES, "--times", show_default=f"{settings.TIMES:g}")]
Times = Annotated[float | None, option(TIMES, show_default=f"{settings.TIMES:g}")]
Train = Annotated[
    str | None,
    option(
        "What classifiers learn from: both, synthetic or real samples.",
        show_default=",".join(defaults.TRAIN),
        panel=PLAN,
    ),
]
OMEGA = "Guidance strength ω; 0 = purely conditional. Default: the generator's."
Omegas = Annotated[str | None, option(f"{OMEGA} Several as of --lambda.")]
Omega = Annotated[float | None, option(OMEGA)]
Preset = Annotated[
    str, option("Size of plugins that offer several: tiny, cpu, paper, or their own.", panel=PLAN)
]
Setting = Annotated[list[str] | None, option("PLUGIN.PARAMETER=VALUE; repeat for more.", "--set")]
SuiteFile = Annotated[
    str | None,
    option(
        "A suite: a file, or a name that comes with hsiaug.", "--suite", metavar="SUITE", panel=PLAN
    ),
]
AnyProtocol = Annotated[
    str | None,
    option(
        f"{settings.PROTOCOL} (default), kshot:K, fields:K, blocks:B, random:RATIO (LEAKY),"
        " fixed:FILE, …; for masks places, places:N, blocks:B. docs/protocols.md has all."
    ),
]
Buffer = Annotated[
    str | None,
    option("Labelled pixels left out round training pixels: none, centre or patch.", panel=DRAWS),
]
Patch = Annotated[
    int | None,
    option(
        f"Side of the patches in pixels, odd (default {settings.PATCH}), or of tiles (default 64,"
        " 32 or 16).",
        panel=DRAWS,
    ),
]
Seeds = Annotated[
    str | None,
    option(
        "Draws: a number N (0 to N-1), a range 100-109, or a list 3,5,8-9.",
        show_default=str(defaults.DRAWS),
    ),
]
Seed = Annotated[int, option("Number of the draw.", min=0)]
Device = Annotated[str, option("auto (a GPU if there is one), cpu, cuda, cuda:1, mps.")]
MOST_JOBS = 1024
"""Worker processes at most: each takes a few hundred MB."""
Jobs = Annotated[
    int | None,
    option(
        "Worker processes. Default: one per core, 1 on a GPU.", min=1, max=MOST_JOBS, metavar="N"
    ),
]
On = Annotated[
    str | None,
    option(
        "Where trials run: local (default), dask, dask:ADDRESS or slurm.",
        envvar="HSIAUG_ON",
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
Json = Annotated[
    bool, option("Print JSON on stdout, and nothing else there.", "--json", panel=OUTPUT)
]
Quiet = Annotated[
    bool, option("Only the result, and what went wrong.", "--quiet", "-q", panel=OUTPUT)
]
Port = Annotated[
    int, option("Port; by default one that is free.", min=0, max=65535, show_default=False)
]
NoBrowser = Annotated[bool, option("Only print the address.", "--no-browser")]
StoreDir = Annotated[Path, option("Folder of the records.", "--store")]
Folder = Annotated[
    Path | None, typer.Argument(metavar="STORE", help="Folder of the records.", show_default=False)
]
NamedStore = Annotated[Path | None, option("The same.", "--store", show_default=False)]


def store_named(folder: Path | None, store: Path | None) -> Path:
    """The store of a command that takes it with ``--store`` and without. Raises InputError for two
    stores.
    """
    if folder is not None and store is not None and folder != store:
        hint = "Leave out one of them."
        raise InputError(
            "the store must be named once", value=f"{folder} and --store {store}", hint=hint
        )
    return folder or store or Path(defaults.STORE)


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


def read_protocol(text: str | None, buffer: str | None) -> SplitProtocol | None:
    """The protocol of a text; None for none."""
    from hsiaug.protocol.protocols import parse_protocol

    return None if text is None else parse_protocol(text, buffer)


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
