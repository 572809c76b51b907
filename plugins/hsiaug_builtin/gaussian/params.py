"""The hyper-parameters of ``gaussian``. No torch here: cards are read without it."""

from __future__ import annotations

from dataclasses import dataclass

from hsiaug.api import param
from hsiaug_builtin.txt2hsi.params import CodecParams


@dataclass(frozen=True)
class GaussianParams(CodecParams):
    """What the Gaussians of a scene and of its classes depend on."""

    codes: int = param(
        256, "codes that the patches of the scene are grouped into", low=1, preparing=True
    )
