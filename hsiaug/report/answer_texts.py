"""The three answers of a table as plain values, and their words: those of
``templates/answers.txt``, the same in every format and while a benchmark still runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from hsiaug.base.text import some_of
from hsiaug.report.formatting import percent, signed, with_ends
from hsiaug.report.gains import Gain, in_points
from hsiaug.report.text_templates import labelled
from hsiaug.trial.arm import NONE, Control, with_words

if TYPE_CHECKING:
    from hsiaug.report.gains import ArmCell

Status = Literal["YES", "NO", "OPEN", "TOO FEW DRAWS", "NOT ASKED", "NOTHING TO JUDGE"]
"""``NO``: shown below, or shown to gain less than one point. ``OPEN``: enough draws for a
large difference, and neither a gain nor its absence is shown. ``NOT ASKED``: an earlier answer
settles it. ``NOTHING TO JUDGE``: no arm that could be judged gave a number.
"""
TONES: Mapping[str, str] = {
    **dict.fromkeys(("YES", "above", "helps"), "good"),
    **dict.fromkeys(("NO", "below", "hurts"), "bad"),
    **dict.fromkeys(("OPEN", "NOT ASKED", "< 1 point", "open", "too few draws"), ""),
    **dict.fromkeys(("gains", "equivalent", "not better"), ""),
    **dict.fromkeys(("TOO FEW DRAWS", "NOTHING TO JUDGE", "nothing made", "failed"), "warn"),
    "helps, at a loss": "loss",
}
"""Tone of every answer, of what one comparison shows, and of every verdict on an arm: on a
terminal, on a page and in a picture.
"""
MOST_CONTRASTS = 3
"""Contrasts that an answer says in words; the rest in brief."""
MOST_NAMED = 3
"""Generators that a headline names."""
USE_QUESTION = "Use here"
NAMES_IN_FILES = {"gains": "differences"}
"""Attributes of answers that files name otherwise."""
NOT_IN_FILES = (
    "cell",
    "controls",
    "running",
    "words",
    "fresh_options",
    "left_out",
    "divides_images",
)
"""Attributes of answers that files have by their names, or in their sentences, instead."""


@dataclass(frozen=True)
class Contrast:
    """Arms of one generator that have the same result against the same rival.

    Parameters
    ----------
    generator : str
        The generator, as tables name it.
    rival : str
        The control besides ``none`` that decides (:attr:`hsiaug.report.gains.Gain.rival`).
    status : str
        What is shown of these arms.
    below : bool
        True where they are shown below the rival; else a ``NO`` means a gain below one point.
    arms : tuple of str
        These arms with their classifiers, as tables name them.
    gains : tuple of Gain
        One for each arm, in the same order; empty where no draw is shared with the rival.
    asked : int
        Arms of this generator of which the question is asked, these included.
    classifiers : bool
        True where these arms differ in nothing but the classifier.
    lost : tuple of str
        Those of the arms that lose in the second metric: against ``none`` where this is the
        rival, else against another control.
    """

    generator: str
    rival: str
    status: Status
    below: bool
    arms: tuple[str, ...]
    gains: tuple[Gain, ...]
    asked: int
    classifiers: bool
    lost: tuple[str, ...] = ()

    @property
    def result(self) -> str:
        """What is shown of its arms, in words."""
        if self.status == "NO":
            return "worse" if self.below else "a gain of 1 point ruled out"
        return {"YES": "better", "TOO FEW DRAWS": "too few draws"}.get(self.status, "open")

    @property
    def which(self) -> str:
        """Which these are of the arms of the generator: ``svm``, ``2 of 3 arms``."""
        if self.classifiers and len(self.arms) == 1:
            return self.arms[0].rpartition(" with ")[2]
        return f"{len(self.arms)} of {self.asked} {'classifiers' if self.classifiers else 'arms'}"

    @property
    def spread(self) -> str:
        """Its gains in points."""
        return spread(self.gains)


@dataclass(frozen=True)
class Answer:
    """The answer to one of the first two questions.

    Parameters
    ----------
    question : str
        The question in words.
    status : str
        ``YES`` where it is shown of at least one arm, ``NO`` where of none it can be.
    contrasts : tuple of Contrast
        What it rests on; those that agree with the status lead.
    shown, asked : int
        Arms of which a ``YES`` is shown, and of which the question is asked.
    """

    question: str
    status: Status
    contrasts: tuple[Contrast, ...]
    shown: int
    asked: int

    @property
    def words(self) -> str:
        """The status; a ``YES`` with how many of the arms it is shown of, where not of all."""
        if self.status != "YES" or self.shown == self.asked:
            return self.status
        generators = {one.generator for one in self.contrasts}
        if len(generators) == 1 and all(one.classifiers for one in self.contrasts):
            return f"YES, with {self.shown} of {self.asked} classifiers"
        of = "generators" if len(generators) == self.asked else "arms"
        return f"YES, {self.shown} of {self.asked} {of}"


@dataclass(frozen=True)
class Use:
    """What to use here: the arm with the highest mean of those that are shown above no samples, or
    a classifier without samples where that has the highest mean.

    Parameters
    ----------
    status : str
        Whether it is shown above every classifier that got no samples: ``YES``, ``OPEN``;
        ``NO`` where the arm gets no samples and none is better; ``TOO FEW DRAWS``.
    cell : ArmCell or None
        Its trials; None where no trial gave a number.
    name : str
        The arm with its classifier, as tables name it; empty where no trial gave a number.
    words : str
        The same as sentences name it.
    generator, classifier : str
        Its parts.
    lam, times : float
        Its λ, and its M: synthetic samples for each real one.
    omega : float or None
        Its ω.
    score : float
        Mean of the main metric in percent.
    gain : Gain or None
        Over the same classifier without samples; None where it gets none itself.
    without : str
        The best classifier that needs no sample, as tables name it; empty where it is the arm.
    without_score : float or None
        The mean of that classifier in percent.
    over_without : Gain or None
        What the arm gains over that classifier.
    rival : Contrast or None
        The control beside which the arm is not shown to be better, where there is one.
    left_out : tuple of str
        Arms that would be asked, but have too few draws to be compared, as sentences name them.
    """

    status: Status
    cell: ArmCell | None = None
    name: str = ""
    words: str = ""
    generator: str = ""
    classifier: str = ""
    lam: float = 0.0
    times: float = 0.0
    omega: float | None = None
    score: float = 0.0
    gain: Gain | None = None
    without: str = ""
    without_score: float | None = None
    over_without: Gain | None = None
    rival: Contrast | None = None
    left_out: tuple[str, ...] = ()

    @property
    def beyond_chance(self) -> bool:
        """Whether what it gains or loses over that classifier is shown."""
        shown = self.over_without and self.over_without.main.shown
        return shown == "below" or (shown == "above" and self.status == "YES")


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


@dataclass(frozen=True)
class Answers:
    """The three answers of a table.

    Parameters
    ----------
    over_none, over_controls : Answer
        The first two.
    use : Use
        The third.
    metric, main : str
        The metric that all numbers are of, and the same with the classes that it counts.
    second : str
        The metric of which a loss is told.
    draws : int
        Draws of the table.
    controls_only : bool
        True where no generator but controls ran, so that the answers are about these.
    controls : mapping of str to Control
        Every control by name.
    classifiers : tuple of str
        Those that ran, of which the third answer names the best.
    repeated : tuple of tuple of int
        Seeds that drew the same pixels, for each such draw.
    more_seeds : int or None
        The N of ``--seeds N`` that runs the missing draws where all arms lack some.
    of_controls : tuple of Contrast
        What controls that make samples gain over no samples, where other generators ran; they are
        no candidates of the first two answers.
    leaky : bool
        Whether location alone answers for part of the scores.
    chose : bool
        Whether these draws chose what is to be used here among several arms.
    named : str
        On draws that choose nothing, the mean of the only arm that was asked for, in words.
    fresh_draws : str
        The command that runs it on draws that took no part in this choice; empty where there are
        none, or no record says a command.
    fresh_options : str
        Of the same benchmark on such draws; empty where there are none.
    divides_images : bool
        Whether draws are parts of the same images: fresh ones have the same pixels again.
    running : bool
        Whether further draws run at this moment, so that nobody need ask for them.
    """

    over_none: Answer
    over_controls: Answer
    use: Use
    metric: str
    main: str
    second: str
    draws: int
    controls_only: bool
    controls: Mapping[str, Control]
    classifiers: tuple[str, ...] = ()
    repeated: tuple[tuple[int, ...], ...] = ()
    more_seeds: int | None = None
    of_controls: tuple[Contrast, ...] = ()
    leaky: bool = False
    chose: bool = False
    named: str = ""
    fresh_draws: str = ""
    fresh_options: str = ""
    divides_images: bool = False
    running: bool = False

    @property
    def better_controls(self) -> tuple[Contrast, ...]:
        """Controls that make samples, where these are shown above no samples."""
        return tuple(one for one in self.of_controls if one.status == "YES")

    @cached_property
    def _sentences(self) -> Mapping[str, tuple[str, ...]]:
        """All sentences by their labels, rendered once."""
        shared = [gain.draws for one in self.over_none.contrasts for gain in one.gains]
        lines = labelled(
            "answers.txt",
            answers=self,
            first=self.over_none,
            second=self.over_controls,
            # That draws are too few is said of single arms where it is not the answer.
            said=[
                _groups(one, self.controls, few=self.over_none.status != "TOO FEW DRAWS")
                for one in (self.over_none, self.over_controls)
            ],
            of_controls=list(dict.fromkeys(one.generator for one in self.of_controls)),
            named=(_named(self.over_none), _named(self.over_controls, rivals=True)),
            running=self.running,
            draws=min(shared, default=0),
            unbeaten=with_words(self.use.rival.rival, self.controls) if self.use.rival else "",
            spread=spread,
            some_of=some_of,
            most_named=MOST_NAMED,
        )
        by_label: dict[str, tuple[str, ...]] = {"1": (), "2": ()}
        for label, sentence in lines:
            by_label[label] = (*by_label.get(label, ()), sentence)
        return by_label

    @property
    def texts(self) -> tuple[AnswerText, ...]:
        """The three answers in words, in their order."""
        said = self._sentences
        texts = []
        for number, answer in enumerate((self.over_none, self.over_controls), start=1):
            tone = TONES[answer.status]
            texts.append(AnswerText(number, answer.question, answer.words, tone, said[str(number)]))
        third = (*self.use_sentences, *said.get("quote", ()))
        return (*texts, AnswerText(3, USE_QUESTION, "", TONES[self.use.status], third))

    @property
    def more_gains(self) -> tuple[Gain, ...]:
        """The difference of the third answer from another classifier, where it has one."""
        return (self.use.over_without,) if self.use.over_without else ()

    @property
    def use_sentences(self) -> tuple[str, ...]:
        """What to use here, without what may be quoted of it."""
        return self._sentences["3"]

    @property
    def headline(self) -> str:
        """The three answers on one line, without their numbers: ``Better than no samples: YES
        (txt2hsi). Better than all controls: NO (txt2hsi against pseudo). Use here: pseudo λ=0.5 M=3
        with cnn2d.``
        """
        return self._sentences["headline"][0]

    def as_json(self) -> dict[str, Any]:
        """The same as plain values; numbers in points."""
        plain: dict[str, Any] = _plain(self)
        return plain


def _gain_json(gain: Gain) -> dict[str, Any]:
    """A gain as plain values, in points."""
    return {
        "over": gain.control,
        **in_points(gain.main),
        "p": gain.main.p_corrected,
        "draws": gain.draws,
        "shown": gain.main.shown,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Gain):
        return _gain_json(value)
    if is_dataclass(value):
        names = [field.name for field in fields(value) if field.name not in NOT_IN_FILES]
        named = {name: _plain(getattr(value, name)) for name in names}
        return {NAMES_IN_FILES.get(name, name): one for name, one in named.items()}
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


# In words


@dataclass(frozen=True)
class _Group:
    """Contrasts of one generator with one rival, of which one sentence tells.

    Parameters
    ----------
    rival : str
        The rival as it is called there.
    few : bool
        Whether arms with too few draws are said to be such.
    """

    contrasts: tuple[Contrast, ...]
    rival: str
    few: bool

    @property
    def gains(self) -> tuple[Gain, ...]:
        return tuple(gain for one in self.contrasts for gain in one.gains)

    @property
    def alone(self) -> bool:
        """Whether the question is asked of one arm of the generator."""
        return self.contrasts[0].asked == 1

    @property
    def subject(self) -> str:
        return self.contrasts[0].arms[0] if self.alone else self.contrasts[0].generator

    @property
    def has_rival(self) -> bool:
        """Whether they are compared with another control than ``none``."""
        return self.contrasts[0].rival != NONE

    @property
    def below(self) -> bool:
        """Whether all are shown below that control."""
        return self.has_rival and all(one.below for one in self.contrasts)

    @property
    def at_a_loss(self) -> bool:
        """Whether an arm that is better loses in the second metric."""
        return any(one.lost for one in self.contrasts if one.status == "YES")

    @property
    def distance(self) -> str:
        """How many points the rival is above them."""
        means = [gain.mean for gain in self.gains]
        return " to ".join(dict.fromkeys(percent(-mean) for mean in (max(means), min(means))))

    def result(self, one: Contrast) -> str:
        """``, better``: what is shown of the arms of a contrast, where that is said."""
        return f", {one.result}" if self.few or one.status != "TOO FEW DRAWS" else ""

    @property
    def brief(self) -> str:
        """``smote over pseudo −0.5``: without a sentence."""
        first = self.contrasts[0]
        one_arm = len(self.contrasts) == len(first.arms) == 1
        over = f" over {first.rival}" if first.rival not in ("", NONE) else ""
        return f"{first.arms[0] if one_arm else first.generator}{over} {spread(self.gains)}"


def spread(gains: Sequence[Gain]) -> str:
    """Gains in points: one with its ends, of several the lowest and the highest mean."""
    means = [gain.mean for gain in gains]
    if not means:
        return "no draw in common"
    if len(means) == 1:
        return with_ends(means[0], gains[0].main.ends)
    ends = list(dict.fromkeys(map(signed, (min(means), max(means)))))
    return f"{'mean ' if len(ends) > 1 else ''}{' to '.join(ends)}"


def _groups(
    answer: Answer, controls: Mapping[str, Control], *, few: bool
) -> tuple[list[_Group], list[_Group]]:
    """The groups of contrasts that have a sentence, and those that are told in brief.

    Parameters
    ----------
    few : bool
        As of a group.
    """
    if answer.status in ("NOTHING TO JUDGE", "NOT ASKED"):
        return [], []
    together: dict[tuple[str, str], list[Contrast]] = {}
    for contrast in answer.contrasts:
        together.setdefault((contrast.generator, contrast.rival), []).append(contrast)
    groups = []
    mentioned = set[str]()
    for (_, rival), contrasts in together.items():
        # What a rival is stands behind its first mention.
        words = rival if rival in mentioned else with_words(rival, controls)
        mentioned.add(rival)
        groups.append(_Group(tuple(contrasts), words, few))
    return groups[:MOST_CONTRASTS], groups[MOST_CONTRASTS:]


def _named(answer: Answer, *, rivals: bool = False) -> str:
    """The generators of an answer, each once, MOST_NAMED at most; with ``rivals`` each with its
    rival.
    """
    beside = "over" if answer.status == "YES" else "against"
    names = dict.fromkeys(
        f"{one.generator} {beside} {one.rival}" if rivals and one.rival else one.generator
        for one in answer.contrasts
        if one.status == answer.status
    )
    more = [f"and {len(names) - MOST_NAMED} more"] if len(names) > MOST_NAMED else []
    return " ".join([", ".join([*names][:MOST_NAMED]), *more])
