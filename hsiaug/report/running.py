"""The three answers of a benchmark that still runs, marked with how far it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hsiaug.report.answer_text import answer_texts
from hsiaug.report.answers import three_answers
from hsiaug.report.tables import build_report

if TYPE_CHECKING:
    from hsiaug.trial.ended_draws import EndedDraws
    from hsiaug.trial.record_json import Record


def running_answer_lines(records: Iterable[Record], ended: EndedDraws) -> tuple[str, ...]:
    """What the draws that have ended show.

    Parameters
    ----------
    records : iterable of Record
        Records of these draws.
    ended : EndedDraws
        The draws.

    Returns
    -------
    tuple of str
        A line that marks the answers as those of few draws, and a line for each of the three;
        empty where the records are of learning curves alone.
    """
    lines: list[str] = []
    for table in build_report(records).compared:
        of = table.condition
        lines.append(f"{of.scene}, {of.protocol}, after {ended.words}; may change:")
        texts = answer_texts(three_answers(table), running=True)
        lines += [f"  {text.line}" for text in texts]
    return tuple(lines)
