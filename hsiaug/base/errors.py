"""The exceptions of hsiaug.

Each one says the rule that was broken, the value that broke it, and the hint::

    HsiaugError
    ├── InputError            a name, number or option the user gave
    ├── SceneError            a scene, its files or its card
    ├── DataUnavailableError  a public scene, or an optional library, that is not here
    ├── SplitError            a split of train and test pixels that is not sound
    ├── PluginError           a plugin that is broken, or breaks its contract
    └── StoreError            a store of records that cannot be read or written

The command line prints an ``HsiaugError`` as one message and exits with code 2.
"""

import difflib
import errno
import re
from collections.abc import Iterable
from functools import partial
from importlib.util import find_spec
from typing import NamedTuple

from hsiaug.base.text import shortened, visible

LONGEST_PART = 600
"""Characters of a rule at most, which may quote a file's name."""
LONGEST_HINT = 4000
"""Characters of a hint at most: a command in it must be whole."""
LISTED = 40
"""Known names that a hint lists at most."""


class HsiaugError(Exception):
    """A rule was broken. ``str(error)`` is the whole message, ready for a person to read: one line,
    however long or odd the names and values are that it quotes.

    Attributes
    ----------
    rule : str
        What was expected, naming the file or option.
    value : object
        What was found instead; left out of the message when None.
    hint : str
        What to do about it; "" where the rule says all, as in errors of plugins.
    """

    def __init__(self, rule: str, *, value: object = None, hint: str = "") -> None:
        self.rule = rule
        self.value = value
        self.hint = hint
        value_text = "" if value is None else f"; found {shortened(visible(str(value)))}"
        rule_text = shortened(visible(rule), LONGEST_PART)
        hint_text = shortened(visible(hint), LONGEST_HINT)
        statement = f"{rule_text}{value_text}"
        super().__init__(f"{statement}. {hint_text}" if hint else statement)

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions cross process borders by pickling; the default would lose the keyword
        # arguments.
        return partial(type(self), value=self.value, hint=self.hint), (self.rule,)


class InputError(HsiaugError):
    """A name, number or option that the user passed is not valid."""


class SceneError(HsiaugError):
    """A scene, one of its files or its card is not valid."""


class DataUnavailableError(HsiaugError):
    """A public scene is missing and cannot be downloaded, or an optional library is not
    installed."""


class SplitError(HsiaugError):
    """A split is not valid, or cannot be made on this scene."""


class PluginError(HsiaugError):
    """A plugin is faulty, or breaks its contract."""


class StoreError(HsiaugError):
    """A store of records cannot be read or written."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: similar names first, else all known ones.

    Parameters
    ----------
    name : str
        What was typed.
    known : iterable of str
        Valid names.

    Returns
    -------
    str
        A sentence.

    See Also
    --------
    InputError : has such a hint.

    Examples
    --------
    >>> from hsiaug.api import did_you_mean
    >>> did_you_mean("smotte", ["smote", "mixup"])
    'Did you mean smote?'
    """
    known = sorted(known)
    near = difflib.get_close_matches(str(name).lower(), known, n=3, cutoff=0.55)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    further = f" and {len(known) - LISTED} more" if len(known) > LISTED else ""
    return f"Known names: {', '.join(known[:LISTED]) or 'none'}{further}."


def check_known(rule: str, name: str, known: Iterable[str]) -> None:
    """Raise InputError, with this rule and near names, for a name that is not among those known."""
    known = list(known)
    if name not in known:
        raise InputError(rule, value=repr(name), hint=did_you_mean(name, known))


def install(extra: str, *libraries: str) -> str:
    """How to get an optional library. hsiaug itself is installed from a clone; no package index has
    it.
    """
    return f"pip install {' '.join(libraries)} (in a clone of hsiaug: pip install -e '.[{extra}]')"


def need(what: str, extra: str, *libraries: str, instead: str = "") -> None:
    """Raise DataUnavailableError where one of the libraries of an extra is missing.

    Parameters
    ----------
    instead : str
        What may be done as well.
    """
    if missing := [name for name in libraries if not find_spec(name)]:
        raise DataUnavailableError(
            f"{what} needs {missing[0]}",
            value="not installed",
            hint=f"{install(extra, *libraries)}{instead and f', or {instead}'}.",
        )


MEMORY = re.compile(
    "(cannot|can't|unable to|failed to|could not) allocate|memory allocation failed|out of memory"
    "|not enough memory|bad_alloc|failed to map segment",
    re.IGNORECASE,
)
"""Texts of libraries that raise other errors than MemoryError; the last stands for a limit of
addresses.
"""
THREAD = "can't start new thread"
"""What Python says where the system lets it start none, which wants memory too."""


class Shortage(NamedTuple):
    """What must be there, and what helps."""

    rule: str
    hint: str


NO_MEMORY = Shortage(
    "what was asked for must fit into the memory of this machine, or its limit (ulimit -v)",
    "Ask for less (a crop of the scene, smaller patches, fewer samples), or allow more memory.",
)
NO_FILES = Shortage(
    "a process must be able to open more files",
    "Raise the limit of open files (ulimit -n), or use fewer `jobs`.",
)
NO_PROCESSES = Shortage(
    "a process must be able to start another, or a thread",
    "Raise the limits of processes (ulimit -u, that of a container) and memory (ulimit -v),"
    " or use fewer `jobs`.",
)
NO_SIZE = Shortage(
    "files must be allowed to be as large as what is written into them, temporary ones too",
    "Raise the limit of the size of files (ulimit -f).",
)
SHORT = {
    errno.EFBIG: NO_SIZE,
    errno.ENOMEM: NO_MEMORY,
    errno.EMFILE: NO_FILES,
    errno.ENFILE: NO_FILES,
    errno.EAGAIN: NO_PROCESSES,
}
"""By the numbers of the system."""


def shortage_of(error: BaseException) -> Shortage | None:
    """What the machine lacks, where that is why an error was raised, or its cause; None for any
    other.
    """
    # Causes of a plugin's making may be thousands, or go in a circle.
    visited: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in visited:
        visited.add(id(cause))
        if isinstance(cause, MemoryError):
            return NO_MEMORY
        if isinstance(cause, OSError) and cause.errno is not None:
            return SHORT.get(cause.errno)
        text = _text(cause)
        if MEMORY.search(text):
            return NO_MEMORY
        if THREAD in text:
            return NO_PROCESSES
        cause = cause.__cause__
    return None


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except BaseException:
        # Of a plugin's own making, which may raise anything.
        return ""


def blame_shortage(cause: BaseException, kind: type[HsiaugError], what: str) -> None:
    """Raise an error of this kind where the machine lacks something.

    Parameters
    ----------
    what : str
        The file that could not be read.
    """
    if (short := shortage_of(cause)) is not None:
        raise kind(
            f"{what} cannot be read: {short.rule}",
            value=str(cause) or type(cause).__name__,
            hint=short.hint,
        ) from cause
