"""What headings and verdicts of a page mean, shown where one points at them."""

from __future__ import annotations

from functools import cache

from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.text_templates import labelled


def tip_of(text: str) -> str:
    """What a heading or a verdict means, in a sentence; empty where it says so itself."""
    plain = text.strip()
    terms = _terms()
    if plain in terms:
        return terms[plain]
    if plain.startswith("Δ"):
        name = plain[1:].split(" ")[0]
        return f"gain in {name}, in percentage points, paired over draws" if name else ""
    word = plain.partition(" ")[0]
    if word in terms:
        return terms[word]
    return next((said for start, said in _findings() if start in plain), "")


@cache
def _terms() -> dict[str, str]:
    """Headings of columns."""
    return dict(labelled("terms.txt", fewest=MIN_TEST_PIXELS))


@cache
def _findings() -> list[tuple[str, str]]:
    """Findings, the longest first, so that one that begins another is not taken for it."""
    known = labelled("meanings.txt", further=(), needed=())
    return sorted(known, key=lambda pair: -len(pair[0]))
