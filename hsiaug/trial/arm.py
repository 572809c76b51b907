"""Arms of a benchmark: a generator at one rate and one ω, and the generators that it is measured
against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.trial.content_hash import canonical_json
from hsiaug.trial.record_json import Record

if TYPE_CHECKING:
    from hsiaug.tasks.task import Task

NONE = "none"
"""The generator that adds no sample: the arm of real samples alone, in every plan and record."""
BOTH, SYNTHETIC = "both", "synthetic"
"""What a classifier learns from: real and synthetic samples, or synthetic ones alone."""
ALONE = " synthetic-only"
"""Behind the name of a generator whose synthetic samples are learnt from alone."""
CONTROLS_OF_ALL = (NONE, "duplicate")
"""Generators that every other one is measured against; they lead the rows, in this order.

These names, and those of the further controls below, stand for records from before a record said
``control_of``; what cards declare is read from there.
"""
BALANCED = "duplicate-balanced"
"""Further control where λ does not even out the classes: real samples repeated equally often for
each class.
"""
PSEUDO = "pseudo"
"""Further control of a generator that reads unlabelled pixels: the control sees as much."""
TEACHER = "teacher"
"""A classifier that is a control of what reads every unlabelled pixel: the map of the names that
``pseudo`` draws from. Such an arm is also measured against ``none`` with this classifier, where
that was run on the same draws.
"""
PIXEL_SVM = "pixel-svm"
"""A classifier as a control of every arm of segmentation: single pixels, against networks that
learn shapes.
"""
RIVALS = {
    TEACHER: "the map of the names that pseudo draws from",
    PIXEL_SVM: "the spectrum of each pixel and nothing of shapes",
}
"""Classifiers that are controls without a sample, and what each reads."""
CONTROLS_OF_OLD_RECORDS = (*CONTROLS_OF_ALL, BALANCED, PSEUDO)
"""Generators that are controls in records that do not say ``control_of``, in the order of rows and
columns; the controls that cards declare come behind them.
"""

CONTROL_WORDS = {
    "duplicate": "real samples repeated",
    BALANCED: "real pairs repeated, equally often for each class",
    PSEUDO: "real pixels that a teacher labels",
    TEACHER: "the teacher's own map, no samples",
    PIXEL_SVM: "an SVM of single pixels",
}
"""What each control is, in a few words that stand behind its name."""


def controls_of(
    task: Task, scope: str | None, declared: Mapping[str, str] = MappingProxyType({})
) -> tuple[str, ...]:
    """Controls that a generator of a scope must exceed to help in a task, in the order of columns.

    Parameters
    ----------
    scope : str or None
        None = not known.
    declared : mapping of str to str
        What generators were a control of when they were run, by name.
    """
    kinds = task.control_kinds(scope)
    # Older records do not say what these are controls of.
    older = (
        name for kind, name in (("masks", BALANCED), ("transductive", PSEUDO)) if kind in kinds
    )
    others = (name for name, of in declared.items() if of in kinds)
    return tuple(dict.fromkeys((*CONTROLS_OF_ALL, *older, *others)))


def needed_of(control: str, declared: str = "") -> str:
    """Name the arms that must be above a further control to help.

    Parameters
    ----------
    declared : str
        What it was a control of when it was run.
    """
    if declared == "all":
        return "every arm"
    if declared == "masks" or control in (BALANCED, PIXEL_SVM):
        return "every arm of masks"
    return "an arm that reads unlabelled pixels"


@dataclass(frozen=True)
class Method:
    """A generator or classifier as it was run: equal only where version and every parameter are
    equal.

    Attributes
    ----------
    params : str
        Canonical JSON, so that a method can be a dictionary key.
    convention : str or None
        What ω means to it; part of its identity, as the same ω means another thing under
        another.
    view : str
        Spectral view that a classifier was shown.
    train : str
        What classifiers learn from beside a generator.
    """

    name: str
    version: str
    params: str
    convention: str | None = None
    view: str = RAW
    train: str = BOTH

    @classmethod
    def of(
        cls, spec: Record, convention: object = None, view: str = RAW, train: str = BOTH
    ) -> Method:
        """Make a method from what a trial's specification says of a plugin."""
        params = canonical_json(spec.get("params") or {})
        return cls(
            spec["name"],
            str(spec["version"]),
            params,
            None if convention is None else str(convention),
            view,
            train,
        )


@dataclass(frozen=True)
class Arm:
    """A generator at one rate and one ω, its samples beside real ones or alone."""

    generator: Method
    rate: Rate
    omega: float | None

    @property
    def both(self) -> Arm:
        """The arm of real and synthetic samples; of an arm of both itself."""
        return replace(self, generator=replace(self.generator, train=BOTH))

    @property
    def control(self) -> bool:
        """True for what other arms are measured against."""
        return self.generator.name in CONTROLS_OF_OLD_RECORDS and self == self.both

    @property
    def judged(self) -> bool:
        """False for what every arm is measured against, and for synthetic samples alone; a further
        control is judged against the others.
        """
        return self.generator.name not in CONTROLS_OF_ALL and self == self.both

    @property
    def rank(self) -> tuple[object, ...]:
        """Sort key: the controls, then by name, rate and ω."""
        name = self.generator.name
        controls = CONTROLS_OF_OLD_RECORDS
        place = controls.index(name) if name in controls else len(controls)
        omega = (-1, 0.0) if self.omega is None else (0, self.omega)
        return (
            place,
            name,
            self.generator.version,
            self.generator.params,
            self.rate,
            omega,
            self.generator.train,
        )
