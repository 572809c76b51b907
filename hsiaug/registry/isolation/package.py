"""The processes of other packages, as the process that asks them sees them."""

import atexit
import json
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from hsiaug.base import errors
from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.isolation.metadata import EntriesFacts, Failure, checked
from hsiaug.registry.isolation.processes import end_leader, start_leader
from hsiaug.registry.isolation.service import Reply, serve

ANSWERS_WITHIN = 120.0
"""Seconds in which a package is imported, or says what its card is."""
DRAWS_WITHIN = 3600.0
"""Seconds in which a protocol draws."""
NOTICE_AFTER = 3.0
"""Seconds after which the user is told what is waited for."""
LARGEST = 2**31
"""Bytes of a message: a mask of a draw."""

Find = Callable[[Kind, str], Any]
"""The class of a plugin by kind and name, in the process that calls it."""


class NoAnswer(Exception):
    """Why a process gave no answer that can be read."""


class Package:
    """The process that imports the plugins of one package, and is started with this object.

    Parameters
    ----------
    name : str
        The package's.
    find : Find
        Finds the class of a plugin where a stand-in of it is unpickled.

    Attributes
    ----------
    lock : held by the thread that asks
    stand_ins : the classes in place of its plugins, as far as they were asked for
    """

    def __init__(self, name: str, find: Find) -> None:
        self.name, self.find, self.lock = name, find, threading.RLock()
        self._readable: frozenset[str] = frozenset()
        self.stand_ins: dict[Entry, type] = {}
        self._failure: PluginError | None = None
        self._noticed = False
        self._start()
        atexit.register(self.end)

    def _start(self) -> None:
        # Of what is drawn from, which a new process has not.
        self._taken = ""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._temporary = tempfile.TemporaryDirectory(prefix="hsiaug-", ignore_cleanup_errors=True)
        arguments = theirs, self._temporary.name, self._readable
        self._process = context.Process(target=serve, args=arguments)
        start_leader(self._process)
        theirs.close()

    def end(self) -> None:
        """Kill the process, and what it started."""
        end_leader(self._process)
        self._pipe.close()
        self._temporary.cleanup()

    def allow(self, files: Iterable[Path]) -> None:
        """Let the package read files that the user names for it; its process is started anew where
        it may not yet.
        """
        with self.lock:
            new = {str(path.resolve()) for path in files} - self._readable
            if new and self._failure is None:
                self._readable |= new
                self.end()
                self._start()

    def entries(self, name: str, value: str) -> tuple[list[Entry], str]:
        """As :func:`hsiaug.registry.importing.import_entries`, imported there."""
        try:
            facts = checked(EntriesFacts, self.ask("entries", name, value).facts, self.name)
        except PluginError as error:
            return [], str(error)
        return facts.entries, facts.error

    def ask_of(self, data: Any, question: str, *arguments: object) -> Reply:
        """The answer to a question that draws from a scene or from pairs, which are sent where they
        are not there yet.
        """
        with self.lock:
            if self._taken != data.sha256:
                self.ask("take", data)
                self._taken = data.sha256
            return self.ask(question, *arguments, within=DRAWS_WITHIN)

    def ask(self, question: str, *arguments: object, within: float = ANSWERS_WITHIN) -> Reply:
        """The answer to a question, the name of a method of
        :class:`hsiaug.registry.isolation.service.Service`.

        Raises
        ------
        HsiaugError
            As the package raised it.
        PluginError
            For any other exception; and where no valid answer comes, at once at every later
            question.
        """
        with self.lock:
            if self._failure is not None:
                raise self._failure
            try:
                return self._answer(question, arguments, within)
            except NoAnswer as reason:
                self.end()
                self._failure = PluginError(
                    f"the package {self.name} must load, and say what its plugins are",
                    value=str(reason),
                    hint="Repair or uninstall it; all other plugins still work.",
                )
                raise self._failure from None

    def _answer(self, question: str, arguments: tuple[object, ...], within: float) -> Reply:
        try:
            self._pipe.send((question, arguments))
            self._wait(within)
            head = json.loads(self._pipe.recv_bytes(LARGEST))
            if "failure" in head:
                raise error_of(head["failure"], self.name)
            arrays = {name: self._array(*form) for name, form in head["arrays"].items()}
            return Reply(head["facts"], arrays)
        except HsiaugError:
            raise
        except (EOFError, OSError):
            self._process.join(5)
            raise NoAnswer(f"its process ended with exit code {self._process.exitcode}") from None
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            ValidationError,
        ) as error:
            raise NoAnswer(f"an answer that cannot be read ({type(error).__name__})") from None

    def _wait(self, within: float) -> None:
        notice = min(NOTICE_AFTER, within)
        if self._pipe.poll(notice):
            return
        if within == ANSWERS_WITHIN and not self._noticed:
            self._noticed = True
            sys.stderr.write(
                f"waiting for the package {self.name} to load ('pip uninstall' takes it out)\n"
            )
        if not self._pipe.poll(within - notice):
            raise NoAnswer(f"no answer within {within:g} s")

    def _array(self, dtype: str, *shape: int) -> NDArray[Any]:
        data = self._pipe.recv_bytes(LARGEST)
        if dtype not in ("bool", "int16"):
            raise NoAnswer(f"an array of {dtype:.20}")
        return np.frombuffer(data, dtype).reshape(shape)


def error_of(failure: object, package: str) -> HsiaugError:
    """The error that the process of a package answers with. Raises ValidationError for no such."""
    facts = Failure.model_validate_json(json.dumps(failure))
    if facts.kind:
        kind: type[HsiaugError] = getattr(errors, facts.kind)
        return kind(facts.rule, value=facts.value, hint=facts.hint)
    return PluginError(
        f"the package {package} must answer without an exception",
        value=facts.value,
        hint="Repair or uninstall it; all other plugins still work.",
    )
