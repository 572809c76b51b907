"""What the encoder and decoder of a generator lose of real samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hsiaug.metrics.spectra import spectral_angle

Float32 = NDArray[np.float32]
LEAST_PROBABILITY = 1e-6
"""Probabilities below are taken as this, so that one pixel cannot make a mean infinite."""

MEASURES = {
    "codec_rmse": ("reconstruction: RMSE", ""),
    "codec_angle": ("reconstruction: mean angle of pixels", "°"),
    "codec_cross_entropy": ("reconstruction: cross-entropy of masks", "nats"),
}
"""Label and unit by the name of a measure."""


@dataclass(frozen=True)
class ReconstructionMeasure:
    """A measure of samples that were encoded and decoded; less is better.

    Attributes
    ----------
    held_out, training : float or None
        Of held-out and of training samples; None where it is not defined.
    unit : str
        Of an RMSE that of the data.
    """

    name: str
    label: str
    unit: str
    held_out: float | None
    training: float | None


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
    held_out: dict[str, float | None], training: dict[str, float | None], units: str
) -> tuple[ReconstructionMeasure, ...]:
    """The measures of held-out samples beside those of training samples.

    Parameters
    ----------
    units : str
        Units of the data.
    """
    return tuple(
        ReconstructionMeasure(
            name,
            label,
            units if name == "codec_rmse" else unit,
            held_out[name],
            training[name],
        )
        for name, (label, unit) in MEASURES.items()
        if held_out[name] is not None or training[name] is not None
    )
