"""The plan of a learning curve over added labels: arms under the base protocol, ``none`` under each number of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hsiaug.base.errors import InputError
from hsiaug.bench.plan import Plan, Request
from hsiaug.bench.schedule import plan_runs
from hsiaug.bench.suite import Run
from hsiaug.protocol.based import check_placement
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.registry.lookup import Registry

__all__ = ["plan_labels"]


def plan_labels(
    ref: str, request: Request, added: Sequence[float], placements: Sequence[str], plugins: Registry
) -> tuple[Plan, ...]:
    """The benchmark of a request on scene ``ref``, and after it ``none`` with so many more labels per class.

    added: numbers of labels, from 1 on. placements: of :data:`hsiaug.protocol.based.PLACEMENTS`.
    Raises InputError for numbers or placements that cannot be, and what :func:`hsiaug.bench.schedule.plan_runs` raises.
    """
    for placement in placements:
        check_placement(placement)
    if not added or not placements or any(k < 1 or k != int(k) for k in added):
        raise InputError(
            "added labels must be whole numbers from 1 on",
            value=", ".join(f"{k:g}" for k in added) or "none",
            hint="Write `added` 1,2,3,5,10,20; without any label the curve begins by itself.",
        )
    (base,) = plan_runs((Run("", ((ref, request),)),), plugins)
    first = base.trials[0]
    set_ = {name: values for name, values in request.overrides.items() if ("classifier", name) in base.cards}
    alone = replace(request, patch=first.patch, generators=("none",), overrides=set_)
    texts = (
        f"added:{k}x{placement}:{first.protocol.text}"
        for placement in dict.fromkeys(placements)
        for k in sorted({int(k) for k in added})
    )
    asked = [(ref, replace(alone, protocol=parse_protocol(text, first.protocol.buffer))) for text in texts]
    more = plan_runs((Run("", tuple(asked)),), plugins, lambda task, _: base.scene)
    return (base, *map(_none_alone, more))


def _none_alone(plan: Plan) -> Plan:
    """The plan without ``duplicate``, and without classifiers that read no spectrum."""
    spectral = {name for (kind, name), card in plan.cards.items() if kind == "classifier" and card.learns_samples}
    kept = tuple(t for t in plan.trials if t.generator.name == "none" and t.classifier.name in spectral)
    return replace(plan, trials=kept, notes=(), short=(), samples={t.hash: plan.samples[t.hash] for t in kept})
