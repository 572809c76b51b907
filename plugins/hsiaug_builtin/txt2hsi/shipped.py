"""The network that comes with hsiaug, for scenes that it never saw.

A noun is given by example pixels, and latents are of variance 1 along axes that are sorted by how
little neighbouring pixels differ along them. So a denoiser that learnt one scene reads the classes
of another: what differs, the moments of its coefficients, belongs to the scene and is set for each.
It learnt Indian Pines, without a label; for that scene its VAE serves too.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from hsiaug.api import PluginError, Progress, TrainView, checksum_of_pixels
from hsiaug_builtin.diffusion.training import TrainingRun
from hsiaug_builtin.nets.seeded import fresh
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.params import SHIPPED_STEPS, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import (
    PreparedScene,
    learn_codec,
    patch_moments,
    untrained_denoiser,
)

FOLDER = Path(__file__).with_name("shipped") / "indian_pines"
CHECKSUM = "sha256.txt"
"""File in the folder: the checksum of its arrays."""
ORIGIN = "learnt on Indian Pines"
INDIAN_PINES = "ed874fd0cd76016a0ba46173e6d4adbd2dae188c4b9309fd9c4890b487dfc746"
"""Checksum of the pixels of the scene that it learnt."""


def serve_scene(
    view: TrainView,
    params: Txt2HsiParams,
    *,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
) -> PreparedScene:
    """The VAE of a scene, and the network that comes with hsiaug; no label is read.

    On the scene that the network learnt, its latents are those of the VAE that it learnt with.
    """
    learnt = shipped_scene()
    of_codec = (params.latent, params.vae_steps, view.patch)
    of_learnt = (learnt.params.latent, learnt.params.vae_steps, len(learnt.denoiser.mean))
    if of_codec == of_learnt and checksum_of_pixels(view) == INDIAN_PINES:
        return PreparedScene(params, learnt.vae.to(device), learnt.denoiser.to(device), ORIGIN)
    codec = learn_codec(view, params, TrainingRun(seed, device, progress, checkpoint))
    denoiser = adapt(learnt.denoiser, *patch_moments(codec, view)).to(device).eval()
    return PreparedScene(params, codec.vae, denoiser.requires_grad_(False), ORIGIN)


def shipped_scene(folder: Path = FOLDER) -> PreparedScene:
    """VAE and denoiser as they were learnt. Raises PluginError for damaged files."""
    try:
        stated = (folder / CHECKSUM).read_text("utf-8").strip()
        found = hashlib.sha256((folder / "state.safetensors").read_bytes()).hexdigest()
        if found != stated:
            raise ValueError(f"its checksum is {found}, not {stated}")
        return PreparedScene.restore(folder, "cpu")
    except Exception as error:
        # Whatever a damaged file makes of the readers.
        raise PluginError(
            "the network of txt2hsi that comes with hsiaug cannot be read",
            value=f"{folder}: {error}",
            hint="Install hsiaug again, or learn the scene:"
            f" --set txt2hsi.scene_steps={SHIPPED_STEPS}.",
        ) from error


def adapt(learnt: Denoiser, mean: Tensor, variance: Tensor, weight: Tensor) -> Denoiser:
    """A denoiser for the patches of another scene.

    Of fewer channels it reads those at even distances, from the smoothest to the noisiest. What
    belongs to the places of a patch is interpolated where patches are of another size.

    Parameters
    ----------
    learnt : Denoiser
        Of at least as many channels.
    mean, variance : Tensor (p, p, d)
        Of the coefficients of the patches of the scene.
    weight : Tensor (d,)
        What an error counts in each channel.
    """
    channels = len(learnt.weight)
    chosen = torch.from_numpy(np.linspace(0, channels - 1, len(weight)).round().astype(np.int64))
    twice = torch.cat([chosen, channels + chosen])
    side = len(mean)
    new = fresh(lambda: untrained_denoiser(mean, variance, weight, Txt2HsiParams()), 0)
    arrays = learnt.state_dict()
    for name in ("in_proj.weight", "examples.each.0.weight"):
        arrays[name] = arrays[name][:, twice]
    for name in ("out_proj.weight", "out_proj.bias"):
        arrays[name] = arrays[name][chosen]
    arrays["place"] = _resized(arrays["place"].movedim(2, 0), side).movedim(0, 2)
    for name in [name for name in arrays if ".expected." in name]:
        pixels = arrays[name].reshape(*learnt.mean.shape[:2], -1).movedim(2, 0)
        arrays[name] = _resized(pixels, side).flatten(1).T.reshape(-1, *arrays[name].shape[1:])
    arrays |= {"mean": mean, "variance": variance, "weight": weight}
    new.load_state_dict(arrays)
    return new


def _resized(values: Tensor, side: int) -> Tensor:
    """Values (k, q, q) of the places of a patch, for patches of another side."""
    if values.shape[1] == side:
        return values
    return interpolate(values[None], (side, side), mode="bilinear", align_corners=False)[0]
