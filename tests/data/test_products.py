"""Products of imaging spectrometers are read with their bands, scale, missing data and place."""

import os
import re
import shlex
import warnings
from collections.abc import Callable
from contextlib import chdir
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import rasterio
from PIL import Image
from scipy.io import netcdf_file

from hsiaug.base.errors import HsiaugError
from hsiaug.cli.output import name_options
from hsiaug.data import load_scene
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.data.georeference import scene_georeference
from hsiaug.data.products.enmap_desis import metadata_beside
from hsiaug.data.readers import read_cube_file
from tests.data.made_products import (
    CUBE,
    EMPTY,
    LABELS,
    MAKERS,
    WIDTHS,
    Made,
    aviris_ng,
    desis,
    emit,
    enmap,
    hypso,
    prisma,
    tanager_basic,
    tanager_ortho,
)
from tests.in_process import hsiaug

Maker = Callable[[Path], Made]


def added(made: Made, folder: Path, labels: np.ndarray | Path | None = None) -> Added:
    if not isinstance(labels, Path):
        np.save(folder / "labels.npy", made.labels if labels is None else labels)
        labels = folder / "labels.npy"
    return add_scene(made.path, labels, folder / "mine.toml", ImportOptions(overwrite=True))


@pytest.fixture(params=MAKERS, ids=lambda maker: maker.__name__)
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    return request.param(tmp_path)


def test_a_product_is_its_reflectance_with_centres_and_without_bad_bands(
    made: Made, tmp_path: Path
) -> None:
    found = added(made, tmp_path)
    scene = load_scene(tmp_path / "mine.toml")
    kept = [band for band in range(len(made.nm)) if band not in made.dropped]
    np.testing.assert_allclose(scene.cube, made.cube[:, :, kept], atol=2e-6)
    np.testing.assert_allclose(scene.wavelengths, made.nm[kept], atol=1e-4)
    assert scene.units.startswith("reflectance")
    empty = ~made.cube.any(axis=2)
    np.testing.assert_array_equal(scene.labels == 0, (made.labels == 0) | empty)
    facts = dict(found.facts)
    assert facts["no data"] == f"{empty.sum():,} pixels"
    assert facts["band widths"] == "8–12 nm"
    assert "a guess" not in facts["scale"]


def test_a_product_lies_where_its_file_says(made: Made, tmp_path: Path) -> None:
    added(made, tmp_path)
    ground = scene_georeference(str(tmp_path / "mine.toml"))
    if made.epsg is None:
        assert ground is None
        return
    assert ground is not None
    assert ground.metres == made.metres
    a, b, x, d, e, y = ground.transform
    assert (x, y) == pytest.approx((made.x, made.y))
    if made.metres is None:
        assert (a, b, d, e) == pytest.approx((0.0005, 0, 0, -0.0005))


def test_points_on_a_map_label_the_pixels_that_they_lie_in(tmp_path: Path) -> None:
    for maker in (prisma, emit, tanager_ortho, enmap):
        made = maker(tmp_path)
        places = [(4, 4), (4, 9), (30, 20), (12, 12)]
        ground = added(made, tmp_path)
        ground = scene_georeference(str(tmp_path / "mine.toml"))
        points = tmp_path / "points.csv"
        rows = [
            f"{x},{y},{name}"
            for (x, y), name in zip(
                (ground.centre(*place) for place in places), ["a", "b", "a", "b"], strict=True
            )
        ]
        points.write_text("x,y,class\n" + "\n".join(rows))
        scene = added(made, tmp_path, points).scene
        assert [scene.labels[place] for place in places] == [1, 2, 1, 2]
        assert np.count_nonzero(scene.labels) == len(places)


def test_the_summary_says_what_was_done_and_what_is_not_used(tmp_path: Path) -> None:
    said = {maker: "\n".join(added(maker(tmp_path), tmp_path).warnings) for maker in MAKERS}
    assert "placed on a grid of 40×32 by the look-up table of the file: 3% of" in said[emit]
    assert "both detectors see 720 to 770 nm" in said[prisma]
    assert "matrices of erroneous pixels in the file are not used" in said[prisma]
    assert "no georeference: give labels as a raster" in said[hypso]
    assert "or name the ortho product" in said[tanager_basic]
    assert "-METADATA.XML" in said[enmap]
    assert "-METADATA.xml" in said[desis]


def test_corners_at_the_edges_of_pixels_are_told_from_their_centres(tmp_path: Path) -> None:
    made = prisma(tmp_path)
    with h5py.File(made.path, "a") as file:
        for corner, sign in (("UL", -1), ("LR", 1)):
            file.attrs[f"Product_{corner}corner_easting"] += 15 * sign
            file.attrs[f"Product_{corner}corner_northing"] -= 15 * sign
    added(made, tmp_path)
    ground = scene_georeference(str(tmp_path / "mine.toml"))
    assert (ground.transform[2], ground.transform[5]) == (made.x, made.y)


def test_corners_that_give_no_pixels_of_30_metres_are_no_georeference(tmp_path: Path) -> None:
    made = prisma(tmp_path)
    with h5py.File(made.path, "a") as file:
        file.attrs["Product_LRcorner_easting"] += 200.0
    found = added(made, tmp_path)
    assert dict(found.facts)["georeference"] == "none"
    assert any("corner coordinates do not give pixels of 30 m" in text for text in found.warnings)


def test_metadata_of_another_image_are_not_used(tmp_path: Path) -> None:
    made = enmap(tmp_path)
    (metadata,) = tmp_path.glob("*.XML")
    first = metadata.read_text().partition("</bandID>")
    metadata.write_text(first[0].rpartition("<bandID")[0] + first[2])
    found = added(made, tmp_path)
    assert any("is not used: 11 bands, the image has 12" in text for text in found.warnings)
    assert dict(found.facts)["scale"] == "0.0001 (a guess)"


def test_scales_of_the_image_go_before_those_beside_it(tmp_path: Path) -> None:
    made = enmap(tmp_path)
    with rasterio.open(made.path, "r+") as file:
        file.scales = [0.0002] * 12
    assert read_cube_file(made.path).scale == 0.0002


@pytest.mark.parametrize("maker", [prisma, emit, tanager_ortho, hypso])
def test_a_file_that_is_cut_short_is_refused_in_one_sentence(maker: Maker, tmp_path: Path) -> None:
    made = maker(tmp_path)
    content = made.path.read_bytes()
    for part in (10, len(content) // 3, len(content) - 10):
        made.path.write_bytes(content[:part])
        with pytest.raises(HsiaugError, match=r"must be a whole|must store what it announces"):
            added(made, tmp_path)


@pytest.mark.parametrize(
    ("maker", "name"),
    [
        (prisma, "HDFEOS/SWATHS/PRS_L2D_HCO/Data Fields/SWIR_Cube"),
        (prisma, "List_Cw_Swir"),
        (prisma, "L2ScaleVnirMax"),
        (emit, "location/glt_y"),
        (emit, "spatial_ref"),
        (tanager_ortho, "HDFEOS INFORMATION/StructMetadata.0"),
    ],
)
def test_an_incomplete_product_names_what_it_lacks(maker: Maker, name: str, tmp_path: Path) -> None:
    made = maker(tmp_path)
    with h5py.File(made.path, "a") as file:
        if name in file.attrs:
            del file.attrs[name]
        else:
            del file[name]
    with pytest.raises(HsiaugError, match="must be a whole product of") as caught:
        added(made, tmp_path)
    assert name in str(caught.value)


def test_lists_of_another_length_are_refused(tmp_path: Path) -> None:
    for maker, place in ((prisma, "@List_Cw_Vnir"), (tanager_ortho, "fwhm")):
        made = maker(tmp_path)
        with h5py.File(made.path, "a") as file:
            item = file
            if place == "fwhm":
                item = file["HDFEOS/GRIDS/HYP/Data Fields/surface_reflectance"]
            name = place.lstrip("@")
            item.attrs[name] = item.attrs[name][:-1]
        with pytest.raises(HsiaugError, match=r"band (centres|widths) for \d+ bands"):
            added(made, tmp_path)


def test_a_table_that_points_beyond_the_cube_is_refused(tmp_path: Path) -> None:
    made = emit(tmp_path)
    with h5py.File(made.path, "a") as file:
        file["location/glt_x"][0, 0] = 33
    with pytest.raises(HsiaugError, match="points beyond the cube"):
        added(made, tmp_path)


def test_what_lies_in_another_file_is_not_read(tmp_path: Path) -> None:
    made = hypso(tmp_path)
    other = made.path.rename(tmp_path / "other.nc")
    with h5py.File(made.path, "w") as file:
        file.create_group("metadata")
        file["products/rhot"] = h5py.ExternalLink(other.name, "products/rhot")
    with pytest.raises(HsiaugError, match="0 cubes with `wavelengths`"):
        added(made, tmp_path)


def test_scale_factors_and_missing_values_of_attributes_are_applied(tmp_path: Path) -> None:
    made = hypso(tmp_path)
    packed = np.rint((CUBE - 0.2) / 0.0001).astype("i2")
    packed[EMPTY] = -32767
    with h5py.File(made.path, "a") as file:
        attributes = dict(file["products/rhot"].attrs)
        del file["products/rhot"]
        file["products/rhot"] = packed
        attributes |= {"scale_factor": [0.0001], "add_offset": [0.2], "_FillValue": [-32767]}
        file["products/rhot"].attrs.update(attributes)
    scene = added(made, tmp_path).scene
    np.testing.assert_allclose(scene.cube[~EMPTY], CUBE[~EMPTY], atol=6e-5)
    assert not scene.cube[EMPTY].any()


REMEDY = re.compile(
    r'Save one (?:cube|raster) as an array: (python -c ".*"), and name (\S+\.npy)(?: with (--.*))?'
)


def follow(error: HsiaugError, folder: Path) -> tuple[Path, list[str]]:
    """Do what the ``python -c`` of an error does; the file that it names then, and the settings."""
    found = REMEDY.search(name_options(str(error)))
    assert found is not None, error
    command, name, settings = found.groups()
    with chdir(folder):
        exec(shlex.split(command)[2], {})
    return folder / name, shlex.split(settings or "")


def test_another_file_of_hdf5_is_refused_with_a_remedy_that_works(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "mine.h5", "w") as file:
        file["group/cube"] = np.rint(CUBE * 10000).astype("i2")
        file["group/cube"].attrs["scale_factor"] = 0.0001
        file["group/cube"].attrs["_FillValue"] = np.int16(-9999)
        file["small"] = np.zeros((2, 2, 2))
    np.save(tmp_path / "labels.npy", LABELS)
    with pytest.raises(HsiaugError, match="must be a product that is read") as caught:
        added(Made(tmp_path / "mine.h5", CUBE, LABELS, WIDTHS, None, None), tmp_path)
    array, settings = follow(caught.value, tmp_path)
    given = [str(array), "--labels", str(tmp_path / "labels.npy"), *settings]
    out = str(tmp_path / "mine.toml")
    result = hsiaug("datasets", "add", *given, "--out", out, "--force")
    assert result.returncode == 0, result.stderr
    np.testing.assert_allclose(load_scene(out).cube, CUBE, atol=6e-5)


@pytest.mark.parametrize("kind", ["one number", "a number for each band", "no data as NaN"])
def test_the_remedy_for_another_file_of_hdf5_applies_its_offset(tmp_path: Path, kind: str) -> None:
    attributes: dict[str, Any] = {"scale_factor": 0.0001, "add_offset": 0.2, "_FillValue": -32767}
    stored = np.rint((CUBE - 0.2) / 0.0001).astype("i2")
    stored[EMPTY] = -32767
    if kind == "a number for each band":
        attributes["add_offset"] = np.full(CUBE.shape[-1], 0.2)
    if kind == "no data as NaN":
        attributes["_FillValue"] = np.nan
        stored = np.where(EMPTY[..., None], np.nan, stored)
    with h5py.File(tmp_path / "mine.nc", "w") as file:
        file["cube"] = stored
        file["cube"].attrs.update(attributes)
    other = Made(tmp_path / "mine.nc", CUBE, LABELS, WIDTHS, None, None)
    with pytest.raises(HsiaugError, match="must be a product that is read") as caught:
        added(other, tmp_path)
    array, _ = follow(caught.value, tmp_path)
    scene = added(Made(array, CUBE, LABELS, WIDTHS, None, None), tmp_path).scene
    np.testing.assert_allclose(scene.cube[~EMPTY], CUBE[~EMPTY], atol=6e-5)
    assert not scene.cube[EMPTY].any()


def test_labels_in_hdf5_are_refused_with_a_remedy_that_works(tmp_path: Path) -> None:
    made = tanager_ortho(tmp_path)
    with h5py.File(tmp_path / "labels.nc", "w") as file:
        file["plots"] = LABELS
    with pytest.raises(HsiaugError, match="labels are not read from") as caught:
        added(made, tmp_path, tmp_path / "labels.nc")
    array, _ = follow(caught.value, tmp_path)
    assert np.count_nonzero(added(made, tmp_path, array).scene.labels)


def test_netcdf_before_version_4_is_refused_with_a_remedy_that_works(tmp_path: Path) -> None:
    with netcdf_file(tmp_path / "old.nc", "w") as file:
        for name, length in zip("yxb", CUBE.shape, strict=True):
            file.createDimension(name, length)
        variable = file.createVariable("cube", "f4", tuple("yxb"))
        variable[:] = CUBE
    with pytest.raises(HsiaugError, match="must be netCDF-4") as caught:
        added(Made(tmp_path / "old.nc", CUBE, LABELS, WIDTHS, None, None), tmp_path)
    array, _ = follow(caught.value, tmp_path)
    np.testing.assert_array_equal(np.load(array), CUBE)


def test_start_leaves_the_quality_layers_of_a_product_out(tmp_path: Path) -> None:
    made = enmap(tmp_path)
    layer = made.path.name.replace("SPECTRAL_IMAGE", "QL_QUALITY_CLASSES")
    Image.fromarray(LABELS).save(tmp_path / layer)
    np.save(tmp_path / "plots.npy", LABELS)
    result = hsiaug("start", ".", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "plots.npy" in result.stdout


def test_the_header_beside_a_geotiff_names_the_geotiff(tmp_path: Path) -> None:
    made = desis(tmp_path)
    header = made.path.with_suffix(".hdr")
    header.write_text("ENVI\nsamples = 32\nlines = 40\nbands = 12\n")
    with pytest.raises(HsiaugError, match=r"Name the GeoTIFF of that name: DESIS.*\.tif"):
        read_cube_file(header)


def test_the_metadata_of_an_image_are_named_as_such(tmp_path: Path) -> None:
    enmap(tmp_path)
    np.save(tmp_path / "labels.npy", LABELS)
    (metadata,) = tmp_path.glob("*.XML")
    with pytest.raises(HsiaugError, match=r"Name the GeoTIFF beside it, …-SPECTRAL_IMAGE\.TIF"):
        added(Made(metadata, CUBE, LABELS, WIDTHS, None, None), tmp_path)


# How each other product is read and where it lies, the first tests say; these are a raster with a
# coordinate system, and lines of a sensor whose pixels lie as a table says.
@pytest.mark.parametrize("maker", [desis, emit])
def test_start_benchmark_and_map_take_a_product_as_any_other_file(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = maker(tmp_path)
    monkeypatch.chdir(tmp_path)
    np.save("plots.npy", made.labels)
    result = hsiaug("start", ".", "--yes")
    assert result.returncode == 0, result.stderr
    (card,) = Path().glob("*.toml")
    quick = ["--classifier", "sklearn:neighbors.KNeighborsClassifier"]
    options = ["--generator", "duplicate", *quick, "--seeds", "1", "--view", "raw"]
    result = hsiaug("benchmark", str(card), *options, "--protocol", "random:0.3")
    assert result.returncode == 0, result.stderr
    result = hsiaug("map", str(card), "--out", "map.tif", *quick)
    assert result.returncode == 0, result.stderr
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of products that lie nowhere
        with rasterio.open("map.tif") as file:
            ids, place, crs = file.read(1), file.transform, file.crs
    np.testing.assert_array_equal(ids == 0, ~made.cube.any(axis=2))
    truth = made.labels[(made.labels > 0) & (ids > 0)]
    assert (ids[(made.labels > 0) & (ids > 0)] == truth).mean() > 0.8
    if made.epsg is not None:
        ground = scene_georeference(str(card))
        assert crs.to_epsg() == made.epsg
        assert tuple(place)[:6] == pytest.approx(ground.transform)


def test_headers_of_aviris_ng_are_followed_to_the_letter(tmp_path: Path) -> None:
    made = aviris_ng(tmp_path)
    added(made, tmp_path)
    ground = scene_georeference(str(tmp_path / "mine.toml"))
    with rasterio.open(made.path, driver="ENVI") as file:
        assert ground.transform == pytest.approx(tuple(file.transform)[:6])
    angle = np.deg2rad(78.0)
    across = (8.1 * np.cos(angle), 8.1 * np.sin(angle))
    first, beside = ground.centre(0, 0), ground.centre(0, 1)
    assert np.abs(np.subtract(beside, first)) == pytest.approx(across)
    header = made.path.with_name(f"{made.path.name}.hdr")
    text = header.read_text()
    in_micrometres = ", ".join(f"{value:.6f}" for value in made.nm / 1000)
    listed = ", ".join(f"{value:.6f}" for value in made.nm)
    header.write_text(text.replace(listed, in_micrometres).replace("Nanometers", "Micrometers"))
    np.testing.assert_allclose(read_cube_file(header).wavelengths, made.nm, atol=1e-3)
    bad = ", ".join(["1"] * 10 + ["0", "0"])
    header.write_text(
        f"{text}bbl = {{ {bad} }}\ncorrection factors = {{ 1.0 }}\nsmoothing = {{ }}\n"
    )
    found = added(made, tmp_path)
    assert found.scene.bands == 10
    np.testing.assert_allclose(found.scene.wavelengths, made.nm[:10], atol=1e-3)


def test_a_rotated_scene_is_labelled_by_points_where_they_lie(tmp_path: Path) -> None:
    made = aviris_ng(tmp_path)
    added(made, tmp_path)
    ground = scene_georeference(str(tmp_path / "mine.toml"))
    places = [(4, 4), (4, 9), (30, 20), (12, 12)]
    rows = [
        f"{x},{y},{name}"
        for (x, y), name in zip((ground.centre(*at) for at in places), "abab", strict=True)
    ]
    points = tmp_path / "points.csv"
    points.write_text("x,y,class\n" + "\n".join(rows))
    scene = added(made, tmp_path, points).scene
    assert [scene.labels[at] for at in places] == [1, 2, 1, 2]


@pytest.mark.parametrize("maker", [enmap, desis])
def test_the_only_metadata_in_a_folder_are_those_of_a_renamed_image(
    maker: Maker, tmp_path: Path
) -> None:
    made = maker(tmp_path)
    renamed = made.path.rename(tmp_path / "scene.tif")
    found = added(replace(made, path=renamed), tmp_path)
    np.testing.assert_allclose(found.scene.cube, made.cube, atol=1e-6)
    np.testing.assert_allclose(found.scene.wavelengths, made.nm)
    assert any("METADATA" in text for text in found.warnings)


def test_a_folder_of_images_is_looked_through_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    listed = Path.iterdir

    def look(folder: Path) -> object:
        looks.append(folder)
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", look)
    os.utime(tmp_path, (1, 1))
    images = [tmp_path / f"{number}.tif" for number in range(50)]
    assert [metadata_beside(image) for image in images] == [None] * 50
    assert looks == [tmp_path]
    made = enmap(tmp_path)
    assert metadata_beside(made.path) is not None


def test_metadata_beside_an_image_of_fewer_bands_are_named_and_not_used(tmp_path: Path) -> None:
    made = enmap(tmp_path)
    with rasterio.open(made.path) as file:
        profile, bands = file.profile, file.read()
    with rasterio.open(tmp_path / "cut.tif", "w", **{**profile, "count": 4}) as file:
        file.write(bands[:4])
    found = added(replace(made, path=tmp_path / "cut.tif"), tmp_path)
    assert any("is not used: 12 bands, the image has 4" in text for text in found.warnings)
