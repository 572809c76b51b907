"""``hsiaug map``: the class of every pixel of a scene or of a set of pairs, by the classifier of a record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.cli import options
from hsiaug.cli.map_files import (
    HEADER,
    DrawnMap,
    class_shares,
    map_facts,
    map_tables,
    named,
    share_texts,
    write_maps,
)
from hsiaug.cli.output import print_json, print_lines, print_table, say, watched
from hsiaug.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rich.console import Console

    from hsiaug.bench.cluster_settings import ClusterSettings
    from hsiaug.bench.engine import Job
    from hsiaug.contracts import Progress
    from hsiaug.tasks.task import TaskData
    from hsiaug.trial.mapping import Agreement, Refitted
    from hsiaug.trial.spec import TrialSpec
    from hsiaug.trial.store import Record

__all__ = ["map_"]


def map_(
    scene: options.SceneRef,
    record: Annotated[str, typer.Option(help="Hash of the record whose classifier maps, or its beginning.")],
    out: Annotated[
        list[Path],
        typer.Option(
            help="File to write: .tif (GeoTIFF) or .npy (the map, with a .png beside it where no picture is named), "
            ".png, .svg or .pdf (the map with its legend), .md, .tex, .csv or .json (the table); of several places "
            "NAME_PLACE.tif. Repeat for more."
        ),
    ],
    store: options.StoreDir = Path("hsiaug-results"),
    device: options.Device = "auto",
    jobs: Annotated[
        int,
        typer.Option(
            help="Processes that predict stripes of the scene; each fits the classifier again.",
            min=1,
            max=options.MOST_JOBS,
        ),
    ] = 1,
    on: options.On = None,
    cluster: options.Cluster = None,
    columns: options.Columns = 2,
    json: Annotated[
        bool, typer.Option("--json", help="Print classes, remarks and files as JSON on stdout.")
    ] = False,
) -> None:
    """Map a whole scene, or every place of a set of pairs, with the classifier of one record.

    Fits the record's generator (or takes it from the store) and classifier again, on the training pixels of its draw,
    and predicts every pixel, in stripes. Writes class ids (0 = no data), in the place on Earth that the cube's file
    names, and beside them a picture with a legend. Says whether the test pixels come out as in the record.

    With --jobs or --on dask the stripes of a large scene (of about 32 MB) are predicted side by side, with the same
    result to the bit. Maps of masks are always made by this process.

    Examples:

      hsiaug map my_scene.toml --record 3fa9 --out map.tif

      hsiaug map indian_pines --record 3fa9 --out map.pdf --out shares.tex

      hsiaug map my_scene.toml --record 3fa9 --out map.tif --jobs 8

      hsiaug map oscd --record 3fa9 --out change.tif
    """
    # As a benchmark does, so that the classifier becomes the same.
    one_thread()
    from hsiaug.bench.cluster_settings import cluster_settings
    from hsiaug.bench.engine import Job
    from hsiaug.plugins.registry import registry
    from hsiaug.quality.maps import check_map_targets
    from hsiaug.report.output_files import table_writers, write_files
    from hsiaug.targets import TABLES
    from hsiaug.tasks.task import get_task
    from hsiaug.terminal import Console
    from hsiaug.trial.mapping import agreement, spec_of
    from hsiaug.trial.store import Store

    check_map_targets(out)
    settings = cluster_settings(on, cluster or ())
    kept = Store(store)
    source = kept.find(record)
    task = get_task(source["spec"]["task"])
    loaded = task.load(scene)
    spec = spec_of(source, loaded, registry())
    err, screen = Console(stderr=True), Console()
    with watched(err, f"{spec.generator.name}, {spec.classifier_label}") as progress:
        job = Job(task.name, scene, kept.root, device)
        made, maps = _made(spec, loaded, source, job, settings, jobs, err, progress)
    same = agreement(made, loaded, maps, source)
    title = f"{spec.classifier_label} with {spec.generator.name}, record {source['hash'][:8]}"
    note = f"{made.split.audit.n_train:,} of the pixels are training pixels"
    grounds = task.georeferences(scene, loaded)
    drawn = {name: DrawnMap(ids, loaded.class_names, f"{name}: {title}", note) for name, ids in maps.items()}
    rows, remarks = class_shares(list(maps.values()), made, loaded.class_names), _remarks(made, source, same)
    files = write_maps(out, drawn, grounds, map_facts(source, spec.classifier_label), columns)
    if named(out, (".tif", ".tiff")) and None in grounds.values():
        remarks.append("note: the cube's file names no place on Earth, so the map lies nowhere")
    files += write_files(named(out, TABLES), table_writers(lambda: map_tables(title, rows, remarks)))
    if json:
        print_json({"classes": rows, "remarks": remarks, "files": [str(path) for path in files]})
    else:
        print_table(screen, HEADER, map(share_texts, rows))
        print_lines(screen, remarks)
    say("written: " + ", ".join(map(str, files)), err=True)


def _made(
    spec: TrialSpec,
    data: TaskData,
    record: Record,
    job: Job,
    settings: ClusterSettings,
    jobs: int,
    err: Console,
    progress: Progress,
) -> tuple[Refitted, dict[str, NDArray[np.int16]]]:
    """The classifier, and the maps that it makes: here, or stripe by stripe on an engine."""
    from hsiaug.bench.engine import engine
    from hsiaug.bench.mapping import Later, map_stripes, stripes_of
    from hsiaug.plugins.registry import registry
    from hsiaug.spectral_views import SpectralView
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.mapping import Refitted, refit
    from hsiaug.view_names import RAW

    task = get_task(spec.task)

    def here() -> Refitted:
        return refit(spec, data, registry(), job.store / "cache", device=job.device, progress=progress)

    rows = task.stripes(data)
    jobs = min(jobs, len(rows))
    if not rows or (settings.on == "local" and jobs == 1):
        made = here()
        return made, task.mapped(made.fitted, made.card, data, made.split, progress, made.spectra)
    split = task.split(data, spec.protocol, spec.seed, spec.patch)
    stripes = stripes_of(spec, task.truth(data)[data.name], rows)
    with engine(settings, jobs, lambda line: print_lines(err, [line])) as where:
        ids = map_stripes(stripes, split, record, job, where, progress)
    card = registry().find("classifier", spec.classifier.name).load().card
    spectra = SpectralView((record.get("spectral_view") or {}).get("name", RAW), data.wavelengths)
    return Refitted(spec, Later(here), card, split, spectra), {data.name: ids}


def _remarks(made: Refitted, record: Record, same: Agreement) -> list[str]:
    """Sentences on how far the map is to be trusted."""
    from hsiaug.report.labels import percent
    from hsiaug.report.scores import metric_set

    audit, metrics = made.split.audit, record["metrics"]
    leaky = " [LEAKY]" if audit.leaky else ""
    headline = metric_set(made.spec.task)
    scores = ", ".join(f"{one.name} {percent(metrics[one.key])}" for one in (headline.second, headline.main))
    if same == "map":
        check = f"the {audit.n_test:,} test pixels come out exactly as in the record"
    elif same == "classifier":
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
        f"accuracy; that of the record is {scores} on its test pixels{leaky}",
    ]
