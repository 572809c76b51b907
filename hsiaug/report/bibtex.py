"""Sources as BibTeX: a source is one text here, and stays one, with its DOI and its arXiv number found in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hsiaug.text import visible

__all__ = ["bibtex", "software"]

DOI = re.compile(r"doi:\s*(10\.\d{4,9}/[^\s;,]+)", re.IGNORECASE)
ARXIV = re.compile(r"arXiv[:\s]\s*(\d{4}\.\d{4,5})", re.IGNORECASE)
YEAR = re.compile(r"\b(19[5-9]\d|20\d\d)\b")
SPECIAL = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}"})


def bibtex(key: str, source: str) -> str:
    """A ``@misc`` entry whose note is the source as its card has it."""
    text = " ".join(visible(source).split())
    found = {"note": text.translate(SPECIAL)}
    if doi := DOI.search(text):
        found["doi"] = doi[1].rstrip(".")
    if arxiv := ARXIV.search(text):
        found |= {"eprint": arxiv[1], "archiveprefix": "arXiv"}
    if years := YEAR.findall(text):
        found["year"] = years[-1]
    return _entry(key, found)


def software(versions: Sequence[str]) -> str:
    """hsiaug itself, in the versions that records name."""
    return _entry(
        "hsiaug",
        {
            "title": "{hsiaug}: augmentation of hyperspectral scenes with few, unequal labels",
            "author": "{The hsiaug developers}",
            "version": ", ".join(versions) or "unknown",
        },
    )


def _entry(key: str, values: dict[str, str]) -> str:
    lines = [f"  {name} = {{{value}}}," for name, value in values.items()]
    return "\n".join([f"@misc{{{re.sub(r'[^A-Za-z0-9_:-]', '-', key)},", *lines, "}"])
