"""Weights of several opinions on the class of a pixel, from training pixels that were left out."""

from __future__ import annotations

import numpy as np
import scipy  # its parts are loaded where they are used
from numpy.typing import NDArray

FIRM = 12.0
"""Left-out pixels, all classes alike, against which the given weights count. Chosen on splits 100
to 103 of Indian Pines, of crops of Houston and Pavia, of Jasper Ridge and Samson under ``issd``.
"""


def pool_weights(
    opinions: NDArray[np.float64], target: NDArray[np.int64], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(v,) weights > 0 of the opinions' logarithms, so that their weighted sum tells left-out
    pixels best.

    The logarithmic opinion pool of Genest and Zidek (Statistical Science 1, 1986), its weights by
    maximum likelihood as in T. Heskes, Selecting weighting factors in logarithmic opinion pools,
    NIPS 1997; here the logarithms of weights are normally distributed round those of the prior.

    Parameters
    ----------
    opinions : (v, n, k) float64
        Logarithms of shares.
    target : (n,) int64
        Columns of the true classes, all of which count alike.
    prior : (v,) float64
        > 0, the weights where there is no evidence.
    """
    from scipy.optimize import minimize

    if not len(target):
        return prior
    n = len(target)
    start = np.log(prior)
    share = 1 / np.bincount(target)[target]
    share /= share.sum()
    right = opinions[:, np.arange(n), target]

    def loss(logarithms: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = np.exp(logarithms)
        apart = logarithms - start
        pooled = np.tensordot(weights, opinions, 1)
        error = -float(share @ scipy.special.log_softmax(pooled, axis=1)[np.arange(n), target])
        expected = (scipy.special.softmax(pooled, axis=1) * opinions).sum(axis=2)
        slope = weights * ((expected - right) @ share) + 2 * FIRM / n * apart
        return error + FIRM / n * float(apart @ apart), slope

    return np.asarray(np.exp(minimize(loss, start, jac=True, method="L-BFGS-B").x))
