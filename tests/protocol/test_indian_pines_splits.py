"""The default protocol on the real Indian Pines: feasible, balanced as meant, and harder than a
random draw.
"""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split

pytestmark = pytest.mark.indian_pines

EXPECTED = (3, 71, 42, 12, 24, 37, 3, 24, 3, 49, 123, 30, 10, 63, 19, 5)


@pytest.mark.parametrize("seed", range(10))
def test_issd_keeps_all_sixteen_classes_evaluable(indian_pines: Scene, seed: int) -> None:
    audit = draw_split(indian_pines, parse_protocol("issd"), seed, 9).audit

    assert audit.train_counts == EXPECTED
    assert audit.lost_classes == () and min(audit.test_counts) >= 3
    assert 7500 <= audit.n_test <= 8500
    assert audit.centre_overlap_percent == 0


@pytest.mark.parametrize("seed", range(3))
def test_the_leak_demonstration(indian_pines: Scene, seed: int) -> None:
    """1-nearest-neighbour on row and column alone: > 95 under random:0.1, < 45 under kshot:10."""

    def accuracy_without_spectra(text: str) -> float:
        split = draw_split(indian_pines, parse_protocol(text), seed, 9)
        places = KNeighborsClassifier(1).fit(
            np.argwhere(split.train), indian_pines.labels[split.train]
        )
        guess = places.predict(np.argwhere(split.test))
        return float((guess == indian_pines.labels[split.test]).mean())

    assert accuracy_without_spectra("random:0.1") > 0.95
    assert accuracy_without_spectra("kshot:10") < 0.45
