"""What every plugin of this project begins with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, fields
from typing import Any, ClassVar, Generic, TypeVar

from hsiaug.api import Card, InputError, did_you_mean

__all__ = ["Plugin", "check_choices", "defaults"]

Params = TypeVar("Params")
Class = TypeVar("Class", bound=type)


class Plugin(Generic[Params]):
    """A plugin is made of its params, an instance of what its card names; a subclass has the card."""

    card: ClassVar[Card]

    def __init__(self, params: Params) -> None:
        self.params = params


def check_choices(params: Any, choices: Mapping[str, Sequence[Any]], prefix: str = "") -> None:
    """Raise InputError where a param is none of its choices. Those that ``params`` do not have are passed over.

    prefix: what the message has before the name, as ``set txt2hsi.``.
    """
    for name, known in choices.items():
        value = getattr(params, name, known[0])
        if value not in known:
            raise InputError(
                f"{prefix}{name} must be {' or '.join(map(str, known))}",
                value=repr(value),
                hint=did_you_mean(str(value), map(str, known)),
            )


def defaults(**values: Any) -> Callable[[Class], Class]:
    """Other defaults for params that a params class inherits; stands below its ``@dataclass``."""

    def restate(params: Class) -> Class:
        for inherited in fields(params):
            if inherited.name in values:
                params.__annotations__[inherited.name] = inherited.type
                setattr(params, inherited.name, field(default=values[inherited.name], metadata=inherited.metadata))
        return params

    return restate
