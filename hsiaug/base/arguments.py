"""Arguments of the functions that Python users call: converted, or refused with one error, before
anything is done.
"""

import functools
import inspect
import math
import numbers
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from types import SimpleNamespace
from typing import Annotated, Any, ParamSpec, TypeVar, get_type_hints

import numpy as np

from hsiaug.base.errors import InputError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

MEANT = {
    "draws": ("seeds",),
    "draw": ("seed",),
    "seeds": ("seed",),
    "seed": ("seeds",),
    "lam": ("lambdas",),
    "lambda_": ("lambdas", "lam"),
    "omega": ("omegas",),
    "generator": ("generators",),
    "classifier": ("classifiers",),
    "view": ("views",),
    "set": ("params",),
}
"""Arguments as options of the command or earlier versions call them, and as functions do."""
MAX_NUMBER = 10**9


@dataclass(frozen=True)
class Argument:
    """Rule of an argument, in words, and its converter: ValueError, TypeError or OverflowError
    refuses a value.
    """

    rule: str
    convert: Callable[[Any], Any]


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """A function that converts the arguments whose annotations name a rule: ``lam: Annotated[float,
    number] = 1``.

    Their defaults are converted too. Calls raise InputError for what is not of its kind.
    """
    signature = inspect.signature(function)

    @functools.cache
    def rules() -> dict[str, Argument]:
        # At the first call, and of the parameters alone: what a function returns may not be
        # imported here.
        hints = SimpleNamespace(
            __annotations__={n: p.annotation for n, p in signature.parameters.items()}
        )
        named = get_type_hints(hints, function.__globals__, include_extras=True)
        listed = ((name, getattr(hint, "__metadata__", ())) for name, hint in named.items())
        return {
            name: rule for name, rules in listed for rule in rules if isinstance(rule, Argument)
        }

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        _check_names(signature, kwargs)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for name, rule in rules().items():
            value = bound.arguments[name]
            try:
                bound.arguments[name] = rule.convert(value)
            except (TypeError, ValueError, OverflowError) as error:
                raise InputError(
                    f"{name} must be {rule.rule}", value=shown_value(value), hint=f"Correct {name}."
                ) from error
        return function(*bound.args, **bound.kwargs)

    return called


def _check_names(signature: inspect.Signature, arguments: Mapping[str, object]) -> None:
    """Raise InputError for an argument that the function does not have, with the one that is
    meant.
    """
    parameters = signature.parameters
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters.values()):
        return
    for name in arguments:
        if name in parameters:
            continue
        meant = next(
            (candidate for candidate in MEANT.get(name, ()) if candidate in parameters), ""
        )
        names = [parameter for parameter in parameters if parameter != "self"]
        raise InputError(
            f"arguments are {', '.join(names)}",
            value=f"{name}=",
            hint=f"Write {meant}." if meant else did_you_mean(name, names),
        )


def shown_value(value: object) -> str:
    """A value as an error shows it, of whatever class it is."""
    try:
        return repr(value)
    except Exception:  # a __repr__ of another package, or an integer of too many digits
        return f"an object of {type(value).__name__}"


def one_or_more(value: Any, most: int) -> list[Any]:
    """One value, or several, as a list: ``most`` of them and one more at most, for what is iterated
    may have no end.
    """
    alone = isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable)
    return [value] if alone else list(islice(value, most + 1))


def _refuse(value: object, holds: bool) -> Any:
    if not holds:
        raise ValueError
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    value.encode()
    return str(_refuse(value, "\0" not in value))


def _path(value: Any) -> Any:
    name = os.fspath(value)
    return _refuse(value, isinstance(name, str) and name != "" and "\0" not in name)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError
    return float(_refuse(float(value), math.isfinite(value)))


def whole(low: int = 0) -> Argument:
    """An integer from ``low`` on, numpy's too."""

    def convert(value: Any) -> int:
        if isinstance(value, bool):
            raise TypeError
        return int(_refuse(operator.index(value), low <= operator.index(value) <= MAX_NUMBER))

    return Argument(f"a whole number from {low} on", convert)


def choice(*words: object) -> Argument:
    """One of these values."""

    def convert(value: object) -> object:
        return words[
            words.index(
                _refuse(value, isinstance(value, str | int) and not isinstance(value, bool))
            )
        ]

    return Argument(f"one of {', '.join(map(str, words))}", convert)


def optional(kind: Argument) -> Argument:
    """None too."""
    return Argument(
        f"None or {kind.rule}", lambda value: None if value is None else kind.convert(value)
    )


mapping = Argument("a mapping by name", lambda value: _refuse(value, isinstance(value, Mapping)))
number = Argument("a finite number", _number)
positive = Argument(
    "a number above 0", lambda value: _refuse(_number(value), 0 < _number(value) <= MAX_NUMBER)
)
path = Argument("a name or a path", _path)
switch = Argument(
    "True or False", lambda value: bool(_refuse(value, isinstance(value, bool | np.bool_)))
)
text = Argument("a text", _text)

AnyPath = Annotated[str | os.PathLike[str], path]
Number = Annotated[float, number]
Switch = Annotated[bool, switch]
Text = Annotated[str, text]
