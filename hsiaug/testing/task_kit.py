"""What the checks must know of a task: on what cases plugins are checked, beside whom, and how samples are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from hsiaug.plugins.card import Card
from hsiaug.plugins.hookspecs import Kind

__all__ = ["Case", "TaskKit", "Trouble"]

Trouble = Literal[
    "tiny-classes", "class-missing", "constant-bands", "bare-scene", "ignored-pixels", "patch-of-one"
]
"""What a case may have that an easy one has not; a check of the same name asks for it."""


@dataclass(frozen=True, eq=False)
class Case:
    """Data of a task, and the split that plugins see them under."""

    task: str
    data: Any
    split: Any


class TaskKit(Protocol):
    """A task as the checks see it. Samples, views and what is predicted (``items``) are the task's own types.

    reference_plugins: who completes a trial of a plugin of each kind.
    """

    task: str
    reference_plugins: Mapping[Kind, Any]

    def easy(self) -> Case:
        """The case of most checks. Class 2 is one that ``class-missing`` has no training pixel of."""
        ...

    def troubled(self, trouble: Trouble) -> Case:
        """A case with that trouble alone. Raises SkipTest for a trouble that the task does not know."""
        ...

    def hardest(self) -> tuple[Case, ...]:
        """All troubles at once but ``patch-of-one``, in as few cases as they can be."""
        ...

    def scrambled(self, case: Case, card: Card) -> Case:
        """The same but for what the card's plugin may not see: all test labels are wrong, and hidden spectra others."""
        ...

    # What generators are asked for, and what they make

    def asked(self, trained: Sequence[int]) -> Any:
        """How much a check asks for: unequal, none of one class, and only of trained classes."""
        ...

    def of_classes(self, counts: Mapping[int, int]) -> Any:
        """What asks for so many of each class id and nothing else, as the task's generators read it."""
        ...

    def miscounted(self, made: Any, asked: Any) -> str:
        """How samples differ from what was asked for; "" where they do not."""
        ...

    def inspect(self, made: Any, view: Any) -> None:
        """Raise Violation for samples that are not what the contract says, their numbers and values apart."""
        ...

    def values(self, samples: Any) -> NDArray[Any]:
        """The spectra of samples, in an array as they have it."""
        ...

    def of_class(self, samples: Any, c: int) -> NDArray[Any]:
        """All values of one class; c may be any of :meth:`labels`."""
        ...

    def seen(self, view: Any) -> NDArray[Any]:
        """All values of all bands that a view shows."""
        ...

    def arrays(self, samples: Any) -> dict[str, NDArray[Any]]:
        """Samples as arrays that can be compared."""
        ...

    # What classifiers learn from, and what they predict

    def labels(self, samples: Any) -> NDArray[Any]:
        """Class ids of samples, in the shape in which they are predicted; 0 = ignore."""
        ...

    def items(self, samples: Any) -> Any:
        """Samples without their labels, as they are predicted."""
        ...

    def part(self, items: Any, index: Any) -> Any:
        """The items at ``index``."""
        ...

    def moved(self, items: Any) -> Any:
        """The same spectra at another place. Raises SkipTest where items have none."""
        ...

    def probes(self, case: Case, card: Card) -> tuple[Any, NDArray[Any]]:
        """Test items as the card's classifier is shown them, and their labels."""
        ...

    def judged(self, labels: NDArray[Any]) -> list[int]:
        """Class ids that have enough labels for a recall to tell."""
        ...

    def least(self, classes: int) -> float:
        """Least mean recall over so many classes of a classifier that has learnt anything."""
        ...

    def joined(self, parts: Sequence[Any]) -> Any:
        """One batch of samples after the other."""
        ...

    def repeated(self, real: Any) -> Any:
        """Synthetic samples that any classifier can learn from: real ones with a little noise."""
        ...

    def mislabelled(self, real: Any, classes: int) -> Any:
        """Synthetic samples of weight 0 with wrong labels, enough to spoil what does not heed the weight."""
        ...

    def single(self, real: Any, c: int) -> Any:
        """Samples that have labels of one class alone."""
        ...
