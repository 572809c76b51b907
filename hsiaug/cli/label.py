"""``hsiaug label``: labels given in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.errors import need
from hsiaug.bench.defaults import LABELLING
from hsiaug.bench.ranges import words
from hsiaug.cli import options
from hsiaug.cli.computing import compute_here
from hsiaug.cli.options import option
from hsiaug.cli.output import say
from hsiaug.cli.suggest import ALL, known_labels
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
            help=(
                "A scene of 'hsiaug datasets list', a card (TOML), or the file of a cube without"
                " labels."
            )
        ),
    ],
    answers: Annotated[
        Path | None,
        option("CSV of the answers; one that is there is continued. Default: SCENE-answers.csv."),
    ] = None,
    classes: Annotated[
        str, option("Further class names, between commas.", show_default=False)
    ] = "",
    number: Annotated[
        int, option("Pixels to ask for at a time.", "--number", "-n", min=1, max=1000)
    ] = 16,
    classifier: Annotated[str, option("The classifier that makes the map.")] = LABELLING,
    protocol: Annotated[
        str,
        option(
            "What is known at first: all labels, none, or the training pixels of draw 0 of issd,"
            " kshot:K, …"
        ),
    ] = ALL,
    port: options.Port = 0,
    no_browser: options.NoBrowser = False,
) -> None:
    """Label a scene in a browser: answer what 'hsiaug suggest' asks, see the map, ask again.

    Serves a page at 127.0.0.1, which no other machine reaches; its address holds a secret. A click
    or a key answers: a class, none of these, or skip. Every answer is in the CSV at once, and the
    next start continues there. 'hsiaug datasets add CUBE --labels FILE' reads it.

    Examples:
      hsiaug label my_scene.toml
      hsiaug label flight.hdr --classes wheat,rye,track
      hsiaug label indian_pines --protocol none --classifier rf
    """
    compute_here()
    need("a page in the browser", "ui", "starlette", "uvicorn")
    from dataclasses import replace

    from hsiaug.core.view_names import DEFAULT_VIEW, view_or_raw
    from hsiaug.protocol.split import check_patch
    from hsiaug.registry.lookup import registry
    from hsiaug.suggest.committee import Member, committee
    from hsiaug.ui.answers import AnswerFile, check_name
    from hsiaug.ui.label_routes import LabelRoutes
    from hsiaug.ui.labelling import Labelling, LabellingTask
    from hsiaug.ui.server import serve_here

    bare, name, known_labels, candidates, ground = _begin(scene, protocol)
    check_patch(PATCH, bare)
    names = dict.fromkeys([*bare.class_names, *map(check_name, words(classes))])
    bare, members = replace(bare, class_names=tuple(names)), committee((), bare.bands)
    mapper = Member(classifier, view_or_raw(DEFAULT_VIEW, bare.bands))
    task = LabellingTask(
        bare, name, known_labels, candidates, members, mapper, count=number, ground=ground
    )
    path = answers or Path(f"{name}-answers.csv")
    answer_file = AnswerFile(path, bare.shape, ground)
    labelling = Labelling(task, answer_file, registry())
    for line in answer_file.wrong:
        say(f"warning: {path}, {line}; it is left out, and {path}.bak keeps it", err=True)

    def opened(address: str) -> None:
        say(f"label at: {address}")
        say(f"answers: {path} ({len(answer_file.given):,} so far); end with Ctrl-C", err=True)

    with answer_file.held():
        labelling.ask()
        serve_here(LabelRoutes(labelling).routes(), port, browser=not no_browser, announce=opened)


def _begin(
    ref: str, protocol: str
) -> tuple[UnlabelledScene, str, NDArray[np.int16], NDArray[np.bool_], Georeference | None]:
    """A scene, its name, its known labels (H, W), 0 = none, the pixels (H, W) that may be asked,
    and its place.
    """
    import numpy as np

    from hsiaug.data import load_scene
    from hsiaug.data.endings import CUBES
    from hsiaug.data.georeference import scene_georeference
    from hsiaug.data.loading import bare_scene

    if Path(ref).suffix.lower() in CUBES:
        bare, ground, guesses = bare_scene(Path(ref))
        for key, remark in guesses.items():
            say(f"note: {key} is {remark}", err=True)
        return (
            bare,
            Path(ref).stem,
            np.zeros(bare.shape, np.int16),
            np.ones(bare.shape, bool),
            ground,
        )
    scene = load_scene(ref)
    labels = np.zeros(scene.shape, np.int16)
    candidates = np.ones(scene.shape, bool)
    if protocol != "none":
        learnt, candidates, _ = known_labels(scene, protocol, seed=0)
        labels[learnt.train] = learnt.train_labels
    return scene.unlabelled, scene.name, labels, candidates, scene_georeference(ref)
