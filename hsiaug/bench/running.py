"""How far runs on a store are, for other programs: a small JSON file for each in its folder ``running``."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hsiaug.base.files import plain_text

EVERY = 1.0
"""Seconds between two writings."""
LOST = 600.0
"""Seconds without a word after which a run is taken for one that was killed."""
LONGEST = 2**16

Told = dict[str, object]


@contextmanager
def tell_others(root: Path) -> Iterator[Callable[[Callable[[], Told]], None]]:
    """A function that writes what it is given into the store ``root``, at most every ``EVERY`` seconds.

    The file is gone at the end. A disk that refuses it stops no run: the records alone count.
    """
    path = root / "running" / f"{uuid.uuid4().hex}.json"
    last = -EVERY

    def tell(told: Callable[[], Told]) -> None:
        nonlocal last
        if time.monotonic() - last < EVERY:
            return
        last = time.monotonic()
        with suppress(OSError):
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(told()), encoding="utf-8")

    try:
        yield tell
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)
            path.parent.rmdir()


def heard_of(root: Path) -> list[Told]:
    """What the runs on a store told last, each with the seconds since then (``quiet``), but for what is half-written."""
    found: list[Told] = []
    for path in sorted((root / "running").glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            quiet = time.time() - path.stat().st_mtime
            if quiet < LOST and (text := plain_text(path, LONGEST)):
                found.append({**json.loads(text), "quiet": round(quiet)})
    return found
