"""Cases of refusals of scenes: imports, codes of labels, places on Earth, cards, pairs, downloads."""

import hashlib
import http.server
import importlib.metadata
import shutil
import tempfile
import threading
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.warp import transform
from scipy.io import savemat

from hsiaug.data import bounds, catalogue, fetch_scene, load_scene, loading, pair_loading
from hsiaug.data.adding import ImportOptions, add_scene
from hsiaug.data.cards import FileSpec
from hsiaug.data.catalogue import check_spared, find_entry
from hsiaug.data.download import download
from hsiaug.data.pair_loading import load_pairs
from hsiaug.data.pair_sets import check_pairs, find_pairs
from hsiaug.data.raw import Conversion
from hsiaug.data.toy import toy_scene
from hsiaug.data.windows import FileCube
from tests.data.refusals import CUBE, LABELS, Desk, refusal
from tests.data.refused_files import NAMES, PLACE, corrected, envi, text, tiff


def added(name: str = "mine", overwrite: bool = False, labels: str = "labels.npy") -> None:
    """A card of a name, as the command line writes it."""
    options = ImportOptions(overwrite=overwrite)
    add_scene(Path("cube.npy"), Path(labels), Path(f"{name}.toml"), options)


@refusal("adding.import_options")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(scale="many")
    desk.add(scale=1)


@refusal("adding.add_scene")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(desk.folder)
    desk.shell(desk.error.hint.partition(": ")[2].partition(". ")[0])
    desk.add()


@refusal("adding.add_scene#2")
def _(desk: Desk) -> None:
    added()
    with desk.refused():
        added()
    added("other")
    added(overwrite=True)


@refusal("adding._understand")
def _(desk: Desk) -> None:
    centres = [*np.linspace(420, 960, 11), np.nan]
    with desk.refused():
        desk.add(wavelengths=centres)
    desk.add(wavelengths=centres, **desk.settings())


@refusal("adding._resolve_axes")
def _(desk: Desk) -> None:
    desk.cube(CUBE.transpose(2, 0, 1))
    with desk.refused():
        desk.add(axes="bands first")
    desk.add(axes=desk.error.hint.rpartition(" ")[2].rstrip("."))


@refusal("adding._resolve_axes#2")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(axes="bhw")
    desk.add(axes=desk.error.hint.rpartition(" ")[2].rstrip("."))
    desk.add()


@refusal("adding._with_centres")
def _(desk: Desk) -> None:
    centres = np.linspace(420, 970, 11).tolist()
    with desk.refused():
        desk.add(wavelengths=centres)
    with desk.refused():
        desk.add(wavelengths=[*centres, np.nan])
    desk.add(wavelengths=[*centres, np.nan], **desk.settings())


@refusal("adding._write")
def _(desk: Desk) -> None:
    desk.labels(np.where(LABELS > 0, LABELS, np.nan), "mine_labels.npy")
    with desk.refused():
        added(labels="mine_labels.npy")
    added("other", labels="mine_labels.npy")


@refusal("adding._write#2")
def _(desk: Desk) -> None:
    desk.labels(np.where(LABELS > 0, LABELS, np.nan))
    desk.labels(name="mine_labels.npy")
    with desk.refused():
        added()
    added("other")
    added(overwrite=True)


@refusal("bounds.check_array")
def _(desk: Desk) -> None:
    whole = np.lib.format.open_memmap("all.npy", "w+", np.uint8, (8200, 8200))
    whole[:40, :32] = LABELS
    with desk.refused():
        desk.add(labels="all.npy")
    desk.labels(np.load("all.npy", mmap_mode="r")[:40, :32])
    desk.add()


@refusal("bounds.check_array#2")
def _(desk: Desk) -> None:
    with h5py.File("c.mat", "w", userblock_size=512) as file:
        file.create_dataset("cube", (600, 800, 900), "u1", chunks=True, compression="gzip")
    with desk.refused():
        desk.add("c.mat")
    savemat("c.mat", {"cube": CUBE})
    desk.add("c.mat")


@refusal("bounds.check_memory")
def _(desk: Desk) -> None:
    savemat("c.mat", {"cube": CUBE})
    desk.patch.setattr(bounds, "free_memory", lambda: CUBE.nbytes - 1)
    with desk.refused():
        desk.add("c.mat")
    savemat("c.mat", {"cube": CUBE[:20]})
    desk.labels(LABELS[:20])
    desk.add("c.mat")


@refusal("bounds.empty_cube")
def _(desk: Desk) -> None:
    roomy = desk.folder / "roomy"
    roomy.mkdir()
    room = namedtuple("room", ("free",))
    desk.patch.setattr(bounds, "IN_MEMORY", 0)
    desk.patch.setattr(
        shutil, "disk_usage", lambda folder: room(2**40 if Path(folder) == roomy else 0)
    )
    tiff("c.tif", CUBE)
    with desk.refused():
        desk.add("c.tif")
    desk.patch.setattr(tempfile, "tempdir", str(roomy))
    desk.add("c.tif")


@refusal("catalogue._read_card")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene("mine.toml")
    line = desk.error.hint.partition("Write one: ")[2].rstrip(".")
    desk.shell(line.replace("CUBE", "cube.npy").replace("FILE", "labels.npy --out mine.toml"))
    load_scene("mine.toml")


@refusal("catalogue.find_entry")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene("cube.npy")
    line = desk.error.hint.partition("first: ")[2].rstrip(".")
    desk.shell(line.replace("FILE", "labels.npy"))
    load_scene("cube.toml")
    with desk.refused():
        load_scene(desk.folder)
    desk.shell(desk.error.hint.partition(": ")[2].removesuffix("."))
    with desk.refused():
        load_scene("toyy")
    load_scene(desk.meant())


@refusal("catalogue.check_spared")
def _(desk: Desk) -> None:
    added()
    with desk.refused():
        check_spared("mine.toml", [Path("cube.npy")])
    check_spared("mine.toml", [Path("map.tif")])


@refusal("catalogue.find_file")
def _(desk: Desk) -> None:
    with desk.patch.context() as without:
        without.setattr(catalogue, "_embedded_path", lambda spec: None)
        with desk.refused():
            load_scene("indian_pines")
    package = desk.error.hint.rpartition(" ")[2]
    assert importlib.metadata.version(package)
    load_scene("indian_pines")


def card(cube: str = "", labels: str = "", further: str = "") -> str:
    """A card that is written by hand."""
    text(
        "mine.toml",
        *('name = "mine"', "[cube]", 'file = "cube.npy"', *cube.splitlines()),
        *("[labels]", 'file = "labels.npy"', 'names = ["hay", "rye", "track"]'),
        *(*labels.splitlines(), *further.splitlines()),
    )
    return "mine.toml"


@refusal("catalogue.find_file#2")
def _(desk: Desk) -> None:
    whole = Path("cube.npy").read_bytes()
    mine = card(f'sha256 = "{hashlib.sha256(whole).hexdigest()}"')
    desk.cube(CUBE[::-1])
    with desk.refused():
        load_scene(mine)
    Path("cube.npy").rename("damaged.npy")
    Path("cube.npy").write_bytes(whole)
    load_scene(mine)


@refusal("cube_check.unlike_shapes")
def _(desk: Desk) -> None:
    desk.labels(LABELS[:, :-1])
    with desk.refused():
        desk.add()
    desk.add(labels=desk.types())


@refusal("cube_check.look_through")
def _(desk: Desk) -> None:
    envi("c", CUBE, f"bbl = {{{', '.join('0' * 12)}}}")
    with desk.refused():
        desk.add("c.hdr")
    corrected("c.hdr", "bbl = {0", "bbl = {1")
    corrected("c.hdr", "1, 0", "1, 1")
    desk.add("c.hdr")


@refusal("cube_check.look_through#2")
def _(desk: Desk) -> None:
    desk.cube(np.full_like(CUBE, np.nan), "empty.npy")
    with desk.refused():
        desk.add("empty.npy")
    desk.add("cube.npy")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the folder, and says nothing."""

    def log_message(self, *args: object) -> None: ...


def served(desk: Desk) -> tuple[http.server.HTTPServer, FileSpec]:
    """A server of the folder, and a file of labels there."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        desk.patch.delenv(name, raising=False)
        desk.patch.delenv(name.upper(), raising=False)
    server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
    content = Path("labels.npy").read_bytes()
    address = f"http://127.0.0.1:{server.server_port}/labels.npy"
    spec = FileSpec(
        file="labels.npy",
        urls=(address,),
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    return server, spec


@refusal("download.download")
def _(desk: Desk) -> None:
    whole = Path("labels.npy").read_bytes()
    mine = card(
        labels='urls = ["http://127.0.0.1:9/labels.npy"]\n'
        f'sha256 = "{hashlib.sha256(whole).hexdigest()}"\nsize = {len(whole)}'
    )
    Path("labels.npy").unlink()
    with desk.refused():
        fetch_scene(mine, progress=False)
    folder = Path(desk.error.hint.partition("put into ")[2].partition(" by hand")[0])
    (folder / "labels.npy").write_bytes(whole)
    fetch_scene(mine, progress=False)
    load_scene(mine)


@refusal("download._try_mirror")
def _(desk: Desk) -> None:
    server, spec = served(desk)
    try:
        with desk.refused():
            download([(spec, Path("cube.npy/labels.npy"))], "mine", progress=False)
        download([(spec, Path("another/labels.npy"))], "mine", progress=False)
    finally:
        server.shutdown()
        server.server_close()
    assert np.array_equal(np.load("another/labels.npy"), LABELS)


@refusal("label_codes.code_labels")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(classes=NAMES, ignore="trak")
    desk.add(classes=NAMES, ignore=desk.meant())


@refusal("label_codes.code_labels#2")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(ignore="2,3")
    desk.add(ignore="3")


@refusal("label_codes._names_of_user")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(classes="hay,rye")
    assert "1 (" in str(desk.error) and "3 (" in str(desk.error)
    desk.add(classes="hay,rye,track")


@refusal("label_codes._check_zero")
def _(desk: Desk) -> None:
    envi("l", LABELS, "class names = {meadow, hay, rye, track}")
    for which, classes in ((0, 4), (1, 3)):
        with desk.refused():
            desk.add(labels="l.hdr")
        assert len(desk.add(labels="l.hdr", **desk.settings(which)).scene.class_names) == classes


@refusal("label_codes._check_repeats")
def _(desk: Desk) -> None:
    envi("l", LABELS, "class names = {none, hay, hay, track}")
    with desk.refused():
        desk.add(labels="l.hdr")
    desk.add(labels="l.hdr", **desk.settings())


@refusal("label_codes._check_readings")
def _(desk: Desk) -> None:
    desk.labels(np.where(LABELS == 3, 255, LABELS))
    for which in (0, 1):
        with desk.refused():
            desk.add(classes=NAMES)
        desk.add(classes=NAMES, **desk.settings(which))


@refusal("label_codes.check_number")
def _(desk: Desk) -> None:
    savemat("l.mat", {"gt": LABELS, "number": np.arange(40 * 32).reshape(40, 32)})
    with desk.refused():
        desk.add(labels="l.mat", labels_key="number")
    desk.add(labels="l.mat", labels_key="gt")


@refusal("label_source._unwarped")
def _(desk: Desk) -> None:
    corners = [(0, 0), (0, 32), (40, 0), (40, 32)]
    points = [
        GroundControlPoint(row=row, col=column, x=500000 + 5 * column, y=5400000 - 5 * row)
        for row, column in corners
    ]
    tiff("c.tif", CUBE, place={}, gcps=(points, rasterio.CRS.from_epsg(32633)))
    rows = [
        f"{500000 + 5 * c + 2},{5400000 - 5 * r - 2},{NAMES[c % 2]}" for r, c in ((9, 4), (5, 9))
    ]
    text("l.csv", "x,y,class", *rows)
    with desk.refused():
        desk.add("c.tif", "l.csv")
    desk.add(desk.types(), "l.csv")


def points(*rows: str, head: str = "row,col,class") -> str:
    """A table of labels."""
    text("l.csv", head, *rows)
    return "l.csv"


@refusal("label_source.rasterise")
def _(desk: Desk) -> None:
    labels = points("0,0,hay", "1,1,rye", "2,2,none")
    with desk.refused():
        desk.add(labels=labels, unlabelled="9")
    scene = desk.add(labels=labels, ignore="none").scene
    assert scene.class_names == ("hay", "rye")


@refusal("label_source.rasterise#2")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(labels=points("400,400,hay", "410,410,rye"))
    desk.add(labels=points("4,4,hay", "10,10,rye"))


@refusal("label_source._code_values")
def _(desk: Desk) -> None:
    labels = points("0,0,hay", "1,1,rye")
    with desk.refused():
        desk.add(labels=labels, classes="hey,rye")
    near = desk.meant()
    assert near == "hey"
    desk.add(labels=labels, classes="hay,rye")


@refusal("label_source._transform")
def _(desk: Desk) -> None:
    with desk.refused():
        desk.add(labels=points("500002,5399998,hay", "500012,5399990,rye", head="x,y,class"))
    desk.add(labels=points("0,0,hay", "2,1,rye"))


@refusal("label_source._transform#2")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE)
    lon, lat = transform("EPSG:32633", "EPSG:4326", [500002.0, 500052.0], [5399998.0, 5399948.0])
    rows = [f"{x},{y},{name}" for x, y, name in zip(lon, lat, NAMES, strict=False)]
    labels = points(*rows, head="x,y,class")
    with desk.refused():
        desk.add("c.tif", labels, crs="degrees")
    desk.add("c.tif", labels, crs=desk.error.hint.rpartition(" ")[2].rstrip("."))


@refusal("label_source._check_grid")
def _(desk: Desk) -> None:
    tiff("c.tif", CUBE)
    tiff("l.tif", np.kron(LABELS, np.ones((2, 2), np.uint8)), half := {**PLACE})
    half["transform"] = rasterio.Affine(2.5, 0, 500000, 0, -2.5, 5400000)
    tiff("l.tif", np.kron(LABELS, np.ones((2, 2), np.uint8)), half)
    with desk.refused():
        desk.add("c.tif", "l.tif")
    assert np.array_equal(desk.add("c.tif", desk.types()).scene.labels, LABELS)


@refusal("labels.class_map")
def _(desk: Desk) -> None:
    desk.labels(np.where(LABELS == 3, 7, LABELS))
    with desk.refused():
        load_scene(card())
    load_scene(card(labels="ids = [1, 2, 7]"))
    desk.labels(np.where(LABELS == 0, 8, LABELS))
    with desk.refused():
        load_scene(card())
    load_scene(card(labels="ignore = [8]"))


@refusal("labels.check_whole")
def _(desk: Desk) -> None:
    desk.labels(LABELS * 0.5)
    with desk.refused():
        desk.add()
    desk.labels(LABELS.astype(np.int32))
    desk.add()


@refusal("labels._majority")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card(labels="cells = 3"))
    load_scene(card(labels="cells = 1"))


@refusal("labels._check_counts")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card(labels="counts = [1, 2, 3]"))
    load_scene(card(labels=f"counts = {np.bincount(LABELS.ravel())[1:].tolist()}"))


@refusal("loading.check_not_hidden")
def _(desk: Desk) -> None:
    def fit(scene: object) -> object:
        return scene

    scene = load_scene("toy")
    with desk.patch.context() as in_worker:
        in_worker.setattr(loading, "_hidden", True)
        with desk.refused():
            load_scene("toy")
        assert fit(scene) is scene


@refusal("loading._fetch")
def _(desk: Desk) -> None:
    card()
    first = desk.folder / "first"
    second = desk.folder / "second"
    entry = replace(find_entry("mine.toml"), folders=(first, second))
    with desk.refused():
        loading._fetch(entry, False)
    assert f"put them into {first}." in desk.error.hint
    first.mkdir()
    for name in ("cube.npy", "labels.npy"):
        Path(name).rename(first / name)
    assert len(loading._fetch(entry, False)) == 2


@refusal("loading._cube")
def _(desk: Desk) -> None:
    desk.labels(LABELS[:20])
    with desk.refused():
        load_scene(card("rows = [0, 50]"))
    load_scene(card("rows = [0, 20]"))


@refusal("loading._cube#2")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card("shape = [40, 32, 11]"))
    load_scene(card("shape = [40, 32, 12]"))


@refusal("loading._kept_bands")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card("bad_bands = [12]"))
    load_scene(card("bad_bands = [11]"))


@refusal("toy.toy_scene")
def _(desk: Desk) -> None:
    with desk.refused():
        toy_scene(height=16, width=16, classes=5)
    toy_scene(height=48, width=48, classes=5)
    toy_scene(height=32, width=32, classes=3)


@refusal("windows.window")
def _(desk: Desk) -> None:
    def opened() -> FileCube:
        return FileCube(np.load("cube.npy", mmap_mode="r"), Conversion())

    cube = opened()
    with Path("cube.npy").open("ab") as file:
        file.write(b"more")
    with desk.refused():
        cube[0:2]
    assert np.array_equal(opened()[0:2], CUBE[0:2])


@refusal("tomlfile.read_toml")
def _(desk: Desk) -> None:
    text(card(), "name =")
    with desk.refused():
        load_scene("mine.toml")
    load_scene(card())


@refusal("tomlfile._describe_errors")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card("scal = 0.5"))
    load_scene(card(f"{desk.meant()} = 0.5"))


@refusal("tomlfile._describe_errors#2")
def _(desk: Desk) -> None:
    corrected(card(), 'name = "mine"', "")
    with desk.refused():
        load_scene("mine.toml")
    assert "Add 'name'" in desk.error.hint
    load_scene(card())


@refusal("tomlfile._describe_errors#3")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card("scale = 0"))
    load_scene(card("scale = 0.5"))


@refusal("tomlfile._describe_errors#4")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(card('scale = "half"'))
    assert "Correct 'cube.scale'" in desk.error.hint
    load_scene(card("scale = 0.5"))


MASKS = np.arange(16 * 16).reshape(16, 16) // 32 % 3


def pairs(
    images: str = "", masks: str = "ignore = [0]", places: str = "", task: str = "segmentation"
) -> str:
    """A set of two places of one date, 16×16 pixels of 3 bands, by hand."""
    for number, name in enumerate(("a", "b")):
        bands = np.random.default_rng(number).random((16, 16, 3), dtype=np.float32)
        tiff(f"im_{name}.tif", bands)
        tiff(f"ma_{name}.tif", MASKS.astype(np.uint8))
    text(
        "pairs.toml",
        *('name = "pieces"', f'task = "{task}"', "[images]"),
        *('files = ["im_{place}.tif"]' if "files" not in images else "", *images.splitlines()),
        *("[masks]", 'files = ["ma_{place}.tif"]', 'names = ["water", "land"]'),
        *(*masks.splitlines(), "[places]", places or 'any = ["a", "b"]'),
    )
    return "pairs.toml"


@refusal("catalogue._not_a_scene")
def _(desk: Desk) -> None:
    with desk.refused():
        load_scene(pairs())
    desk.shell("hsiaug datasets info pairs.toml")


@refusal("pair_loading.load_pairs")
def _(desk: Desk) -> None:
    with desk.refused():
        load_pairs("toyy", "segmentation")
    load_pairs(desk.meant(), "segmentation")


@refusal("pair_loading._check_dates")
def _(desk: Desk) -> None:
    with desk.refused():
        load_pairs(pairs(), "change")
    load_pairs("pairs.toml", desk.error.hint.partition("`task` ")[2].partition(",")[0])


BOTH_SIDES = 'train = ["a"]\ntest = ["b"]'


@refusal("pair_loading._check_sides")
def _(desk: Desk) -> None:
    places = f"{BOTH_SIDES}\nmost_blank = 0.1"
    with desk.refused():
        load_pairs(pairs(places=places), "segmentation")
    load_pairs(pairs(places=places.replace("0.1", "0.6")), "segmentation")


@refusal("pair_loading._read_stored")
def _(desk: Desk) -> None:
    desk.patch.setattr(pair_loading, "LARGEST_IN_MEMORY", 0)
    mine = pairs()
    tiff("im_b.tif", np.zeros((16, 16, 4), np.float32))
    with desk.refused():
        np.asarray(load_pairs(mine, "segmentation").places[1].images[0])
    np.asarray(load_pairs(pairs(), "segmentation").places[1].images[0])


@refusal("pair_loading._dates")
def _(desk: Desk) -> None:
    Path("x.toml").write_text(
        Path(pairs('files = ["im_{place}.tif", "late_{place}.tif"]'))
        .read_text()
        .replace('task = "segmentation"', 'task = "change"')
        .replace('["water", "land"]', '["unchanged", "changed"]')
    )
    for name, width in (("a", 16), ("b", 15)):
        tiff(f"late_{name}.tif", np.zeros((16, width, 3), np.float32))
    with desk.refused():
        load_pairs("x.toml", "change")
    tiff("late_b.tif", np.zeros((16, 16, 3), np.float32))
    load_pairs("x.toml", "change")


@refusal("pair_loading._image")
def _(desk: Desk) -> None:
    with desk.refused():
        load_pairs(pairs('bands = ["red", "green"]'), "segmentation")
    load_pairs(pairs('bands = ["red", "green", "blue"]'), "segmentation")


@refusal("pair_loading._single_file")
def _(desk: Desk) -> None:
    mine = pairs('files = ["im_{place}*.tif"]')
    Path("im_a_old.tif").write_bytes(Path("im_a.tif").read_bytes())
    with desk.refused():
        load_pairs(mine, "segmentation")
    load_pairs(pairs('files = ["im_{place}.tif"]'), "segmentation")


@refusal("pair_loading._mask")
def _(desk: Desk) -> None:
    with desk.refused():
        load_pairs(pairs(masks=""), "segmentation")
    load_pairs(pairs(masks="ignore = [0]"), "segmentation")


@refusal("near_duplicates._position")
def _(desk: Desk) -> None:
    places = BOTH_SIDES + '\nnear_duplicates = "tile_{row}_{column}"'
    with desk.refused():
        load_pairs(pairs(places=places), "segmentation")
    content = desk.error.hint.partition("write ")[2].rstrip(".")
    load_pairs(pairs(places=f"{BOTH_SIDES}\n{content}"), "segmentation")


@refusal("pair_sets.find_pairs")
def _(desk: Desk) -> None:
    with desk.refused():
        find_pairs(f"{card()}:B02")
    load_scene(desk.error.hint.removeprefix("Write ").removesuffix("."))


@refusal("pair_sets._checked")
def _(desk: Desk) -> None:
    mine = pairs('bands = ["red", "green", "blue"]')
    with desk.refused():
        find_pairs(f"{mine}:red+violet")
    names = desk.error.hint.removeprefix("Names: ").rstrip(".").split(", ")
    load_pairs(f"{mine}:{'+'.join(names[:2])}", "segmentation")


@refusal("pair_sets.check_pairs")
def _(desk: Desk) -> None:
    entry = find_pairs(pairs())
    assert entry is not None
    public = replace(entry, public=True)
    Path("im_a.tif").rename("elsewhere.tif")
    with desk.refused():
        check_pairs(public)
    Path("elsewhere.tif").rename("im_a.tif")
    check_pairs(replace(public, public=True))


@refusal("pair_sets.check_pairs#2")
def _(desk: Desk) -> None:
    mine = pairs()
    Path("ma_b.tif").rename("elsewhere.tif")
    with desk.refused():
        load_pairs(mine, "segmentation")
    Path("elsewhere.tif").rename("ma_b.tif")
    load_pairs(mine, "segmentation")
