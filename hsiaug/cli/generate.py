"""``hsiaug generate``: synthetic samples of a generator, in one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError
from hsiaug.bench import defaults
from hsiaug.bench.ranges import settings
from hsiaug.cli import options
from hsiaug.cli.computing import compute_here
from hsiaug.cli.options import option
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
    scene: options.SceneRef,
    out: Annotated[
        Path,
        option(
            "File to write: .npz or .mat; of centre spectra .csv or .sli (ENVI spectral library);"
            " for masks a new folder.",
            metavar="FILE",
        ),
    ],
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    omega: options.Omega = None,
    prompt: Annotated[
        list[str] | None,
        option(
            "A sentence on what samples show: the class in the centre, and what lies round it;"
            " repeat for more. Only classes in the centre of one are made.",
            metavar="TEXT",
        ),
    ] = None,
    pairs: Annotated[
        int | None,
        option("For masks: image–mask pairs, in place of λ.", "--pairs", "-n", metavar="N"),
    ] = None,
    mask: Annotated[
        list[Path] | None,
        option(
            "For masks: a mask of your own (PNG, GeoTIFF, npy) with the codes of the labels, which"
            " an image is made for; repeat for more.",
            metavar="FILE",
        ),
    ] = None,
    show: Annotated[
        str,
        option(
            "For masks: classes that the pairs are to show, an equal part of them each.",
            metavar="CLASS,…",
        ),
    ] = "",
    agreement: Annotated[
        float,
        option(
            "For masks: leave out pairs of which probes of training pixels confirm less, 0 to 1.",
            metavar="SHARE",
            default=0,
            min=0,
            max=1,
        ),
    ] = 0.0,
    with_real: Annotated[
        bool, option("Write the real training samples first.", "--with-real")
    ] = False,
    protocol: options.AnyProtocol = None,
    seed: options.Seed = 0,
    set_: options.Setting = None,
    store: options.StoreDir = Path(defaults.STORE),
    task: options.Task = None,
    patch: options.Patch = None,
    preset: options.Preset = defaults.PRESET,
) -> None:
    """Export the synthetic samples that a benchmark trains on, with their labels and provenance.

    Examples:
      hsiaug generate indian_pines --generator smote --lambda 1 --out aug.npz
      hsiaug generate indian_pines --generator mixup --with-real --protocol kshot:10 --out train.mat
      hsiaug generate indian_pines --generator txt2hsi --prompt "wheat beside woods" --out wheat.npz
      hsiaug generate my_scene.toml --task segmentation -n 200 --show track,pond --out rare
      hsiaug generate my_scene.toml --task segmentation --generator specdm --mask plan.png --out new

    The same split, seeds and pool as a trial with these settings, bit for bit; a slow fit is taken
    from the store, or kept there. Arrays: x (n, B, p, p) in scene units, y, synthetic, coords,
    weight, class_names, and provenance as JSON text. Of masks: a folder of images (GeoTIFF), masks
    (PNG), a contact sheet, a card that 'hsiaug benchmark' reads, and a manifest, which says how
    well masks and images agree (measured on held-out tiles: a diagnosis, like 'hsiaug inspect').
    """
    compute_here()
    from hsiaug.data.catalogue import check_spared

    def check(kit: SampleKit, request: SampleRequest) -> None:
        kit.check(request, out)
        check_spared(
            scene, [out, out.with_suffix(".hdr")] if out.suffix.lower() == ".sli" else [out]
        )

    class_names = tuple(word.strip() for word in show.split(",")) if show else ()
    kit, (synthesis,) = make_samples(
        ctx.params,
        check,
        [omega],
        count=pairs,
        show=class_names,
        agreement=agreement,
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
            say("  new: training never said this")
        say(f"  seen: centre in {100 * seen.centre:.0f} % of samples")
        for where, class_id, said, alone in seen.places:
            say(
                f"  seen: {names[class_id - 1]} in {100 * said:.0f} % of the pixels {where};"
                f" {100 * alone:.0f} % where it is not said"
            )
    say(
        "An oracle of held-out labels looked at these; it names"
        f" {100 * scene.oracle.right:.0f} % of other held-out pixels rightly."
    )


def _say_cost(task: str, data: TaskData, request: SampleRequest, context: SceneContext) -> None:
    """Say how long the generator takes to learn, unless it is quick or its fit is saved."""
    from hsiaug.bench.costs import write_duration
    from hsiaug.quality.synthesis import sample_spec
    from hsiaug.registry.lookup import registry
    from hsiaug.trial.saved_fits import has_fit

    generator, spec = sample_spec(task, data, request, registry())
    card = generator.card
    saved = context.folder is not None and has_fit(context.folder, spec)
    # The seconds of a card are those of the usual preset.
    if saved or card.seconds < WORTH_SAYING or request.preset != defaults.PRESET:
        return
    say(
        f"{card.name} learns for about {write_duration(card.seconds)}; the fit is kept in"
        f" {context.folder}",
        err=True,
    )


FIELDS = ("lam", "seed", "patch", "preset")
"""Options that stand in a request as they are."""


def make_samples(
    typed: Mapping[str, Any],
    check: Callable[[SampleKit, SampleRequest], None] = lambda kit, request: None,
    omegas: Sequence[float | None] = (None,),
    **fields: Any,
) -> tuple[SampleKit, Iterator[AnySynthesis]]:
    """The functions of a task, and the samples of the generator that a command was asked for, at
    one ω after the other.

    Parameters
    ----------
    typed : mapping of str to object
        Options of the command by parameter.
    check : callable
        Refuses a request before anything is made.
    fields : object
        Fields of the request beside those.

    Raises
    ------
    InputError
        For a protocol that there is not, and where ``--set`` names another plugin.
    """
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task, task_of
    from hsiaug.trial.trial_run import SceneContext

    kit = sample_kit(task_of(typed["scene"], typed["task"]))
    name = typed["generator"] or kit.task.settings.generators[0]
    overrides = settings(typed["set_"] or ())
    if others := sorted(overrides.keys() - {name}):
        hint = f"Here: {name}."
        raise InputError(
            "--set must name the generator of this command", value=repr(others[0]), hint=hint
        )
    rule = None if typed["protocol"] is None else parse_protocol(typed["protocol"])
    fields |= {key: typed[key] for key in FIELDS}
    card = Path(typed["scene"])
    fields["source"] = str(card.resolve()) if card.exists() else typed["scene"]
    request = SampleRequest(name, rule, overrides=overrides.get(name, {}), **fields)
    check(kit, request)
    data = kit.task.data.load(typed["scene"])

    def each() -> Iterator[AnySynthesis]:
        context = SceneContext(data, get_task(kit.task.name), Path(typed["store"]) / "cache")
        for omega in omegas:
            guided = replace(request, omega=omega)
            _say_cost(kit.task.name, data, guided, context)
            with show_progress(console(err=True), name) as progress:
                synthesis = synthesise(
                    kit, data, guided, registry(), progress=progress, context=context
                )
            yield synthesis

    return kit, each()
