"""Plugins of other packages, in a process that does not import them: their cards and their
hyper-parameters.

One process imports the packages that are not known, and says what their plugins are. Its answers
are cached in the user's cache, with the state of the packages' files: a package that has not
changed is not imported again. Protocols draw where they are used
(:meth:`hsiaug.registry.lookup.Found.load`).

What this process answers is JSON of the types below, nothing beyond their fields, each of its very
type.
"""

import dataclasses
import hashlib
import json
import os
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, make_dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, TypeVar
from typing import get_type_hints as hints_of
from urllib.parse import urlsplit
from urllib.request import url2pathname

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic_core import to_jsonable_python

from hsiaug import __version__
from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.base.files import plain_text, replaced
from hsiaug.base.temporary_folders import PluginsFolder
from hsiaug.base.user_cache import cache_root
from hsiaug.data.embedded import embedded_files
from hsiaug.registry.card import Card, param
from hsiaug.registry.hookspecs import Entry
from hsiaug.registry.importing import IMPORTS, import_entries, import_plugin
from hsiaug.registry.isolation.confinement import beside, confine
from hsiaug.registry.isolation.processes import (
    Channel,
    Child,
    join_run,
    receive,
    without_secrets,
)

ANSWERS_WITHIN = 120.0
"""Seconds in which a package is imported and says what its plugins are, or checks a value."""
LONGEST_ANSWER = 2**24
"""In bytes."""
REPAIR = "Repair or uninstall that package; all other plugins still work."


# --- what the processes answer


class Message(BaseModel):
    """The base of all, and an answer without a content. Numbers are finite, as in records."""

    model_config = ConfigDict(
        strict=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants"
    )


Answer = TypeVar("Answer")
Bound = Annotated[float, Field(allow_inf_nan=True)] | None


class ParamFields(Message):
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
    added: bool = False


_CARD_FIELDS: dict[str, Any] = {
    name: (hint, ...) for name, hint in hints_of(Card).items() if name != "params"
}
CardFields: Any = create_model("CardFields", __base__=Message, **_CARD_FIELDS)
"""All fields of a :class:`hsiaug.registry.card.Card` but its params."""


class Metadata(Message):
    """A plugin: its card and its hyper-parameters."""

    card: CardFields
    params: tuple[ParamFields, ...]


class Failure(Message):
    """An error in place of an answer. kind: its class."""

    kind: str
    rule: str
    value: str | None
    hint: str

    @classmethod
    def of(cls, error: BaseException, package: str) -> "Failure":
        """An exception, whatever it is."""
        if isinstance(error, HsiaugError):
            value = None if error.value is None else str(error.value)
            kind = type(error).__name__
            return cls(kind=kind, rule=error.rule, value=value, hint=error.hint)
        value = type(error).__name__
        # Its text may raise anything.
        with suppress(Exception):
            value = traceback.format_exception_only(error)[-1].strip()
        rule = f"the package {package} must answer without an exception"
        return cls(kind="", rule=rule, value=value, hint=REPAIR)

    @property
    def error(self) -> HsiaugError:
        """The exception, as this process raises it."""
        kinds = {kind.__name__: kind for kind in HsiaugError.__subclasses__()}
        return kinds.get(self.kind, PluginError)(self.rule, value=self.value, hint=self.hint)


class PluginAnswer(Message):
    """A plugin of an entry point: what it is, or why that cannot be said."""

    entry: Entry
    answer: Metadata | Failure


class PointAnswer(Message):
    """An entry point: its plugins, or why there are none."""

    plugins: tuple[PluginAnswer, ...] = ()
    error: str = ""


class PackageAnswer(Message):
    """All of a package."""

    points: tuple[PointAnswer, ...]

    @property
    def complete(self) -> bool:
        """Whether nothing failed, so that the answer is cached."""
        answers = [plugin.answer for point in self.points for plugin in point.plugins]
        failed = any(isinstance(answer, Failure) for answer in answers)
        return not failed and not any(point.error for point in self.points)


def read_answer(kind: type[Answer], answer: str | bytes, package: str) -> Answer:
    """An answer of a process that imports a package, of a type that pydantic knows.

    Raises HsiaugError: the failure, where one was sent in its place, and PluginError where it is no
    such message.
    """
    try:
        return TypeAdapter(kind).validate_json(answer, strict=True)
    except ValidationError as error:
        with suppress(ValidationError):
            raise Failure.model_validate_json(answer).error from None
        first = error.errors(include_url=False)[0]
        raise PluginError(
            f"a plugin of {package} must have a valid card",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint=REPAIR,
        ) from error


# --- what the process of packages does


Points = tuple[tuple[str, str], ...]
"""Names and values of entry points."""


def _describe(packages: Mapping[str, Points]) -> Iterator[object]:
    """The plugins at the entry points of each package."""
    for package, points in packages.items():
        described = []
        for name, value in points:
            entries, error = import_entries(name, value)
            plugins = tuple(
                PluginAnswer(entry=entry, answer=_described(entry, package)) for entry in entries
            )
            described.append(PointAnswer(plugins=plugins, error=error))
        yield PackageAnswer(points=tuple(described))


def _described(entry: Entry, package: str) -> Metadata | Failure:
    try:
        card = import_plugin(entry, package).card
        params = [
            {"name": item.name, "default": item.default, **item.metadata}
            for item in dataclasses.fields(card.params)
        ]
        stated = {name: getattr(card, name) for name in CardFields.model_fields}
        # Mappings of any kind are objects there.
        text = json.dumps({"card": stated, "params": params}, default=dict)
        return read_answer(Metadata, text, package)
    except BaseException as error:
        return Failure.of(error, package)


def _check_params(package: str, entry: Entry, values: Mapping[str, object]) -> Iterator[object]:
    import_plugin(entry, package).card.params(**values)
    yield Message()


# --- what these processes may read and change


SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc", "/sys", "/nix/store"),
    *("/gnu/store", "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
    *("/proc/filesystems", "/proc/version", "/proc/sys"),
)
"""What a package may read of the system: of processes its own alone."""
DEVICES = "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"
"""Files, to which others write too."""
CODE = frozenset({".py", ".pyc", ".so", ".zip", ".egg", ".dist-info", ".egg-info", ".libs"})
"""Endings of what Python imports, and of what stands beside it."""
SCRIPT_FOLDERS = 2
"""Floors of folders without ``__init__.py`` below a folder of the path in which modules are looked
for.
"""


def _confine_package(temporary: str) -> None:
    """Begin as the process of packages. It can change nothing but this folder of temporary files,
    which stands for the user's home too, on Linux with Landlock.
    """
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = temporary
    hidden = embedded_files()
    folders = [*_python(), *map(Path, SYSTEM)]
    confine(
        [path for folder in folders for path in beside(hidden, folder.resolve())],
        [Path(temporary), *map(Path, DEVICES)],
        closed="all",
    )
    join_run()
    IMPORTS.allowed = True
    IMPORTS.known = {}


def _python() -> Iterator[Path]:
    """Where Python, its packages and the sources of packages that are installed as links to them
    lie.
    """
    prefixes = set(map(Path, (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)))
    yield from prefixes
    yield from map(Path, filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)))
    for folder in {Path(entry) for entry in sys.path if entry}:
        # Others may hold scenes, too: folders of a project.
        inside = any(folder.is_relative_to(prefix) for prefix in prefixes)
        yield from (folder,) if inside else _code_in(folder)
        for url_file in folder.glob("*.dist-info/direct_url.json"):
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                source = urlsplit(json.loads(url_file.read_text(encoding="utf-8"))["url"])
                if source.scheme == "file":
                    yield from _code_in(Path(url2pathname(source.path)))


def _code_in(folder: Path, depth: int = SCRIPT_FOLDERS) -> Iterator[Path]:
    """What Python imports from a folder: modules, packages with their data, and what is said of
    them; of an archive, all.

    A folder without ``__init__.py`` may be one of scripts beside a scene, so of such a folder only
    the modules and the packages in it are given.
    """
    if folder.is_file():
        yield folder
    with suppress(OSError):
        for path in folder.iterdir():
            if path.suffix in CODE or (path / "__init__.py").is_file():
                yield path
            elif depth and path.is_dir():
                yield from _code_in(path, depth - 1)


# --- a process that imports plugins, as the one that asks it sees it


class NoAnswer(Exception):
    """Why a process gave no answer."""


def answers(
    begin: Callable[[], None],
    work: Callable[..., Iterable[object]],
    *arguments: object,
    within: float,
    environment: Mapping[str, str] | None = None,
) -> Generator[bytes, None, None]:
    """What a process says that imports third-party plugins. It ends with this iterator.

    Parameters
    ----------
    begin : callable
        What the process does first.
    work : callable
        Of a module: gives what is sent, one after the other. Where it fails, a Failure is sent.
    arguments : object
        Of the work; the first is the name of a package, or names of several.
    within : float
        Seconds in which each must come.
    environment : mapping of str to str or None
        Its variables; None: those of this process.

    Raises
    ------
    NoAnswer
        Where the process ends, or is too late.
    """
    child = Child(_answer, begin, work, arguments, environment=environment)
    try:
        while child.connection.poll(within):
            yield receive(child.connection, LONGEST_ANSWER)
        raise NoAnswer(f"no answer within {within:g} s")
    except (EOFError, OSError):
        child.await_end(5)
        raise NoAnswer(f"its process ended with {child.ending}") from None
    finally:
        child.end()


def _answer(
    connection: Connection,
    begin: Callable[[], None],
    work: Callable[..., Iterable[object]],
    arguments: Sequence[object],
) -> None:
    begin()
    channel = Channel(connection)
    try:
        for answer in work(*arguments):
            channel.send(_as_json(answer))
    except BaseException as error:
        channel.send(_as_json(Failure.of(error, str(arguments[0]))))


def _as_json(answer: object) -> bytes:
    return json.dumps(answer, default=to_jsonable_python).encode()


def _of_packages(
    work: Callable[..., Iterable[object]], *arguments: object
) -> Generator[bytes, None, None]:
    """What the process of packages says."""
    with PluginsFolder() as temporary:
        begin, shown = partial(_confine_package, temporary), without_secrets(os.environ)
        yield from answers(begin, work, *arguments, within=ANSWERS_WITHIN, environment=shown)


def _next(said: Iterator[bytes], kind: type[Answer], package: str) -> Answer:
    """The next answer of that process. Raises HsiaugError where there is none."""
    try:
        return read_answer(kind, next(said), package)
    except NoAnswer as reason:
        rule = f"the package {package} must load, and say what its plugins are"
        raise PluginError(rule, value=str(reason), hint=REPAIR) from None


# --- what is cached of its answers


class CachedAnswer(Message):
    """What a package has answered at entry points. state: of the files of its modules."""

    asked: tuple[tuple[str, str], ...]
    modules: tuple[str, ...]
    state: str
    answer: PackageAnswer


def read_packages(asked: Mapping[str, Iterable[EntryPoint]]) -> dict[str, PackageAnswer]:
    """What the plugins of packages are, at these entry points.

    Those that are not cached are asked by one process. One that fails there is asked anew, as the
    first of another process: a package that was imported before it may be why.
    """
    points = {name: tuple((one.name, one.value) for one in asked[name]) for name in asked}
    cached = {name: _cached(name, points[name]) for name in points}
    found = {name: answer for name, answer in cached.items() if answer}
    while left := {name: points[name] for name in points if name not in found}:
        first = next(iter(left))
        with closing(_of_packages(_describe, left)) as said:
            for name in left:
                answer, ended = _read(said, name, left[name])
                if name != first and not answer.complete:
                    break
                found[name] = answer
                _keep(name, left[name], answer)
                if ended:
                    break
    return found


def _read(said: Iterator[bytes], package: str, points: Points) -> tuple[PackageAnswer, bool]:
    """The next answer, or why there is none; and whether none follows."""
    try:
        answer = _next(said, PackageAnswer, package)
        if len(answer.points) == len(points):
            return answer, False
        error = f"the package {package} must answer what it is asked. {REPAIR}"
    except HsiaugError as failure:
        error = str(failure)
    return PackageAnswer(points=(PointAnswer(error=error),) * len(points)), True


def _path_of(package: str) -> Path:
    here = hashlib.sha256(f"{package}\0{sys.prefix}".encode()).hexdigest()[:24]
    return cache_root() / "packages" / f"{here}.json"


def _cached(package: str, points: Points) -> PackageAnswer | None:
    with suppress(OSError, ValueError, ImportError):
        text = plain_text(_path_of(package), LONGEST_ANSWER) or ""
        cached = CachedAnswer.model_validate_json(text)
        if cached.asked == points and cached.state == _state(cached.modules):
            return cached.answer
    return None


def _keep(package: str, points: Points, answer: PackageAnswer) -> None:
    """Cache an answer that is complete. Where nothing can be cached, the package is asked at every
    command.
    """
    if not answer.complete:
        return
    targets = [plugin.entry.target for point in answer.points for plugin in point.plugins]
    targets += [value for _, value in points]
    modules = tuple(sorted({re.split("[.:]", target)[0] for target in targets}))
    with suppress(OSError, ValueError, ImportError):
        cached = CachedAnswer(asked=points, modules=modules, state=_state(modules), answer=answer)
        path = _path_of(package)
        path.parent.mkdir(parents=True, exist_ok=True)
        replaced(path, lambda fresh: fresh.write_text(cached.model_dump_json(), "utf-8"))


def _state(modules: Iterable[str]) -> str:
    """A checksum of when the files of modules were changed, and of what is installed."""
    lines = [*_installed()]
    for name in modules:
        spec = find_spec(name)
        if spec is None:
            raise ValueError(f"no module {name}")
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
        found = [Path(spec.origin)] if spec.origin and spec.has_location else []
        found += [path for folder in folders for path in folder.rglob("*")]
        for path in sorted(found):
            if path.suffix != ".pyc" and not path.is_dir():
                now = path.stat()
                lines.append(f"{path} {now.st_size} {now.st_mtime_ns} {now.st_ctime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def _installed() -> tuple[str, ...]:
    """Python, hsiaug and what is installed: a package may have its defaults from another."""
    names = {__version__, sys.version}
    for folder in filter(None, sys.path):
        with suppress(OSError):
            names |= {path.name for path in Path(folder).iterdir() if path.name.endswith("-info")}
    return tuple(sorted(names))


# --- a plugin as its package describes it


def described_card(package: str, plugin: PluginAnswer) -> Card:
    """The card of a plugin, whose hyper-parameters the package checks.

    Raises HsiaugError where the package cannot import the plugin, or its card is not valid.
    """
    metadata = plugin.answer
    if isinstance(metadata, Failure):
        raise metadata.error
    sound = [{item.name: item.default for item in metadata.params}]

    def check(params: Any) -> None:
        values = asdict(params)
        if values not in sound:
            with closing(_of_packages(_check_params, package, plugin.entry, values)) as said:
                _next(said, Message, package)
            sound.append(values)

    fields = [(item.name, type(item.default), _field(item)) for item in metadata.params]
    params = make_dataclass("Params", fields, frozen=True, namespace={"__post_init__": check})
    return Card(**dict(metadata.card), params=params)


def _field(item: ParamFields) -> Any:
    return param(**item.model_dump(exclude={"name"}, round_trip=True))
