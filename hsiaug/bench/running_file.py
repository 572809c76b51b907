"""How far runs on a store are, for other programs: while a run lasts, the folder ``running`` of the
store holds a small JSON file of it.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hsiaug.base.files import plain_text

TOLD_EVERY, LOST = 1.0, 600.0
"""Seconds between two writings, and without one after which a run is taken for one that was killed.
"""
MAX_STATUS_BYTES = 2**16
"""Bytes of the file at most."""


@contextmanager
def tell_others(root: Path) -> Iterator[Callable[[Callable[[], dict[str, object]]], None]]:
    """A function that writes what it is given into the store ``root``, at most every ``TOLD_EVERY``
    seconds.

    The file is gone at the end; what a killed run left goes when the next one begins. A disk that
    refuses it stops none.
    """
    path = root / "running" / f"{uuid.uuid4().hex}.json"
    last = -TOLD_EVERY

    def tell(told: Callable[[], dict[str, object]]) -> None:
        nonlocal last
        if time.monotonic() - last < TOLD_EVERY:
            return
        last = time.monotonic()
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(told()), encoding="utf-8")

    with suppress(OSError):
        for left in path.parent.glob("*.json"):
            if time.time() - left.stat().st_mtime > LOST:
                left.unlink()
    try:
        yield tell
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def heard_of(root: Path) -> list[dict[str, object]]:
    """What the runs on a store told last, each with the seconds since then (``quiet``), but for
    what is half-written.
    """
    found: list[dict[str, object]] = []
    for path in sorted((root / "running").glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            quiet = time.time() - path.stat().st_mtime
            if quiet < LOST and (text := plain_text(path, MAX_STATUS_BYTES)):
                found.append({**json.loads(text), "quiet": round(quiet)})
    return found
