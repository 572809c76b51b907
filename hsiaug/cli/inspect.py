"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

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
from hsiaug.cli.options import option
from hsiaug.cli.output import console, print_lines, print_table, say_written

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.quality.attention import AttentionMaps, MapScore
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.prompt_fidelity import PromptFidelity
    from hsiaug.quality.synthesis import AnySynthesis, SampleRequest


LAYOUT = ("layout", "synthetic", "95 %", "held-out", "training", "shuffled", "unit", "good is", "n")
MEASURES = ("fidelity", "synthetic", "reference (held-out)", "unit", "good is", "n")
RECONSTRUCTION = ("encoded and decoded", "held-out", "training", "unit")
SCORES = ("reliability", "synthetic", "ceiling", "floor", "unit", "r", "wrong labels", "95 %")
ATTENTION = ("attention against the region of the class", "AUC", "±", "IoU", "n")
Row = tuple[Any, ...]


def inspect(
    ctx: typer.Context,
    scene: options.SceneRef,
    out: Annotated[Path, option("Folder of the pictures and of quality.json.", metavar="FOLDER")],
    generator: options.GeneratorName = None,
    lam: options.Lambda = 1.0,
    omega: options.Omegas = None,
    protocol: options.AnyProtocol = None,
    seed: options.Seed = 0,
    set_: options.Setting = None,
    store: options.StoreDir = Path(defaults.STORE),
    task: options.Task = None,
    patch: options.Patch = None,
    preset: options.Preset = defaults.PRESET,
    attention: Annotated[
        bool, option("Draw where a generator that reads text looks for each word.")
    ] = False,
) -> None:
    """Look at synthetic samples: are they like real ones, do their labels fit, are they copies?

    Examples:
      hsiaug inspect indian_pines --generator smote --out look
      hsiaug inspect indian_pines --generator txt2hsi --omega 0,0.5,1,2,4 --out look
      hsiaug inspect oscd --generator specdm --out look

    Writes a contact sheet first: real held-out samples next to synthetic ones, and the training
    samples nearest to these. Then spectra, principal components or the likeliest copies, and
    quality.json. Every number comes with what real held-out samples reach; docs/quality.md says
    how to read them. Several ω add curves over ω. Test pixels and their labels are read after the
    fit: a diagnosis, not to be used to choose a generator on the same split.
    """
    compute_here()
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


def _checked_folder(out: Path) -> Path:
    """The folder for pictures, which may not be there yet."""
    from hsiaug.quality.export import check_folder

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
