"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors, write_text_whole
from hsiaug.base.text import json_of
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.computing import compute_here
from hsiaug.cli.inspect_print import InspectedSamples, print_inspection
from hsiaug.cli.options import given, option, refuse_typed
from hsiaug.cli.output import console, say_written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.synthesis import SampleRequest

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
        from hsiaug.cli.inspect_suite import inspect_suite

        inspect_suite(
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
    print_inspection(inspection, console())


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
    from hsiaug.quality.prompt_sheet import sheet_prompts
    from hsiaug.quality.said_seen import PromptScene, measure_said
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
    said = None if scene is None else measure_said(first, scene)
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
