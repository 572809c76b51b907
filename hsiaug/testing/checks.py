"""Checks, their outcomes, and what a check does to a plugin while it computes."""

import random
import time
import traceback
import unittest
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import PluginError
from hsiaug.trial.plugin_calls import kept_state

MAX_MESSAGE_CHARACTERS = 2000
"""Characters of an unexpected exception's message that are kept."""

Arrays = dict[str, AnyArray]
"""Results of a fitted plugin, by name."""

Subject = TypeVar("Subject")


class Violation(Exception):
    """A check saw its rule broken.

    Parameters
    ----------
    seen : str
        What was seen.
    hint : str
        In place of the check's own, where that helps more.
    """

    def __init__(self, seen: str, hint: str = "") -> None:
        super().__init__(seen)
        self.hint = hint


def require(holds: object, seen: str, hint: str = "") -> None:
    """Raise Violation unless ``holds``."""
    if not holds:
        raise Violation(seen, hint)


def require_equal(a: Arrays, b: Arrays, seen: str) -> None:
    """Raise Violation unless two results are equal, bit for bit; ``seen`` ends with what differs,
    and how much of it.
    """
    parts = []
    for name in a:
        if name not in b or a[name].shape != b[name].shape:
            parts.append(f"{name} (shape)")
        elif not np.array_equal(a[name], b[name]):
            parts.append(f"{name} ({np.mean(a[name] != b[name]):.1%} of its values)")
    require(not parts, f"{seen} {', '.join(parts)}")


@dataclass(frozen=True)
class Check:
    """One rule of the contract and how it is tested.

    Attributes
    ----------
    test : callable
        Given the plugin on a small scene; raises where the rule is broken.
    needs : tuple of str
        Names of earlier checks without which this one can tell nothing; it is skipped where one
        of them failed.
    """

    name: str
    rule: str
    hint: str
    test: Callable[[Any], None]
    needs: tuple[str, ...]


class CheckList(list[Check]):
    """Checks in the order in which they are run."""

    def add(
        self, hint: str, *, needs: tuple[str, ...] = ("runs",)
    ) -> Callable[[Callable[[Subject], None]], Callable[[Subject], None]]:
        """Add a function that raises where its rule is broken. Its name is the check's, its
        docstring the rule.
        """

        def keep(test: Callable[[Subject], None]) -> Callable[[Subject], None]:
            rule = " ".join((test.__doc__ or "").split())
            self.append(Check(test.__name__.replace("_", "-"), rule, hint, test, needs))
            return test

        return keep


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    Attributes
    ----------
    seen : str
        What broke the rule, or why the check was skipped.
    """

    name: str
    status: Literal["passed", "failed", "skipped"]
    rule: str
    seen: str = ""
    hint: str = ""
    seconds: float = 0.0

    def __str__(self) -> str:
        lines = [f"{self.status:<7} {self.name} ({self.seconds:.2f} s)"]
        if self.status != "passed":
            lines += [f"    rule: {self.rule}", f"    seen: {self.seen}"]
        if self.hint:
            lines.append(f"    hint: {self.hint}")
        return "\n".join(lines)


@dataclass(frozen=True)
class ConformanceReport:
    """All outcomes of one plugin, in the order of the checks.

    Attributes
    ----------
    title : str
        Its kind, name and preset.
    """

    title: str
    outcomes: tuple[Outcome, ...]

    @property
    def failures(self) -> tuple[Outcome, ...]:
        """The broken rules."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "failed")

    def __str__(self) -> str:
        return "\n".join([self.title, *map(str, self.outcomes)])


class ConformanceError(PluginError):
    """A plugin breaks rules; the message lists them all.

    Attributes
    ----------
    report : ConformanceReport
        Every outcome.
    """

    report: ConformanceReport


def run_checks(checks: Sequence[Check], subject: object) -> Iterator[Outcome]:
    """The outcome of each check, as it comes; of one that needs a check that failed: skipped."""
    unmet: set[str] = set()
    for check in checks:
        missing = [name for name in check.needs if name in unmet]
        if missing:
            seen = f"needs {', '.join(missing)}"
            outcome = Outcome(check.name, "skipped", check.rule, seen)
        else:
            outcome = _run(check, subject)
        if missing or outcome.status == "failed":
            unmet.add(check.name)
        yield outcome


def _run(check: Check, subject: object) -> Outcome:
    start = time.perf_counter()
    seen = hint = ""
    status: Literal["passed", "failed", "skipped"] = "failed"
    try:
        check.test(subject)
        status = "passed"
    except unittest.SkipTest as reason:
        status = "skipped"
        seen = str(reason)
    except Violation as broken:
        seen, hint = str(broken), broken.hint or check.hint
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        # A plugin may end by any exception, SystemExit too.
        seen, hint = _describe(error), check.hint
    return Outcome(check.name, status, check.rule, seen, hint, time.perf_counter() - start)


def _describe(error: BaseException) -> str:
    """An exception, with the line of code that raised it."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception as unprintable:
        text = (
            f"{type(error).__name__}, whose message cannot be made ({type(unprintable).__name__})"
        )
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{text[:MAX_MESSAGE_CHARACTERS]} (at {last.filename}:{last.lineno}, {last.line})"


class Cancelled(Exception):
    """Raised out of ``progress`` by a check, as a user's Ctrl-C would."""


class ProgressRecorder:
    """A ``progress`` that counts its calls, and cancels at one of them."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.calls = 0
        self._at = cancel_at

    def __call__(self, done: int, total: int, note: str = "") -> None:
        self.calls += 1
        if self._at is not None and self.calls >= self._at:
            raise Cancelled("by the conformance kit")


@contextmanager
def other_global_seeds() -> Iterator[None]:
    """Within it the global random states are others; afterwards they are as before."""
    import torch

    with kept_state():
        random.seed(20_11)
        np.random.seed(20_11)
        # Not torch.manual_seed, which would reseed the GPUs too, and these are not restored.
        torch.default_generator.manual_seed(20_11)
        yield
