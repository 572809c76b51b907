"""``hsiaug map``: the class of every pixel of a scene, by the classifier of a record."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli import options
from hsiaug.cli.generate import Device, watched
from hsiaug.cli.output import print_lines, print_table, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hsiaug.scene import Scene
    from hsiaug.trial.mapping import Agreement, Refitted
    from hsiaug.trial.store import Record

__all__ = ["map_"]


def map_(
    scene: options.SceneRef,
    record: Annotated[str, typer.Option(help="Hash of the record whose classifier maps, or its beginning.")],
    out: Annotated[Path, typer.Option(help="File of the map: .tif (GeoTIFF), .npy, or .png alone.")],
    store: options.StoreDir = Path("hsiaug-results"),
    device: Device = "auto",
) -> None:
    """Map a whole scene with the classifier of one record.

    Fits the record's generator (or takes it from the store) and classifier again, on the training pixels of its draw,
    and predicts every pixel, in stripes. Writes class ids (0 = no data), in the place on Earth that the cube's file
    names, and beside them a PNG with a legend. Says whether the test pixels come out as in the record.

    Examples:

      hsiaug map my_scene.toml --record 3fa9 --out map.tif

      hsiaug map indian_pines --record 3fa9 --out map.png
    """
    # As a benchmark does, so that the classifier becomes the same.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from hsiaug.data import load_scene
    from hsiaug.data.georeference import scene_georeference
    from hsiaug.plugins.registry import registry
    from hsiaug.quality.maps import RASTERS, check_map_target, save_map, save_map_picture
    from hsiaug.terminal import Console
    from hsiaug.trial.mapping import agreement, map_scene, refit, spec_of
    from hsiaug.trial.store import Store

    check_map_target(out)
    kept = Store(store)
    source = kept.find(record)
    loaded = load_scene(scene)
    spec = spec_of(source, loaded, registry())
    err, screen = Console(stderr=True), Console()
    with watched(err, f"{spec.generator.name}, {spec.classifier.name}") as progress:
        made = refit(spec, loaded, registry(), kept.cache, device=device, progress=progress)
        ids = map_scene(made, loaded, progress)
    same = agreement(made, loaded, ids, source)
    ground = scene_georeference(scene)
    files = [out.with_suffix(".png")]
    if out.suffix.lower() in RASTERS:
        save_map(out, ids, loaded.class_names, ground, _facts(source))
        files.insert(0, out)
    title = f"{loaded.name}: {spec.classifier.name} with {spec.generator.name}, record {source['hash'][:8]}"
    note = f"{int(made.split.train.sum()):,} of the pixels are training pixels"
    save_map_picture(files[-1], ids, loaded.class_names, title, note)
    rows = _shares(ids, made, loaded)
    print_table(screen, ("class", "name", "pixels", "share %", "training pixels"), rows)
    print_lines(screen, _remarks(made, source, same))
    if out.suffix.lower() in (".tif", ".tiff") and ground is None:
        print_lines(screen, ["note: the cube's file names no place on Earth, so the map lies nowhere"])
    say("written: " + ", ".join(map(str, files)), err=True)


def _facts(record: Record) -> dict[str, str]:
    """What the file says of itself."""
    spec: dict[str, Any] = record["spec"]
    return {
        "SCENE": spec["scene"]["name"],
        "RECORD": record["hash"],
        "GENERATOR": spec["generator"]["name"],
        "CLASSIFIER": spec["classifier"]["name"],
        "REMARK": "holds training pixels: its agreement with the labels is no accuracy",
    }


def _shares(ids: NDArray[np.int16], made: Refitted, scene: Scene) -> list[tuple[str, ...]]:
    import numpy as np

    counts = np.bincount(ids.ravel(), minlength=len(scene.class_names) + 1)
    mapped = max(1, int(counts[1:].sum()))
    train = made.split.audit.train_counts
    rows: list[tuple[str, ...]] = [
        (str(c), scene.class_names[c - 1], str(counts[c]), f"{100 * counts[c] / mapped:.2f}", str(train[c - 1]))
        for c in scene.class_ids
    ]
    return [*rows, ("0", "no data", str(counts[0]), "–", "–")] if counts[0] else rows


def _remarks(made: Refitted, record: Record, same: Agreement) -> list[str]:
    """Sentences on how far the map is to be trusted."""
    audit, metrics = made.split.audit, record["metrics"]
    leaky = " [LEAKY]" if audit.leaky else ""
    if same.of_map:
        check = f"the {audit.n_test:,} test pixels come out exactly as in the record"
    elif same.of_classifier:
        check = (
            "the classifier repeats the record's predictions exactly; in the map some test pixels differ, because "
            "its batches are rounded otherwise"
        )
    else:
        versions = ", ".join(f"{name} {v}" for name, v in record["environment"]["versions"].items())
        check = (
            "warning: the classifier does NOT repeat the record's predictions, so the record's accuracy is not that "
            f"of this map; the record was made on {record['device']['classifier']} with {versions}"
        )
    return [
        check,
        f"warning: the map holds the {audit.n_train:,} training pixels, so its agreement with the labels is no "
        f"accuracy; that of the record is OA {100 * metrics['oa']:.1f}, AA {100 * metrics['aa']:.1f} on its test "
        f"pixels{leaky}",
    ]
