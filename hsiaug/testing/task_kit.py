"""The interface of a task for the checks: test cases, and access to samples."""

from __future__ import annotations

import unittest
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.pairs import PairSet
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import IGNORE
from hsiaug.registry.card import Card
from hsiaug.tasks.task import Counts, Data, Samples, Split, TaskSamples, TaskSplit, TaskView, View

__all__ = [
    "LOW",
    "NAMES",
    "NOISE",
    "SPAN",
    "AnyCase",
    "AnyTaskKit",
    "Case",
    "TaskKit",
    "Trouble",
    "class_spectra",
    "facts",
    "wrong_labels",
]

Trouble = Literal[
    "tiny-classes", "class-missing", "constant-bands", "bare-scene", "ignored-pixels", "patch-of-one"
]
"""Difficulties of a case; a check of the same name asks for each."""

NAMES = ("Meadow", "Maize", "Orchard", "Pond")
"""Of the classes of a case, of which some may be missing."""

LOW, SPAN = 6000.0, 4000.0
"""Scene units: digital numbers, far from 0 and from a standard deviation of 1, so that samples which were not
brought back to scene units are seen at once."""

NOISE = 0.015
"""Standard deviation of pixels round the spectrum of their class, as a share of SPAN."""

Items = TypeVar("Items")
"""The items that are predicted: patches or tiles."""


@dataclass(frozen=True, eq=False)
class Case(Generic[Data, Split]):
    """Data of a task, and the split that plugins see them under."""

    task: str
    data: Data
    split: Split


class TaskKit(ABC, Generic[Data, Split, View, Samples, Items, Counts]):
    """A task as the checks see it; cases, views, samples, items and counts are of the task's own types.

    spectra, class_ids: the arrays of samples that hold them. items_type: samples without labels, as they are predicted.
    troubles: arguments of :meth:`case` that make each trouble that the task knows. others: why it knows no others.
    few: labels of a class that a classifier may lose, as nothing was asked of it but to go on. copies: of the real
        samples, whose wrong labels are enough to spoil what does not heed the weight.
    """

    task: str
    spectra: ClassVar[str]
    class_ids: ClassVar[str]
    items_type: type[Items]
    troubles: Mapping[Trouble, Mapping[str, Any]]
    others: ClassVar[str]
    few: ClassVar[int] = 0
    copies: ClassVar[int] = 1

    @abstractmethod
    def case(self, **trouble: Any) -> Case[Data, Split]:
        """The case of most checks, or one with a trouble. Class 2 is one that ``class-missing`` leaves untrained."""

    def troubled(self, trouble: Trouble) -> Case[Data, Split]:
        """A case with that trouble alone. Raises SkipTest for a trouble that the task does not know."""
        if trouble not in self.troubles:
            raise unittest.SkipTest(self.others)
        return self.case(**self.troubles[trouble])

    @abstractmethod
    def hardest(self) -> tuple[Case[Data, Split], ...]:
        """All troubles at once but ``patch-of-one``, in as few cases as they can be."""

    @abstractmethod
    def scrambled(self, case: Case[Data, Split], card: Card) -> Case[Data, Split]:
        """The same but for what the card's plugin may not see: all test labels are wrong, and hidden spectra others."""

    # What generators are asked for, and what they make

    @abstractmethod
    def request(self, trained: Sequence[int]) -> Counts:
        """How much a check asks for: unequal, none of one class, and only of trained classes."""

    @abstractmethod
    def of_classes(self, counts: Mapping[int, int]) -> Counts:
        """A request for that many samples of each class id and nothing else, as the task's generators read it."""

    @abstractmethod
    def miscounted(self, made: Samples, request: Counts) -> str:
        """How samples differ from what was asked for; "" where they do not."""

    @abstractmethod
    def inspect(self, made: Samples, view: View) -> None:
        """Raise Violation for samples that are not what the contract says, their numbers and values apart."""

    @abstractmethod
    def of_class(self, samples: Samples, c: int) -> NDArray[Any]:
        """All values of one class; c may be any of :meth:`labels`."""

    @abstractmethod
    def visible(self, view: View) -> NDArray[Any]:
        """All values of all bands that a view shows."""

    def values(self, samples: Samples) -> NDArray[Any]:
        """The spectra of samples, in an array as they have it."""
        return np.asarray(getattr(samples, self.spectra))

    def arrays(self, samples: Samples) -> dict[str, NDArray[Any]]:
        """Samples as arrays that can be compared."""
        arrays = {
            name: getattr(samples, name, None) for name in (self.spectra, self.class_ids, "weight", "confidence")
        }
        return {name: array for name, array in arrays.items() if array is not None}

    # What classifiers learn from, and what they predict

    def labels(self, samples: Samples) -> NDArray[Any]:
        """Class ids of samples, in the shape in which they are predicted; 0 = ignore."""
        return np.asarray(getattr(samples, self.class_ids))

    def items(self, batch: Samples | Items, index: slice = slice(None)) -> Items:
        """Samples or items at ``index``, without labels, as they are predicted."""
        arrays: Any = fields(self.items_type)  # type: ignore[arg-type]
        return self.items_type(**{item.name: getattr(batch, item.name)[index] for item in arrays})

    @abstractmethod
    def moved(self, items: Items) -> Items:
        """The same spectra at another place. Raises SkipTest where items have none."""

    @abstractmethod
    def probes(self, case: Case[Data, Split], card: Card) -> tuple[Items, NDArray[Any]]:
        """Test items as the card's classifier is shown them, and their labels."""

    def judged(self, labels: NDArray[Any]) -> list[int]:
        """Class ids that have enough labels for a recall to tell."""
        ids, numbers = np.unique(labels, return_counts=True)
        return [int(c) for c, n in zip(ids, numbers, strict=True) if c != IGNORE and n > self.few]

    @abstractmethod
    def least(self, classes: int) -> float:
        """Least mean recall over so many classes of a classifier that has learnt anything."""

    def joined(self, parts: Sequence[Samples]) -> Samples:
        """One batch of samples after the other."""
        return cast(Samples, concatenate(cast(Any, parts)))

    @abstractmethod
    def repeated(self, real: Samples) -> Samples:
        """Synthetic samples that any classifier can learn from: real ones with a little noise."""

    def mislabelled(self, real: Samples, classes: int) -> Samples:
        """Synthetic samples of weight 0 with wrong labels."""
        wrong: Any = self.repeated(real)
        labels = np.where(self.labels(wrong) == IGNORE, IGNORE, self.labels(wrong) % classes + 1)
        wrong = replace(wrong, weight=np.zeros_like(wrong.weight), **{self.class_ids: labels})
        return self.joined([wrong] * self.copies)

    @abstractmethod
    def single(self, real: Samples, c: int) -> Samples:
        """Samples that have labels of one class alone."""


AnyCase = Case[Scene | PairSet, TaskSplit]
"""A case of a task of which only the name is known."""

AnyTaskKit = TaskKit[Any, TaskSplit, TaskView, TaskSamples, Any, Any]
"""A kit of such a task. Its cases, samples and items came from it, and are given back to it alone."""


def wrong_labels(labels: NDArray[np.int16], classes: int) -> NDArray[np.int16]:
    """Every label of any shape replaced by another of 1..``classes``; 0 stays."""
    # By random steps: a shift of all would keep how often each label occurs.
    steps = np.random.default_rng(derive_seed("scrambled")).integers(1, classes, size=labels.shape)
    return np.where(labels > 0, (labels - 1 + steps) % classes + 1, 0).astype(np.int16)


def class_spectra(classes: int, bands: int) -> NDArray[np.float64]:
    """(C, B) of 0..1."""
    grid, c = np.linspace(0, 1, bands), np.arange(classes)[:, None]
    return np.asarray(0.2 + 0.15 * c + 0.1 * np.sin(np.pi * (1 + c) * grid))


def facts(names: Sequence[str], bands: int, description: str, *, bare: bool) -> dict[str, Any]:
    """Metadata of a case. bare: no wavelengths, ground sampling distance or descriptions."""
    return {
        "class_names": tuple(names),
        "wavelengths": None if bare else np.linspace(450.0, 2350.0, bands),
        "gsd": None if bare else 2.0,
        "units": "digital numbers",
        "descriptions": {} if bare else {name: (description.format(name.lower()),) for name in names},
    }
