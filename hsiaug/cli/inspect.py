"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from hsiaug.base.errors import InputError
from hsiaug.base.files import write_text_whole
from hsiaug.base.text import json_of
from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import print_lines, print_table, say_written

if TYPE_CHECKING:
    from hsiaug.metrics.calibration import LabelScore
    from hsiaug.metrics.measures import FidelityMeasure
    from hsiaug.quality.attention import MapScore

MEASURES = ("fidelity", "synthetic", "floor (held-out)", "unit", "good is", "n")
ATTENTION = ("attention (region of the class)", "AUC", "IoU", "patches")
SCORES = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")


def inspect(
    scene: options.SceneRef,
    out: Annotated[Path, option("Folder of the pictures and of quality.json.")],
    task: options.Task = None,
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    times: options.Times = None,
    omega: options.Omega = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: options.Seed = 0,
    patch: options.Patch = None,
    preset: options.Preset = "cpu",
    set_: options.Setting = None,
    device: options.Device = "auto",
    store: options.StoreDir = Path("hsiaug-results"),
    attention: Annotated[bool, option("Draw where a generator that reads text looks for each word.")] = False,
) -> None:
    """Look at synthetic samples: are they like real ones, do their labels fit, are they copies.

    Writes pictures of class spectra and principal components, spectra.csv and quality.json; of masks a contact sheet,
    spectra, and the tiles nearest to training tiles. Every number stands beside what real held-out samples reach;
    docs/quality.md says how to read them. Test pixels and their labels are read after the fit: a diagnosis, not to be
    used to choose a generator on the same draw.

    Examples:

      hsiaug inspect indian_pines --generator smote --out look

      hsiaug inspect indian_pines --generator mixup --protocol kshot:10 --out look

      hsiaug inspect oscd --generator specdm --out look

      hsiaug inspect indian_pines --generator txt2hsi --attention --out look
    """
    one_thread()
    from hsiaug.base.terminal import Console
    from hsiaug.cli.samples import make_samples
    from hsiaug.quality.attention import LABELS, inspect_attention
    from hsiaug.quality.attention_figure import draw_attention
    from hsiaug.quality.export import check_folder, made_folder
    from hsiaug.quality.figures import save_figures

    if out.suffix and not out.is_dir():
        raise InputError(
            "--out must be a folder", value=repr(str(out)), hint=f"For example --out {out.with_suffix('')}."
        )
    check_folder(out)
    kit, made = make_samples(
        scene,
        task,
        generator,
        protocol=protocol,
        buffer=buffer,
        set_=set_,
        store=store,
        lam=lam,
        times=times,
        omega=omega,
        seed=seed,
        patch=patch,
        preset=preset,
        device=device,
        attention=attention,
    )
    looked = inspect_attention(made) if attention else None
    report = kit.inspect(made)
    figures, numbers = report.pictures(), report.as_json()
    if looked:
        figures["attention"], numbers["attention"] = draw_attention(looked, made), looked.as_json()
    files = save_figures(figures, made_folder(out))
    files += [] if report.save_table is None else [report.save_table(out)]
    files.append(write_text_whole(out / "quality.json", json_of(numbers, indent=1) + "\n"))
    screen = Console()
    print_table(screen, MEASURES, map(_measure_row, report.fidelity.measures))
    print_table(screen, SCORES, map(_score_row, report.reliability.scores))
    if looked:
        print_table(screen, ATTENTION, (_map_row(LABELS[name], score) for name, score in looked.rows.items()))
    print_lines(screen, (*report.remarks, *report.verdict))
    say_written(files)


def _measure_row(measure: FidelityMeasure) -> tuple[str, ...]:
    from hsiaug.report.labels import measured

    value = measure.note if measure.value is None else measured(measure.value)
    return (measure.label, value, measured(measure.floor), measure.unit, measure.better, str(measure.n))


def _map_row(label: str, score: MapScore | None) -> tuple[str, ...]:
    from hsiaug.report.labels import measured

    values = (None, None) if score is None else (score.auc, score.iou)
    return (label, *map(measured, values), str(score.n if score else 0))


def _score_row(score: LabelScore) -> tuple[str, ...]:
    from hsiaug.report.labels import measured, wrong_share

    interval = "–" if score.wrong_interval is None else "{:.0f}–{:.0f} %".format(*score.wrong_interval)
    wrong = "–" if score.wrong is None else f"{wrong_share(score.wrong)} %"
    numbers = map(measured, (score.value, score.ceiling, score.floor))
    return (score.label, *numbers, score.unit, measured(score.r), wrong, interval)
