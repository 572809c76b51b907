"""What an encoder and decoder lose, of samples whose losses are known."""

import numpy as np
import pytest

from hsiaug.base.errors import PluginError
from hsiaug.contracts import Reconstruction
from hsiaug.quality.synthesis import reconstruction_losses, reconstruction_measures

IMAGES = np.ones((2, 1, 3, 4, 4), dtype=np.float32)
MASKS = np.ones((2, 4, 4), dtype=np.int64)


def test_what_comes_back_as_it_was_has_lost_nothing() -> None:
    losses = reconstruction_losses(IMAGES, IMAGES, np.ones((2, 4, 4), np.float32), MASKS)
    assert losses == pytest.approx(
        {"codec_rmse": 0.0, "codec_angle": 0.0, "codec_cross_entropy": 0.0}
    )


def test_brightness_changes_no_angle_and_a_lost_band_does() -> None:
    brighter = reconstruction_losses(IMAGES, 3 * IMAGES, None, None)
    assert brighter["codec_rmse"] == pytest.approx(2) and brighter["codec_angle"] == pytest.approx(
        0
    )
    lost = IMAGES.copy()
    lost[:, :, 1:] = 0
    angle = np.degrees(np.arccos(1 / np.sqrt(3)))
    assert reconstruction_losses(IMAGES, lost, None, None)["codec_angle"] == pytest.approx(angle)


def test_cross_entropy_is_over_labelled_pixels_whose_class_is_known() -> None:
    probability = np.full((2, 4, 4), 0.5, dtype=np.float32)
    masks = MASKS.copy()
    masks[0], probability[0] = 0, 1e-9
    probability[1, 0, 0] = np.nan
    losses = reconstruction_losses(IMAGES, IMAGES, probability, masks)
    assert losses["codec_cross_entropy"] == pytest.approx(np.log(2))
    unlabelled = reconstruction_losses(IMAGES, IMAGES, probability, 0 * MASKS)
    assert unlabelled["codec_cross_entropy"] is None


def test_measures_that_are_not_defined_have_no_row() -> None:
    losses = reconstruction_losses(IMAGES, IMAGES, None, None)
    rows = reconstruction_measures(losses, losses, 2)
    assert [(row.name, row.unit) for row in rows] == [
        ("codec_rmse", ""),
        ("codec_angle", "°"),
    ]


def test_a_reconstruction_of_another_shape_is_refused() -> None:
    Reconstruction(IMAGES, np.ones((2, 4, 4), np.float32)).check(IMAGES)
    for broken in (
        Reconstruction(IMAGES[:1]),
        Reconstruction(IMAGES.astype(np.float64)),  # type: ignore[arg-type]
        Reconstruction(IMAGES, np.ones((2, 5, 5), np.float32)),
    ):
        with pytest.raises(PluginError, match="reconstruct must give"):
            broken.check(IMAGES)
