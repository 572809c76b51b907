"""``hsiaug generate``: synthetic samples of a generator, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.output import print_json, print_table, say, watched

if TYPE_CHECKING:
    from rich.console import Console

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
    quiet: options.Quiet = False,
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
    from hsiaug.base.terminal import Console
    from hsiaug.data.scene_files import check_spared
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.registry.lookup import registry

    kit = sample_kit(options.task_of(scene, task, quiet=quiet).value)
    name = generator or kit.task.generator
    request = options.sample_request(
        name, protocol, buffer, preset, set_, lam=lam, omega=omega, seed=seed, patch=patch, device=device
    )
    names = tuple(word.strip() for word in show.split(",")) if show else ()
    request = replace(request, count=pairs, show=names)
    kit.check(request, out)
    check_spared(scene, [out])
    data = kit.task.load(scene)
    with watched(Console(stderr=True), name, quiet=quiet) as progress:
        made = synthesise(kit, data, request, registry(), folder=store / "cache", progress=progress)
    written = kit.save(out, made, with_real=with_real)
    _print_classes(kit.classes(made, with_real=with_real), kit.unit, Console(), as_json=json)
    for line in written:
        say(line, err=True)


def _print_classes(rows: Sequence[dict[str, Any]], unit: str, out: Console, *, as_json: bool) -> None:
    """Of each class its part of the samples: in JSON shares are fractions, in the table percent."""
    if as_json:
        print_json(rows)
        return
    header = ("class", "name", f"real {unit}".strip(), f"synthetic {unit}".strip())
    texts = []
    for row in rows:
        parts = (f"{100 * row[key]:.1f}" if unit else str(row[key]) for key in ("real", "synthetic"))
        texts.append((str(row["class"]), row["name"], *parts))
    print_table(out, header, texts)
