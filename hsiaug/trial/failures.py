"""The error of a failed record, in one line that a terminal may print as it is."""

from __future__ import annotations

import re

from hsiaug.trial.record_json import Record

LONGEST = 160
"""Characters of an error in a line; the whole of it is in the record."""

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.?)", re.DOTALL)
"""Sequences that a terminal obeys: colours, titles, links, single commands."""

ErrorKind = tuple[str, str, str]
"""Type, stage and first line of an error: two failures that share them have one cause."""


def error_kind(record: Record) -> ErrorKind:
    """The key by which failures are grouped."""
    error = record.get("error") or {}
    lines = str(error.get("message") or "").strip().splitlines()
    return (
        one_line(error.get("type") or "unknown error"),
        one_line(error.get("stage") or "unknown"),
        one_line(lines[0] if lines else ""),
    )


def why_failed(record: Record) -> str:
    """``PluginError in sample: no sample came back``."""
    type_, stage, line = error_kind(record)
    where = "" if stage == "unknown" else f" in {stage}"
    return f"{type_}{where}" + (f": {line}" if line else "")


def one_line(text: object, longest: int = LONGEST) -> str:
    """A text without line breaks and without characters that move a cursor or hide others; cut where it is longer."""
    bare = ESCAPES.sub(" ", str(text))
    line = " ".join("".join(c if c.isprintable() else " " for c in bare).split())
    return line if len(line) <= longest else f"{line[:longest].rstrip()} (cut)"
