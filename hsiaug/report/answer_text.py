"""The three answers of :mod:`hsiaug.report.answers` in words, the same in every format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hsiaug.metrics.significance import MIN_PAIRS
from hsiaug.report.answers import Answer, Answers, Contrast, Status, Use
from hsiaug.report.formatting import count, decimal, join_words, percent, signed, with_ends
from hsiaug.report.gains import Gain
from hsiaug.trial.arm import CONTROL_WORDS, NONE

MOST_CONTRASTS = 3
"""Contrasts that an answer says in words; the rest is counted, and stands in the tables."""
MOST_NAMED = 3
"""Generators that a headline names."""
TONES: dict[Status, str] = {
    "YES": "good",
    "NO": "bad",
    "NOT SHOWN": "",
    "TOO FEW DRAWS": "warn",
    "NOT ASKED": "",
    "NOTHING TO JUDGE": "warn",
}
"""Tone of each status, as :mod:`hsiaug.report.findings` has them of verdicts."""
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


def answer_texts(
    answers: Answers, *, running: bool = False
) -> tuple[AnswerText, AnswerText, AnswerText]:
    """The three answers in words, in their order.

    Parameters
    ----------
    answers : Answers
    running : bool
        Whether further draws run at this moment, so that nobody need ask for them.

    Returns
    -------
    tuple of AnswerText
    """
    first, second = answers.over_none, answers.over_controls
    return (
        _text(1, first, _first_sentences(answers, running=running)),
        _text(2, second, _second_sentences(answers)),
        AnswerText(3, USE_QUESTION, "", TONES[answers.use.status], use_sentences(answers)),
    )


def headline(answers: Answers) -> str:
    """The three answers on one line, without their numbers.

    Parameters
    ----------
    answers : Answers

    Returns
    -------
    str
        ``Better than no samples: YES (txt2hsi). Better than all controls: NO (pseudo). Use here:
        pseudo λ=0.5 M=3 with cnn2d.``
    """
    said = []
    for answer in (answers.over_none, answers.over_controls):
        leading = [one for one in answer.contrasts if one.status == answer.status]
        first = answer is answers.over_none
        names = [*dict.fromkeys(one.generator if first else one.rival for one in leading)]
        more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
        named = f" ({', '.join(names[:MOST_NAMED])}{more})" if any(names) else ""
        said.append(f"{answer.question.removesuffix('?')}: {status_text(answer)}{named}.")
    use = answers.use
    bare = " without samples" if use.name and use.gain is None else ""
    return " ".join([*said, f"{USE_QUESTION}: {use.name or 'nothing yet'}{bare}."])


def _text(number: int, answer: Answer, sentences: Sequence[str]) -> AnswerText:
    tone = TONES[answer.status]
    return AnswerText(number, answer.question, status_text(answer), tone, tuple(sentences))


def status_text(answer: Answer) -> str:
    """``YES``, or ``YES, with 1 of 5 classifiers`` where it is shown of some arms alone."""
    if answer.status != "YES" or answer.shown == answer.asked:
        return answer.status
    generators = {one.generator for one in answer.contrasts}
    if len(generators) == 1 and all(one.classifiers for one in answer.contrasts):
        return f"YES, with {answer.shown} of {answer.asked} classifiers"
    noun = "generators" if len(generators) == answer.asked else "arms"
    return f"YES, {answer.shown} of {answer.asked} {noun}"


def _first_sentences(answers: Answers, *, running: bool) -> list[str]:
    answer = answers.over_none
    if answer.status == "NOTHING TO JUDGE":
        return ["No generator gave samples that could be judged."]
    said = [_few(answers, running=running)] if answer.status == "TOO FEW DRAWS" else []
    if answers.controls_only:
        helped = "Real pixels help: " if answer.status == "YES" else ""
        said.append(f"{helped}{'only' if helped else 'Only'} controls ran.")
    said += _contrasts(answer, answers)
    if answer.status != "YES" and not answers.controls_only:
        said += [f"The control {_contrast([one], '', answers)}" for one in answers.better_controls]
    return said


def _second_sentences(answers: Answers) -> list[str]:
    answer = answers.over_controls
    if answer.status == "NOT ASKED":
        return ["No generator but controls is better than no samples."]
    if answer.status == "NOTHING TO JUDGE":
        return ["There is nothing to compare."]
    return _contrasts(answer, answers)


def _few(answers: Answers, *, running: bool) -> str:
    """What is missing where no test is possible."""
    if running:
        return f"At least {MIN_PAIRS} are needed; so far"
    draws = min(
        (gain.draws for contrast in answers.over_none.contrasts for gain in contrast.gains),
        default=0,
    )
    again = f": the same benchmark with --seeds {answers.more_seeds}" if answers.more_seeds else ""
    equal = "; ".join(f"seeds {join_words(map(str, same))}" for same in answers.repeated)
    why = f" ({equal} drew the same pixels)" if equal else ""
    return f"{count(draws, 'draw')}{why}; at least {MIN_PAIRS} are needed{again}."


def _contrasts(answer: Answer, answers: Answers) -> list[str]:
    """A sentence for each generator and rival; those that agree with the answer lead."""
    groups: dict[tuple[str, str], list[Contrast]] = {}
    for contrast in answer.contrasts:
        groups.setdefault((contrast.generator, contrast.rival), []).append(contrast)
    shown = [*groups.values()][:MOST_CONTRASTS]
    said = []
    named: set[str] = set()
    for group in shown:
        rival = group[0].rival
        # What a rival is stands behind its first mention.
        said.append(_contrast(group, rival if rival in named else rival_words(rival), answers))
        named.add(rival)
    rest = [*groups.values()][MOST_CONTRASTS:]
    unsaid = [gain for group in rest for contrast in group for gain in contrast.gains]
    if rest:
        sizes = f": {_spread(unsaid)}" if unsaid else ""
        said.append(f"{len(rest)} more in the table{sizes}.")
    return said


def _contrast(group: Sequence[Contrast], rival: str, answers: Answers) -> str:
    """``txt2hsi: +3.0 to +7.0 points of AA, better with 3 of 3 classifiers.``

    Parameters
    ----------
    group : sequence of Contrast
        The contrasts of one generator with one rival.
    rival : str
        Its name in this sentence.
    """
    first = group[0]
    alone = first.asked == 1
    subject = first.arms[0] if alone else first.generator
    gains = [gain for contrast in group for gain in contrast.gains]
    if not gains:
        return f"{subject}: no draw in common with {first.rival or 'a control'}."
    lost = any(one.lost for one in group if one.status == "YES")
    loss = f", at a loss of {answers.second}" if lost else ""
    kind = "classifiers" if first.classifiers else "arms"
    if first.rival != NONE and all(contrast.below for contrast in group):
        which = "" if alone else f" with {_which(first, kind)}"
        distance = f"{_beyond(gains)} points of {answers.metric}"
        return f"{rival} is {distance} above {subject}{which}{loss}."
    over = "" if first.rival == NONE else f" over {rival}"
    points = f"{subject}: {_spread(gains)} points of {answers.metric}{over}"
    if over and len(gains) > 1 and all(gain.mean < 0 for gain in gains):
        points = f"{subject}: {_beyond(gains)} points of {answers.metric} below {rival}"
    if alone:
        word = "" if first.status in ("YES", "TOO FEW DRAWS") or first.below else _result(first)
        return f"{points}{', ' if word else ''}{word}{loss}."
    counted = [
        f"{_result(one)} with {_which(one, kind)}" for one in group if one.status != "TOO FEW DRAWS"
    ]
    return f"{', '.join([points, *counted])}{loss}."


def _which(contrast: Contrast, kind: str) -> str:
    """``cnn2d`` where one of few classifiers has a result, else how many of them: ``2 of 3
    classifiers``.
    """
    if contrast.classifiers and len(contrast.arms) == 1:
        return contrast.arms[0].rpartition(" with ")[2]
    return f"{len(contrast.arms)} of {contrast.asked} {kind}"


def _result(contrast: Contrast) -> str:
    """What is shown of arms, in a word or few."""
    if contrast.status == "YES":
        return "better"
    if contrast.status == "NO":
        return "worse" if contrast.below else "a gain of 1 point ruled out"
    return "not shown"


def use_sentences(answers: Answers) -> tuple[str, ...]:
    """The third answer in words: the arm with the highest score, and what is shown of it.

    Parameters
    ----------
    answers : Answers

    Returns
    -------
    tuple of str
        Sentences.
    """
    use, first = answers.use, answers.over_none.status
    if not use.name:
        return ("Nothing yet: no trial went well.",)
    score = f"{answers.metric} {decimal(use.score)}"
    ran = f"Classifiers that ran: {', '.join(answers.classifiers)}."
    if use.gain is None:
        return (f"{use.name} without samples: {score}.", _why_without(use, first), ran)
    said = [f"{use.name}: {score}, {_gain(use.gain)} over no samples."]
    kind = use.generator.partition(" ")[0]
    if kind in CONTROL_WORDS:
        said.append(f"{kind} is a control: {CONTROL_WORDS[kind]}.")
    if use.without and use.without_score is not None and use.over_without is not None:
        shown = use.over_without.shown == "below" or (
            use.over_without.shown == "above" and use.status == "YES"
        )
        said.append(
            f"Without samples, {use.without} has {decimal(use.without_score)}; the difference of"
            f" {_gain(use.over_without)} {'is more than' if shown else 'may be'} chance."
        )
    if use.rival is not None:
        said.append(f"Not shown better than {rival_words(use.rival.rival)}.")
    return (*said, ran)


def _why_without(use: Use, first: Status) -> str:
    if first == "YES":
        return "Every arm that is shown better than no samples scores lower."
    if use.status == "TOO FEW DRAWS":
        return "Too few draws to advise a generator."
    if use.status == "NO":
        return "No generator but controls is better."
    return "No generator is shown to be better."


def rival_words(name: str) -> str:
    """``pseudo (real pixels that a teacher labels)``: a control with what it is.

    Parameters
    ----------
    name : str
        A control; any other name stays as it is.

    Returns
    -------
    str
    """
    words = CONTROL_WORDS.get(name)
    return f"{name} ({words})" if words else name


def _gain(gain: Gain) -> str:
    """``+8.9 [+3.7, +14.1]``."""
    return with_ends(gain.mean, gain.ends)


def _spread(gains: Sequence[Gain]) -> str:
    """``+3.0 to +7.0``; of one arm the mean with its interval."""
    if len(gains) == 1:
        return _gain(gains[0])
    means = [gain.mean for gain in gains]
    return " to ".join(dict.fromkeys(map(signed, (min(means), max(means)))))


def _beyond(gains: Sequence[Gain]) -> str:
    """``1.9 to 3.2``: how far arms lie below their rival."""
    sizes = sorted(-gain.mean for gain in gains)
    texts = dict.fromkeys(map(percent, (sizes[0], sizes[-1])))
    return " to ".join(texts)
