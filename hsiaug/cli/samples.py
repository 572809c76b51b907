"""The samples that ``hsiaug generate`` and ``hsiaug inspect`` make."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.cli import options
from hsiaug.registry.progress import show_progress

if TYPE_CHECKING:
    from hsiaug.quality.kits import SampleKit
    from hsiaug.quality.synthesis import AnySynthesis, SampleRequest


def make_samples(
    scene: str,
    task: options.TaskName | None,
    generator: str | None,
    *,
    protocol: str | None,
    buffer: str | None,
    set_: list[str] | None,
    store: Path,
    omegas: Sequence[float | None] = (None,),
    check: Callable[[SampleKit, SampleRequest], None] = lambda kit, request: None,
    **fields: Any,
) -> tuple[SampleKit, Iterator[AnySynthesis]]:
    """The functions of a task, and the samples of the generator that a command was asked for, at one ω after the other.

    check: refuses a request before anything is made. fields: of the request, those that need not be read first. Raises
    InputError for a protocol that there is not, and where ``--set`` names another plugin than the generator.
    """
    from hsiaug.base.terminal import Console
    from hsiaug.quality.kits import sample_kit, synthesise
    from hsiaug.quality.synthesis import SampleRequest
    from hsiaug.registry.lookup import registry
    from hsiaug.tasks.task import get_task
    from hsiaug.trial.cache import Workbench

    kit = sample_kit(options.task_of(scene, task))
    name = generator or kit.task.generator
    own, rule = options.overrides_of(name, set_), options.read_protocol(protocol, buffer)
    request = SampleRequest(name, rule, buffer, overrides=own, **fields)
    check(kit, request)
    data = kit.task.load(scene)

    def each() -> Iterator[AnySynthesis]:
        bench = Workbench(data, get_task(kit.task.name), store / "cache")
        for omega in omegas:
            with show_progress(Console(stderr=True), name) as progress:
                made = synthesise(
                    kit, data, replace(request, omega=omega), registry(), progress=progress, bench=bench
                )
            yield made
            # Each would keep as many samples as a trial has.
            bench.drop_pools()

    return kit, each()
