"""``hsiaug start``: what files hold, a benchmark that suits them, and the commands that run it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.errors import InputError, SplitError, did_you_mean
from hsiaug.bench import defaults
from hsiaug.cli.datasets import asks, note_public, print_added
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_lines, say, say_written

if TYPE_CHECKING:
    from hsiaug.core.scene import Scene

MOST_FOLDERS = 12
"""Folders that a hint names at most."""
AUXILIARY = ".aux.xml"
"""End of the names of files that say more of a raster beside them."""
SMALL = 5
"""Side of patches in pixels where fields are small: the buffer of larger ones may hold all of a
field.
"""


def start(
    place: Annotated[
        Path,
        typer.Argument(
            metavar="SCENE",
            help=(
                "A folder with a cube and its labels, the file of a cube, a card (TOML), or a"
                " scene of 'hsiaug datasets list'."
            ),
        ),
    ],
    labels: Annotated[
        Path | None, option("The labels, where several files may be them.", metavar="FILE")
    ] = None,
) -> None:
    """Look at your files, and print the commands that benchmark them.

    Examples:
      hsiaug start .
      hsiaug start flight.hdr --labels plots.geojson
      hsiaug start indian_pines

    Finds the cube and its labels, describes them, looks for a protocol that leaves enough test
    pixels of every class, and estimates the time. Trains nothing. On a terminal it asks which of
    several files to use, and whether to write the card and a picture in false colours.
    """
    from rich.prompt import Confirm

    from hsiaug.data import load_scene
    from hsiaug.data.adding import ImportOptions, add_scene, scene_name
    from hsiaug.data.findings import label_warnings
    from hsiaug.data.paths import CUBES
    from hsiaug.quality.map_files import save_quick_look

    _check_there(place)
    card = str(place)
    commands = list[Sequence[str]]()
    of_cube = place.suffix.lower() in CUBES or (place.is_file() and place.suffix.lower() != ".toml")
    if place.is_dir() or of_cube:
        cube, sheet = _files(place, labels)
        note_public(cube, sheet)
        card = f"{scene_name(cube.stem)}.toml"
        with TemporaryDirectory() as folder:
            added = add_scene(cube, sheet, Path(folder) / "card.toml", ImportOptions())
        scene = added.scene
        print_added(added, cube)
        if Path(card).exists():
            say(f"note: {card} is there already, and is taken", err=True)
        elif asks() and Confirm.ask(f"Write {card}, and a picture of the scene?", default=False):
            say_written(add_scene(cube, sheet, Path(card), ImportOptions(), save_quick_look).files)
        else:
            commands.append(("datasets", "add", str(cube), "--labels", str(sheet)))
            say(f"note: {card} is not written yet: the first command does it", err=True)
    else:
        scene = load_scene(card)
        print_lines(console(), (f"warning: {sentence}" for sentence in label_warnings(scene)))
    chosen = _propose(scene, card)
    commands.append(("benchmark", card, *chosen, "--dry-run", "--out", "split.png"))
    commands.append(("benchmark", card, "--generator", ",".join(defaults.PROPOSED), *chosen))
    commands.append(("report", "--out", "report.html"))
    commands.append(("map", card, "--out", f"{scene.name}_map.tif"))
    print_lines(
        console(), ["next:", *(f"  {shlex.join(['hsiaug', *command])}" for command in commands)]
    )


def _check_there(place: Path) -> None:
    """Raise InputError for what is neither a folder, a file nor the name of a public scene."""
    from hsiaug.data.catalogue import pair_set_names, scene_names

    names = (*scene_names(), *pair_set_names())
    name = str(place).lower().replace("-", "_")
    if place.exists() or name in names or place.suffix.lower() == ".toml":
        return
    if get_close_matches(name, names, cutoff=0.7):
        hint = did_you_mean(name, names)
    else:
        parent = place.parent if place.parent.is_dir() else Path()
        folders = sorted(entry.name for entry in parent.iterdir() if entry.is_dir())
        visible_folders = [name for name in folders if not name.startswith(".")][:MOST_FOLDERS]
        hint = f"Folders in {parent.resolve()}: {', '.join(visible_folders) or 'none'}."
    rule = "SCENE must be a folder, a file, or a scene of 'hsiaug datasets list'"
    raise InputError(rule, value=f"{str(place)!r}, which is not there", hint=hint)


def _files(place: Path, labels: Path | None) -> tuple[Path, Path]:
    """The cube and the labels: as named, or what the readers of ``hsiaug datasets add`` take for
    them in the folder.
    """
    folder = place if place.is_dir() else place.parent
    if place != folder and labels is not None:
        return place, labels
    cubes, sheets, others = _look_at(folder, place == folder)
    print_lines(console(err=True), (f"note: not taken: {path.name}: {why}" for path, why in others))
    cube = _only(cubes, "SCENE", folder, others) if place == folder else place
    return cube, labels or _only(sheets, "--labels", folder, others)


def _look_at(
    folder: Path, with_cubes: bool
) -> tuple[list[Path], list[Path], list[tuple[Path, str]]]:
    """Files of a folder that can be read as a cube, those that can be read as labels, and the
    others with a reason.
    """
    import numpy as np

    from hsiaug.base.marks import is_marked
    from hsiaug.data.auxiliary import quality_layers
    from hsiaug.data.label_codes import LabelRaster, check_number
    from hsiaug.data.label_source import read_labels
    from hsiaug.data.paths import CUBES, ENVI_DATA, IMAGES, LAYERS, PICTURES
    from hsiaug.data.readers import CONVERSIONS, read_cube_file
    from hsiaug.data.tables import TABLES
    from hsiaug.data.vector_labels import KINDS

    cubes = list[Path]()
    sheets = list[Path]()
    others = list[tuple[Path, str]]()
    skipped = quality_layers(folder)
    labels_alone = (*KINDS, *PICTURES, *LAYERS)
    # A data file of ENVI is read by way of its header.
    endings = {*CUBES, *IMAGES, *labels_alone, *CONVERSIONS}
    endings -= {*ENVI_DATA}
    for path in sorted(folder.iterdir()):
        suffix = path.suffix.lower()
        if path.name in skipped or suffix not in endings or is_marked(path):
            continue
        if path.name.lower().endswith(AUXILIARY):
            continue
        reasons = list[str]()
        # A scan goes on whatever is wrong with a file.
        try:
            found = read_labels(path, None, None, None)
            if isinstance(found, LabelRaster):
                check_number(len(np.unique(found.codes)), str(path))
            sheets.append(path)
        except Exception as error:
            reasons.append(_reason(error, path))
        # Labels alone are a cube of one band too.
        both = suffix in (".mat", *TABLES)
        if with_cubes and (path not in sheets or both) and (suffix not in labels_alone or both):
            try:
                read_cube_file(path)
                cubes.append(path)
            except Exception as error:
                reasons.append(_reason(error, path))
        if path not in cubes and path not in sheets and not _is_questions(path):
            others.append((path, reasons[-1]))
    return cubes, sheets, others


def _is_questions(path: Path) -> bool:
    """Whether a table is one of ``hsiaug label --out picks.csv`` that nobody has answered yet."""
    if path.suffix.lower() != ".csv":
        return False
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline().startswith("rank,row,column,")


def _reason(error: Exception, path: Path) -> str:
    """Why a file was not taken, as one line without its path at the beginning."""
    return " ".join(str(error).split()).removeprefix(str(path)).lstrip(": ")


def _only(
    files: Sequence[Path], name: str, folder: Path, others: Sequence[tuple[Path, str]]
) -> Path:
    """The one file, or that which is chosen on a terminal. Raises InputError."""
    if len(files) > 1 and asks():
        from rich.prompt import Prompt

        return Path(
            Prompt.ask(f"Which file is {name}?", choices=list(map(str, files)), console=console())
        )
    if len(files) != 1:
        file_names = ", ".join(map(str, files)) or f"none in {folder} that can be read as such"
        hint = "Name both: hsiaug start CUBE --labels FILE."
        if name == "SCENE" and len(files) > 1:
            hint += " Bands that are a file each must be stacked first, as rio stack does."
        if not files and others:
            hint = f"{others[0][0].name} {others[0][1]} {hint}"
        raise InputError(f"{name} must be one file", value=file_names, hint=hint)
    return files[0]


def _propose(scene: Scene, card: str) -> list[str]:
    """Print the plan of a usual benchmark, where as few classes as may be have few test pixels;
    returns its options.
    """
    from hsiaug.bench.plan import build_plan
    from hsiaug.bench.request import read_request
    from hsiaug.cli.benchmark_run import print_plan
    from hsiaug.protocol.audit import MIN_TEST_PIXELS
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import USUAL, get_task

    task = get_task(USUAL)
    usual = task.settings.on(scene)
    audits = {}
    for text, patch in ((usual.protocol, usual.patch), (usual.protocol, SMALL), ("kshot:3", SMALL)):
        with suppress(SplitError):
            audits[text, patch] = task.draws.split(scene, parse_protocol(text), 0, patch).audit
    # Where nothing can be drawn, the plan says why.
    few = {key: len(audit.lost_classes + audit.thin_classes) for key, audit in audits.items()}
    text, patch = min(few, key=few.__getitem__, default=(usual.protocol, usual.patch))
    request = read_request(protocol=text, patch=patch, generators=defaults.PROPOSED)
    plan = build_plan(scene, request, registry(), scene_ref=card)
    out = console()
    print_plan(
        [plan],
        store=Path(defaults.STORE),
        device="auto",
        jobs=None,
        out=out,
        notes=console(err=True),
        as_json=False,
    )
    audit = audits[text, patch]
    for what, ids in (
        ("no", audit.lost_classes),
        (f"fewer than {MIN_TEST_PIXELS}", audit.thin_classes),
    ):
        if ids:
            names = ", ".join(scene.class_names[c - 1] for c in ids)
            print_lines(out, [f"warning: {what} test pixels: {names}; label more fields of each"])
    typed = []
    if text != usual.protocol:
        typed += ["--protocol", text]
    if patch != usual.patch:
        typed += ["--patch", str(patch)]
    return typed
