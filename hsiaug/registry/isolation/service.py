"""The process of one package: it imports the plugins, and answers questions about them."""

import dataclasses
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hsiaug.base.errors import HsiaugError
from hsiaug.data.embedded import embedded_files
from hsiaug.registry.hookspecs import Entry
from hsiaug.registry.importing import IMPORTS, import_entries, import_plugin
from hsiaug.registry.isolation.landlock import confine
from hsiaug.registry.isolation.processes import end_with_parent, lead_session

if TYPE_CHECKING:
    from hsiaug.registry.split_protocol import Buffer, SplitProtocol

SYSTEM = (
    "/usr",
    "/lib",
    "/lib32",
    "/lib64",
    "/bin",
    "/sbin",
    "/etc",
    "/sys",
    "/nix/store",
    "/gnu/store",
    "/proc/self",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/filesystems",
    "/proc/version",
    "/proc/sys",
)
"""What a package may read of the system: of processes its own alone."""
CODE = frozenset({".py", ".pyc", ".so", ".zip", ".egg", ".dist-info", ".egg-info", ".libs"})
"""Endings of what Python imports, and of what stands beside it."""
DEVICES = "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"
"""Files, to which others write too."""


@dataclasses.dataclass(frozen=True)
class Reply:
    """What is answered: plain JSON, and arrays."""

    facts: Any
    arrays: Mapping[str, Any] = dataclasses.field(default_factory=dict)


class Service:
    """The questions, each a method.

    Numerical libraries are imported by those that need them: to import these takes longer than to
    list a package's plugins.
    """

    def entries(self, name: str, value: str) -> Reply:
        """The plugins that an entry point lists, or why it could not be imported."""
        entries, error = import_entries(name, value)
        return Reply({"entries": [dataclasses.asdict(one) for one in entries], "error": error})

    def plugin(self, entry: Entry) -> Reply:
        """The card of a plugin, its hyper-parameters, and what the class of a protocol declares."""
        from hsiaug.registry.isolation.metadata import plugin_facts

        return Reply(plugin_facts(_load(entry)))

    def check_params(self, entry: Entry, values: Mapping[str, object]) -> Reply:
        """Nothing where the class of the hyper-parameters takes these values."""
        _load(entry).card.params(**values)
        return Reply(None)

    def take(self, data: Any) -> Reply:
        """Take the scene or the pairs that are drawn from, until there are others."""
        self.data = data
        return Reply(None)

    def parse(self, entry: Entry, argument: str, buffer: "Buffer", folder: str) -> Reply:
        """A protocol as its text was read."""
        from hsiaug.registry.isolation.metadata import protocol_text

        return Reply(protocol_text(_load(entry).parse(argument, buffer, Path(folder))))

    def buffer_radius(self, entry: Entry, argument: str, buffer: "Buffer", patch: int) -> Reply:
        """The distance from training pixels within which no test pixel lies."""
        return Reply(_protocol(entry, argument, buffer).buffer_radius(patch))

    def draw(self, entry: Entry, argument: str, buffer: "Buffer", seed: int, patch: int) -> Reply:
        """A draw of single pixels of what was taken."""
        draw = _protocol(entry, argument, buffer).draw(self.data, seed, patch)
        masks = {
            "train": draw.train,
            "dropped": draw.dropped,
            "hidden": draw.hidden,
            "labels": draw.labels,
            "asked": draw.asked,
        }
        arrays = {name: mask for name, mask in masks.items() if mask is not None}
        return Reply({"notes": list(draw.notes)}, arrays)

    def draw_tiles(
        self, entry: Entry, argument: str, buffer: "Buffer", seed: int, patch: int
    ) -> Reply:
        """A draw of areas of what was taken: ``train0``, ``test0``, … of each place."""
        areas = _protocol(entry, argument, buffer).draw_tiles(self.data, seed, patch)
        sides = {"train": areas.train, "test": areas.test}
        arrays = {f"{side}{i}": mask for side in sides for i, mask in enumerate(sides[side])}
        return Reply({"tiles": areas.tiles, "overlap": areas.overlap}, arrays)


def serve(pipe: Connection, temporary: str, readable: Collection[str]) -> None:
    """Answer questions until the other end of the pipe is closed.

    Parameters
    ----------
    pipe : Connection
        A question is the name of a method of Service, and its arguments. An answer is JSON, and the
        bytes of each array that it names.
    temporary : str
        The folder of temporary files, which stands for the user's home too. Nothing else can be
        changed, on Linux with Landlock.
    readable : collection of str
        Files that can be read beside Python, its packages and the system's.
    """
    lead_session()
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = temporary
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    confine(
        [*_python(), *map(Path, (*SYSTEM, *readable))],
        [Path(temporary), *map(Path, DEVICES)],
        embedded_files(),
    )
    # Ctrl-C reaches both; the other process then ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    # What a package prints is no answer.
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    IMPORTS.allowed = True
    IMPORTS.known = {}
    service, me = Service(), os.getpid()
    while True:
        try:
            question, arguments = pipe.recv()
        except (EOFError, OSError):
            os._exit(0)
        messages = _messages(service, question, arguments)
        if os.getpid() != me:
            # A copy of this process, which a plugin forked.
            os._exit(0)
        with suppress(OSError):
            for message in messages:
                pipe.send_bytes(message)


def _load(entry: Entry) -> Any:
    return import_plugin(entry, entry.target.partition(":")[0])


def _protocol(entry: Entry, argument: str, buffer: "Buffer") -> "SplitProtocol":
    protocol: SplitProtocol = _load(entry).parse(argument, buffer, Path())
    return protocol


def _messages(service: Service, question: str, arguments: tuple[Any, ...]) -> list[bytes]:
    """An answer as it is sent, or the error in its place."""
    try:
        answer = getattr(service, question)(*arguments)
        shapes = {name: [str(a.dtype), *a.shape] for name, a in answer.arrays.items()}
        head = json.dumps({"facts": answer.facts, "arrays": shapes}).encode()
        return [head, *(array.tobytes() for array in answer.arrays.values())]
    except BaseException as error:
        return [json.dumps({"failure": failure_facts(error)}).encode()]


def failure_facts(error: BaseException) -> dict[str, str | None]:
    """An exception as :class:`hsiaug.registry.isolation.metadata.Failure` has it."""
    if not isinstance(error, HsiaugError):
        return {"kind": "", "rule": "", "value": _text(error), "hint": ""}
    value = None if error.value is None else str(error.value)
    stated = {"rule": error.rule, "value": value, "hint": error.hint}
    return {"kind": type(error).__name__, **stated}


def _text(error: BaseException) -> str:
    with suppress(Exception):
        return traceback.format_exception_only(error)[-1].strip()
    return type(error).__name__


def _python() -> Iterator[Path]:
    """Where Python, its packages and the sources of packages that are installed as links to them
    lie.
    """
    prefixes = {
        Path(one) for one in (sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix)
    }
    yield from prefixes
    yield from map(Path, filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)))
    for folder in {Path(one) for one in sys.path if one}:
        # Others may hold scenes, too: folders of a project.
        inside = any(folder.is_relative_to(prefix) for prefix in prefixes)
        yield from (folder,) if inside else _code_in(folder)
        for told in folder.glob("*.dist-info/direct_url.json"):
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                source = urlsplit(json.loads(told.read_text(encoding="utf-8"))["url"])
                if source.scheme == "file":
                    yield from _code_in(Path(url2pathname(source.path)))


def _code_in(folder: Path) -> Iterator[Path]:
    """What Python imports from a folder: its modules, packages, and what is said of them; of an
    archive, all.
    """
    if folder.is_file():
        yield folder
    with suppress(OSError):
        for path in folder.iterdir():
            packages = path.is_dir() and (any(path.glob("*.py")) or any(path.glob("*/*.py")))
            if packages or path.suffix in CODE:
                yield path
