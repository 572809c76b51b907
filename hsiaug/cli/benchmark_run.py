"""What ``hsiaug benchmark`` prints once its trials have run, and how runs are stopped.

Heavy to import: the command does so once it knows that it has work.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import typer

from hsiaug.bench.estimate import readable
from hsiaug.bench.plan import Plan
from hsiaug.bench.schedule import hashes_by_run, sharing, trials_of
from hsiaug.cli.output import absent, print_json, print_lines
from hsiaug.report import build_report, print_report, render_report, report_json
from hsiaug.trial.record import damage_lines
from hsiaug.trial.store import Reading

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["print_result", "stoppable"]


@contextmanager
def stoppable(err: Console) -> Iterator[None]:
    """Let Ctrl-C, and the SIGTERM by which a cluster ends a job, stop a run with one line."""

    def stop(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt(number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt as stopped:
        print_lines(err, ["stopped: what is finished is in the store; run the same command to go on"])
        raise typer.Exit(128 + int(next(iter(stopped.args), signal.SIGINT))) from None
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def print_result(
    plans: Sequence[Plan],
    read: Reading,
    store: Path,
    out: Console,
    err: Console,
    notes: Console,
    *,
    as_json: bool,
    audit: bool,
) -> None:
    """Print what sharing saved, what is missing, and the tables of every run. notes: for what is no warning."""
    trials, runs = trials_of(plans), hashes_by_run(plans)
    shared = sharing(trials, read.records)
    if shared.trials > shared.fits:
        fits = f"{shared.trials} trials share {shared.fits} generator fits"
        saved = f"without sharing {shared.trials} fits would be needed, about {readable(shared.seconds)} more"
        print_lines(notes, [f"{fits}; {saved}"])
    print_lines(err, absent(runs, {record["hash"] for record in read.records}, store))
    print_lines(err, damage_lines(read.damaged))
    report = build_report(read.records, store=str(store), runs=runs, damaged=read.damaged)
    if as_json:
        answer = {"store": str(store), "planned": len(trials), **report_json(report)}
        print_json(answer)
        return
    if out.is_terminal:
        print_report(report, out, audit=audit)
    else:
        out.file.write(render_report(report, format="md"))
