"""How much of the classes the codec keeps: a support vector machine of decoded pixels against one
of the pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.classifiers.svm import winning_class
from hsiaug_builtin.nets.svm import machine_of
from hsiaug_builtin.txt2hsi.field import spectra_at
from hsiaug_builtin.txt2hsi.vae import Remainder, Vae

MAX_PIXELS_PER_CLASS = 60
"""Pixels of a class that learn, and that are asked."""
REPEATS = 3
"""How often these pixels are chosen anew."""
COST = 30.0
"""C of the support vector machine."""


def measure_codec(
    view: TrainView, vae: Vae, named: Mapping[int, NDArray[np.int32]], seed: int
) -> dict[str, float]:
    """Mean recall, in percent, of named pixels that were left out: learnt from real spectra and
    from decoded ones.

    The noise that decoding adds is that of the pixels that learn. Empty where fewer than two
    classes can be asked.
    """
    recalls = [
        _compare(view, vae, named, np.random.default_rng([seed % 2**32, repeat]))
        for repeat in range(REPEATS)
    ]
    if not recalls[0]:
        return {}
    return {
        name: round(float(np.mean([recall[name] for recall in recalls])), 2)
        for name in ("real", "decoded")
    }


def _compare(
    view: TrainView, vae: Vae, named: Mapping[int, NDArray[np.int32]], rng: np.random.Generator
) -> dict[str, float]:
    from sklearn.svm import SVC

    learnt = []
    unseen = []
    y = []
    truth = []
    for c, pixels in named.items():
        chosen = rng.permutation(pixels)[: 2 * MAX_PIXELS_PER_CLASS]
        half = (len(chosen) + 1) // 2
        learnt.append(spectra_at(view, chosen[:half]))
        unseen.append(spectra_at(view, chosen[half:]))
        y += [c] * half
        truth += [c] * (len(chosen) - half)
    if len(named) < 2 or not truth:
        return {}
    device = vae.log_variance.device
    x = np.concatenate(learnt)
    truth_ids = np.array(truth)
    noise = Remainder.of_classes(
        [vae.left_out(torch.tensor(spectra, device=device))[:, None, None] for spectra in learnt],
        int(rng.integers(2**31)),
        MAX_PIXELS_PER_CLASS,
    )
    row = np.repeat(np.arange(len(learnt)), list(map(len, learnt)))
    with torch.inference_mode():
        decoded = vae.decode(vae.encode(torch.tensor(x, device=device))).cpu()
        drawn = noise.sample(row, torch.Generator().manual_seed(int(rng.integers(2**31))))
    mean_recall = {}
    for name, spectra in (("real", x), ("decoded", (decoded + drawn[:, 0, 0]).numpy())):
        variance = spectra.shape[1] * spectra.var(dtype=np.float64)
        gamma = 1 / variance if variance else 1.0  # of equal spectra, as in scikit-learn
        model = SVC(C=COST, gamma=gamma, class_weight="balanced", random_state=0).fit(spectra, y)
        machine = machine_of(model, np.array(y), gamma)
        scores = machine.scores(np.concatenate(unseen))
        correct = machine.classes[winning_class(scores)] == truth_ids
        recalls = [correct[truth_ids == c].mean() for c in np.unique(truth_ids)]
        mean_recall[name] = 100 * float(np.mean(recalls))
    return mean_recall
