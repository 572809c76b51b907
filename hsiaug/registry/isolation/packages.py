"""Plugins of other packages, in a process that does not import them: their cards, their
hyper-parameters, and protocols that draw elsewhere.

One process imports all packages whose plugins are asked for, and says what they are. Its answers
are cached in the user's cache, with the state of the packages' files: a package that has not
changed is not imported again. One whose values are checked, or whose protocol draws, is imported by
a process of its own.

What these processes answer is JSON of the types below, nothing beyond their fields, each of its
very type.
"""

import atexit
import base64
import copyreg
import dataclasses
import hashlib
import json
import os
import re
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, make_dataclass
from functools import cache, partial
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin
from typing import get_type_hints as hints_of
from urllib.parse import urlsplit
from urllib.request import url2pathname

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model

from hsiaug import __version__
from hsiaug.base.errors import HsiaugError, PluginError
from hsiaug.base.files import plain_text, replaced
from hsiaug.base.user_cache import cache_root
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.data.embedded import embedded_files
from hsiaug.data.paths import is_file, user_path
from hsiaug.registry.card import Card, param
from hsiaug.registry.hookspecs import Entry, Kind
from hsiaug.registry.importing import IMPORTS, import_entries, import_plugin
from hsiaug.registry.isolation.confinement import beside, confine
from hsiaug.registry.isolation.processes import Channel, Child, join_run, without_secrets
from hsiaug.registry.protocol_base import Areas, Buffer, Draw, SplitProtocol

ANSWERS_WITHIN = 120.0
"""Seconds in which a package is imported, or says what its card is."""
DRAWS_WITHIN = 3600.0
"""Seconds in which a protocol draws."""
REPAIR = "Repair or uninstall that package; all other plugins still work."


# --- what the processes answer


class Message(BaseModel):
    """The base of all, and an answer without a content. Numbers are finite, as in records.

    Attributes
    ----------
    contract : str
        What a plugin must do so that its answer is valid.
    most_bytes : int
        Of an answer.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
    contract: ClassVar[str] = "have a valid card"
    most_bytes: ClassVar[int] = 2**24


AnyMessage = TypeVar("AnyMessage", bound=Message)


def message_like(name: str, hints: Mapping[str, Any]) -> Any:
    """A message with fields of these types, all of which must be stated."""
    fields: dict[str, Any] = {field: (hint, ...) for field, hint in hints.items()}
    return create_model(name, __base__=Message, **fields)


def stated(model: type[Message], source: object) -> dict[str, Any]:
    """The fields of a message as an object has them, not yet checked."""
    return {name: getattr(source, name) for name in model.model_fields}


class Entries(Message):
    """The plugins of an entry point, or why there are none."""

    entries: list[Entry]
    error: str


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


CardFields: Any = message_like(
    "CardFields", {name: hint for name, hint in hints_of(Card).items() if name != "params"}
)
"""All fields of a :class:`hsiaug.registry.card.Card` but its params."""
ProtocolFields: Any = message_like(
    "ProtocolFields",
    {
        name: get_args(hint)[0]
        for name, hint in hints_of(SplitProtocol).items()
        if get_origin(hint) is ClassVar and name != "card"
    },
)
"""What the class of a protocol declares beside its card."""


class Metadata(Message):
    """A plugin. protocol: None also where its class is none of SplitProtocol."""

    card: CardFields
    params: tuple[ParamFields, ...]
    protocol: ProtocolFields | None


class ProtocolTexts(Message):
    """A protocol that was read from its text."""

    contract: ClassVar[str] = "say what its protocol is"

    argument: str
    buffer: Buffer
    canonical: str
    text: str
    short: str
    reads_spectra: bool
    identity: dict[str, str]


class Radius(Message):
    """The distance from training pixels within which no test pixel lies."""

    contract: ClassVar[str] = "state its buffer in whole pixels"

    pixels: int


class ArrayForm(Message):
    """An array as JSON has it, its bytes in base 64."""

    dtype: Literal["bool", "int16"]
    shape: tuple[int, ...]
    data: str

    def array(self) -> NDArray[Any]:
        """The array. Raises ValueError where shape and data do not fit."""
        return np.frombuffer(base64.b64decode(self.data), self.dtype).reshape(self.shape)


Mask = Annotated[ArrayForm, AfterValidator(ArrayForm.array)]


class Masks(Message):
    """Of a :class:`hsiaug.registry.protocol_base.Draw`, or of
    :class:`hsiaug.registry.protocol_base.Areas`.
    """

    contract: ClassVar[str] = "draw masks"
    most_bytes: ClassVar[int] = 2**31


class DrawMasks(Masks):
    train: Mask
    dropped: Mask
    notes: tuple[str, ...]
    hidden: Mask | None
    labels: Mask | None
    asked: Mask | None


class AreaMasks(Masks):
    train: tuple[Mask, ...]
    test: tuple[Mask, ...]
    tiles: int | None
    overlap: float | None


class Failure(Message):
    """An error in place of an answer. kind: its class, where it is one of hsiaug's; else ""."""

    kind: str
    rule: str
    value: str | None
    hint: str

    @classmethod
    def of(cls, error: BaseException) -> dict[str, Any]:
        """An exception, whatever it is."""
        if isinstance(error, HsiaugError):
            value = None if error.value is None else str(error.value)
            known = {"kind": type(error).__name__, "rule": error.rule, "hint": error.hint}
            return {**known, "value": value}
        value = type(error).__name__
        # Its text may raise anything.
        with suppress(Exception):
            value = traceback.format_exception_only(error)[-1].strip()
        return {"kind": "", "rule": "", "value": value, "hint": ""}

    def error(self, package: str) -> HsiaugError:
        """The exception, as this process raises it."""
        kinds = {kind.__name__: kind for kind in HsiaugError.__subclasses__()}
        if self.kind in kinds:
            return kinds[self.kind](self.rule, value=self.value, hint=self.hint)
        rule = f"the package {package} must answer without an exception"
        return PluginError(rule, value=self.value, hint=REPAIR)


def as_json(answer: object) -> bytes:
    """An answer as it is sent."""
    return json.dumps(answer, default=_json_form).encode()


def _json_form(value: Any) -> object:
    if isinstance(value, np.ndarray):
        data = base64.b64encode(value.tobytes()).decode()
        return {"dtype": str(value.dtype), "shape": value.shape, "data": data}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")


class NoMessage(PluginError):
    """What a process sent is none of the messages: what follows may answer an earlier question."""


def read_answer(model: type[AnyMessage], answer: bytes, package: str) -> AnyMessage:
    """An answer of the process of a package.

    Raises
    ------
    HsiaugError
        The failure, where one was sent in its place.
    PluginError
        Where it is no such message.
    """
    try:
        return model.model_validate_json(answer)
    except ValidationError as error:
        with suppress(ValidationError):
            raise Failure.model_validate_json(answer).error(package) from None
        first = error.errors(include_url=False)[0]
        raise NoMessage(
            f"a plugin of {package} must {model.contract}",
            value=f"{'.'.join(map(str, first['loc']))}: {first['msg']}",
            hint=REPAIR,
        ) from error


# --- functions that these processes call


def _list_entries(name: str, value: str) -> object:
    entries, error = import_entries(name, value)
    return {"entries": [asdict(entry) for entry in entries], "error": error}


def _load(entry: Entry) -> Any:
    return import_plugin(entry, entry.target.partition(":")[0])


def _describe(entry: Entry) -> object:
    plugin = _load(entry)
    params = [
        {"name": item.name, "default": item.default, **item.metadata}
        for item in dataclasses.fields(plugin.card.params)
    ]
    is_protocol = isinstance(plugin, type) and issubclass(plugin, SplitProtocol)
    protocol = stated(ProtocolFields, plugin) if is_protocol else None
    return {"card": stated(CardFields, plugin.card), "params": params, "protocol": protocol}


def _check_params(entry: Entry, values: Mapping[str, object]) -> object:
    _load(entry).card.params(**values)
    return {}


def _parse(entry: Entry, argument: str, buffer: Buffer, folder: Path) -> object:
    protocol = _load(entry).parse(argument, buffer, folder)
    names = ProtocolTexts.model_fields.keys() - {"identity"}
    texts = {name: getattr(protocol, name) for name in names}
    return {**texts, "identity": protocol.as_json()}


def _buffer_radius(entry: Entry, argument: str, buffer: Buffer, patch: int) -> object:
    return {"pixels": _load(entry).parse(argument, buffer, Path()).buffer_radius(patch)}


def _draw(entry: Entry, argument: str, buffer: Buffer, data: Any, seed: int, patch: int) -> object:
    protocol = _load(entry).parse(argument, buffer, Path())
    if isinstance(data, Scene):
        return stated(DrawMasks, protocol.draw(data, seed, patch))
    return stated(AreaMasks, protocol.draw_tiles(data, seed, patch))


def _answer_calls(connection: Connection, begin: Callable[[], None]) -> None:
    """Call functions until the other end of the connection is closed."""
    begin()
    channel = Channel(connection)
    while True:
        function, arguments = channel.receive()
        try:
            answer = as_json(function(*arguments))
        except BaseException as error:
            answer = as_json(Failure.of(error))
        channel.send(answer)


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
PASSED = re.compile(
    r"PATH|LANG|LC_\w+|TZ|TERM|COLUMNS|TMPDIR|TEMP|TMP|LD_LIBRARY_PATH|DYLD_\w+|PYTHON\w*|\w+_THREADS"
    r"|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|HSIAUG_\w+|PYDANTIC_DISABLE_PLUGINS"
    r"|TORCH_DEVICE_BACKEND_AUTOLOAD|ONEDNN_\w+|MKL_\w+|KMP_\w+",
    re.IGNORECASE,
)
"""Names of the variables that a package is shown: what Python and libraries need to start."""


def _confine_package(temporary: str, readable: Collection[str]) -> None:
    """Begin as the process of packages.

    Parameters
    ----------
    temporary : str
        The folder of temporary files, which stands for the user's home too. Nothing else can be
        changed, on Linux with Landlock.
    readable : collection of str
        Files that can be read beside Python, its packages and the system's.
    """
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = temporary
    hidden = embedded_files()
    folders = [*_python(), *map(Path, (*SYSTEM, *readable))]
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


# --- the processes, as the one that asks them sees them


class NoAnswer(Exception):
    """Why a process gave no answer."""


class PluginProcess:
    """A process that imports third-party plugins.

    Parameters
    ----------
    begin : callable
        What the process does first.
    environment : mapping of str to str or None
        Its variables; None: those of this process.
    """

    def __init__(
        self, begin: Callable[[], None], environment: Mapping[str, str] | None = None
    ) -> None:
        self._child = Child(_answer_calls, begin, environment=environment)
        self.end = self._child.end

    def call(
        self,
        package: str,
        model: type[AnyMessage],
        function: Callable[..., object],
        *arguments: object,
        within: float | None = None,
    ) -> AnyMessage:
        """What a function returns there.

        Parameters
        ----------
        package : str
            The package, or the plugin, as errors call it.
        model : type of message
            What the function states.
        function : callable
            Of a module, under whose name the process has it.
        within : float or None
            Seconds in which it must return; None = any.

        Raises
        ------
        NoAnswer
            Where the process ends, or is too late.
        HsiaugError
            As the function raised it; PluginError for any other exception, and for an answer that
            is no such message.
        """
        connection = self._child.connection
        try:
            connection.send((function, arguments))
            if within is not None and not connection.poll(within):
                raise NoAnswer(f"no answer within {within:g} s")
            answer = connection.recv_bytes(model.most_bytes)
        except (EOFError, OSError):
            self._child.await_end(5)
            raise NoAnswer(f"its process ended with {self._child.ending}") from None
        return read_answer(model, answer, package)


@dataclass
class Importer:
    """The process that imports packages: started when it is asked and does not run.

    Attributes
    ----------
    asked : set of str
        The packages that it was asked for.
    readable : set of str
        Files of the user that it may read.
    """

    asked: set[str] = field(default_factory=set)
    readable: set[str] = field(default_factory=set)
    process: PluginProcess | None = None
    temporary: Any = None

    def start(self) -> PluginProcess:
        """The process, which ends with this one."""
        if self.process is None:
            self.temporary = tempfile.TemporaryDirectory("", "hsiaug-", ignore_cleanup_errors=True)
            begin = partial(_confine_package, self.temporary.name, frozenset(self.readable))
            environment = without_secrets(os.environ)
            shown = {name: environment[name] for name in environment if PASSED.fullmatch(name)}
            self.process = PluginProcess(begin, shown)
            atexit.register(self.end)
        return self.process

    def end(self) -> None:
        """Kill the process, and what it started."""
        if self.process is not None:
            self.process.end()
            self.temporary.cleanup()
        self.process = None
        self.asked.clear()
        self.readable.clear()


IMPORTER = Importer()
LOCK = threading.RLock()
"""Held by the thread that asks."""


class Package:
    """A package, as it answers.

    Parameters
    ----------
    name : str
        The package's.
    find : callable
        Finds the class of a plugin by kind and name, in the process that unpickles what stands in
        place of one.
    points : iterable of EntryPoint
        Those with plugins.
    """

    def __init__(
        self, name: str, find: Callable[[Kind, str], Any], points: Iterable[EntryPoint] = ()
    ) -> None:
        self.name = name
        self.find = find
        self.readable: set[str] = set()
        """Files that the user names for it."""
        self._answers = _Answers.read(name, tuple(points))
        self._plugins: dict[Entry, type] = {}
        self._failure: PluginError | None = None

    def entries(self, name: str, value: str) -> tuple[list[Entry], str]:
        """As :func:`hsiaug.registry.importing.import_entries`, imported elsewhere."""
        try:
            answer = self._ask(f"{name} = {value}", Entries, _list_entries, name, value)
        except PluginError as error:
            return [], str(error)
        return answer.entries, answer.error

    def plugin(self, entry: Entry) -> type:
        """The class in place of a plugin, with its card, whose hyper-parameters the package checks.

        Raises PluginError where the package cannot import the plugin, or its card is not valid.
        """
        with LOCK:
            if entry not in self._plugins:
                key = f"{entry.kind} {entry.name} {entry.target}"
                metadata = self._ask(key, Metadata, _describe, entry)
                self._plugins[entry] = _class_of(self, entry, metadata)
            return self._plugins[entry]

    def _ask(
        self, key: str, model: type[AnyMessage], function: Callable[..., object], *arguments: object
    ) -> AnyMessage:
        """An answer that stays as it is until the package changes."""
        with LOCK:
            with suppress(KeyError, ValidationError):
                return model.model_validate_json(self._answers.by_key[key])
            with suppress(PluginError):
                answer = self.call(model, function, *arguments, alone=False)
                if not getattr(answer, "error", ""):
                    self._answers.keep(key, answer)
                    return answer
            # Another package, imported there before, may be why.
            return self.call(model, function, *arguments)

    def call(
        self,
        model: type[AnyMessage],
        function: Callable[..., object],
        *arguments: object,
        within: float = ANSWERS_WITHIN,
        alone: bool = True,
    ) -> AnyMessage:
        """What a function returns in the process that imports packages.

        alone: it has imported no other one. Raises PluginError where no answer comes, and then at
        once at every later call.
        """
        with LOCK:
            if self._failure is not None:
                raise self._failure
            others = IMPORTER.asked - {self.name}
            if (alone and others) or not self.readable <= IMPORTER.readable:
                IMPORTER.end()
            IMPORTER.asked.add(self.name)
            IMPORTER.readable |= self.readable
            try:
                process = IMPORTER.start()
                return process.call(self.name, model, function, *arguments, within=within)
            except NoMessage:
                IMPORTER.end()
                raise
            except NoAnswer as reason:
                rule = f"the package {self.name} must load, and say what its plugins are"
                failure = PluginError(rule, value=str(reason), hint=REPAIR)
                if IMPORTER.asked == {self.name}:
                    self._failure = failure
                IMPORTER.end()
                raise failure from None


# --- what is cached of their answers


class _Answers(Message):
    """What a package has answered, by the question.

    Attributes
    ----------
    modules : list of str
        Whose files are looked at.
    state : str
        Of these files.
    """

    modules: list[str]
    state: str
    by_key: dict[str, str]
    _path: Path = Path()

    @classmethod
    def read(cls, package: str, points: Collection[EntryPoint]) -> "_Answers":
        """What is cached, where the package is as it was."""
        here = hashlib.sha256(f"{package}\0{sys.prefix}".encode()).hexdigest()[:24]
        path = cache_root() / "packages" / f"{here}.json"
        answers = cls(modules=sorted({_top(point.value) for point in points}), state="", by_key={})
        with suppress(OSError, ValueError, ImportError):
            cached = cls.model_validate_json(plain_text(path, 2**24) or "")
            known = set(answers.modules) <= set(cached.modules)
            answers = cached if known and cached.state == _state(cached.modules) else answers
        answers._path = path
        return answers

    def keep(self, key: str, answer: Message) -> None:
        """Cache an answer. Where nothing can be written, the package is asked again."""
        if isinstance(answer, Entries):
            self.modules = sorted({*self.modules, *(_top(one.target) for one in answer.entries)})
        self.by_key[key] = answer.model_dump_json(round_trip=True)
        with suppress(OSError, ValueError):
            self.state = _state(self.modules)
            self._path.parent.mkdir(parents=True, exist_ok=True)
            replaced(self._path, lambda fresh: fresh.write_text(self.model_dump_json(), "utf-8"))


def _top(target: str) -> str:
    return target.partition(":")[0].partition(".")[0]


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


# --- what stands in place of a plugin


class StandIn:
    """A generator or classifier of another package: its card."""

    card: ClassVar[Card]


def _class_of(package: Package, entry: Entry, metadata: Metadata) -> type:
    card = Card(**dict(metadata.card), params=_params(package, entry, metadata))
    members: dict[str, Any] = {"card": card, "__doc__": card.summary}
    base: type = StandIn
    if entry.kind == "protocol" and metadata.protocol is not None:
        base = IsolatedProtocol
        members |= {"package": package, "entry": entry, **dict(metadata.protocol)}
    return type(entry.target.partition(":")[2], (base,), members)


def _params(package: Package, entry: Entry, metadata: Metadata) -> type:
    """The class of the hyper-parameters, which is pickled by the plugin's name."""

    def check(params: Any) -> None:
        values = asdict(params)
        if any(values[item.name] != item.default for item in metadata.params):
            package.call(Message, _check_params, entry, values)

    fields = [
        (item.name, type(item.default), param(**item.model_dump(exclude={"name"}, round_trip=True)))
        for item in metadata.params
    ]
    params = make_dataclass("Params", fields, frozen=True, namespace={"__post_init__": check})
    copyreg.pickle(params, lambda one: (_restore_params, (package.find, entry, asdict(one))))
    return params


def _restore_params(find: Any, entry: Entry, values: dict[str, object]) -> Any:
    return find(entry.kind, entry.name).card.params(**values)


def _restore_protocol(find: Any, name: str, argument: str, buffer: Buffer) -> Any:
    return find("protocol", name).parse(argument, buffer)


def _as_stated(name: str) -> Any:
    """A property of a protocol that its own process has stated."""
    return property(lambda protocol: getattr(protocol.stated, name))


@dataclass(frozen=True)
class IsolatedProtocol(SplitProtocol):
    """A protocol of another package. stated: what it says of itself."""

    package: ClassVar[Package]
    entry: ClassVar[Entry]

    stated: ProtocolTexts = field(compare=False, repr=False)

    canonical = _as_stated("canonical")
    text = _as_stated("text")
    short = _as_stated("short")
    reads_spectra = _as_stated("reads_spectra")

    @classmethod
    def parse(cls, argument: str, buffer: Buffer, folder: Path = Path()) -> Self:
        # A file that the protocol reads is named in its argument.
        named = (folder / user_path(word) for word in argument.split(":") if word)
        cls.package.readable |= {str(path.resolve()) for path in named if is_file(path)}
        arguments = cls.entry, argument, buffer, folder
        stated = cls.package.call(ProtocolTexts, _parse, *arguments, within=DRAWS_WITHIN)
        texts = (stated.canonical, stated.text, stated.short)
        names = {stated.identity.get("name"), *(text.partition(":")[0] for text in texts)}
        if names != {cls.card.name}:
            # Else its trials would have the hashes, and stand in the rows, of another protocol.
            raise PluginError(
                f"protocol {cls.card.name} must state its own name, in its texts and its identity",
                value=f"{names!r:.200}",
                hint="Leave name, canonical, text, short and as_json.",
            )
        return cls(stated.argument, stated.buffer, stated)

    def draw(self, scene: Scene, seed: int, patch: int) -> Draw:
        return Draw(**dict(self._drawn(DrawMasks, scene, seed, patch)))

    def draw_tiles(self, pairs: PairSet, seed: int, patch: int) -> Areas:
        return Areas(**dict(self._drawn(AreaMasks, pairs, seed, patch)))

    def _drawn(self, model: type[AnyMessage], *arguments: object) -> AnyMessage:
        named = self.entry, self.argument, self.buffer, *arguments
        return self.package.call(model, _draw, *named, within=DRAWS_WITHIN)

    def buffer_radius(self, patch: int) -> int:
        named = self.entry, self.argument, self.buffer, patch
        return self.package.call(Radius, _buffer_radius, *named).pixels

    def as_json(self) -> dict[str, str]:
        return dict(self.stated.identity)

    def __reduce__(self) -> tuple[Any, ...]:
        # Where it is read again, it may be the class itself.
        return _restore_protocol, (self.package.find, self.name, self.argument, self.buffer)
