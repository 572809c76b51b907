"""How names and numbers are written in every table."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from hsiaug.base.text import in_runs
from hsiaug.core.view_names import with_view
from hsiaug.metrics.significance import Ends, Evidence, MeanStd
from hsiaug.trial.arm import ALONE, BOTH, Arm, Method
from hsiaug.trial.record_json import canonical_json

MISSING = "–"
LEAKY, TRANSDUCTIVE = "LEAKY", "TRANSDUCTIVE"
MOST_TOLD = 3
"""Parameters that the names of configurations all say, where they differ."""


def tagged(text: str, leaky: bool, transductive: bool = False) -> str:
    """A text with the tags that a leaky protocol wears in every format and picture, and in pictures
    a table of which a method read unlabelled test pixels.
    """
    tags = [LEAKY] * leaky + [TRANSDUCTIVE] * transductive
    return f"{', '.join(tags)}: {text}" if tags else text


def measured(value: float | None) -> str:
    """A number of ``hsiaug inspect``, three digits of it."""
    return (
        MISSING
        if value is None
        else (f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}").replace("-", "−")
    )


def method_labels(methods: Iterable[Method]) -> dict[Method, str]:
    """A label for each method: its name alone, and what differs where several share the name, its
    view last.

    Where more than three parameters differ, values that most of them have go without saying.
    """
    named: dict[str, list[Method]] = {}
    for method in dict.fromkeys(methods):
        named.setdefault(method.name, []).append(method)
    labels: dict[Method, str] = {}
    for same in named.values():
        # A parameter may itself be called "version": the leading space keeps the two apart.
        details = [
            {
                " version": m.version,
                **{str(k): canonical_json(v) for k, v in json.loads(m.params).items()},
            }
            for m in same
        ]
        keys = dict.fromkeys(key for detail in details for key in detail)
        differing = [k for k in keys if len({d.get(k) for d in details}) > 1]
        usual = {
            key: Counter(d.get(key) for d in details).most_common(1)[0][0] for key in differing
        }
        for method, detail in zip(same, details, strict=True):
            told = [
                k for k in differing if len(differing) <= MOST_TOLD or detail.get(k) != usual[k]
            ]
            labels[method] = " ".join([method.name, *(_setting_text(key, detail) for key in told)])
            if len({m.convention for m in same} - {None}) > 1 and method.convention:
                labels[method] += f" ({method.convention})"
            if len({m.view for m in same}) > 1:
                labels[method] = with_view(labels[method], method.view)
            if method.train != BOTH:
                labels[method] += ALONE
    return labels


def key_labels(keys: Iterable[tuple[Arm, Method]]) -> dict[Method, str]:
    """The labels of all generators, and of all classifiers, of configurations."""
    listed = list(keys)
    return {
        **method_labels(arm.generator for arm, _ in listed),
        **method_labels(by for _, by in listed),
    }


def _setting_text(key: str, detail: dict[str, str]) -> str:
    value = detail.get(key)
    if key == " version":
        return f"v{value}"
    return f"{key} unset" if value is None else f"{key}={_bare(value)}"


def _bare(value: str) -> str:
    """JSON text without the quotes of a plain word; "3" keeps them, so that it differs from 3."""
    word = json.loads(value)
    plain = (
        isinstance(word, str)
        and word[:1].isalpha()
        and word not in ("true", "false", "null", "unset")
    )
    return word if plain else value


def number(value: float | None) -> str:
    """A λ or an ω as it is typed: ``0.5``; – where there is none."""
    return MISSING if value is None else f"{value:g}"


def percent(fraction: float) -> str:
    """0.4821 → ``48.2``."""
    return decimal(100 * fraction)


def decimal(value: float, digits: int = 1) -> str:
    """One decimal, or as many as are said, with a true minus sign, never ``−0.0``."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def plus_minus(summary: MeanStd | None) -> str:
    """``48.2 ± 3.1`` in percent; the value alone where there is one; – where there is none."""
    if summary is None:
        return MISSING
    if summary.std is None:
        return percent(summary.mean)
    return f"{percent(summary.mean)} ± {percent(summary.std)}"


def signed(fraction: float | None, digits: int = 1) -> str:
    """A difference in percentage points with its sign; zero has none."""
    if fraction is None:
        return MISSING
    text = decimal(100 * fraction, digits)
    return f"+{text}" if text.strip("0.") and not text.startswith("−") else text


def difference_text(evidence: Evidence, *, word: bool = False) -> str:
    """``+6.2 [ 3.2,  9.3]``: a mean difference in points with its interval, or of few splits
    ``+6.2 ( 3.2 to 9.3)``, the smallest and the largest; ``–`` without a split.

    Parameters
    ----------
    word : bool
        Behind it what it shows, but ``unclear``, which goes without saying.
    """
    if not evidence.differences:
        return MISSING
    text = f"{signed(evidence.mean):>4}"
    if evidence.ends:
        text += f" {ends_text(evidence.ends)}"
    shown = evidence.word
    return f"{text} {shown}" if word and shown != "unclear" else text


def difference_words(evidence: Evidence) -> str:
    """The same in a sentence: ``+6.2 [3.2, 9.3]``."""
    return " ".join(difference_text(evidence).split()).replace("[ ", "[")


def with_ends(mean: float, ends: Ends | None) -> str:
    """``+2.1 [1.0, 3.2]``: a difference in percentage points with what is printed with its mean."""
    return signed(mean) + (f" {ends_text(ends)}" if ends else "")


def ends_text(ends: Ends | None, text: Callable[[float], str] | None = None) -> str:
    """``[ 1.0,  3.2]``, an interval, or ``(1.0 to 3.2)``, the smallest and the largest; – where
    there is neither.

    Parameters
    ----------
    text : callable or None
        What writes a fraction; None for a difference in percentage points: of an interval that
        excludes 0, an end has the digits that show this.
    """
    if ends is None:
        return MISSING
    excludes = ends.is_interval and ends.low * ends.high > 0
    low, high = map(text or partial(_end, excludes_zero=excludes), (ends.low, ends.high))
    return f"[{low:>4}, {high:>4}]" if ends.is_interval else f"({low} to {high})"


def _end(fraction: float, *, excludes_zero: bool) -> str:
    # 0.02, which excludes 0, is not printed as 0.0.
    finer = excludes_zero and round(100 * fraction, 1) == 0 and round(100 * fraction, 2) != 0
    return decimal(100 * fraction, 2 if finer else 1)


def p_text(p: float | None) -> str:
    """``.031``, ``<.001`` or ``1``; – where nothing was tested."""
    if p is None:
        return MISSING
    if p < 0.001:
        return "<.001"
    return "1" if p > 0.9995 else f"{p:.3f}".removeprefix("0")


def p_said(p: float) -> str:
    """``p = .031`` or ``p < .001``."""
    text = p_text(p)
    return f"p < {text[1:]}" if text.startswith("<") else f"p = {text}"


def span(values: Sequence[float], digits: int = 1) -> str:
    """The mean, and the range in brackets where the values differ."""
    mean, low, high = (
        f"{v:,.{digits}f}" for v in (sum(values) / len(values), min(values), max(values))
    )
    return mean if low == high else f"{mean} ({low}–{high})"


def count_range(counts: Sequence[int]) -> str:
    """``12``, or ``12–15`` where the counts differ; – where there are none."""
    return "–".join(map(str, dict.fromkeys((min(counts), max(counts))))) if counts else MISSING


def seeds_text(seeds: Iterable[int]) -> str:
    """``seed 3``, ``seeds 0, 2–4``."""
    listed = set(seeds)
    return f"{'seed' if len(listed) == 1 else 'seeds'} {in_runs(listed)}"


def count(number: int, noun: str) -> str:
    """``1 draw``, ``5 draws``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def all_of(number: int) -> str:
    """``both``, ``all three``, ``all 12``."""
    names = {2: "both", 3: "all three", 4: "all four", 5: "all five", 6: "all six"}
    return names.get(number, f"all {number}")


def join_words(words: Iterable[str]) -> str:
    """``a and b``, ``a, b and c``."""
    *first, last = [*words] or [""]
    return f"{', '.join(first)} and {last}" if first else last
