"""The samples that ``hsiaug generate`` and ``hsiaug inspect`` make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import InputError
from hsiaug.cli import options
from hsiaug.registry.progress import show_progress

if TYPE_CHECKING:
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.synthesis import AnySynthesis, SampleRequest

FIELDS = ("lam", "times", "seed", "patch", "preset", "device")
"""Options that stand in a request as they are."""


def make_samples(
    typed: Mapping[str, Any],
    check: Callable[[SampleKit, SampleRequest], None] = lambda kit, request: None,
    omegas: Sequence[float | None] = (None,),
    **fields: Any,
) -> tuple[SampleKit, Iterator[AnySynthesis]]:
    """The functions of a task, and the samples of the generator that a command was asked for, at one ω after the other.

    typed: options of the command by parameter. check: refuses a request before anything is made. fields: of the request
    beside those. Raises InputError for a protocol that there is not, and where ``--set`` names another plugin.
    """
    from hsiaug.base.terminal import Console
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.cache import Workbench

    kit = sample_kit(options.task_of(typed["scene"], typed["task"]))
    name, own = typed["generator"] or kit.task.generator, options.overrides(typed["set_"])
    if others := sorted(own.keys() - {name}):
        hint = f"Here: {name}."
        raise InputError("--set must name the generator of this command", value=repr(others[0]), hint=hint)
    rule = options.read_protocol(typed["protocol"], typed["buffer"])
    fields |= {key: typed[key] for key in FIELDS}
    request = SampleRequest(name, rule, typed["buffer"], overrides=own.get(name, {}), **fields)
    check(kit, request)
    data = kit.task.load(typed["scene"])

    def each() -> Iterator[AnySynthesis]:
        bench = Workbench(data, get_task(kit.task.name), Path(typed["store"]) / "cache")
        for omega in omegas:
            asked = replace(request, omega=omega)
            with show_progress(Console(stderr=True), name) as progress:
                made = synthesise(kit, data, asked, registry(), progress=progress, bench=bench)
            yield made
            # Each would keep as many samples as a trial has.
            bench.drop_pools()

    return kit, each()
