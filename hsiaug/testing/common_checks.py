"""The checks that generators and classifiers have in common."""

from __future__ import annotations

import contextlib
import unittest
from functools import partial
from typing import Any

from hsiaug.base.errors import HsiaugError
from hsiaug.testing.core import Check, CheckList, require, require_equal
from hsiaug.testing.monitoring import other_global_seeds
from hsiaug.testing.runtime_checks import CHECKS as RUNTIME_CHECKS
from hsiaug.testing.static_checks import CHECKS as STATIC_CHECKS
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_kit import Trouble

__all__ = ["AFTER", "BEFORE"]

BEFORE = CheckList(STATIC_CHECKS)
"""Checks without which the others tell little."""

AFTER = CheckList()
"""The others."""

TINY_STEPS, TINY_UPDATES = 1_000, 100_000_000
"""The most a fit with the preset ``tiny`` may compute: optimiser steps, and weights changed by all of them together.

The largest built-in one changes 13 million, in about a second. Seconds themselves would make the answer depend on what
else the machine does.
"""


@BEFORE.add("Follow the contracts of hsiaug.api: signatures, shapes, what is returned.", needs=())
def runs(subject: Subject[Any]) -> None:
    """a trial with it runs to its end on the CPU and gives a record, in every task that its card names"""
    subject.base  # noqa: B018 - its exception tells more than that of a record
    for one in (subject, *subject.elsewhere):
        record = one.trial()
        error = record["error"] or {"stage": "", "type": "", "message": ""}
        failed = f"failed in {error['stage']} of the task {one.task_kit.task}: {error['type']}: {error['message']}"
        require(record["status"] == "ok", failed)


@AFTER.add(
    "Draw from numpy.random.default_rng(seed) and torch.Generator().manual_seed(seed) only; initialise nets "
    "under torch.random.fork_rng."
)
def determinism(subject: Subject[Any]) -> None:
    """the same data and seed give the same result, bit for bit on a CPU, whatever the global random states"""
    first = subject.result(subject.base)
    with other_global_seeds():
        again = subject.result(subject.again)
        repeated = subject.result(subject.base)
    require_equal(first, again, "two fits of one seed differ in")
    require_equal(first, repeated, "one fit, asked twice with one seed, differs in")


@AFTER.add(
    "Learn from the view (and the samples) alone; load no scene and keep nothing between fits.",
    needs=("runs", "determinism"),
)
def no_test_label(subject: Subject[Any]) -> None:
    """nothing that it learns depends on a test label, or on a test pixel's spectrum outside its declared scope"""
    here = subject.result(subject.base)
    there = subject.result(subject.fit(subject.task_kit.scrambled(subject.easy, subject.card)))
    require_equal(here, there, "other test pixels change")


def _alone(trouble: Trouble, subject: Subject[Any]) -> None:
    """One trouble by itself, which a plugin that takes all at once need not be asked."""
    # Known before: a task that does not know the trouble skips the check.
    case = subject.task_kit.troubled(trouble)
    if not subject.takes_all:
        subject.use(case)


ALONE: tuple[tuple[Trouble, str, str], ...] = (
    (
        "tiny-classes",
        "classes with one or two training pixels are no error",
        "Lower k, folds and batches to what a class has, or repeat its samples and say so in the provenance.",
    ),
    (
        "class-missing",
        "a class of the scene may have no training pixel; it is then neither made nor predicted",
        "Take the classes from the ids that occur in y, not from 1..C.",
    ),
    (
        "constant-bands",
        "bands that do not vary, or are 0 everywhere, give finite results",
        "Use view.normaliser, or guard the division by a band's spread; hidden pixels of view.cube are NaN.",
    ),
    (
        "bare-scene",
        "a scene may have no wavelengths, ground sampling distance or descriptions",
        "Handle view.wavelengths and view.gsd being None and view.descriptions being empty.",
    ),
    (
        "ignored-pixels",
        "pixels whose mask is 0 count for nothing; most of them may be so, and whole tiles",
        "Leave 0 out of every mean and class list; divide by the labelled pixels, and guard against there being none.",
    ),
)
"""Troubles of the data that a plugin must bear: name, rule and hint."""

AFTER += [Check(name, rule, hint, partial(_alone, name), ("runs",)) for name, rule, hint in ALONE]


@AFTER.add("See the exception: each of these alone goes well.", needs=("runs", *(name for name, _, _ in ALONE)))
def all_at_once(subject: Subject[Any]) -> None:
    """data may have tiny classes, one without training pixel, constant bands, nothing told and ignored pixels, all at
    once"""
    if not subject.takes_all:
        for case in subject.task_kit.hardest():
            subject.use(case)


@AFTER.add("Pad, or raise PluginError naming the smallest patch that it can read.")
def patch_of_one(subject: Subject[Any]) -> None:
    """patches of a single pixel work, or are refused with one clear error"""
    with contextlib.suppress(HsiaugError):
        subject.use(subject.task_kit.troubled("patch-of-one"))


@AFTER.add(
    'Give the card a preset "tiny" with few steps and narrow layers.',
    tiny_steps=TINY_STEPS,
    tiny_updates=TINY_UPDATES,
)
def tiny_is_quick(subject: Subject[Any]) -> None:
    """a fit of a network with the preset tiny takes at most {tiny_steps:,} optimiser steps, which together change at
    most {tiny_updates:,} weights (steps × weights)"""
    subject.base  # noqa: B018 - its steps are counted
    work = subject.work
    if not work.steps:
        raise unittest.SkipTest("it takes no optimiser step, so there is nothing to count")
    seen = f"{work.steps:,} steps, {work.updates:,} weights changed"
    require(work.steps <= TINY_STEPS and work.updates <= TINY_UPDATES, seen)


AFTER += RUNTIME_CHECKS
