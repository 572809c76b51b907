"""Whether a file of a model hub can be had, answered within seconds: the hub's own client would try for 20 to 70 s."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from hsiaug.api import DataUnavailableError

__all__ = ["cached", "download"]

PROBE_SECONDS = 3.0
"""A hub that has not answered by then is taken as out of reach."""


def cached(repository: str, names: Sequence[str]) -> Path | None:
    """The first of these files of a Hugging Face repository that is on this machine already, or None."""
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(repository, name) for name in names)
    return next((Path(file) for file in found if isinstance(file, str)), None)


def download(what: str, get: Callable[[], Path], repository: str, name: str, *, hint: str, url: str = "") -> Path:
    """What ``get`` downloads of a Hugging Face repository, or without one from ``url``; ``name``: a file of it.

    Raises DataUnavailableError, within seconds where it is out of reach.
    """
    failure: Exception | None = None
    answer = _why_not(repository, name, url)
    if not answer:
        try:
            return get()
        except Exception as cause:
            failure, answer = cause, f"{type(cause).__name__}: {str(cause)[:160]}"
    raise DataUnavailableError(
        f"the weights of {what} are not on this machine and cannot be downloaded", value=answer, hint=hint
    ) from failure


def _why_not(repository: str, name: str, url: str) -> str:
    """Why a file of a Hugging Face repository, or without one that at ``url``, cannot be asked for; "" where it can.

    The environment may tell hub clients to stay offline; its proxies are used.
    """
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return "HF_HUB_OFFLINE is set"
    if repository:
        from huggingface_hub import constants

        url = f"{constants.ENDPOINT}/{repository}/resolve/main/{name}"
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    # A daemon thread, because a resolver that hangs cannot be interrupted, only left behind.
    threading.Thread(target=_probe, args=(url, answers), daemon=True).start()
    try:
        return answers.get(timeout=PROBE_SECONDS)
    except queue.Empty:
        return f"no answer within {PROBE_SECONDS:g} s"


def _probe(url: str, answers: queue.SimpleQueue[str]) -> None:
    """Put why ``url`` is out of reach, or ""."""
    import requests

    try:
        answer = requests.head(url, allow_redirects=False, timeout=PROBE_SECONDS)
    except (requests.RequestException, OSError, ValueError) as cause:
        answers.put(f"no connection ({type(cause).__name__})")
    else:
        answers.put("" if answer.status_code < 400 else f"answer {answer.status_code}")
