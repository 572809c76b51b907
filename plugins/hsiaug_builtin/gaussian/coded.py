"""A scene as latents, codes and Gaussians, learnt once without a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hsiaug.api import TrainView
from hsiaug_builtin.diffusion.training import TrainingRun
from hsiaug_builtin.gaussian.codebook import Gaussians, find_codes, fit_gaussians
from hsiaug_builtin.gaussian.params import GaussianParams
from hsiaug_builtin.nets import state
from hsiaug_builtin.txt2hsi.prepare import learn_codec, restore_vae
from hsiaug_builtin.txt2hsi.vae import Vae


@dataclass(frozen=True, eq=False)
class CodedScene:
    """A scene as latents, codes and Gaussians, which ``gaussian`` draws from.

    Attributes
    ----------
    vae : Vae
        Of its pixels.
    codes : (H, W) int16
        −1 where a patch is not wholly visible.
    gaussians : Gaussians
        Of the codes.
    """

    vae: Vae
    codes: NDArray[np.int16]
    gaussians: Gaussians

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that `restore_coded_scene` reads."""
        return {
            "codes": self.codes,
            **state.weights(vae=self.vae, gaussians=self.gaussians),
        }


def code_scene(view: TrainView, params: GaussianParams, run: TrainingRun) -> CodedScene:
    """The VAE of a scene, codes of its patches, and their Gaussians.

    Raises
    ------
    PluginError
        Where no pixel has a wholly visible patch.
    """
    codec = learn_codec(view, params, run)
    pixels = view.unlabelled
    with torch.inference_mode():
        codes = find_codes(
            codec.field.latents, codec.scale, pixels, view.patch, params.codes, run.seed
        )
        gaussians = fit_gaussians(codec.field.cut, codes, pixels)
    return CodedScene(codec.vae, codes, gaussians)


def restore_coded_scene(
    arrays: Mapping[str, NDArray[Any]], vae_width: int, device: str
) -> CodedScene:
    """A coded scene from the arrays of `CodedScene.arrays`."""
    vae = restore_vae(arrays, vae_width, device)
    return CodedScene(vae, arrays["codes"], restore_gaussians(arrays))


def restore_gaussians(arrays: Mapping[str, NDArray[Any]]) -> Gaussians:
    """The Gaussians among saved arrays, on the CPU."""
    return Gaussians(
        **{key: torch.tensor(a) for key, a in state.under("gaussians", arrays).items()}
    )
