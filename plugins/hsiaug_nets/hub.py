"""Whether a file of a model hub can be had, answered within seconds: the hub's own client would try for 20 to 70 s."""

from __future__ import annotations

import os
import queue
import threading

__all__ = ["told_to_stay_offline", "why_out_of_reach"]

PROBE_SECONDS = 3.0
"""A hub that has not answered by then is taken as out of reach."""


def why_out_of_reach(url: str) -> str:
    """Why the file at ``url`` cannot be asked for, or "" where it can. Proxies of the environment are used."""
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    # A daemon thread, because a resolver that hangs cannot be interrupted, only left behind.
    threading.Thread(target=_probe, args=(url, answers), daemon=True).start()
    try:
        return answers.get(timeout=PROBE_SECONDS)
    except queue.Empty:
        return f"no answer within {PROBE_SECONDS:g} s"


def told_to_stay_offline() -> bool:
    """True where the environment tells hub clients to stay offline."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _probe(url: str, answers: queue.SimpleQueue[str]) -> None:
    """Put the answer of :func:`why_out_of_reach`."""
    import requests

    try:
        answer = requests.head(url, allow_redirects=False, timeout=PROBE_SECONDS)
    except (requests.RequestException, OSError, ValueError) as cause:
        answers.put(f"no connection ({type(cause).__name__})")
    else:
        answers.put("" if answer.status_code < 400 else f"answer {answer.status_code}")
