"""``hsiaug generate``: synthetic samples of a generator, in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_json, print_table, say, watched
from hsiaug.threads import one_thread

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.samples import PatchSamples
    from hsiaug.scene import Scene

__all__ = ["generate"]


def generate(
    scene: options.SceneRef,
    out: Annotated[Path, typer.Option(help="File to write: .npz, or .mat (MATLAB 5); for masks a new folder.")],
    task: options.Task = None,
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
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
    omega: options.Omega = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: options.Seed = 0,
    patch: options.AnyPatch = None,
    with_real: Annotated[
        bool, typer.Option("--with-real", help="Put the real training samples before the synthetic ones.")
    ] = False,
    preset: options.Preset = options.PresetName.cpu,
    set_: options.Setting = None,
    device: options.Device = "auto",
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
    asked = options.SampleOptions(
        generator=generator,
        lam=lam,
        omega=omega,
        protocol=protocol,
        buffer=buffer,
        seed=seed,
        patch=patch,
        preset=preset,
        settings=set_ or [],
        device=device,
    )
    if task is not options.TaskName.pixels:
        from hsiaug.cli.pair_commands import generate_pairs, pair_request

        wanted_pairs = pair_request(task, asked, count=pairs, keep=keep, show=show)
        generate_pairs(scene, out, wanted_pairs, store, json=json)
        return
    _refuse_masks_options(pairs, keep, show)
    check_target(out, ENDINGS)
    wanted = asked.request()
    loaded = load_scene(scene)
    with watched(Console(stderr=True), wanted.generator) as progress:
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
