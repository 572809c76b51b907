"""Samples of prompts that a trial asks its generator for beside those it trains on, if it reads
text.

They are asked for where no test label is; which of them show what was said is judged elsewhere
(:class:`hsiaug.trial.said_seen.PromptJudge`). Prompts are chosen by a map of the scene that
training pixels alone have taught.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedGenerator
from hsiaug.metrics.spectra import fit_space
from hsiaug.protocol.view import TrainView
from hsiaug.trial.oracle import AXES, WINDOW, PixelTrees, searched_places
from hsiaug.trial.plugin_calls import call_failure
from hsiaug.trial.prompts import (
    MAX_PROMPTED_BYTES,
    Amounts,
    Prompt,
    PromptedSamples,
    SceneLayouts,
    choose_prompts,
    find_layouts,
    prompt_names,
    reads_prompts,
    sample_prompts,
)
from hsiaug.trial.scene_context import Fit
from hsiaug.trial.stage_clock import StageClock
from hsiaug.trial.trial_run import TrialRun

AMOUNTS = Amounts(alone=4, triples=16, layout=4, look=2, looks=("evenness", "share"))
"""What a fit is asked for at an ω: a few hundred samples of sixteen classes."""
TREES = 50
"""Of the map that prompts are chosen by."""


@dataclass
class FitPrompts:
    """What trials of one fit share.

    Attributes
    ----------
    prompts : list of Prompt or None
        What is asked for; None where it was not chosen yet.
    at : dict
        The samples by ω; None where they could not be made.
    """

    prompts: list[Prompt] | None = None
    at: dict[float | None, PromptedSamples | None] = field(default_factory=dict)


def ask_prompts(
    run: TrialRun, fit: Fit[FittedGenerator], asked: FitPrompts, clock: StageClock
) -> PromptedSamples | None:
    """Samples of prompts at the ω of a trial; None of a generator that takes none.

    One that fails here has still made its samples: the trial goes on, with a note.

    Parameters
    ----------
    run : TrialRun
        Whose λ asks for samples.
    fit : Fit
        Its fitted generator.
    asked : FitPrompts
        What trials of the same fit asked for before; takes what is asked for now.
    clock : StageClock
        Measures it.
    """
    view, omega = run.view, run.spec.omega
    if not (reads_prompts(fit.fitted) and isinstance(view, TrainView)):
        return None
    if omega not in asked.at:
        asked.at[omega] = None
        try:
            with clock.aside("said_and_seen"):
                if asked.prompts is None:
                    asked.prompts = _prompts(run, fit.fitted, view)
                asked.at[omega] = _sampled(run, fit.fitted, view, asked.prompts)
        except Exception as error:
            failure = call_failure(error)
            run.context.note(
                "What is said and seen was not measured: asked for samples of prompts,"
                f" {run.spec.generator.name} raised {failure['type']}: {failure['message']}"
            )
        run.views.check()
    return asked.at[omega]


def _prompts(run: TrialRun, fitted: Any, view: TrainView) -> list[Prompt]:
    names = prompt_names(fitted, sorted(view.counts), run.data.class_names)
    return choose_prompts(fitted, _layouts(run, view, names), AMOUNTS)


def _layouts(run: TrialRun, view: TrainView, names: Mapping[int, str]) -> SceneLayouts:
    """Layouts of the scene, by trees that learnt from the training pixels."""
    split: Any = run.views.split
    scene: Any = run.data
    shape = scene.pixels.shape[:2]
    if view.patch < WINDOW:
        return find_layouts(names, np.full(shape, -1), view.patch)
    middle = view.patch // 2
    window = slice(middle - WINDOW // 2, middle + WINDOW // 2 + 1)
    means = view.real.x[:, :, window, window].mean(axis=(2, 3), dtype=np.float64)
    trees = PixelTrees.learn(fit_space(means, AXES), means, view.real.y, trees=TREES)
    places = searched_places(shape, split.hidden)
    return find_layouts(names, trees.map_scene(scene.pixels, places), view.patch)


def _sampled(
    run: TrialRun, fitted: Any, view: TrainView, prompts: list[Prompt]
) -> PromptedSamples | None:
    """The samples, checked as all others are; None without a prompt."""
    if not prompts:
        return None
    size = len(prompts) * view.bands * view.patch**2 * 4
    if size > MAX_PROMPTED_BYTES // 2:
        run.context.note(
            "What is said and seen was not measured: samples of prompts would take"
            f" {size >> 20} MB."
        )
        return None
    spec = run.spec
    omega = 0.0 if spec.omega is None else spec.omega
    seed = derive_seed("said and seen", spec.generator.name, spec.seed, omega)
    samples, prompted = sample_prompts(fitted, prompts, spec.omega, seed)
    run.task.sampling.check(samples, Counter(prompt.class_id for prompt in prompts), view)
    return prompted
