"""The checks that plugins of several kinds have in common.

STATIC needs no fit, and serves protocols too. For a generator or classifier, BEFORE comes before
the checks of its own kind and AFTER behind them; the ones that look back on all fits come last.
"""

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import unittest
from typing import Any, TypeVar

import numpy as np

from hsiaug.registry.card import ANY_TASK, PRESETS, Card, build_params
from hsiaug.tasks.task import task_names
from hsiaug.testing.core import Arrays, CheckList, other_global_seeds, require, require_equal
from hsiaug.testing.subject import Subject
from hsiaug.testing.task_cases import scramble

F = TypeVar("F")

STATIC, BEFORE, AFTER = CheckList(), CheckList(), CheckList()


@STATIC.add(
    "Complete the Card; make params a frozen dataclass whose fields are made with"
    " hsiaug.api.param.",
    needs=(),
)
def card(subject: Any) -> None:
    """the card says in words and ranges what the plugin is, and each of its presets can be built"""
    card: Card = subject.card
    lines = card.summary.strip().splitlines()
    require(len(lines) == 1, f"a summary of {len(lines)} lines", "Write a summary of one line.")
    require(
        isinstance(card.version, str) and card.version,
        f"version {card.version!r}",
        'Set version="1".',
    )
    strange = sorted(set(card.tasks) - {*task_names(), ANY_TASK})
    require(not strange, f"tasks {strange}", f"The tasks are {', '.join(task_names())}.")
    parameters = getattr(card.params, "__dataclass_params__", None)
    require(
        parameters and parameters.frozen, f"params {card.params!r}, which is no frozen dataclass"
    )
    for item in dataclasses.fields(card.params):
        require(
            item.metadata.get("help"),
            f"params.{item.name} without a description",
            "Make it with param(…).",
        )
    for preset in (*PRESETS, *card.presets):
        values = dataclasses.asdict(build_params(card, preset))
        require(
            json.loads(json.dumps(values)) == values,
            f"preset {preset}: parameters that JSON does not keep",
        )
    if card.uses_device:
        require(
            "tiny" in card.presets,
            "a network without the preset tiny",
            "Add a preset for tests, with few steps.",
        )


BEFORE += STATIC


@BEFORE.add("Follow the contracts of hsiaug.api: signatures, shapes, what is returned.", needs=())
def runs(subject: Subject[F]) -> None:
    """a trial with it runs to its end on the CPU and gives a record, in every task that its card
    names
    """
    subject.base  # noqa: B018
    for task_subject in (subject, *subject.elsewhere):
        record = task_subject.trial()
        error = record["error"] or dict.fromkeys(("stage", "type", "message", "traceback"), "")
        frames = [line.strip() for line in error["traceback"].splitlines() if " File " in line]
        failed = (
            f"failed in {error['stage']} of the task {task_subject.task}: {error['type']}:"
            f" {error['message']} ({frames[-1] if frames else 'no line is known'})"
        )
        require(record["status"] == "ok", failed)


@AFTER.add(
    "Draw from numpy.random.default_rng(seed) and torch.Generator().manual_seed(seed) only;"
    " initialise nets under torch.random.fork_rng."
)
def determinism(subject: Subject[F]) -> None:
    """the same data and seed give the same result, bit for bit on a CPU, whatever the global random
    states
    """
    first = subject.base_result
    with other_global_seeds():
        refitted = subject.result(subject.fit(subject.easy))
        repeated = subject.result(subject.base)
    require_equal(first, refitted, "two fits of one seed differ in")
    require_equal(first, repeated, "one fit, asked twice with one seed, differs in")


@AFTER.add(
    "Sort sets before numbers are drawn over them, and never seed by hash().",
    needs=("runs", "determinism"),
)
def hash_seed(subject: Subject[F]) -> None:
    """another process, in which texts have other hashes (PYTHONHASHSEED), gives the same result"""
    plugin = subject.plugin
    name = f"{plugin.__module__}:{plugin.__qualname__}"
    if plugin.__module__ == "__main__" or "<locals>" in name:
        raise unittest.SkipTest("another process cannot import the class")
    found = checksum_elsewhere(subject, name)
    here = checksum(subject.base_result)
    require(found == here, "other values in a process with other hashes")


def checksum_elsewhere(subject: Subject[Any], name: str) -> str:
    """The checksum of the result of a class, ``module:Class``, in a process whose texts have other
    hashes.
    """
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run(
        [sys.executable, "-m", "hsiaug.testing.other_process", subject.kind, name],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    last = (ended.stderr.strip().splitlines() or ["nothing was printed"])[-1]
    require(ended.returncode == 0, f"the other process ended with {ended.returncode}: {last}")
    return ended.stdout.split()[-1]


def checksum(arrays: Arrays) -> str:
    """SHA-256 of arrays, by name."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


@AFTER.add(
    "Learn from the view (and the samples) alone; load no scene and keep nothing between fits. Set"
    " text=True in the card where view.descriptions is read.",
    needs=("runs", "determinism"),
)
def no_test_label(subject: Subject[F]) -> None:
    """nothing that it learns depends on a test label, on a test pixel's spectrum outside its
    declared scope, or on descriptions of classes unless declared, which then enter the hash of its
    trials
    """
    original = subject.base_result
    scrambled = subject.result(subject.fit(scramble(subject.cases, subject.easy, subject.card)))
    require_equal(
        original, scrambled, "other test pixels, or other descriptions of classes, change"
    )


@AFTER.add(
    "Take classes from the ids that occur in y, not from 1..C; lower k and folds to what a class"
    " has; guard divisions by a band's spread; handle view.wavelengths and view.gsd being None;"
    " leave 0 of a mask out of every mean."
)
def hard_data(subject: Subject[F]) -> None:
    """data may have classes with one or two training pixels and one with none, bands that do not
    vary, neither wavelengths nor descriptions, and, in masks, mostly pixels without a class, all at
    once
    """
    _ = subject.hardest
