"""Checks, how they are run and their outcomes; and what they do to a plugin while it computes."""

import random
import time
import traceback
import unittest
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np

from hsiaug.base.arrays import AnyArray
from hsiaug.base.errors import PluginError
from hsiaug.trial.plugin_calls import kept_state

MAX_MESSAGE_CHARACTERS = 2000
"""Characters of a strange exception's message that are kept."""

Arrays = dict[str, AnyArray]
"""Results of a fitted plugin, by name."""

S = TypeVar("S")


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
    """Checks in the order in which they are reported."""

    def add(
        self, hint: str, *, needs: tuple[str, ...] = ("runs",), **numbers: float
    ) -> Callable[[Callable[[S], None]], Callable[[S], None]]:
        """Add a function that raises where its rule is broken. Its name is the check's, its
        docstring the rule.

        Parameters
        ----------
        numbers : float
            What the docstring names in braces.
        """

        def keep(test: Callable[[S], None]) -> Callable[[S], None]:
            rule = " ".join((test.__doc__ or "").split()).format(**numbers)
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
    seen: str
    hint: str
    seconds: float

    def __str__(self) -> str:
        head = f"{self.status:<7} {self.name} ({self.seconds:.2f} s)"
        if self.status == "passed":
            return head
        lines = [
            f"rule: {self.rule}",
            f"seen: {self.seen}",
            *([f"hint: {self.hint}"] if self.hint else []),
        ]
        return "\n".join([head, *(f"    {line}" for line in lines)])


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


class Kit:
    """The checks of one plugin. Each is run once at most, and after those that it needs.

    Parameters
    ----------
    make : callable
        Builds the subject, when the first check is run.
    """

    def __init__(self, title: str, checks: Iterable[Check], make: Callable[[], object]) -> None:
        self.title = title
        self.checks = {check.name: check for check in checks}
        self._make = make
        self._outcomes: dict[str, Outcome] = {}

    @cached_property
    def subject(self) -> object:
        """The plugin under test. Raises PluginError for a class that cannot be checked."""
        return self._make()

    def outcome(self, name: str) -> Outcome:
        """The outcome of a check."""
        if name not in self._outcomes:
            self._outcomes[name] = self._run(self.checks[name])
        return self._outcomes[name]

    def report(self) -> ConformanceReport:
        """All outcomes. Raises ConformanceError where a rule is broken."""
        report = ConformanceReport(self.title, tuple(self.outcome(name) for name in self.checks))
        if not report.failures:
            return report
        broken = len(report.failures)
        listed = "".join(f"\n\n{outcome}" for outcome in report.failures)
        error = ConformanceError(
            f"{self.title} must pass the conformance kit",
            value=f"{broken} broken rule{'s' if broken > 1 else ''}",
            hint=f"What each rule asks is in docs/develop/plugins-check.md.{listed}",
        )
        error.report = report
        raise error

    def _missing(self, check: Check) -> list[str]:
        """Names of needed checks that failed. A check that does not apply to the plugin stands in
        no other's way.
        """
        return [
            n
            for n in check.needs
            if self.outcome(n).status == "failed" or self._missing(self.checks[n])
        ]

    def _run(self, check: Check) -> Outcome:
        """Run a check, or skip it for want of what it needs."""
        if missing := self._missing(check):
            return Outcome(
                check.name, "skipped", check.rule, f"needs {', '.join(missing)}", "", 0.0
            )
        subject = self.subject
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
    """An exception, with the line of code that raised it unless its message is meant to be read
    alone.
    """
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception as unprintable:
        text = (
            f"{type(error).__name__}, whose message cannot be made ({type(unprintable).__name__})"
        )
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{text[:MAX_MESSAGE_CHARACTERS]} (at {last.filename}:{last.lineno}, {last.line})"


class Cancelled(Exception):
    """Raised out of ``progress`` by the kit, as a user's Ctrl-C would."""


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
