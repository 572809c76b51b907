"""``hsiaug map``: the class of every pixel of a scene, by the classifier of a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.cli import options
from hsiaug.cli.output import print_json, print_lines, print_table, say, watched
from hsiaug.threads import one_thread

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
    device: options.Device = "auto",
    json: Annotated[
        bool, typer.Option("--json", help="Print classes, remarks and files as JSON on stdout.")
    ] = False,
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
    one_thread()
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
    rows, remarks = _shares(ids, made, loaded), _remarks(made, source, same)
    if out.suffix.lower() in (".tif", ".tiff") and ground is None:
        remarks.append("note: the cube's file names no place on Earth, so the map lies nowhere")
    if json:
        print_json({"classes": rows, "remarks": remarks, "files": [str(path) for path in files]})
    else:
        print_table(screen, ("class", "name", "pixels", "share %", "training pixels"), map(_texts, rows))
        print_lines(screen, remarks)
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


def _shares(ids: NDArray[np.int16], made: Refitted, scene: Scene) -> list[dict[str, Any]]:
    """By class: its pixels, their share of those that are mapped, and training pixels; last what holds no data."""
    import numpy as np

    counts = np.bincount(ids.ravel(), minlength=len(scene.class_names) + 1)
    mapped = max(1, int(counts[1:].sum()))
    train = made.split.audit.train_counts
    rows: list[dict[str, Any]] = [
        {
            "class": c,
            "name": scene.class_names[c - 1],
            "pixels": int(counts[c]),
            "share": float(counts[c] / mapped),
            "train": int(train[c - 1]),
        }
        for c in scene.class_ids
    ]
    empty = {"class": 0, "name": "no data", "pixels": int(counts[0]), "share": None, "train": None}
    return [*rows, empty] if counts[0] else rows


def _texts(row: dict[str, Any]) -> tuple[str, ...]:
    share = "–" if row["share"] is None else f"{100 * row['share']:.2f}"
    train = "–" if row["train"] is None else str(row["train"])
    return str(row["class"]), row["name"], str(row["pixels"]), share, train


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
