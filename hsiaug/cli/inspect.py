"""``hsiaug inspect``: pictures and numbers of a generator's samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hsiaug.base.errors import InputError
from hsiaug.base.files import file_errors, write_text_whole
from hsiaug.base.text import json_of
from hsiaug.base.threads import one_thread
from hsiaug.bench import defaults
from hsiaug.cli import options
from hsiaug.cli.options import given, option, refuse_typed
from hsiaug.cli.output import console, print_lines, print_table, say_written

if TYPE_CHECKING:
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.synthesis import GuidedMeasure, SampleRequest

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
    one_thread()
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
    if out is None:
        raise InputError("--out must name a folder", hint="Add --out look.")
    if out.suffix and not out.is_dir():
        hint = f"For example --out {out.with_suffix('')}."
        raise InputError("--out must be a folder", value=repr(str(out)), hint=hint)
    from pandas import DataFrame

    from hsiaug.bench.ranges import numbers
    from hsiaug.cli.generate import make_samples
    from hsiaug.protocol.balance import check_omega
    from hsiaug.quality.attention import LABELS as ATTENTION_LABELS
    from hsiaug.quality.attention import draw_attention, look_at_attention, score_maps
    from hsiaug.quality.export import check_folder
    from hsiaug.quality.figures import guidance_figure, save_figures
    from hsiaug.report.labels import layout_row, measured, wrong_labels

    check_folder(out)
    strengths = [] if omega is None else list(dict.fromkeys(numbers("--omega", omega)))
    for strength in strengths:
        check_omega(strength)

    def check(kit: SampleKit, request: SampleRequest) -> None:
        if len(strengths) > 1 and not kit.task.single_pixels:
            rule = "curves over ω are drawn for single pixels"
            raise InputError(rule, value=f"--omega {omega}", hint="Name one ω for masks.")

    kit, makes = make_samples(ctx.params, check, strengths or [None], attention=attention)
    first = next(makes)
    attention_maps = look_at_attention(first) if attention else None
    report = kit.inspect(first)
    points = report.guided if len(strengths) > 1 else []
    for synthesis in makes:
        points += kit.inspect(synthesis).guided
    pictures, content = report.pictures(), report.as_json()
    if points:
        pictures["guidance"] = guidance_figure(points)
        content["guidance"] = [vars(point) for point in points]
    map_scores = score_maps(attention_maps, first) if attention_maps else {}
    if attention_maps:
        pictures["attention"] = draw_attention(attention_maps, first)
        content["attention"] = {name: score and vars(score) for name, score in map_scores.items()}
    with file_errors(
        f"--out {out} must be a folder that can be written to", "Name another folder."
    ):
        out.mkdir(exist_ok=True)
    files = save_figures(pictures, out)
    if points:
        table = DataFrame(map(vars, points)).to_csv(index=False)
        files.append(write_text_whole(out / "guidance.csv", table))
    files.append(write_text_whole(out / "quality.json", json_of(content, indent=1) + "\n"))
    say_written(files)
    screen = console()
    if report.layout.measures:
        print_table(screen, LAYOUT, map(layout_row, report.layout.measures))
    rows = (
        (
            m.label,
            m.note if m.value is None else measured(m.value),
            measured(m.floor),
            m.unit,
            m.better,
            m.n,
        )
        for m in report.fidelity.measures
    )
    print_table(screen, MEASURES, rows)
    judged = []
    for score in report.reliability.scores:
        interval = (
            None
            if score.wrong_interval is None
            else "{:.0f}–{:.0f} %".format(*score.wrong_interval)
        )
        values = map(measured, (score.value, score.ceiling, score.floor))
        judged.append(
            (score.label, *values, score.unit, measured(score.r), wrong_labels(score), interval)
        )
    print_table(screen, SCORES, judged)
    if report.reconstruction:
        print_table(
            screen,
            RECONSTRUCTION,
            (
                (
                    measure.label,
                    measured(measure.held_out),
                    measured(measure.training),
                    measure.unit,
                )
                for measure in report.reconstruction
            ),
        )
    if map_scores:
        attended = (
            (
                ATTENTION_LABELS[name],
                *((None,) * 3 if score is None else (score.auc, score.half, score.iou)),
                0 if score is None else score.n,
            )
            for name, score in map_scores.items()
        )
        print_table(screen, ATTENTION, attended)
    if points:
        curves: dict[str, list[GuidedMeasure]] = {}
        for point in points:
            curves.setdefault(f"{point.measure.replace('_', ' ')} {point.unit}".strip(), []).append(
                point
            )
        guided = (
            (
                name,
                measured(points_of_curve[0].reference),
                *(measured(point.value) for point in points_of_curve),
            )
            for name, points_of_curve in curves.items()
        )
        print_table(
            screen, ("guidance", "held-out", *(f"ω={strength:g}" for strength in strengths)), guided
        )
    print_lines(screen, (*report.remarks, *report.verdict))
