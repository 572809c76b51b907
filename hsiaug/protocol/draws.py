"""The draws of a protocol, checked: a package's own protocol may return anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import Areas, Draw, SplitProtocol, guarded

__all__ = ["draw_areas", "draw_train"]


def draw_train(scene: Scene, protocol: SplitProtocol, patch: int, seed: int) -> Draw:
    """The training pixels of draw ``seed``, with the protocol's buffer for patches of side ``patch``."""
    draw = guarded(protocol.name, f"draw on {scene.name}", lambda: protocol.draw(scene, seed, patch))
    hidden = [] if getattr(draw, "hidden", None) is None else [draw.hidden]
    _check(protocol, draw, Draw, lambda: [draw.train, draw.dropped, *hidden], [scene.shape] * (2 + len(hidden)))
    if not all(isinstance(note, str) for note in draw.notes):
        raise PluginError(f"protocol {protocol.name} must note sentences", value=repr(draw.notes), hint="Use str.")
    return draw


def draw_areas(pairs: PairSet, protocol: SplitProtocol, patch: int, seed: int) -> Areas:
    """The areas of training and of test of draw ``seed``, for tiles of side ``patch``."""
    areas = guarded(protocol.name, f"draw on {pairs.name}", lambda: protocol.draw_tiles(pairs, seed, patch))
    shapes = [place.mask.shape for place in pairs.places]
    _check(protocol, areas, Areas, lambda: [*areas.train, *areas.test], shapes * 2)
    return areas


def _check(protocol: SplitProtocol, drawn: Any, kind: type, masks: Any, shapes: Sequence[tuple[int, ...]]) -> None:
    """Raise PluginError unless the draw is of its kind and its masks are of the shapes, and bool."""
    if isinstance(drawn, kind):
        found = [_described(mask) for mask in masks()]
        wanted = [f"bool {tuple(shape)}" for shape in shapes]
        if found == wanted:
            return
        seen: Iterable[str] = found
    else:
        seen = [type(drawn).__name__]
    raise PluginError(
        f"protocol {protocol.name} must draw {kind.__name__} with boolean masks of the labels' shapes",
        value=", ".join(seen),
        hint="Return masks of dtype bool, one for each map of labels and side.",
    )


def _described(mask: object) -> str:
    return f"{mask.dtype} {mask.shape}" if isinstance(mask, np.ndarray) else type(mask).__name__
