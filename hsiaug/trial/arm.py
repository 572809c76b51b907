"""Configurations of a benchmark: a generator at one rate and one ω, and the generators that it is
measured against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hsiaug.core.view_names import RAW
from hsiaug.protocol.balance import Rate
from hsiaug.trial.record_json import Record, canonical_json

if TYPE_CHECKING:
    from hsiaug.registry.card import ControlOf
    from hsiaug.tasks.task import Task

NONE = "none"
"""The generator that adds no sample: the configuration of real samples alone, in every plan and
record.
"""
BOTH, SYNTHETIC = "both", "synthetic"
"""What a classifier learns from: real and synthetic samples, or synthetic ones alone."""
ALONE = " synthetic-only"
"""Behind the name of a generator whose synthetic samples are learnt from alone."""


@dataclass(frozen=True)
class Control:
    """What a plugin is a control of, as its card said when it was run.

    Attributes
    ----------
    kind : {"generator", "classifier"}
        Of the plugin; a classifier is a control without a sample.
    of : {"all", "transductive", "masks"}
        Which generators are measured against it.
    text : str
        What it is, in a few words that stand behind its name.
    """

    kind: str
    of: ControlOf
    text: str = ""

    @property
    def blind(self) -> bool:
        """True for a classifier that looks at no spectrum: what it scores stands in the audit."""
        return (self.kind, self.of) == ("classifier", "all")


CONTROLS_OF_OLD_RECORDS: Mapping[str, Control] = {
    NONE: Control("generator", "all", "the real samples alone"),
    "duplicate": Control("generator", "all", "real samples repeated"),
    "duplicate-balanced": Control(
        "generator", "masks", "real pairs repeated, equally often for each class"
    ),
    "pseudo": Control("generator", "transductive", "real pixels that a teacher labels"),
    "teacher": Control("classifier", "transductive", "the teacher's own map, no samples"),
    "pixel-svm": Control("classifier", "masks", "an SVM of single pixels"),
    "coords": Control("classifier", "all", "location alone"),
    "majority": Control("classifier", "all", "the most frequent class of training"),
}
"""By name, the controls of records from before these said ``control_of`` and ``control_text``.
Every report takes the order of its rows and columns, and the colours of its figures, from here;
what cards declare is read from records alone.
"""
CONTROLS_OF_ALL = tuple(
    name
    for name, control in CONTROLS_OF_OLD_RECORDS.items()
    if (control.kind, control.of) == ("generator", "all")
)
"""Generators that every other one is measured against; they lead the rows, in this order."""


def control_rank(name: str) -> tuple[int, str]:
    """Sort key: the controls of old records, in their order, then any other by name."""
    known = [*CONTROLS_OF_OLD_RECORDS]
    return (known.index(name) if name in known else len(known)), name


def controls_of(task: Task, scope: str | None, known: Mapping[str, Control]) -> tuple[str, ...]:
    """Generators that one of a scope must exceed to help in a task, in the order of columns.

    Parameters
    ----------
    scope : str or None
        None = not known.
    known : mapping of str to Control
        Every control by name.
    """
    kinds = task.control_kinds(scope)
    return tuple(name for name, one in known.items() if one.kind == "generator" and one.of in kinds)


def with_words(name: str, known: Mapping[str, Control]) -> str:
    """``pseudo (real pixels that a teacher labels)``: a control with what it is; any other name
    stays as it is.
    """
    text = known[name].text if name in known else ""
    return f"{name} ({text})" if text else name


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
        """The configuration of real and synthetic samples; of a configuration of both itself."""
        return replace(self, generator=replace(self.generator, train=BOTH))

    @property
    def judged(self) -> bool:
        """False for what every configuration is measured against, and for synthetic samples alone;
        a further control is judged against the others.
        """
        return self.generator.name not in CONTROLS_OF_ALL and self == self.both

    @property
    def rank(self) -> tuple[object, ...]:
        """Sort key: the controls, then by name, rate and ω."""
        omega = (-1, 0.0) if self.omega is None else (0, self.omega)
        return (
            control_rank(self.generator.name),
            self.generator.version,
            self.generator.params,
            self.rate,
            omega,
            self.generator.train,
        )
