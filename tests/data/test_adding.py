"""A scene of one's own: what is found in its files, what is refused, and the card that comes of
it.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.warp import transform_geom
from scipy.io import savemat

from hsiaug.base.errors import HsiaugError
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene, scene_card
from tests.data.field_files import (
    COUNTS,
    CUBE,
    FARM,
    LABELS,
    NM,
    UTM,
    WAVES,
    add,
    envi,
    listed,
    said,
    text,
    tiff,
)

FACTOR = "reflectance scale factor = 10000\n"
STORED = np.round(CUBE * 10_000).astype(np.int16)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(call: Callable[[], object]) -> str:
    """The message of what must be refused without leaving a trace."""
    for name, array in {"cube.npy": CUBE, "labels.npy": LABELS}.items():
        if not Path(name).exists():
            np.save(name, array)
    before = {path: path.read_bytes() for path in Path().iterdir()}
    with pytest.raises(HsiaugError) as error:
        call()
    assert {path: path.read_bytes() for path in Path().iterdir()} == before
    return str(error.value)


def names_by_pixel(scene: Scene) -> dict[tuple[int, int], str]:
    return {
        (int(r), int(c)): scene.class_names[scene.labels[r, c] - 1]
        for r, c in np.argwhere(scene.labels > 0)
    }


# The card.


def test_an_envi_scene_becomes_a_card_that_loads_from_any_folder() -> None:
    names = FARM.class_names
    added = add(envi("flight", STORED, UTM + WAVES + FACTOR), classes=names)
    scene = load_scene("mine.toml")
    assert scene.name == "flight" and scene.gsd == 5 and scene.units == "reflectance"
    assert np.allclose(scene.cube, STORED / 1e4) and np.array_equal(scene.labels, LABELS)
    assert np.allclose(scene.wavelengths, NM) and scene.class_names == names
    assert added.files == (Path("mine.toml"),) and added.warnings == ()
    assert "units: reflectance (a guess)" in said(added)
    card = scene_card("mine.toml")
    assert card.labels.counts == tuple(COUNTS) and card.cube.shape == (40, 32, 12)
    files = {path.name for path in Path().iterdir()} - {"cube.npy"}
    assert files == {"flight.hdr", "flight.img", "labels.npy", "mine.toml"}
    Path("cards").mkdir()
    add("flight.hdr", out="cards/mine.toml")
    assert load_scene("cards/mine.toml").bands == 12


@pytest.mark.parametrize("axes", ["bhw", "wbh"])
def test_the_order_of_the_axes_follows_from_the_labels(axes: str) -> None:
    np.save("c.npy", np.transpose(CUBE, ["hwb".index(axis) for axis in axes]))
    savemat("labels.mat", {"gt": LABELS, "note": "text"})
    assert np.array_equal(add("c.npy", "labels.mat").scene.cube, CUBE)


def test_cube_and_labels_may_lie_in_one_mat_file() -> None:
    savemat("all.mat", {"cube": CUBE, "other": CUBE + 1, "gt": LABELS})
    assert "cube 40×32×12" in refusal(lambda: add("all.mat", "all.mat"))
    assert np.array_equal(add("all.mat", "all.mat", cube_key="cube").scene.cube, CUBE)


def test_integers_without_a_scale_get_a_guess_that_is_said() -> None:
    np.save("cube.npy", STORED)
    guessed = add()
    assert np.allclose(guessed.scene.cube, STORED * 1e-4)
    assert guessed.scene.units == "reflectance or scaled radiance"
    assert "scale: 0.0001 (a guess)" in said(guessed) and "`scale`" in said(guessed)
    assert "# a guess" in Path("mine.toml").read_text()
    stated = add(scale=1.0, units="counts")
    assert stated.scene.cube.max() == STORED.max() and stated.scene.units == "counts"
    assert "guess" not in said(stated)


def test_bands_that_say_nothing_are_dropped_with_their_reason() -> None:
    cube = CUBE.copy()
    cube[:, :, 3] = 0.5
    cube[:20, :, 9] = np.nan
    added = add(envi("c", cube, f"bbl = {listed([0] + [1] * 11)}\n"), bad_bands=(11,))
    assert scene_card("mine.toml").cube.bad_bands == (0, 3, 9, 11) and added.scene.bands == 8
    reasons = ("bad by the file: 0", "one value only: 3", "many values missing: 9", "asked for: 11")
    assert [reason for reason in reasons if reason not in said(added)] == []


def test_gaps_of_no_number_are_said_in_the_card() -> None:
    cube = CUBE.copy()
    cube[2, 3, 4] = np.nan
    np.save("cube.npy", cube)
    scene = add().scene
    assert "nodata = nan" in Path("mine.toml").read_text("utf-8")
    assert not scene.cube[2, 3].any() and np.count_nonzero(scene.cube.any(axis=2)) == 40 * 32 - 1


@pytest.mark.parametrize("kind", ["tif", "hdr"])
def test_pixels_of_zeros_hold_no_data_whatever_the_offset_is(kind: str) -> None:
    stored = np.rint(CUBE * 5000).astype(np.uint16)
    stored[:3] = 0
    if kind == "tif":
        tiff("c.tif", stored, lambda file: setattr(file, "offsets", [0.2] * 12), nodata=0)
    else:
        envi("c", stored, f"data offset values = {listed([0.2] * 12)}\ndata ignore value = 0")
    cube = add(f"c.{kind}", units="other").scene.cube
    assert not cube[:3].any() and np.allclose(cube[3:], stored[3:] + 0.2)


def test_a_scale_that_the_user_gives_goes_before_that_of_the_file() -> None:
    added = add(envi("c", STORED, FACTOR), scale=1.0, units="counts")
    assert np.array_equal(added.scene.cube, STORED) and "is not applied" in said(added)


def test_band_centres_keep_their_digits_in_the_card() -> None:
    centres = [410.30125, *(500.123456 + 10 * band for band in range(10)), 2489.1134567]
    added = add(envi("c", CUBE, f"wavelength = {listed(centres)}\n"))
    assert "410.30125–2489.113457 nm" in said(added)
    assert added.scene.wavelengths.tolist() == centres


def test_band_centres_given_in_micrometres_are_taken_as_such_and_said() -> None:
    added = add(wavelengths=tuple(NM / 1000))
    assert np.allclose(added.scene.wavelengths, NM) and "taken as micrometres" in said(added)
    add()
    card = Path("mine.toml")
    card.write_text(f"{card.read_text()}\n[sensor]\nwavelengths = {(NM / 1000).tolist()}\n")
    assert "must be in nanometres, found 0.42 to 0.97" in refusal(lambda: load_scene(card))


def test_a_kept_band_without_a_centre_is_named_with_the_remedy() -> None:
    envi("c", CUBE, f"wavelength units = nm\nwavelength = {listed([*NM[:3], 0, *NM[4:]])}")
    assert "`bad_bands='3'`" in said(add("c.hdr"))
    assert add("c.hdr", bad_bands=(3,)).scene.wavelengths is not None


def test_a_cube_of_truth_values_becomes_a_card() -> None:
    truth = np.median(CUBE) < CUBE
    np.save("c.npy", truth)
    assert np.array_equal(add("c.npy").scene.cube, truth)


def test_a_card_that_is_there_stays_unless_told_otherwise() -> None:
    add()
    assert "must not exist yet" in refusal(lambda: add(name="other", overwrite=False))
    assert add(name="other").scene.name == "other"


def test_the_scenes_own_files_are_never_replaced() -> None:
    np.save("mine_labels.npy", np.where(LABELS == 1, np.nan, LABELS))
    assert "one of the scene's own files" in refusal(lambda: add(labels="mine_labels.npy"))


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
        ({"labels": "c.hdr"}, ("12: 1, 2", "labels_key")),
        ({"labels": "absent.npy"}, ("absent.npy must exist",)),
        ({"cube": "cc.hdr"}, ("cc.hdr must exist", "c.hdr")),
        ({"labels": "small.npy"}, ("labels 10×10, cube 40×32",)),
        ({"labels": "heights.npy"}, ("1,280 different values",)),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], parts: tuple[str, ...]) -> None:
    envi("c", CUBE)
    np.save("small.npy", np.ones((10, 10), dtype=int))
    np.save("heights.npy", np.arange(40 * 32).reshape(40, 32))
    message = refusal(lambda: add(**{"cube": "c.hdr", **options}))
    assert [part for part in parts if part not in message] == []


# ENVI.


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("data gain values = {1, 2}", "'data gain values' must be 12 numbers"),
        (f"data gain values = {listed(np.zeros(12))}", "gains other than 0"),
        (f"data gain values = {listed([2] * 12)}\n{FACTOR}", "must name one scale"),
        ("data ignore value = none", "'data ignore value' must be one number"),
        ("file type = ENVI Classification", "name it as the labels"),
        ("file type = ENVI Meta File", "Export the image as ENVI Standard"),
        ("reflectance scale factor = 0", "Correct that line of the header, or delete it"),
        (f"bbl = {listed([0] * 12)}", "Correct the list of bad bands"),
    ],
)
def test_what_an_envi_header_says_and_cannot_be_applied_is_refused_by_name(header, part) -> None:
    envi("c", CUBE, header)
    assert part in refusal(lambda: add("c.hdr"))


@pytest.mark.parametrize("key", ["interleave", "data type", "bands"])
def test_a_field_that_is_missing_is_named(key: str) -> None:
    envi("c", CUBE, skip=key)
    assert f"must give '{key}'" in refusal(lambda: add("c.hdr"))


def test_auxiliary_metadata_of_an_envi_file_go_before_its_header() -> None:
    raw = np.rint(CUBE * 5000).astype(np.int16)
    raw[:2] = -9
    envi("c", raw, f"data gain values = {{9}}\n{UTM}")
    facts = "<Scale>0.0002</Scale><Offset>-0.5</Offset><NoDataValue>-9</NoDataValue>"
    bands = (f'<PAMRasterBand band="{b}">{facts}</PAMRasterBand>' for b in range(1, 13))
    text("c.img.aux.xml", f"<PAMDataset>{''.join(bands)}</PAMDataset>")
    added = add("c.hdr")
    assert np.allclose(added.scene.cube[2:], raw[2:] * 0.0002 - 0.5, atol=1e-6)
    assert "no data: 64 pixels" in said(added) and "of c.img.aux.xml are applied" in said(added)
    beside = Path("c.img.aux.xml")
    beside.write_text(beside.read_text().replace("0.0002", "0", 1))
    assert "must give scales other than 0" in refusal(lambda: add("c.hdr"))


@pytest.mark.parametrize("name", ["c.mat", "c.npy", "c.tif", "c.h5"])
def test_what_lies_in_the_place_of_a_file_is_named(name: str) -> None:
    text(name, "version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
    assert "git lfs pull" in refusal(lambda: add(name))
    text(name, "<!DOCTYPE html><html></html>")
    assert "a web page" in refusal(lambda: add(name))


# Codes.


def test_codes_may_be_any_and_names_follow_their_order() -> None:
    codes = np.array([0, 12, 5, 200])[LABELS]
    codes[0, :3] = 255
    np.save("codes.npy", codes)
    scene = add(labels="codes.npy", classes=("hay", "wheat", "rape"), ignore=("255",)).scene
    names = np.array(["", *scene.class_names])[scene.labels]
    assert np.array_equal(names[5:], np.array(["", "wheat", "hay", "rape"])[LABELS[5:]])
    assert (scene.labels[0, :3] == 0).all()


def test_codes_below_nought_and_nought_are_no_labels() -> None:
    np.save("codes.npy", LABELS.astype(np.int16) - 1)  # −1 and 0 unlabelled, 1 and 2 classes
    added = add(labels="codes.npy")
    assert added.scene.class_names == ("class 1", "class 2")
    assert "below 0 count as unlabelled: -1" in said(added)


def test_a_class_of_code_0_in_a_classification_is_asked_about() -> None:
    envi("l", LABELS, "file type = ENVI Classification\nclass names = {water, hay, rye, oats}")
    message = refusal(lambda: add(labels="l.hdr"))
    assert "use `unlabelled='none'`; if it means no label, `unlabelled='0'`" in message
    names = ("water", "hay", "rye", "oats")
    assert add(labels="l.hdr", unlabelled=()).scene.class_names == names
    assert add(labels="l.hdr", unlabelled=(0,)).scene.class_names == names[1:]
    envi("l", LABELS, "class names = {Masked Pixels, hay, rye, hay}")
    assert "'hay' for codes [1, 3]" in refusal(lambda: add(labels="l.hdr"))
    assert add(labels="l.hdr", classes=names[1:]).scene.class_names == names[1:]


def test_of_labels_with_two_bands_one_must_be_named() -> None:
    tiff("l.tif", np.stack([LABELS > 0, LABELS], axis=2).astype(np.uint8))
    assert "one band of classes, unless you name one; found 2: 1, 2" in refusal(
        lambda: add(labels="l.tif")
    )
    assert np.array_equal(add(labels="l.tif", labels_key="2").scene.labels, LABELS)


@pytest.mark.parametrize(
    ("corner", "side", "system"),
    [((25, 0), 5, 32633), ((0, 0), 2.5, 32633), ((0, 0), 5, 32632)],
    ids=str,
)
def test_a_label_raster_on_another_grid_is_refused(corner, side, system) -> None:
    x, y = 500000 + corner[0], 5400000 - corner[1]
    place = rasterio.Affine(side, 0, x, 0, -side, y)
    tiff("l.tif", LABELS, transform=place, crs=f"EPSG:{system}")
    envi("c", CUBE, UTM)
    assert "must lie on the grid of the cube" in refusal(lambda: add("c.hdr", "l.tif"))


# Tables.


def test_pixels_that_two_classes_claim_stay_unlabelled() -> None:
    text(
        "p.csv", "row,col,class\n1,1,a\n2,2,b\n3,3,a\n3,3,b\n4,4,a\n4,4,a\n900,0,a\n5,5,nan\n6,6,\n"
    )
    added = add(labels="p.csv")
    assert names_by_pixel(added.scene) == {(1, 1): "a", (2, 2): "b", (4, 4): "a"}
    assert added.files[1] == Path("mine_labels.npy")
    assert '# made of p.csv\nfile = "mine_labels.npy"' in added.files[0].read_text("utf-8")
    for part in ("1 pixels are claimed", "1 of 9 labels are outside", "2 of 9 labels are without"):
        assert part in said(added)


@pytest.mark.parametrize(
    ("content", "part"),
    [
        ("line,sample,class\n1,1,a\n", "row,col,class"),
        ("row,col,class\n1,one,a\n", "'one' in line 2"),
        ("row,col,crop,site\n1,1,a,b\n", "`field`"),
        ("row,col,class\n", "no row"),
        ("", "must not be empty"),
        ("row,col,class\n100,100,a\n", "all 1 outside"),
        ("row,col,class\n1,1,a\n2,2,a\n", "at least two classes"),
        ("row,col,class\n1,1,a\n2,2,b\n".encode("utf-16-le").decode("latin-1"), "save it as UTF-8"),
    ],
)
def test_a_table_that_cannot_be_understood_is_refused(content: str, part: str) -> None:
    text("p.csv", content)
    assert part in refusal(lambda: add(labels="p.csv"))


def test_classes_given_for_words_set_their_order_and_capitals_are_said() -> None:
    text("p.csv", "row,col,class\n1,1,b\n2,2,a\n3,3,B\n")
    added = add(labels="p.csv", classes=("B", "b"), ignore=("a",))
    assert added.scene.class_names == ("B", "b")
    assert "differ in capital letters alone: B, b" in said(added)
    assert "`classes` must name every class" in refusal(
        lambda: add(labels="p.csv", classes=("B", "b"))
    )


# Points and polygons.


def place(row: float, column: float) -> tuple[float, float]:
    """x and y of a place in pixels, in the system of UTM."""
    return 500000 + 5 * column, 5400000 - 5 * row


BOXES = {"rye": (2.6, 3.4, 8.4, 9.6), "oats": (20, 10, 30, 22)}
"""Rectangles by top, left, bottom and right in pixels."""
RINGS = {
    name: [place(*at) for at in ((t, left), (t, r), (b, r), (b, left), (t, left))]
    for name, (t, left, b, r) in BOXES.items()
}
IN_BOXES = {(r, c): "rye" for r in range(3, 8) for c in range(3, 10)} | {
    (r, c): "oats" for r in range(20, 30) for c in range(10, 22)
}
"""The pixels whose centres they hold."""


def geojson(shapes: list[tuple[object, object]], epsg: int | None = 32633, **more: object) -> None:
    features = [
        {"type": "Feature", "properties": {"fid": i, "crop": name, **more}, "geometry": geometry}
        for i, (name, geometry) in enumerate(shapes)
    ]
    content: dict[str, object] = {"type": "FeatureCollection", "features": features}
    if epsg is not None:
        content["crs"] = {"type": "name", "properties": {"name": f"EPSG:{epsg}"}}
    text("p.geojson", json.dumps(content))
    envi("c", CUBE, UTM)


def point(row: float, column: float) -> dict[str, object]:
    return {"type": "Point", "coordinates": place(row, column)}


def test_polygons_of_geojson_label_the_pixels_whose_centres_they_hold() -> None:
    here = [(name, {"type": "Polygon", "coordinates": [ring]}) for name, ring in RINGS.items()]
    tiny = [place(15.1, 1.1), place(15.2, 1.1), place(15.2, 1.2), place(15.1, 1.1)]
    geojson([*here, ("rye", {"type": "Polygon", "coordinates": [tiny]})])
    added = add("c.hdr", "p.geojson", field="crop")
    assert names_by_pixel(added.scene) == IN_BOXES and "too small" in said(added)
    geojson([(name, transform_geom("EPSG:32633", "OGC:CRS84", it)) for name, it in here], None)
    assert names_by_pixel(add("c.hdr", "p.geojson", field="crop").scene) == IN_BOXES


def test_multipolygons_and_points_of_geojson() -> None:
    shapes: list[tuple[object, object]] = [
        # with heights, as digitised in 3D
        (name, {"type": "MultiPolygon", "coordinates": [[[(x, y, 77.0) for x, y in ring]]]})
        for name, ring in RINGS.items()
    ]
    geojson([*shapes, ("rye", point(35.5, 30.5)), ("rye", None)])
    added = add("c.hdr", "p.geojson", field="crop")
    assert names_by_pixel(added.scene) == IN_BOXES | {(35, 30): "rye"}
    assert "1 of 4 labels are without" in said(added)


def test_a_damaged_or_unfit_vector_file_is_refused() -> None:
    geojson([("rye", {"type": "LineString", "coordinates": [[0, 0], [1, 1]]})])
    assert "LineString" in refusal(lambda: add("c.hdr", "p.geojson", field="crop"))
    message = refusal(lambda: add("c.hdr", "p.geojson", field="crops"))
    assert "Did you mean crop" in message
    text("p.geojson", "{")
    assert "must be GeoJSON with features" in refusal(lambda: add("c.hdr", "p.geojson"))


@pytest.mark.parametrize("name", ["l.gpkg", "l.shp", "l.dbf", "l.fgb"])
def test_a_layer_that_is_none_is_refused(name: str) -> None:
    text(name, "x")
    text("l.shp", "x")
    assert "must be a whole" in refusal(lambda: add(labels=name))


CROPS = [(name, point(i, i)) for i, name in enumerate(["hay", "rye"] * 4)]


def test_geojson_in_the_system_of_the_cube_is_refused_with_that_system() -> None:
    geojson(CROPS, None)
    message = refusal(lambda: add("c.hdr", "p.geojson", field="crop"))
    found = re.search(r"`crs='(\S+)'`", message)
    assert found is not None, message
    scene = add("c.hdr", "p.geojson", field="crop", crs=found[1]).scene
    assert scene.class_counts.tolist() == [4, 4]


def test_an_attribute_that_numbers_the_marks_is_asked_about() -> None:
    geojson(CROPS)
    content = Path("p.geojson").read_text().replace('"fid"', '"id"')
    text("p.geojson", content)
    message = refusal(lambda: add("c.hdr", "p.geojson"))
    assert "each of the 8 marks has its own" in message
    assert "Say `field='crop'`, or `field='id'`" in message
    added = add("c.hdr", "p.geojson", field="crop")
    assert "class attribute: crop (also there: id)" in said(added)
    # A feature on each line.
    features = json.loads(content)["features"]
    text("p.geojson", "\n".join(f"\x1e{json.dumps(one)}" for one in features))
    lines = add("c.hdr", "p.geojson", field="crop", crs="EPSG:32633").scene
    assert np.array_equal(lines.labels, added.scene.labels)
