"""Outputs of stages that other trials use again, in memory."""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

T = TypeVar("T")

Lifetime = Literal["draw", "fit", "pixels"]


@dataclass(frozen=True)
class MemoKey:
    """All that an output depends on.

    Attributes
    ----------
    lifetime : {"draw", "fit", "pixels"}
        What the output belongs to: a draw, a fitted generator, or the pixels of a prepared state.
    owner : str
        Hash of that draw, fit or these pixels.
    name : hashable
        What tells it from the other outputs of the same owner.
    """

    lifetime: Lifetime
    owner: str
    name: Hashable


class Memo:
    """Values by their keys. Of each lifetime only those of the latest owner are held.

    Trials are run draw by draw and generator by generator, so that little is made twice.
    """

    def __init__(self) -> None:
        self._held: dict[Lifetime, dict[MemoKey, Any]] = {"draw": {}, "fit": {}, "pixels": {}}
        self._owners: dict[Lifetime, str] = {}

    def holds(self, key: MemoKey) -> bool:
        """Whether there is a value of that key."""
        return key in self._held[key.lifetime]

    def get(self, key: MemoKey) -> Any:
        """The value of a key; None where there is none."""
        return self._held[key.lifetime].get(key)

    def once(self, key: MemoKey, make: Callable[[], T]) -> T:
        """The value of a key, which is made where there is none.

        Parameters
        ----------
        key : MemoKey
            A new owner drops the values of the one before.
        make : callable
            Makes the value.

        Returns
        -------
        object
            What ``make`` gave, now or before.
        """
        if self._owners.get(key.lifetime) != key.owner:
            self._owners[key.lifetime] = key.owner
            self._held[key.lifetime] = {}
        if key not in self._held[key.lifetime]:
            self._held[key.lifetime][key] = make()
        value: T = self._held[key.lifetime][key]
        return value

    def values(self, lifetime: Lifetime) -> Iterator[tuple[MemoKey, Any]]:
        """What is held of a lifetime."""
        yield from self._held[lifetime].items()

    def keep(self, lifetime: Lifetime, is_wanted: Callable[[MemoKey, Any], bool]) -> None:
        """Drop the values of a lifetime for which ``is_wanted`` is false."""
        self._held[lifetime] = {
            key: value for key, value in self._held[lifetime].items() if is_wanted(key, value)
        }
