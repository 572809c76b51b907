"""Classes of a library by names that users type: nothing outside that library is imported, nothing
is evaluated.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

from hsiaug.api import InputError, did_you_mean

DISTRIBUTIONS = {"sklearn": "scikit-learn", "imblearn": "imbalanced-learn"}


def find_class(library: str, name: str, modules: Sequence[str], base: type) -> type[Any]:
    """The class ``MODULE.CLASS`` of a library, a subclass of ``base`` that one of its public
    ``modules`` names.

    Of a single module it is ``CLASS`` alone. Raises InputError with the nearest names; only then
    are all modules imported.
    """
    module, _, class_name = name.rpartition(".") if len(modules) > 1 else (modules[0], "", name)
    if module in modules and (named := _public(library, module, base).get(class_name)):
        return named
    public = [(home, cls) for home in modules for cls in _public(library, home, base)]
    names = {f"{home}.{cls}" if len(modules) > 1 else cls: cls for home, cls in public}
    lowered = {address.lower(): address for address in names}
    near = [address for address, cls in names.items() if cls.lower() == class_name.lower()]
    near += [lowered[match] for match in get_close_matches(name.lower(), lowered, cutoff=0.55)]
    raise InputError(
        f"{library}:NAME must name a class of the installed {library} that is a"
        f" {base.__name__.removesuffix('Mixin')}",
        value=repr(name),
        hint=(
            f"Did you mean {' or '.join(dict.fromkeys(near))}?"
            if near
            else did_you_mean(name, names)
        ),
    )


def _public(library: str, module: str, base: type) -> dict[str, type[Any]]:
    """The classes of a public module that can be made, by name."""
    loaded = importlib.import_module(f"{library}.{module}")
    classes = {
        class_name: cls
        for class_name, cls in vars(loaded).items()
        if isinstance(cls, type) and issubclass(cls, base)
    }
    listed = getattr(
        loaded,
        "__all__",
        [class_name for class_name, cls in classes.items() if cls.__module__ == loaded.__name__],
    )
    return {
        class_name: cls
        for class_name, cls in classes.items()
        if class_name in listed and not inspect.isabstract(cls)
    }


def parse_options(text: str, label: str) -> dict[str, Any]:
    """Arguments such as ``n_estimators=50, criterion=entropy``: Python's literals, and words, which
    are texts.

    Raises InputError for what is neither.
    """
    try:
        call = ast.parse(f"f({text})", mode="eval").body
        if (
            not isinstance(call, ast.Call)
            or call.args
            or not all(keyword.arg for keyword in call.keywords)
        ):
            raise ValueError
        return {str(keyword.arg): _value(keyword.value) for keyword in call.keywords}
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise InputError(
            f"`{label}.options` must be arguments as NAME=VALUE, separated by commas",
            value=repr(text),
            hint="For example n_estimators=50, criterion=entropy.",
        ) from error


def _value(node: ast.expr) -> Any:
    return node.id if isinstance(node, ast.Name) else ast.literal_eval(node)


def build(cls: type[Any], options: Mapping[str, Any], label: str) -> Any:
    """An instance with these arguments. Raises InputError for one that it does not have, or that it
    refuses.
    """
    arguments = list(inspect.signature(cls).parameters)
    for name in options:
        if name not in arguments:
            raise InputError(
                f"`{label}.options` must name arguments of {cls.__name__}",
                value=repr(name),
                hint=did_you_mean(name, arguments),
            )
    try:
        return cls(**options)
    except Exception as error:
        raise InputError(
            f"`{label}.options` must be arguments that {cls.__name__} takes",
            value=f"{type(error).__name__}: {error}",
            hint=f"It has {', '.join(arguments)}.",
        ) from error


def seeded(cls: type[Any], seed: int) -> dict[str, Any]:
    """The argument that makes a class's randomness depend on a seed alone, where it has one."""
    return (
        {"random_state": seed % 2**32}
        if "random_state" in inspect.signature(cls).parameters
        else {}
    )


def described(library: str, cls: type[Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Facts for the record: the class, its arguments, and the version of its library."""
    release = version(DISTRIBUTIONS[library])
    return {
        "class": f"{library}:{cls.__name__}",
        "options": {k: str(v) for k, v in options.items()},
        "release": release,
    }
