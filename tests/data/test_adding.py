"""A scene of one's own: what is found in its files, what is refused, and the card that comes of
it.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from spectral.io import envi

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene, scene_card, toy_scene
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.quality.map_files import save_quick_look

Add = Callable[..., Added]

GROUND = ["UTM", "1", "1", "500000", "5000000", "2", "2", "33", "North", "WGS-84", "units=Meters"]
"""ENVI map info: UTM zone 33 N, pixels of 2 m, whose first corner is (500000, 5000000)."""


@pytest.fixture(scope="module")
def farm() -> Scene:
    """40×32 pixels, 12 bands, 3 classes of fields; height and width differ, so that a turned axis
    is seen.
    """
    return toy_scene(seed=3, height=40, width=32, bands=12, classes=3)


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Add:
    """``add("cube.hdr", "labels.npy", classes=(…))`` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(cube: str, labels: str, out: str = "mine.toml", **options: Any) -> Added:
        return add_scene(Path(cube), Path(labels), Path(out), ImportOptions(**options))

    return run


def save_envi(path: Path, cube: np.ndarray, **header: Any) -> None:
    envi.save_image(
        str(path), cube, ext=".img", interleave="bil", metadata={"map info": GROUND, **header}
    )


@pytest.fixture
def flight(farm: Scene, tmp_path: Path) -> np.ndarray:
    """flight.hdr, with wavelengths in µm and a scale factor, and labels.npy; gives the raw
    values.
    """
    raw = np.round(farm.cube * 10_000).astype(np.int16)
    header = {"wavelength": np.linspace(0.4, 1.0, 12).tolist(), "wavelength units": "Micrometers"}
    save_envi(tmp_path / "flight.hdr", raw, **header, **{"reflectance scale factor": 10000})
    np.save(tmp_path / "labels.npy", farm.labels)
    return raw


def refusal(folder: Path, call: Callable[[], object]) -> str:
    """The message of what must be refused without leaving a trace."""
    before = {path: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(HsiaugError) as error:
        call()
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    return str(error.value)


def said(added: Added) -> str:
    return "\n".join((*(": ".join(fact) for fact in added.facts), *added.warnings))


def test_an_envi_scene_becomes_a_card_that_loads(add, flight, farm, tmp_path):
    added = add("flight.hdr", "labels.npy", classes=farm.class_names)
    scene = load_scene(tmp_path / "mine.toml")

    assert scene.name == "flight" and scene.gsd == 2 and scene.units == "reflectance"
    assert np.allclose(scene.cube, flight / 1e4) and np.array_equal(scene.labels, farm.labels)
    assert scene.wavelengths is not None and np.allclose(scene.wavelengths[[0, -1]], [400, 1000])
    assert added.files == (Path("mine.toml"),) and added.warnings == ()
    assert "units: reflectance (a guess)" in said(added)
    card = scene_card(tmp_path / "mine.toml")
    assert card.labels.counts == tuple(farm.class_counts.tolist()) and card.cube.shape == (
        40,
        32,
        12,
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "flight.hdr",
        "flight.img",
        "labels.npy",
        "mine.toml",
    ]


def test_a_card_in_another_folder_still_finds_its_files(
    add: Add, flight: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "cards").mkdir()
    add("flight.hdr", "labels.npy", out="cards/mine.toml")

    assert load_scene(tmp_path / "cards" / "mine.toml").bands == 12


def test_a_picture_is_drawn_of_the_scene_as_it_will_load(
    flight: np.ndarray, tmp_path: Path
) -> None:
    seen = []

    def draw(scene: Scene, path: Path) -> None:
        seen.append(scene.shape)
        path.write_bytes(b"png")

    paths = (tmp_path / name for name in ("flight.hdr", "labels.npy", "mine.toml"))
    added = add_scene(*paths, ImportOptions(), draw)
    assert seen == [(40, 32)] and added.files[1] == tmp_path / "mine_look.png"
    assert added.files[1].read_bytes() == b"png"


@pytest.mark.parametrize("axes", ["hwb", "bhw", "wbh"])
def test_the_order_of_the_axes_follows_from_the_labels(
    add: Add, farm: Scene, tmp_path: Path, axes: str
) -> None:
    np.save(tmp_path / "cube.npy", np.transpose(farm.cube, ["hwb".index(axis) for axis in axes]))
    savemat(tmp_path / "labels.mat", {"gt": farm.labels, "note": "text"})

    assert np.array_equal(add("cube.npy", "labels.mat").scene.cube, farm.cube)


def test_a_square_scene_says_that_its_axes_are_not_certain(add: Add, tmp_path: Path) -> None:
    square = toy_scene(height=32, width=32, bands=6, classes=3)
    np.save(tmp_path / "cube.npy", square.cube)
    np.save(tmp_path / "labels.npy", square.labels.T)
    sentences = said(add("cube.npy", "labels.npy"))

    assert "order whb" in sentences


def test_cube_and_labels_may_lie_in_one_mat_file(add: Add, farm: Scene, tmp_path: Path) -> None:
    savemat(tmp_path / "all.mat", {"cube": farm.cube, "other": farm.cube + 1, "gt": farm.labels})

    assert "cube 40×32×12" in refusal(tmp_path, lambda: add("all.mat", "all.mat"))
    assert np.array_equal(add("all.mat", "all.mat", cube_key="cube").scene.cube, farm.cube)


def test_integers_without_a_scale_get_a_guess_that_is_said(
    add: Add, farm: Scene, tmp_path: Path
) -> None:
    raw = np.round(farm.cube * 10_000).astype(np.uint16)
    np.save(tmp_path / "cube.npy", raw)
    np.save(tmp_path / "labels.npy", farm.labels)
    guessed = add("cube.npy", "labels.npy")

    assert (
        np.allclose(guessed.scene.cube, raw * 1e-4)
        and guessed.scene.units == "reflectance or scaled radiance"
    )
    assert "scale: 0.0001 (a guess)" in said(guessed) and "`scale`" in said(guessed)
    assert "# a guess" in Path("mine.toml").read_text()
    stated = add("cube.npy", "labels.npy", scale=1.0, units="counts", overwrite=True)
    assert stated.scene.cube.max() == raw.max() and stated.scene.units == "counts"
    assert "guess" not in said(stated)


def test_bands_that_say_nothing_are_dropped_with_their_reason(
    add: Add, farm: Scene, tmp_path: Path
) -> None:
    cube = farm.cube.copy()
    cube[:, :, 3] = 0.5
    cube[:20, :, 9] = np.nan
    save_envi(tmp_path / "c.hdr", cube, bbl=[0] + [1] * 11)
    np.save(tmp_path / "labels.npy", farm.labels)
    added = add("c.hdr", "labels.npy", bad_bands=(11,))

    assert scene_card("mine.toml").cube.bad_bands == (0, 3, 9, 11) and added.scene.bands == 8
    for reason in (
        "bad by the file: 0",
        "one value only: 3",
        "many values missing: 9",
        "asked for: 11",
    ):
        assert reason in said(added)


def test_missing_data_become_nought(
    add: Add, flight: np.ndarray, farm: Scene, tmp_path: Path
) -> None:
    raw = flight.copy()
    raw[:4] = -9999
    header = {"wavelength": np.linspace(400, 1000, 12).tolist(), "data ignore value": -9999}
    save_envi(tmp_path / "gap.hdr", raw, **header, **{"reflectance scale factor": 10000})
    added = add("gap.hdr", "labels.npy")
    assert "-9999 at 128 of 1,280 pixels: they count as 0" in said(added)
    assert (added.scene.cube[:4] == 0).all() and (added.scene.labels[:4] == 0).all()
    assert np.allclose(added.scene.cube[4:], raw[4:] / 1e4)
    assert np.array_equal(added.scene.labels[4:], farm.labels[4:])
    assert added.scene.wavelengths is not None and added.scene.gsd == 2
    assert f"{np.count_nonzero(farm.labels[:4])} labelled pixels hold no data" in said(added)


def test_gaps_of_no_number_are_said_in_the_card(add: Add, farm: Scene, tmp_path: Path) -> None:
    cube = farm.cube.copy()
    cube[2, 3, 4] = np.nan
    np.save(tmp_path / "cube.npy", cube)
    np.save(tmp_path / "labels.npy", farm.labels)
    added = add("cube.npy", "labels.npy")
    assert "nodata = nan" in (tmp_path / "mine.toml").read_text("utf-8")
    assert (
        not added.scene.cube[2, 3].any()
        and np.count_nonzero(added.scene.cube.any(axis=2)) == 40 * 32 - 1
    )


def test_codes_may_be_any_and_names_follow_their_order(
    add: Add, flight: np.ndarray, farm: Scene
) -> None:
    codes = np.array([0, 12, 5, 200])[farm.labels]
    codes[0, :3] = 255
    np.save("codes.npy", codes)
    added = add("flight.hdr", "codes.npy", classes=("hay", "wheat", "rape"), ignore=("255",))

    names = np.array(["", *added.scene.class_names])
    assert (
        names[added.scene.labels[5:]].tolist()
        == np.array(["", "wheat", "hay", "rape"])[farm.labels[5:]].tolist()
    )
    assert (added.scene.labels[0, :3] == 0).all()


def test_codes_below_nought_and_nought_are_no_labels(
    add: Add, flight: np.ndarray, farm: Scene
) -> None:
    np.save("codes.npy", farm.labels.astype(np.int16) - 1)  # −1 and 0 unlabelled, 1 and 2 classes
    added = add("flight.hdr", "codes.npy")
    assert added.scene.class_names == (
        "class 1",
        "class 2",
    ) and "below 0 count as unlabelled: -1" in said(added)


def test_names_of_an_envi_classification_are_taken_from_its_header(add, flight, farm, tmp_path):
    header = {"classes": 4, "class names": ["Unclassified", "wheat", "rye", "track"]}
    save_envi(tmp_path / "classes.hdr", farm.labels.astype(np.uint8)[:, :, None], **header)

    assert add("flight.hdr", "classes.hdr").scene.class_names == ("wheat", "rye", "track")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"classes": ("a", "b")}, ("2 names for 3 codes", "1 (")),
        ({"ignore": ("wheat",)}, ("`ignore`", "'wheat'")),
        ({"ignore": ("1", "2")}, ("at least two classes",)),
        ({"axes": "hhb"}, ("`axes`", "'hhb'")),
        ({"bad_bands": (40,)}, ("bad_bands", "40")),
        ({"out": "card.txt"}, (".toml",)),
        ({"out": "no/mine.toml"}, ("no folder no",)),
        ({"cube_key": None, "labels": "flight.hdr"}, ("two axes",)),
        ({"labels": "absent.npy"}, ("absent.npy must exist",)),
        ({"cube": "flihgt.hdr"}, ("flihgt.hdr must exist", "flight.hdr")),
    ],
)
def test_what_does_not_fit_is_refused(add, flight, tmp_path, options, parts):
    call = {"cube": "flight.hdr", "labels": "labels.npy", **options}
    message = refusal(tmp_path, lambda: add(**call))

    for part in parts:
        assert part in message


def test_labels_of_another_size_or_of_too_many_codes_are_refused(add, flight, tmp_path):
    np.save(tmp_path / "small.npy", np.ones((10, 10), dtype=int))
    np.save(tmp_path / "heights.npy", np.arange(40 * 32).reshape(40, 32))

    assert "labels 10×10, cube 40×32" in refusal(tmp_path, lambda: add("flight.hdr", "small.npy"))
    assert "1,280 different values" in refusal(tmp_path, lambda: add("flight.hdr", "heights.npy"))


def test_a_card_that_is_there_stays_unless_told_otherwise(
    add: Add, flight: np.ndarray, tmp_path: Path
) -> None:
    add("flight.hdr", "labels.npy")

    assert "`overwrite`" in refusal(tmp_path, lambda: add("flight.hdr", "labels.npy", name="other"))
    assert add("flight.hdr", "labels.npy", name="other", overwrite=True).scene.name == "other"


def test_the_scenes_own_files_are_never_replaced(add, flight, farm, tmp_path):
    np.save(tmp_path / "mine_labels.npy", np.where(farm.labels == 1, np.nan, farm.labels))

    message = refusal(tmp_path, lambda: add("flight.hdr", "mine_labels.npy", overwrite=True))
    assert "one of the scene's own files" in message


# Labels that are no raster.


def marks(farm: Scene, count: int = 200) -> list[tuple[int, int, str]]:
    """Row, column and class name of some labelled pixels."""
    pixels = np.argwhere(farm.labels > 0)
    chosen = pixels[np.random.default_rng(0).permutation(len(pixels))[:count]]
    return [(int(r), int(c), farm.class_names[farm.labels[r, c] - 1]) for r, c in chosen]


def called(scene: Scene) -> dict[tuple[int, int], str]:
    return {
        (int(r), int(c)): scene.class_names[scene.labels[r, c] - 1]
        for r, c in np.argwhere(scene.labels > 0)
    }


def expected(rows: list[tuple[int, int, str]]) -> dict[tuple[int, int], str]:
    return {(r, c): name for r, c, name in rows}


def ground(row: float, column: float) -> tuple[float, float]:
    """x and y of a place in pixels, in UTM."""
    return 500000 + 2 * column, 5000000 - 2 * row


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_of_pixels_counts_from_nought(add, flight, farm, tmp_path, separator):
    rows = marks(farm)
    lines = [
        separator.join(map(str, row))
        for row in (("Row", "Col", "Class"), *rows, (3, 3, ""), (900, 0, "Maize"))
    ]
    (tmp_path / "points.csv").write_text("\ufeff" + "\n".join(lines), encoding="utf-8")
    added = add("flight.hdr", "points.csv")

    assert called(added.scene) == expected(rows) and added.files[1] == Path("mine_labels.npy")
    assert "1 of 202 labels are without a class" in said(
        added
    ) and "1 of 202 labels are outside" in said(added)


def test_a_csv_may_hold_coordinates_and_numbers(
    add: Add, flight: np.ndarray, farm: Scene, tmp_path: Path
) -> None:
    pytest.importorskip("rasterio")
    rows = marks(farm)
    codes = {name: 10 * c for c, name in enumerate(farm.class_names, start=1)}
    lines = [
        f"{ground(r + 0.3, c + 0.9)[0]},{ground(r + 0.3, c + 0.9)[1]},{codes[name]}"
        for r, c, name in rows
    ]
    (tmp_path / "points.csv").write_text("\n".join(["x,y,label", *lines]))

    assert called(add("flight.hdr", "points.csv", classes=farm.class_names).scene) == expected(rows)


def test_pixels_that_two_classes_claim_stay_unlabelled(
    add: Add, flight: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "points.csv").write_text(
        "row,col,class\n1,1,a\n2,2,b\n3,3,a\n3,3,b\n4,4,a\n4,4,a\n"
    )
    added = add("flight.hdr", "points.csv")

    assert called(added.scene) == {(1, 1): "a", (2, 2): "b", (4, 4): "a"}
    assert "1 pixels are claimed by several classes" in said(added)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("line,sample,class\n1,1,a\n", "row,col,class"),
        ("row,col,class\n1,one,a\n", "'one' in line 2"),
        ("row,col,crop,site\n1,1,a,b\n", "`field`"),
        ("row,col,class\n", "no row"),
        ("", "must not be empty"),
        ("row,col,class\n100,100,a\n", "all 1 outside"),
        ("row,col,class\n1,1,a\n2,2,a\n", "at least two classes"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(add, flight, tmp_path, text, part):
    (tmp_path / "points.csv").write_text(text)

    assert part in refusal(tmp_path, lambda: add("flight.hdr", "points.csv"))


def polygons(
    farm: Scene,
) -> tuple[list[tuple[str, list[tuple[float, float]]]], dict[tuple[int, int], str]]:
    """Two rectangles by their corners in UTM, and the pixels whose centres they hold."""
    boxes = [("rye", 2.6, 3.4, 8.4, 9.6), ("oats", 20, 10, 30, 22)]
    shapes = [
        (name, [ground(*corner) for corner in ((t, left), (t, r), (b, r), (b, left), (t, left))])
        for name, t, left, b, r in boxes
    ]
    pixels = {(r, c): "rye" for r in range(3, 8) for c in range(3, 9 + 1)}
    return shapes, pixels | {(r, c): "oats" for r in range(20, 30) for c in range(10, 22)}


def geojson(path: Path, shapes: list[tuple[str, Any]], **more: Any) -> None:
    features = [
        {"type": "Feature", "properties": {"fid": i, "crop": name}, "geometry": geometry}
        for i, (name, geometry) in enumerate(shapes)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **more}))


def test_polygons_of_geojson_label_the_pixels_whose_centres_they_hold(add, flight, farm, tmp_path):
    pytest.importorskip("rasterio")
    from rasterio.warp import transform_geom

    shapes, pixels = polygons(farm)
    here = [(name, {"type": "Polygon", "coordinates": [ring]}) for name, ring in shapes]
    tiny = (
        "rye",
        {
            "type": "Polygon",
            "coordinates": [[ground(15.1, 1.1), ground(15.2, 1.1), ground(15.2, 1.2)]],
        },
    )
    geojson(
        tmp_path / "utm.geojson",
        [*here, tiny],
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32633"}},
    )
    added = add("flight.hdr", "utm.geojson", field="crop")
    assert called(added.scene) == pixels and "too small" in said(added)

    degrees = [(name, transform_geom("EPSG:32633", "OGC:CRS84", shape)) for name, shape in here]
    geojson(tmp_path / "wgs.geojson", degrees)
    assert called(add("flight.hdr", "wgs.geojson", field="crop", overwrite=True).scene) == pixels


def test_multipolygons_and_points_of_geojson(add, flight, farm, tmp_path):
    pytest.importorskip("rasterio")
    shapes, pixels = polygons(farm)
    found: list[tuple[str, Any]] = [
        # with heights, as digitised in 3D
        (name, {"type": "MultiPolygon", "coordinates": [[[(x, y, 77.0) for x, y in ring]]]})
        for name, ring in shapes
    ]
    found += [("rye", {"type": "Point", "coordinates": ground(35.5, 30.5)}), ("rye", None)]
    geojson(
        tmp_path / "plots.geojson",
        found,
        crs={"type": "name", "properties": {"name": "EPSG:32633"}},
    )
    added = add("flight.hdr", "plots.geojson", field="crop")

    assert called(added.scene) == pixels | {
        (35, 30): "rye"
    } and "1 of 4 labels are without" in said(added)


def test_a_damaged_or_unfit_vector_file_is_refused(
    add: Add, flight: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "b.geojson").write_text("{")
    geojson(
        tmp_path / "c.geojson", [("rye", {"type": "LineString", "coordinates": [[0, 0], [1, 1]]})]
    )

    assert "must be GeoJSON with features" in refusal(
        tmp_path, lambda: add("flight.hdr", "b.geojson")
    )
    assert "LineString" in refusal(tmp_path, lambda: add("flight.hdr", "c.geojson", field="crop"))
    assert "Did you mean crop" in refusal(
        tmp_path, lambda: add("flight.hdr", "c.geojson", field="crops")
    )


def test_coordinates_need_a_cube_that_lies_somewhere(add: Add, farm: Scene, tmp_path: Path) -> None:
    np.save(tmp_path / "cube.npy", farm.cube)
    geojson(tmp_path / "p.geojson", [("rye", {"type": "Point", "coordinates": [15, 45]})])

    assert "georeference" in refusal(tmp_path, lambda: add("cube.npy", "p.geojson", field="crop"))


# GeoTIFF.


@pytest.fixture
def save_tif(tmp_path: Path) -> Callable[..., None]:
    """Writes bands (B, h, w) as a GeoTIFF; ``corner`` and ``side`` in metres say where it lies."""
    rasterio = pytest.importorskip("rasterio")

    def save(
        name: str,
        bands: np.ndarray,
        corner: tuple[float, float] = (500000, 5000000),
        side: float = 2,
    ) -> Any:
        count, height, width = bands.shape
        where = {
            "transform": rasterio.Affine(side, 0, corner[0], 0, -side, corner[1]),
            "crs": "EPSG:32633",
        }
        size = {"count": count, "height": height, "width": width, "dtype": bands.dtype.name}
        with rasterio.open(tmp_path / name, "w", driver="GTiff", **size, **where) as file:
            file.write(bands)
        return rasterio.open(tmp_path / name, "r+")

    return save


def test_a_geotiff_gives_band_centres_scale_and_missing_data_by_its_tags(add, farm, save_tif):
    raw = np.round(farm.cube * 10_000).astype(np.int16).transpose(2, 0, 1)
    raw[:, 0, 0] = -32768
    with save_tif("cube.tif", raw) as file:
        file.nodata = -32768
        file.scales = [1e-4] * 12
        for band in range(1, 13):
            file.update_tags(
                band, wavelength=str(0.35 + 0.05 * band), wavelength_units="Micrometers"
            )
    Image.fromarray(farm.labels.astype(np.uint8)).save("labels.png")
    added = add("cube.tif", "labels.png")

    assert added.scene.wavelengths is not None and np.allclose(
        added.scene.wavelengths, np.arange(400, 1000, 50)
    )
    assert np.allclose(added.scene.cube[1:], raw.transpose(1, 2, 0)[1:] * 1e-4)
    assert added.scene.units == "reflectance"
    assert added.scene.gsd == 2 and not added.scene.cube[0, 0].any()


@pytest.mark.parametrize(
    ("corner", "side", "system"),
    [((5, 0), 2, 32633), ((0, 0), 1, 32633), ((0, 0), 2, 32632)],
    ids=str,
)
def test_a_label_raster_on_another_grid_is_refused(
    add, flight, farm, save_tif, tmp_path, corner, side, system
):
    with save_tif("classes.tif", farm.labels[None], ground(*corner), side) as file:
        file.crs = f"EPSG:{system}"

    assert "must lie on the grid of the cube" in refusal(
        tmp_path, lambda: add("flight.hdr", "classes.tif")
    )


def test_classes_given_for_words_set_their_order(
    add: Add, flight: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "points.csv").write_text("row,col,class\n1,1,b\n2,2,a\n3,3,c\n")

    assert add("flight.hdr", "points.csv", classes=("c", "b"), ignore=("a",)).scene.class_names == (
        "c",
        "b",
    )
    with pytest.raises(InputError, match="`classes` must name every class"):
        add("flight.hdr", "points.csv", classes=("c", "b"), overwrite=True)


def test_band_centres_keep_their_digits_wherever_they_are_written(add, farm, tmp_path, monkeypatch):
    centres = [410.30125, *(500.123456 + 10 * band for band in range(10)), 2489.1134567]
    raw = np.round(farm.cube * 10_000).astype(np.int16)
    raw[0, 0] = -9999
    save_envi(
        tmp_path / "flight.hdr", raw, **{"wavelength": centres, "wavelength units": "Nanometers"}
    )
    np.save(tmp_path / "labels.npy", farm.labels)
    added = add("flight.hdr", "labels.npy", nodata=-9999.0)

    assert "410.30125–2489.113457 nm" in said(added)
    assert added.scene.wavelengths is not None and added.scene.wavelengths.tolist() == centres
    titles: list[str] = []
    monkeypatch.setattr(
        "matplotlib.axes.Axes.set_title", lambda self, text, **_: titles.append(text)
    )
    shown = np.array([*np.linspace(410.3, 450, 9), 490.25, 560.125, 660.5])
    save_quick_look(replace(added.scene, wavelengths=shown), tmp_path / "look.png")
    assert titles[0] == "flight: 660.5 nm / 560.125 nm / 490.25 nm"
