"""Downloading and unpacking the zip files of a public set of image–mask pairs."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from hsiaug.data.download import download, reachable_urls
from hsiaug.data.progress import open_display
from hsiaug.errors import DataUnavailableError, SceneError

if TYPE_CHECKING:
    from hsiaug.data.pair_cards import PairCard

__all__ = ["fetch_archives", "unpack"]


def fetch_archives(card: PairCard, folder: Path, progress: bool) -> None:
    """Download what is missing of a set's archives, check them, and unpack all into ``folder``.

    Raises DataUnavailableError, saying where to put which file by hand, where no mirror takes a connection.
    """
    targets = [(archive, folder / archive.name) for archive in card.archives]
    absent = [(archive, target) for archive, target in targets if not target.is_file()]
    reachable = reachable_urls(url for archive, _ in absent for url in archive.urls) if absent else frozenset()
    if absent and not reachable:
        listed = "; ".join(
            f"{target.name} (md5 {archive.md5}) from {archive.urls[0]}" for archive, target in absent
        )
        raise DataUnavailableError(
            f"set {card.name} is not on this machine, and none of its mirrors takes a connection",
            value=f"not all of its places in {folder}",
            mend=f"Go online and try again, put the unpacked places into {folder}, or put there: {listed}.",
        )
    display = open_display(progress)
    for archive, target in absent:
        download(archive, target, reachable=reachable, display=display, scene=card.name)
    for _, target in targets:
        unpack(target, folder)


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip file, without the single folder that its members may lie in, beside what is there already.

    Raises SceneError where it is no whole zip file, or a member would land outside ``folder``.
    """
    try:
        with zipfile.ZipFile(archive) as file:
            members = [member for member in file.infolist() if not member.is_dir()]
            tops = {member.filename.partition("/")[0] for member in members if "/" in member.filename}
            nested = len(tops) == 1 and all("/" in member.filename for member in members)
            for member in members:
                name = member.filename.partition("/")[2] if nested else member.filename
                target = (folder / name).resolve()
                if not target.is_relative_to(folder.resolve()):
                    raise SceneError(
                        f"{archive}: every member must lie inside its folder",
                        value=repr(member.filename),
                        mend="Do not use this archive; get it from the set's own page.",
                    )
                target.parent.mkdir(parents=True, exist_ok=True)
                with file.open(member) as source, target.open("wb") as sink:
                    shutil.copyfileobj(source, sink)
    except zipfile.BadZipFile as cause:
        raise SceneError(
            f"{archive} must be a whole zip file", value=str(cause), mend="Move it away and try again."
        ) from cause
