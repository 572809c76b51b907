"""How real the spatial structure of synthetic patches is: power spectrum, forest, borders.

    python -m benchmarks.txt2hsi_realism FILE.csv SCENE… [GENERATOR=…] [SEED=…] [PARAMETER=VALUE…]

SCENE is a name or a card; GENERATOR is txt2hsi, or several with commas; SEED is 300, on which
choices were made. For each class as many held-out patches are compared as there are synthetic ones.
Both are read in the first three principal components of the scene, with variance 1. Rows of the
file, and of the table that is printed:

- power: mean power of synthetic patches over that of held-out ones, from the lowest of FREQUENCIES
  bands of spatial frequency to the highest; level 0 is how the means of patches vary;
- auc: of extra trees that tell both apart by FEATURES numbers a patch, cross-validated; held-out
  patches against others of them have .50;
- straight: share of borders between two pixels that go on straight into the next pair.

Reads test labels: a diagnosis after the fit.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.fft import dctn
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from benchmarks.common import check_usage, markdown, say
from hsiaug.data import load_scene
from hsiaug.protocol.view import patches_at
from hsiaug.quality.kits import sample_kit, synthesise
from hsiaug.quality.synthesis import AnySynthesis, SampleRequest
from hsiaug.registry.lookup import registry

COMPONENTS = 3
FREQUENCIES = 4
"""Bands of spatial frequency above level 0."""
BORDER = 0.9
"""Quantile of the differences of neighbours in held-out patches above which there is a border."""
FEATURES = 8 * COMPONENTS
TREES = 300

Patches = NDArray[np.float64]
"""(n, 3, p, p) components of variance 1."""


def main() -> None:
    """Measure, write the file and print the table."""
    file, *words = sys.argv[1:]
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    generators = settings.pop("GENERATOR", "txt2hsi").split(",")
    seed = int(settings.pop("SEED", "300"))
    rows = []
    for name in (word for word in words if "=" not in word):
        scene = load_scene(name)
        for generator in generators:
            overrides = settings if generator == "txt2hsi" else {}
            request = SampleRequest(generator, seed=seed, lam=0.0, times=3.0, overrides=overrides)
            made = synthesise(sample_kit("pixels"), scene, request, registry())
            rows.append(
                {"scene": scene.name, "generator": generator, "seed": seed, **measure(made)}
            )
            table = pd.DataFrame(rows).round(3)
            table.to_csv(Path(file), index=False)
    say("\n".join(markdown(tuple(table.columns), table.astype(str).itertuples(index=False))))


def measure(made: AnySynthesis) -> dict[str, float]:
    """All measures of a generator's samples, those of a second half of held-out patches beside
    them.
    """
    rng = np.random.default_rng(0)
    scene = made.data
    pixels = scene.cube.reshape(-1, scene.cube.shape[2])
    components = PCA(COMPONENTS, whiten=True, random_state=0).fit(pixels[:: len(pixels) // 5000])
    sets: tuple[list[NDArray[np.float32]], ...] = ([], [], [])
    for c in np.unique(made.synthetic.y):
        coords = rng.permutation(np.argwhere(made.split.test & (scene.labels == c)))
        some = np.flatnonzero(made.synthetic.y == c)
        count = min(len(coords) // 2, len(some))
        sets[0].append(patches_at(scene.cube, coords[:count], made.split.patch))
        sets[1].append(patches_at(scene.cube, coords[count : 2 * count], made.split.patch))
        sets[2].append(made.synthetic.x[rng.permutation(some)[:count]])
    real, again, ours = (_scores(components, np.concatenate(one)) for one in sets)
    row: dict[str, float] = {"patches": len(real)}
    ratio = _power(ours) / _power(real)
    for component in range(COMPONENTS):
        for band in range(FREQUENCIES + 1):
            row[f"power_pc{component + 1}_{band}"] = float(ratio[component, band])
    row["auc"], row["auc_held_out"] = _auc(real, ours), _auc(real, again)
    threshold = np.quantile(_differences(real)[0], BORDER)
    row["straight"], row["straight_held_out"] = (_straight(one, threshold) for one in (ours, real))
    return row


def _scores(components: PCA, x: NDArray[np.float32]) -> Patches:
    n, bands, side, _ = x.shape
    flat = components.transform(x.transpose(0, 2, 3, 1).reshape(-1, bands))
    return np.asarray(flat.reshape(n, side, side, COMPONENTS).transpose(0, 3, 1, 2), np.float64)


def _power(patches: Patches) -> Patches:
    """(3, FREQUENCIES + 1) mean power by component and band of frequency; the first is the
    variance of the means of patches.
    """
    side = patches.shape[2]
    squares = dctn(patches - patches.mean(axis=(0, 2, 3), keepdims=True), axes=(2, 3), norm="ortho")
    squares = (squares**2).mean(axis=0)
    radius = np.hypot(*np.mgrid[0:side, 0:side]) / np.hypot(side - 1, side - 1)
    band = np.where(
        radius == 0, 0, 1 + (radius * FREQUENCIES).astype(int).clip(max=FREQUENCIES - 1)
    )
    return np.stack([squares[:, band == b].mean(axis=1) for b in range(FREQUENCIES + 1)], axis=1)


def _features(patches: Patches) -> NDArray[np.float64]:
    """(n, FEATURES) of each component: spread, range, differences at a distance of 1 to 3 pixels
    down and across, the middle against the rest.
    """
    side = patches.shape[2]
    middle = patches[:, :, side // 2 - 1 : side // 2 + 2, side // 2 - 1 : side // 2 + 2]
    found = [
        patches.std(axis=(2, 3)),
        np.ptp(patches, axis=(2, 3)),
        np.abs(middle.mean(axis=(2, 3)) - patches.mean(axis=(2, 3))),
    ]
    for distance in (1, 3):
        found.append(np.abs(patches[:, :, distance:] - patches[:, :, :-distance]).mean(axis=(2, 3)))
        across = patches[:, :, :, distance:] - patches[:, :, :, :-distance]
        found.append(np.abs(across).mean(axis=(2, 3)))
    # How evenly the differences are spread: a border has few large ones, speckle many small ones.
    down = np.abs(np.diff(patches, axis=2)).reshape(*patches.shape[:2], -1)
    found.append(down.max(axis=2) / np.maximum(down.mean(axis=2), 1e-9))
    return np.concatenate(found, axis=1)


def _auc(real: Patches, other: Patches) -> float:
    x = np.concatenate([_features(real), _features(other)])
    y = np.repeat([0, 1], [len(real), len(other)])
    order = np.random.default_rng(0).permutation(len(y))
    forest = ExtraTreesClassifier(TREES, min_samples_leaf=3, random_state=0)
    shares = cross_val_predict(forest, x[order], y[order], cv=5, method="predict_proba")
    return float(roc_auc_score(y[order], shares[:, 1]))


def _differences(patches: Patches) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distances of pixels to the next one down (n, p − 1, p) and across (n, p, p − 1)."""
    return (
        np.linalg.norm(np.diff(patches, axis=2), axis=1),
        np.linalg.norm(np.diff(patches, axis=3), axis=1),
    )


def _straight(patches: Patches, threshold: float) -> float:
    """Share of borders that go on straight, in both directions where both lie in the patch."""
    down, across = (distance > threshold for distance in _differences(patches))
    goes_on = []
    for border in (down, np.swapaxes(across, 1, 2)):
        padded = np.pad(border, ((0, 0), (0, 0), (1, 1)), mode="edge")
        goes_on.append((padded[:, :, 2:] & padded[:, :, :-2])[border])
    return float(np.concatenate(goes_on).mean())


if __name__ == "__main__":
    check_usage(__doc__, 2)
    main()
