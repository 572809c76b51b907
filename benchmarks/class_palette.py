"""Finds the colours ``hsiaug.base.colours.CLASSES``: ``python -m benchmarks.class_palette [SEED
…]``, a minute each.

Simulated annealing in sRGB. What grows is the least distance in OKLab (times 100) over all pairs,
under normal vision, protanopia, deuteranopia and tritanopia (Machado, Oliveira and Fernandes 2009,
severity 1), of all 16 colours and, with smaller weights, of the first 12, 8 and 5, so that their
order is good too. White, the grey of no data and dark paper are colours to stay away from. The
committed palette came from such a search, the best of 12; the seeds differ by 5 %.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.common import check_usage
from hsiaug.base.colours import NO_DATA, rgb_of

TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
"""Linear sRGB to cones, and their cube roots to OKLab (B. Ottosson 2020, "A perceptual color
space").
"""
EYES = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""Linear RGB as an eye sees it: Machado, Oliveira and Fernandes (2009), table 1, severity 1.0."""
COLOURS, STEPS = 16, 260_000
PREFIXES = ((16, 1.0), (12, 0.3), (8, 0.3), (5, 0.2))
NEEDED = np.array([1.3, 1.0, 1.0, 0.75])
"""How far apart colours must be for an eye, in relation to the others."""
AWAY = ("#ffffff", "#0f1419", NO_DATA)
LIGHTNESS, CHROMA = (40.0, 93.0), 22.0
Array = np.ndarray


def seen(rgb: Array) -> Array:
    """(4, …, 3) OKLab times 100 of colours (…, 3) of 0..1, as each eye sees them."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    eyes = np.clip(
        np.einsum("vij,...j->v...i", np.array(list(map(np.array, EYES.values()))), linear), 0, 1
    )
    return 100 * np.cbrt(eyes @ TO_CONES.T) @ TO_LAB.T


def distances(colours: Array) -> Array:
    """(n, n) least distance of each pair over the eyes; on the diagonal that to what all must stay
    away from.
    """
    looks, away = seen(colours), seen(np.array(list(map(rgb_of, AWAY))) / 255)
    between = np.linalg.norm(looks[:, :, None] - looks[:, None], axis=-1)
    least = (between / NEEDED[:, None, None]).min(axis=0)
    ground = np.linalg.norm(looks[:, :, None] - away[:, None], axis=-1) / NEEDED[:, None, None]
    np.fill_diagonal(least, 1.15 * ground.min(axis=(0, 2)))
    return least


def badness(colours: Array) -> float:
    least = distances(colours)
    crowded = 0.02 * float(np.exp(-(np.minimum(least, 60) - 10) / 2).sum()) / COLOURS
    return crowded - sum(weight * float(least[:first, :first].min()) for first, weight in PREFIXES)


def allowed(colour: Array) -> bool:
    light, a, b = seen(colour)[0]
    return LIGHTNESS[0] <= light <= LIGHTNESS[1] and np.hypot(a, b) <= CHROMA


def changed(colours: Array, left: float, rng: np.random.Generator) -> Array | None:
    """Two colours swapped, or one moved; None where it may not go there. left: share of the steps
    to come.
    """
    fresh, i, j = colours.copy(), *rng.integers(COLOURS, size=2)
    if rng.random() < 0.05:
        fresh[[i, j]] = fresh[[j, i]]
        return fresh
    fresh[i] = np.clip(fresh[i] + rng.normal(0, 0.25 * left**1.5 + 0.006, 3), 0, 1)
    return fresh if allowed(fresh[i]) else None


def palette(seed: int) -> tuple[float, Array]:
    rng = np.random.default_rng(seed)
    colours = np.array([c for c in rng.random((100 * COLOURS, 3)) if allowed(c)][:COLOURS])
    now = badness(colours)
    best = now, colours
    for step in range(STEPS):
        left = 1 - step / STEPS
        if (fresh := changed(colours, left, rng)) is None:
            continue
        then = badness(fresh)
        if then < now or rng.random() < np.exp((now - then) / (0.5 * left**2 + 1e-4)):
            colours, now = fresh, then
            best = min(best, (now, colours), key=lambda found: found[0])
    return best


if __name__ == "__main__":
    check_usage(__doc__)
    for seed in map(int, sys.argv[1:] or ["22"]):
        found, colours = palette(seed)
        shown = " ".join(
            "#" + "".join(f"{v:02x}" for v in c) for c in np.round(255 * colours).astype(int)
        )
        sys.stdout.write(f"{seed}: {found:.2f} {shown}\n")
