"""Options that several commands share, and how their texts are read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from hsiaug.base.errors import InputError
from hsiaug.bench import ranges
from hsiaug.core.view_names import DEFAULT_VIEW
from hsiaug.protocol.balance import DEFAULT_TIMES

if TYPE_CHECKING:
    from hsiaug.bench.plan import Request
    from hsiaug.bench.suite import Suite
    from hsiaug.protocol.protocols import SplitProtocol


TaskName = Literal["pixels", "segmentation", "change"]

PLAN, DRAWS, WHERE, OUTPUT = (f"More: {name}" for name in ("what to run", "draws", "where to run", "output"))
"""Panels of options in the help of a command, below the first, which holds those that most runs need."""


def option(help: str, *names: str, panel: str | None = None, **more: Any) -> Any:
    """An option of a command. panel: its place in the help. more: as :func:`typer.Option` takes them."""
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


SceneRef = Annotated[
    str,
    typer.Argument(
        help="A scene of 'hsiaug datasets list', the TOML card of your own, or the folder of a card or of pairs."
    ),
]
Task = Annotated[
    TaskName | None,
    option(
        "What is learnt: pixels (their classes), segmentation or change (masks of tiles of one or two dates). Default: "
        "what the card of a set of pairs says; pixels for a scene.",
        metavar="TASK",
        panel=PLAN,
    ),
]
Generators = Annotated[
    str | None,
    option(
        "Generators, between commas; 'hsiaug plugins list' shows all. The controls that each needs (none, duplicate, …) "
        "run unasked.",
    ),
]
GeneratorName = Annotated[str | None, option("The generator. Default: smote, or specdm for masks.")]
Classifiers = Annotated[
    str | None,
    option(
        "Classifiers, between commas. Default: svm,cnn2d; unet,pixel-svm for segmentation; fc-siam-diff for change.",
    ),
]
View = Annotated[
    str | None,
    option(
        "What classifiers are shown of each spectrum: raw, unit (unit norm), derivative, continuum (removed), raw+unit, "
        "or auto (chosen by cross-validation inside the training pixels; not for masks); several between commas.",
        show_default=DEFAULT_VIEW,
        panel=PLAN,
    ),
]
Lambdas = Annotated[
    str,
    option(
        "Sample balance rates λ, between commas, or ranges START:STOP:STEP: 1 fills every class to the largest, and "
        "makes nothing where they are equal; more lets all grow. For masks, synthetic pairs per real pair.",
        "--lambda",
    ),
]
Lambda = Annotated[
    float,
    option(
        "Sample balance rate λ: 1 fills every class to the largest; of masks, λ pairs for each real one.",
        "--lambda",
    ),
]
TimesList = Annotated[
    str | None,
    option(
        "Synthetic samples for each real one of a class, beside those of λ, between commas, or ranges START:STOP:STEP; "
        "0 = those of λ alone.",
        "--times",
        show_default=f"{DEFAULT_TIMES:g}",
    ),
]
Times = Annotated[
    float | None,
    option(
        "Synthetic samples for each real one of a class, beside those of λ.",
        show_default=f"{DEFAULT_TIMES:g}",
    ),
]
Train = Annotated[
    str | None,
    option(
        "What classifiers learn from, between commas: both (real and synthetic samples), synthetic (these alone, as many "
        "of each class) or real (the arm none).",
        show_default="both",
        panel=PLAN,
    ),
]
Omegas = Annotated[
    str | None,
    option(
        "Guidance strengths ω, between commas, or ranges START:STOP:STEP; 0 = purely conditional. Default: the "
        "generator's.",
    ),
]
Omega = Annotated[
    float | None,
    option("Guidance strength ω; 0 = purely conditional. Default: the generator's."),
]
Preset = Annotated[str, option("Size of plugins that offer several: tiny, cpu, paper, or their own.", panel=PLAN)]
Setting = Annotated[
    list[str] | None, option("PLUGIN.PARAMETER=VALUE; repeat for more.", "--set", show_default=False)
]
SuiteFile = Annotated[
    str | None,
    option(
        "A suite: a file (TOML), or the name of one that comes with hsiaug. Each run has tables of its own.",
        "--suite",
        metavar="SUITE",
        panel=PLAN,
    ),
]
SuiteData = Annotated[
    str | None,
    option(
        "Of a suite: run it on these data in place of its own, between commas: names of 'hsiaug datasets list', cards "
        "(.toml), or folders. Runs of another task are left out.",
        "--data",
        metavar="DATA",
        panel=PLAN,
    ),
]
AnyProtocol = Annotated[
    str | None,
    option(
        "issd (default), issd:RATIO, kshot:K, fields:K (tested in other fields), blocks:B, random:RATIO (LEAKY), "
        "random-twin:PROTOCOL (LEAKY), fixed:FILE, within:PROTOCOL, added:KxPLACEMENT:PROTOCOL, "
        "asked:NxSTRATEGY:PROTOCOL. For masks: places (default where data name them), places:N, blocks:B. Those of "
        "other packages as NAME:ARGUMENT.",
    ),
]
Buffer = Annotated[
    str | None,
    option(
        "Labelled pixels left out round training pixels: none, centre (no test pixel in a training patch) or patch (no "
        "test patch meets a training patch). Each protocol has its own default.",
        panel=DRAWS,
    ),
]
Patch = Annotated[
    int | None,
    option(
        "Side of the patches in pixels, odd (default 9); of the tiles of masks (default 64, 32 or 16).",
        panel=DRAWS,
    ),
]
Seeds = Annotated[str, option("Draws: a number N (0 to N-1), a range 100-109, or a list 3,5,8-9.")]
Seed = Annotated[int, option("Number of the draw.", min=0)]
Device = Annotated[str, option("auto (a GPU if there is one), cpu, cuda, cuda:1, mps.")]
MOST_JOBS = 1024
"""Worker processes at most: each takes a few hundred MB."""
Jobs = Annotated[
    int | None,
    option("Worker processes. Default: one per core on the CPU, 1 on a GPU.", min=1, max=MOST_JOBS, metavar="N"),
]
On = Annotated[
    str | None,
    option(
        "Where trials run: local (default; processes of this machine), dask (Dask workers on this machine), dask:ADDRESS "
        "(a scheduler that is running) or slurm (jobs; returns when they are submitted). HSIAUG_CLUSTER holds settings.",
        envvar="HSIAUG_ON",
        show_default=False,
        panel=WHERE,
    ),
]
Cluster = Annotated[
    list[str] | None,
    option(
        "workers, threads, memory, gpus, partition, account, time or tasks; repeat for more (docs/cluster.md).",
        "--cluster",
        metavar="KEY=VALUE",
        show_default=False,
        panel=WHERE,
    ),
]
Json = Annotated[bool, option("Print JSON on stdout, and nothing else there.", "--json", panel=OUTPUT)]
Quiet = Annotated[
    bool, option("Only the result, and what went wrong: no progress and no notes.", "--quiet", "-q", panel=OUTPUT)
]
Port = Annotated[
    int, option("Port on this machine. Default: one that is free.", min=0, max=65535, show_default=False)
]
NoBrowser = Annotated[bool, option("Only print the address.", "--no-browser")]
Margin = Annotated[
    float,
    option("Difference in the main score, in points, that does not matter: what equivalent and not better go by."),
]
StoreDir = Annotated[Path, option("Folder of the records.", "--store")]


def task_of(ref: str, asked: TaskName | None) -> str:
    """The task of a scene or a set of pairs. Raises InputError where its card says another task than ``--task``."""
    from hsiaug.data.pair_sets import task_of as task_in_card

    return task_in_card(ref, asked)


def suite_on(suite: Suite, data: str, *, quiet: bool = False) -> Suite:
    """A suite on the data that ``--data`` names, with notes on what is left out, unless quiet.

    Raises InputError where none of its runs is of their task.
    """
    from hsiaug.bench.suite_data import on_data
    from hsiaug.cli.output import say

    refs = ranges.words(data)
    if not refs:
        raise InputError("--data must name data", value=repr(data), hint="A name, a card (.toml) or a folder.")
    changed = on_data(suite, refs)
    for note in () if quiet else changed.notes:
        say(f"note: {note}", err=True)
    return changed


SHORTEST, LONGEST = 0.001, 3.6e6
"""Seconds of a time that is given as an option: what a system's timer takes."""
UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


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


def overrides(settings: list[str] | None) -> dict[str, dict[str, str]]:
    """{plugin: {parameter: text}} from ``PLUGIN.PARAMETER=VALUE``. Raises InputError for another form."""
    found: dict[str, dict[str, str]] = {}
    for setting in settings or ():
        match = re.fullmatch(r"([^.=]+)\.([^.=]+)=(.*)", setting)
        if match is None:
            raise InputError(
                "--set must be PLUGIN.PARAMETER=VALUE", value=repr(setting), hint="For example --set smote.k=3."
            )
        plugin, name, value = match.groups()
        found.setdefault(plugin, {})[name] = value
    return found


def overrides_of(generator: str, settings: list[str] | None) -> dict[str, str]:
    """{parameter: text} of the one generator of a command. Raises InputError where ``--set`` names another plugin."""
    by_plugin = overrides(settings)
    for name in sorted(by_plugin.keys() - {generator}):
        raise InputError(
            "--set must name the generator of this command", value=repr(name), hint=f"Here: {generator}."
        )
    return by_plugin.get(generator, {})


def read_protocol(text: str | None, buffer: str | None) -> SplitProtocol | None:
    """The protocol of a text; None for none."""
    from hsiaug.protocol.protocols import parse_protocol

    return None if text is None else parse_protocol(text, buffer)


def plan_request(
    task: str,
    *,
    generator: str | None,
    classifier: str | None,
    view: str | None,
    lambdas: str,
    omega: str | None,
    times: str | None = None,
    train: str | None = None,
    seeds: str = "",
    protocol: str | None,
    buffer: str | None = None,
    patch: int | None,
    preset: str,
    set_: list[str] | None,
) -> Request:
    """The request of a command that runs trials. Raises InputError for a text that cannot be read."""
    from hsiaug.bench.plan import Request

    return Request(
        task=task,
        protocol=read_protocol(protocol, buffer),
        buffer=buffer,
        generators=ranges.words(generator or ""),
        classifiers=ranges.words(classifier or ""),
        views=ranges.words(view or ""),
        lambdas=ranges.numbers("--lambda", lambdas),
        times=[] if times is None else ranges.numbers("--times", times),
        **({} if train is None else {"train": ranges.words(train)}),
        omegas=[] if omega is None else ranges.numbers("--omega", omega),
        seeds=ranges.seeds(seeds) if seeds else (),
        patch=patch,
        preset=preset,
        overrides=overrides(set_),
    )
