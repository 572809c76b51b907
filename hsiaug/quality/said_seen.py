"""Said and seen: whether samples show what their prompts say.

A generator that reads prompts is asked for patches in plain words, as a user would type them. An
oracle of held-out pixels names the pixels of the samples. Beside each rate stands that of real
patches which show the same by the oracle's other half, and what is seen where it is not said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import PromptReading
from hsiaug.core.sides import side_masks
from hsiaug.tasks.draws import PixelDraws
from hsiaug.trial.oracle import Oracle
from hsiaug.trial.prompts import (
    Amounts,
    SceneLayouts,
    choose_prompts,
    find_layouts,
    prompt_names,
    reads_prompts,
    sample_prompts,
)
from hsiaug.trial.said_seen import LABELS, asked_counts, real_rates, seen_rates

OMEGAS = (0.0, 1.0, 3.0)
"""Guidance strengths that are compared."""
AMOUNTS = Amounts()
"""What a generator is asked for at each."""
PER_PROMPT = 16
"""Samples of a typed prompt."""


@dataclass(frozen=True)
class SeenRate:
    """A rate of what is seen.

    Attributes
    ----------
    name : str
        One of LABELS.
    values : tuple of float or None
        At each of OMEGAS; None where nothing could be asked for.
    real : float or None
        The same of real patches.
    n : int
        Prompts, each sampled several times.
    """

    name: str
    values: tuple[float | None, ...]
    real: float | None
    n: int


@dataclass(frozen=True, eq=False)
class SaidSeen:
    """All rates, and how reliable their judge is.

    Attributes
    ----------
    oracle_right : float
        Share of held-out pixels that the oracle names rightly, mean over classes.
    """

    rates: tuple[SeenRate, ...]
    oracle_right: float

    def as_json(self) -> dict[str, Any]:
        """The content of quality.json."""
        return {
            "omegas": list(OMEGAS),
            "oracle_right": self.oracle_right,
            "rates": [vars(rate) for rate in self.rates],
        }

    def get(self, name: str) -> SeenRate | None:
        """The rate of a name."""
        return next((rate for rate in self.rates if rate.name == name), None)


@dataclass(frozen=True, eq=False)
class PromptScene:
    """What prompts of a fitted generator are judged by, found once.

    Attributes
    ----------
    oracle : Oracle
        Of the draw. It reads test labels: a diagnosis after the fit.
    layouts : SceneLayouts
        That real patches of the scene show, by the half of the oracle that judges nothing.
    """

    oracle: Oracle
    layouts: SceneLayouts

    @classmethod
    def of(cls, made: Any) -> Self | None:
        """Of a fitted generator and what it was fitted on; None of one that takes no prompts.

        Parameters
        ----------
        made : PixelSynthesis
            A fitted generator, and what it was fitted on.
        """
        if not reads_prompts(made.fitted):
            return None
        held_out = PixelDraws().test_classes(made.split)
        oracle = Oracle.of(made.data.pixels, held_out, made.split.hidden)
        return cls(oracle, find_layouts(trained_names(made), oracle.scene_map, made.split.patch))


def trained_names(made: Any) -> dict[int, str]:
    """{class id: the words that name it}, of the classes with training pixels that a fitted
    generator understands.
    """
    return prompt_names(made.fitted, np.unique(made.real.y).tolist(), made.data.class_names)


def measure_said(made: Any, scene: PromptScene) -> SaidSeen | None:
    """What samples show of what is said; None where no class can be named.

    Parameters
    ----------
    made : PixelSynthesis
        A fitted generator that takes prompts, and what it was fitted on.
    scene : PromptScene
        Of these.
    """
    layouts, oracle = scene.layouts, scene.oracle
    if not layouts.names:
        return None
    prompts = choose_prompts(made.fitted, layouts, AMOUNTS)
    at_omegas = [
        sample_prompts(made.fitted, prompts, omega, derive_seed("said and seen", omega))[1]
        for omega in OMEGAS
    ]
    seen = [seen_rates(samples, oracle) for samples in at_omegas]
    real = real_rates(at_omegas[0], layouts, oracle, made.data.cube)
    counts = asked_counts(at_omegas[0])
    rates = tuple(
        SeenRate(name, tuple(rates.get(name) for rates in seen), real.get(name), counts[name])
        for name in LABELS
    )
    return SaidSeen(rates, oracle.right)


@dataclass(frozen=True)
class PromptSeen:
    """What samples of a prompt show of it.

    Attributes
    ----------
    prompt : str
        As typed.
    reading : PromptReading
        What the generator understood.
    centre : float
        Share of samples whose centre is the class of the prompt.
    places : tuple of (str, int, float, float)
        Each place that was said, the class there, and the share of these pixels that are of it:
        where it was said, and in samples of the class alone.
    """

    prompt: str
    reading: PromptReading
    centre: float
    places: tuple[tuple[str, int, float, float], ...]


def see_prompts(
    made: Any, scene: PromptScene, prompts: Sequence[str], omega: float
) -> list[PromptSeen]:
    """How much of typed prompts is seen in samples, said and not said.

    Parameters
    ----------
    made : PixelSynthesis
        With a fitted generator that takes prompts.
    scene : PromptScene
        Of it.
    prompts : sequence of str
        Of which the generator can make patches.
    omega : float
        Guidance strength.
    """
    seed = derive_seed("said and seen", omega)

    def named(text: str) -> NDArray[np.int64]:
        samples = made.fitted.sample_prompts([text] * PER_PROMPT, guidance=omega, seed=seed)
        return scene.oracle.name_patches(samples.x)

    seen = []
    for prompt, reading in zip(prompts, made.fitted.read_prompts(prompts), strict=True):
        said, alone = named(prompt), named(scene.layouts.names[reading.centre])
        middle = said.shape[1] // 2
        masks = {**side_masks(said.shape[1]), **_other_masks(said.shape[1])}
        places = tuple(
            (
                where,
                class_id,
                *(float((names[:, masks[where]] == class_id).mean()) for names in (said, alone)),
            )
            for where, class_id in reading.places
        )
        centre = float((said[:, middle, middle] == reading.centre).mean())
        seen.append(PromptSeen(prompt, reading, centre, places))
    return seen


def _other_masks(side: int) -> dict[str, NDArray[np.bool_]]:
    """Masks of the places that are no side: the outermost pixels, and all but the centre."""
    around = np.ones((side, side), dtype=bool)
    around[1:-1, 1:-1] = False
    beside = np.ones((side, side), dtype=bool)
    beside[side // 2, side // 2] = False
    return {"around": around, "beside": beside}
