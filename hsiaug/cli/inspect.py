"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_lines, watched
from hsiaug.cli.quality_tables import give_report, print_quality
from hsiaug.threads import one_thread

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.quality.inspection import Inspection

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
    from hsiaug.data import load_scene
    from hsiaug.plugins.registry import registry
    from hsiaug.quality.export import check_folder, made_folder
    from hsiaug.quality.figures import save_pictures
    from hsiaug.quality.inspection import inspect_samples
    from hsiaug.quality.synthesis import synthesise
    from hsiaug.terminal import Console

    check_folder(out)
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
        from hsiaug.cli.pair_commands import inspect_pairs, pair_request

        inspect_pairs(scene, out, pair_request(task, asked), store, json=json)
        return
    wanted = asked.request()
    loaded = load_scene(scene)
    with watched(Console(stderr=True), wanted.generator) as progress:
        made = synthesise(loaded, wanted, registry(), folder=store / "cache", progress=progress)
    report = inspect_samples(made)
    pictures = save_pictures(report, made_folder(out))
    give_report(report, out, pictures, lambda: _print(report, Console()), json=json)


def _print(report: Inspection, out: Console) -> None:
    from hsiaug.quality.inspection import verdict

    print_quality(out, report.fidelity.measures, report.reliability.scores)
    print_lines(out, _attention_rows(report))
    print_lines(out, (f"note: {note}" for note in (*report.fidelity.notes, *report.reliability.notes)))
    print_lines(out, verdict(report))


def _attention_rows(report: Inspection) -> Iterator[str]:
    """The class's words on either side, tab-separated; single words are in quality.json."""
    if report.attention is None:
        return
    for side, score in report.attention.class_words.items():
        floor = report.attention.shuffled[side]
        if score is None:
            yield f"attention, {side}\tno patch shows two classes, or no prompt names its class"
            continue
        beside = "" if floor is None else f"\tfloor AUC {floor.auc:.3f}, IoU {floor.iou:.3f}"
        yield f"attention, {side}\tAUC {score.auc:.3f}\tIoU {score.iou:.3f}\tn {score.n}{beside}"
