"""Downloading and unpacking the zip files of a public set of image–mask pairs."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.base.errors import DataUnavailableError, SceneError
from hsiaug.base.files import file_errors
from hsiaug.base.temporary_folders import sweep, temporary_folder
from hsiaug.data.bounds import check_array, in_bytes
from hsiaug.data.download import download
from hsiaug.data.paths import file_checksum

if TYPE_CHECKING:
    from hsiaug.data.pair_cards import ArchiveSpec, PairCard

__all__ = ["fetch_archives", "unpack"]

MOST_MEMBERS = 200_000

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
"""Errors of the folder, not of an archive."""


def fetch_archives(card: PairCard, folder: Path, progress: bool) -> None:
    """Download what is missing of a set's archives, check all, and unpack them into ``folder``.

    Raises DataUnavailableError, saying where to put which file by hand, where no mirror takes a connection, SceneError
    for an archive placed by hand that is not the card's.
    """
    targets = [(archive, folder / archive.name) for archive in card.archives]
    absent = [(archive, target) for archive, target in targets if not target.is_file()]
    for archive, target in targets:
        if target.is_file():
            _check_sum(archive, target, card.name)
    listed = "; ".join(f"{target.name} (md5 {archive.md5}) from {archive.urls[0]}" for archive, target in absent)
    offline = DataUnavailableError(
        f"set {card.name} is not on this machine, and none of its mirrors takes a connection",
        value=f"not all of its places in {folder}",
        hint=f"Go online and try again, put the unpacked places into {folder}, or put there: {listed}.",
    )
    download(absent, card.name, offline, progress=progress)
    unpack([target for _, target in targets], folder)


def _check_sum(archive: ArchiveSpec, path: Path, name: str) -> None:
    actual = file_checksum(path, "md5")
    if actual != archive.md5:
        raise SceneError(
            f"{path} must have md5 {archive.md5}, as the card of {name} says",
            value=f"md5 {actual} ({in_bytes(path.stat().st_size)})",
            hint="It is damaged, incomplete or another version: move it away and try again; "
            f"a fresh copy is at {archive.urls[0]}.",
        )


def unpack(archives: list[Path], folder: Path) -> None:
    """Unpack zip files, each without the single folder that its members may lie in, beside what is there already.

    All are unpacked into a folder beside their place first, so that a stop or a damaged file leaves nothing behind.
    Raises SceneError where one is no whole zip file, holds more than it may, or a member would land outside.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    rule = f"{folder} must be writable, with room for what is unpacked"
    hint = "Free some space there, or name another folder in HSIAUG_DATA_DIR."
    with file_errors(rule, hint, DataUnavailableError), temporary_folder(folder, "unpacked") as side:
        for archive in archives:
            _extract(archive, side)
        _move(side, folder)


def _extract(archive: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
            if len(members) > MOST_MEMBERS:
                raise _refused(archive, f"at most {MOST_MEMBERS:,} members", f"{len(members):,}")
            check_array(archive, (sum(member.file_size for member in members),), 1, labels=False)
            tops = {member.filename.partition("/")[0] for member in members if "/" in member.filename}
            nested = len(tops) == 1 and all("/" in member.filename for member in members)
            for member in members:
                name = member.filename.partition("/")[2] if nested else member.filename
                target = (folder / name).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise _refused(archive, "members inside its folder only", repr(member.filename[:80]))
                if stat.S_ISLNK(member.external_attr >> 16):
                    raise _refused(archive, "no links", repr(member.filename[:80]))
                target.parent.mkdir(parents=True, exist_ok=True)
                # zipfile stops at the size that the member states, and checks its checksum there.
                with file.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 2**20)
    except SceneError:
        raise
    except Exception as cause:  # damaged, encrypted, or packed in a way that is not known
        if isinstance(cause, OSError) and cause.errno in NO_ROOM:
            raise
        raise SceneError(
            f"{archive} must be a whole zip file", value=str(cause)[:200], hint="Move it away and try again."
        ) from cause


def _refused(archive: Path, rule: str, value: str) -> SceneError:
    return SceneError(
        f"{archive} must hold {rule}",
        value=value,
        hint="Do not use this archive; get it from the set's own page.",
    )


def _move(source: Path, target: Path) -> None:
    """Move into a folder what it lacks of another one: whole folders at once where they are new."""
    for item in sorted(source.iterdir()):
        place = target / item.name
        if item.is_dir() and place.is_dir():
            _move(item, place)
        elif not os.path.lexists(place):
            item.replace(place)
