"""How each protocol draws its training pixels."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError, SplitError
from hsiaug.protocol.compact import SMALL_CLASS, Draw, compact_draw
from hsiaug.protocol.masks import fixed_draw
from hsiaug.protocol.protocols import DEFAULT_RATIO, Protocol, parse_protocol
from hsiaug.protocol.within import within_draw
from hsiaug.scene import Scene
from hsiaug.seeds import derive_seed

__all__ = ["draw_train", "training_sizes"]

FEWEST = 3


def training_sizes(scene: Scene, protocol: Protocol) -> tuple[dict[int, int], list[str]]:
    """Training pixels wanted of each labelled class, and sentences on what was capped.

    ``issd``, ``blocks``, ``random``: max(3, ⌊r·N_c + ½⌋). ``kshot``: K, capped at N_c/4 for classes under 60
    pixels. One pixel of each class is always left for test.
    """
    sizes, notes = {}, []
    for c in scene.class_ids:
        total = int(scene.class_counts[c - 1])
        if total == 0:
            continue
        if total == 1:
            raise SplitError(
                f"scene {scene.name}: every class needs at least 2 labelled pixels, one to train and one to test",
                value=f"1 for class {c} ({scene.class_names[c - 1]})",
                hint="Label more of it, or leave the class out with labels.ignore in the scene's card.",
            )
        if protocol.name == "kshot":
            wanted = int(protocol.argument)
            cap = max(1, total // 4) if total < SMALL_CLASS else total - 1
        else:
            ratio = DEFAULT_RATIO if protocol.name == "blocks" else float(protocol.argument)
            wanted = max(FEWEST, int(ratio * total + 0.5))
            cap = total - 1
        if wanted > cap:
            notes.append(f"class {c} has {total} labelled pixels: {cap} train in place of {wanted}")
        sizes[c] = min(wanted, cap)
    return sizes, notes


def draw_train(scene: Scene, protocol: Protocol, patch: int, seed: int) -> Draw:
    """The training pixels of draw ``seed``, with the protocol's buffer for patches of side ``patch``."""
    if protocol.name == "places":
        raise InputError(
            "--protocol places is one of masks, not of single pixels",
            value=repr(protocol.text),
            hint="Add --task segmentation or --task change, or use issd, kshot:K, blocks:B or random:RATIO.",
        )
    if protocol.name == "fixed":
        return fixed_draw(scene, protocol)
    identity = protocol.as_json().values()
    if protocol.name == "within":
        outer, number = protocol.outer
        whole = scene.labels > 0 if outer is None else draw_train(scene, outer, patch, number).train
        rng = np.random.default_rng(derive_seed("split", scene.drawn_within(whole), *identity, seed))
        return within_draw(scene.labels, whole, protocol.reach(patch), rng)
    rng = np.random.default_rng(derive_seed("split", scene.drawn_as, *identity, seed))
    notes: list[str] = []
    if protocol.name == "random-twin":
        train = draw_train(scene, parse_protocol(protocol.argument), patch, seed).train
        counts = np.bincount(scene.labels[train], minlength=len(scene.class_names) + 1)
        sizes = {c: int(counts[c]) for c in scene.class_ids if counts[c]}
    else:
        sizes, notes = training_sizes(scene, protocol)
    if protocol.random:
        draw = _random_draw(scene.labels, sizes, rng)
    elif protocol.name == "blocks":
        draw = _block_draw(scene.labels, sizes, int(protocol.argument), rng)
    else:
        draw = compact_draw(scene.labels, sizes, protocol.buffer_radius(patch), rng)
    return Draw(draw.train, draw.dropped, (*notes, *draw.notes))


def _random_draw(labels: NDArray[np.int16], sizes: Mapping[int, int], rng: np.random.Generator) -> Draw:
    train = np.zeros(labels.shape, dtype=bool)
    for c, size in sizes.items():
        pixels = np.flatnonzero(labels == c)
        train.flat[rng.choice(pixels, size=size, replace=False)] = True
    return Draw(train, np.zeros_like(train))


def _block_draw(labels: NDArray[np.int16], sizes: Mapping[int, int], side: int, rng: np.random.Generator) -> Draw:
    """Blocks are taken for training, class by class from the smallest on, until each has its pixels.

    A block is for training or for test, never for both: its other labelled pixels are dropped.
    """
    height, width = labels.shape
    down, right = rng.integers(side, size=2)
    across = (width + side - 1) // side + 1
    rows = (np.arange(height) + down) // side
    columns = (np.arange(width) + right) // side
    block = rows[:, None] * across + columns[None, :]
    order = rng.permutation(int(block.max()) + 1)
    chosen = np.zeros(len(order), dtype=bool)
    train = np.zeros(labels.shape, dtype=bool)
    for c in sorted(sizes, key=lambda c: ((labels == c).sum(), c)):
        pixels = np.flatnonzero(labels == c)
        home = block.flat[pixels]
        # Blocks already taken first, then in random order; stable, so a block's pixels stay together.
        queue = pixels[np.lexsort((order[home], ~chosen[home]))][: sizes[c]]
        train.flat[queue] = True
        chosen[block.flat[queue]] = True
    return Draw(train, chosen[block] & (labels > 0) & ~train)
