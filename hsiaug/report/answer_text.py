"""The three answers of :mod:`hsiaug.report.answers` in words, the same in every format, and while a
benchmark still runs. The sentences are those of ``templates/answers.txt``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.answers import TONES, Answer, Answers, Contrast, three_answers
from hsiaug.report.tables import build_report
from hsiaug.report.text_templates import labelled
from hsiaug.trial.arm import Control, with_words

if TYPE_CHECKING:
    from hsiaug.trial.record_json import Record


MOST_CONTRASTS = 3
"""Contrasts that an answer says in words; the rest in brief."""
MOST_NAMED = 3
"""Generators that a headline names."""
USE_QUESTION = "Use here"


@dataclass(frozen=True)
class AnswerText:
    """One answer in words.

    Parameters
    ----------
    number : int
        1, 2 or 3.
    question : str
        The question.
    status : str
        The answer in capitals; empty for the third, which names an arm.
    tone : str
        good, bad, warn or empty.
    sentences : tuple of str
        What the answer rests on.
    """

    number: int
    question: str
    status: str
    tone: str
    sentences: tuple[str, ...]

    @property
    def line(self) -> str:
        """The answer as one line."""
        status = f"{self.status}. " if self.status else ""
        stop = "" if self.question.endswith("?") else ":"
        return f"{self.number} {self.question}{stop} {status}{' '.join(self.sentences)}"


def answer_texts(answers: Answers, *, running: bool = False) -> tuple[AnswerText, ...]:
    """The three answers in words, in their order.

    Parameters
    ----------
    running : bool
        Whether further draws run at this moment, so that nobody need ask for them.
    """
    sentences = _sentences(answers, running=running)
    texts = []
    for number, answer in enumerate((answers.over_none, answers.over_controls), start=1):
        (status,) = sentences[f"status {number}"]
        tone = TONES[answer.status]
        texts.append(AnswerText(number, answer.question, status, tone, sentences[str(number)]))
    return (*texts, AnswerText(3, USE_QUESTION, "", TONES[answers.use.status], sentences["3"]))


def headline(answers: Answers) -> str:
    """The three answers on one line, without their numbers: ``Better than no samples: YES
    (txt2hsi). Better than all controls: NO (txt2hsi against pseudo). Use here: pseudo λ=0.5 M=3
    with cnn2d.``
    """
    (line,) = _sentences(answers)["headline"]
    return line


def use_sentences(answers: Answers) -> tuple[str, ...]:
    """The third answer in words: the arm with the highest score, and what is shown of it."""
    return _sentences(answers)["3"]


def _sentences(answers: Answers, *, running: bool = False) -> Mapping[str, tuple[str, ...]]:
    """The sentences by their labels."""
    shared = [gain.draws for one in answers.over_none.contrasts for gain in one.gains]
    lines = labelled(
        "answers.txt",
        answers=answers,
        shown=[_shown(one, answers.controls) for one in (answers.over_none, answers.over_controls)],
        named_first=_named(answers.over_none),
        named_second=_named(answers.over_controls, rivals=True),
        running=running,
        draws=min(shared, default=0),
        min_pairs=MIN_PAIRS,
        named=MOST_NAMED,
        with_words=partial(with_words, known=answers.controls),
    )
    by_label: dict[str, tuple[str, ...]] = {"1": (), "2": ()}
    for label, sentence in lines:
        by_label[label] = (*by_label.get(label, ()), sentence)
    return by_label


def _shown(answer: Answer, controls: Mapping[str, Control]) -> dict[str, object]:
    """The contrasts that are shown, those of one generator and rival together, and the rival as it
    is called there (``groups``); and the groups that are told in brief (``others``).
    """
    groups: dict[tuple[str, str], list[Contrast]] = {}
    for contrast in answer.contrasts:
        groups.setdefault((contrast.generator, contrast.rival), []).append(contrast)
    shown: list[tuple[Sequence[Contrast], str]] = []
    for (_, rival), group in [*groups.items()][:MOST_CONTRASTS]:
        # What a rival is stands behind its first mention.
        known = any(rival == other[0].rival for other, _ in shown)
        shown.append((group, rival if known else with_words(rival, controls)))
    return {"groups": shown, "others": [*groups.values()][MOST_CONTRASTS:]}


def _named(answer: Answer, *, rivals: bool = False) -> list[str]:
    """The generators of an answer, each once; with ``rivals`` each with its rival."""
    beside = "over" if answer.status == "YES" else "against"
    names = (
        f"{one.generator} {beside} {one.rival}" if rivals and one.rival else one.generator
        for one in answer.contrasts
        if one.status == answer.status
    )
    return list(dict.fromkeys(names))


def running_answer_lines(records: Iterable[Record], ended: str) -> tuple[str, ...]:
    """What the draws that have ended show.

    Parameters
    ----------
    records : iterable of Record
        Records of these draws.
    ended : str
        The draws, as ``2 of 7 draws``.

    Returns
    -------
    tuple of str
        A line that marks the answers as those of few draws, and a line for each of the three;
        empty where the records are of learning curves alone.
    """
    lines: list[str] = []
    for table in build_report(records).compared:
        of = table.condition
        lines.append(f"{of.scene}, {of.protocol}, after {ended}; may change:")
        texts = answer_texts(three_answers(table), running=True)
        lines += [f"  {text.line}" for text in texts]
    return tuple(lines)
