"""Which spectral view each classifier is judged with in advice: what a view gives is no gain of a generator."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace

from hsiaug.advice.gains import scored
from hsiaug.advice.session import Session
from hsiaug.bench.plan import Plan, Request
from hsiaug.core.view_names import AUTO, FEWEST, RAW
from hsiaug.metrics.significance import told_apart
from hsiaug.tasks.task import TaskData, get_task
from hsiaug.trial.spec import TrialSpec

__all__ = ["ViewGain", "screen_views", "with_views"]


@dataclass(frozen=True)
class ViewGain:
    """What a classifier does without a generator on the spectral views that were tried.

    view: the best of them, which generators are judged with; the first where no other is told apart from it. aa: mean by
    view, over the screening draws, of those that were tried on all. chosen: how often ``auto`` chose which view.
    """

    classifier: str
    view: str
    aa: Mapping[str, float]
    chosen: Mapping[str, int]


def with_views(request: Request, data: TaskData) -> Request:
    """A request with ``raw`` and ``auto`` to compare, where the user names no view and the task can choose one."""
    if request.views or AUTO not in get_task(request.task).views or data.bands < FEWEST:
        return request
    return replace(request, views=(RAW, AUTO))


def screen_views(plan: Plan, session: Session) -> tuple[Plan, tuple[ViewGain, ...]]:
    """Try all classifiers of a plan on all its views, without a generator; the plan with the best view of each alone."""
    control = get_task(plan.trials[0].task).control
    without = [t for t in plan.trials if t.generator.name == "none"]
    session.run(plan, without)
    names = dict.fromkeys(t.classifier.name for t in without if t.classifier.name != control)
    gains = [_gain(name, [t for t in without if t.classifier.name == name], session) for name in names]
    best = {one.classifier: one.view for one in gains}
    kept = [t for t in plan.trials if t.view == best.get(t.classifier.name, t.view)]
    # Where there was one view, there was nothing to choose.
    return replace(plan, trials=tuple(kept)), tuple(one for one in gains if len(one.aa) > 1)


def _gain(classifier: str, trials: list[TrialSpec], session: Session) -> ViewGain:
    """The first view stays where it was not tried on every draw, or no other lies above it by more than chance."""
    views = list(dict.fromkeys(t.view for t in trials))
    found = {view: [session.record(t) for t in trials if t.view == view] for view in views}
    whole = {view: [r for r in records if r] for view, records in found.items() if None not in records}
    scores = {view: list(map(scored, records)) for view, records in whole.items()}
    aa = {view: statistics.fmean(values) for view, values in scores.items()}
    chosen = Counter(str(record["spectral_view"]["name"]) for record in whole.get(AUTO, ()))
    first, best = views[0], max(aa, key=lambda view: aa[view], default=views[0])
    if first in scores and not told_apart([a - b for a, b in zip(scores[best], scores[first], strict=True)]):
        best = first
    return ViewGain(classifier, best, aa, dict(chosen))
