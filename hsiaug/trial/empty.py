"""Trials whose λ asks for no synthetic sample: they are ``none`` under another name, and are told apart here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["EMPTY", "made_nothing"]

EMPTY = "empty"
"""Status of the record of a trial that was not run, because its λ asked for no sample in its draw."""


def made_nothing(record: Mapping[str, Any]) -> bool:
    """True where a generator that adds samples was asked for none, whether its trial was run for that or not.

    Records from before the status "empty" hold such trials as "ok", with the numbers of ``none``. Samples alone do not
    tell them: those of masks count labelled pixels, and a synthetic pair may hold none; but it needed a fit.
    """
    if record["status"] == EMPTY:
        return True
    if record["status"] != "ok" or not record["spec"]["lambda"] > 0:
        return False
    fitted = "fit_generator" in (record.get("timings") or {})
    return not fitted and not any((record.get("samples") or {}).get("synthetic") or [0])
