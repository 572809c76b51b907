"""What ``hsiaug generate`` and ``hsiaug inspect`` do for image–mask pairs. Heavy to import."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console

from hsiaug.cli.benchmark import PresetName
from hsiaug.cli.generate import settings_of, watched
from hsiaug.cli.options import TaskName
from hsiaug.cli.output import print_table
from hsiaug.plugins.registry import registry
from hsiaug.quality.pair_export import check_new_folder, save_pairs
from hsiaug.quality.pairs import MadePairs, PairRequest, make_pairs
from hsiaug.trial.task import get_task

__all__ = ["generate_pairs", "pair_request"]


def pair_request(
    task: TaskName,
    generator: str | None,
    count: int | None,
    omega: float | None,
    protocol: str | None,
    buffer: str | None,
    seed: int,
    patch: int | None,
    preset: PresetName,
    settings: list[str] | None,
    device: str,
) -> PairRequest:
    """The options of both commands as they are understood. Raises InputError for what is not."""
    name = generator or "specdm"
    return PairRequest(
        task=task.value,
        generator=name,
        count=count,
        protocol=protocol,
        buffer=buffer,
        omega=omega,
        seed=seed,
        patch=patch,
        preset=preset.value,
        overrides=settings_of(name, settings),
        device=device,
    )


def generate_pairs(ref: str, out: Path, request: PairRequest, store: Path) -> None:
    """Make pairs and write them to a folder."""
    check_new_folder(out)
    made = made_pairs(ref, request, store)
    files = save_pairs(out, made)
    _print(made, Console())
    typer.echo(f"{len(made.samples)} pairs in {out}; see {files[0].name} and {files[1].name}", err=True)


def made_pairs(ref: str, request: PairRequest, store: Path) -> MadePairs:
    """The pairs, with a bar on a terminal."""
    data = get_task(request.task).load(ref)
    with watched(Console(stderr=True), request.generator) as progress:
        return make_pairs(data, request, registry(), folder=store / "cache", progress=progress)


def _print(made: MadePairs, out: Console) -> None:
    """Share of each class in the labelled pixels, real and synthetic."""
    shares = []
    for masks in (made.view.real.masks, made.samples.masks):
        labelled = max(1, int((masks > 0).sum()))
        shares.append([float((masks == c).sum()) / labelled for c in range(1, len(made.data.class_names) + 1)])
    rows = [
        (str(c), name, f"{100 * real:.1f}", f"{100 * synthetic:.1f}")
        for c, (name, real, synthetic) in enumerate(zip(made.data.class_names, *shares, strict=True), start=1)
    ]
    print_table(out, ("class", "name", "real %", "synthetic %"), rows)
