"""Writes the fields of a record into docs/results-format.md, as hsiaug/trial/record.py describes
them.

    python -m benchmarks.docs_record
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from hsiaug.trial.record import described_fields

PAGE = Path(__file__).parents[1] / "docs" / "results-format.md"
BEGIN = "Fractions are in 0..1, times in seconds; C is the number of classes.\n\n"
END = "\nA failed trial has null for steps not reached."
WIDTH = 140


def with_fields(page: str) -> str:
    """The text of the page with the fields that there are now."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    entries = (
        textwrap.fill(
            f"- `{name}`: {text}",
            WIDTH,
            subsequent_indent="  ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for name, text in described_fields()
    )
    return "".join([before, begin, "\n".join(entries), "\n", end, after])


if __name__ == "__main__":
    PAGE.write_text(with_fields(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
