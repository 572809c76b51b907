"""What headings and verdicts of a page mean, shown where one points at them."""

from __future__ import annotations

from functools import cache

from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.text_templates import labelled

TERMS = {
    "λ": "sample balance rate: 0 makes no sample, 1 fills every class up to the largest one",
    "M": "synthetic samples for each real one",
    "ω": "guidance strength: how strictly samples follow their class",
    "OA": "overall accuracy: the share of test pixels that are right",
    "AA": (
        f"average accuracy: the mean recall of the classes with at least {MIN_TEST_PIXELS} test"
        " pixels in every draw, where such are counted, else of all"
    ),
    "κ": "Cohen's kappa × 100: accuracy beyond chance",
    "mIoU": "mean intersection over union of the classes",
    "p": "sign-flip test over draws: the largest p over the controls, corrected for all arms",
    "pairs": "draws that both arms share",
    "n": "draws that went well",
    "verdict": "what the draws show of the arm against all its controls",
    "recall": "share of a class's test pixels that are right",
    "train n": "training pixels of the class in a draw",
    "test n": "test pixels of the class in a draw",
    "status": "how the trial went",
    "seed": "the number of the draw",
}
"""Headings of columns. λ and M stand together in older tables: ``0.5x3``."""


def tip_of(text: str) -> str:
    """What a heading or a verdict means, in a sentence; empty where it says so itself."""
    plain = text.strip()
    if plain in TERMS:
        return TERMS[plain]
    if plain.startswith("Δ"):
        name = plain[1:].split(" ")[0]
        return f"gain in {name}, in percentage points, paired over draws" if name else ""
    word = plain.partition(" ")[0]
    if word in TERMS:
        return TERMS[word]
    return next((said for start, said in _findings() if start in plain), "")


@cache
def _findings() -> list[tuple[str, str]]:
    """Findings, the longest first, so that one that begins another is not taken for it."""
    known = labelled("meanings.txt", further=(), needed=())
    return sorted(known, key=lambda pair: -len(pair[0]))
