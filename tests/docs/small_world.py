"""A folder with everything that the commands of the pages name, small: scenes, pairs, a suite, a
store of records.
"""

import contextlib
import json
import shutil
from pathlib import Path

import numpy as np
import rasterio
from PIL import Image
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter
from typer.testing import CliRunner

from hsiaug.cli.main import app
from hsiaug.data import toy_scene
from hsiaug.trial.store import Store
from tests.docs.pages import ROOT, blocks
from tests.envi_scenes import save_flight

SUITE = """
title = "Small"
store = "hsiaug-results-suite"

[defaults]
scenes = "flight.toml"
generators = "smote"
classifiers = "svm"
preset = "tiny"
patch = 5
seeds = 1

[[run]]
name = "headline"

[[run]]
name = "ablation"
set = [{}, { smote = { neighbours = 2 } }]

[[run]]
name = "sweep"
lambdas = "0.5:1:0.5"
"""
PROMPTS = 'Meadow = ["a smooth green meadow", "a meadow beside maize"]\nMaize = "rows of maize"\n'
PAIRS = """
name = "pairs"
task = "change"

[images]
files = ["{place}_before.npy", "{place}_after.npy"]

[masks]
files = ["{place}_mask.npy"]
names = ["unchanged", "changed"]

[places]
train = ["a", "b"]
test = ["c"]
"""
SHARED = ("farm.npy", "cache")
RECORDS = (
    *("benchmark", "flight.toml", "--generator", "smote,txt2hsi", "--classifier", "svm,cnn2d"),
    *("--lambda", "0.5,1"),
    *(
        "--omega",
        "3",
        "--seeds",
        "1",
        "--patch",
        "5",
        "--view",
        "raw",
        "--preset",
        "tiny",
        "--jobs",
        "1",
        "--device",
        "cpu",
    ),
)


def run(folder: Path, *words: str) -> str:
    """Type a command in a folder, in this process, which has the libraries loaded; what it prints
    on stdout.

    Raises AssertionError with all that it said where it does not end well.
    """
    with contextlib.chdir(folder):
        answer = CliRunner().invoke(app, words)
    if answer.exit_code:
        raise AssertionError(f"exit code {answer.exit_code}: {answer.exception!r}\n{answer.output}")
    return answer.stdout


def build(folder: Path) -> Path:
    """Fill a folder: flight.hdr, flight.tif, plots.geojson, flight.toml, filled.csv, plan.png,
    pairs.toml, suite.toml, prompts.toml, farm.npy, hsiaug-results.
    """
    scene = toy_scene()
    centres = [] if scene.wavelengths is None else scene.wavelengths.tolist()
    bands = {"wavelength": centres, "wavelength units": "Nanometers"}
    save_flight(folder, scene.cube, **bands)
    profile = {
        "driver": "GTiff",
        "height": scene.cube.shape[0],
        "width": scene.cube.shape[1],
        "count": scene.bands,
        "dtype": "float32",
        "crs": "EPSG:32633",
        "transform": Affine(2, 0, 500000, 0, -2, 5000000),
    }
    with rasterio.open(folder / "flight.tif", "w", **profile) as file:
        file.write(np.moveaxis(scene.cube, 2, 0).astype(np.float32))
    plots = [
        {
            "type": "Feature",
            "geometry": {
                "type": "Point",
                "coordinates": [int(500001 + 2 * column), int(4999999 - 2 * row)],
            },
            "properties": {"crop": scene.class_names[scene.labels[row, column] - 1]},
        }
        for row, column in np.argwhere(scene.labels)
    ]
    picked = [
        (r, c, scene.class_names[scene.labels[r, c] - 1])
        for r, c in np.argwhere(scene.labels)[::300]
    ]
    rows = [f"{row},{column},{name}" for row, column, name in picked]
    (folder / "filled.csv").write_text("\n".join(["row,column,class", *rows]))
    system = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}}
    layer = {"type": "FeatureCollection", "features": plots, "crs": system}
    (folder / "plots.geojson").write_text(json.dumps(layer))
    rng = np.random.default_rng(0)
    for name in "abc":
        # Smooth ground, as masks of pure noise have no edges to measure.
        ground = 0.5 + gaussian_filter(rng.standard_normal((48, 48, 3)), (3, 3, 0))
        change = gaussian_filter(rng.standard_normal((48, 48)), 3) > 0.05
        before = ground + 0.02 * rng.standard_normal(ground.shape)
        np.save(folder / f"{name}_before.npy", before.astype(np.float32))
        np.save(
            folder / f"{name}_after.npy", (before + 0.3 * change[:, :, None]).astype(np.float32)
        )
        np.save(folder / f"{name}_mask.npy", 1 + change.astype(np.uint8))
    plan = np.ones((16, 16), np.uint8)
    plan[:, 8:] = 2
    Image.fromarray(plan).save(folder / "plan.png")
    (folder / "pairs.toml").write_text(PAIRS)
    (folder / "suite.toml").write_text(SUITE)
    (folder / "prompts.toml").write_text(PROMPTS)
    (farm,) = (
        block for block in blocks(ROOT / "docs" / "quickstart.md") if block.language == "python"
    )
    with contextlib.chdir(folder):
        exec(compile(farm.text, str(farm), "exec"), {})
    run(folder, "datasets", "add", "flight.hdr", "--labels", "plots.geojson", "--field", "crop")
    run(folder, *RECORDS)
    run(folder, "benchmark", "--suite", "suite.toml", "--jobs", "1", "--device", "cpu")
    return folder


def copy(world: Path, folder: Path) -> Path:
    """A copy of the world to run one command in. Shared are the largest file, and fitted
    generators, whose names say all that made them.
    """
    shutil.copytree(world, folder, ignore=shutil.ignore_patterns(*SHARED))
    for name in ("farm.npy", "hsiaug-results/cache"):
        (folder / name).symlink_to(world / name)
    return folder


def record_of(world: Path) -> str:
    """The beginning of the hash of a record in the world's store."""
    records = Store(world / "hsiaug-results").each()
    wanted = ("smote", "svm")
    return next(
        str(r["hash"])[:10]
        for r in records
        if (r["spec"]["generator"]["name"], r["spec"]["classifier"]["name"]) == wanted
    )
