"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.text import json_of
from hsiaug.base.threads import one_thread
from hsiaug.cli import options
from hsiaug.cli.output import say, say_json, watched
from hsiaug.cli.quality_tables import inspection_tables, print_inspection

if TYPE_CHECKING:
    from hsiaug.quality.inspection import Inspection

__all__ = ["inspect"]


def inspect(
    scene: options.SceneRef,
    out: Annotated[
        list[Path],
        typer.Option(
            help="Folder of the pictures and of quality.json; or a file .md, .tex, .csv or .json of the tables alone; "
            "repeat for both."
        ),
    ],
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
    figures: Annotated[
        str | None,
        typer.Option(
            help="Endings of the pictures in the folder, between commas: png, svg, pdf.",
            show_default="png, and svg of the spectra",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON on stdout.")] = False,
    quiet: options.Quiet = False,
) -> None:
    """Look at synthetic samples: are they like real ones, do their labels fit, are they copies.

    Writes pictures of class spectra and principal components, spectra.csv and quality.json; of masks a contact sheet,
    spectra, and the tiles nearest to training tiles. Every number stands beside what real held-out samples reach;
    docs/quality.md says how to read them. Test pixels and their labels are read after the fit: a diagnosis, not to be
    used to choose a generator on the same draw.

    Examples:

      hsiaug inspect indian_pines --generator smote --out look

      hsiaug inspect indian_pines --generator mixup --protocol kshot:10 --out look --json

      hsiaug inspect indian_pines --generator smote --out look --figures pdf --out quality.tex

      hsiaug inspect oscd --generator specdm --out look
    """
    one_thread()
    from hsiaug.base.terminal import Console
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.registry.lookup import registry
    from hsiaug.report.output_files import table_writers, write_files

    folders, tables = _targets(out)
    endings = _endings(figures, folders)
    kit = sample_kit(options.task_of(scene, task, quiet=quiet).value)
    name = generator or kit.task.generator
    request = options.sample_request(
        name, protocol, buffer, preset, set_, lam=lam, omega=omega, seed=seed, patch=patch, device=device
    )
    data = kit.task.load(scene)
    with watched(Console(stderr=True), name, quiet=quiet) as progress:
        made = synthesise(kit, data, request, registry(), folder=store / "cache", progress=progress)
    report = kit.inspect(made)
    made_tables = table_writers(lambda: inspection_tables(report))
    files = [file for folder in folders for file in _write_pictures(report, folder, endings)]
    files += write_files([*(folder / "quality.json" for folder in folders), *tables], made_tables)
    if json:
        say_json(json_of(report.as_json(), indent=1))
    else:
        print_inspection(Console(), report)
    say("written: " + ", ".join(map(str, files)), err=True)


def _targets(out: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """The folder, if one is named, and the files of tables. Raises InputError for what neither can be."""
    from hsiaug.base.errors import InputError
    from hsiaug.base.targets import PICTURES, TABLES, check_targets
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
            figure = f" --figures {folder.suffix[1:].lower()}" if folder.suffix.lower() in PICTURES else ""
            raise InputError(
                "--out must be a folder, or a file that ends in .md, .tex, .csv or .json",
                value=repr(str(folder)),
                hint=f"For example --out {folder.with_suffix('')}{figure}, or --out {folder.with_suffix('.csv')}.",
            )
        check_folder(folder)
    return folders, tables


def _endings(figures: str | None, folders: Sequence[Path]) -> list[str]:
    """What --figures asks for. Raises InputError for other endings, and where there is no folder for pictures."""
    from hsiaug.base.errors import InputError
    from hsiaug.base.targets import PICTURES

    endings = [f".{word.removeprefix('.').lower()}" for word in options.words(figures or "")]
    for ending in endings:
        if ending not in PICTURES:
            raise InputError(
                "--figures must name png, svg or pdf", value=repr(figures), hint="For example --figures png,pdf."
            )
    if endings and not folders:
        raise InputError("--figures needs a folder", value=repr(figures), hint="Add --out look.")
    return endings


def _write_pictures(report: Inspection, folder: Path, endings: Sequence[str]) -> list[Path]:
    """Write the figures into a folder, and the numbers that they show."""
    from hsiaug.quality.export import made_folder
    from hsiaug.quality.figures import save_figures

    files = save_figures(report.pictures(), made_folder(folder), endings)
    return files if report.save_table is None else [*files, report.save_table(folder)]
