"""Cubes and labels of xarray: matched by coordinates, unpacked by their attributes, refused where
they do not fit.
"""

import re
from pathlib import Path

import numpy as np
import pytest
import rasterio

import hsiaug
from hsiaug.base.errors import InputError
from hsiaug.core.scene import Scene
from hsiaug.data import toy_scene

xr = pytest.importorskip("xarray", reason="xarray is not installed: pip install -e '.[xarray]'")

FARM = toy_scene(seed=3, height=40, width=32, bands=12, classes=3)
Y, X = 5400000 - 5 * (np.arange(40) + 0.5), 500000 + 5 * (np.arange(32) + 0.5)
NM = np.linspace(420, 970, 12)
CUBE = xr.DataArray(
    FARM.cube.transpose(2, 0, 1),
    dims=("band", "y", "x"),
    coords={"y": Y, "x": X, "wavelength": ("band", NM)},
)
LABELS = xr.DataArray(FARM.labels, dims=("y", "x"), coords={"y": Y, "x": X})


def add(folder: Path, cube: object, labels: object, **options: object) -> Scene:
    return hsiaug.add_scene(cube, labels, "mine", folder=folder, overwrite=True, **options).scene


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.expand_dims("band"),
        LABELS.transpose(),
        LABELS.isel(y=slice(None, None, -1)),
        LABELS.isel(x=np.random.default_rng(0).permutation(32)),
        LABELS.where(LABELS > 0),
        LABELS.where(LABELS > 0, 99).assign_attrs(_FillValue=99),
        LABELS.drop_vars(["x", "y"]),
    ],
    ids=[
        "a band of one",
        "transposed",
        "upside down",
        "shuffled",
        "NaN",
        "a fill value",
        "no coordinates",
    ],
)
def test_labels_are_put_on_the_coordinates_of_the_cube(tmp_path: Path, labels: object) -> None:
    scene = add(tmp_path, CUBE, labels)
    assert np.array_equal(scene.labels, FARM.labels) and np.array_equal(scene.cube, FARM.cube)


@pytest.mark.parametrize(
    "labels",
    [LABELS.assign_coords(x=X + 5), LABELS.assign_coords(y=Y / 2), LABELS.isel(x=slice(1, None))],
    ids=["beside", "another pixel size", "a column less"],
)
def test_labels_of_other_coordinates_are_refused(tmp_path: Path, labels: object) -> None:
    with pytest.raises(InputError, match="must have the coordinates of the cube along"):
        add(tmp_path, CUBE, labels)


def test_labels_in_another_coordinate_system_are_refused(tmp_path: Path) -> None:
    cube, labels = (
        array.assign_coords(spatial_ref=xr.DataArray(0, attrs={"crs_wkt": system}))
        for array, system in ((CUBE, "PROJCS[a]"), (LABELS, "PROJCS[b]"))
    )
    with pytest.raises(InputError, match="must lie in the coordinate system of the cube"):
        add(tmp_path, cube, labels)


@pytest.mark.parametrize("offset", [0.0, -0.05])
def test_packed_numbers_are_unpacked(tmp_path: Path, offset: float) -> None:
    packed = ((CUBE - offset) / 2e-4).round().astype("int16")
    packed[:, 0, 0] = -9999
    attributes = {"scale_factor": 2e-4, "add_offset": offset, "_FillValue": -9999}
    scene = add(tmp_path, packed.assign_attrs(attributes), LABELS)
    assert np.allclose(scene.cube[1:], FARM.cube[1:], atol=2e-4)
    assert not scene.cube[0, 0].any() and scene.units == "reflectance"


@pytest.mark.parametrize("scale", ["0.0002", np.bytes_("2e-4"), np.full(12, 2e-4)])
def test_a_scale_may_be_text_or_one_for_each_band(tmp_path: Path, scale: object) -> None:
    packed = (CUBE / 2e-4).round().astype("int16").assign_attrs(scale_factor=scale)
    assert np.allclose(add(tmp_path, packed, LABELS).cube, FARM.cube, atol=2e-4)


@pytest.mark.parametrize("key", ["scale_factor", "add_offset", "_FillValue"])
def test_an_attribute_that_is_no_number_is_refused_by_name(tmp_path: Path, key: str) -> None:
    with pytest.raises(InputError, match=f"`{key}` of a DataArray must be numbers"):
        add(tmp_path, CUBE.assign_attrs({key: "1e-4 per count"}), LABELS)


@pytest.mark.parametrize("unpacked", [False, True])
def test_numbers_outside_the_valid_range_are_missing(tmp_path: Path, unpacked: bool) -> None:
    packed = (CUBE / 2e-4).round().astype("int16")
    packed[:, 0, 0] = 32000
    packed[:, 1, 1] = -5
    packed = packed.assign_attrs(scale_factor=2e-4, valid_range=np.int16([0, 20000]))
    if unpacked:
        packed = xr.decode_cf(packed.to_dataset(name="cube"))["cube"]
        assert "scale_factor" not in packed.attrs
    scene = add(tmp_path, packed, LABELS)
    assert not scene.cube[0, 0].any() and not scene.cube[1, 1].any()
    assert np.allclose(scene.cube[2:], FARM.cube[2:], atol=2e-4)


def test_a_valid_range_that_is_none_is_refused(tmp_path: Path) -> None:
    for stated in ("0 to 1", [0, 1, 2]):
        with pytest.raises(InputError, match="`valid_range` of a DataArray must be"):
            add(tmp_path, CUBE.assign_attrs(valid_range=stated), LABELS)


def test_a_band_without_a_centre_is_dropped_as_asked_or_named(tmp_path: Path) -> None:
    cube = CUBE.assign_coords(wavelength=("band", np.where(np.arange(12) == 3, np.nan, NM)))
    scene = add(tmp_path, cube, LABELS, bad_bands=[3])
    assert scene.wavelengths is not None and np.allclose(scene.wavelengths, np.delete(NM, 3))
    with pytest.raises(InputError, match="bad_bands='3'"):
        add(tmp_path, cube, LABELS)


def test_centres_in_micrometres_are_taken_as_such(tmp_path: Path) -> None:
    for attributes in ({}, {"units": "um"}):
        coordinate = ("band", NM / 1000, attributes)
        scene = add(tmp_path, CUBE.assign_coords(wavelength=coordinate), LABELS)
        assert scene.wavelengths is not None and np.allclose(scene.wavelengths, NM)


@pytest.mark.parametrize(
    "cube", [CUBE.expand_dims("time"), CUBE.drop_vars("wavelength").rename(band="z")]
)
def test_a_cube_of_other_dimensions_is_refused_with_the_line_that_leads_on(cube, tmp_path) -> None:
    with pytest.raises(InputError) as error:
        add(tmp_path, cube, LABELS)
    line = re.search(r"cube\.\w+\(.*\)", str(error.value))
    assert line is not None, error.value
    assert np.array_equal(add(tmp_path, eval(line[0]), LABELS).cube, FARM.cube)


def envi_attributes(**fields: object) -> dict[str, str]:
    """Attributes as rioxarray gives them of an ENVI file, whose lists are text in braces."""
    texts = {
        key: value if isinstance(value, str) else "{" + ", ".join(map(str, value)) + "}"
        for key, value in fields.items()
    }
    return {"scale_factor": 1.0, "add_offset": 0.0, **texts}


def test_fields_of_an_envi_header_among_the_attributes_are_applied_or_named(tmp_path):
    flags = [0, *[1] * 11]
    attributes = envi_attributes(
        reflectance_scale_factor="20000",
        bbl=flags,
        wavelength=NM,
        wavelength_units="Nanometers",
        fwhm=[6.5] * 12,
        data_ignore_value="-7",
    )
    stored = (CUBE.drop_vars("wavelength") * 20000).round().astype("int16")
    stored[:, :2] = -7
    added = hsiaug.add_scene(
        stored.assign_attrs(attributes), LABELS, "mine", folder=tmp_path, overwrite=True
    )
    expected = np.rint(FARM.cube * 20000)[2:, :, 1:] / 20000
    assert np.allclose(added.scene.cube[2:], expected) and not added.scene.cube[:2].any()
    assert np.allclose(added.scene.wavelengths, NM[1:])
    assert any("'fwhm' is not used" in sentence for sentence in added.warnings)
    assert not any("names no scale" in sentence for sentence in added.warnings)


def test_gains_of_each_band_among_the_attributes_are_applied(tmp_path):
    gains = np.linspace(1e-4, 2e-4, 12)
    stored = (CUBE / gains[:, None, None]).round().astype("int16")
    scene = add(tmp_path, stored.assign_attrs(envi_attributes(data_gain_values=gains)), LABELS)
    assert np.allclose(scene.cube, FARM.cube, atol=2e-4)


SYSTEMS = {
    code: rasterio.CRS.from_epsg(code).to_wkt() for code in (32633, 32632, 25833, 4326, 3857)
}


def test_labels_whose_system_is_written_in_another_way_lie_on_the_cube(tmp_path):
    named = SYSTEMS[32633].replace("WGS 84 / UTM zone 33N", "unnamed")
    cube, labels = (
        array.assign_coords(spatial_ref=xr.DataArray(0, attrs={"crs_wkt": system}))
        for array, system in ((CUBE, SYSTEMS[32633]), (LABELS, named))
    )
    assert np.array_equal(add(tmp_path, cube, labels).labels, FARM.labels)


def test_a_fill_value_alone_marks_missing_data(tmp_path: Path) -> None:
    cube = CUBE.copy()
    cube[:, 0, 0] = -9999
    scene = add(tmp_path, cube.assign_attrs(_FillValue=-9999.0), LABELS)
    assert not scene.cube[0, 0].any() and scene.cube.min() >= 0
