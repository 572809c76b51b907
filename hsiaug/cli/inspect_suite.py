"""``hsiaug inspect --suite``: measures and pictures of the samples of a suite."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.output import console, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hsiaug.quality.attention import AttentionMaps
    from hsiaug.quality.suite_samples import AskedSamples
    from hsiaug.quality.synthesis import AnySynthesis, Inspection
    from hsiaug.trial.trial_run import SceneContext


def inspect_suite(
    ref: str,
    *,
    profile: str | None,
    data: str | None,
    store: Path | None,
    device: str,
    out: Path | None,
) -> None:
    """Measure the samples that the claims and tables of a suite ask for, and keep the measures in
    the store; with ``out``, draw those of the first draw of each arm.

    Raises InputError for a suite that asks for none.
    """
    from hsiaug.bench.suite import declared_tables
    from hsiaug.quality.export import check_folder
    from hsiaug.quality.figures import save_figures
    from hsiaug.quality.kits import sample_kit
    from hsiaug.quality.mask_samples import compare_pairs, few_pairs
    from hsiaug.quality.suite_samples import asked_samples
    from hsiaug.trial.sample_measures import read_measures

    if out is not None:
        check_folder(out)
    suite, plans = options.planned_suite(ref, profile, data)
    declared = declared_tables(suite, plans, ref, profile, data)
    to_inspect = asked_samples(declared, plans)
    if not to_inspect:
        rule = "a suite must declare a claim or a table that speaks of samples to be inspected"
        hint = "Name a scene and a generator in its place."
        raise InputError(rule, value=ref, hint=hint)
    root = store or suite.store or Path(defaults.STORE)
    pictured: set[tuple[str, str, str]] = set()
    pairs_by_place: dict[tuple[str, str], dict[str, AnySynthesis]] = {}
    context: SceneContext | None = None
    for number, samples in enumerate(to_inspect, start=1):
        trial = samples.trial
        place = (samples.arm, trial.scene, trial.protocol.text)
        draws_pictures = out is not None and place not in pictured
        stored = read_measures(root, trial.samples_hash)
        if not draws_pictures and all(name in stored for name in samples.measures):
            continue
        title = f"{samples.arm}, {trial.scene}, {trial.protocol.text}, draw {trial.seed}"
        context = _context_of(samples, context, root)
        inspection, attention_maps = _look(samples, context, root, device)
        if out is not None and draws_pictures:
            pictured.add(place)
            _save_pictures(out, place, inspection, attention_maps)
            if sample_kit(samples.plan.task.name).compares_arms:
                pairs_by_place.setdefault(place[1:], {})[samples.arm] = few_pairs(inspection.made)
        say(f"[{number}/{len(to_inspect)}] {title}: measured", err=True)
    if out is not None:
        for scene_and_protocol, makes in pairs_by_place.items():
            figure = compare_pairs([makes[arm] for arm in suite.file.arms if arm in makes])
            save_figures({f"compared-{_file_name(scene_and_protocol)}": figure}, out)
    say(f"measures: {root / 'quality'}")
    say(f"next: hsiaug report {declared.options} --store {shlex.quote(str(root))}")


def _context_of(samples: AskedSamples, context: SceneContext | None, root: Path) -> SceneContext:
    """The context of the samples' data, that of the samples before where it is the same."""
    from hsiaug.trial.trial_run import SceneContext

    if (
        context is not None
        and context.scene is samples.plan.scene
        and context.task is samples.plan.task
    ):
        return context
    return SceneContext(samples.plan.scene, samples.plan.task, root / "cache")


def _look(
    samples: AskedSamples, context: SceneContext, root: Path, device: str
) -> tuple[Inspection, AttentionMaps | None]:
    """Make samples, and keep their measures in the store. The maps of attention are those that a
    measure is taken of.
    """
    from hsiaug.quality.attention import look_at_attention
    from hsiaug.quality.kits import sample_kit, synthesise_trial
    from hsiaug.quality.suite_samples import ATTENTION, measure_samples
    from hsiaug.registry.lookup import registry
    from hsiaug.registry.progress import show_progress
    from hsiaug.trial.sample_measures import write_measures

    kit = sample_kit(samples.plan.task.name)
    with show_progress(console(err=True), samples.trial.generator.name) as progress:
        synthesis = synthesise_trial(
            kit,
            samples.plan.scene,
            samples.trial,
            registry(),
            device=device,
            progress=progress,
            context=context,
        )
    inspection = kit.inspect(synthesis)
    attention_maps = look_at_attention(synthesis) if ATTENTION in samples.measures else None
    measures = measure_samples(inspection, samples.measures, attention_maps)
    with file_errors(
        f"the store {root} must be a folder that can be written to", "Name another store."
    ):
        write_measures(root, samples.trial.samples_hash, measures, synthesis.provenance())
    return inspection, attention_maps


def _save_pictures(
    out: Path,
    place: Sequence[str],
    inspection: Inspection,
    attention_maps: AttentionMaps | None,
) -> None:
    """The figures of an inspection in a folder of the arm, the data and the protocol."""
    from hsiaug.quality.attention import draw_attention
    from hsiaug.quality.figures import save_figures

    pictures = inspection.pictures()
    if attention_maps:
        pictures["attention"] = draw_attention(attention_maps, inspection.made)
    folder = out / _file_name(place)
    with file_errors(
        f"--out {out} must be a folder that can be written to", "Name another folder."
    ):
        folder.mkdir(parents=True, exist_ok=True)
    save_figures(pictures, folder)


def _file_name(parts: Sequence[str]) -> str:
    """A name of a file or folder of the parts."""
    return "-".join(re.sub(r"\W+", "_", part) for part in parts)
