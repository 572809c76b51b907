"""Plugins of other packages, told to the process of a command by a child process: that process
imports none of them.

A module of another package may replace functions of numpy, end its process or never return. So a
child of each package imports them, and answers in JSON, which is checked here. Processes that are
there to run plugins import them themselves: :func:`hsiaug.registry.lookup.import_here`.
"""

import atexit
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from hsiaug.base import errors
from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.base.processes import end_leader, serve, without_ctrl_c, without_main, work_of
from hsiaug.registry.card import Card
from hsiaug.registry.hookspecs import Entry

ANSWERS_WITHIN = 60.0
"""Seconds in which a package is imported, or says what its card is."""
BUSY = 20.0
"""The same, of the processor: torch takes two."""
SAYS_AFTER = 2.0
"""Seconds asleep, or of the processor, after which the user is told what is waited for."""
LOOKS_EVERY = 0.1
"""Seconds between two looks at a process that does not answer."""
DRAWS_WITHIN = 3600.0
"""Seconds in which a protocol draws."""
LARGEST = 2**31
"""Bytes of an answer: the masks of a draw."""

SERVES = "hsiaug.registry.child"
"""The module of the child, which imports others that import this one."""

Told = TypeVar("Told", bound=BaseModel)


class ToldModel(BaseModel):
    """A part of an answer: nothing beyond its fields, each of its very type; numbers are finite, as
    in records.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class ToldEntries(ToldModel):
    """As :func:`hsiaug.registry.lookup.ask_entries` gives them."""

    entries: list[Entry]
    error: str


Bound = Annotated[float, Field(allow_inf_nan=True)] | None


class ToldParam(ToldModel):
    """A hyper-parameter, as :func:`hsiaug.registry.card.param` declares it."""

    name: str = Field(pattern=r"^[A-Za-z_]\w*$")
    default: bool | int | float | str | None
    help: str
    unit: str
    low: Bound
    high: Bound
    choices: tuple[Any, ...]
    preparing: bool
    sampling: bool


_fields: dict[str, Any] = {
    name: (hint, ...) for name, hint in get_type_hints(Card).items() if name != "params"
}
ToldCard: Any = create_model("ToldCard", __base__=ToldModel, **_fields)
"""All fields of a :class:`hsiaug.registry.card.Card` but its params."""


class ToldProtocol(ToldModel):
    """What the class of a protocol says of itself, as
    :class:`hsiaug.protocol.split_protocol.SplitProtocol`.
    """

    takes: Literal["nothing", "number", "ratio"]
    usual_argument: str | None
    usage: str
    example: str
    usual_buffer: Literal["none", "centre", "patch"]
    leaky: bool
    nests_in: tuple[str, ...] | None


class ToldPlugin(ToldModel):
    """A plugin. protocol: of one, None of others; also where its class is none of SplitProtocol."""

    card: ToldCard
    params: tuple[ToldParam, ...]
    protocol: ToldProtocol | None


class _Failure(ToldModel):
    kind: Literal[
        "InputError",
        "SceneError",
        "SplitError",
        "DataUnavailableError",
        "PluginError",
        "StoreError",
    ]
    rule: str
    value: str | None
    hint: str


class Child:
    """The process that imports the plugins of one package.

    idle: seconds after which one that sleeps where it is to load a package is given up. lock: of
    the thread that asks.
    """

    def __init__(self, package: str, idle: float) -> None:
        self.package, self.lock = package, threading.RLock()
        self._idle, self._told, self._readable = idle, False, frozenset[str]()
        self._fault: PluginError | None = None
        self._start()
        atexit.register(self.end)

    def _start(self) -> None:
        self._kept = ""
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._temporary = tempfile.TemporaryDirectory(prefix="hsiaug-", ignore_cleanup_errors=True)
        arguments = SERVES, theirs, self._temporary.name, self._readable
        self._process = context.Process(target=serve, args=arguments, daemon=True)
        with without_main(), without_ctrl_c():
            self._process.start()
        theirs.close()

    def allow(self, files: Iterable[Path]) -> None:
        """Let the package read files that the user names for it; its process is started anew where
        it may not yet.
        """
        with self.lock:
            new = {str(path.resolve()) for path in files} - self._readable
            if new and self._fault is None:
                self._readable |= new
                self.end()
                self._start()

    def ask(self, question: str, *values: object, within: float = ANSWERS_WITHIN) -> Any:
        """What the package answers, as JSON has it.

        Raises the error that it raised as far as it is one of hsiaug's, PluginError for any other,
        and where no valid answer comes: then no question is asked again.
        """
        with self.lock:
            if self._fault is None:
                try:
                    self._pipe.send((question, values))
                    if fault := self._silence(within):
                        self._fault = self._gone(fault)
                    else:
                        said = json.loads(self._pipe.recv_bytes(LARGEST))
                        failure = said.get("failure")
                        if failure is None:
                            return said["said"]
                        told = _Failure.model_validate_json(json.dumps(failure))
                        raise getattr(errors, told.kind)(
                            told.rule, value=told.value, hint=told.hint
                        )
                except HsiaugError:
                    raise
                except (EOFError, OSError):
                    self._process.join(5)
                    self._fault = self._gone(
                        f"its process ended with exit code {self._process.exitcode}"
                    )
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                    self._fault = self._gone(
                        f"an answer that cannot be read ({type(error).__name__})"
                    )
            assert self._fault is not None
            raise self._fault

    def _silence(self, within: float) -> str:
        """Wait for an answer; why none is waited for any longer, empty where one is there."""
        begun = since = time.monotonic()
        first = before = work_of(self._process.pid)
        while not self._pipe.poll(min(LOOKS_EVERY, within)):
            now, seen = time.monotonic(), work_of(self._process.pid)
            if seen != before or not seen[1]:
                before, since = seen, now
            if now - begun > within:
                return f"no answer within {within:g} s"
            if within != ANSWERS_WITHIN:
                continue
            if now - since > self._idle:
                return f"no answer, and asleep for {self._idle:g} s"
            if seen[0] - first[0] > BUSY:
                return f"no answer within {BUSY:g} s of the processor"
            if max(now - since, seen[0] - first[0]) > SAYS_AFTER and not self._told:
                self._told = True
                sys.stderr.write(
                    f"waiting for the package {self.package} to load ('pip uninstall' takes it"
                    " out)\n"
                )
        return ""

    def entries(self, name: str, value: str) -> tuple[list[Entry], str]:
        """As :func:`hsiaug.registry.lookup.ask_entries`."""
        try:
            told = read_told(ToldEntries, self.ask("entries", name, value), self.package)
        except PluginError as error:
            return [], str(error)
        return told.entries, told.error

    def keep(self, key: str, data: object) -> None:
        """Give it a scene or pairs to draw from, where it has others. key: their checksum."""
        if self._kept != key:
            self.ask("keep", data)
            self._kept = key

    def end(self) -> None:
        """Kill the process."""
        end_leader(self._process)
        self._pipe.close()
        self._temporary.cleanup()

    def _gone(self, found: str) -> PluginError:
        self.end()
        rule = f"the package {self.package} must load, and say what its plugins are"
        return PluginError(
            rule, value=found, hint="Repair or uninstall it; all other plugins still work."
        )


def read_told(model: type[Told], said: object, package: str) -> Told:
    """An answer, checked. Raises PluginError."""
    try:
        return model.model_validate_json(json.dumps(said))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        rule = f"a plugin of {package} must have a valid card"
        hint = "Repair or uninstall that package; all other plugins still work."
        raise PluginError(
            rule, value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}", hint=hint
        ) from error
