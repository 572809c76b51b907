"""``hsiaug generate``: synthetic samples of a generator, in one file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.benchmark import PresetName
from hsiaug.cli.output import print_json, print_table, say
from hsiaug.text import visible
from hsiaug.threads import one_thread

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.plugins.contracts import Progress
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.samples import PatchSamples
    from hsiaug.scene import Scene

__all__ = [
    "Device",
    "GeneratorName",
    "Lambda",
    "Omega",
    "Preset",
    "Seed",
    "Setting",
    "generate",
    "request",
    "settings_of",
    "watched",
]

GeneratorName = Annotated[
    str | None,
    typer.Option(help="The generator; 'hsiaug plugins list' shows all. Default: smote, or specdm for masks."),
]
Lambda = Annotated[
    float,
    typer.Option(
        "--lambda",
        help="Sample balance rate λ: 1 fills every class to the largest; of masks, λ pairs for each real one.",
    ),
]
Omega = Annotated[
    float | None,
    typer.Option(help="Guidance strength ω; 0 = purely conditional. Default: the generator's."),
]
Seed = Annotated[int, typer.Option(help="Number of the draw.", min=0)]
Preset = Annotated[PresetName, typer.Option(help="Size of a generator that offers several.")]
Setting = Annotated[
    list[str] | None,
    typer.Option("--set", help="PLUGIN.PARAMETER=VALUE; repeat for more.", show_default=False),
]
Device = Annotated[str, typer.Option(help="auto (a GPU if there is one), cpu, cuda, cuda:1, mps.")]


def generate(
    scene: options.SceneRef,
    out: Annotated[Path, typer.Option(help="File to write: .npz, or .mat (MATLAB 5); for masks a new folder.")],
    task: options.Task = None,
    generator: GeneratorName = None,
    lambda_: Lambda = 1.0,
    pairs: Annotated[
        int | None,
        typer.Option("--pairs", "-n", help="Image–mask pairs, in place of λ."),
    ] = None,
    keep: Annotated[
        float,
        typer.Option(
            help="Of masks: share of the pairs drawn that is kept, those whose masks fit their images best."
        ),
    ] = 1.0,
    show: Annotated[
        str | None,
        typer.Option(
            help="Of masks: names of classes, between commas, that the pairs shall show, an equal part of them each. "
            "For rare classes. A higher ω insists.",
        ),
    ] = None,
    omega: Omega = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: Seed = 0,
    patch: options.AnyPatch = None,
    with_real: Annotated[
        bool, typer.Option("--with-real", help="Put the real training samples before the synthetic ones.")
    ] = False,
    preset: Preset = PresetName.cpu,
    set_: Setting = None,
    device: Device = "auto",
    store: options.StoreDir = Path("hsiaug-results"),
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON on stdout.")] = False,
) -> None:
    """Export the synthetic samples that a benchmark trains on, with their labels and provenance.

    The same split, seeds and pool as a trial with these settings, bit for bit; a slow fit is taken from the store,
    or kept there. Arrays: x (n, B, p, p) in scene units, y, synthetic, coords, weight, class_names, and provenance
    as JSON text.

    Of masks: a folder of images (GeoTIFF where rasterio is installed, else .npy), masks
    (PNG), a contact sheet, a manifest, and a card that 'hsiaug benchmark' reads.

    Examples:

      hsiaug generate indian_pines --generator smote --lambda 1 --out aug.npz

      hsiaug generate indian_pines --generator mixup --with-real --protocol kshot:10 --out train.mat

      hsiaug generate oscd --generator specdm -n 500 --out synthetic

      hsiaug generate my_scene.toml --task segmentation -n 200 --show track,pond --omega 1 --out rare
    """
    one_thread()
    from hsiaug.data import load_scene
    from hsiaug.plugins.registry import registry
    from hsiaug.quality.export import ENDINGS, save_samples
    from hsiaug.quality.synthesis import synthesise
    from hsiaug.targets import check_target
    from hsiaug.terminal import Console

    task = options.task_of(scene, task)
    if task is not options.TaskName.pixels:
        from hsiaug.cli.pair_commands import generate_pairs, pair_request

        wanted_pairs = pair_request(
            task, generator, pairs, lambda_, keep, omega, protocol, buffer, seed, patch, preset, set_, device, show
        )
        generate_pairs(scene, out, wanted_pairs, store, json=json)
        return
    _refuse_masks_options(pairs, keep, show)
    check_target(out, ENDINGS)
    generator = generator or "smote"
    wanted = request(generator, lambda_, omega, protocol, buffer, seed, patch, preset, set_, device)
    loaded = load_scene(scene)
    with watched(Console(stderr=True), generator) as progress:
        made = synthesise(loaded, wanted, registry(), folder=store / "cache", progress=progress)
    written = save_samples(out, made, with_real=with_real)
    _print(written, loaded, Console(), as_json=json)
    say(f"{len(written)} samples in {out}", err=True)


def _refuse_masks_options(pairs: int | None, keep: float, show: str | None) -> None:
    """Raise InputError where an option of masks would do nothing."""
    from hsiaug.errors import InputError

    for name, given in (("-n", pairs is not None), ("--keep", keep != 1), ("--show", show is not None)):
        if given:
            raise InputError(
                f"{name} is an option of masks",
                value="--task pixels",
                hint="Give --task segmentation or change, or leave it out; of pixels, --lambda says how many.",
            )


def request(
    generator: str,
    lam: float,
    omega: float | None,
    protocol: str | None,
    buffer: str | None,
    seed: int,
    patch: int | None,
    preset: PresetName,
    settings: list[str] | None,
    device: str,
) -> SampleRequest:
    """The options of ``generate`` and ``inspect`` as they are understood. Raises InputError for what is not."""
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.quality.synthesis import SampleRequest

    return SampleRequest(
        generator=generator,
        protocol=parse_protocol(protocol or "issd", buffer),
        lam=lam,
        omega=omega,
        seed=seed,
        patch=9 if patch is None else patch,
        preset=preset.value,
        overrides=settings_of(generator, settings),
        device=device,
    )


def settings_of(generator: str, settings: list[str] | None) -> dict[str, str]:
    """``--set`` of a command that runs one generator. Raises InputError where it names another plugin."""
    from hsiaug.errors import InputError

    overrides = options.overrides(settings or [])
    for name in overrides:
        if name != generator:
            raise InputError(
                "--set must name the generator of this command", value=repr(name), hint=f"Here: {generator}."
            )
    return overrides.get(generator, {})


@contextmanager
def watched(err: Console, generator: str) -> Iterator[Progress]:
    """A progress that shows a bar on a terminal, and nothing elsewhere."""
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    from hsiaug.plugins.progress import told

    # The usual columns, but for the markup that rich would read in the description.
    text = TextColumn("{task.description}", style="progress.description", markup=False)
    columns = (text, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bars(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        task = bars.add_task(visible(generator), total=None)

        def progress(done: int, total: int, note: str = "") -> None:
            done, total, note = told(done, total, note)
            bars.update(task, completed=done, total=total, description=f"{visible(generator)} {note}".strip())

        yield progress


def _print(samples: PatchSamples, scene: Scene, out: Console, *, as_json: bool) -> None:
    rows = [
        {
            "class": c,
            "name": scene.class_names[c - 1],
            "real": int(((samples.y == c) & ~samples.synthetic).sum()),
            "synthetic": int(((samples.y == c) & samples.synthetic).sum()),
        }
        for c in scene.class_ids
    ]
    if as_json:
        print_json(rows)
    else:
        print_table(out, ("class", "name", "real", "synthetic"), [tuple(map(str, row.values())) for row in rows])
