"""Downloading a file from the first of several mirrors that has it, and saying so within seconds if none has."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from hsiaug.data import transfer
from hsiaug.data.files import megabytes
from hsiaug.data.transfer import Unserved, pieces
from hsiaug.errors import DataUnavailableError

if TYPE_CHECKING:
    from hsiaug.data.progress import Display

__all__ = ["download", "reachable_urls"]

PROBE_SECONDS = 3.0

Endpoint = tuple[str, int]


class Fetchable(Protocol):
    """A file on the net. known_hash: "sha256:…" or "md5:…"; size: bytes, where they are known."""

    @property
    def urls(self) -> tuple[str, ...]: ...
    @property
    def known_hash(self) -> str: ...
    @property
    def size(self) -> int | None: ...


def reachable_urls(urls: Iterable[str]) -> frozenset[str]:
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


def download(spec: Fetchable, target: Path, *, reachable: frozenset[str], display: Display, scene: str) -> None:
    """Bring one file to ``target``: written under a temporary name, renamed once its checksum fits.

    reachable: the addresses worth trying, see :func:`reachable_urls`.

    Raises DataUnavailableError, saying what each mirror answered and where to put the file by hand.
    """
    reasons = []
    checksum = spec.known_hash.replace(":", " ")
    for url in spec.urls:
        if url not in reachable:
            reasons.append(f"{url}: no connection")
            continue
        reason = _try_mirror(url, spec, target, display)
        if reason is None:
            return
        reasons.append(f"{url}: {reason}")
    raise DataUnavailableError(
        f"{target.name} ({megabytes(spec.size)}) of scene {scene} could not be downloaded",
        value="; ".join(reasons),
        hint=f"Put the file into {target.parent} by hand ({checksum}), or try again when online.",
    )


def _try_mirror(url: str, spec: Fetchable, target: Path, display: Display) -> str | None:
    """Why this mirror did not serve, or None once the file is in place."""
    import pooch
    import requests

    bar = display.start(target.name, spec.size, urlsplit(url).hostname or url)

    def fetch(address: str, out: str | os.PathLike[str], _: object) -> None:
        with Path(out).open("wb") as sink:
            for piece in pieces(address, spec.size):
                sink.write(piece)
                bar.update(len(piece))

    try:
        with _quiet_pooch():
            pooch.retrieve(url, spec.known_hash, fname=target.name, path=target.parent, downloader=fetch)
        target.chmod(0o644)  # the temporary file was private; a data folder may be shared
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
    finally:
        bar.stop()
    display.say(f"{urlsplit(url).hostname} {reason}")
    return reason


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
