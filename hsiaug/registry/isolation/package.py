"""The processes of other packages, as the process that asks them sees them."""

import atexit
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from hsiaug.base.errors import PluginError
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.isolation.calls import NoAnswer, PluginProcess
from hsiaug.registry.isolation.messages import AnyMessage, Entries, Message
from hsiaug.registry.isolation.package_process import confine_package, list_entries, take

ANSWERS_WITHIN = 120.0
"""Seconds in which a package is imported, or says what its card is."""
DRAWS_WITHIN = 3600.0
"""Seconds in which a protocol draws."""

Find = Callable[[Kind, str], Any]
"""The class of a plugin by kind and name, in the process that calls it."""


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
        self.name = name
        self.find = find
        self.lock = threading.RLock()
        self._readable: frozenset[str] = frozenset()
        self.stand_ins: dict[Entry, type] = {}
        self._failure: PluginError | None = None
        self._noticed = False
        self._start()
        atexit.register(self.end)

    def _start(self) -> None:
        # Of what is drawn from, which a new process has not.
        self._taken = ""
        self._temporary = tempfile.TemporaryDirectory(prefix="hsiaug-", ignore_cleanup_errors=True)
        begin = partial(confine_package, self._temporary.name, self._readable)
        self._process = PluginProcess(self.name, begin)

    def end(self) -> None:
        """Kill the process, and what it started."""
        self._process.end()
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
            answer = self.call(Entries, list_entries, name, value)
        except PluginError as error:
            return [], str(error)
        return answer.entries, answer.error

    def call_of(
        self,
        data: Scene | PairSet,
        model: type[AnyMessage],
        function: Callable[..., object],
        *arguments: object,
    ) -> AnyMessage:
        """What a function returns that draws from a scene or from pairs, which are sent where they
        are not there yet.
        """
        with self.lock:
            if self._taken != data.sha256:
                self.call(Message, take, data)
                self._taken = data.sha256
            return self.call(model, function, *arguments, within=DRAWS_WITHIN)

    def call(
        self,
        model: type[AnyMessage],
        function: Callable[..., object],
        *arguments: object,
        within: float = ANSWERS_WITHIN,
    ) -> AnyMessage:
        """What a function of :mod:`.package_process` returns there, as :meth:`PluginProcess.call`.

        Raises PluginError where no answer comes, and then at once at every later call.
        """
        with self.lock:
            if self._failure is not None:
                raise self._failure
            try:
                notice = self._notice if within <= ANSWERS_WITHIN else None
                return self._process.call(model, function, *arguments, within=within, notice=notice)
            except NoAnswer as reason:
                self.end()
                self._failure = PluginError(
                    f"the package {self.name} must load, and say what its plugins are",
                    value=str(reason),
                    hint="Repair or uninstall it; all other plugins still work.",
                )
                raise self._failure from None

    def _notice(self) -> None:
        if not self._noticed:
            self._noticed = True
            sys.stderr.write(
                f"waiting for the package {self.name} to load ('pip uninstall' takes it out)\n"
            )
