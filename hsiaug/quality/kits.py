"""Samples of a generator outside a trial, for ``hsiaug generate`` and ``hsiaug inspect``, and the
sentences that it says of a scene by itself.
"""

from hsiaug.base.errors import InputError
from hsiaug.contracts import Progress, silent
from hsiaug.core.scene import Scene
from hsiaug.quality.mask_samples import MaskSamples
from hsiaug.quality.pixel_samples import PixelSamples
from hsiaug.quality.synthesis import AnySynthesis, SampleRequest, Synthesis, sample_spec
from hsiaug.registry.lookup import Registry, registry
from hsiaug.tasks.draws import PixelDraws
from hsiaug.tasks.task import get_task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.machine import resolve_device
from hsiaug.trial.trial_run import SceneContext, TrialRun

SampleKit = PixelSamples | MaskSamples


def sample_kit(task: str) -> SampleKit:
    """The kit of the task of that name: of patches, or of tiles.

    Raises InputError where there is no such task.
    """
    of_task = get_task(task)
    return (PixelSamples if of_task.single_pixels else MaskSamples)(of_task)


def synthesise(
    kit: SampleKit,
    data: TaskData,
    request: SampleRequest,
    plugins: Registry,
    *,
    progress: Progress = silent,
    context: SceneContext | None = None,
) -> AnySynthesis:
    """Fit a generator on the training samples of a split, as a trial of these settings does, and
    sample it.

    Parameters
    ----------
    context : SceneContext or None
        Context of these data, and a store's cache for fits; requests that differ in ω alone share
        one fit of it. None = a new one without a cache.

    Raises
    ------
    InputError
        For a generator or counts that make no sample, an unknown name, or a number out of
        range.
    """
    generator, spec = sample_spec(kit.task.name, data, request, plugins)
    context = context or SceneContext(data, get_task(kit.task.name))
    devices = {"generator": resolve_device(request.device, generator.card)}
    run = TrialRun(spec, context, generator=generator, devices=devices, progress=progress)
    synthetic, fitted, seconds = kit.draw(run, request)
    facts = kit.facts(spec, generator.card, request, len(synthetic))
    return Synthesis(
        data=data,
        split=run.views.split,
        spec=spec,
        card=generator.card,
        fitted=fitted,
        real=run.view.real,
        synthetic=synthetic,
        seconds=seconds,
        facts={"source": request.source, **facts} if request.source else facts,
    )


def scene_sentences(scene: Scene, generator: str, seed: int = 0) -> str:
    """The automatic sentences of a split of a scene, as a file that the generator reads.

    They say what the training pixels of the split show, and no test label.

    Parameters
    ----------
    scene : Scene
        With labels.
    generator : str
        Name of one that reads text.
    seed : int
        Number of the split, of the usual protocol.

    Raises
    ------
    InputError
        For a generator that reads no text, or writes no sentences.
    """
    plugin, spec = sample_spec("pixels", scene, SampleRequest(generator, seed=seed), registry())
    write = getattr(plugin, "write_sentences", None)
    if not callable(write):
        raise InputError(
            "`sentences` must name a generator that writes sentences of a scene",
            value=repr(generator),
            hint="'hsiaug plugins list' shows which generators read text.",
        )
    draws = PixelDraws()
    split = draws.split(scene, spec.protocol, seed, spec.patch)
    sentences: str = write(draws.view(scene, split, plugin.card.scope))
    return f"# Sentences of split {seed} ({spec.protocol.text}) by {generator}.\n{sentences}"
