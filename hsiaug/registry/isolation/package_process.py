"""What the process of one package does: it imports the plugins, describes them, and draws for its
protocols.
"""

import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from hsiaug.data.embedded import embedded_files
from hsiaug.registry.hookspecs import Entry
from hsiaug.registry.importing import IMPORTS, import_entries, import_plugin
from hsiaug.registry.isolation.landlock import beside, confine
from hsiaug.registry.isolation.messages import (
    AreaMasks,
    DrawMasks,
    PluginMetadata,
    ProtocolTexts,
)
from hsiaug.registry.isolation.processes import join_run
from hsiaug.registry.protocol_base import Buffer

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
SCRIPT_FOLDERS = 2
"""Floors of folders without ``__init__.py`` below a folder of the path in which modules are looked
for.
"""
DEVICES = "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"
"""Files, to which others write too."""

_taken: Any = None
"""The scene or the pairs that are drawn from."""


def list_entries(name: str, value: str) -> object:
    """The plugins that an entry point lists, or why it could not be imported."""
    entries, error = import_entries(name, value)
    return {"entries": [dataclasses.asdict(entry) for entry in entries], "error": error}


def load(entry: Entry) -> Any:
    """The class of a plugin."""
    return import_plugin(entry, entry.target.partition(":")[0])


def describe(entry: Entry) -> object:
    """The card of a plugin, its hyper-parameters, and what the class of a protocol declares."""
    return PluginMetadata.stated(load(entry))


def check_params(entry: Entry, values: Mapping[str, object]) -> object:
    """Nothing where the class of the hyper-parameters takes these values."""
    load(entry).card.params(**values)
    return {}


def take(data: Any) -> object:
    """Take the scene or the pairs that are drawn from, until there are others."""
    global _taken
    _taken = data
    return {}


def parse(entry: Entry, argument: str, buffer: Buffer, folder: Path) -> object:
    """A protocol as its text was read."""
    return ProtocolTexts.stated(load(entry).parse(argument, buffer, folder))


def buffer_radius(entry: Entry, argument: str, buffer: Buffer, patch: int) -> object:
    """The distance from training pixels within which no test pixel lies."""
    return {"pixels": load(entry).parse(argument, buffer, Path()).buffer_radius(patch)}


def draw(entry: Entry, argument: str, buffer: Buffer, seed: int, patch: int) -> object:
    """A draw of single pixels of what was taken."""
    protocol = load(entry).parse(argument, buffer, Path())
    return DrawMasks.stated(protocol.draw(_taken, seed, patch))


def draw_tiles(entry: Entry, argument: str, buffer: Buffer, seed: int, patch: int) -> object:
    """A draw of areas of what was taken."""
    protocol = load(entry).parse(argument, buffer, Path())
    return AreaMasks.stated(protocol.draw_tiles(_taken, seed, patch))


def confine_package(temporary: str, readable: Collection[str]) -> None:
    """Begin as the process of a package.

    Parameters
    ----------
    temporary : str
        The folder of temporary files, which stands for the user's home too. Nothing else can be
        changed, on Linux with Landlock.
    readable : collection of str
        Files that can be read beside Python, its packages and the system's.
    """
    tempfile.tempdir = os.environ["TMPDIR"] = os.environ["HOME"] = temporary
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    hidden = embedded_files()
    folders = [*_python(), *map(Path, (*SYSTEM, *readable))]
    confine(
        [path for folder in folders for path in beside(hidden, folder.resolve())],
        [Path(temporary), *map(Path, DEVICES)],
        connects=False,
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
