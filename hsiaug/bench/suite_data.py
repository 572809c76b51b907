"""A suite on other data than its own: each of its runs whose task these have, in place of its scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.bench.plan import Request
from hsiaug.bench.suite import Run, Suite
from hsiaug.data.pair_sets import find_pairs
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.tasks.task import TaskData, get_task, task_names

__all__ = ["fitted", "on_data"]


def on_data(suite: Suite, refs: Sequence[str]) -> Suite:
    """The suite on other data: names of the catalogue, cards or folders. Its notes say what was left out and why.

    Raises InputError where no run is left.
    """
    tasks = {ref: _tasks(ref) for ref in refs}
    named = ", ".join(f"{ref} ({' or '.join(its)})" for ref, its in tasks.items())
    runs: list[Run] = []
    notes: list[str] = []
    others: list[str] = []
    for run in suite.runs:
        asked = tuple((ref, one) for ref, its in tasks.items() for one in _requests(run, its))
        if not asked:
            others.append(f"{run.name} ({' and '.join(dict.fromkeys(one.task for _, one in run.asked))})")
        else:
            runs.append(Run(run.name, asked, elsewhere=True))
    if others:
        notes.append(f"runs left out, whose task is not that of {named}: {', '.join(others)}")
    if not runs:
        told = ", ".join(dict.fromkeys(one.task for run in suite.runs for _, one in run.asked))
        raise InputError(
            f"`data` must be of a task that the suite has: {told}",
            value=named,
            hint="Name other data, or another suite.",
        )
    return replace(suite, runs=tuple(runs), notes=(*suite.notes, *notes))


def fitted(data: TaskData, request: Request) -> tuple[Request, tuple[str, ...]]:
    """The request as these data can be split, with a sentence on what was put in place of its protocol or patch."""
    problem = _problem(data, request)
    if problem is None:
        return request, ()
    usual = get_task(request.task).defaults(data)
    other = replace(request, protocol=None)
    said = f"protocol {usual.protocol}"
    if request.patch is not None and _problem(data, other):
        other, said = replace(other, patch=None), f"{said} and patch {usual.patch}"
    asked = f"protocol {request.protocol.text}" if request.protocol else f"patch {request.patch}"
    return other, (f"{data.name}: {asked} does not fit ({problem}); {said} in its place, usual for these data",)


def _tasks(ref: str) -> tuple[str, ...]:
    entry = find_pairs(ref)
    return task_names(of_scenes=True) if entry is None else (entry.card.task,)


def _requests(run: Run, tasks: Sequence[str]) -> list[Request]:
    """Return the requests of a run for the first of its scenes that has one of the tasks."""
    first = next((ref for ref, request in run.asked if request.task in tasks), None)
    return [request for ref, request in run.asked if ref == first]


def _problem(data: TaskData, request: Request) -> str | None:
    """Why the first draw cannot be made; None where it can."""
    task = get_task(request.task)
    usual = task.defaults(data)
    protocol = request.protocol or parse_protocol(usual.protocol, request.buffer)
    try:
        task.split(data, protocol, request.seeds[0], usual.patch if request.patch is None else request.patch)
    except HsiaugError as error:
        return f"{error.rule}; found {error.value}" if error.value is not None else error.rule
    return None
