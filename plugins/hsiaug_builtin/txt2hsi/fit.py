"""What is learnt in a draw: pseudo-labels, the texts' codes, and the denoiser under texts."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hsiaug.api import Progress, TrainView, derive_seed
from hsiaug_builtin.diffusion.training import Run, bf16_is_faster, randomness, train
from hsiaug_builtin.nets.seeded import fresh, normal, to_device
from hsiaug_builtin.teacher.choice import choose_trusted
from hsiaug_builtin.teacher.teacher import teach
from hsiaug_builtin.txt2hsi.codebook import Moments
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.field import Field, spectra_at
from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi, Prior
from hsiaug_builtin.txt2hsi.kept import measure_kept
from hsiaug_builtin.txt2hsi.lfue import perturb
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.params import CLIPPED, DROP, NO_CODE, PERTURBED, PSEUDO_MOST, PSEUDO_SHARE, Params
from hsiaug_builtin.txt2hsi.prepare import (
    PreparedScene,
    codec_of,
    condition,
    denoiser_of,
    draw_levels,
    loss_of,
    turn_patches,
)
from hsiaug_builtin.txt2hsi.rpsc import clip
from hsiaug_builtin.txt2hsi.texts import Texts, encode_prompts
from hsiaug_builtin.txt2hsi.vae import Remainder, add_class_term


def learn(
    view: TrainView,
    params: Params,
    seed: int,
    device: str,
    progress: Progress,
    checkpoint: Path | None,
    scene: PreparedScene,
) -> FittedTxt2Hsi:
    """Everything that ``txt2hsi`` learns from the labels of a draw."""
    texts = encode_prompts(view, params.text, params.encoder)
    labelled = {c: view.coords[view.y == c] for c in view.counts}
    pseudo: Mapping[int, NDArray[np.int32]] = {}
    if params.pseudo and len(view.unlabelled):
        votes = teach(view)
        rows = choose_trusted(votes.shares, PSEUDO_SHARE, PSEUDO_MOST, among=votes.attached)
        pseudo = {c: votes.pixels[own] for c, own in zip(votes.classes.tolist(), rows, strict=True)}
    named = {c: np.concatenate([own, pseudo[c]]) if c in pseudo else own for c, own in labelled.items()}
    run = Run(seed, device, progress, checkpoint)
    spectra = [torch.tensor(spectra_at(view, own), device=device) for own in named.values()]
    if params.class_weight:
        codec = codec_of(view, params, np.random.default_rng(seed), device)
        scene = replace(scene, vae=add_class_term(scene.vae, codec, spectra, params.class_weight, run))
    field = Field.of(view, scene.vae, device)
    left = [scene.vae.left_out(own) for own in spectra]
    prior = Prior.fit({c: scene.codes[own[:, 0], own[:, 1]] for c, own in named.items()})
    remainder = Remainder.of_classes(left, seed)
    moments = scene.moments.with_classes(scene.tokens, field.cut, scene.codes, named, len(view.class_names))
    denoiser = _with_texts(scene, moments, texts, seed).to(device)
    batches = Batches(field, scene, named, view.unlabelled, params)
    denoiser = train(
        denoiser,
        TextLoss(loss_of(denoiser, params, device), scene, texts.to(device), batches, seed),
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
        "pseudo_labelled": {str(c): len(pixels) for c, pixels in pseudo.items()},
        "codec": measure_kept(view, scene.vae, named, seed),
    }
    starts = {c: pseudo[c] if len(pseudo.get(c, ())) else own for c, own in labelled.items()}
    return FittedTxt2Hsi(
        params=params,
        scene=scene,
        denoiser=denoiser,
        remainder=remainder,
        texts=texts,
        prior=prior,
        normaliser=view.normaliser,
        measure=Measure.fit(view, named, seed),
        facts=facts,
        device=device,
        starts={c: view.patches(own) for c, own in starts.items()} if params.strength < 1 else {},
    )


def _with_texts(scene: PreparedScene, moments: Moments, texts: Texts, seed: int) -> Denoiser:
    """The denoiser of the scene, with moments of classes, which listens to texts too; at first they change nothing."""
    size = texts.tokens.shape[2]
    denoiser = fresh(lambda: denoiser_of(scene.params, scene.tokens, moments, size), seed)
    buffers = dict(denoiser.named_buffers())
    known = {key: value.cpu() for key, value in scene.denoiser.state_dict().items() if key not in buffers}
    denoiser.load_state_dict({**denoiser.state_dict(), **copy.deepcopy(known)})
    return denoiser


@dataclass(frozen=True, eq=False)
class Batches:
    """Draws patches of random classes, then ones without a label, as latents.

    named: {class id: (m, 2) pixels}; pool: (m, 2) unlabelled pixels, may be empty.
    """

    field: Field
    scene: PreparedScene
    named: Mapping[int, NDArray[np.int32]]
    pool: NDArray[np.int32]
    params: Params

    def draw(self, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Latents (n, p, p, d), the class id of each, 0 where it has none, and its code; the last two on the CPU."""
        batch, ids = self.params.network.batch, sorted(self.named)
        free = round(batch * self.params.unlabelled) if len(self.pool) else 0
        classes = [ids[i] for i in rng.integers(len(ids), size=batch - free)]
        coords = [self.named[c][rng.integers(len(self.named[c]))] for c in classes]
        coords += list(self.pool[rng.integers(len(self.pool), size=free)]) if free else []
        at = np.stack(coords)
        z = self.field.cut(at)
        if self.params.rpsc:
            donors = z[to_device(torch.from_numpy(rng.permutation(len(z))), z.device)]
            z = clip(z.movedim(3, 1), donors.movedim(3, 1), CLIPPED, rng).movedim(1, 3)
        code = torch.from_numpy(self.scene.codes[at[:, 0], at[:, 1]].astype(np.int64))
        return turn_patches(z, rng), torch.tensor([*classes, *[0] * free]), code


@dataclass(frozen=True, eq=False)
class TextLoss:
    """The denoiser's loss on patches with their class's text and code (dropped at times), and on others with their code.

    loss: of the denoiser. texts: on its device.
    """

    loss: Callable[..., Tensor]
    scene: PreparedScene
    texts: Texts
    batches: Batches
    seed: int

    def __call__(self, step: int) -> Tensor:
        """The loss on a batch that depends on the seed and the step alone."""
        draw = randomness(self.seed, step)
        rng = np.random.default_rng(derive_seed("batch", self.seed, step))
        z, label, code = self.batches.draw(rng)
        if self.batches.params.lfue and rng.random() < PERTURBED:
            z = perturb(z.movedim(3, 1), label, draw).movedim(1, 3)
        dropped = torch.rand(len(z), generator=draw)
        code = torch.where(dropped < NO_CODE, self.scene.moments.no_code, code)
        told = (label > 0) & (dropped >= NO_CODE + DROP)
        rows = torch.full_like(label, -1)
        rows[told] = self.texts.choose(label[told], draw)
        x, device = self.scene.tokens.take(z), str(z.device)
        condition_ = condition(code, device, rows, torch.where(told, label, 0))
        return self.loss(x, draw_levels(len(x), draw, device), condition_, normal(x.shape, draw, device), self.texts)
