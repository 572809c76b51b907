"""What is learnt in a split: names of pixels, the words of the classes, and the denoiser under
sentences on them.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hsiaug.api import Progress, TrainView, derive_seed
from hsiaug_builtin.diffusion.training import TrainingRun, bf16_is_faster, randomness, train
from hsiaug_builtin.txt2hsi.denoiser import Denoiser
from hsiaug_builtin.txt2hsi.facts import withheld_facts
from hsiaug_builtin.txt2hsi.fitted import FittedTxt2Hsi
from hsiaug_builtin.txt2hsi.groups import PixelLooks, pixel_features
from hsiaug_builtin.txt2hsi.lessons import NamedMap, Teaching, choose_centres
from hsiaug_builtin.txt2hsi.lfue import Statistics
from hsiaug_builtin.txt2hsi.measured import Measure
from hsiaug_builtin.txt2hsi.naming import NamedPixels, name_pixels, remainder_of
from hsiaug_builtin.txt2hsi.params import Txt2HsiParams
from hsiaug_builtin.txt2hsi.prepare import Codec, PreparedScene, loss_of, loss_of_lesson
from hsiaug_builtin.txt2hsi.reader import Reader
from hsiaug_builtin.txt2hsi.spread import Spread, coefficients_of_patches
from hsiaug_builtin.txt2hsi.words import ClassWords, regress

FACTS_PER_CLASS = 600
"""Patches of a class whose facts are kept for sentences, at most."""


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
    """Everything that ``txt2hsi`` learns from the labels of a split."""
    words = ClassWords.of(view, params.text, params.encoder)
    pixels = name_pixels(view, params)
    run = TrainingRun(seed, device, progress, checkpoint)
    codec = Codec.of(view, scene.vae, device)
    with torch.inference_mode():
        looks = PixelLooks.of(view, codec.field.latents, codec.scale)
    features = pixel_features(codec.field.latents)
    named = NamedMap.of(pixels.map, view.patch, looks)
    denoiser = read_words(scene.denoiser, features, pixels, words)
    embedded = torch.tensor(words.embedded, device=device)
    teaching = Teaching(codec.field, params.rpsc, params.layout, withheld_facts)
    centres = np.concatenate(list(pixels.every.values()))
    error = loss_of(denoiser, params, device)

    def loss(step: int) -> Tensor:
        torch_rng = randomness(seed, step)
        rng = np.random.default_rng(derive_seed("batch", seed, step))
        at = choose_centres(named, centres, 1.0, params.network.batch, rng)
        lesson = teaching.lesson(named, at, words.choose, rng, torch_rng)
        return loss_of_lesson(error, lesson, denoiser.noun(embedded), torch_rng)

    denoiser = train(
        denoiser,
        loss,
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
    }
    rng = np.random.default_rng(derive_seed("facts", seed))
    facts_of = {c: named.facts(at, view.patch) for c, at in pixels.every.items()}
    return FittedTxt2Hsi(
        params=params,
        vae=scene.vae,
        denoiser=denoiser,
        remainder=remainder_of(view, scene.vae, pixels.every, seed),
        words=words,
        facts_of={c: rng.permutation(rows)[:FACTS_PER_CLASS] for c, rows in facts_of.items()},
        statistics=Statistics.of_patches(codec.field.cut, pixels.every, facts_of),
        spread=Spread.of_patches(coefficients_of_patches(codec.field.cut, pixels.every, rng)),
        reader=Reader.fit(codec.field.latents, pixels.map),
        normaliser=view.normaliser,
        measure=Measure.fit(view, pixels.every, seed),
        facts=facts,
        device=device,
    )


@torch.no_grad()
def read_words(
    scene: Denoiser,
    features: Tensor,
    pixels: NamedPixels,
    words: ClassWords,
) -> Denoiser:
    """A copy of the scene's denoiser that reads the phrases of the classes, as nouns of their
    pixels.

    Parameters
    ----------
    features : Tensor (H, W, F)
        Of each pixel of the scene, as an example of a noun.
    """
    denoiser = copy.deepcopy(scene).requires_grad_(True)
    device = str(features.device)
    examples = pixels.every
    at = np.concatenate(list(examples.values()))
    group = np.repeat(np.array(list(examples)), [len(of_class) for of_class in examples.values()])
    nouns = scene.examples.of_pixels(features, at, group, len(words.count))
    of_phrase = words.class_of_phrase()
    named = np.isin(of_phrase, list(examples))
    rows = torch.from_numpy(of_phrase[named]).to(device)
    denoiser.noun = regress(torch.tensor(words.embedded[named], device=device), nouns[rows])
    return denoiser
