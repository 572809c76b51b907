"""Digest of the code of a plugin that no package registers; it serves as the plugin's version.

In a notebook a class is changed and run again without a thought for its version; without the
digest, its new trials would be taken for those that the store holds.
"""

import dis
import hashlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from hsiaug.base.errors import PluginError
from hsiaug.registry.card import Card

CONSTANTS = (bool, int, float, complex, str, bytes, type(None))

MAX_CONSTANT_SIZE = 1024
"""Numbers and bytes of one constant, and four times as many characters of text: labels of a scene
are more.
"""


def source_digest(plugin: type) -> str:
    """8 hexadecimal digits of the source of a class, and of all in its module that its methods
    refer to.

    Raises PluginError where they refer to anything but modules, functions, classes and small
    constants: a scene of the notebook, say, or its labels as text, which would travel to the worker
    processes with the class.
    """
    texts: list[str] = []
    _walk(plugin.__name__, plugin, plugin.__module__, texts, set())
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:8]


def _walk(name: str, value: object, home: str, texts: list[str], visited: set[int]) -> float:
    """Tell what stands behind a name, and what that refers to. Returns how much data it is, of a
    constant.
    """
    value = _bare(value)
    size = 0.0
    parts: Iterable[tuple[str, object]] = ()
    if isinstance(value, CONSTANTS):
        texts.append(f"{name} = {value!r}")
        size = (
            len(value) / 4
            if isinstance(value, str)
            else len(value)
            if isinstance(value, bytes)
            else 1
        )
    elif id(value) in visited or not _is_of(home, value):
        return 0
    elif isinstance(value, tuple | frozenset | Mapping | Card):
        parts = _parts(value)
    elif isinstance(value, type | FunctionType):
        texts.append(f"{name}: {_source(value)}")
        parts = _referred(value)
    else:
        size = float("inf")
    visited.add(id(value))
    inner = sum([_walk(part, referred, home, texts, visited) for part, referred in parts])
    size += inner if isinstance(value, tuple | frozenset | Mapping) else 0
    if size > MAX_CONSTANT_SIZE:
        rule = (
            "a plugin that no package registers may refer to modules, functions, classes and small"
            " constants alone"
        )
        hint = "Make it a hyper-parameter, or work it out in fit, from the train view."
        raise PluginError(rule, value=f"{name}, a {type(value).__name__}", hint=hint)
    return size


def _bare(value: Any) -> Any:
    """The function within a property or a method of the class."""
    value = getattr(value, "fget", value)
    return inspect.unwrap(getattr(value, "__func__", value))


def _is_of(home: str, value: object) -> bool:
    """Whether a value is of the plugin's own module: what other modules define is told by their own
    versions.
    """
    if isinstance(value, ModuleType):
        return False
    defined = isinstance(value, type) or hasattr(value, "__name__")
    return not defined or getattr(value, "__module__", None) == home


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), value[key]) for key in sorted(value))
    elif isinstance(value, Card):
        yield from ((name, getattr(value, name)) for name in sorted(vars(value)))
    else:
        listed = sorted(value, key=repr) if isinstance(value, frozenset) else value
        yield from ((str(place), one) for place, one in enumerate(listed))


def _referred(value: type | FunctionType) -> Iterator[tuple[str, object]]:
    """Members of a class, or objects that the code of a function names."""
    if isinstance(value, FunctionType):
        code, there = value.__code__, value.__globals__
        yield from ((name, there[name]) for name in _globals(code) if name in there)
        closed = zip(code.co_freevars, value.__closure__ or (), strict=True)
        yield from ((name, cell.cell_contents) for name, cell in closed)
        yield "defaults", value.__defaults__ or ()
        yield from (value.__kwdefaults__ or {}).items()
        yield from vars(value).items()
        return
    yield from ((base.__name__, base) for base in value.__bases__)
    yield from (
        (name, member) for name, member in vars(value).items() if _is_typed(name, _bare(member))
    )


def _is_typed(name: str, member: object) -> bool:
    """Whether somebody typed a member of a class: neither Python nor ``dataclass`` made it."""
    if isinstance(member, FunctionType):
        return member.__code__.co_filename != "<string>" or not name.startswith("__")
    return not name.startswith("__") and name != "_abc_impl"


def _globals(code: CodeType) -> Iterator[str]:
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(step.argval)
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _globals(one)


def _source(value: type | FunctionType) -> str:
    """A function as it was typed, or else its bytecode; a class is told by its members."""
    if isinstance(value, type):
        return "class"
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        return repr(_bytecode(value.__code__))


def _bytecode(code: CodeType) -> list[object]:
    inner = [_bytecode(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return [code.co_code, code.co_names, inner]
