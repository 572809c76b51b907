"""Downloading files from the first of several mirrors that has them, and unpacking those of public sets of pairs."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hsiaug.base.errors import DataUnavailableError, SceneError
from hsiaug.base.files import file_errors
from hsiaug.base.temporary_folders import sweep, temporary_folder
from hsiaug.data.bounds import in_bytes
from hsiaug.data.paths import file_checksum

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec
    from hsiaug.data.pair_cards import ArchiveSpec, PairCard

CONNECT_SECONDS = 5.0
STALL_SECONDS = 20.0

ROOM = "Free some space there, or name another folder in HSIAUG_DATA_DIR."


def download(files: Sequence[tuple[FileSpec | ArchiveSpec, Path]], name: str, *, progress: bool) -> None:
    """Bring files to their paths: each is written under a temporary name, renamed once its checksum fits.

    name: of the scene or set, for errors. progress: show it on standard error.
    Raises DataUnavailableError where no mirror of a file has it: it says what each answered, and where to put the files
    by hand.
    """
    by_hand = "; ".join(
        f"{path.name} ({spec.known_hash.replace(':', ' ')}) from {spec.urls[0]}" for spec, path in files
    )
    for spec, target in files:
        reasons: dict[str, str] = {}
        for url in spec.urls:
            reason = _try_mirror(url, spec, target, progress)
            if reason is None:
                break
            reasons[url] = reason
        else:
            raise DataUnavailableError(
                f"{target.name} ({in_bytes(spec.size)}) of {name} could not be downloaded",
                value="; ".join(f"{url}: {reason}" for url, reason in reasons.items()),
                hint=f"Go online and try again, or put into {target.parent} by hand: {by_hand}.",
            )


def _try_mirror(url: str, spec: FileSpec | ArchiveSpec, target: Path, progress: bool) -> str | None:
    """Why this mirror did not serve, or None once the file is in place."""
    import pooch
    import requests

    from hsiaug.base.terminal import Console

    host, console = urlsplit(url).hostname or url, Console(stderr=True)
    if progress:
        console.print(f"Downloading {target.name} from {host} ({in_bytes(spec.size)})", soft_wrap=True)
    pooch.get_logger().setLevel("ERROR")  # the line above says the same
    sweep(target.parent)
    try:
        with temporary_folder(target.parent, "download") as fresh:
            fetch = pooch.HTTPDownloader(
                progressbar=progress and console.is_terminal,
                timeout=(CONNECT_SECONDS, STALL_SECONDS),
                headers={"User-Agent": "hsiaug", "Accept-Encoding": "identity"},
            )
            pooch.retrieve(url, spec.known_hash, fname=target.name, path=fresh, downloader=fetch)
            (fresh / target.name).chmod(0o644)  # the temporary file was private; a data folder may be shared
            (fresh / target.name).replace(target)
            return None
    except requests.HTTPError as cause:
        reason = f"answered {cause.response.status_code}" if cause.response is not None else "refused"
    except requests.RequestException as cause:
        reason = (
            "stalled" if "timed out" in str(cause) else f"no connection, or broken off ({type(cause).__name__})"
        )
    except ValueError:
        reason = "sent a file with another checksum"
    except OSError as cause:
        raise DataUnavailableError(
            f"{target} must be writable", value=cause.strerror or str(cause), hint=ROOM
        ) from cause
    if progress:
        console.print(f"{host}: {reason}", soft_wrap=True)
    return reason


def fetch_archives(card: PairCard, folder: Path, progress: bool) -> None:
    """Download what is missing of a set's archives, check all, and unpack them into ``folder``.

    Raises DataUnavailableError, saying where to put which file by hand, where no mirror takes a connection, SceneError
    for an archive placed by hand that is not the card's.
    """
    targets = [(archive, folder / archive.name) for archive in card.archives]
    absent = [(archive, target) for archive, target in targets if not target.is_file()]
    for archive, target in targets:
        if target.is_file() and (actual := file_checksum(target, "md5")) != archive.md5:
            raise SceneError(
                f"{target} must have md5 {archive.md5}, as the card of {card.name} says",
                value=f"md5 {actual} ({in_bytes(target.stat().st_size)})",
                hint="It is damaged, incomplete or another version: move it away and try again; "
                f"a fresh copy is at {archive.urls[0]}.",
            )
    download(absent, f"set {card.name}", progress=progress)
    unpack([target for _, target in targets], folder)


def unpack(archives: list[Path], folder: Path) -> None:
    """Unpack zip files of known checksums, each without the single folder that its members may lie in, beside what is
    there already.

    All are unpacked into a folder beside their place first, so that a stop leaves nothing behind.
    Raises SceneError where one is no whole zip file, DataUnavailableError where the folder cannot be written to.
    """
    rule = f"{folder} must be writable, with room for what is unpacked"
    with file_errors(rule, ROOM, DataUnavailableError):
        folder.mkdir(parents=True, exist_ok=True)
        sweep(folder)
        with temporary_folder(folder, "unpacked") as side:
            for number, archive in enumerate(archives):
                try:
                    with zipfile.ZipFile(archive) as file:
                        file.extractall(side / str(number))
                except (zipfile.BadZipFile, zlib.error) as cause:
                    hint = "Move it away and try again."
                    raise SceneError(f"{archive} must be a whole zip file", value=cause, hint=hint) from cause
            for own in sorted(side.iterdir()):
                inside = list(own.iterdir())
                top = inside[0] if len(inside) == 1 and inside[0].is_dir() else own
                for path in sorted(top.rglob("*")):
                    target = folder / path.relative_to(top)
                    if path.is_file() and not target.exists():
                        target.parent.mkdir(parents=True, exist_ok=True)
                        path.replace(target)
