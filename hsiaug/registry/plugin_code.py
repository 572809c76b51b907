"""The code of plugins, as records name it: a package, its version, and a digest of its files.

The digest of another package's files decides whether a record of its plugins is used again: a
package that is edited in place has the version that it had before. Of plugins that come with hsiaug
the version on their card decides instead, so that an edit of hsiaug that has nothing to do with a
plugin leaves its results as they are; whoever changes what a built-in plugin computes raises its
version. Records name the commit of hsiaug too, where it is a checkout.
"""

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from hsiaug.registry.hookspecs import Kind
from hsiaug.registry.importing import OWN
from hsiaug.registry.lookup import Found, registry

Code = dict[str, str | None]
"""Package, version and digest (None where the version decides) of a plugin."""
PIECE = 2**20
"""Bytes of a file that are read at once."""


def code_of(plugins: Iterable[tuple[Kind, str]]) -> dict[str, Code]:
    """The code of plugins, by kind; none of a plugin that is not registered.

    Parameters
    ----------
    plugins : iterable of (Kind, str)
        Kinds and names, ``NAME:VALUE`` included.
    """
    known = registry()
    found = {kind: known.get(kind, name) for kind, name in plugins}
    return {
        kind: {
            "package": one.distribution,
            "version": one.version,
            "sha256": _digest(one),
        }
        for kind, one in found.items()
        if one is not None
    }


def _digest(found: Found) -> str | None:
    """That of a plugin, and of all modules that are installed with it; None of one that comes with
    hsiaug, and of a class of a notebook, whose version has a digest.
    """
    module = found.entry.target.partition(":")[0].partition(".")[0]
    if found.distribution == OWN or found.is_handed:
        return None
    others = sorted(_modules_of(found.distribution) - {module})
    if not others:
        return digest_of_module(module)
    digests = (f"{name}\0{digest_of_module(name)}" for name in (module, *others))
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


@cache
def _modules_of(distribution: str) -> frozenset[str]:
    """The names of modules that a distribution installs, none of which is part of another."""
    try:
        installed = metadata.distribution(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return frozenset()
    names = set((installed.read_text("top_level.txt") or "").split())
    code = (path for path in installed.files or () if path.suffix == ".py")
    names |= {path.parts[0].removesuffix(".py") for path in code}
    return frozenset(
        name for name in names if name.isidentifier() and not name.startswith("__editable__")
    )


@cache
def digest_of_module(name: str) -> str | None:
    """SHA-256 of the files of a module or package, with their names, wherever it is installed; None
    where it is in no file. Left out is what Python and other tools keep there: hidden files and
    folders, and ``__pycache__``. Files are read once in a process: see :func:`forget`.

    Parameters
    ----------
    name : str
        Of a module that is not part of another.
    """
    spec = find_spec(name)
    if spec is None:
        return None
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    files = {
        path.relative_to(folder).as_posix(): path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
        if not any(part.startswith((".", "__pycache__")) for part in path.relative_to(folder).parts)
    }
    if not folders and spec.origin and spec.has_location:
        files[Path(spec.origin).name] = Path(spec.origin)
    if not files:
        return None
    whole = hashlib.sha256()
    for path_name in sorted(files):
        with files[path_name].open("rb") as file:
            digest = hashlib.sha256()
            while piece := file.read(PIECE):
                digest.update(piece)
        whole.update(f"{path_name}\0{digest.hexdigest()}\n".encode())
    return whole.hexdigest()


def forget() -> None:
    """Let files be read again: they may have been edited since."""
    digest_of_module.cache_clear()
    _modules_of.cache_clear()
