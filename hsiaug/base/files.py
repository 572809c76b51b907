"""Files: their endings say what is in them, they are written whole or not at all, and last through
a power failure.
"""

import contextlib
import errno
import os
import shutil
import stat
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, TypeVar

from hsiaug.base.errors import HsiaugError, InputError, shortage_of

T = TypeVar("T")

PICTURES = (".png", ".svg", ".pdf")
TABLES = (".md", ".tex", ".csv", ".json")
"""Endings of a figure and of a table, for every command that has one to write."""

ON_WINDOWS = os.name == "nt"
DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL"} | {f"{kind}{i}" for kind in ("COM", "LPT") for i in range(1, 10)}
)
"""Names that Windows keeps for devices, whatever their ending."""
NOT_IN_NAMES = frozenset('<>:"|?*')
"""Signs that no name has there; what follows a colon would be another stream of the file."""

LONGEST_MARK = 2**20
"""Bytes of a file that tells what hsiaug wrote."""
LONGEST_ENDING = 16
"""Characters: longer suffixes mean nothing to any library, and a name has a limit."""


def check_target(path: Path, endings: Sequence[str], option: str = "`out`") -> str:
    """The ending of ``path`` in small letters, which is one of ``endings``; "" among them allows a
    name without one.

    Raises InputError for another ending, a folder, a file in a folder that is not there, or a name
    that this system cannot hold.
    """
    if ON_WINDOWS and (
        path.name.partition(".")[0].rstrip().upper() in DEVICES or NOT_IN_NAMES & set(path.name)
    ):
        raise InputError(
            f"{option} must be a name that Windows can hold",
            value=repr(path.name),
            hint='Use no con, aux, nul, com1 … and none of < > : " | ? *.',
        )
    ending = path.suffix.lower()
    if ending not in endings:
        named = [text for text in endings if text]
        listed = " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
        example = path.with_suffix(named[0]) if path.name else f"file{named[0]}"
        raise InputError(
            f"{option} must end in {listed}",
            value=repr(str(path)),
            hint=f"For example {option} {example}.",
        )
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise InputError(
            f"{option} {path} must be a file in a folder that exists",
            value="a folder" if path.is_dir() else f"no folder {path.parent}",
            hint="Make the folder first, or name another file.",
        )
    return ending


def check_targets(paths: Sequence[Path], endings: Sequence[str]) -> None:
    """:func:`check_target` of each of several files. Raises InputError for one that is named twice
    too.
    """
    for place, path in enumerate(paths):
        check_target(path, endings)
        if path.absolute() in {earlier.absolute() for earlier in paths[:place]}:
            raise InputError(
                "`out` must name each file once",
                value=f"{str(path)!r} twice",
                hint="Leave out one of them.",
            )


def write_whole(path: Path, write: Callable[[Path], object], option: str = "`out`") -> Path:
    """Let ``write`` make a file beside ``path``, which then takes its place; returns ``path``.

    Until the new file is complete, the old one stays: a full disk or a kill costs nothing that was
    there. What a symbolic link points to is replaced, not the link; a device, as /dev/stdout, is
    written to as it is.

    Parameters
    ----------
    option : str
        What the user typed the path for.

    Raises
    ------
    InputError
        Where it cannot be written.
    """
    with file_errors(
        f"{option} {path} must be a file that can be written",
        "See to space and permissions, close it in other programs, or name another file.",
    ):
        if _is_device(path):
            with TemporaryDirectory() as folder:
                write(fresh := Path(folder) / f"made{_ending(path)}")
                path.write_bytes(fresh.read_bytes())
        else:
            replaced(path.resolve() if path.is_symlink() else path, write)
    return path


@contextlib.contextmanager
def file_errors(rule: str, hint: str, error: type[HsiaugError] = InputError) -> Iterator[None]:
    """Raise ``error`` with this rule and hint where the system refuses to read or write; with those
    of a shortage where that is why.
    """
    try:
        yield
    except OSError as cause:
        # Of memory or open files that are short, no file is to blame.
        blamed, helps = shortage_of(cause) or (rule, hint)
        raise error(blamed, value=reason(cause), hint=helps) from cause


def replaced(path: Path, write: Callable[[Path], object]) -> None:
    """The same, in words of the system where it fails (OSError), and for plain files alone."""
    fresh = path.with_name(f".{uuid.uuid4().hex}{_ending(path)}")
    try:
        write(fresh)
        sync_file(fresh)
        if path.exists():
            shutil.copymode(path, fresh)
        fresh.replace(path)
    finally:
        remove(fresh)


def remove(path: Path) -> None:
    """Remove a file, if it exists and the system allows it. A failure is not reported: what stays
    takes room, and does no harm.
    """
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    # /dev/stdout may lead to a file, which must not be replaced under the program that waits for
    # it.
    special = path.exists() and not path.is_file() and not path.is_dir()
    return special or path.absolute().parts[:2] == ("/", "dev")


def _ending(path: Path) -> str:
    """The suffix of a path, by which libraries choose the format to write."""
    return path.suffix.lower() if len(path.suffix) < LONGEST_ENDING else ""


def write_text_whole(path: Path, text: str, option: str = "`out`") -> Path:
    """:func:`write_whole` of a text in UTF-8, as it stands: line ends are not changed."""
    return write_whole(
        path, lambda fresh: fresh.write_text(text, encoding="utf-8", newline="\n"), option
    )


def plain_text(path: Path, most: int = LONGEST_MARK) -> str | None:
    """The text of a small file in UTF-8; None for anything else: a link, a pipe, no file, one that
    cannot be read.
    """
    try:
        return read_plain(path, most, links=False).decode().replace("\r\n", "\n")
    except (OSError, ValueError):
        return None


def read_plain(path: Path | str, most: int, *, links: bool = True) -> bytes:
    """The bytes of a file. Raises ValueError for a larger one, and as :func:`open_plain`."""
    with open_plain(path, links=links) as file:
        if (size := os.fstat(file.fileno()).st_size) > most:
            raise ValueError(f"no file of less than {most // 2**20} MB")
        # Files of the system, as /proc/kmsg, say that they are empty and never end.
        return file.read() if size else b""


def open_plain(path: Path | str, *, links: bool = True) -> BinaryIO:
    """A file, opened to read; no pipe is waited for. Raises ValueError for what is no plain file,
    OSError for a link.
    """
    flags = (
        getattr(os, "O_NONBLOCK", 0)
        | getattr(os, "O_BINARY", 0)
        | (0 if links else getattr(os, "O_NOFOLLOW", 0))
    )
    handle = os.open(path, os.O_RDONLY | flags)
    if kind := other_kind(os.fstat(handle)):
        os.close(handle)
        raise ValueError(kind)
    return os.fdopen(handle, "rb")


def other_kind(status: os.stat_result) -> str:
    """What it is in place of a plain file, as ``no plain file but a pipe``; "" for one."""
    kinds = {"p": "a pipe", "d": "a folder", "s": "a socket"}
    letter = stat.filemode(status.st_mode)[0]
    return "" if letter == "-" else f"no plain file but {kinds.get(letter, 'a device')}"


def link(source: Path, target: Path) -> None:
    """A second name for a file, or a copy where the file system has no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def read_again(read: Callable[[], T]) -> T:
    """What ``read`` gives, once more where another machine replaced the file on a network folder
    meanwhile.
    """
    try:
        return read()
    except OSError as error:
        if error.errno != errno.ESTALE:
            raise
        return read()


def reason(error: OSError) -> str:
    """Return the system's description of a failure, without the path of a temporary file."""
    return error.strerror or str(error)


def sync_files(folder: Path) -> None:
    """Put the files of a folder on disk, and their names in it."""
    for path in folder.iterdir():
        sync_file(path)
    sync_folder(folder)


def sync_file(path: Path) -> None:
    """Put the content of a file on disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Put the names in a folder on disk, where the system knows how to: Windows and some network
    folders do not.

    Raises OSError where the disk has failed.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in (errno.EIO, errno.ENOSPC, errno.EDQUOT):
            raise


def why_unwritable(folder: Path) -> str:
    """Why nothing can be written into a folder, which need not exist yet; "" where it can."""
    there = next(path for path in (folder, *folder.parents) if os.access(path, os.F_OK))
    if not there.is_dir():
        return f"{there} is no folder"
    return "" if os.access(there, os.W_OK | os.X_OK) else f"{there} cannot be written to"
