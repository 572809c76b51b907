"""``hsiaug map``: the class of every pixel of a scene or of a set of pairs, by a classifier or that
of a record.
"""

from pathlib import Path
from typing import Annotated

import typer

from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.options import is_hash, option, refuse_typed, task_for
from hsiaug.cli.output import console, print_lines, print_table, say_written


def map_(
    ctx: typer.Context,
    scene: options.SceneOrHash,
    out: Annotated[
        list[Path],
        option(
            "File to write: .tif, .hdr (ENVI) or .npy (the map, with a .png unless you name a"
            " picture), .png, .svg or .pdf (with a legend); for several places NAME_PLACE.tif."
            " Repeat for more.",
            metavar="FILE",
        ),
    ],
    classifier: Annotated[
        str | None,
        option(
            "Classifier; it learns from nine tenths of the labels.",
            metavar="NAME",
            default="filtered:svm, of pairs pixel-svm or fc-siam-diff",
        ),
    ] = None,
    generator: Annotated[
        str | None,
        option(
            "Generator of synthetic samples for the classifier.",
            metavar="NAME",
            default="none",
        ),
    ] = None,
    lam: options.Lambda = 1.0,
    probabilities: Annotated[
        bool,
        option("Also write NAME_probabilities, a band per class.", "--probabilities"),
    ] = False,
    store: options.StoreDir = Path(defaults.STORE),
) -> None:
    """Map every pixel of a scene, or of each place of a set of pairs.

    Examples:
      hsiaug map my_scene.toml --out map.tif
      hsiaug map my_scene.toml --classifier svm --probabilities --out map.tif
      hsiaug map my_scene.toml --classifier filtered:svm --generator pseudo --out map.tif
      hsiaug map 3fa9 --out map.pdf

    For a scene, trains a classifier on nine tenths of the labels and scores it on the rest, as a
    trial in the folder maps of the store, which reports do not read. For a record (its hash, or the
    beginning of it), fits its generator (or takes it from the store) and classifier again, on the
    training pixels of its split. Writes class ids (0 = no data) in the coordinates of the cube,
    with class names and colours for QGIS, and a picture with a legend. Reports whether the
    predictions of the test pixels equal those of the record.
    """
    one_thread()
    from hsiaug.data.catalogue import check_spared
    from hsiaug.quality.map_files import check_map_targets
    from hsiaug.scene_maps import HEADER, make_map
    from hsiaug.trial.store import Store

    record, task = None, None
    if is_hash(scene):
        names = ("classifier", "generator", "lam")
        refuse_typed(ctx, names, "a record states what made it", "Leave them out.")
        record, scene = scene, Store(store).find(scene, "SCENE")["scene_ref"]
    else:
        generators, classifiers = (
            [name for name in (one,) if name] for one in (generator, classifier)
        )
        task = task_for(scene, generators=generators, classifiers=classifiers)
    check_spared(scene, check_map_targets(out, shares=probabilities))
    scene_map = make_map(
        scene,
        store,
        record,
        classifier,
        "auto",
        console(err=True),
        shares=probabilities,
        generator=generator,
        lam=lam,
        task=task,
    )
    files = scene_map.save_all(out)
    screen = console()
    print_lines(screen, [scene_map.title])
    print_table(screen, HEADER, scene_map.rows())
    print_lines(screen, scene_map.remarks())
    say_written(files)
