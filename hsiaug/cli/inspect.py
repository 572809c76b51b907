"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import print_lines, print_table, say_written

if TYPE_CHECKING:
    from hsiaug.metrics.calibration import LabelScore
    from hsiaug.metrics.measures import FidelityMeasure
    from hsiaug.quality.inspection import Inspection
    from hsiaug.report.output_files import TableFiles

__all__ = ["inspect"]

MEASURES = ("fidelity", "synthetic", "floor (held-out)", "unit", "good is", "n")
SCORES = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")


def inspect(
    scene: options.SceneRef,
    out: Annotated[
        list[Path],
        option(
            "Folder of the pictures and of quality.json; or a file .md, .tex, .csv or .json of the tables alone; repeat "
            "for both."
        ),
    ],
    task: options.Task = None,
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    omega: options.Omega = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: options.Seed = 0,
    patch: options.Patch = None,
    preset: options.Preset = "cpu",
    set_: options.Setting = None,
    device: options.Device = "auto",
    store: options.StoreDir = Path("hsiaug-results"),
) -> None:
    """Look at synthetic samples: are they like real ones, do their labels fit, are they copies.

    Writes pictures of class spectra and principal components, spectra.csv and quality.json; of masks a contact sheet,
    spectra, and the tiles nearest to training tiles. Every number stands beside what real held-out samples reach;
    docs/quality.md says how to read them. Test pixels and their labels are read after the fit: a diagnosis, not to be
    used to choose a generator on the same draw.

    Examples:

      hsiaug inspect indian_pines --generator smote --out look

      hsiaug inspect indian_pines --generator mixup --protocol kshot:10 --out look --out quality.tex

      hsiaug inspect oscd --generator specdm --out look
    """
    one_thread()
    from hsiaug.base.terminal import Console
    from hsiaug.cli.samples import make_samples
    from hsiaug.quality.export import made_folder
    from hsiaug.quality.figures import save_figures
    from hsiaug.report.output_files import table_writers, write_files

    folders, tables = _targets(out)
    kit, made = make_samples(
        scene,
        task,
        generator,
        protocol=protocol,
        buffer=buffer,
        set_=set_,
        store=store,
        lam=lam,
        omega=omega,
        seed=seed,
        patch=patch,
        preset=preset,
        device=device,
    )
    report, files = kit.inspect(made), []
    for folder in folders:
        files += save_figures(report.pictures(), made_folder(folder))
        files += [] if report.save_table is None else [report.save_table(folder)]
    targets = [*(folder / "quality.json" for folder in folders), *tables]
    files += write_files(targets, table_writers(lambda: _tables(report)))
    screen = Console()
    print_table(screen, MEASURES, map(_measure_row, report.fidelity.measures))
    print_table(screen, SCORES, map(_score_row, report.reliability.scores))
    print_lines(screen, (*report.remarks, *report.verdict))
    say_written(files)


def _targets(out: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The folder, if one is named, and the files of tables. Raises InputError for what neither can be."""
    from hsiaug.base.errors import InputError
    from hsiaug.base.targets import TABLES, check_targets
    from hsiaug.quality.export import check_folder

    tables = [path for path in out if path.suffix.lower() in TABLES and not path.is_dir()]
    folders = [path for path in out if path not in tables]
    check_targets(tables, TABLES)
    if len(folders) > 1:
        raise InputError(
            "--out takes one folder", value=", ".join(map(repr, map(str, folders))), hint="Leave out the others."
        )
    for folder in folders:
        if folder.suffix and not folder.is_dir():
            raise InputError(
                "--out must be a folder, or a file that ends in .md, .tex, .csv or .json",
                value=repr(str(folder)),
                hint=f"For example --out {folder.with_suffix('')}, or --out {folder.with_suffix('.csv')}.",
            )
        check_folder(folder)
    return folders, tables


def _tables(report: Inspection) -> TableFiles:
    """For files; rows: one per measure and score, numbers unrounded; value: what quality.json holds."""
    from hsiaug.quality.figures import describe_samples
    from hsiaug.report.grid import ReportPage, text_grid
    from hsiaug.report.output_files import TableFiles

    scores = report.reliability.scores
    grids = (
        text_grid("Fidelity", MEASURES, map(_measure_row, report.fidelity.measures)),
        text_grid("Label reliability", SCORES, map(_score_row, scores)),
    )
    page = ReportPage(describe_samples(report.made), grids=grids, notes=(*report.remarks, *report.verdict))
    rows = [{"table": "fidelity", **vars(measure)} for measure in report.fidelity.measures]
    return TableFiles("inspect", [page], [*rows, *map(_score_values, scores)], report.as_json())


def _score_values(score: LabelScore) -> dict[str, Any]:
    low, high = score.wrong_interval or (None, None)
    names = ("name", "label", "value", "floor", "n", "unit", "ceiling", "r", "wrong")
    values = {name: getattr(score, name) for name in names}
    return {"table": "reliability", **values, "wrong_low": low, "wrong_high": high}


def _measure_row(measure: FidelityMeasure) -> tuple[str, ...]:
    from hsiaug.report.labels import measured

    value = measure.note if measure.value is None else measured(measure.value)
    return (measure.label, value, measured(measure.floor), measure.unit, measure.better, str(measure.n))


def _score_row(score: LabelScore) -> tuple[str, ...]:
    from hsiaug.report.labels import measured, score_numbers, wrong_share

    interval = "–" if score.wrong_interval is None else "{:.0f}–{:.0f} %".format(*score.wrong_interval)
    wrong = "–" if score.wrong is None else f"{wrong_share(score.wrong)} %"
    return (score.label, *score_numbers(vars(score)), score.unit, measured(score.r), wrong, interval)
