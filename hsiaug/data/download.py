"""Downloading files from the first of several mirrors that has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hsiaug.base.errors import DataUnavailableError
from hsiaug.base.temporary_folders import sweep, temporary_folder
from hsiaug.data.bounds import in_bytes

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec

CONNECT_SECONDS = 5.0
STALL_SECONDS = 20.0
CHUNK_BYTES = 2**16
HEADERS = {"User-Agent": "hsiaug", "Accept-Encoding": "identity"}
ROOM = "Free some space there, or name another folder in HSIAUG_DATA_DIR."


def download(files: Sequence[tuple[FileSpec, Path]], name: str, *, progress: bool) -> None:
    """Bring files to their paths: each is written under a temporary name, renamed once its checksum
    fits.

    Parameters
    ----------
    name : str
        Name of the scene, for errors.
    progress : bool
        Show it on standard error.

    Raises
    ------
    DataUnavailableError
        Where no mirror of a file has it: it says what each answered, and where to put the files
        by hand.
    """
    by_hand = "; ".join(
        f"{path.name} (sha256 {spec.sha256}) from {spec.urls[0]}" for spec, path in files
    )
    for spec, target in files:
        reasons: dict[str, str] = {}
        for url in spec.urls:
            reason = _try_mirror(url, spec, target, progress)
            if reason is None:
                break
            reasons[url] = reason
        else:
            rule = f"{target.name} ({in_bytes(spec.size)}) of {name} could not be downloaded"
            failures = "; ".join(f"{url}: {reason}" for url, reason in reasons.items())
            hint = f"Go online and try again, or put into {target.parent} by hand: {by_hand}."
            raise DataUnavailableError(rule, value=failures, hint=hint)


def _try_mirror(url: str, spec: FileSpec, target: Path, progress: bool) -> str | None:
    """Why this mirror did not serve, or None once the file is in place."""
    import pooch
    import requests

    from hsiaug.base.terminal import Console

    host = urlsplit(url).hostname or url
    console = Console(stderr=True)
    if progress:
        console.print(
            f"Downloading {target.name} from {host} ({in_bytes(spec.size)})", soft_wrap=True
        )
    pooch.get_logger().setLevel("ERROR")  # the line above says the same
    sweep(target.parent)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(target.parent, "download") as fresh:
            fetch = pooch.HTTPDownloader(
                progressbar=progress and console.is_terminal,
                chunk_size=CHUNK_BYTES,
                timeout=(CONNECT_SECONDS, STALL_SECONDS),
                headers=HEADERS,
            )
            pooch.retrieve(
                url, f"sha256:{spec.sha256}", fname=target.name, path=fresh, downloader=fetch
            )
            # The temporary file was private; a data folder may be shared.
            (fresh / target.name).chmod(0o644)
            (fresh / target.name).replace(target)
            return None
    except requests.HTTPError as cause:
        reason = (
            f"answered {cause.response.status_code}" if cause.response is not None else "refused"
        )
    except requests.RequestException as cause:
        reason = (
            "stalled"
            if "timed out" in str(cause)
            else f"no connection, or broken off ({type(cause).__name__})"
        )
    except ValueError:
        reason = "sent a file with another checksum"
    except OSError as cause:
        rule = f"{target} must be writable"
        raise DataUnavailableError(rule, value=cause.strerror or str(cause), hint=ROOM) from cause
    if progress:
        console.print(f"{host}: {reason}", soft_wrap=True)
    return reason
