"""``hsiaug_builtin.spectra.reading``: spectra from ENVI libraries and from folders of USGS and ECOSTRESS text files."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from hsiaug.api import InputError
from hsiaug_builtin.spectra.reading import Spectrum, read_library

UM = (0.4, 0.5, 0.6, 0.7)
VALUES = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]])
DELETED = -1.23e34


def envi(
    folder: Path,
    values: np.ndarray = VALUES,
    *,
    header: str = "lib.sli.hdr",
    dtype: str = "<f4",
    waves: Sequence[float] | None = UM,
    drop: str = "",
    offset: int = 0,
    **fields: str,
) -> Path:
    """Path of a small ENVI library, written by hand so that its header may have anything in it or lack it."""
    kinds = {"<f4": "4", "<i2": "2"}
    lines = {
        "samples": str(values.shape[1]),
        "lines": str(values.shape[0]),
        "bands": "1",
        "header offset": str(offset),
        "file type": "ENVI Spectral Library",
        "data type": kinds[dtype],
        "interleave": "bsq",
        "byte order": "0",
        "spectra names": "{ dry_grass , red  soil }",
    }
    if waves:
        lines |= {"wavelength units": "Micrometers", "wavelength": f"{{ {' , '.join(map(str, waves))} }}"}
    lines |= {key.replace("_", " "): value for key, value in fields.items()}
    lines.pop(drop, None)
    text = "".join(f"{key} = {value}\n" for key, value in lines.items())
    (folder / header).write_text(f"ENVI\n{text}")
    (folder / "lib.sli").write_bytes(b"\xff" * offset + values.astype(dtype).tobytes())
    return folder / "lib.sli"


def usgs(path: Path, values: Sequence[float], title: str = "Acmite NMNH133746 Pyroxene  BECKb AREF") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([f" splib07a Record=4: {title}", *(f"  {value:.7e}" for value in values), ""]))
    return path


def wavelengths(folder: Path, values: Sequence[float] = UM, name: str = "BECK_Beckman_0.2-3.0") -> Path:
    path = folder / f"splib07a_Wavelengths_{name}_microns.txt"
    return usgs(path, values, f"Wavelengths {name} microns")


ECOSTRESS = """Name: Construction_Asphalt
Type: manmade
Class: Road
Description: New paving asphalt,
on a road: Name: not this one.
Measurement: Bidirectional reflectance
X Units: {x_units}
Y Units: {y_units}
Number of X Values: 3

{rows}
"""


def ecostress(
    folder: Path,
    rows: str = "14.5\t4.0\n0.9\t20.5\n0.5\t10.25",
    x_units: str = "Wavelength (micrometers)",
    y_units: str = "Reflectance (percent)",
) -> Path:
    path = folder / "manmade.road.all.jhu.becknic.spectrum.txt"
    path.write_text(ECOSTRESS.format(rows=rows, x_units=x_units, y_units=y_units))
    return folder


def only(path: Path) -> Spectrum:
    (spectrum,) = read_library(path)
    return spectrum


def rejected(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_library(path)
    return str(caught.value)


# ENVI spectral libraries


@pytest.mark.parametrize("header", ["lib.hdr", "lib.sli.hdr", "LIB.HDR"])
def test_a_library_is_read_from_either_of_its_two_files(tmp_path: Path, header: str):
    data = envi(tmp_path, header=header)
    for path in (data, tmp_path / header):
        spectra = read_library(path)
        assert [spectrum.name for spectrum in spectra] == ["dry grass", "red soil"]
        assert np.allclose([spectrum.values for spectrum in spectra], VALUES)
        assert all(np.allclose(spectrum.wavelengths, [400, 500, 600, 700]) for spectrum in spectra)
        assert all(array.dtype == np.float64 for s in spectra for array in (s.wavelengths, s.values))


def test_a_library_that_spectral_saved_is_read(tmp_path: Path):
    from spectral.io.envi import SpectralLibrary

    saved = SpectralLibrary(VALUES, {"wavelength": [400, 500, 600, 700], "spectra names": ["a", "b"]})
    saved.save(str(tmp_path / "saved"))
    assert np.allclose(read_library(tmp_path / "saved.sli")[1].values, VALUES[1])
    assert np.allclose(read_library(tmp_path / "saved.sli")[1].wavelengths, [400, 500, 600, 700])


@pytest.mark.parametrize(
    ("waves", "unit"),
    [
        ((0.4, 0.5, 0.6, 0.7), "Micrometers"),
        ((400, 500, 600, 700), "nm"),
        ((0.4, 0.5, 0.6, 0.7), "Unknown"),
        ((400, 500, 600, 700), ""),
    ],
)
def test_wavelengths_come_in_nanometres_and_a_missing_unit_is_guessed(
    tmp_path: Path, waves: tuple[float, ...], unit: str
):
    assert np.allclose(
        read_library(envi(tmp_path, waves=waves, wavelength_units=unit))[0].wavelengths, [400, 500, 600, 700]
    )


def test_bands_come_in_ascending_order_and_once_where_spectrometers_overlap(tmp_path: Path):
    spectrum = read_library(envi(tmp_path, waves=(0.7, 0.5, 0.5, 0.4)))[0]
    assert np.allclose(spectrum.wavelengths, [400, 500, 700]) and np.allclose(spectrum.values, [0.4, 0.2, 0.1])


@pytest.mark.parametrize(("factor", "dtype"), [(1, "<f4"), (100, "<f4"), (10_000, "<i2")])
def test_per_cent_and_tens_of_thousands_are_told_by_their_size(tmp_path: Path, factor: int, dtype: str):
    assert np.allclose(read_library(envi(tmp_path, VALUES * factor, dtype=dtype))[1].values, VALUES[1])


def test_a_scale_in_the_header_goes_before_the_guess(tmp_path: Path):
    library = envi(tmp_path, VALUES * 1000, dtype="<i2", reflectance_scale_factor="1000")
    assert np.allclose(read_library(library)[1].values, VALUES[1])


def test_noise_beyond_0_and_1_is_cut_off(tmp_path: Path):
    assert np.allclose(read_library(envi(tmp_path, VALUES * 2 - 0.5))[1].values, [0.5, 0.7, 0.9, 1])


def test_bands_that_the_library_marks_as_missing_are_left_out(tmp_path: Path):
    values = VALUES.copy()
    values[0, 0], values[0, 1], values[1, 2] = DELETED, np.nan, -9
    library = envi(tmp_path, values, data_ignore_value="-9")
    for file in tmp_path.iterdir():  # a signalling NaN, of which numpy warns
        file.write_bytes(file.read_bytes().replace(b"\x00\x00\xc0\x7f", b"\x01\x00\x80\x7f"))
    first, second = read_library(library)
    assert np.allclose(first.wavelengths, [600, 700]) and np.allclose(first.values, [0.3, 0.4])
    assert np.allclose(second.wavelengths, [400, 500, 700]) and np.allclose(second.values, [0.5, 0.6, 0.8])


def test_the_list_of_bad_bands_is_heeded(tmp_path: Path):
    assert np.allclose(read_library(envi(tmp_path, bbl="{ 1, 0, 1, 1 }"))[0].wavelengths, [400, 600, 700])


def test_a_spectrum_with_less_than_two_bands_is_passed_over(tmp_path: Path):
    values = VALUES.copy()
    values[0, 1:] = np.nan
    assert only(envi(tmp_path, values)).name == "red soil"
    assert "a spectrum with two bands or more; found none" in rejected(envi(tmp_path, VALUES * np.nan))


def test_the_offset_of_the_first_number_is_heeded(tmp_path: Path):
    assert np.allclose(read_library(envi(tmp_path, offset=6))[1].values, VALUES[1])


def test_a_library_without_wavelengths_is_an_error_that_shows_the_lines_to_add(tmp_path: Path):
    said = rejected(envi(tmp_path, waves=None))
    assert "lib.sli.hdr must give the wavelength of each band" in said and "wavelength units = Nanometers" in said


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"wavelength_units": "Wavenumber"}, "wavelengths in 'wavenumber'"),
        ({"wavelength": "{ 0.4, 0.5 }"}, "Number of band centers does not match"),
        ({"wavelength": "{ 0.4, 0.5, 0.6, red }"}, "could not convert string to float: 'red'"),
        ({"spectra_names": "{ a, b, with a comma }"}, "Number of spectrum names does not match"),
        ({"lines": "3"}, "8 numbers, where the header announces 3 x 4"),
        ({"lines": "two"}, "invalid literal for int() with base 10: 'two'"),
        ({"drop": "data type"}, 'Mandatory parameter "data type" missing'),
        ({"file_type": "ENVI Standard"}, "file type 'ENVI Standard'"),
        ({"reflectance_scale_factor": "0"}, "scale 0, not reflectance"),
        ({"bbl": "{ 1, 0 }"}, "boolean"),
        ({"sensor_type": "{ never closed"}, "Failed to parse ENVI header"),
    ],
)
def test_a_damaged_library_is_an_error_with_its_cause(tmp_path: Path, fields: dict[str, str], found: str):
    said = rejected(envi(tmp_path, **fields))
    assert "lib.sli must be a whole ENVI spectral library with lib.sli.hdr" in said and found in said
    assert said.endswith("copy or export it again.")


def test_numbers_far_beyond_reflectance_are_an_error(tmp_path: Path):
    assert "not reflectance" in rejected(envi(tmp_path, VALUES * 1e6))


def test_either_of_the_two_files_alone_is_an_error(tmp_path: Path):
    library = envi(tmp_path)
    (tmp_path / "lib.sli.hdr").rename(tmp_path / "other.hdr")
    assert "must have its header beside it; found neither lib.sli.hdr nor lib.hdr" in rejected(library)
    assert "must have its data file beside it; found neither other nor other.sli" in rejected(
        tmp_path / "other.hdr"
    )


# USGS splib07


def test_usgs_values_meet_the_wavelengths_of_a_folder_above_and_deleted_channels_are_left_out(tmp_path: Path):
    wavelengths(tmp_path)
    usgs(tmp_path / "ChapterM_Minerals" / "splib07a_Acmite_BECKb_AREF.txt", [0.1, DELETED, 0.3, 0.4])
    for path in (tmp_path, tmp_path / "ChapterM_Minerals"):
        spectrum = only(path)
        assert spectrum.name == "Acmite NMNH133746 Pyroxene BECKb AREF"
        assert np.allclose(spectrum.wavelengths, [400, 600, 700]) and np.allclose(spectrum.values, [0.1, 0.3, 0.4])


def test_the_number_of_values_chooses_among_files_of_wavelengths_and_then_the_spectrometer(tmp_path: Path):
    wavelengths(tmp_path)
    wavelengths(tmp_path, (1, 2, 3), "ASD_0.35-2.5")
    wavelengths(tmp_path, (1.1, 1.2, 1.3), "AVIRIS_1996")
    usgs(tmp_path / "a.txt", VALUES[0])
    usgs(tmp_path / "b.txt", [0.1, 0.2, 0.3], "Grass_Golden_Dry GDS480  ASDFRa AREF")
    usgs(tmp_path / "c.txt", [0.1, 0.2, 0.3], "Red_Willow YNP-RW-1  AVIRISb RTGC")
    assert [round(spectrum.wavelengths[0]) for spectrum in read_library(tmp_path)] == [400, 1000, 1100]


def test_the_nearest_file_of_wavelengths_counts(tmp_path: Path):
    wavelengths(tmp_path, (1, 2, 3, 4))
    wavelengths(tmp_path / "inner")
    usgs(tmp_path / "inner" / "chapter" / "a.txt", VALUES[0])
    assert np.allclose(only(tmp_path).wavelengths, [400, 500, 600, 700])


def test_what_is_no_reflectance_is_passed_over(tmp_path: Path):
    wavelengths(tmp_path)
    usgs(tmp_path / "splib07a_Bandpass_BECK_Beckman.txt", VALUES[0], "Bandpass (FWHM) BECK Beckman in microns")
    usgs(tmp_path / "errorbars" / "a.txt", VALUES[0])
    usgs(tmp_path / "errorbars_for_b.txt", VALUES[0])
    usgs(tmp_path / "c.txt", VALUES[0], "Water BECKa TRAN")
    usgs(tmp_path / "._d.txt", VALUES[0])
    (tmp_path / "readme.txt").write_text("About this library")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "folder.txt").mkdir()
    usgs(tmp_path / "e.txt", VALUES[0], "Talc BECKa AREF")
    assert only(tmp_path).name == "Talc BECKa AREF"


def test_a_spectrum_without_its_wavelengths_is_an_error_that_names_the_file_to_copy(tmp_path: Path):
    path = usgs(tmp_path / "a.txt", [0.1, 0.2, 0.3])
    wavelengths(tmp_path)
    said = rejected(tmp_path)
    assert f"{path} must have one file of as many wavelengths" in said
    assert "fits its 3 values by BECKb" in said and "splib07a_Wavelengths_ASD" in said


def test_a_line_that_is_no_number_is_an_error_and_moves_no_band(tmp_path: Path):
    wavelengths(tmp_path)
    path = usgs(tmp_path / "a.txt", VALUES[0])
    path.write_text(path.read_text().replace("3.0000000e-01", "3.0000#"))
    said = rejected(tmp_path)
    assert f"{path} must be a whole USGS file with one number a line" in said and "'  3.0000#'" in said


# ECOSTRESS


def test_an_ecostress_file_is_read_whichever_way_its_wavelengths_run(tmp_path: Path):
    spectrum = only(ecostress(tmp_path))
    assert spectrum.name == "Construction Asphalt"
    assert np.allclose(spectrum.wavelengths, [500, 900, 14500])
    assert np.allclose(spectrum.values, [0.1025, 0.205, 0.04])


def test_folders_are_searched_in_sorted_order(tmp_path: Path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        wavelengths(tmp_path / name)
        usgs(tmp_path / name / "x.txt", VALUES[0], f"from {name} BECKa AREF")
    ecostress(tmp_path / "a")
    assert [s.name for s in read_library(tmp_path)] == [
        "Construction Asphalt",
        "from a BECKa AREF",
        "from b BECKa AREF",
    ]


def test_reflectance_is_told_from_transmittance_however_it_is_spelt(tmp_path: Path):
    assert only(ecostress(tmp_path, y_units="Reflectence (fraction)", rows="0.5 0.1\n0.6 0.2")).values[1] == 0.2
    assert "found none" in rejected(ecostress(tmp_path, y_units="Transmittance (percent)"))


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"rows": "0.5"}, "0 lines of two numbers"),
        ({"x_units": "Wavenumber (cm-1)"}, "wavelengths in 'cm-1'"),
        ({"y_units": ""}, "y units ''"),
    ],
)
def test_a_damaged_ecostress_file_is_an_error_with_its_cause(tmp_path: Path, fields: dict[str, str], found: str):
    said = rejected(ecostress(tmp_path, **fields))
    assert "becknic.spectrum.txt must be a whole ECOSTRESS spectrum" in said and found in said


# What is no library


def test_what_is_no_library_is_an_error_that_says_what_one_is(tmp_path: Path):
    (tmp_path / "notes.md").touch()
    assert "notes.md must be a spectral library; found another kind of file. Give" in rejected(
        tmp_path / "notes.md"
    )
    assert "found no such file or folder" in rejected(tmp_path / "nowhere.sli")
    assert f"{tmp_path} must hold files of reflectance" in rejected(tmp_path)


# Libraries that would take all of the time or the memory


@pytest.mark.parametrize(
    "title",
    [
        "Record=1: " + "a " * 40_000 + "AREX",
        "Record=1: a" + " " * 40_000 + "BECKb AREX",
        " " * 60_000 + "x",
        "Record=" + "1" * 60_000,
    ],
)
def test_a_title_that_nearly_fits_takes_no_time(tmp_path: Path, title: str):
    (tmp_path / "a.txt").write_text(f" x {title}\n0.5\n")
    begun = time.process_time()

    assert "must hold files of reflectance" in rejected(tmp_path)

    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "row", ["1" * 200_000, "1" * 5_000 + " " + "2" * 5_000 + "x", "1" + "," * 50_000 + "x", " " * 100_000]
)
def test_a_row_that_nearly_fits_takes_no_time(tmp_path: Path, row: str):
    begun = time.process_time()

    assert len(only(ecostress(tmp_path, rows=f"{row}\n0.9\t20.5\n0.5\t10.25")).values) == 2

    assert time.process_time() - begun < 5


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path):
    usgs(tmp_path / "lib" / "a.txt", VALUES[0])
    wavelengths(tmp_path / "lib")
    for name in ("x_wavelengths.txt", "b.txt", "c.spectrum.txt"):
        os.mkfifo(tmp_path / "lib" / name)
    os.mkfifo(tmp_path / "pipe.sli")

    assert len(read_library(tmp_path / "lib")) == 1
    assert "another kind of file" in rejected(tmp_path / "pipe.sli")


@pytest.mark.parametrize("beginning", [b"", b" splib07a Record=4: Acmite BECKb AREF\n"])
def test_a_huge_text_file_is_skipped_or_one_error(tmp_path: Path, beginning: bytes):
    with usgs(tmp_path / "a.txt", VALUES[0]).open("wb") as file:
        file.write(beginning)
        file.truncate(3 << 30)

    said = rejected(tmp_path)

    assert (
        "at most 4,194,304 bytes; found 3,221,225,472" if beginning else "must hold files of reflectance"
    ) in said


@pytest.mark.parametrize(("lines", "size"), [(10**7, 16 * 10**7), (10**8, 16 * 10**8)])
def test_a_huge_envi_library_is_one_error(tmp_path: Path, lines: int, size: int):
    path = envi(tmp_path, drop="spectra names", lines=str(lines))
    os.truncate(path, size)

    assert "at most 50,000 spectra" in rejected(path)
