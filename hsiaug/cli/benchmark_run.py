"""How commands run trials: until they end or are stopped, and then the tables of what came of them.

Heavy to import: a command does so once it knows that it has work.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import typer

from hsiaug.base.terminal import Console
from hsiaug.bench.plan import Plan
from hsiaug.bench.run import run
from hsiaug.bench.schedule import hashes_by_run, join_plans, trials_of
from hsiaug.cli.output import notes_console, print_json, print_lines, read_report
from hsiaug.report import print_report, render_report, report_json
from hsiaug.trial.store import Store


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


def run_and_print(
    plans: Sequence[Plan],
    store: Path,
    *,
    by: str | None = None,
    as_json: bool = False,
    quiet: bool = False,
    **where: Any,
) -> None:
    """Run what is missing of plans; print what is missing or damaged, and the tables of every run.

    by: the rows of the tables; None for those of a report. where: arguments of :func:`hsiaug.bench.run.run`. Ends with
    exit code 1 where a trial failed or, unless ``existing`` is none, has no record.
    """
    out, err = Console(), Console(stderr=True)
    notes = notes_console(err, quiet=quiet)
    with stoppable(err):
        read = run(
            plans,
            store,
            console=err,
            say=lambda line: print_lines(notes, [line]),
            warn=lambda line: print_lines(err, [line]),
            quiet=quiet,
            **where,
        )
    if read is None:
        return
    trials = trials_of(plans)
    report = read_report(Store(store), hashes_by_run(plans), read)
    if as_json:
        print_json({"store": str(store), "planned": len(trials), **report_json(report)})
    elif out.is_terminal:
        print_report(report, out, by or "summary")
    else:
        out.file.write(render_report(report, "md", by or "generator"))
    if not out.is_terminal:
        # Once more where the tables end: whoever reads these numbers must know how few samples they are of. On a
        # terminal the verdict is last, and the audit above it says so.
        print_lines(notes, (f"note: {note}" for note in join_plans(plans).short))
    failed = any(record["status"] == "failed" for record in read.records)
    if failed or (where.get("existing") != "none" and len(read.records) < len(trials)):
        raise typer.Exit(1)
