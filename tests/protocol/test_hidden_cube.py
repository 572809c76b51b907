"""The cube of a large scene's train view: used as an array, hidden pixels are NaN however they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hsiaug.base.errors import InputError, PluginError
from hsiaug.core.scene import Scene
from hsiaug.core.spectral_views import SpectralView
from hsiaug.protocol import hidden as hidden_module
from hsiaug.protocol import view as view_module
from hsiaug.protocol.hidden import HiddenCube
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.protocol.view import train_view

SHAPE = (7, 6, 5)
CUBE = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
VISIBLE = np.random.default_rng(1).random(SHAPE[:2]) < 0.5
SHOWN = np.where(VISIBLE[:, :, None], CUBE, np.float32(np.nan))


@pytest.fixture
def cube() -> HiddenCube:
    return HiddenCube(CUBE, VISIBLE)


@pytest.fixture
def split(toy: Scene) -> Split:
    return draw_split(toy, parse_protocol("issd"), 0, 5)


def coordinates() -> st.SearchStrategy[Any]:
    shape = hnp.array_shapes(max_dims=2, max_side=4)
    return shape.flatmap(
        lambda extent: st.tuples(
            *(hnp.arrays(np.intp, extent, elements=st.integers(-n, n - 1)) for n in SHAPE[:2])
        )
    )


@given(
    st.one_of(
        hnp.basic_indices(SHAPE, allow_newaxis=True),
        hnp.arrays(bool, SHAPE[:2]),
        hnp.arrays(bool, SHAPE),
        hnp.arrays(np.intp, 3, elements=st.integers(-7, 6)),
        coordinates(),
    ),
    st.sampled_from(["raw", "unit", "continuum"]),
)
def test_whatever_is_read_is_what_an_array_would_give(index: Any, view: str) -> None:
    spectra = SpectralView(view)
    whole = np.where(VISIBLE[:, :, None], spectra(CUBE, axis=2), np.float32(np.nan))
    found, expected = HiddenCube(CUBE, VISIBLE).seen(spectra)[index], whole[index]

    assert np.array_equal(found, expected, equal_nan=True) and np.shape(found) == np.shape(expected)
    assert found.dtype == np.float32
    assert not np.may_share_memory(found, CUBE)


@pytest.mark.parametrize(("view", "bands"), [("derivative", 4), ("raw+unit", 10)])
def test_views_of_other_bands_have_their_shape_and_are_computed_with(
    cube: HiddenCube, view: str, bands: int
) -> None:
    spectra = SpectralView(view)
    whole = np.where(VISIBLE[:, :, None], spectra(CUBE, axis=2), np.float32(np.nan))
    seen = cube.seen(spectra)

    assert seen.shape == (7, 6, bands) and seen.nbytes == whole.nbytes
    assert np.array_equal(seen[VISIBLE], whole[VISIBLE])
    assert np.array_equal(np.asarray(seen), whole, equal_nan=True)
    assert np.array_equal(seen @ np.eye(bands), whole @ np.eye(bands), equal_nan=True)


@pytest.mark.parametrize("rows", [1, 3, 100])
def test_matrix_products_in_stripes_are_those_of_the_array(
    cube: HiddenCube, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden_module, "STRIPE_BYTES", rows * 4 * 6 * 5)
    matrix = np.random.default_rng(2).normal(size=(5, 3))

    assert np.array_equal(cube @ matrix, SHOWN @ matrix, equal_nan=True)
    assert np.array_equal(
        np.matmul(cube, matrix.astype(np.float32)), SHOWN @ matrix.astype(np.float32), equal_nan=True
    )


@pytest.mark.parametrize(
    "use",
    [
        lambda cube: cube - np.float32(1),
        lambda cube: 1 - cube,
        lambda cube: cube - np.arange(5, dtype=np.float32),
        lambda cube: np.where(VISIBLE[:, :, None], cube, 0),
        lambda cube: cube.reshape(-1, 5),
        lambda cube: cube.mean(axis=2),
        lambda cube: np.asarray(cube, dtype=np.float64),
        lambda cube: np.nanmean(cube, axis=(0, 1)),
        len,
        lambda cube: (cube.shape, cube.ndim, cube.dtype, cube.size, cube.nbytes),
    ],
)
def test_what_needs_the_whole_array_gets_it_where_memory_allows(
    cube: HiddenCube, use: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, expected = use(cube), use(SHOWN)

    if isinstance(expected, np.ndarray):
        assert np.array_equal(found, expected, equal_nan=True) and found.dtype == expected.dtype
        monkeypatch.setattr(hidden_module, "free_memory", lambda: 2 * CUBE.nbytes)
        with pytest.raises(PluginError, match="memory") as failure:
            use(cube)
        assert "2.5 kB needed, 1.7 kB free" in str(failure.value) and "scope 'none'" in str(failure.value)
    else:
        assert found == expected


def test_reading_all_pixels_by_an_index_is_refused_too_where_they_do_not_fit(
    cube: HiddenCube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hidden_module, "STRIPE_BYTES", 8)
    monkeypatch.setattr(hidden_module, "free_memory", lambda: 1000)

    assert cube[0, :2].shape == (2, 5)
    with pytest.raises(PluginError, match="memory"):
        cube[np.ones(SHAPE[:2], dtype=bool)]


def test_nothing_can_be_written_and_no_strange_attribute_is_made_up(cube: HiddenCube) -> None:
    with pytest.raises(TypeError):
        cube[0, 0] = 1  # type: ignore[index]
    with pytest.raises(AttributeError, match="no attribute 'labels'"):
        _ = cube.labels
    with pytest.raises(ValueError, match="copy"):
        np.array(cube, copy=False)
    assert np.array_equal(CUBE, np.random.default_rng(0).normal(size=SHAPE).astype(np.float32))


@pytest.mark.parametrize("scope", ["none", "scene"])
def test_a_large_scene_gives_the_view_of_a_small_one(
    toy: Scene, split: Split, scope: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = train_view(toy, split, scope)
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")
    large = train_view(toy, split, scope)

    assert isinstance(small.cube, np.ndarray) and isinstance(large.cube, HiddenCube)
    # Nothing here may make the whole array.
    monkeypatch.setattr(hidden_module, "free_memory", lambda: 0)
    assert np.array_equal(large.cube[:], small.cube, equal_nan=True)
    for name in ("visible", "coords", "y", "unlabelled"):
        assert np.array_equal(getattr(large, name), getattr(small, name))
    assert np.array_equal(large.real.x, small.real.x)
    assert np.array_equal(large.normaliser.mean, small.normaliser.mean)
    assert np.array_equal(large.normaliser.std, small.normaliser.std)
    assert large.bands == small.bands and not large.changed
    hidden = np.argwhere(~small.visible)
    if len(hidden):
        with pytest.raises(PluginError, match="hidden"):
            large.patches(hidden[:1])


def test_of_a_large_scene_only_the_pixels_of_training_patches_are_read(
    toy: Scene, split: Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", "0")
    monkeypatch.setattr(view_module, "BATCH_BYTES", 20_000)
    monkeypatch.setattr(hidden_module, "STRIPE_BYTES", 20_000)
    view = train_view(toy, split, "none")
    monkeypatch.setattr(hidden_module, "free_memory", lambda: 0)

    assert view.visible.sum() * toy.bands < 20_000 < toy.cube.size
    assert len(view.real) == len(view.y) and np.isfinite(view.normaliser.mean).all()


@given(st.integers(1, 12), st.integers(1, 400), st.integers(2, 9), st.data())
def test_moments_in_stripes_are_those_of_all_pixels_at_once(
    height: int, width: int, bands: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    cube = (rng.normal(size=(height, width, bands)) * 100 + 7).astype(np.float32)
    visible = rng.random((height, width)) < data.draw(st.floats(0.05, 1))
    visible[0, 0] = True
    stripe = data.draw(st.integers(1, 8 * cube.size))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view_module, "STRIPE_BYTES", stripe)
        mean, std = view_module._moments(cube, visible)

    seen = cube[visible].astype(np.float64)
    assert np.array_equal(mean, seen.mean(axis=0)) and np.array_equal(std, seen.std(axis=0))


@pytest.mark.parametrize("patch", [1, 3, 9])
def test_patches_are_cut_of_the_mirrored_scene(patch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_module, "BATCH_BYTES", 3 * 4 * 5 * patch**2)
    r = patch // 2
    coords = np.argwhere(np.ones(SHAPE[:2], dtype=bool)).astype(np.int32)
    mirrored = np.pad(CUBE, ((r, r), (r, r), (0, 0)), mode="reflect")
    expected = [mirrored[row : row + patch, column : column + patch].transpose(2, 0, 1) for row, column in coords]

    assert np.array_equal(view_module.patches_at(CUBE, coords, patch), expected)


@pytest.mark.parametrize("said", ["much", "-1", "1.5", "9" * 30])
def test_what_counts_as_large_must_be_a_number(toy: Scene, split: Split, said: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("HSIAUG_CUBE_MEMORY", said)
    with pytest.raises(InputError, match="whole number of MiB"):
        train_view(toy, split, "none")
