"""Spectral views: what of a spectrum a classifier is shown."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hsiaug.base.errors import InputError
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import AUTO, VIEWS, best_view, check_view

BANDS = 7
NM = np.array([400.0, 450, 520, 500, 640, 900, 2400])
"""Not in order: detectors overlap."""
spectra = arrays(np.float32, (4, BANDS), elements=st.floats(-0.25, 2, width=32))


def slow_hull(y: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The highest of all lines between two points, at every place: the definition."""
    lines = [
        np.where(
            (places >= places[i]) & (places <= places[j]),
            y[i] + (y[j] - y[i]) * (places - places[i]) / (places[j] - places[i]),
            -np.inf,
        )
        for i in range(len(y))
        for j in range(i + 1, len(y))
    ]
    return np.maximum(y, np.max(lines, axis=0))


@settings(max_examples=40)
@given(spectra)
def test_the_continuum_is_the_upper_convex_hull_over_wavelength(x: np.ndarray) -> None:
    order = np.argsort(NM)
    shown = SpectralView("continuum", NM)(x, axis=1)[:, order]
    for row, found in zip(x[:, order].astype(np.float64), shown, strict=True):
        hull = slow_hull(row, NM[order])
        wanted = np.clip(np.divide(row, hull, out=np.ones(BANDS), where=hull > 1e-9), 0, 1)
        np.testing.assert_allclose(found[hull > 1e-9], wanted[hull > 1e-9], atol=1e-5)
        assert ((found >= 0) & (found <= 1)).all()


@settings(max_examples=40)
@given(spectra, st.floats(0.01, 100))
def test_brightness_is_no_part_of_unit_spectra_and_of_continua(x: np.ndarray, light: float) -> None:
    for name in ("unit", "continuum"):
        view = SpectralView(name)
        np.testing.assert_allclose(
            view(np.abs(x) + 1, axis=1),
            view(np.float32(light) * (np.abs(x) + 1), axis=1),
            atol=1e-5,
        )


def test_a_derivative_is_by_wavelength_and_knows_no_offset() -> None:
    line = (0.001 * NM)[None].astype(np.float32)
    np.testing.assert_allclose(SpectralView("derivative", NM)(line + 3, axis=1), 0.001, rtol=1e-3)
    steps = np.arange(BANDS, dtype=np.float32)[None] * 2
    assert (SpectralView("derivative")(steps, axis=1) == 2).all()


def test_pixels_without_data_stay_finite() -> None:
    for name in VIEWS:
        assert np.isfinite(SpectralView(name, NM)(np.zeros((2, BANDS), np.float32), axis=1)).all()


@pytest.mark.parametrize("name", VIEWS)
def test_a_spectrum_gives_the_same_bits_in_a_cube_a_patch_and_a_tile(
    name: str, rng: np.random.Generator
) -> None:
    view = SpectralView(name, NM)
    cube = rng.random((6, 5, BANDS)).astype(np.float32)
    there = view(cube, axis=2)
    assert there.shape == (6, 5, view.bands(BANDS))
    patches = np.ascontiguousarray(np.moveaxis(cube, 2, 0))[None]
    assert np.array_equal(view(patches, axis=1)[0], np.moveaxis(there, 2, 0))
    assert np.array_equal(view(patches[None], axis=2)[0, 0], np.moveaxis(there, 2, 0))
    assert np.array_equal(view(cube[2:3, 1], axis=1), there[2:3, 1])


def test_wavelengths_follow_the_bands() -> None:
    assert SpectralView("unit", NM).shown_wavelengths is NM
    between = SpectralView("derivative", NM).shown_wavelengths
    assert between is not None and between[0] == 425 and len(between) == BANDS - 1
    assert SpectralView("raw+unit", NM).shown_wavelengths is None


@pytest.mark.parametrize(
    ("scores", "chosen"),
    [
        ((0.5, 0.5 + 1e-12, 0.5, 0.4, 0.5), "raw"),
        ((0.5, 0.51, 0.4, 0.4, 0.4), "unit"),
        ((0.5, 0.45, 0.52, 0.4, 0.4), "unit"),  # within the margin of the best
        ((0.5, 0.4, 0.61, 0.4, 0.4), "derivative"),
        ((0.5, 0.4, 0.4, 0.4, 0.4), "raw"),
        ((0.5,), "raw"),  # too few bands for any other
    ],
)
def test_raw_is_kept_where_none_is_better_and_unit_beaten_only_by_a_margin(scores, chosen):
    assert best_view(dict(zip(VIEWS, scores, strict=False))) == chosen


@pytest.mark.parametrize(
    ("name", "known", "bands", "said"),
    [("unt", VIEWS, 9, "unit"), (AUTO, VIEWS, 9, "masks"), ("continuum", VIEWS, 2, "3 bands")],
)
def test_a_view_that_cannot_be_is_one_clear_error(name, known, bands, said):
    with pytest.raises(InputError, match=said):
        check_view(name, known, bands)
