"""Results that several configurations of a split need, computed once in a process."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

import numpy as np

from hsiaug.api import TrainView

T = TypeVar("T")
Function = TypeVar("Function", bound=Callable[..., Any])


def remember(most: int) -> Callable[[Function], Function]:
    """Keep the latest ``most`` results of a function whose arguments are arrays and plain values.

    They are found by the content of the arguments, so that whoever asks gets what it would have
    computed itself. A result is shared: it must be left as it is.
    """

    def decorate(function: Function) -> Function:
        results: OrderedDict[bytes, Any] = OrderedDict()

        @wraps(function)
        def remembered(*arguments: Any) -> Any:
            key = checksum(*arguments)
            if key not in results:
                results[key] = function(*arguments)
            results.move_to_end(key)
            while len(results) > most:
                results.popitem(last=False)
            return results[key]

        return cast(Function, remembered)

    return decorate


def checksum(*values: Any) -> bytes:
    """Of the content of arrays and plain values."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        if isinstance(value, np.ndarray):
            digest.update(f"{value.dtype}{value.shape}".encode())
            digest.update(np.ascontiguousarray(value).data)
        else:
            digest.update(repr(value).encode())
    return digest.digest()


def once_a_view(function: Function) -> Function:
    """Keep the results of ``function(view, *values, **others)`` for as long as the view is there,
    by the plain values.

    No result may hold the view, nor depend on the others.
    """
    by_view: WeakKeyDictionary[TrainView, dict[tuple[Any, ...], Any]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(view: TrainView, *values: Any, **others: Any) -> Any:
        results = by_view.setdefault(view, {})
        if values not in results:
            results[values] = function(view, *values, **others)
        return results[values]

    return cast(Function, remembered)


def once_the_pixels(function: Callable[[TrainView], T]) -> Callable[[TrainView], T]:
    """Keep the latest result of a function of what a view shows, whatever its labels: of all splits
    that hide no pixel.

    A result is shared: it must be left as it is.
    """
    latest: dict[bytes, T] = {}

    @wraps(function)
    def remembered(view: TrainView) -> T:
        key = checksum(view.cube, view.visible, view.wavelengths)
        if key not in latest:
            latest.clear()
            latest[key] = function(view)
        return latest[key]

    return remembered
