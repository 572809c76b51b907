"""A disk that fails on purpose, under the Python code of this process or of every process that it
starts.

    with faulty_disk(folder, "full", 7) as disk:
        …                                       # from the seventh operation below the folder on,
        the disk is full

Counted are the operations below the folder that change something, in their order: files are
opened for writing, written and synchronised, folders made, paths renamed, linked and removed.
Compiled code is not seen, but for safetensors, which is made to write through Python meanwhile.
Linux only.
"""

from __future__ import annotations

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch


@dataclass(frozen=True)
class Kind:
    """A way to fail. code: of the system's error; hits: operations that may fail; lasts: whether
    all later ones do.
    """

    code: int
    hits: frozenset[str]
    lasts: bool = False


ALLOCATES = frozenset({"open", "write", "fsync", "mkdir", "rename", "link"})
"""Operations that may need space."""
CHANGES = ALLOCATES | {"change", "remove"}
KINDS = {
    "full": Kind(errno.ENOSPC, ALLOCATES - {"rename"}, lasts=True),
    "full once": Kind(errno.ENOSPC, ALLOCATES),
    "quota": Kind(errno.EDQUOT, ALLOCATES - {"rename"}, lasts=True),
    "broken": Kind(errno.EIO, CHANGES),
    "read-only": Kind(errno.EROFS, CHANGES - {"write", "fsync"}, lasts=True),
    "fsync": Kind(errno.EIO, frozenset({"fsync"})),
    "short": Kind(0, frozenset({"write"})),
    "gone": Kind(errno.ENOENT, CHANGES),
}
"""Ways to fail by name. No disk becomes read-only while a file is open for writing. "short" takes a
part of what is written and says so; "gone" renames the folder for good.
"""
VARIABLES = "FAULTY_FOLDER", "FAULTY_KIND", "FAULTY_AT", "FAULTY_LOG"
AWAY = ".away"
"""Ending of a folder that has gone."""


class Disk:
    """What happens below ``folder``. fired: the operation that failed first, with its path; None
    before.
    """

    def __init__(self, folder: Path, kind: str, at: int, log: Path | None = None) -> None:
        self.folder, self.kind, self.at = os.path.abspath(folder), KINDS[kind], at  # noqa: PTH100
        self.away = kind == "gone"
        self.done = 0
        self.fired: str | None = None
        self._log = log

    def holds(self, path: Any, dir_fd: int | None = None) -> str | None:
        """The path, or that of an open file, where it is below the folder."""
        if isinstance(path, int):
            try:
                path = Path(f"/proc/self/fd/{path}").readlink()
            except OSError:
                return None
        elif dir_fd is not None:
            path = Path(f"/proc/self/fd/{dir_fd}").readlink() / os.fsdecode(path)
        whole = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
        return whole if whole == self.folder or whole.startswith(f"{self.folder}/") else None

    def fails(self, what: str) -> bool:
        """Whether this operation is to fail."""
        if what not in self.kind.hits:
            return False
        self.done += 1
        return self.done == self.at or (self.kind.lasts and self.done > self.at)

    def check(self, what: str, path: Any, dir_fd: int | None = None) -> None:
        """Raise OSError where an operation at this path fails."""
        found = self.holds(path, dir_fd)
        if found is None or not self.fails(what):
            return
        self.note(what, found)
        if self.away:
            REAL["rename"](self.folder, self.folder + AWAY)
        else:
            # Of an open file the system does not name the path.
            names = () if isinstance(path, int) else (found,)
            raise OSError(self.kind.code, os.strerror(self.kind.code), *names)

    def note(self, what: str, path: str) -> None:
        """Keep what failed first."""
        if self.fired is None:
            self.fired = f"{what} {path}"
            if self._log is not None:
                with REAL["open"](self._log, "a") as log:
                    log.write(f"{self.fired}\n")

    def write(self, path: Any, data: Any, write: Callable[[Any], int]) -> int:
        """Write as the disk lets: a failing one may have taken a part before."""
        found = self.holds(path)
        if found is None or not self.fails("write"):
            return write(data)
        self.note("write", found)
        part = memoryview(data).cast("B")
        part = part[: max(1, len(part) // 2)]
        if self.kind.code == 0:
            return write(part)
        if self.away:
            REAL["rename"](self.folder, self.folder + AWAY)
            return write(data)
        if self.done == self.at and len(part) > 1:
            write(part)
        raise OSError(self.kind.code, os.strerror(self.kind.code))


REAL: Mapping[str, Callable[..., Any]] = {
    "open": io.open,
    **{
        name: getattr(os, name)
        for name in (
            "mkdir",
            "rename",
            "replace",
            "link",
            "symlink",
            "chmod",
            "utime",
            "truncate",
            "ftruncate",
            "unlink",
            "remove",
            "rmdir",
        )
    },
    **{f"os.{name}": getattr(os, name) for name in ("open", "write", "fsync", "sendfile")},
}
WHAT = {
    "mkdir": "mkdir",
    "rename": "rename",
    "replace": "rename",
    "link": "link",
    "symlink": "link",
}
"""The operation of a function of os; of the others those that remove are "remove", and the rest
"change".
"""


@contextmanager
def faulty_disk(folder: Path, kind: str, at: int, log: Path | None = None) -> Iterator[Disk]:
    """Let the disk under a folder fail at the ``at``-th operation (from 1) of those that this kind
    can hit.

    log: a file elsewhere that is told of the first failure.
    """
    disk = Disk(folder, kind, at, log)
    with ExitStack() as stack:
        for target, name, new in _replacements(disk):
            stack.enter_context(patch.object(target, name, new))
        yield disk


def from_environment() -> None:
    """Make the disk of this process a faulty one for good, where :data:`VARIABLES` say so; see
    :func:`environment`.
    """
    values = [os.environ.get(name) for name in VARIABLES]
    if all(values):
        folder, kind, at, log = map(str, values)
        for target, name, new in _replacements(Disk(Path(folder), kind, int(at), Path(log))):
            setattr(target, name, new)


def environment(site: Path, folder: Path, kind: str, at: int, log: Path) -> dict[str, str]:
    """The environment whose Python processes each have a faulty disk. site: an empty folder, or one
    of such a call.
    """
    (site / "sitecustomize.py").write_text(
        "from benchmarks.faults.disk import from_environment\nfrom_environment()\n"
    )
    root = Path(__file__).parents[2]
    before = os.environ.get("PYTHONPATH", "")
    paths = os.pathsep.join(filter(None, (str(site), str(root), before)))
    return {
        **os.environ,
        **dict(zip(VARIABLES, map(str, (folder, kind, at, log)), strict=True)),
        "PYTHONPATH": paths,
    }


def _replacements(disk: Disk) -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Modules, names and functions to put there."""

    class File(io.FileIO):
        def write(self, data: Any) -> int:
            return disk.write(self.fileno(), data, super().write)

        def truncate(self, size: int | None = None) -> int:
            disk.check("change", self.fileno())
            return super().truncate(size)

    def open_(
        file: Any,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        closefd: bool = True,
        opener: Any = None,
    ) -> Any:
        if not set(mode) & set("wax+") or disk.holds(file) is None:
            return REAL["open"](file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            disk.check("open", file)
        raw = File(file, mode.replace("b", "").replace("t", ""), closefd=closefd, opener=opener)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)

    def os_open(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
            disk.check("open", path, named.get("dir_fd"))
        return REAL["os.open"](path, flags, *more, **named)

    def os_fsync(file: Any) -> None:
        disk.check("fsync", file if isinstance(file, int) else file.fileno())
        REAL["os.fsync"](file)

    def sendfile(out: int, source: int, offset: int, count: int) -> int:
        disk.check("write", out)
        return REAL["os.sendfile"](out, source, offset, count)

    yield builtins, "open", open_
    yield io, "open", open_
    yield os, "open", os_open
    yield (
        os,
        "write",
        lambda fd, data: disk.write(fd, data, lambda part: REAL["os.write"](fd, part)),
    )
    yield os, "fsync", os_fsync
    yield os, "sendfile", sendfile
    for name in REAL.keys() & vars(os).keys() - {"open"}:
        what = WHAT.get(name, "remove" if name in ("unlink", "remove", "rmdir") else "change")
        yield os, name, _checked(disk, what, REAL[name])
    yield from _safetensors()


def _checked(disk: Disk, what: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def call(path: Any, *more: Any, **named: Any) -> Any:
        # Of two paths, the new one counts.
        target = more[0] if what in ("rename", "link") and more else named.get("dst", path)
        disk.check(what, target, named.get("dir_fd"))
        return real(path, *more, **named)

    return call


def _safetensors() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """safetensors writes in compiled code, and tells of errors by an exception of its own."""
    from safetensors import SafetensorError, serialize

    def serialize_file(tensors: Any, filename: Any, metadata: Any = None) -> None:
        try:
            Path(filename).write_bytes(serialize(tensors, metadata))
        except OSError as error:
            raise SafetensorError(
                f"Error while serializing: I/O error: {error.strerror}"
            ) from error

    for name in ("numpy", "torch"):
        try:
            module = __import__(f"safetensors.{name}", fromlist=["*"])
        except ImportError:
            continue
        yield module, "serialize_file", serialize_file
