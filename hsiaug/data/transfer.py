"""The bytes of a file on the net, from a server that may be as slow as it likes.

The time limits of a socket hold for each byte that arrives. A thread reads, so that whoever waits for it can give up
at any moment; it is a daemon, because a read cannot be interrupted, only left behind.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator

__all__ = ["Unserved", "pieces"]

CONNECT_SECONDS = 5.0
STALL_SECONDS = 20.0

SLOWEST, SLOW_SECONDS = 10_000, 20.0
"""Bytes a second, in the mean over so many seconds, below which a server is given up: 1 MB in under two minutes."""

PIECE = 2**15

Item = bytes | Exception | None


class Unserved(Exception):
    """Why a server is given up, in words that go on from its name."""


def pieces(url: str, most: int | None) -> Iterator[bytes]:
    """The content of an address, as it arrives. most: bytes, beyond which it cannot be the right file.

    Raises Unserved for a server that is too slow or sends too much, and what requests raises.
    """
    arrived: queue.Queue[Item] = queue.Queue(maxsize=64)
    given_up = threading.Event()
    threading.Thread(target=_read, args=(url, arrived, given_up), daemon=True).start()
    got = since = 0
    end = time.monotonic() + SLOW_SECONDS
    try:
        while True:
            try:
                item = arrived.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise Unserved(f"sent {since:,} bytes in {SLOW_SECONDS:g} s, too slow to wait for") from None
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            got, since = got + len(item), since + len(item)
            if most is not None and got > most:
                raise Unserved(f"sent more than the {most:,} bytes of the file")
            yield item
            if since >= SLOWEST * SLOW_SECONDS:
                since, end = 0, time.monotonic() + SLOW_SECONDS
    finally:
        given_up.set()


def _read(url: str, arrived: queue.Queue[Item], given_up: threading.Event) -> None:
    """Put what arrives into the queue, then None; or the exception that ended it."""

    def put(item: Item) -> None:
        while not given_up.is_set():
            try:
                arrived.put(item, timeout=0.5)
                return
            except queue.Full:
                continue

    import requests

    headers = {"User-Agent": "hsiaug", "Accept-Encoding": "identity"}
    try:
        with requests.get(url, stream=True, timeout=(CONNECT_SECONDS, STALL_SECONDS), headers=headers) as response:
            response.raise_for_status()
            for piece in response.iter_content(PIECE):
                put(piece)
                if given_up.is_set():
                    return
        put(None)
    except Exception as cause:  # it is raised again where the file is wanted
        put(cause)
