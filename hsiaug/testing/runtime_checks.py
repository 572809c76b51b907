"""The checks of how a plugin behaves in a process: progress, cancellation, device, state that is not its own."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsiaug.testing.core import CheckList, require
from hsiaug.testing.monitoring import ProgressRecorder, changed, helpers, process_state
from hsiaug.testing.subject import Subject
from hsiaug.trial.machine import counted_work

__all__ = ["CHECKS"]

CHECKS = CheckList()
"""Checks of generators and classifiers alike; the ones that look back on all fits come last."""

NOWHERE = "cuda:99"
"""A device that no machine has."""


@CHECKS.add("Call progress(step + 1, steps) at every step.")
def progress(subject: Subject[Any]) -> None:
    """fits on a device call progress(done, total, note), and all that do so call it with 0 ≤ done ≤ total"""
    subject.base  # noqa: B018 - so that progress was reported
    calls = subject.base_bench.progress.calls
    if subject.card.uses_device:
        require(calls, "no call")
    for done, total, note in calls:
        sound = isinstance(done, int) and isinstance(total, int) and 0 <= done <= total and isinstance(note, str)
        require(sound, f"progress({done!r}, {total!r}, {note!r})")


@CHECKS.add(
    "Catch no exception of progress; write to temporary folders in a with block, and train in the process.",
    needs=("runs", "progress"),
)
def cancellation(subject: Subject[Any]) -> None:
    """an exception out of progress ends the fit at once, unchanged, and leaves no file, thread or process behind"""
    before, state = helpers(), process_state()
    raised: BaseException | None = None
    with (
        tempfile.TemporaryDirectory() as name,
        contextlib.chdir(name),
        temporary_files_in(name),
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


@contextlib.contextmanager
def temporary_files_in(folder: str) -> Iterator[None]:
    """Within it, tempfile makes its files in ``folder``."""
    kept, tempfile.tempdir = tempfile.tempdir, folder
    try:
        yield
    finally:
        tempfile.tempdir = kept


@CHECKS.add(
    "Move nets and data .to(device), never to another device in silence; declare uses_device=True for a network."
)
def device(subject: Subject[Any]) -> None:
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


@CHECKS.add("Set text=True in the card, or do not read view.descriptions.")
def text_declared(subject: Subject[Any]) -> None:
    """a plugin that reads class descriptions says so, as they then enter the hash of its trials"""
    subject.base  # noqa: B018 - whether it read is known after a fit
    require(subject.card.text or not subject.read_text, "view.descriptions was read, and the card says text=False")


@CHECKS.add(
    "Use generators of your own, or torch.random.fork_rng(devices=[]) and torch.default_generator.manual_seed."
)
def global_state(subject: Subject[Any]) -> None:
    """the random states of random, numpy and torch, and the settings of libraries, stay as they were"""
    subject.result(subject.again)
    require(
        not subject.touched, f"changed: {', '.join(f'{what} in {call}' for what, call in sorted(subject.touched))}"
    )
