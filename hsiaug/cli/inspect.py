"""``hsiaug inspect``: pictures and numbers of a generator's samples, or of those of a suite."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors, write_text_whole
from hsiaug.base.text import json_of
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.computing import compute_here
from hsiaug.cli.options import given, option, refuse_typed
from hsiaug.cli.output import console, print_lines, print_table, say, say_written

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.quality.attention import AttentionMaps, MapScore
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.prompt_fidelity import PromptFidelity
    from hsiaug.quality.suite_samples import AskedSamples
    from hsiaug.quality.synthesis import AnySynthesis, Inspection, SampleRequest
    from hsiaug.trial.trial_run import SceneContext


OF_A_SCENE = (
    "task",
    "generator",
    "lam",
    "times",
    "omega",
    "protocol",
    "buffer",
    "seed",
    "patch",
    "preset",
    "set_",
    "attention",
)
"""Options that a suite says for itself, by parameter."""
LAYOUT = ("layout", "synthetic", "95 %", "held-out", "training", "shuffled", "unit", "good is", "n")
MEASURES = ("fidelity", "synthetic", "reference (held-out)", "unit", "good is", "n")
RECONSTRUCTION = ("encoded and decoded", "held-out", "training", "unit")
SCORES = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")
ATTENTION = ("attention against the region of the class", "AUC", "±", "IoU", "n")
Row = tuple[Any, ...]


def inspect(
    ctx: typer.Context,
    scene: Annotated[
        str | None,
        typer.Argument(help="A scene of 'hsiaug datasets list', a card (TOML), or a folder."),
    ] = None,
    out: Annotated[
        Path | None,
        option("Folder of the pictures and of quality.json; of a suite, of pictures alone."),
    ] = None,
    task: options.Task = None,
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    times: options.Times = None,
    omega: Annotated[
        str | None,
        option(
            "Guidance strength ω; several, as --lambda of a benchmark takes them, add curves"
            " over ω."
        ),
    ] = None,
    protocol: options.AnyProtocol = None,
    buffer: options.Buffer = None,
    seed: options.Seed = 0,
    patch: options.Patch = None,
    preset: options.Preset = defaults.PRESET,
    set_: options.Setting = None,
    device: options.Device = "auto",
    store: options.StoreDir = Path(defaults.STORE),
    attention: Annotated[
        bool, option("Draw where a generator that reads text looks for each word.")
    ] = False,
    suite: options.SuiteFile = None,
    profile: options.Profile = None,
    data: options.SuiteData = None,
) -> None:
    """Look at synthetic samples: are they like real ones, do their labels fit, are they copies?

    Writes a contact sheet first: real held-out samples beside synthetic ones, and the training
    samples nearest to these. Then spectra, principal components or the likeliest copies, and
    quality.json. Every number stands beside what real held-out samples reach; docs/quality.md says
    how to read them. Test pixels and their labels are read after the fit: a diagnosis, not to be
    used to choose a generator on the same draw. Of a suite, it measures the samples that its claims
    and tables speak of, and keeps the measures in the store, where 'hsiaug report --suite' reads
    them.

    Examples:
      hsiaug inspect indian_pines --generator smote --out look
      hsiaug inspect indian_pines --generator txt2hsi --omega 0,0.5,1,2,4 --attention --out look
      hsiaug inspect oscd --generator specdm --out look
      hsiaug inspect --suite txt2hsi_claims --out pictures
    """
    compute_here()
    if (scene is None) == (suite is None):
        typed = None if scene is None else f"{scene} and --suite {suite}"
        hint = "Name one of them; --data looks at a suite on a scene of yours."
        raise InputError("samples are of a scene or of a suite", value=typed, hint=hint)
    if suite is not None:
        refuse_typed(
            ctx,
            OF_A_SCENE,
            "a suite says for itself what its samples are",
            "Leave them out, or name a scene.",
        )
        _inspect_suite(
            suite,
            profile=profile,
            data=data,
            store=store if given(ctx, ["store"]) else None,
            device=device,
            out=out,
        )
        return
    refuse_typed(
        ctx,
        ["profile", "data"],
        "--profile and --data belong to a suite",
        "Leave them out, or name a suite.",
    )
    folder = _checked_folder(out)
    inspection = _inspect_scene(ctx.params, omega, with_attention=attention)
    say_written(_write_files(inspection, folder))
    _print_inspection(inspection, console())


@dataclass(frozen=True, eq=False)
class InspectedSamples:
    """Samples, and what was measured of them.

    Attributes
    ----------
    synthesis : AnySynthesis
        The samples, at the first ω.
    report : object
        What the task's ``inspect`` gives of them.
    strengths : tuple of float
        Every ω that was asked for.
    points : sequence of mapping
        Points of curves over ω; empty for a single ω.
    attention_maps : AttentionMaps or None
        Where the generator looks for words, if that was asked for.
    map_scores : mapping of str to MapScore or None
        Their scores by name.
    said : PromptFidelity or None
        Whether samples show what prompts say; None of a generator that takes none.
    prompts : tuple of str
        Those of the sheet of prompts.
    """

    synthesis: AnySynthesis
    report: Any
    strengths: tuple[float, ...]
    points: Sequence[Mapping[str, Any]]
    attention_maps: AttentionMaps | None
    map_scores: Mapping[str, MapScore | None]
    said: PromptFidelity | None
    prompts: tuple[str, ...]


def _checked_folder(out: Path | None) -> Path:
    """The folder for pictures, which may not be there yet."""
    from hsiaug.quality.export import check_folder

    if out is None:
        raise InputError("--out must name a folder", hint="Add --out look.")
    if out.suffix and not out.is_dir():
        hint = f"For example --out {out.with_suffix('')}."
        raise InputError("--out must be a folder", value=repr(str(out)), hint=hint)
    check_folder(out)
    return out


def _inspect_scene(
    typed: Mapping[str, Any], omega: str | None, *, with_attention: bool
) -> InspectedSamples:
    """Make samples at each ω, and measure them.

    Parameters
    ----------
    typed : mapping of str to object
        Options of the command by parameter.
    omega : str or None
        Guidance strengths, as typed.
    """
    from hsiaug.bench.ranges import numbers
    from hsiaug.cli.generate import make_samples
    from hsiaug.protocol.balance import check_omega
    from hsiaug.quality.attention import generate_layouts, look_at_attention, score_maps
    from hsiaug.quality.prompt_fidelity import PromptScene, measure_fidelity
    from hsiaug.quality.prompt_sheet import sheet_prompts
    from hsiaug.quality.synthesis import no_attention

    strengths = [] if omega is None else list(dict.fromkeys(numbers("--omega", omega)))
    for strength in strengths:
        check_omega(strength)

    def check(kit: SampleKit, request: SampleRequest) -> None:
        if len(strengths) > 1 and not kit.compares_strengths:
            rule = "curves over ω are drawn for single pixels"
            raise InputError(rule, value=f"--omega {omega}", hint="Name one ω for masks.")

    kit, syntheses = make_samples(typed, check, strengths or [None], attention=with_attention)
    first = next(syntheses)
    scene = PromptScene.of(first)
    attention_maps = None
    if with_attention:
        if scene is None:
            raise no_attention(first.card.name)
        attention_maps = look_at_attention(first, generate_layouts(first, scene))
    said = None if scene is None else measure_fidelity(first, scene)
    prompts = [] if scene is None else sheet_prompts(first, scene.layouts)
    report = kit.inspect(first)
    points = report.guided if len(strengths) > 1 else []
    for synthesis in syntheses:
        points += kit.inspect(synthesis).guided
    return InspectedSamples(
        synthesis=first,
        report=report,
        strengths=tuple(strengths),
        points=points,
        attention_maps=attention_maps,
        map_scores=score_maps(attention_maps, first) if attention_maps else {},
        said=said,
        prompts=tuple(prompts),
    )


def _write_files(inspection: InspectedSamples, folder: Path) -> list[Path]:
    """Pictures, curves over ω and ``quality.json``; their paths."""
    from pandas import DataFrame

    from hsiaug.quality.attention import GENERATED, draw_attention
    from hsiaug.quality.figures import guidance_figure, save_figures
    from hsiaug.quality.prompt_sheet import prompt_sheet

    pictures = inspection.report.pictures()
    content = inspection.report.as_json()
    if inspection.prompts:
        pictures = {"prompts": prompt_sheet(inspection.synthesis, inspection.prompts), **pictures}
    if inspection.said:
        content["said_and_seen"] = inspection.said.as_json()
    if inspection.points:
        pictures["guidance"] = guidance_figure(inspection.points)
        content["guidance"] = list(inspection.points)
    if inspection.attention_maps:
        pictures["attention"] = draw_attention(
            inspection.attention_maps, inspection.synthesis, GENERATED
        )
        content["attention"] = {
            name: score and vars(score) for name, score in inspection.map_scores.items()
        }
    with file_errors(
        f"--out {folder} must be a folder that can be written to", "Name another folder."
    ):
        folder.mkdir(exist_ok=True)
    files = save_figures(pictures, folder)
    if inspection.points:
        table = DataFrame(inspection.points).to_csv(index=False)
        files.append(write_text_whole(folder / "guidance.csv", table))
    files.append(write_text_whole(folder / "quality.json", json_of(content, indent=1) + "\n"))
    return files


# What is printed


def _print_inspection(inspection: InspectedSamples, screen: Console) -> None:
    """Print a table for each kind of measure, then what they come to in sentences."""
    from hsiaug.report.formatting import layout_row

    report = inspection.report
    if report.layout.measures:
        print_table(screen, LAYOUT, map(layout_row, report.layout.measures))
    print_table(screen, MEASURES, _fidelity_rows(report.fidelity.measures))
    print_table(screen, SCORES, _reliability_rows(report.reliability.scores))
    if report.reconstruction:
        print_table(screen, RECONSTRUCTION, _reconstruction_rows(report.reconstruction))
    if inspection.said:
        _print_said(screen, inspection.said)
    if inspection.map_scores:
        print_table(screen, ATTENTION, _attention_rows(inspection.map_scores))
    if inspection.points:
        header = ("guidance", "held-out", *(f"ω={omega:g}" for omega in inspection.strengths))
        print_table(screen, header, _guidance_rows(inspection.points))
    print_lines(screen, (*report.remarks, *report.verdict))


def _fidelity_rows(measures: Iterable[Any]) -> Iterator[Row]:
    from hsiaug.report.formatting import measured

    for measure in measures:
        yield (
            measure.label,
            measure.note if measure.value is None else measured(measure.value),
            measured(measure.floor),
            measure.unit,
            measure.better,
            measure.n,
        )


def _reliability_rows(scores: Iterable[Any]) -> Iterator[Row]:
    from hsiaug.report.formatting import measured, wrong_labels

    for score in scores:
        interval = score.wrong_interval
        yield (
            score.label,
            measured(score.value),
            measured(score.ceiling),
            measured(score.floor),
            score.unit,
            measured(score.r),
            wrong_labels(score),
            None if interval is None else "{:.0f}–{:.0f} %".format(*interval),
        )


def _reconstruction_rows(measures: Iterable[Any]) -> Iterator[Row]:
    from hsiaug.report.formatting import measured

    for measure in measures:
        yield (
            measure.label,
            measured(measure.held_out),
            measured(measure.training),
            measure.unit,
        )


def _attention_rows(scores: Mapping[str, MapScore | None]) -> Iterator[Row]:
    from hsiaug.quality.attention import LABELS

    for name, score in scores.items():
        if score is None:
            yield LABELS[name], None, None, None, 0
        else:
            yield LABELS[name], score.auc, score.half, score.iou, score.n


def _print_said(screen: Console, said: PromptFidelity) -> None:
    """A table of what samples show of what their prompts say, and how good its judge is."""
    from hsiaug.quality.prompt_fidelity import LABELS, OMEGAS
    from hsiaug.report.formatting import measured

    header = ("said and seen", "real", *(f"ω={omega:g}" for omega in OMEGAS), "prompts")
    rows = [
        (LABELS[rate.name], measured(rate.real), *map(measured, rate.values), rate.n)
        for rate in said.rates
    ]
    print_table(screen, header, rows)
    right = f"{100 * said.oracle_right:.0f} %"
    print_lines(screen, [f"The oracle of these names {right} of other held-out pixels rightly."])


def _guidance_rows(points: Iterable[Mapping[str, Any]]) -> Iterator[Row]:
    """A row per measure, with its reference and its value at each ω."""
    from hsiaug.report.formatting import measured

    curves: dict[str, list[Mapping[str, Any]]] = {}
    for point in points:
        name = f"{point['measure'].replace('_', ' ')} {point['unit']}".strip()
        curves.setdefault(name, []).append(point)
    for name, curve in curves.items():
        yield name, measured(curve[0]["reference"]), *(measured(one["value"]) for one in curve)


# Of a suite


def _inspect_suite(
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
