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
from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.options import option, refuse_typed
from hsiaug.cli.output import console, print_lines, print_table, say_written

if TYPE_CHECKING:
    from rich.console import Console

    from hsiaug.metrics.measures import Measure
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.prompt_fidelity import PromptFidelity
    from hsiaug.quality.synthesis import AnySynthesis, Inspection, SampleRequest

HEADER = ("", "synthetic", "95 %", "held-out", "training", "permuted", "unit", "good is", "n")
Row = tuple[Any, ...]


def inspect(
    ctx: typer.Context,
    scene: Annotated[
        str,
        typer.Argument(
            metavar="SCENE",
            help="A scene of 'hsiaug datasets list', a card (TOML), a folder; the hash of a record"
            " of a benchmark; or samples (.npz) that 'hsiaug generate' wrote.",
        ),
    ],
    out: Annotated[Path, option("Folder of the pictures and of quality.json.", metavar="FOLDER")],
    generator: options.GeneratorName = None,
    omega: options.Omegas = None,
    set_: options.Setting = None,
    store: options.StoreDir = Path(defaults.STORE),
) -> None:
    """Measure whether synthetic samples resemble real ones, fit their labels, or are copies.

    Examples:
      hsiaug inspect indian_pines --generator smote --out look
      hsiaug inspect indian_pines --generator txt2hsi --omega 0,0.5,1,2,4 --out look
      hsiaug inspect 3fa9 --out look
      hsiaug inspect samples.npz --out look
      hsiaug inspect oscd --generator specdm --out look

    Writes a contact sheet (real held-out samples, synthetic ones, and the nearest training
    samples), spectra, principal components or the most likely copies, and quality.json. Every
    number comes with that of real held-out samples; docs/quality.md explains them. Several ω add
    curves over ω. Test pixels and their labels are read after the fit, so do not choose a generator
    by these numbers on the same split.
    """
    one_thread()
    folder = _checked_folder(out)
    if Path(scene).suffix.lower() == ".npz":
        refuse_typed(
            ctx,
            ("generator", "omega", "set_"),
            "a file of samples states how they were made",
            "Leave them out, or name a scene.",
        )
        inspected = _inspect_file(Path(scene))
    else:
        inspected = _inspect_scene(ctx, omega)
    say_written(_write_files(inspected, folder))
    _print_inspection(inspected, console())


@dataclass(frozen=True, eq=False)
class InspectedSamples:
    """Samples, and what was measured of them.

    Attributes
    ----------
    report : Inspection
        Of the samples at the first ω.
    points : sequence of mapping
        Points of curves over ω; empty for a single ω.
    prompt_fidelity : PromptFidelity or None
        Whether samples show what prompts say; None of a generator that takes none.
    prompts : tuple of str
        Those of the sheet of prompts.
    """

    report: Inspection
    points: Sequence[Mapping[str, Any]] = ()
    prompt_fidelity: PromptFidelity | None = None
    prompts: tuple[str, ...] = ()


def _checked_folder(out: Path) -> Path:
    """The folder for pictures, which may not be there yet."""
    from hsiaug.quality.export import check_folder

    if out.suffix and not out.is_dir():
        hint = f"For example --out {out.with_suffix('')}."
        raise InputError("--out must be a folder", value=repr(str(out)), hint=hint)
    check_folder(out)
    return out


def _inspect_file(path: Path) -> InspectedSamples:
    """Measure the samples of a file."""
    from hsiaug.quality.export import read_samples
    from hsiaug.quality.kits import sample_kit

    synthesis: AnySynthesis = read_samples(path)
    return InspectedSamples(sample_kit(synthesis.spec.task).inspect(synthesis))


def _inspect_scene(ctx: typer.Context, omega: str | None) -> InspectedSamples:
    """Make samples at each ω, as typed, and measure them."""
    from hsiaug.bench.ranges import numbers
    from hsiaug.cli.generate import make_samples
    from hsiaug.protocol.balance import check_omega
    from hsiaug.quality.contact_sheets import sheet_prompts
    from hsiaug.quality.prompt_fidelity import PromptScene, measure_fidelity

    strengths = [] if omega is None else list(dict.fromkeys(numbers("--omega", omega)))
    for strength in strengths:
        check_omega(strength)

    def check(kit: SampleKit, request: SampleRequest) -> None:
        if len(strengths) > 1 and not kit.compares_strengths:
            rule = "curves over ω are drawn for single pixels"
            raise InputError(rule, value=f"--omega {omega}", hint="Name one ω for masks.")

    kit, syntheses = make_samples(ctx, check, strengths or [None])
    first = next(syntheses)
    scene = PromptScene.of(first)
    fidelity = None if scene is None else measure_fidelity(first, scene)
    prompts = [] if scene is None else sheet_prompts(first, scene.layouts)
    report = kit.inspect(first)
    points = report.guided if len(strengths) > 1 else []
    for synthesis in syntheses:
        points += kit.inspect(synthesis).guided
    return InspectedSamples(report, points, fidelity, tuple(prompts))


def _write_files(inspected: InspectedSamples, folder: Path) -> list[Path]:
    """Pictures, curves over ω and ``quality.json``; their paths."""
    from pandas import DataFrame

    from hsiaug.quality.contact_sheets import prompt_sheet
    from hsiaug.quality.figures import guidance_figure, save_figures

    pictures = inspected.report.pictures()
    content = inspected.report.as_json()
    if inspected.prompts:
        pictures = {"prompts": prompt_sheet(inspected.report.made, inspected.prompts), **pictures}
    if inspected.prompt_fidelity:
        content["prompt_fidelity"] = inspected.prompt_fidelity.as_json()
    if inspected.points:
        pictures["guidance"] = guidance_figure(inspected.points)
        content["guidance"] = list(inspected.points)
    with file_errors(
        f"--out {folder} must be a folder that can be written to", "Name another folder."
    ):
        folder.mkdir(exist_ok=True)
    files = save_figures(pictures, folder)
    if inspected.points:
        table = DataFrame(inspected.points).to_csv(index=False)
        files.append(write_text_whole(folder / "guidance.csv", table))
    files.append(write_text_whole(folder / "quality.json", json_of(content, indent=1) + "\n"))
    return files


# What is printed


def _print_inspection(inspected: InspectedSamples, screen: Console) -> None:
    """A table of all measures, then what they come to in a few lines."""
    report = inspected.report
    print_table(screen, HEADER, map(_measure_row, report.measures))
    if inspected.prompt_fidelity:
        _print_prompts(screen, inspected.prompt_fidelity)
    if inspected.points:
        strengths = dict.fromkeys(point["omega"] for point in inspected.points)
        header = ("guidance", "held-out", *(f"ω={omega:g}" for omega in strengths))
        print_table(screen, header, _guidance_rows(inspected.points))
    print_lines(screen, (*report.remarks, *report.verdict))


def _measure_row(measure: Measure) -> Row:
    from hsiaug.report.formatting import MISSING, measured

    interval = "–".join(map(measured, measure.interval)) if measure.interval else MISSING
    return (
        measure.label,
        measure.note if measure.note and measure.value is None else measured(measure.value),
        interval,
        *map(measured, (measure.held_out, measure.training, measure.permuted)),
        measure.unit,
        measure.better,
        measure.n,
    )


def _print_prompts(screen: Console, found: PromptFidelity) -> None:
    """A table of what samples show of what their prompts say, and how good its judge is."""
    from hsiaug.quality.prompt_fidelity import LABELS, OMEGAS
    from hsiaug.report.formatting import measured

    header = ("prompt fidelity", "real", *(f"ω={omega:g}" for omega in OMEGAS), "prompts")
    rows = [
        (LABELS[rate.name], measured(rate.real), *map(measured, rate.values), rate.n)
        for rate in found.rates
    ]
    print_table(screen, header, rows)
    right = f"{100 * found.oracle_right:.0f} %"
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
