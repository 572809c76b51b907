"""Temporary folders: what a process is still writing. Later processes remove what a killed one
left.

A folder is removed only where its name and the mark inside it say that hsiaug made it; no symbolic
link is followed.
"""

import contextlib
import errno
import re
import shutil
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hsiaug.base.files import plain_text

MARK = ".hsiaug"
"""The file that marks a folder which hsiaug made, and may remove."""
NAME = re.compile(r"\..+\.[0-9a-f]{12}")
"""Name of a temporary folder: its purpose and a random part."""
ABANDONED = 3600.0
"""Seconds without a change after which a temporary folder is nobody's."""


def mark(folder: Path, what: str) -> None:
    """Write into a folder that hsiaug made it.

    Parameters
    ----------
    what : str
        What the folder is for, with its name, as a message says it.
    """
    (folder / MARK).write_text(f"hsiaug {what}\n", encoding="utf-8")


def marked(folder: Path, what: str) -> bool:
    """Whether a folder, no link to one, has that :func:`mark`."""
    return not folder.is_symlink() and plain_text(folder / MARK) == f"hsiaug {what}\n"


@contextmanager
def temporary_folder(folder: Path, name: str) -> Iterator[Path]:
    """A new folder below ``folder``, which must be there. What is left of it at the end is
    removed.
    """
    outer = folder / f".{name}.{uuid.uuid4().hex[:12]}"
    # Without its parents: a store that was moved away during a run must not be begun anew.
    outer.mkdir()
    try:
        # The mark stays outside of what is renamed into its place, and is removed last.
        mark(outer, f"temporary folder {outer.name}")
        fresh = outer / "new"
        fresh.mkdir()
        yield fresh
    finally:
        _remove(outer)


def _remove(outer: Path) -> None:
    remove_tree(outer / "new")
    remove_tree(outer)


class PluginsFolder(tempfile.TemporaryDirectory[str]):
    """A new folder among the system's temporary ones, which plugins write to, and which is removed
    at the end.
    """

    def __init__(self) -> None:
        super().__init__(prefix="hsiaug-", ignore_cleanup_errors=True)

    def cleanup(self) -> None:
        """Remove it."""
        remove_tree(Path(self.name))
        super().cleanup()


def remove_tree(folder: Path) -> None:
    """Remove a folder, and all in it that can be removed, however deep a plugin nested it."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        # Before Python 3.13.
        with contextlib.suppress(OSError):
            subprocess.run(["rm", "-rf", "--", folder], capture_output=True, check=False)


def sweep(folder: Path) -> None:
    """Remove the temporary folders in which nothing was changed for an hour."""
    # What cannot be listed or removed is left: a store may be read-only, or another process sweeps
    # it too.
    with contextlib.suppress(OSError):
        if folder.is_symlink():
            return
        folders = [path for path in folder.iterdir() if NAME.fullmatch(path.name)]
        now = _now(folder) if folders else 0.0
        for path in folders:
            # An empty one is of a process that ended just before or after the mark.
            empty = path.is_dir() and not path.is_symlink() and not any(path.iterdir())
            ours = empty or marked(path, f"temporary folder {path.name}")
            if ours and now - _newest(path) > ABANDONED:
                _remove(path)


def _now(folder: Path) -> float:
    """The time as the file system has it: that of this machine may be another. This one where
    nothing can be written.
    """
    try:
        with temporary_folder(folder, "now") as fresh:
            return fresh.stat().st_mtime
    except OSError:
        return time.time()


def _newest(path: Path) -> float:
    """When a folder or anything in it was last changed; 0 for one that is gone."""
    newest = 0.0
    left = [path]
    while left:
        with contextlib.suppress(OSError):
            entry = left.pop()
            status = entry.lstat()
            newest = max(newest, status.st_mtime)
            if stat.S_ISDIR(status.st_mode):
                left += entry.iterdir()
    return newest


def taken(error: OSError) -> bool:
    """Whether a folder could not be renamed because there is one of that name, even where it cannot
    be seen yet.

    A folder that another machine made on a shared disk may be invisible here for a minute.
    """
    return error.errno in (errno.ENOTEMPTY, errno.EEXIST)
