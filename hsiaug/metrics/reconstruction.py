"""What the encoder and decoder of a generator lose of real samples."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.measures import Measure, MeasureTable
from hsiaug.metrics.spectra import spectral_angle

Float32 = NDArray[np.float32]
LEAST_PROBABILITY = 1e-6
"""Probabilities below are taken as this, so that one pixel cannot make a mean infinite."""

MEASURES: MeasureTable = {
    "codec_rmse": ("encoded and decoded: RMSE, in units of the data", "", "lower"),
    "codec_angle": ("encoded and decoded: mean angle of pixels", "°", "lower"),
    "codec_cross_entropy": ("encoded and decoded: cross-entropy of masks", "nats", "lower"),
}


def reconstruction_losses(
    images: Float32,
    decoded: Float32,
    probability: Float32 | None,
    masks: NDArray[np.integer] | None,
) -> dict[str, float | None]:
    """Losses by the names of MEASURES.

    Parameters
    ----------
    images, decoded : (n, B, p, p) or (n, T, B, H, W) float32
        Samples in the data's units, before and after.
    probability : (n, H, W) float32 or None
        That of the class of each pixel of the masks; NaN where the decoder does not know it.
    masks : (n, H, W) int or None
        Class ids; 0 counts nowhere.
    """
    difference = images.astype(np.float64) - decoded
    spectra = [np.moveaxis(x.astype(np.float64), -3, -1) for x in (images, decoded)]
    losses: dict[str, float | None] = {
        "codec_rmse": float(np.sqrt(np.mean(difference**2))),
        "codec_angle": float(spectral_angle(*spectra).mean()),
        "codec_cross_entropy": None,
    }
    if probability is not None and masks is not None:
        labelled = probability[(masks > 0) & ~np.isnan(probability)].astype(np.float64)
        if labelled.size:
            losses["codec_cross_entropy"] = float(
                -np.log(labelled.clip(LEAST_PROBABILITY, 1.0)).mean()
            )
    return losses


def reconstruction_measures(
    held_out: Mapping[str, float | None], training: Mapping[str, float | None], n: int
) -> tuple[Measure, ...]:
    """Losses of n held-out samples and of training samples; synthetic ones have none."""
    return tuple(
        Measure.of(MEASURES, name, None, held_out[name], n, training=training[name], few="")
        for name in MEASURES
        if held_out[name] is not None or training[name] is not None
    )
