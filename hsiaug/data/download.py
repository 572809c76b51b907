"""Downloading a file from the first of several mirrors that has it, and saying so within seconds if none has."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hsiaug.base.errors import DataUnavailableError
from hsiaug.base.temporary_folders import sweep, temporary_folder
from hsiaug.data import transfer
from hsiaug.data.bounds import in_bytes
from hsiaug.data.transfer import Unserved, pieces

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec
    from hsiaug.data.pair_cards import ArchiveSpec

__all__ = ["download"]

PROBE_SECONDS = 3.0

Endpoint = tuple[str, int]


def download(
    files: Sequence[tuple[FileSpec | ArchiveSpec, Path]],
    name: str,
    offline: DataUnavailableError,
    *,
    progress: bool,
) -> None:
    """Bring files to their paths: each is written under a temporary name, renamed once its checksum fits.

    name: of the scene or set, for errors. progress: show it on standard error.
    Raises ``offline`` where no mirror takes a connection, and a DataUnavailableError that says what each mirror
    answered, and where to put the file by hand, where none has it.
    """
    reachable = _reachable_urls(url for spec, _ in files for url in spec.urls)
    if files and not reachable:
        raise offline
    display = _Display(progress)
    for spec, target in files:
        reasons = []
        for url in spec.urls:
            reason = _try_mirror(url, spec, target, display) if url in reachable else "no connection"
            if reason is None:
                break
            reasons.append(f"{url}: {reason}")
        else:
            raise DataUnavailableError(
                f"{target.name} ({in_bytes(spec.size)}) of scene {name} could not be downloaded",
                value="; ".join(reasons),
                hint=f"Put the file into {target.parent} by hand ({spec.known_hash.replace(':', ' ')}), "
                "or try again when online.",
            )


def _reachable_urls(urls: Iterable[str]) -> frozenset[str]:
    """Those addresses whose server (or proxy, where the environment names one) takes a connection.

    All are tried at once, and the answer comes within PROBE_SECONDS even where name resolution hangs.
    """
    wanted = {url: _endpoint(url) for url in urls}
    answers: queue.SimpleQueue[tuple[Endpoint, bool]] = queue.SimpleQueue()
    waiting = set(wanted.values())
    for endpoint in waiting:
        # Daemon threads, because a resolver that hangs cannot be interrupted, only left behind.
        threading.Thread(target=_probe, args=(endpoint, answers), daemon=True).start()
    deadline = time.monotonic() + PROBE_SECONDS
    reachable: set[Endpoint] = set()
    while waiting and (left := deadline - time.monotonic()) > 0:
        try:
            endpoint, answered = answers.get(timeout=left)
        except queue.Empty:
            break
        waiting.discard(endpoint)
        if answered:
            reachable.add(endpoint)
    return frozenset(url for url, endpoint in wanted.items() if endpoint in reachable)


def _endpoint(url: str) -> Endpoint:
    from requests.utils import get_environ_proxies, select_proxy

    proxy = select_proxy(url, get_environ_proxies(url, no_proxy=None))
    if proxy:
        url = proxy if "://" in proxy else f"http://{proxy}"
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)


def _probe(endpoint: Endpoint, answers: queue.SimpleQueue[tuple[Endpoint, bool]]) -> None:
    try:
        socket.create_connection(endpoint, timeout=PROBE_SECONDS).close()
    except (OSError, UnicodeError):
        answers.put((endpoint, False))
    else:
        answers.put((endpoint, True))


def _try_mirror(url: str, spec: FileSpec | ArchiveSpec, target: Path, display: _Display) -> str | None:
    """Why this mirror did not serve, or None once the file is in place."""
    import pooch
    import requests

    host = urlsplit(url).hostname or url

    def fetch(address: str, out: str | os.PathLike[str], _: object) -> None:
        with Path(out).open("wb") as sink, display.bar(target.name, spec.size, host) as advance:
            for piece in pieces(address, spec.size):
                sink.write(piece)
                advance(len(piece))

    try:
        sweep(target.parent)
        with _quiet_pooch(), temporary_folder(target.parent, "download") as fresh:
            pooch.retrieve(url, spec.known_hash, fname=target.name, path=fresh, downloader=fetch)
            (fresh / target.name).chmod(0o644)  # the temporary file was private; a data folder may be shared
            (fresh / target.name).replace(target)
    except requests.HTTPError as cause:
        reason = f"answered {cause.response.status_code}" if cause.response is not None else "refused"
    except Unserved as cause:
        reason = str(cause)
    except requests.Timeout:
        reason = f"stalled for {transfer.STALL_SECONDS:g} s"
    except requests.RequestException as cause:
        reason = "stalled" if "timed out" in str(cause) else f"broke off ({type(cause).__name__})"
    except ValueError:
        reason = "sent a file with another checksum"
    except OSError as cause:
        raise DataUnavailableError(
            f"{target} must be writable",
            value=cause.strerror or str(cause),
            hint="Free some space there, or name another folder in HSIAUG_DATA_DIR.",
        ) from cause
    else:
        return None
    display.say(f"{host} {reason}")
    return reason


class _Display:
    """Where downloads are shown: a bar with speed and time left on a terminal, plain lines elsewhere."""

    def __init__(self, show: bool) -> None:
        from hsiaug.base.terminal import Console

        self.console = Console(stderr=True) if show else None

    @contextlib.contextmanager
    def bar(self, file: str, size: int | None, host: str) -> Iterator[Callable[[int], None]]:
        """A bar of one download, which is told how many bytes more have arrived. size: bytes, None = not known."""
        if self.console is None or not self.console.is_terminal:
            self.say(f"Downloading {file} ({in_bytes(size)}) from {host}")
            yield lambda _: None
            return
        from rich.progress import DownloadColumn, TimeRemainingColumn, TransferSpeedColumn

        from hsiaug.base.terminal import progress_bars

        columns = DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
        with progress_bars(self.console, *columns) as bars:
            task = bars.add_task(f"{file} from {host}", total=size)
            yield lambda amount: bars.advance(task, amount)

    def say(self, text: str) -> None:
        """A line for people."""
        if self.console is not None:
            self.console.print(text, soft_wrap=True)


@contextlib.contextmanager
def _quiet_pooch() -> Iterator[None]:
    """Silences pooch's own log lines for a while; ours say the same in fewer words."""
    import pooch

    logger = pooch.get_logger()
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
