"""``hsiaug map``, and the whole way from an ENVI file to a map."""

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from sklearn.ensemble import RandomForestClassifier
from spectral.io import envi

from hsiaug.base.colours import CLASSES, rgb_of
from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.base.files import PICTURES
from hsiaug.core.samples import Patches
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene, toy_scene
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.view import patches_at
from hsiaug.quality.map_files import save_map
from hsiaug.registry.lookup import Registry
from hsiaug.scene_maps import map_scene
from hsiaug.tasks import prediction
from hsiaug.tasks.task import get_task
from hsiaug.testing.subject import run_trial
from hsiaug.trial.record_json import Record, sealed
from hsiaug.trial.refit import Refitted, refit, repeats, spec_of
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.trial_run import SceneContext
from tests.cli.test_endings import OPENINGS
from tests.envi_scenes import ADD, save_flight, typed
from tests.in_process import run_trials_here


@pytest.fixture(autouse=True, scope="module")
def trials_here() -> Iterator[None]:
    """What is looked at are maps, by forests of few trees; tests/bench has the processes that trials
    run in.
    """
    with pytest.MonkeyPatch.context() as patch:
        run_trials_here(patch)
        patch.setattr(
            "sklearn.ensemble.RandomForestClassifier",
            lambda trees, **how: RandomForestClassifier(min(trees, 20), **how),
        )
        yield


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which an ENVI scene of one's own was added and benchmarked, as a user types
    it.
    """
    folder = tmp_path_factory.mktemp("own")
    scene = toy_scene(height=40, width=32, bands=12, classes=3)
    cube = scene.cube.copy()
    cube[-3:] = 0
    save_flight(folder, cube)
    codes = np.array([0, 3, 7, 250], dtype=np.int16)
    np.save(folder / "labels.npy", codes[scene.labels])
    typed(folder, *ADD)
    words = ("--classifier", "rf", "--patch", "3", "--seeds", "1", "--jobs", "1", "--lambda", "0.5")
    typed(folder, "benchmark", "flight.toml", *words)
    return folder


def hash_of(folder: Path, generator: str) -> str:
    records = Store(folder / "hsiaug-results").each()
    return next(
        r["hash"]
        for r in records
        if (r["spec"]["generator"]["name"], r["spec"]["classifier"]["name"]) == (generator, "rf")
    )


@pytest.mark.drawn
def test_a_map_keeps_its_place_and_repeats_the_record(mapped: Path, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    record = hash_of(mapped, "smote")
    out = tmp_path / "map.tif"
    answer = typed(mapped, "map", record[:10], "--out", str(out))

    with rasterio.open(out) as file, rasterio.open(mapped / "flight.img") as source:
        ids = file.read(1)
        assert file.transform == source.transform and file.crs == source.crs and file.nodata == 0
        assert file.tags()["CLASS_3"] == "track" and file.tags()["RECORD"] == record
        # Codes of a user's own, which are not 1 to 3.
        assert [file.tags()[f"CODE_{c}"] for c in (1, 2, 3)] == ["3", "7", "250"]
        assert file.dtypes == ("uint8",) and len({file.colormap(1)[c] for c in (1, 2, 3)}) == 3
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    index, label = Store(mapped / "hsiaug-results").predictions(record)
    assert np.array_equal(ids.ravel()[index], label)
    assert (ids[:-3] > 0).all()
    labels = load_scene(mapped / "flight.toml").labels
    assert np.array_equal(ids[-3:] == 0, labels[-3:] == 0)

    lines = answer.splitlines()
    rows = [line.split("\t") for line in lines if "\t" in line]
    assert "rf with smote, λ = 0.5" in lines[0]
    assert [row[:3] for row in rows[1:4]] == [
        ["1", "3", "hay"],
        ["2", "7", "rye"],
        ["3", "250", "track"],
    ]
    assert [int(row[3]) for row in rows[1:]] == [int((ids == c).sum()) for c in (1, 2, 3, 0)]
    assert sum(float(row[4]) for row in rows[1:4]) == pytest.approx(100, abs=0.02)
    assert "test pixels are predicted exactly as in the record" in answer
    assert (
        "training pixels, so its agreement with the labels is not an accuracy to report" in answer
    )
    with Image.open(tmp_path / "map.png") as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or ()}
        assert set(map(rgb_of, CLASSES[:3])) <= colours
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "map.png",
        "map.tif",
        "map.tif.aux.xml",
    ]


def test_gis_programs_find_the_names_of_the_classes_and_no_data(
    mapped: Path, tmp_path: Path
) -> None:
    rasterio = pytest.importorskip("rasterio")
    copying = pytest.importorskip("rasterio.shutil")
    names = ("hay & clover", "{wet}, rye", "=track\n")
    ids = np.arange(300 * 4, dtype=np.int16).reshape(300, 4) % 4
    with rasterio.open(mapped / "flight.img") as source:
        ground = Georeference(tuple(source.transform)[:6], source.crs.to_wkt())
    assert save_map(tmp_path / "m.tif", ids, names, ground, {}) == [
        tmp_path / "m.tif",
        tmp_path / "m.tif.aux.xml",
    ]
    assert save_map(tmp_path / "m.hdr", ids, names, ground, {"SCENE": "{x}"}) == [
        tmp_path / "m.hdr",
        tmp_path / "m.img",
    ]

    # As GDAL itself has read them.
    copying.copy(tmp_path / "m.tif", tmp_path / "m.vrt", driver="VRT")
    listed = ElementTree.parse(tmp_path / "m.vrt").findall("VRTRasterBand/CategoryNames/Category")
    assert [one.text for one in listed] == ["no data", "hay & clover", "{wet}, rye", "=track\\n"]
    for name in ("m.tif", "m.img"):
        with rasterio.open(tmp_path / name) as file:
            assert (file.transform, file.crs, file.nodata) == (source.transform, source.crs, 0)
            assert [file.colormap(1)[c][:3] for c in (1, 2, 3)] == list(map(rgb_of, CLASSES[:3]))
            assert np.array_equal(file.read(1), ids)
    classified = envi.open(str(tmp_path / "m.hdr"))
    assert classified.metadata["file type"] == "ENVI Classification"
    assert classified.metadata["description"] == "SCENE: (x); SOFTWARE: written by hsiaug"
    assert classified.metadata["class names"] == [
        "no data",
        "hay & clover",
        "(wet); rye",
        "=track\\n",
    ]
    assert np.array_equal(classified.read_band(0), ids)


def test_a_map_may_be_an_array_or_pictures_alone(mapped: Path, tmp_path: Path) -> None:
    record = hash_of(mapped, "none")
    for files in (("map.npy",), [f"alone{ending}" for ending in PICTURES]):
        words = [word for name in files for word in ("--out", str(tmp_path / name))]
        typed(mapped, "map", record, *words)

    assert np.load(tmp_path / "map.npy").shape == (40, 32)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        ["map.npy", "map.png", *(f"alone{ending}" for ending in PICTURES)]
    )
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(OPENINGS[path.suffix])


def test_without_a_record_a_classifier_learns_from_most_labels_once(
    mapped: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(mapped, copy)
    held = len(list(Store(copy / "hsiaug-results").each()))
    for _ in range(2):
        said = typed(copy, "map", "flight.toml", "--classifier", "rf", "--out", "m.npy")
    assert "not an accuracy to report; nor is that of the record" in " ".join(said.split())
    assert len(list(Store(copy / "hsiaug-results").each())) == held, "no report shows the trial"
    of_maps = Store(copy / "hsiaug-results" / "maps")
    (new,) = of_maps.each()
    assert new["spec"]["protocol"]["argument"] == "0.9"
    assert new["spec"]["classifier"]["name"] == "rf"
    index, label = of_maps.predictions(new["hash"])
    assert np.array_equal(np.load(copy / "m.npy").ravel()[index], label)


def test_probabilities_are_bands_beside_the_map(mapped: Path, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    (mapped / "named.toml").write_text(
        (mapped / "flight.toml").read_text().replace('"rye"', '"rye, wet"')
    )
    outs = [word for name in ("tif", "hdr", "npy") for word in ("--out", f"{tmp_path}/map.{name}")]
    words = ("--classifier", "rf", "--probabilities", "--store", str(tmp_path / "kept"))
    typed(mapped, "map", "named.toml", *words, *outs)

    ids = np.load(tmp_path / "map.npy")
    shares = np.load(tmp_path / "map_probabilities.npy")
    with rasterio.open(mapped / "flight.img") as source:
        place = source.transform, source.crs
    for ending, rye in ((".tif", "rye, wet"), (".img", "rye; wet")):
        with rasterio.open(tmp_path / f"map_probabilities{ending}") as file:
            assert np.array_equal(file.read(), shares, equal_nan=True)
            assert file.descriptions == ("hay", rye, "track")
            assert np.isnan(file.nodata) and set(file.dtypes) == {"float32"}
            assert (file.transform, file.crs) == place
        with rasterio.open(tmp_path / f"map{ending}") as file:
            assert np.array_equal(file.read(1), ids)
    assert np.array_equal(np.isnan(shares).all(axis=0), ids == 0)
    assert np.allclose(shares.sum(axis=0)[ids > 0], 1, atol=1e-4)
    assert (shares.argmax(axis=0) + 1)[ids > 0].tolist() == ids[ids > 0].tolist()


def test_probabilities_of_masks_lie_where_the_map_does(tmp_path: Path) -> None:
    made = make_pairs(tmp_path)
    found = map_scene(
        made, classifier="pixel-rf", probabilities=True, store=tmp_path / "kept", progress=False
    )
    for place, ids in found.maps.items():
        shares = found.probabilities[place]
        assert np.allclose(shares.sum(axis=0), 1, atol=1e-4)
        assert (shares.argmax(axis=0) + 1 == ids).mean() > 0.99


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--classifier", "coords", "--out", "map.npy"),
            "needs a classifier that gives some; found coords",
        ),
        (("--classifier", "rf", "--out", "map.png"), "needs a file of class ids; found map.png"),
    ],
)
def test_probabilities_that_cannot_be_had_are_refused(
    mapped: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    before = sorted(mapped.iterdir())
    with pytest.raises(InputError, match=f"probabilities {said}"):
        typed(mapped, "map", "flight.toml", "--probabilities", "--store", str(tmp_path), *words)
    assert sorted(mapped.iterdir()) == before


def make_pairs(folder: Path) -> Path:
    """A set of two places of two classes, whose tiles overlap at the edges."""
    rng, masks = np.random.default_rng(0), {"a": (48, 40), "b": (40, 56)}
    for name, shape in masks.items():
        mask = rng.integers(1, 3, (shape[0] // 8, shape[1] // 8)).repeat(8, 0).repeat(8, 1)
        np.save(folder / f"{name}_mask.npy", mask)
        image = mask + rng.normal(0, 0.2, (4, *shape))
        np.save(folder / f"{name}_image.npy", image.astype(np.float32))
    (folder / "ground.toml").write_text(
        'name = "ground"\ntask = "segmentation"\n[images]\nfiles = ["{name}_image.npy"]\naxes ='
        ' "bhw"\n[masks]\nfiles = ["{name}_mask.npy"]\nnames = ["low", "high"]\n[places]\ntrain ='
        ' ["a"]\ntest = ["b"]\n'
    )
    return folder / "ground.toml"


def test_what_a_benchmark_runs_as_a_control_may_map_too(mapped: Path, tmp_path: Path) -> None:
    shutil.copytree(mapped, tmp_path / "copy")
    typed(tmp_path / "copy", "map", "flight.toml", "--classifier", "coords", "--out", "m.npy")
    made = Store(tmp_path / "copy" / "hsiaug-results" / "maps").each()
    assert [one["spec"]["classifier"]["name"] for one in made] == ["coords"]


@pytest.mark.parametrize(
    ("changes", "parts"),
    [
        ({"record": "0000000"}, ("fits 0 of them",)),
        ({"--classifier": "rf"}, ("a record states what made it", "--classifier")),
        ({"--out": "m.jpg"}, ("--out must end in .tif",)),
        ({"--out": "no/m.tif"}, ("no folder no",)),
        ({"--store": "nowhere"}, ("must be a store",)),
    ],
)
def test_what_cannot_be_mapped_is_refused(
    mapped: Path, changes: dict[str, str], parts: tuple[str, ...]
) -> None:
    words = {"record": hash_of(mapped, "smote"), "--out": "m.tif", **changes}
    record = words.pop("record")
    before = sorted(mapped.rglob("*"))
    with pytest.raises(HsiaugError) as error:
        typed(mapped, "map", record, *(word for pair in words.items() for word in pair))

    assert sorted(mapped.rglob("*")) == before
    for part in parts:
        assert part in str(error.value)


@pytest.mark.parametrize("words", [("map",), ("generate", "--generator", "smote")])
def test_no_command_writes_over_a_file_of_its_scene(tmp_path: Path, words: tuple[str, ...]) -> None:
    scene = toy_scene(height=32, width=24, bands=6, classes=2)
    savemat(tmp_path / "cube.mat", {"cube": scene.cube})
    np.save(tmp_path / "labels.npy", scene.labels)
    typed(tmp_path, "datasets", "add", "cube.mat", "--labels", "labels.npy", "--out", "own.toml")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    target = "labels.npy" if words[0] == "map" else "cube.mat"
    with pytest.raises(InputError, match="must not be a file of the scene"):
        typed(tmp_path, words[0], "own.toml", *words[1:], "--out", target)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "words", [("map", "--out", "flight.hdr"), ("generate", "--out", "flight.sli")]
)
def test_the_header_of_a_scene_is_spared_too(mapped: Path, words: tuple[str, ...]) -> None:
    before = (mapped / "flight.hdr").read_bytes()
    with pytest.raises(InputError, match=r"flight\.hdr must not be a file of the scene"):
        typed(mapped, words[0], "flight.toml", *words[1:])
    assert (mapped / "flight.hdr").read_bytes() == before


def test_a_record_that_is_not_repeated_is_warned_of(mapped: Path, tmp_path: Path) -> None:
    shutil.copytree(mapped, tmp_path / "copy")
    record = hash_of(mapped, "none")
    path = Store(tmp_path / "copy" / "hsiaug-results").folder(record) / "record.json"
    other = {**json.loads(path.read_text()), "predictions_sha256": "0" * 64}
    path.write_text(json.dumps(sealed(other)))
    answer = typed(tmp_path / "copy", "map", record, "--out", "m.png")

    assert "does NOT repeat the record's predictions" in answer and "numpy" in answer


# In one process, on the toy scene.


@pytest.fixture
def tried(
    toy: Scene, plugins: Registry, spec: Callable[..., TrialSpec]
) -> Callable[..., tuple[TrialSpec, Record]]:
    """``tried("smote", "nearest")``: a trial, and its record."""

    def run(generator: str, classifier: str, view: str = "raw") -> tuple[TrialSpec, Record]:
        trial = spec(generator, classifier, 0.5, view=view)
        context = SceneContext(toy, get_task("pixels"))
        record, _ = run_trial(trial, context, plugins, device="cpu", progress=silent)
        assert record["status"] == "ok", record["error"]
        # As it comes back from the store.
        return trial, json.loads(json.dumps(record))

    return run


def silent(*_: Any) -> None: ...


def maps_of(made: Refitted, data: Any, progress: Any) -> dict[str, Any]:
    return get_task(made.spec.task).prediction.mapped(
        made.fitted, made.card, data, made.split, progress, made.spectra
    )


@pytest.mark.parametrize("classifier", ["nearest", "coords", "svm", "cnn2d"])
def test_stripes_give_what_the_whole_scene_would(toy, tried, plugins, monkeypatch, classifier):
    spec, record = tried("smote", classifier)
    assert spec_of(record, toy, plugins) == spec
    made = refit(spec, toy, plugins, None, device="cpu", progress=silent)
    monkeypatch.setattr(prediction, "BATCH_BYTES", 12_000)
    seen: list[int] = []
    maps = maps_of(made, toy, lambda done, total, note="": seen.append(done))
    ids = maps[toy.name]

    assert len(seen) > 5 and seen[-1] == toy.shape[0]
    assert repeats(made, maps, record)
    coords = np.argwhere(np.ones(toy.shape, dtype=bool)).astype(np.int32)
    nowhere = np.full_like(coords, -1)
    side = {"patch": 5}.get(made.card.input, 1)
    x = patches_at(toy.cube, coords, side)
    whole = Patches(x[:, :0], coords) if made.card.input == "location" else Patches(x, nowhere)
    assert np.array_equal(ids.ravel(), made.fitted.predict(whole))


@pytest.mark.parametrize(("classifier", "view"), [("nearest", "auto"), ("cnn2d", "continuum")])
def test_a_map_is_of_the_spectral_view_of_its_record(
    toy, tried, plugins, monkeypatch, classifier, view
):
    spec, record = tried("smote", classifier, view=view)
    assert spec_of(record, toy, plugins) == spec
    made = refit(spec, toy, plugins, None, device="cpu", progress=silent)
    monkeypatch.setattr(prediction, "BATCH_BYTES", 12_000)

    assert made.spectra.name == record["spectral_view"]["name"]
    assert repeats(made, maps_of(made, toy, silent), record)


def test_a_classifier_that_answers_otherwise_is_noticed(
    toy: Scene, tried: Any, plugins: Registry
) -> None:
    spec, record = tried("none", "nearest")
    made = refit(spec, toy, plugins, None, device="cpu", progress=silent)
    maps = maps_of(made, toy, silent)
    assert repeats(made, maps, record)
    ids = maps[toy.name]
    row, column = np.argwhere(made.split.test)[0]
    ids[row, column] = ids[row, column] % 5 + 1

    assert not repeats(made, maps, record)


def test_a_record_that_would_be_another_trial_here_is_refused(
    toy: Scene, tried: Any, plugins: Registry
) -> None:
    _, record = tried("none", "nearest")

    def message(**changes: Any) -> str:
        changed = json.loads(json.dumps(record))
        for path, value in changes.items():
            *parents, last = path.split("__")
            place = changed
            for key in parents:
                place = place[key]
            place[last] = value
        with pytest.raises(InputError) as error:
            spec_of(changed, toy, plugins)
        return str(error.value)

    assert "would run in the same way" in message(spec__task="change")
    assert "went well" in message(status="failed")
    assert "in the record 0" in message(spec__classifier__version="0")
    assert "takes other parameters" in message(spec__generator__params={"x": 1})
    assert "would run in the same way" in message(hash="0" * 16)
    other = dataclasses.replace(toy, cube=toy.cube + 1)
    with pytest.raises(InputError, match="SCENE must be the scene of the record"):
        spec_of(record, other, plugins)
