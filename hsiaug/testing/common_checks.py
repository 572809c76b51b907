"""The checks that generators and classifiers have in common."""

from __future__ import annotations

import contextlib
import unittest
from typing import Any

import numpy as np

from hsiaug.errors import HsiaugError
from hsiaug.testing.core import Check, check, require
from hsiaug.testing.monitoring import other_global_seeds
from hsiaug.testing.runtime_checks import RUNTIME_CHECKS
from hsiaug.testing.static_checks import DECLARED
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_kit import Trouble

__all__ = ["AFTER", "BEFORE", "differing", "same"]

Any_ = Subject[Any]

TINY_STEPS, TINY_UPDATES = 1_000, 100_000_000
"""The most a fit with the preset ``tiny`` may compute: optimiser steps, and weights changed by all of them together.

The largest built-in one changes 27 million, in about a second. Seconds themselves would make the answer depend on what
else the machine does.
"""


@check(
    "runs",
    rule="a trial with it runs to its end on the CPU and gives a record, in every task that its card names",
    hint="Follow the contracts of hsiaug.api: signatures, shapes, what is returned.",
    needs=(),
)
def runs(subject: Any_) -> None:
    subject.base  # noqa: B018 - its exception tells more than that of a record
    for one in (subject, *subject.elsewhere):
        record = one.trial()
        error = record["error"] or {"stage": "", "type": "", "message": ""}
        failed = f"failed in {error['stage']} of the task {one.task_kit.task}: {error['type']}: {error['message']}"
        require(record["status"] == "ok", failed)


@check(
    "determinism",
    rule="the same data and seed give the same result, bit for bit on a CPU, whatever the global random states",
    hint="Draw from numpy.random.default_rng(seed) and torch.Generator().manual_seed(seed) only; initialise nets "
    "under torch.random.fork_rng.",
)
def determinism(subject: Any_) -> None:
    first = subject.result(subject.base)
    with other_global_seeds():
        again = subject.result(subject.again)
        repeated = subject.result(subject.base)
    require(same(first, again), f"two fits of one seed differ in {differing(first, again)}")
    require(same(first, repeated), f"one fit, asked twice with one seed, differs in {differing(first, repeated)}")


@check(
    "no-test-label",
    rule="nothing that it learns depends on a test label, or on a test pixel's spectrum outside its declared scope",
    hint="Learn from the view (and the samples) alone; load no scene and keep nothing between fits.",
    needs=("runs", "determinism"),
)
def no_test_label(subject: Any_) -> None:
    here = subject.result(subject.base)
    there = subject.result(subject.fit(subject.task_kit.scrambled(subject.easy, subject.card)))
    require(same(here, there), f"other test pixels change {differing(here, there)}")


@check(
    "tiny-is-quick",
    rule=f"a fit of a network with the preset tiny takes at most {TINY_STEPS:,} optimiser steps, which together change "
    f"at most {TINY_UPDATES:,} weights (steps × weights)",
    hint='Give the card a preset "tiny" with few steps and narrow layers.',
)
def tiny_is_quick(subject: Any_) -> None:
    subject.base  # noqa: B018 - its steps are counted
    work = subject.work
    if not work.steps:
        raise unittest.SkipTest("it takes no optimiser step, so there is nothing to count")
    seen = f"{work.steps:,} steps, {work.updates:,} weights changed"
    require(work.steps <= TINY_STEPS and work.updates <= TINY_UPDATES, seen)


def alone(trouble: Trouble, rule: str, hint: str) -> Check[Any_]:
    """A check of one trouble by itself, which a plugin that takes all at once need not be asked."""

    def test(subject: Any_) -> None:
        # Known before: a task that does not know the trouble skips the check.
        case = subject.task_kit.troubled(trouble)
        if not subject.takes_all:
            subject.use(case)

    return check(trouble, rule=rule, hint=hint)(test)


ALONE = (
    alone(
        "tiny-classes",
        "classes with one or two training pixels are no error",
        "Lower k, folds and batches to what a class has, or repeat its samples and say so in the provenance.",
    ),
    alone(
        "class-missing",
        "a class of the scene may have no training pixel; it is then neither made nor predicted",
        "Take the classes from the ids that occur in y, not from 1..C.",
    ),
    alone(
        "constant-bands",
        "bands that do not vary, or are 0 everywhere, give finite results",
        "Use view.normaliser, or guard the division by a band's spread; hidden pixels of view.cube are NaN.",
    ),
    alone(
        "bare-scene",
        "a scene may have no wavelengths, ground sampling distance or descriptions",
        "Handle view.wavelengths and view.gsd being None and view.descriptions being empty.",
    ),
    alone(
        "ignored-pixels",
        "pixels whose mask is 0 count for nothing; most of them may be so, and whole tiles",
        "Leave 0 out of every mean and class list; divide by the labelled pixels, and guard against there being none.",
    ),
)


@check(
    "all-at-once",
    rule="data may have tiny classes, one without training pixel, constant bands, nothing told and ignored pixels, all "
    "at once",
    hint="See the exception: each of these alone goes well.",
    needs=("runs", *(one.name for one in ALONE)),
)
def all_at_once(subject: Any_) -> None:
    if not subject.takes_all:
        for case in subject.task_kit.hardest():
            subject.use(case)


@check(
    "patch-of-one",
    rule="patches of a single pixel work, or are refused with one clear error",
    hint="Pad, or raise PluginError naming the smallest patch that it can read.",
)
def patch_of_one(subject: Any_) -> None:
    with contextlib.suppress(HsiaugError):
        subject.use(subject.task_kit.troubled("patch-of-one"))


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    """Whether two results are equal, bit for bit."""
    return not differing(a, b)


def differing(a: dict[str, Any], b: dict[str, Any]) -> str:
    """What differs between two results, with how much of it."""
    parts = []
    for name in a:
        if name not in b or a[name].shape != b[name].shape:
            parts.append(f"{name} (shape)")
        elif not np.array_equal(a[name], b[name]):
            parts.append(f"{name} ({np.mean(a[name] != b[name]):.1%} of its values)")
    return ", ".join(parts)


BEFORE: tuple[Check[Any_], ...] = (*DECLARED, runs)
"""Checks without which the others tell little."""

AFTER: tuple[Check[Any_], ...] = (
    determinism,
    no_test_label,
    *ALONE,
    all_at_once,
    patch_of_one,
    tiny_is_quick,
    *RUNTIME_CHECKS,
)
"""The others."""
