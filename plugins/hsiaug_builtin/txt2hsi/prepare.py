"""What is learnt once for a scene, without a label: the VAE, and the denoiser under sentences on
groups of alike pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import PluginError, Progress, TrainView, derive_seed, load_state, save_state
from hsiaug_builtin.diffusion.training import TrainingRun, bf16_is_faster, randomness, train
from hsiaug_builtin.nets import state
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.facts import Ids
from hsiaug_builtin.txt2hsi.field import LEAST_VARIANCE, CoefficientSums, Field, spectra_at
from hsiaug_builtin.txt2hsi.frequencies import to_frequencies
from hsiaug_builtin.txt2hsi.groups import (
    EXAMPLES,
    LEAST_EXAMPLES,
    WINDOWED,
    PixelLooks,
    find_groups,
    pixel_features,
)
from hsiaug_builtin.txt2hsi.lessons import Lesson, NamedMap, Teaching, choose_centres
from hsiaug_builtin.txt2hsi.params import (
    LEAST_CHANNEL_WEIGHT,
    LOG_SIGMA,
    CodecParams,
    Txt2HsiParams,
)
from hsiaug_builtin.txt2hsi.vae import CodecLoss, Vae, difference_axes, fit_vae

VAE_PIXELS = 200_000
"""Pixels that the VAE learns from, at most."""
EVEN = 0.5
"""Share of the patches of a step that is drawn evenly over groups; the rest evenly over pixels."""


@dataclass(frozen=True, eq=False)
class PreparedScene:
    """The VAE of a scene, and the denoiser.

    Attributes
    ----------
    params : Txt2HsiParams
        Those that were read.
    origin : str
        "learnt", or where else the network comes from.
    """

    params: Txt2HsiParams
    vae: Vae
    denoiser: Denoiser
    origin: str = "learnt"

    def save(self, folder: Path) -> None:
        """Write everything as safetensors and JSON."""
        facts = {"params": asdict(self.params), "origin": self.origin}
        save_state(folder, state.weights(vae=self.vae, denoiser=self.denoiser), facts)

    @classmethod
    def restore(cls, folder: Path, device: str) -> PreparedScene:
        """Read what `save` wrote."""
        arrays, facts = load_state(folder)
        params = Txt2HsiParams(**facts["params"])
        vae = restore_vae(arrays, params.network.vae_width, device)
        return cls(params, vae, restore_denoiser(arrays, params, device), facts["origin"])


def restore_vae(arrays: Mapping[str, NDArray[Any]], width: int, device: str) -> Vae:
    """The VAE among saved arrays.

    Parameters
    ----------
    width : int
        Channels inside it.
    """
    latent, bands = arrays["vae.into.weight"].shape
    return state.restore("vae", arrays, lambda: Vae(bands, latent, width), device)


def restore_denoiser(
    arrays: Mapping[str, NDArray[Any]], params: Txt2HsiParams, device: str
) -> Denoiser:
    """The denoiser among saved arrays."""
    mean, variance, weight = (
        torch.tensor(arrays[f"denoiser.{name}"]) for name in ("mean", "variance", "weight")
    )
    text = arrays["denoiser.noun.weight"].shape[1]
    return state.restore(
        "denoiser",
        arrays,
        lambda: untrained_denoiser(mean, variance, weight, params, text),
        device,
    )


def untrained_denoiser(
    mean: Tensor, variance: Tensor, weight: Tensor, params: Txt2HsiParams, text: int = 1
) -> Denoiser:
    """A denoiser of the size that the params name.

    Parameters
    ----------
    mean, variance : Tensor (p, p, d)
        Of the coefficients of all patches.
    weight : Tensor (d,)
        What an error counts in each channel.
    text : int
        Features of an embedded phrase; any, where no words are read.
    """
    size = params.network
    return Denoiser(
        mean,
        variance,
        weight,
        width=size.width,
        depth=size.depth,
        features=2 * len(weight),
        text=text,
    )


def loss_of(denoiser: Denoiser, params: Txt2HsiParams, device: str) -> Callable[..., Tensor]:
    """Its loss, compiled on a GPU where the size says so."""
    if not (params.network.compiled and device.startswith("cuda")):
        return denoiser.loss
    compiled: Callable[..., Tensor] = torch.compile(denoiser.loss)
    return compiled


def loss_of_lesson(
    error: Callable[..., Tensor], lesson: Lesson, nouns: Tensor, rng: torch.Generator
) -> Tensor:
    """The loss of a denoiser, as of :func:`loss_of`, on the patches of a lesson with new noise."""
    x = to_frequencies(lesson.latents)
    device = str(x.device)
    sigma = noise_levels_of(len(x), rng, device)
    noise = normal(x.shape, rng, device)
    return error(x, sigma, lesson.said, noise, nouns, lesson.own)


@dataclass(frozen=True, eq=False)
class Codec:
    """A VAE with the scene as it encodes it.

    Attributes
    ----------
    scale : Tensor (d,)
        Deviations of the spectra along the channels; their squares sum to 1.
    """

    vae: Vae
    field: Field
    scale: Tensor

    @classmethod
    @torch.inference_mode()
    def of(cls, view: TrainView, vae: Vae, device: str) -> Codec:
        """The scene as a view shows it, encoded."""
        deviations = torch.tensor(view.normaliser.std, device=device)
        scale = (vae.back.weight * deviations[:, None]).norm(dim=0)
        return cls(vae, Field.of(view, vae, device), scale / scale.norm())


def learn_codec(view: TrainView, params: CodecParams, run: TrainingRun) -> Codec:
    """The VAE of a scene.

    Raises
    ------
    PluginError
        Where no pixel has a wholly visible patch.
    """
    if not len(view.unlabelled):
        raise PluginError(
            "txt2hsi needs pixels whose whole patch is visible",
            value=f"none, with patches of {view.patch} pixels",
            hint="Use smaller patches (`--patch`), or hide less of the scene.",
        )
    rng = np.random.default_rng(run.seed)
    vae = fit_vae(codec_of(view, params, rng, run.device), params, run)
    with torch.inference_mode():
        vae.rotate(difference_axes(Field.of(view, vae, run.device).latents))
    return Codec.of(view, vae, run.device)


def patch_moments(codec: Codec, view: TrainView) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance (p, p, d) of the coefficients of all patches of a scene, and what an error
    counts in each channel (d,).
    """
    one_group = torch.zeros(len(view.unlabelled), dtype=torch.int64)
    with torch.inference_mode():
        sums = CoefficientSums.of(codec.field.cut, view.unlabelled, one_group, 1)
        mean, variance = sums.moments
    weight = channel_weights(codec.field.latents)
    # Made outside of inference mode, as a network with these is trained.
    return mean.clone(), variance.clamp(min=LEAST_VARIANCE).clone(), weight.clone()


def learn_scene(
    view: TrainView,
    params: Txt2HsiParams,
    *,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
) -> PreparedScene:
    """Everything that needs no label.

    Parameters
    ----------
    view : TrainView
        Without labels, see `hsiaug.api.Generator`.
    """
    run = TrainingRun(seed, device, progress, checkpoint)
    codec = learn_codec(view, params, run)
    moments = patch_moments(codec, view)
    denoiser = fresh(lambda: untrained_denoiser(*moments, params), seed).to(device)
    lessons = GroupLessons.of(view, codec, params, seed)
    error = loss_of(denoiser, params, device)
    size = params.network

    def loss(step: int) -> Tensor:
        torch_rng = randomness(seed, step)
        rng = np.random.default_rng(derive_seed("scene batch", seed, step))
        nouns = lessons.nouns(rng)
        lesson = lessons.teaching.lesson(
            nouns.named,
            nouns.choose(size.scene_batch, rng),
            lambda names, _: names.astype(np.int64),
            rng,
            torch_rng,
        )
        vectors = denoiser.examples.of_pixels(
            lessons.features, nouns.examples, nouns.group, nouns.count
        )
        return loss_of_lesson(error, lesson, vectors, torch_rng)

    denoiser = train(
        denoiser,
        loss,
        steps=params.scene_steps,
        rate=size.scene_rate,
        progress=progress,
        note="denoiser of the scene",
        ema=size.scene_ema,
        half=bf16_is_faster(device),
        fused=True,
        checkpoint=run.file("scene"),
    )
    return PreparedScene(params, codec.vae, denoiser)


@dataclass(frozen=True, eq=False)
class GroupNouns:
    """The nouns of one step: groups of a window of the scene.

    Attributes
    ----------
    named : NamedMap
        Of all groups of one size.
    pixels : (m, 2) int64
        Pixels of the window that patches may be cut round.
    examples : (E, 2) int64
        Pixels that stand for the nouns.
    group : (E,) int64
        The noun of each.
    count : int
        Nouns, those without examples among them.
    """

    named: NamedMap
    pixels: NDArray[np.int64]
    examples: NDArray[np.int64]
    group: NDArray[np.int64]
    count: int

    def choose(self, count: int, rng: np.random.Generator) -> NDArray[np.integer]:
        """Pixels (count, 2) that patches are cut round."""
        return choose_centres(self.named, self.pixels, EVEN, count, rng)


@dataclass(frozen=True, eq=False)
class GroupLessons:
    """Lessons on groups of alike pixels.

    Attributes
    ----------
    maps : tuple of (H, W) int16
        Groups of several sizes, see :func:`find_groups`.
    named : tuple of NamedMap
        The same, to cut patches of.
    features : (H, W, F) Tensor
        Of each pixel, as an example.
    usable : (H, W) bool
        Pixels that patches may be cut round.
    """

    teaching: Teaching
    maps: tuple[Ids, ...]
    named: tuple[NamedMap, ...]
    features: Tensor
    usable: NDArray[np.bool_]

    @classmethod
    @torch.inference_mode()
    def of(cls, view: TrainView, codec: Codec, params: Txt2HsiParams, seed: int) -> GroupLessons:
        """Of a view without labels."""
        latents = codec.field.latents
        maps = find_groups(latents, codec.scale, view.visible, seed)
        looks = PixelLooks.of(view, latents, codec.scale)
        usable = np.zeros(view.visible.shape, dtype=bool)
        usable[tuple(view.unlabelled.T)] = True
        return cls(
            Teaching(codec.field, params.rpsc, params.layout),
            tuple(maps),
            tuple(NamedMap.of(names, view.patch, looks) for names in maps),
            pixel_features(latents).clone(),
            usable,
        )

    def nouns(self, rng: np.random.Generator) -> GroupNouns:
        """Groups of one size, in the whole scene or in a window of it."""
        number = int(rng.integers(len(self.maps)))
        names = self.maps[number]
        window = (
            _window(names.shape, rng) if rng.random() < WINDOWED else (slice(None), slice(None))
        )
        inside = np.zeros(names.shape, dtype=bool)
        inside[window] = True
        known = np.argwhere(inside & (names >= 0))
        of_pixel = names[tuple(known.T)].astype(np.int64)
        enough = np.bincount(of_pixel, minlength=1) >= LEAST_EXAMPLES
        here = enough[of_pixel] & self.usable[tuple(known.T)]
        if not here.any():
            known = np.argwhere(names >= 0)
            of_pixel = names[tuple(known.T)].astype(np.int64)
            here = self.usable[tuple(known.T)]
        mixed = rng.permutation(len(known))
        ranked = mixed[np.argsort(of_pixel[mixed], kind="stable")]
        first = np.searchsorted(of_pixel[ranked], np.arange(of_pixel.max() + 1))
        rank = np.arange(len(ranked)) - first[of_pixel[ranked]]
        chosen = ranked[rank < EXAMPLES]
        return GroupNouns(
            self.named[number],
            known[here],
            known[chosen],
            of_pixel[chosen],
            int(names.max()) + 1,
        )


def _window(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[slice, slice]:
    """A random window of a scene, 30 to 70 % of each side."""
    slices = []
    for length in shape:
        side = max(1, round(length * rng.uniform(0.3, 0.7)))
        start = int(rng.integers(length - side + 1))
        slices.append(slice(start, start + side))
    return slices[0], slices[1]


def channel_weights(latents: Tensor) -> Tensor:
    """What errors count in each channel, (d,): the more, the more neighbouring pixels are alike.

    A channel of noise alone has no layout that could be learnt.
    """
    squares = latents.square()
    alike = torch.zeros(latents.shape[2], device=latents.device)
    pairs = ((latents[1:], latents[:-1]), (latents[:, 1:], latents[:, :-1]))
    for first, second in pairs:
        products = (first * second).nanmean(dim=(0, 1))
        alike += products / (2 * squares.nanmean(dim=(0, 1)).clamp(min=1e-12))
    weight = alike.nan_to_num().clamp(min=LEAST_CHANNEL_WEIGHT)
    return (weight / weight.mean()).cpu()


def codec_of(
    view: TrainView, params: CodecParams, rng: np.random.Generator, device: str
) -> CodecLoss:
    """The loss of the VAE on visible pixels of a view, the same whatever the units of the cube."""
    visible = np.argwhere(view.visible)
    pixels = visible[rng.choice(len(visible), size=min(VAE_PIXELS, len(visible)), replace=False)]
    spectra = spectra_at(view, pixels)
    # A constant band is 0 everywhere; its deviation is said to be 1, whatever the units.
    varying = spectra.any(axis=0)
    deviations = view.normaliser.std[varying].astype(np.float64)
    unit = float(np.sqrt(np.mean(deviations**2))) if varying.any() else 1.0
    scale = np.where(varying, view.normaliser.std / unit, 1.0).astype(np.float32)
    return CodecLoss(
        torch.tensor(spectra, device=device),
        torch.tensor(view.normaliser.mean / unit, device=device),
        torch.tensor(scale, device=device),
        params.network.vae_batch,
    )


def noise_levels_of(count: int, rng: torch.Generator, device: str) -> Tensor:
    """Log-normal noise levels of training, (count,) (Karras et al. 2022, table 1)."""
    mean, std = LOG_SIGMA
    return to_device((mean + std * torch.randn(count, generator=rng)).exp(), device)
