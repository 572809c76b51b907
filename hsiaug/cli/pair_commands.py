"""What ``hsiaug generate`` and ``hsiaug inspect`` do for image–mask pairs. Heavy to import."""

from __future__ import annotations

from pathlib import Path

from hsiaug.cli.options import SampleOptions, TaskName
from hsiaug.cli.output import print_json, print_lines, print_table, say, watched
from hsiaug.cli.quality_tables import give_report, print_quality
from hsiaug.plugins.registry import registry
from hsiaug.quality.export import made_folder
from hsiaug.quality.pair_export import check_new_folder, save_pairs
from hsiaug.quality.pair_inspection import PairInspection, inspect_pairs_of, pair_verdict, save_pair_pictures
from hsiaug.quality.pair_synthesis import MadePairs, PairRequest, make_pairs
from hsiaug.tasks.task import get_task
from hsiaug.terminal import Console

__all__ = ["generate_pairs", "inspect_pairs", "pair_request"]


def pair_request(
    task: TaskName, asked: SampleOptions, *, count: int | None = None, keep: float = 1.0, show: str | None = None
) -> PairRequest:
    """The options of both commands as they are understood. Raises InputError for what is not."""
    name = asked.generator or "specdm"
    return PairRequest(
        task=task.value,
        generator=name,
        count=count,
        lam=asked.lam,
        keep=keep,
        show=tuple(name.strip() for name in show.split(",")) if show else (),
        protocol=asked.protocol,
        buffer=asked.buffer,
        omega=asked.omega,
        seed=asked.seed,
        patch=asked.patch,
        preset=asked.preset.value,
        overrides=asked.overrides(name),
        device=asked.device,
    )


def generate_pairs(ref: str, out: Path, request: PairRequest, store: Path, *, json: bool) -> None:
    """Make pairs and write them to a folder."""
    check_new_folder(out)
    made = made_pairs(ref, request, store)
    files = save_pairs(out, made)
    _print(made, Console(), as_json=json)
    say(f"{len(made.samples)} pairs in {out}; see {files[0].name} and {files[1].name}", err=True)


def inspect_pairs(ref: str, out: Path, request: PairRequest, store: Path, *, json: bool) -> None:
    """Make λ times as many pairs as there are real ones, measure them, and write pictures and quality.json."""
    made = made_pairs(ref, request, store)
    report = inspect_pairs_of(made)
    pictures = save_pair_pictures(report, made_folder(out))
    give_report(report, out, pictures, lambda: _print_report(report, Console()), json=json)


def made_pairs(ref: str, request: PairRequest, store: Path) -> MadePairs:
    """The pairs, with a bar on a terminal."""
    data = get_task(request.task).load(ref)
    with watched(Console(stderr=True), request.generator) as progress:
        return make_pairs(data, request, registry(), folder=store / "cache", progress=progress)


def _print_report(report: PairInspection, out: Console) -> None:
    measures = (*report.fidelity.measures, *report.reliability.measures)
    print_quality(out, measures, report.reliability.scores)
    print_lines(out, (f"note: {note}" for note in (*report.fidelity.notes, *report.reliability.notes)))
    if any("≤" in score.beyond.values() for score in report.reliability.scores):
        print_lines(out, ["note: ≤ 0 %: better than real held-out tiles, the clean end of the calibration"])
    print_lines(out, pair_verdict(report))


def _print(made: MadePairs, out: Console, *, as_json: bool) -> None:
    """Share of each class in the labelled pixels, real and synthetic."""
    shares = []
    for masks in (made.view.real.masks, made.samples.masks):
        labelled = max(1, int((masks > 0).sum()))
        shares.append([float((masks == c).sum()) / labelled for c in range(1, len(made.data.class_names) + 1)])
    classes = list(enumerate(zip(made.data.class_names, *shares, strict=True), start=1))
    if as_json:
        # Fractions, as in every JSON.
        print_json(
            [{"class": c, "name": name, "real": real, "synthetic": share} for c, (name, real, share) in classes]
        )
    else:
        rows = [(str(c), name, f"{100 * real:.1f}", f"{100 * share:.1f}") for c, (name, real, share) in classes]
        print_table(out, ("class", "name", "real %", "synthetic %"), rows)
    for name in made.show:
        shown = (made.samples.masks == made.data.class_names.index(name) + 1).any(axis=(1, 2))
        say(f"{shown.sum()} of {len(shown)} pairs show {name}", err=True)
