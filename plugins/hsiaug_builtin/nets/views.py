"""Views of a patch that keep its class: what online augmentation may do to spectra.

All take and give x (n, k, p, p), k whitened components or z-scored bands, so 0 is the mean of each
and 1 its spread. Randomness comes from ``rng``, a generator on the CPU: alike on every device.
Nothing mixes bands with one another or shifts them along the spectrum.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

__all__ = [
    "SYMMETRIES",
    "band_dropout",
    "gain_offset",
    "radiation_noise",
    "strong",
    "symmetry",
    "turn_batch",
    "view_of",
    "weak",
]

SYMMETRIES = 8


def turn_batch(x: Tensor, step: int) -> Tensor:
    """A batch in eight parts, each under another of the square's eight symmetries (rotations,
    mirrors).

    Rows of a batch are drawn at random already, so which part gets which symmetry need not be: it
    moves on with ``step``.
    """
    parts = []
    for j, chunk in enumerate(x.chunk(SYMMETRIES)):
        parts.append(symmetry(chunk, (j + step) % SYMMETRIES))
    return torch.cat(parts)


def symmetry(x: Tensor, number: int) -> Tensor:
    """x (…, p, p) under one of the square's eight symmetries, the dihedral group D4; ``number`` 0
    is x itself.
    """
    x = torch.rot90(x, number % 4, (-2, -1))
    return x.flip(-1) if number >= 4 else x


def gain_offset(x: Tensor, rng: Generator, gain: float = 0.05, offset: float = 0.05) -> Tensor:
    """Each patch with one random gain and offset per band, as an imperfect calibration leaves them.

    Parameters
    ----------
    gain, offset : float
        Their standard deviations, round 1 and 0.
    """
    return x * (1 + gain * _normal(x, rng, 2)) + offset * _normal(x, rng, 2)


def radiation_noise(x: Tensor, rng: Generator, spread: float = 0.1, noise: float = 0.04) -> Tensor:
    """α·x + β·n: one factor α per patch, uniform in 1 ± ``spread``, and normal noise n in every
    value, β = ``noise``.

    The virtual samples under changing radiation of Chen, Jiang, Li, Jia and Ghamisi, IEEE TGRS
    54(10), 2016, doi:10.1109/TGRS.2016.2584107, with α ∈ [0.9, 1.1] and β = 1/25 as DeepHyperX has
    them. They change the data's own units; here α stretches the distance from the scene's mean.
    """
    factor = torch.rand((len(x), 1, 1, 1), generator=rng).to(x.device)
    return x * (1 - spread + 2 * spread * factor) + noise * _normal(x, rng, 4)


def band_dropout(x: Tensor, rng: Generator, share: float = 0.2) -> Tensor:
    """Each patch with about ``share`` of its bands set to 0, their mean; the others are not scaled
    up.
    """
    survives = torch.rand((*x.shape[:2], 1, 1), generator=rng) >= share
    return x * survives.to(x)


def weak(x: Tensor, rng: Generator) -> Tensor:
    """A random symmetry, then gain and offset."""
    return gain_offset(turn_batch(x, _step(rng)), rng)


def strong(x: Tensor, rng: Generator) -> Tensor:
    """A weak view, then radiation noise, then dropped bands."""
    return band_dropout(radiation_noise(weak(x, rng), rng), rng)


def view_of(name: str) -> Callable[[Tensor, Generator, int], Tensor]:
    """The online augmentation of that name in AUGMENTS, as ``(x, rng, step) → x``; ``turns`` draws
    nothing.
    """
    views: dict[str, Callable[[Tensor, Generator, int], Tensor]] = {
        "none": lambda x, rng, step: x,
        "turns": lambda x, rng, step: turn_batch(x, step),
        "weak": lambda x, rng, step: weak(x, rng),
        "strong": lambda x, rng, step: strong(x, rng),
    }
    return views[name]


def _step(rng: Generator) -> int:
    return int(torch.randint(SYMMETRIES, (1,), generator=rng))


def _normal(x: Tensor, rng: Generator, axes: int) -> Tensor:
    """Standard normal values, one per entry of the first ``axes`` axes of x."""
    shape = [*x.shape[:axes], *[1] * (4 - axes)]
    return torch.randn(shape, generator=rng).to(x)
