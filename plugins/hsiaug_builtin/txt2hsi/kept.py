"""How much of the classes the codec keeps: a support vector machine of decoded pixels against one of the pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug.api import TrainView

if TYPE_CHECKING:
    from hsiaug_builtin.txt2hsi.field import Field
    from hsiaug_builtin.txt2hsi.prepare import PreparedScene
    from hsiaug_builtin.txt2hsi.vae import Remainder

MOST = 60
"""Pixels of a class that learn, and that are asked."""
COST = 30.0


def measure_kept(
    view: TrainView,
    scene: PreparedScene,
    field: Field,
    remainder: Remainder,
    named: Mapping[int, NDArray[np.int32]],
    seed: int,
) -> dict[str, float]:
    """Mean recall, in percent, of named pixels that were left out: learnt from real spectra and from decoded ones."""
    from sklearn.svm import SVC

    rng = np.random.default_rng(seed)
    shown, asked, y_shown, y_asked, row = [], [], [], [], []
    for index, (c, own) in enumerate(named.items()):
        taken = rng.permutation(own)[: 2 * MOST]
        half = (len(taken) + 1) // 2
        shown.append(taken[:half])
        asked.append(taken[half:])
        y_shown += [c] * half
        y_asked += [c] * (len(taken) - half)
        row += [index] * half
    learnt, told = np.concatenate(shown), np.concatenate(asked)
    if len(set(y_shown)) < 2 or not len(told):
        return {}
    decoded = decode_centres(scene, field, remainder, learnt, np.array(row), seed)
    test = view.normaliser.spectra(view.cube[told[:, 0], told[:, 1]])
    answer = {}
    for name, x in (
        ("real", view.normaliser.spectra(view.cube[learnt[:, 0], learnt[:, 1]])),
        ("decoded", decoded),
    ):
        said = SVC(C=COST, gamma="scale", class_weight="balanced", random_state=0).fit(x, y_shown).predict(test)
        right = said == np.array(y_asked)
        answer[name] = round(100 * float(np.mean([right[np.array(y_asked) == c].mean() for c in set(y_asked)])), 2)
    return answer


@torch.inference_mode()
def decode_centres(
    scene: PreparedScene,
    field: Field,
    remainder: Remainder,
    pixels: NDArray[np.int32],
    row: NDArray[np.int64],
    seed: int,
) -> NDArray[np.float32]:
    """(n, B) spectra of pixels (n, 2), encoded and decoded, with the noise of classes ``row`` (n,); z-scored."""
    draw = torch.Generator().manual_seed(seed)
    middle = scene.patch // 2
    decoded = scene.vae.decode(field.cut(pixels)[:, middle, middle]).cpu().numpy()
    return np.asarray(decoded + remainder.draw(row, 1, draw).numpy()[:, 0, 0])
