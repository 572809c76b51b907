"""The checks that plugins of several kinds have in common.

STATIC needs no fit, and serves protocols too. For a generator or classifier, BEFORE comes before the checks of its
own kind and AFTER behind them; the ones that look back on all fits come last.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar
from unittest import mock

from hsiaug.registry.card import PRESETS, Card, build_params
from hsiaug.registry.hookspecs import Entry
from hsiaug.tasks.task import task_names
from hsiaug.testing.cases import Trouble, hardest_cases, scramble, troubled_case
from hsiaug.testing.core import Check, CheckList, require, require_equal
from hsiaug.testing.monitoring import ProgressRecorder, changed, helpers, other_global_seeds, process_state
from hsiaug.testing.subject import Subject
from hsiaug.trial.machine import counted_work

F = TypeVar("F")

STATIC, BEFORE, AFTER = CheckList(), CheckList(), CheckList()

NOWHERE = "cuda:99"
"""A device that no machine has."""


class _Declared(Protocol):
    """Plugins of every kind, as the static checks read them."""

    plugin: type
    card: Card
    entry: Entry | None


@STATIC.add(
    "Complete the Card; make params a frozen dataclass whose fields are made with hsiaug.api.param.", needs=()
)
def card(subject: _Declared) -> None:
    """the card says in words and ranges what the plugin is, and each of its presets can be built"""
    card = subject.card
    lines = card.summary.strip().splitlines()
    require(len(lines) == 1, f"a summary of {len(lines)} lines", "Write a summary of one line.")
    require(isinstance(card.version, str) and card.version, f"version {card.version!r}", 'Set version="1".')
    strange = sorted(set(card.tasks) - set(task_names()))
    require(not strange, f"tasks {strange}", f"The tasks are {', '.join(task_names())}.")
    parameters = getattr(card.params, "__dataclass_params__", None)
    require(parameters and parameters.frozen, f"params {card.params!r}, which is no frozen dataclass")
    for item in dataclasses.fields(card.params):
        require(item.metadata.get("help"), f"params.{item.name} without a description", "Make it with param(…).")
    for preset in (*PRESETS, *card.presets):
        values = dataclasses.asdict(build_params(card, preset))
        require(json.loads(json.dumps(values)) == values, f"preset {preset}: parameters that JSON does not keep")
    if card.uses_device:
        require(
            "tiny" in card.presets, "a network without the preset tiny", "Add a preset for tests, with few steps."
        )


BEFORE += STATIC


@BEFORE.add("Follow the contracts of hsiaug.api: signatures, shapes, what is returned.", needs=())
def runs(subject: Subject[F]) -> None:
    """a trial with it runs to its end on the CPU and gives a record, in every task that its card names"""
    subject.base  # noqa: B018 - its exception tells more than that of a record
    for one in (subject, *subject.elsewhere):
        record = one.trial()
        error = record["error"] or {"stage": "", "type": "", "message": ""}
        failed = f"failed in {error['stage']} of the task {one.task}: {error['type']}: {error['message']}"
        require(record["status"] == "ok", failed)


@AFTER.add(
    "Draw from numpy.random.default_rng(seed) and torch.Generator().manual_seed(seed) only; initialise nets "
    "under torch.random.fork_rng."
)
def determinism(subject: Subject[F]) -> None:
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
def no_test_label(subject: Subject[F]) -> None:
    """nothing that it learns depends on a test label, or on a test pixel's spectrum outside its declared scope"""
    here = subject.result(subject.base)
    there = subject.result(subject.fit(scramble(subject.easy, subject.card)))
    require_equal(here, there, "other test pixels change")


def _alone(trouble: Trouble, subject: Subject[F]) -> None:
    """One trouble by itself, which a plugin that takes all at once need not be asked."""
    # Known before: a task that does not know the trouble skips the check.
    case = troubled_case(subject.task, trouble)
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
def all_at_once(subject: Subject[F]) -> None:
    """data may have tiny classes, one without training pixel, constant bands, nothing told and ignored pixels, all at
    once"""
    if not subject.takes_all:
        for case in hardest_cases(subject.task):
            subject.use(case)


@AFTER.add("Call progress(step + 1, steps) at every step.")
def progress(subject: Subject[F]) -> None:
    """fits on a device call progress(done, total, note), and all that do so call it with 0 ≤ done ≤ total"""
    subject.base  # noqa: B018 - so that progress was reported
    calls = subject.base_bench.progress.calls
    if subject.card.uses_device:
        require(calls, "no call")
    for done, total, note in calls:
        sound = isinstance(done, int) and isinstance(total, int) and 0 <= done <= total and isinstance(note, str)
        require(sound, f"progress({done!r}, {total!r}, {note!r})")


@AFTER.add(
    "Catch no exception of progress; write to temporary folders in a with block, and train in the process.",
    needs=("runs", "progress"),
)
def cancellation(subject: Subject[F]) -> None:
    """an exception out of progress ends the fit at once, unchanged, and leaves no file, thread or process behind"""
    before, state = helpers(), process_state()
    raised: BaseException | None = None
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.chdir(name),
        mock.patch.object(tempfile, "tempdir", name),
        counted_work() as work,
    ):
        recorder = ProgressRecorder(cancel_at=1, work=work)
        try:
            subject.fit_on(subject.bench(subject.easy, progress=recorder))
        except Exception as error:
            raised = error
        left = sorted(path.name for path in Path(name).iterdir())
    if recorder.cancelled_after is None:
        # A fit of a moment need not tell its progress, and so cannot be cancelled.
        require(raised is None, f"{type(raised).__name__}: {raised}")
        return
    require(raised is recorder.error, f"the fit ended with {raised!r}" if raised else "the fit went on to its end")
    require(len(recorder.calls) == 1, f"{len(recorder.calls) - 1} more calls of progress after it")
    more = work.steps - recorder.cancelled_after
    require(not more, f"{more} more steps of an optimiser after it")
    require(not left, f"files left behind: {', '.join(left)}")
    require(helpers() <= before, f"left running: {', '.join(sorted(helpers() - before))}")
    # What whole fits change too is for the check global-state to say.
    unrestored = sorted(changed(state) - {what for what, _ in subject.touched})
    require(not unrestored, f"changed and not restored: {', '.join(unrestored)}")


@AFTER.add(
    "Move nets and data .to(device), never to another device in silence; declare uses_device=True for a network."
)
def device(subject: Subject[F]) -> None:
    """it computes on the device that it is given, if its card says so, and else takes no optimiser step of torch"""
    import torch

    if not subject.card.uses_device:
        subject.base  # noqa: B018 - its steps are counted
        require(
            not subject.work.steps,
            f"{subject.work.steps} optimiser steps of torch, and uses_device=False in the card",
        )
        return
    try:
        subject.fit_on(subject.bench(subject.easy, device=NOWHERE))
    except Exception:
        pass
    else:
        require(False, f"a fit on {NOWHERE}, which is not there, went well: it ran elsewhere")
    if torch.cuda.is_available():
        subject.result(subject.fit_on(subject.bench(subject.easy, device="cuda")))


@AFTER.add("Set text=True in the card, or do not read view.descriptions.")
def text_declared(subject: Subject[F]) -> None:
    """a plugin that reads class descriptions says so, as they then enter the hash of its trials"""
    subject.base  # noqa: B018 - whether it read is known after a fit
    require(subject.card.text or not subject.read_text, "view.descriptions was read, and the card says text=False")


@AFTER.add(
    "Use generators of your own, or torch.random.fork_rng(devices=[]) and torch.default_generator.manual_seed."
)
def global_state(subject: Subject[F]) -> None:
    """the random states of random, numpy and torch, and the settings of libraries, stay as they were"""
    subject.result(subject.again)
    require(
        not subject.touched, f"changed: {', '.join(f'{what} in {call}' for what, call in sorted(subject.touched))}"
    )
