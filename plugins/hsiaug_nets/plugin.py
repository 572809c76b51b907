"""What every plugin of this project begins with."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from hsiaug.api import Card

__all__ = ["Plugin"]

Params = TypeVar("Params")


class Plugin(Generic[Params]):
    """A plugin is made of its params, an instance of what its card names; a subclass has the card."""

    card: ClassVar[Card]

    def __init__(self, params: Params) -> None:
        self.params = params
