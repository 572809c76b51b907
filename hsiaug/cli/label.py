"""``hsiaug label``: labels given in a browser, or the pixels to label next as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.errors import need
from hsiaug.base.threads import one_thread
from hsiaug.bench.defaults import LABELLING
from hsiaug.bench.ranges import words
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_lines, print_table, say, say_written
from hsiaug.registry.progress import show_progress
from hsiaug.tasks.settings import PATCH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hsiaug.core.scene import UnlabelledScene
    from hsiaug.data.georeference import Georeference


def label(
    scene: Annotated[
        str,
        typer.Argument(
            metavar="SCENE", help=f"{options.SCENE[:-1]}, or the file of a cube without labels."
        ),
    ],
    number: Annotated[
        int,
        option(
            "Pixels per round.",
            "--number",
            "-n",
            metavar="N",
            default=16,
            min=1,
            max=1000,
        ),
    ] = 16,
    out: Annotated[
        list[Path] | None,
        option(
            "Write the pixels to label instead of opening the page: .csv or .json (a table), .png,"
            " .svg or .pdf (a map); repeat for more.",
            metavar="FILE",
        ),
    ] = None,
    classes: Annotated[str, option("Further class names.", metavar="NAME,…")] = "",
    port: options.Port = None,
) -> None:
    """Label a scene in a browser, or write a file of the pixels that help most.

    Examples:
      hsiaug label my_scene.toml
      hsiaug label flight.hdr --classes wheat,rye,track
      hsiaug label my_scene.toml --number 20 --out picks.csv --out picks.png

    A committee of classifiers learns from the labels so far and predicts every pixel. It suggests
    pixels of segments on which it disagrees and that differ from what is labelled. The page shows
    the map after each round; answer with a click or a key. Each answer is saved at once in
    SCENE-answers.csv, and the same command continues from there. The page is at 127.0.0.1, not
    reachable from other machines, and its address contains a secret. In a file of suggestions, fill
    in the column class. 'hsiaug datasets add CUBE --labels FILE' reads both files.
    """
    one_thread()
    if out:
        _write_picks(scene, out, number)
        return
    need("a page in the browser", "ui", "starlette", "uvicorn")
    from hsiaug.core.view_names import DEFAULT_VIEW, view_or_raw
    from hsiaug.protocol.split import check_patch
    from hsiaug.registry.lookup import registry
    from hsiaug.suggest.committee import Member, committee
    from hsiaug.ui.answers import AnswerFile, check_name
    from hsiaug.ui.label_routes import LabelRoutes
    from hsiaug.ui.labelling import Labelling, LabellingTask
    from hsiaug.ui.server import serve_here

    bare, name, labels, ground = _begin(scene)
    check_patch(PATCH, bare)
    names = dict.fromkeys([*bare.class_names, *map(check_name, words(classes))])
    bare, members = replace(bare, class_names=tuple(names)), committee(bare.bands)
    mapper = Member(LABELLING, view_or_raw(DEFAULT_VIEW, bare.bands))
    task = LabellingTask(bare, name, labels, members, mapper, count=number, ground=ground)
    path = Path(f"{name}-answers.csv")
    answer_file = AnswerFile(path, bare.shape, ground)
    labelling = Labelling(task, answer_file, registry())
    for line in answer_file.wrong:
        say(f"warning: {path}, {line}; it is left out, and {path}.bak keeps it", err=True)

    def opened(address: str) -> None:
        say(f"label at: {address}")
        say(f"answers: {path} ({len(answer_file.given):,} so far); end with Ctrl-C", err=True)

    with answer_file.held():
        labelling.ask()
        serve_here(
            LabelRoutes(labelling).routes(), port or 0, browser=port is None, announce=opened
        )


def _begin(ref: str) -> tuple[UnlabelledScene, str, NDArray[np.int16], Georeference | None]:
    """A scene, its name, its known labels (H, W), 0 = none, and its place."""
    import numpy as np

    from hsiaug.data import load_scene
    from hsiaug.data.georeference import scene_georeference
    from hsiaug.data.loading import bare_scene
    from hsiaug.data.paths import CUBES

    if Path(ref).suffix.lower() in CUBES:
        bare, ground, guesses = bare_scene(Path(ref))
        for key, remark in guesses.items():
            say(f"note: {key} is {remark}", err=True)
        return bare, Path(ref).stem, np.zeros(bare.shape, np.int16), ground
    scene = load_scene(ref)
    return scene.unlabelled, scene.name, scene.labels.astype(np.int16), scene_georeference(ref)


def _write_picks(ref: str, out: Sequence[Path], number: int) -> None:
    """Print the pixels to label next, and write them to files. Raises InputError for another ending
    than those of the files.
    """
    import numpy as np

    from hsiaug.data import load_scene
    from hsiaug.data.georeference import scene_georeference
    from hsiaug.protocol.split import Blind, check_patch
    from hsiaug.registry.lookup import registry
    from hsiaug.suggest.committee import MAX_TRAINING_PIXELS, committee
    from hsiaug.suggest.picks import suggestions
    from hsiaug.suggest.suggestion_files import check_files, rows_of, save_suggestions

    check_files(out)
    scene = load_scene(ref)
    ground = scene_georeference(ref)
    check_patch(PATCH, scene)
    members = committee(scene.bands)
    labelled = scene.labels > 0
    ids = scene.labels[labelled].astype(np.int64)
    split = Blind(labelled, np.zeros_like(labelled), ids, PATCH)
    learnt = f"all {len(ids):,} labelled pixels"
    with show_progress(console(err=True), "committee") as progress:
        suggested = suggestions(
            scene.unlabelled,
            split,
            ~labelled,
            number,
            members,
            registry(),
            seed=0,
            progress=progress,
        )
    if suggested.known.sum() > MAX_TRAINING_PIXELS:
        learnt = f"{MAX_TRAINING_PIXELS} pixels, one of each class in turn, of {learnt}"
    notes = [f"committee: {', '.join(map(str, members))}, each fitted on {learnt}"]
    rows = rows_of(suggested, scene.class_names, ground)
    columns = [key for key in rows[0] if key != "class"]
    screen = console()
    print_table(screen, columns, ([row[key] for key in columns] for row in rows))
    print_lines(screen, notes)
    save_suggestions(out, suggested, scene.unlabelled, ground, scene.name, notes)
    say_written(out)
