"""``hsiaug label``: labels given in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from hsiaug.base.threads import one_thread
from hsiaug.bench.ranges import words
from hsiaug.cli import options
from hsiaug.cli.options import option
from hsiaug.cli.output import say
from hsiaug.cli.suggest import ALL, PATCH, known_labels

__all__ = ["label"]

NONE = "none"
"""The protocol of a scene of which no label is known."""


def label(
    scene: options.SceneRef,
    answers: Annotated[
        Path | None,
        option("CSV that holds the answers; one that is there is continued. Default: SCENE-answers.csv."),
    ] = None,
    number: Annotated[int, option("Pixels to ask for at a time.", "--number", "-n", min=1, max=1000)] = 16,
    committee: Annotated[str, option("Classifiers of the committee, between commas.", show_default="svm,rf")] = "",
    classifier: Annotated[str, option("The classifier that makes the map.")] = "svm",
    protocol: Annotated[
        str,
        option(
            "What is known before the first answer. all: every label of the scene. none: no label. issd, kshot:K, …: the "
            "training pixels of a draw."
        ),
    ] = ALL,
    seed: options.Seed = 0,
    port: options.Port = 0,
    no_browser: options.NoBrowser = False,
) -> None:
    """Label a scene in a browser: answer what 'hsiaug suggest' asks, see the map, ask again.

    Serves a page at 127.0.0.1, which no other machine reaches; its address holds a secret. The page shows the scene, the
    spectrum under the pointer beside the class means, numbered picks, and what the committee calls each. A click or a key
    answers: a class, none of these, or skip. Every answer is in the CSV at once, so that nothing is lost if the command
    is ended, and the next start continues there. 'hsiaug datasets add CUBE --labels FILE' reads it.

    Examples:

      hsiaug label my_scene.toml

      hsiaug label indian_pines --protocol none --classifier rf
    """
    one_thread()
    from hsiaug.ui.server import need_ui

    need_ui()
    import numpy as np

    from hsiaug.data import load_scene
    from hsiaug.data.georeference import scene_georeference
    from hsiaug.protocol.split import check_patch
    from hsiaug.registry.lookup import registry
    from hsiaug.suggest.committee import Member
    from hsiaug.suggest.committee import committee as committee_of
    from hsiaug.tasks.pixels import PixelClassification
    from hsiaug.ui.answers import Answers
    from hsiaug.ui.label_page import label_routes
    from hsiaug.ui.labelling import Labelling, Task
    from hsiaug.ui.server import serve_here

    loaded, ground = load_scene(scene), scene_georeference(scene)
    known, candidates = np.zeros(loaded.shape, dtype=np.int16), np.ones(loaded.shape, dtype=bool)
    check_patch(PATCH, loaded)
    if protocol != NONE:
        learnt, candidates, _ = known_labels(loaded, protocol, seed)
        known[learnt.train] = learnt.train_labels
    mapper = Member(classifier, PixelClassification().defaults(loaded).views[0])
    task = Task(
        scene=loaded.unlabelled,
        name=loaded.name,
        known=known,
        candidates=candidates,
        members=committee_of(words(committee), (), loaded.bands),
        mapper=mapper,
        count=number,
        ground=ground,
    )
    path = answers or Path(f"{loaded.name}-answers.csv")
    labelling = Labelling(task, Answers(path, loaded.shape, ground), registry())
    labelling.ask()

    def opened(address: str) -> None:
        say(f"label at: {address}")
        say(f"answers: {path} ({len(labelling.answers.given):,} so far); end with Ctrl-C", err=True)

    serve_here(label_routes(labelling), port, browser=not no_browser, said=opened)
