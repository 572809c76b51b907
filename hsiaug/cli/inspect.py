"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.output import say, say_json, watched
from hsiaug.cli.quality_tables import print_inspection
from hsiaug.files import write_text_whole
from hsiaug.text import json_of
from hsiaug.threads import one_thread

__all__ = ["inspect"]


def inspect(
    scene: options.SceneRef,
    out: Annotated[Path, typer.Option(help="Folder of the pictures and of quality.json.")],
    task: options.Task = None,
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    omega: options.Omega = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: options.Seed = 0,
    patch: options.AnyPatch = None,
    preset: options.Preset = options.PresetName.cpu,
    set_: options.Setting = None,
    device: options.Device = "auto",
    store: options.StoreDir = Path("hsiaug-results"),
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON on stdout.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Look at synthetic samples: are they like real ones, do their labels fit, are they copies.

    Writes spectra.png and .svg, pca.png, attention.png (for generators that offer it) and quality.json; of masks a
    contact sheet, the tiles nearest to training tiles, and the agreement under shifts. Every number stands
    beside what real held-out samples reach; docs/quality.md says how to read them. Test pixels and their labels
    are read after the fit: a diagnosis, not to be used to choose a generator on the same draw.

    Examples:

      hsiaug inspect indian_pines --generator smote --out look

      hsiaug inspect indian_pines --generator mixup --protocol kshot:10 --out look --json

      hsiaug inspect oscd --generator specdm --out look
    """
    one_thread()
    from hsiaug.plugins.registry import registry
    from hsiaug.quality.export import check_folder, made_folder
    from hsiaug.quality.kits import sample_kit
    from hsiaug.quality.sample_kit import synthesise
    from hsiaug.terminal import Console

    check_folder(out)
    kit = sample_kit(options.task_of(scene, task).value)
    name = generator or kit.task.generator
    request = options.sample_request(
        name, protocol, buffer, preset, set_, lam=lam, omega=omega, seed=seed, patch=patch, device=device
    )
    data = kit.task.load(scene)
    with watched(Console(stderr=True), name, quiet=quiet) as progress:
        made = synthesise(kit, data, request, registry(), folder=store / "cache", progress=progress)
    report = kit.inspect(made)
    pictures = kit.pictures(report, made_folder(out))
    text = json_of(report.as_json(), indent=1)
    files = [*pictures, write_text_whole(out / "quality.json", f"{text}\n")]
    if json:
        say_json(text)
    else:
        print_inspection(Console(), report)
    say("written: " + ", ".join(map(str, files)), err=True)
