"""The losses of the trained networks: streams, VAEs, and the U-Net of ``specdm-paper``. That of
the denoiser of a cascade is in ``local.py``.

To change a loss, replace it in what ``losses()`` of the plugin returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import cross_entropy, mse_loss

from hsiaug_builtin.diffusion.angles import mean_angle

Compare = Callable[[Tensor, Tensor], Tensor]
"""The loss () of what a network gives, and of what it should give."""


def spectral_l1(out: Tensor, x: Tensor, weight: float = 0.1) -> Tensor:
    """Mean |out − x| + weight · mean spectral angle in radians, of images (n, T, B, P, P) (the
    paper's eq. 1).
    """
    error = (out - x).abs().mean()
    return error + weight * mean_angle(x, out, dim=2) if weight else error


def l1(out: Tensor, x: Tensor) -> Tensor:
    """Mean |out − x| over all channels, of bands and of one-hot masks alike."""
    return (out - x).abs().mean()


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from a standard normal, the mean per latent number."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()


def weighted(out: Tensor, aim: Tensor, weights: Tensor | None) -> Tensor:
    """‖out − aim‖² of latents (n, d, h, w) (eq. 4), its channels weighted by (d,) numbers whose sum
    is 1 (ours).
    """
    if weights is None:
        return mse_loss(out, aim)
    return (out - aim).square().mean(dim=(0, 2, 3)) @ weights


@dataclass(frozen=True)
class Losses:
    """The losses that the networks of SpecDM are trained with.

    Attributes
    ----------
    image : Compare
        Of the stream of images (n, T, B, P, P), T dates, B bands, in reflectance where the data
        are.
    mask : Compare
        Of the VAE of masks, scores (n, K, P, P) beside shares of classes.
    pair : Compare
        Of the one stream of ``ldm_single`` (n, T·B + K, P, P).
    latents : Compare
        What is added for the mean and log-variance (n, d, h, w) of a VAE's latents, times its
        weight.
    denoiser : callable
        Of the velocity that the denoiser gives beside the true one (n, d, h, w), and the
        weights of the channels.
    """

    image: Compare = spectral_l1
    mask: Compare = cross_entropy
    pair: Compare = l1
    latents: Compare = divergence
    denoiser: Callable[[Tensor, Tensor, Tensor | None], Tensor] = weighted
