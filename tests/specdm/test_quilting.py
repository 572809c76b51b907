"""Images made of real pixels for masks that were drawn."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from hsiaug.api import DenseView
from hsiaug_builtin.specdm.quilting import Quilt

Make = Callable[..., DenseView]


def quilt(view: DenseView) -> Quilt:
    return Quilt(view.real.images, view.real.masks)


def drawn(n: int, side: int = 32) -> NDArray[np.int64]:
    """Masks of no training tile: quarters of the classes 1 to 4, in another order each."""
    rng = np.random.default_rng(3)
    return np.stack(
        [
            np.kron(rng.permutation(4).reshape(2, 2) + 1, np.ones((side // 2,) * 2, int))
            for _ in range(n)
        ]
    )


def test_every_segment_shows_spectra_of_its_class(view: DenseView) -> None:
    masks = drawn(6)
    images = quilt(view).paint(masks, None, np.random.default_rng(0))
    real = view.real.images[:, 0].transpose(0, 2, 3, 1)
    means = np.stack([real[view.real.masks == c].mean(axis=0) for c in range(1, 5)])
    far = ((images[:, 0].transpose(0, 2, 3, 1)[..., None, :] - means) ** 2).sum(axis=-1)

    assert images.shape == (6, 1, 10, 32, 32) and images.dtype == np.float32
    # Only seams are mixed.
    assert (far.argmin(axis=-1) + 1 == masks).mean() > 0.9


def test_pixels_inside_a_piece_are_real_ones(view: DenseView) -> None:
    image = quilt(view).paint(drawn(1), None, np.random.default_rng(0))[0, 0]
    known = {
        pixel.tobytes() for pixel in view.real.images[:, 0].transpose(0, 2, 3, 1).reshape(-1, 10)
    }
    inner = image.transpose(1, 2, 0)[4:12, 4:12].reshape(-1, 10)

    assert np.mean([pixel.tobytes() in known for pixel in inner]) > 0.5


def test_a_mask_of_the_training_tile_that_it_starts_from_gives_that_tile(view: DenseView) -> None:
    made = quilt(view).paint(
        view.real.masks[:4], (view.real.images[:4], view.real.masks[:4]), np.random.default_rng(0)
    )

    np.testing.assert_array_equal(made, view.real.images[:4])


def test_what_differs_from_that_tile_is_taken_from_elsewhere(view: DenseView) -> None:
    mask = view.real.masks[0].copy()
    mask[8:20, 8:20] = 1 + mask[8:20, 8:20] % 4
    made = quilt(view).paint(
        mask[None], (view.real.images[:1], view.real.masks[:1]), np.random.default_rng(0)
    )[0]
    same = (made == view.real.images[0]).all(axis=(0, 1))

    assert same[:6].all() and same[:, 22:].all() and not same[10:18, 10:18].any()


def test_pieces_of_another_place_are_brought_to_the_light_of_each_date(make: Make) -> None:
    view = make(6, 16, dates=2)
    images = view.real.images.copy()
    images[3:, 1] *= 1.8
    masks = np.where(np.indices((16, 16)).sum(axis=0) < 12, 2, 1)[None]
    level = np.median(images[:, 1], axis=(1, 2, 3))
    made = Quilt(images, view.real.masks).paint(
        masks, (images[:1], view.real.masks[:1]), np.random.default_rng(0)
    )

    assert np.median(made[0, 1]) == pytest.approx(level[0], rel=0.3)
