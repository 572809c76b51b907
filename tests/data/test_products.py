"""Products of imaging spectrometers are read with their bands, scale, missing data and place."""

import shlex
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio

from hsiaug.base.errors import HsiaugError
from hsiaug.data import load_scene
from hsiaug.data.adding import Added, ImportOptions, add_scene
from hsiaug.data.auxiliary import quality_layers
from hsiaug.data.georeference import scene_georeference
from hsiaug.data.readers import read_cube_file
from tests.data.made_products import (
    BANDS,
    CUBE,
    LABELS,
    MAKERS,
    WIDTHS,
    Made,
    desis,
    emit,
    enmap,
    prisma,
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


def test_the_summary_says_what_was_done_and_what_is_not_used(tmp_path: Path) -> None:
    said = {maker: "\n".join(added(maker(tmp_path), tmp_path).warnings) for maker in MAKERS}
    assert "placed on a grid of 40×32 by the look-up table of the file: 3% of" in said[emit]
    assert "both detectors see 720 to 770 nm" in said[prisma]
    assert "matrices of erroneous pixels in the file are not used" in said[prisma]
    assert "-METADATA.XML" in said[enmap]
    layer = next(tmp_path.glob("ENMAP*.TIF")).name.replace("SPECTRAL_IMAGE", "QL_QUALITY")
    (tmp_path / layer).touch()
    assert layer in quality_layers(tmp_path)
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


@pytest.mark.parametrize("maker", [prisma, emit])
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


def _replaced(made: Made, attributes: dict[str, object]) -> None:
    """EMIT's cube with other attributes."""
    with h5py.File(made.path, "a") as file:
        stored = file["reflectance"][()]
        del file["reflectance"]
        file["reflectance"] = np.where(stored == -9999, -9999, np.rint((stored - 0.2) / 1e-4))
        file["reflectance"].attrs.update({"_FillValue": -9999, **attributes})


PACKED = {
    "numbers": {"scale_factor": 1e-4, "add_offset": 0.2},
    "a number for each band": {"scale_factor": np.full(BANDS, 1e-4), "add_offset": 0.2},
    "text": {"scale_factor": "0.0001", "add_offset": np.bytes_("0.2")},
}


@pytest.mark.parametrize("kind", PACKED)
def test_scale_factors_and_missing_values_of_attributes_are_applied(
    tmp_path: Path, kind: str
) -> None:
    made = emit(tmp_path)
    truth = added(made, tmp_path).scene.cube
    _replaced(made, PACKED[kind])
    np.testing.assert_allclose(added(made, tmp_path).scene.cube, truth, atol=6e-5)


@pytest.mark.parametrize("scale", ["1e-4 per count", np.full(3, 1e-4)])
def test_a_scale_that_cannot_be_applied_is_named(tmp_path: Path, scale: object) -> None:
    made = emit(tmp_path)
    _replaced(made, {"scale_factor": scale})
    with pytest.raises(HsiaugError, match="reflectance@scale_factor"):
        added(made, tmp_path)


def test_another_file_of_hdf5_is_refused_with_its_cubes_and_scales(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "mine.nc", "w") as file:
        file["cube"] = CUBE
        file["cube"].attrs["scale_factor"] = np.linspace(1e-4, 2e-4, BANDS)
    np.save(tmp_path / "labels.npy", LABELS)
    with pytest.raises(HsiaugError, match="cube 40×32×12 with a scale_factor for each band"):
        added(Made(tmp_path / "mine.nc", CUBE, LABELS, WIDTHS, None, None), tmp_path)


def test_a_table_that_points_beyond_the_cube_is_refused(tmp_path: Path) -> None:
    made = emit(tmp_path)
    with h5py.File(made.path, "a") as file:
        file["location/glt_x"][0, 0] = 33
    with pytest.raises(HsiaugError, match="points beyond the cube"):
        added(made, tmp_path)


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


# How each other product is read and where it lies, the first tests say.
@pytest.mark.parametrize("maker", [emit])
def test_start_benchmark_and_map_take_a_product_as_any_other_file(
    maker: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = maker(tmp_path)
    monkeypatch.chdir(tmp_path)
    np.save("plots.npy", made.labels)
    result = hsiaug("start", ".")
    assert result.returncode == 0, result.stderr
    result = hsiaug(*shlex.split(result.stdout.split("next:\n")[1].splitlines()[0])[1:])
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
