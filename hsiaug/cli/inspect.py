"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.benchmark import PresetName
from hsiaug.cli.generate import Device, GeneratorName, Lambda, Omega, Preset, Seed, Setting, request, watched
from hsiaug.cli.output import print_lines, print_table, say, say_json
from hsiaug.text import json_of
from hsiaug.threads import one_thread

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.metrics.dense.reliability import TileScore
    from hsiaug.metrics.fidelity import Measure
    from hsiaug.metrics.reliability import Score
    from hsiaug.quality.inspection import Inspection

__all__ = ["inspect", "measure_row", "score_row"]


def inspect(
    scene: options.SceneRef,
    out: Annotated[Path, typer.Option(help="Folder of the pictures and of quality.json.")],
    task: options.Task = None,
    generator: GeneratorName = None,
    lambda_: Lambda = 1.0,
    omega: Omega = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: Seed = 0,
    patch: options.AnyPatch = None,
    preset: Preset = PresetName.cpu,
    set_: Setting = None,
    device: Device = "auto",
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
    from hsiaug.files import write_text_whole
    from hsiaug.plugins.registry import registry
    from hsiaug.quality.export import check_folder, made_folder
    from hsiaug.quality.figures import save_pictures
    from hsiaug.quality.inspection import inspect_samples
    from hsiaug.quality.synthesis import synthesise
    from hsiaug.terminal import Console

    check_folder(out)
    task = options.task_of(scene, task)
    if task is not options.TaskName.pixels:
        from hsiaug.cli.pair_commands import inspect_pairs, pair_request

        wanted_pairs = pair_request(
            task, generator, None, lambda_, 1.0, omega, protocol, buffer, seed, patch, preset, set_, device
        )
        inspect_pairs(scene, out, wanted_pairs, store, json=json)
        return
    generator = generator or "smote"
    wanted = request(generator, lambda_, omega, protocol, buffer, seed, patch, preset, set_, device)
    loaded = load_scene(scene)
    with watched(Console(stderr=True), generator) as progress:
        made = synthesise(loaded, wanted, registry(), folder=store / "cache", progress=progress)
    report = inspect_samples(made)
    files = save_pictures(report, made_folder(out))
    text = json_of(report.as_json(), indent=1)
    files.append(write_text_whole(out / "quality.json", f"{text}\n"))
    if json:
        say_json(text)
    else:
        _print(report, Console())
    say("written: " + ", ".join(str(path) for path in files), err=True)


def _print(report: Inspection, out: Console) -> None:
    from hsiaug.quality.inspection import verdict

    measures = ("fidelity", "synthetic", "floor (held-out)", "unit", "good is", "n")
    print_table(out, measures, [measure_row(measure) for measure in report.fidelity.measures])
    scores = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")
    print_table(out, scores, [score_row(score) for score in report.reliability.scores])
    print_lines(out, _attention_rows(report))
    print_lines(out, (f"note: {note}" for note in (*report.fidelity.notes, *report.reliability.notes)))
    print_lines(out, verdict(report))


def measure_row(measure: Measure) -> tuple[str, ...]:
    """A row of the table of fidelity."""
    from hsiaug.report.labels import measured

    value = measure.note if measure.value is None else measured(measure.value)
    return (measure.label, value, measured(measure.floor), measure.unit, measure.better, str(measure.n))


def score_row(score: Score | TileScore) -> tuple[str, ...]:
    """A row of the table of reliability."""
    from hsiaug.report.labels import measured, score_numbers, wrong_share

    interval = "–" if score.wrong_interval is None else "{:.0f}–{:.0f} %".format(*score.wrong_interval)
    wrong = "–" if score.wrong is None else f"{wrong_share(score.wrong)} %"
    return (score.label, *score_numbers(vars(score)), score.unit, measured(score.r), wrong, interval)


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
