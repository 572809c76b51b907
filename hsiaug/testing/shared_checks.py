"""The checks that generators and classifiers have in common; of a card alone, protocols too."""

import atexit
import dataclasses
import hashlib
import json
import os
import subprocess
import sys
import unittest
from functools import cache
from typing import Any

import numpy as np

from hsiaug.registry.card import ANY_TASK, PRESETS, Card, build_params
from hsiaug.registry.hookspecs import Kind
from hsiaug.tasks.task import task_names
from hsiaug.testing.checks import (
    Arrays,
    CheckList,
    Violation,
    other_global_seeds,
    require,
    require_equal,
)
from hsiaug.testing.scenes import scrambled
from hsiaug.testing.subject import Subject

OF_CARDS = CheckList()


@OF_CARDS.add(
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
    unknown = sorted(set(card.tasks) - {*task_names(), ANY_TASK})
    require(not unknown, f"tasks {unknown}", f"The tasks are {', '.join(task_names())}.")
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
    require(
        "tiny" in card.presets or not card.uses_device,
        "a network without the preset tiny",
        "Add a preset for tests, with few steps.",
    )


SHARED = CheckList(OF_CARDS)


@SHARED.add("Follow the contracts of hsiaug.api: signatures, shapes, what is returned.", needs=())
def runs(subject: Subject) -> None:
    """a trial with it runs to its end on the CPU and gives a record, in every task that its card
    names
    """
    subject.fitted  # noqa: B018
    for one in (subject, *subject.elsewhere):
        record = one.trial()
        error = record["error"] or dict.fromkeys(("stage", "type", "message", "traceback"), "")
        frames = [line.strip() for line in error["traceback"].splitlines() if " File " in line]
        failed = (
            f"failed in {error['stage']} of the task {one.case.task}: {error['type']}:"
            f" {error['message']} ({frames[-1] if frames else 'no line is known'})"
        )
        require(record["status"] == "ok", failed)


@SHARED.add(
    "Draw from numpy.random.default_rng(seed) and torch.Generator().manual_seed(seed) only;"
    " initialise nets under torch.random.fork_rng."
)
def determinism(subject: Subject) -> None:
    """the same data and seed give the same result, bit for bit on a CPU, whatever the global random
    states
    """
    first = subject.result
    with other_global_seeds():
        refitted = subject.on(subject.case).result
        asked_again = subject.result_of(subject.fitted)
    require_equal(first, refitted, "two fits of one seed differ in")
    require_equal(first, asked_again, "one fit, asked twice with one seed, differs in")


@SHARED.add(
    "Sort sets before numbers are drawn over them, and never seed by hash().",
    needs=("runs", "determinism"),
)
def hash_seed(subject: Subject) -> None:
    """another process, in which texts have other hashes (PYTHONHASHSEED), gives the same result"""
    plugin = subject.plugin
    module, name = plugin.__module__, plugin.__qualname__
    if module == "__main__" or "." in name or not hasattr(sys.modules[module], name):
        raise unittest.SkipTest("another process cannot import the class")
    there = checksum_elsewhere(subject.kind, f"{module}:{name}")
    require(there == checksum(subject.result), "other values in a process with other hashes")


def checksum_elsewhere(kind: Kind, name: str) -> str:
    """The checksum of the result of a class, ``module:Class``, in the process whose texts have
    other hashes. Raises Violation where it gives none.
    """
    process = _other_process()
    assert process.stdin and process.stdout
    try:
        process.stdin.write(json.dumps({"path": sys.path, "kind": kind, "name": name}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
    except (OSError, ValueError):
        # Another plugin is asked of in a new one.
        _other_process.cache_clear()
        process.kill()
        raise Violation(f"the other process ended with exit code {process.wait()}") from None
    require("error" not in answer, f"in a process with other hashes: {answer.get('error')}")
    return str(answer["checksum"])


@cache
def _other_process() -> subprocess.Popen[str]:
    """The process with other hashes, one for all plugins that this one checks. It ends with it."""
    seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    process = subprocess.Popen(
        [sys.executable, "-m", "hsiaug.testing.other_process"],
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process


def checksum(arrays: Arrays) -> str:
    """SHA-256 of arrays, by name."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


@SHARED.add(
    "Learn from the view (and the samples) alone; load no scene and keep nothing between fits. Set"
    " text=True in the card where view.descriptions is read.",
    needs=("runs", "determinism"),
)
def no_test_label(subject: Subject) -> None:
    """nothing that it learns depends on a test label, on a test pixel's spectrum outside its
    declared scope, or on descriptions of classes unless declared, which then enter the hash of its
    trials
    """
    other = subject.on(scrambled(subject.case, subject.card))
    # Classifiers are asked about the same pixels.
    learnt = subject.result_of(other.fitted)
    require_equal(
        subject.result, learnt, "other test pixels, or other descriptions of classes, change"
    )


@SHARED.add(
    "Take classes from the ids that occur in y, not from 1..C; lower k and folds to what a class"
    " has; guard divisions by a band's spread; handle view.wavelengths and view.gsd being None;"
    " leave 0 of a mask out of every mean."
)
def hard_data(subject: Subject) -> None:
    """data may have classes with one or two training pixels and one with none, bands that do not
    vary, neither wavelengths nor descriptions, and, in masks, mostly pixels without a class, all at
    once
    """
    subject.hardest  # noqa: B018
