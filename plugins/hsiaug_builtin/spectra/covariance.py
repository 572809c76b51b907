"""How values of a curve at two wavelengths vary together: covariances of few parameters, fitted by likelihood."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from hsiaug_builtin.spectra.curves import GRID

__all__ = ["SCALES", "covariance", "likelihood", "maximise", "scales_of"]

SCALES = ("level", "broad", "narrow", "band")
"""A curve is a level, plus a part that is smooth over 300 nm, one smooth over 80 nm, and one of each wavelength."""
LENGTHS = (300.0, 80.0)
START = (-1.0, -1.5, -2.0, -3.0)
"""Logarithms of standard deviations that fitting starts from."""
STEPS = 60
"""Maximum number of steps of L-BFGS."""
JITTER = 1e-6

_apart = torch.tensor((GRID[:, None] - GRID) ** 2)


def covariance(logs: Tensor) -> Tensor:
    """(G, G) float64 from the logarithms (4,) of the standard deviations of ``SCALES``."""
    level, broad, narrow, band = torch.exp(2 * logs)
    smooth = broad * torch.exp(-0.5 * _apart / LENGTHS[0] ** 2) + narrow * torch.exp(
        -0.5 * _apart / LENGTHS[1] ** 2
    )
    made: Tensor = level + smooth + (band + JITTER) * torch.eye(len(GRID), dtype=torch.float64)
    return made


def likelihood(matrix: Tensor, rows: Tensor) -> Tensor:
    """Negative log-likelihood, up to a constant, of (n, d) rows from a Gaussian of mean 0 and covariance (d, d)."""
    root = torch.linalg.cholesky(matrix)
    white = torch.linalg.solve_triangular(root, rows.T, upper=False)
    value: Tensor = 0.5 * white.square().sum() + len(rows) * root.diagonal().log().sum()
    return value


def maximise(parameters: Sequence[Tensor], loss: Callable[[], Tensor], done: Callable[[], None]) -> None:
    """Change ``parameters`` in place until ``loss`` is least. done: called after every evaluation."""
    for tensor in parameters:
        tensor.requires_grad_(True)
    search = torch.optim.LBFGS(list(parameters), max_iter=STEPS, max_eval=STEPS, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        search.zero_grad()
        value = loss()
        value.backward()  # type: ignore[no-untyped-call]
        done()
        return value

    search.step(closure)  # type: ignore[no-untyped-call]
    for tensor in parameters:
        tensor.requires_grad_(False)


def scales_of(rows: Tensor, done: Callable[[], None]) -> Tensor:
    """(4,) logarithms of the scales that make (n, G) independent rows, NaN where unknown, likeliest."""
    logs = torch.tensor(START, dtype=torch.float64)
    known = ~torch.isnan(rows)
    groups = [
        (mask, rows[(known == mask).all(dim=1)][:, mask]) for mask in torch.unique(known, dim=0) if mask.any()
    ]

    def loss() -> Tensor:
        full = covariance(logs)
        return torch.stack([likelihood(full[mask][:, mask], part) for mask, part in groups]).sum()

    maximise([logs], loss, done)
    return logs
