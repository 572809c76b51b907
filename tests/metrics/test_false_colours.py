"""False colours: which bands, or components, and one stretch of real pixels."""

import numpy as np
import pytest

from hsiaug.metrics.false_colours import FalseColours, some_pixels


@pytest.fixture
def spectra(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(500, 7)) * np.arange(1, 8)


def test_where_wavelengths_are_known_the_bands_are_those_of_red_green_and_blue(
    spectra: np.ndarray,
) -> None:
    waves = np.array([450.0, 490.0, 560.0, 620.0, 660.0, 700.0, 900.0])
    colours = FalseColours.fit(spectra, waves)
    assert np.array_equal(colours.axes.argmax(axis=0), [4, 2, 1]) and colours.axes.sum() == 3
    assert colours.name == "Red, green, blue: 660, 560, 490 nm"


@pytest.mark.parametrize("waves", [None, np.linspace(1000, 2500, 7)])
def test_without_visible_bands_they_are_principal_components(
    spectra: np.ndarray, waves: np.ndarray | None
) -> None:
    colours = FalseColours.fit(spectra, waves)
    assert "principal components" in colours.name
    # Brighter where most bands are.
    assert ((colours.axes * spectra.std(axis=0)[:, None]).sum(axis=0) >= 0).all()


def test_the_stretch_reaches_from_the_2nd_to_the_98th_percentile_of_the_real_pixels(
    spectra: np.ndarray,
) -> None:
    colours = FalseColours.fit(spectra, None)
    drawn = colours(spectra)
    assert drawn.dtype == np.uint8
    assert np.allclose((drawn == 0).mean(axis=0), 0.02, atol=0.01)
    assert np.allclose((drawn == 255).mean(axis=0), 0.02, atol=0.01)
    # Of what is made nothing is stretched by itself.
    assert (colours(spectra * 100) != drawn).any()


@pytest.mark.parametrize("bands", [1, 2])
def test_scenes_of_one_or_two_bands_have_colours_too(bands: int, rng: np.random.Generator) -> None:
    x = rng.normal(size=(50, bands))
    assert FalseColours.fit(x, None)(x).shape == (50, 3)


def test_patches_keep_their_places(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 2, 6, 3, 5))
    colours = FalseColours.fit(some_pixels(x), None)
    drawn = colours.of_patches(x)
    assert drawn.shape == (4, 2, 3, 5, 3)
    assert np.array_equal(drawn[1, 0, 2, 4], colours(x[1, 0, :, 2, 4]))


def test_some_pixels_are_real_pixels_and_few(rng: np.random.Generator) -> None:
    x = rng.normal(size=(100, 3, 9, 9))
    some = some_pixels(x)
    assert some.shape == (2000, 3)
    known = {tuple(pixel) for pixel in np.moveaxis(x, 1, 3).reshape(-1, 3)}
    assert {tuple(pixel) for pixel in some} <= known
