"""Known damage moves the measures that claim to see it, in order of its strength, on scenes of
which all is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks import layout_battery
from benchmarks.layout_battery import (
    CLAIMS,
    TileSets,
    patch_rows,
    patch_sets,
    seen,
    table,
    tile_rows,
)
from hsiaug.metrics.layout_measures import JUDGES
from hsiaug.protocol.view import patches_at
from tests.toyworld import toy_world

SIDE = 120
PATCH = 9
BANDS = 6
CLASSES = 3


def fields() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A cube of fields with a smooth texture, and the class of each pixel."""
    rng = np.random.default_rng(0)
    spots = rng.uniform(0, SIDE, (80, 2))
    pixels = np.moveaxis(np.mgrid[:SIDE, :SIDE], 0, -1)
    nearest = ((pixels[:, :, None] - spots) ** 2).sum(axis=-1).argmin(axis=-1)
    labels = nearest % CLASSES + 1
    means = rng.normal(5, 1, (CLASSES, BANDS)).clip(1)
    light = rng.normal(1, 0.1, len(spots))[nearest]
    smooth = np.stack(
        [gaussian_filter(rng.normal(size=labels.shape), 1.5) for _ in range(3)], axis=-1
    )
    texture = 0.6 * smooth @ rng.normal(size=(3, BANDS))
    noise = 0.1 * rng.normal(size=(*labels.shape, BANDS))
    cube = means[labels - 1] * light[..., None] + texture + noise
    return cube.astype(np.float32), labels.astype(np.int64)


@pytest.fixture(scope="module")
def patches() -> Iterator[list[dict[str, Any]]]:
    cube, labels = fields()
    rng = np.random.default_rng(1)
    inside = np.argwhere(np.ones((SIDE - 8, SIDE - 8), dtype=bool)) + 4
    order = rng.permutation(len(inside))
    train, held = inside[order[:150]], inside[order[150:4000]]
    y = [labels[tuple(at.T)] for at in (train, held)]
    cut = partial(patches_at, cube, patch=PATCH)
    forest = {"told_by_forest": JUDGES["told_by_forest"]}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("hsiaug.metrics.two_sample.TREES", 30)
        patched.setattr(layout_battery, "EACH", 120)
        sets = patch_sets(cut, (train, y[0]), (held, y[1]), PATCH, rng)
        yield list(patch_rows(sets, forest))


@pytest.fixture(scope="module")
def tiles() -> list[dict[str, Any]]:
    world = replace(toy_world(noise=0.03, side=32), fields=10, mixing=0.7)
    return list(tile_rows(TileSets(world.draw_change(40, 0), world.draw_change(40, 1), classes=2)))


FEW_BLOBS = ("mask blocks shuffled", "fd_layout_mask")
"""A third of the toy masks show no change, and most others one disc: their layout tells little."""


FAINT_NOISE = ("noise", "told_by_forest")
"""A forest of 30 trees and 120 patches may miss noise of .02, by what a processor rounds."""


def unseen(rows: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Damages and the measures that claim to see them, and do not."""
    return [(row["damage"], row["measure"]) for row in seen(rows) if not row["in_order"]]


def test_damage_to_patches_moves_what_claims_to_see_it_in_order_of_strength(
    patches: list[dict[str, Any]],
) -> None:
    assert set(unseen(patches)) <= {FAINT_NOISE}
    assert patches[0]["told_by_forest"] == pytest.approx(50, abs=25)


def test_damage_to_tiles_and_masks_moves_what_claims_to_see_it_in_order_of_strength(
    tiles: list[dict[str, Any]],
) -> None:
    assert set(unseen(tiles)) <= {FEW_BLOBS}


def test_the_table_marks_what_is_out_of_order(
    patches: list[dict[str, Any]], tiles: list[dict[str, Any]]
) -> None:
    text = "\n".join(table(patches))
    marked = [line for line in text.splitlines() if "✗" in line]
    assert all(line.startswith("| noise |") for line in marked)
    assert "| pixels shuffled | 1 |" in text
    assert "\n".join(table([*patches, *tiles])).count("\n## ") == 2

    worst = next(row for row in patches if row["damage"] == "blur")
    broken = [{**row, "within_1": 0.99} if row is worst else row for row in patches]
    assert "✗" in "\n".join(table(broken))


def test_every_damage_has_a_measure_that_claims_to_see_it() -> None:
    for kind, claims in CLAIMS.items():
        assert all(claims.values()), kind
    assert set(CLAIMS["tiles"]) == set(layout_battery.STRENGTHS)
