"""What is learnt in a draw: pseudo-labels, the texts' codes, and the denoiser under texts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import Progress, TrainView, derive_seed
from hsiaug_builtin.diffusion.training import TrainingRun, bf16_is_faster, randomness, train
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.txt2hsi.codebook import Gaussians
from hsiaug_builtin.txt2hsi.codec_quality import measure_codec
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.field import Field, spectra_at
from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi
from hsiaug_builtin.txt2hsi.frequencies import to_frequencies
from hsiaug_builtin.txt2hsi.lfue import perturb
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.naming import model_classes, name_pixels
from hsiaug_builtin.txt2hsi.params import CLIPPED, DROP, NO_CODE, PERTURBED, Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import (
    CodedScene,
    PreparedScene,
    codec_of,
    condition_on,
    loss_of,
    mirror_at_random,
    noise_levels_of,
    untrained_denoiser,
)
from hsiaug_builtin.txt2hsi.rpsc import clip
from hsiaug_builtin.txt2hsi.texts import Texts, encode_prompts
from hsiaug_builtin.txt2hsi.vae import Vae, add_class_term


def fit_txt2hsi(
    view: TrainView,
    params: Txt2HsiParams,
    scene: PreparedScene,
    *,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
) -> FittedTxt2Hsi:
    """Everything that ``txt2hsi`` learns from the labels of a draw."""
    texts = encode_prompts(view, params.text, params.encoder)
    pixels = name_pixels(view, params)
    named = pixels.every
    run = TrainingRun(seed, device, progress, checkpoint)
    coded = scene.coded
    if params.class_weight:
        coded = replace(coded, vae=_vae_with_classes(view, coded, params, named, run))
    field = Field.of(view, coded.vae, device)
    classes = model_classes(view, coded, field, named, seed)
    denoiser = _with_texts(scene.denoiser, classes.gaussians, params, texts, seed).to(device)
    batches = Batches(field, coded, named, view.unlabelled, params)
    denoiser = train(
        denoiser,
        TextLoss(loss_of(denoiser, params, device), texts.to(device), batches, seed),
        steps=params.steps,
        rate=params.rate,
        progress=progress,
        note="denoiser",
        ema=params.network.ema,
        half=bf16_is_faster(device),
        fused=True,
        checkpoint=run.file("denoiser"),
    )
    facts = {
        "prepared": scene.origin,
        "pseudo_labelled": pixels.facts,
        "codec": measure_codec(view, coded.vae, named, seed),
    }
    starts: dict[int, NDArray[np.float32]] = {}
    if params.strength < 1:
        for class_id, labelled in pixels.labelled.items():
            pseudo = pixels.pseudo.get(class_id, labelled)
            starts[class_id] = view.patches(pseudo if len(pseudo) else labelled)
    return FittedTxt2Hsi(
        params=params,
        vae=coded.vae,
        scene_denoiser=scene.denoiser,
        denoiser=denoiser,
        remainder=classes.remainder,
        texts=texts,
        prior=classes.prior,
        normaliser=view.normaliser,
        measure=Measure.fit(view, named, seed),
        facts=facts,
        device=device,
        starts=starts,
    )


def _vae_with_classes(
    view: TrainView,
    coded: CodedScene,
    params: Txt2HsiParams,
    named: Mapping[int, NDArray[np.int32]],
    run: TrainingRun,
) -> Vae:
    """The VAE of the scene, trained on with a term that keeps the draw's classes apart."""
    codec = codec_of(view, params, np.random.default_rng(run.seed), run.device)
    spectra = [
        torch.tensor(spectra_at(view, pixels), device=run.device) for pixels in named.values()
    ]
    return add_class_term(coded.vae, codec, spectra, params.class_weight, run)


def _with_texts(
    scene: Denoiser, gaussians: Gaussians, params: Txt2HsiParams, texts: Texts, seed: int
) -> Denoiser:
    """The scene's denoiser with Gaussians of classes, which reads texts; at first they change
    nothing.
    """
    size = texts.tokens.shape[2]
    denoiser = fresh(lambda: untrained_denoiser(gaussians, scene.weight.cpu(), params, size), seed)
    shared = {
        key: value.cpu().clone()
        for key, value in scene.state_dict().items()
        if not key.startswith("gaussians.")
    }
    denoiser.load_state_dict({**denoiser.state_dict(), **shared})
    return denoiser


@dataclass(frozen=True, eq=False)
class Batches:
    """Draws patches of random classes, then ones without a label, as latents.

    Attributes
    ----------
    named : mapping of int to array of int32
        {class id: (m, 2) pixels}.
    pool : (m, 2) int32
        Unlabelled pixels, may be empty.
    """

    field: Field
    coded: CodedScene
    named: Mapping[int, NDArray[np.int32]]
    pool: NDArray[np.int32]
    params: Txt2HsiParams

    def sample(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Patches (n, p, p, d); on the CPU the class id of each, 0 where it has none, and its
        code.
        """
        batch = self.params.network.batch
        ids = sorted(self.named)
        free = round(batch * self.params.unlabelled) if len(self.pool) else 0
        classes = [ids[i] for i in rng.integers(len(ids), size=batch - free)]
        coords = [self.named[c][rng.integers(len(self.named[c]))] for c in classes]
        if free:
            coords += list(self.pool[rng.integers(len(self.pool), size=free)])
        at = np.stack(coords)
        z = self.field.cut(at)
        if self.params.rpsc:
            donors = z[to_device(torch.from_numpy(rng.permutation(len(z))), z.device)]
            z = clip(z.movedim(3, 1), donors.movedim(3, 1), CLIPPED, rng).movedim(1, 3)
        code = torch.from_numpy(self.coded.codes[at[:, 0], at[:, 1]].astype(np.int64))
        return mirror_at_random(z, rng), torch.tensor([*classes, *[0] * free]), code


@dataclass(frozen=True, eq=False)
class TextLoss:
    """The denoiser's loss on patches with their class's text and code, both dropped at times.

    Attributes
    ----------
    loss : callable
        Loss of the denoiser.
    texts : Texts
        On its device.
    """

    loss: Callable[..., Tensor]
    texts: Texts
    batches: Batches
    seed: int

    def __call__(self, step: int) -> Tensor:
        """The loss on a batch that depends on the seed and the step alone."""
        torch_rng = randomness(self.seed, step)
        rng = np.random.default_rng(derive_seed("batch", self.seed, step))
        z, label, code = self.batches.sample(rng)
        if self.batches.params.lfue and rng.random() < PERTURBED:
            z = perturb(z.movedim(3, 1), label, torch_rng).movedim(1, 3)
        dropped = torch.rand(len(z), generator=torch_rng)
        code = torch.where(dropped < NO_CODE, self.batches.coded.gaussians.no_code, code)
        has_text = (label > 0) & (dropped >= NO_CODE + DROP)
        rows = torch.full_like(label, -1)
        rows[has_text] = self.texts.choose(label[has_text], torch_rng)
        device = str(z.device)
        condition = condition_on(code, device, rows, torch.where(has_text, label, 0))
        x = to_frequencies(z)
        levels = noise_levels_of(len(x), torch_rng, device)
        return self.loss(x, levels, condition, normal(x.shape, torch_rng, device), self.texts)
