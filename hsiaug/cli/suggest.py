"""``hsiaug suggest``: which pixels to label next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from hsiaug.bench.defaults import COMMITTEE
from hsiaug.bench.ranges import words
from hsiaug.cli import options
from hsiaug.cli.computing import compute_here
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_json, print_lines, print_table, say_written
from hsiaug.registry.progress import show_progress
from hsiaug.tasks.settings import PATCH

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hsiaug.core.scene import Scene
    from hsiaug.protocol.split import BlindSplit

ALL = "all"
"""The protocol of a scene of one's own: there is no test side, for nothing is scored."""


def suggest(
    scene: options.SceneRef,
    number: Annotated[int, option("Pixels to name.", "--number", "-n", min=1, max=1000)] = 20,
    classifier: Annotated[
        str,
        option(
            "Classifiers of the committee, between commas, each on three views.",
            show_default=",".join(COMMITTEE),
        ),
    ] = "",
    protocol: Annotated[
        str,
        option(
            "all: every label is learnt, and any other pixel may be named. issd, kshot:K, …: the"
            " training pixels of a draw are learnt, and its other labelled pixels may be named."
        ),
    ] = ALL,
    seed: options.Seed = 0,
    out: Annotated[
        list[Path] | None,
        option(
            "File to write: .csv or .json (a table), .png, .svg or .pdf (a map); repeat for more."
        ),
    ] = None,
    json: options.Json = False,
) -> None:
    """Name the pixels whose labels would help most: where classifiers disagree, and nothing like it
    has a label yet.

    A committee of classifiers learns the labels that there are and predicts every pixel. The scene
    is divided into segments of like neighbours; each pick is the pixel most typical of a segment,
    chosen so that the picks together stand for as much as possible of the ground on which the
    committee disagrees and that is unlike what is labelled.

    Write a class into the column of the CSV, add these labels to yours ('hsiaug datasets add') and
    ask again. Pixels beyond any class can be named as well: leave these out.

    Examples:
      hsiaug suggest my_scene.toml -n 20 --out picks.csv --out picks.png
      hsiaug suggest indian_pines -n 16 --protocol issd --seed 3
    """
    compute_here()
    from hsiaug.data import load_scene
    from hsiaug.data.georeference import scene_georeference
    from hsiaug.registry.lookup import registry
    from hsiaug.suggest.committee import MAX_TRAINING_PIXELS, committee
    from hsiaug.suggest.picks import suggestions
    from hsiaug.suggest.suggestion_files import check_files, rows_of, save_suggestions

    loaded = load_scene(scene)
    ground = scene_georeference(scene)
    screen = console()
    check_files(out or [])
    members = committee(words(classifier), loaded.bands)
    split, candidates, learnt = known_labels(loaded, protocol, seed)
    with show_progress(console(err=True), "committee") as progress:
        suggested = suggestions(
            loaded.unlabelled,
            split,
            candidates,
            number,
            members,
            registry(),
            seed=seed,
            progress=progress,
        )
    if suggested.known.sum() > MAX_TRAINING_PIXELS:
        learnt = f"{MAX_TRAINING_PIXELS} pixels, one of each class in turn, of {learnt}"
    notes = [f"committee: {', '.join(map(str, members))}, each fitted on {learnt}"]
    rows = rows_of(suggested, loaded.class_names, ground)
    places = [name for name in ("x", "y") if name in rows[0]]
    form = {
        "uncertainty": "{:.2f}",
        "segment_pixels": "{} px",
        "share": "{:.1%}",
        "x": "{:.10g}",
        "y": "{:.10g}",
    }
    columns = (
        "rank",
        "row",
        "column",
        *places,
        "committee",
        "uncertainty",
        "segment_pixels",
        "share",
    )
    texts = ([form.get(key, "{}").format(row[key]).rstrip("%") for key in columns] for row in rows)
    header = (
        "rank",
        "row",
        "column",
        *places,
        "committee says",
        "uncertainty",
        "segment",
        "share %",
    )
    if json:
        print_json({"scene": loaded.name, "notes": notes, "picks": rows})
    else:
        print_table(screen, header, texts)
        print_lines(screen, notes)
    if out:
        save_suggestions(out, suggested, loaded.unlabelled, ground, loaded.name, notes)
        say_written(out)


def known_labels(
    scene: Scene, protocol: str, seed: int
) -> tuple[BlindSplit, NDArray[np.bool_], str]:
    """The labels that are learnt, the pixels that may be named, and what to call the former."""
    import numpy as np

    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.split import Blind, check_patch, draw_split

    labelled = scene.labels > 0
    if protocol == ALL:
        check_patch(PATCH, scene)
        ids = scene.labels[labelled].astype(np.int64)
        split = Blind(labelled, np.zeros_like(labelled), ids, PATCH)
        return split, ~labelled, f"all {len(ids):,} labelled pixels"
    drawn = draw_split(scene, parse_protocol(protocol), seed, PATCH)
    learnt = (
        f"the {drawn.audit.n_train:,} training pixels of {drawn.audit.protocol}, draw {seed}; picks"
        " are labelled pixels alone, as a benchmark reveals them"
    )
    return drawn.blind, labelled & ~drawn.train, learnt
