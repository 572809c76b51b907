"""The teacher's probe among the arrays that a fitted ``txt2hsi`` saves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from hsiaug_nets import state
from hsiaug_nets.projection import Projection
from hsiaug_teacher.discriminant import Discriminant
from hsiaug_teacher.features import LocalMeans
from hsiaug_teacher.probe import Probe

__all__ = ["probe_arrays", "restored_probe"]


def probe_arrays(probe: Probe) -> dict[str, NDArray[Any]]:
    """All but the sides of its windows, ``probe.means.sides``."""
    return state.fields(
        **{
            "probe.projection": probe.means.projection,
            "probe.means": probe.means,
            "probe.discriminant": probe.discriminant,
        }
    )


def restored_probe(arrays: Mapping[str, NDArray[Any]], sides: Sequence[int]) -> Probe:
    """From what :func:`probe_arrays` gave, and the sides of the windows."""
    projection = Projection(**state.under("probe.projection", arrays))
    means = LocalMeans(projection, tuple(sides), **state.under("probe.means", arrays))
    return Probe(means, Discriminant(**state.under("probe.discriminant", arrays)))
