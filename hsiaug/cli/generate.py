"""``hsiaug generate``: synthetic samples of a generator, in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.bench.ranges import settings
from hsiaug.cli import options
from hsiaug.cli.options import given, option, refuse_typed
from hsiaug.cli.output import console, print_table, say
from hsiaug.registry.progress import show_progress

if TYPE_CHECKING:
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.synthesis import AnySynthesis, SampleRequest
    from hsiaug.tasks.types import TaskData
    from hsiaug.trial.trial_run import SceneContext

WORTH_SAYING = 10.0
"""Seconds: what learns for longer is said before it begins."""


def generate(
    ctx: typer.Context,
    scene: options.SceneOrHash,
    out: Annotated[
        Path,
        option(
            "File to write: .npz or .mat; for centre spectra .csv or .sli (ENVI spectral library);"
            " for masks a new folder.",
            metavar="FILE",
        ),
    ],
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    omega: options.Omega = None,
    set_: options.Setting = None,
    prompt: Annotated[
        list[str] | None,
        option(
            "Describe the samples in a sentence: the class in the centre and what surrounds it;"
            " repeat for more. Makes samples of these classes only.",
            metavar="TEXT",
        ),
    ] = None,
    pairs: Annotated[
        int | None,
        option("For masks: number of pairs, instead of λ.", "--pairs", "-n", metavar="N"),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        option(
            "For masks: make an image for this mask (PNG, GeoTIFF, npy) with the codes of the"
            " labels; repeat for more.",
            metavar="FILE",
        ),
    ] = None,
    show: Annotated[
        str,
        option(
            "For masks: classes that the pairs must show, each in an equal part of them.",
            metavar="CLASS,…",
        ),
    ] = "",
    with_real: Annotated[
        bool, option("Write the real training samples first.", "--with-real")
    ] = False,
    store: options.StoreDir = Path(defaults.STORE),
) -> None:
    """Write synthetic samples of a generator to a file, with their labels and provenance.

    Examples:
      hsiaug generate indian_pines --generator smote --lambda 1 --out aug.npz
      hsiaug generate 3fa9 --with-real --out train.mat
      hsiaug generate indian_pines --generator txt2hsi --prompt "wheat beside woods" --out wheat.npz
      hsiaug generate my_scene.toml --generator specdm -n 200 --show track,pond --out rare
      hsiaug generate my_scene.toml --generator specdm --mask plan.png --out new

    For a scene, learns from the training samples of split 0, exactly as a trial does. For a record
    (its hash, or the beginning of it), repeats its trial; a slow fit is taken from the store.
    Arrays: x (n, B, p, p) in scene units, y, synthetic, coords, weight, class_names, and provenance
    as JSON text. For masks: a folder of images (GeoTIFF), masks (PNG), a contact sheet, a card that
    'hsiaug benchmark' reads, and a manifest with measures of how well masks and images agree (on
    held-out tiles, so do not choose a generator by them on the same split).
    """
    one_thread()
    from hsiaug.data.catalogue import check_spared

    def check(kit: SampleKit, request: SampleRequest) -> None:
        kit.check(request, out)
        header = [out.with_suffix(".hdr")] if out.suffix.lower() == ".sli" else []
        check_spared(request.source, [out, *header])

    class_names = tuple(word.strip() for word in show.split(",")) if show else ()
    kit, (synthesis,) = make_samples(
        ctx,
        check,
        [omega],
        count=pairs,
        show=class_names,
        prompts=tuple(prompt or ()),
        masks=tuple(mask or ()),
    )
    written = kit.save(out, synthesis, with_real=with_real)
    form = ".1f" if kit.unit else "d"
    counted = ("real" if with_real else "real in the file", "synthetic")
    rows = [
        (row.class_id, row.name, f"{row.real:{form}}", f"{row.synthetic:{form}}")
        for row in kit.classes(synthesis, with_real=with_real)
    ]
    print_table(
        console(),
        # Without --with-real no real sample is written, which the number alone would not say.
        ("class", "name", *(" ".join(f"{which} {kit.unit}".split()) for which in counted)),
        rows,
    )
    if prompt:
        _print_seen(synthesis, tuple(prompt))
    for line in written:
        say(line, err=True)


def _print_seen(synthesis: AnySynthesis, prompts: Sequence[str]) -> None:
    """What was understood of each prompt, and how much of it samples show."""
    from hsiaug.quality.prompt_fidelity import PromptScene, see_prompts

    scene = PromptScene.of(synthesis)
    # Prompts of a generator that takes none were refused before it was fitted.
    assert scene is not None
    names = synthesis.data.class_names
    for seen in see_prompts(synthesis, scene, prompts, synthesis.spec.omega or 0.0):
        say(f"prompt: {seen.prompt}")
        say(f"  understood: {seen.reading.text}")
        for word, name in seen.reading.synonyms:
            say(f"  {word} is read as {name}")
        if seen.reading.ignored:
            say(f"  not used: {', '.join(seen.reading.ignored)}")
        if seen.reading.never_said:
            say("  new: no text in training had this")
        say(f"  seen: centre in {100 * seen.centre:.0f} % of samples")
        for where, class_id, said, alone in seen.places:
            say(
                f"  seen: {names[class_id - 1]} in {100 * said:.0f} % of the pixels {where};"
                f" {100 * alone:.0f} % if it is not named"
            )
    say(
        "An oracle of held-out labels looked at these; it names"
        f" {100 * scene.oracle.right:.0f} % of other held-out pixels rightly."
    )


def _say_cost(task: str, data: TaskData, request: SampleRequest, context: SceneContext) -> None:
    """Say how long the generator takes to learn, unless it is quick or its fit is saved."""
    from hsiaug.bench.groups import write_duration
    from hsiaug.quality.synthesis import sample_spec
    from hsiaug.registry.lookup import registry
    from hsiaug.trial.saved_fits import has_fit

    generator, spec = sample_spec(task, data, request, registry())
    card = generator.card
    saved = context.folder is not None and has_fit(context.folder, spec)
    if saved or card.seconds < WORTH_SAYING:
        return
    say(
        f"{card.name} learns for about {write_duration(card.seconds)}; the fit is kept in"
        f" {context.folder}",
        err=True,
    )


def make_samples(
    ctx: typer.Context,
    check: Callable[[SampleKit, SampleRequest], None] = lambda kit, request: None,
    omegas: Sequence[float | None] = (None,),
    **fields: Any,
) -> tuple[SampleKit, Iterator[AnySynthesis]]:
    """The functions of a task, and the samples that a command was asked for, of a generator on a
    scene or of a record, at one ω after the other.

    Parameters
    ----------
    check : callable
        Refuses a request before anything is made.
    omegas : sequence of float or None
        None = that of the record, or the generator's own.
    fields : object
        Fields of the request beside those.

    Raises
    ------
    InputError
        Where ``--set`` names another plugin, and for options that a record states.
    """
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.trial_run import SceneContext

    typed = ctx.params
    if options.is_hash(typed["scene"]):
        refuse_typed(ctx, ("generator", "set_"), "a record states its generator", "Leave them out.")
        scene, task, request = _request_of_record(typed["scene"], typed["store"])
        if "lam" in typed and given(ctx, ["lam"]):
            request = replace(request, lam=typed["lam"])
    else:
        scene, task, request = _request_of_options(typed)
    kit = sample_kit(task)
    card = Path(scene)
    request = replace(request, source=str(card.resolve()) if card.exists() else scene, **fields)
    check(kit, request)
    data = kit.task.data.load(scene)

    def each() -> Iterator[AnySynthesis]:
        context = SceneContext(data, get_task(task), Path(typed["store"]) / "cache")
        for omega in omegas:
            guided = request if omega is None else replace(request, omega=omega)
            _say_cost(task, data, guided, context)
            with show_progress(console(err=True), request.generator) as progress:
                yield synthesise(kit, data, guided, registry(), progress=progress, context=context)

    return kit, each()


def _request_of_options(typed: Mapping[str, Any]) -> tuple[str, str, SampleRequest]:
    """Scene, task, and samples of the generator that is named, on the usual split of seed 0."""
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.tasks.task import get_task

    scene, name = typed["scene"], typed["generator"]
    task = options.task_for(scene, generators=[name] if name else [])
    name = name or get_task(task).settings.generators[0]
    overrides = settings(typed["set_"] or ())
    if others := sorted(overrides.keys() - {name}):
        rule = "--set must name the generator of this command"
        raise InputError(rule, value=repr(others[0]), hint=f"Here: {name}.")
    lam = typed.get("lam", 1.0)
    return (
        scene,
        task,
        SampleRequest(name, lam=lam, preset=defaults.PRESET, overrides=overrides.get(name, {})),
    )


def _request_of_record(hash: str, store: Path) -> tuple[str, str, SampleRequest]:
    """Scene, task, and the samples that the trial of a record learnt from."""
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.refit import spec_of
    from hsiaug.trial.spec import changed_params
    from hsiaug.trial.store import Store

    record = Store(store).find(hash, "SCENE")
    scene, task = record["scene_ref"], record["spec"]["task"]
    trial = spec_of(record, get_task(task).data.load(scene), registry())
    request = SampleRequest(
        trial.generator.name,
        trial.protocol,
        lam=trial.rate.lam,
        times=trial.rate.times,
        omega=trial.omega,
        seed=trial.seed,
        patch=trial.patch,
        overrides=changed_params(trial.generator),
    )
    return scene, task, request
