"""``hsiaug compare``: two arms on every condition that both were run on, what may be claimed of them, and the tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

from hsiaug.base.errors import InputError, did_you_mean
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS, MeanStd
from hsiaug.metrics.verdict import TINY, judge, prints_zero, undecided
from hsiaug.report.compare import Comparison, Gain, among, compare, pair_up
from hsiaug.report.findings import verdict_text
from hsiaug.report.grid import ReportPage, text_grid
from hsiaug.report.labels import (
    MISSING,
    count,
    count_range,
    draws_text,
    key_labels,
    p_said,
    percent,
    signed,
)
from hsiaug.report.notes import repeat_notes
from hsiaug.report.output_files import TableFiles
from hsiaug.report.records import ArmCell, CellKey, Trial, class_counts, in_order, number_of
from hsiaug.report.render_data import mean_json
from hsiaug.report.scores import Metric
from hsiaug.report.tables import Report, Table
from hsiaug.trial.arm import ALONE, Method
from hsiaug.trial.record_json import why_failed

if TYPE_CHECKING:
    from pandas import DataFrame

FORM = "GENERATOR[@λ[xM][@ω]]/CLASSIFIER"
"""How an arm with a classifier is typed, as in ``txt2hsi@1x3@2/cnn2d``."""
CLAIMS = {"above": "B above A", "below": "B below A"}
"""A difference that is shown, in words."""
DRAW_HEADER = ("seed", "A", "B", "Δ", "record A", "record B")
CLASS_HEADER = ("class", "name", "Δ recall", "std", "n draws", "test pixels")


@dataclass(frozen=True)
class Pairing:
    """Arms A and B on one condition. Differences are B − A, as fractions; pairs of the comparison are (B, A).

    p is corrected as in the report's table; the comparison joins that of the arms with none where it is no part of it.
    """

    table: Table
    score: Metric
    a: ArmCell
    b: ArmCell
    comparison: Comparison

    @property
    def n(self) -> int:
        """Paired draws."""
        return len(self.comparison.mine)

    @cached_property
    def draws(self) -> DataFrame:
        """A row per paired draw: seed, scores ``a`` and ``b``, ``difference`` and the hashes of the records.

        What is no more than rounding is no difference.
        """
        from pandas import DataFrame

        found, key = self.comparison, self.score.key
        return DataFrame(
            {
                "seed": [a.seed for _, a in found.pairs],
                "a": found.control.column(key)[found.theirs],
                "b": found.cell.column(key)[found.mine],
                "difference": [d if abs(d) > TINY else 0.0 for d in found.main.differences],
                "record_a": [a.hash for _, a in found.pairs],
                "record_b": [b.hash for b, _ in found.pairs],
            }
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        """Draws in which B is higher, both are equal, A is higher."""
        higher, lower = (sum(sign * d > TINY for d in self.comparison.main.differences) for sign in (1, -1))
        return higher, self.n - higher - lower, lower

    @cached_property
    def classes(self) -> dict[int, MeanStd]:
        """Class id → recall of B − A, over the paired draws in which both have test pixels of the class."""
        return self.comparison.class_deltas(len(self.table.class_names))

    @property
    def in_fields(self) -> dict[str, MeanStd]:
        """B − A in each metric of seen and new fields, over the paired draws in which both have it."""
        found = {score.key: self.comparison.delta(score.key) for score in self.table.fields}
        return {key: mean for key, mean in found.items() if mean is not None}

    @property
    def verdict(self) -> str:
        """Verdict on B − A by the rule of :mod:`hsiaug.metrics.verdict`."""
        shown = self.comparison.main.shown
        return undecided(self.n) if shown == "undecided" else CLAIMS.get(shown, shown)

    @property
    def judged(self) -> tuple[Gain, ...]:
        """Gains of A and B over their controls, as in the report; neither controls nor ``coords`` have any."""
        gains = map(self.table.gain, (self.a, self.b))
        return tuple(gain for gain in gains if gain is not None and gain.verdict is not None)


@dataclass(frozen=True)
class ArmComparison:
    """A against B. a, b: their names. apart: sentences on conditions that cannot be compared."""

    a: str
    b: str
    pairings: tuple[Pairing, ...]
    apart: tuple[str, ...]


def compare_arms(report: Report, a: str, b: str, *, metric: str | None = None) -> ArmComparison:
    """A and B on every condition with a draw in common; on each, p is corrected for the arms of the report's table.

    a, b: as :func:`find_arm` reads them. metric: its key in a record; the main one of each task without it.
    Raises InputError for arms and metrics that are not there, for twice the same arm, and where no draw is shared.
    """
    keys = [key for table in report.tables for key in table.every_cell]
    if not keys:
        raise InputError(
            f"{report.where} must hold records",
            value="none",
            hint="Run 'hsiaug benchmark … --store DIR' first, or name another folder.",
        )
    ours, theirs, names = find_arm(a, "A", keys), find_arm(b, "B", keys), arm_names(keys)
    if ours == theirs:
        raise InputError("A and B must be two arms", value=f"{names[ours]} twice", hint="Name another one as B.")
    pairings, apart = [], []
    for table in report.tables:
        cells = table.every_cell
        if ours in cells and theirs in cells:
            pairing = _pairing(table, cells[ours], cells[theirs], metric)
            if pairing.n:
                pairings.append(pairing)
            else:
                apart.append(f"{table.title}: A and B share no draw ({_had(pairing.a)}; {_had(pairing.b)})")
        elif ours in cells or theirs in cells:
            apart.append(f"{table.title}: only {'A' if ours in cells else 'B'} was run")
    if not pairings:
        raise InputError(
            f"A and B must share a draw in which both give {metric or 'the main metric'}",
            value="; ".join(apart),
            hint="Run both on the same scene, protocol and patch with the same `draws`.",
        )
    return ArmComparison(names[ours], names[theirs], tuple(pairings), tuple(apart))


def _had(cell: ArmCell) -> str:
    """The draws that an arm has; or why it has none to compare, in the words of the report."""
    seeds = [trial.seed for trial in cell.ok if not trial.idle]
    if seeds:
        return f"seeds {', '.join(map(str, seeds))}"
    verdict = judge({}, of=len(cell.trials), failed=len(cell.failed), nothing_made=len(cell.idle))
    return f"{verdict.text}: {why_failed({'error': cell.failed[0].error})}" if cell.failed else verdict.text


def _pairing(table: Table, a: ArmCell, b: ArmCell, metric: str | None) -> Pairing:
    known = {score.key: score for score in table.metrics}
    if metric is not None and metric not in known:
        raise InputError(
            f"`metric` must be one that {table.title} has", value=repr(metric), hint=did_you_mean(metric, known)
        )
    score = table.scores.main if metric is None else known[metric]
    scores = replace(table.scores, main=score)
    gains = table.gains if metric is None else compare(table.cells, scores)
    mine = pair_up(b, a, scores)
    for gain in gains.values():
        for found in filter(None, gain.against.values()):
            if {id(gain.cell), id(found.control)} == {id(a), id(b)}:
                test = found.main
                main = replace(mine.main, p=test.p, p_corrected=test.p_corrected, critical=test.critical)
                return Pairing(table, score, a, b, replace(mine, main=main))
    return Pairing(table, score, a, b, among(gains.values(), mine) if mine.pairs else mine)


def arm_names(keys: Iterable[CellKey]) -> dict[CellKey, str]:
    """A text for each key that :func:`find_arm` takes back to it.

    Where several versions or settings share a name, the text holds what differs, as the report's tables do:
    ``smote k=3@1/svm``.
    """
    listed = in_order(set(keys))
    labels = key_labels(listed)
    names = {}
    for arm, classifier in listed:
        lam = "" if arm.generator.name == "none" and not arm.rate else f"@{arm.rate}"
        omega = "" if arm.omega is None else f"@{arm.omega:g}"
        names[arm, classifier] = f"{labels[arm.generator]}{lam}{omega}/{labels[classifier]}"
    return names


def find_arm(text: str, role: str, keys: Iterable[CellKey]) -> CellKey:
    """The one key that the text fits.

    text: names, with λ, ω and settings (``smote k=3/svm``) where several fit; or a name of :func:`arm_names`.
    role: A or B, for messages.
    Raises InputError, with the names that are near, where no key or several fit.
    """
    names = arm_names(keys)
    labels = key_labels(names)
    found = [key for key, name in names.items() if name == text] or [
        key for key in names if _fits(text, key, labels)
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(
            f"{role} must name one arm",
            value=f"{text!r}, which fits {len(found)}: {', '.join(names[key] for key in found)}",
            hint="Type one of them, in quotes where it has a space.",
        )
    plain = re.sub("@[^/]*", "", text)
    alike = [name for key, name in names.items() if _fits(plain, key, labels)]
    known = {f"{arm.generator.name}{'' if arm == arm.both else ALONE}/{by.name}" for arm, by in names}
    hint = f"There are {', '.join(alike)}." if alike else did_you_mean(plain, known)
    raise InputError(f"{role} must be an arm of the store, {FORM}", value=repr(text), hint=hint)


def _fits(text: str, key: CellKey, labels: Mapping[Method, str]) -> bool:
    """Whether names fit, and λ, M and ω where they are given; names of classifiers may hold a slash of their own."""
    arm, classifier = key
    for cut in (match.start() for match in re.finditer("/", text)):
        generator, rate, omega, *_ = (*text[:cut].split("@"), "", "")
        if (
            _names(generator, labels[arm.generator])
            and (arm == arm.both) == (not generator.endswith(ALONE))
            and _names(text[cut + 1 :], labels[classifier])
            # M may be left out.
            and _plain(rate) in ("", f"{arm.rate.lam:g}", f"{arm.rate.lam:g}x{arm.rate.times:g}")
            and _plain(omega) in ("", "" if arm.omega is None else f"{arm.omega:g}")
        ):
            return True
    return False


def _names(text: str, label: str) -> bool:
    """True where the text is the label's name, alone or with some of the settings that the label holds."""
    words = text.split()
    return words[:1] == label.split()[:1] and set(words) <= set(label.split())


def _plain(numbers: str) -> str:
    """``1.0x3`` as this module writes it; what is no number stays as it is."""
    try:
        return numbers and "x".join(f"{float(number):g}" for number in numbers.split("x", 1))
    except ValueError:
        return numbers


def comparison_tables(comparison: ArmComparison, store: str) -> TableFiles:
    """A page per condition; rows: one per paired draw, in fractions as recorded; value: the JSON of the command."""
    pages = [_page(comparison, pairing) for pairing in comparison.pairings]
    rows = [
        {
            **{key: getattr(pairing.table.condition, key) for key in ("scene", "protocol", "argument", "patch")},
            "seed": draw.seed,
            "metric": pairing.score.key,
            "a": comparison.a,
            "b": comparison.b,
            "value_a": draw.a,
            "value_b": draw.b,
            "difference": draw.difference,
            "record_a": draw.record_a,
            "record_b": draw.record_b,
        }
        for pairing in comparison.pairings
        for draw in pairing.draws.itertuples()
    ]
    return TableFiles("compare", pages, rows, comparison_json(comparison, store))


def _page(comparison: ArmComparison, pairing: Pairing) -> ReportPage:
    table = pairing.table
    said = [(field, " ".join(text.split("\t"))) for field, text in facts(comparison, pairing)]
    beyond = [f"Not compared: {text}" for text in comparison.apart]
    grids = (
        text_grid("B − A", ("quantity", "value"), said[1:]),
        text_grid("Draw by draw", DRAW_HEADER, draw_rows(pairing)),
        text_grid("Recall per class, B − A", CLASS_HEADER, class_rows(pairing), 2),
    )
    return ReportPage(table.title, leaky=table.leaky, grids=grids, notes=(*notes(pairing), *beyond))


def comparison_json(comparison: ArmComparison, store: str | None) -> dict[str, object]:
    """Everything as plain values: fractions, B − A; null where there is no number."""
    return {
        "format": 1,
        "store": store,
        "a": comparison.a,
        "b": comparison.b,
        "difference": "B - A, as a fraction",
        "alpha": ALPHA,
        "fewest_draws": MIN_PAIRS,
        "conditions": [_condition_json(pairing) for pairing in comparison.pairings],
        "apart": list(comparison.apart),
    }


def _condition_json(pairing: Pairing) -> dict[str, object]:
    table, test = pairing.table, pairing.comparison.main
    higher, equal, lower = pairing.counts
    return {
        "title": table.title,
        "condition": asdict(table.condition),
        "leaky": table.leaky,
        "metric": pairing.score.key,
        "verdict": pairing.verdict,
        "finding": test.shown,
        "against_both_controls": {table.cell_label(g.cell): verdict_text(table, g) for g in pairing.judged},
        "n": pairing.n,
        "mean": test.summary.mean,
        "std": test.summary.std,
        "interval_95": test.interval,
        "median": median(test.differences),
        "in_fields": {f"delta_{key}": mean_json(mean) for key, mean in pairing.in_fields.items()},
        "b_higher": higher,
        "equal": equal,
        "a_higher": lower,
        "test": {"p": test.p, "p_corrected": test.p_corrected, "text": flip_text(pairing)},
        "draws": pairing.draws.to_dict("records"),
        "classes": [
            {"id": c, "name": name, "test_pixels": _pixels_tested(pairing, c), **mean_json(pairing.classes.get(c))}
            for c, name in enumerate(table.class_names, start=1)
        ],
        "notes": notes(pairing),
    }


def facts(comparison: ArmComparison, pairing: Pairing) -> Iterator[tuple[str, str]]:
    """(field, text) of one condition. Differences are in percentage points, B − A."""
    table, score, draws, test = pairing.table, pairing.score, pairing.draws, pairing.comparison.main
    interval, (higher, equal, lower) = test.interval, pairing.counts
    yield "condition", table.title
    if table.leaky:
        yield "LEAKY", "location alone answers for part of either score; see 'hsiaug report'"
    yield "A", f"{comparison.a}\t{score.name} {percent(draws.a.mean())}"
    yield "B", f"{comparison.b}\t{score.name} {percent(draws.b.mean())}"
    yield f"Δ{score.name} B − A", _points(test.summary)
    yield (
        "interval",
        f"{signed(interval[0])} to {signed(interval[1])}" if interval else f"{MISSING} (no end with these draws)",
    )
    yield "median Δ", signed(median(test.differences))
    for key, mean in pairing.in_fields.items():
        if key.startswith("aa_"):
            fewer = f" ({count(mean.n, 'draw')})" if mean.n < pairing.n else ""
            yield f"ΔAA in {key.rpartition('_')[2]} fields", f"{_points(mean)}{fewer}"
    seeds = draws_text(draws.seed)
    yield (
        "paired draws",
        f"{pairing.n} (seeds {seeds}): B higher in {higher}, equal in {equal}, A higher in {lower}",
    )
    yield "sign-flip test, two-sided", flip_text(pairing)
    for gain in pairing.judged:
        which = "both" if len(gain.against) == 2 else "all"
        text = f"{table.cell_label(gain.cell)}: {verdict_text(table, gain)}"
        yield f"against {which} controls, Δ{table.scores.main.name}", text
    yield "verdict", pairing.verdict


def _points(mean: MeanStd) -> str:
    return f"{signed(mean.mean)}{'' if mean.std is None else f' ± {percent(mean.std)}'} points"


def flip_text(pairing: Pairing) -> str:
    """p, or the sentence why these draws cannot give one below .05 and how many could."""
    test, n = pairing.comparison.main, pairing.n
    if test.p is None:
        return (
            f"not tested: n = {count(n, 'draw')} cannot reach .05, whatever the data say; at least {MIN_PAIRS} paired "
            "draws are needed"
        )
    more = (
        "" if test.p == test.p_corrected else f"; corrected for the arms of its table, {p_said(test.p_corrected)}"
    )
    p = f"{p_said(test.p)}{more} (n = {n})"
    zero = test.p_corrected is not None and test.p_corrected < ALPHA and prints_zero(test.mean)
    return f"{p}; but the mean prints as 0.0, so it claims nothing" if zero else p


def draw_rows(pairing: Pairing) -> list[tuple[str, ...]]:
    """A row of DRAW_HEADER for each paired draw, with as much of a hash as 'hsiaug show' needs."""
    return [
        (str(d.seed), percent(d.a), percent(d.b), signed(d.difference), d.record_a[:8], d.record_b[:8])
        for d in pairing.draws.itertuples()
    ]


def class_rows(pairing: Pairing) -> list[tuple[str, ...]]:
    """A row of CLASS_HEADER for each class, with or without test pixels."""
    rows: list[tuple[str, ...]] = []
    for class_id, name in enumerate(pairing.table.class_names, start=1):
        found = pairing.classes.get(class_id)
        tested = count_range(_pixels_tested(pairing, class_id))
        if found is None:
            rows.append((str(class_id), name, "not evaluable", MISSING, "0", tested))
        else:
            std = MISSING if found.std is None else percent(found.std)
            rows.append((str(class_id), name, signed(found.mean), std, str(found.n), tested))
    return rows


def _pixels_tested(pairing: Pairing, class_id: int) -> list[int]:
    """Test pixels of a class in each paired draw, as the audits count them."""
    return class_counts((b.audit for b, _ in pairing.comparison.pairs), "test_counts", class_id)


def notes(pairing: Pairing) -> list[str]:
    """Sentences on the trials that are missing, unequal or left out on this condition."""
    sentences = repeat_notes(pairing.table)
    paired = {trial.hash for pair in pairing.comparison.pairs for trial in pair}
    for name, cell in (("A", pairing.a), ("B", pairing.b)):
        if cell.failed:
            why = "; ".join(dict.fromkeys(why_failed({"error": trial.error}) for trial in cell.failed))
            sentences.append(f"{name} failed in {_seeds(cell.failed)}, which are not compared: {why}.")
        if cell.idle:
            sentences.append(f"{name} made nothing in {_seeds(cell.idle)}, which are not compared.")
        if alone := [trial.seed for trial in cell.ok if trial.hash not in paired and not trial.idle]:
            sentences.append(f"{name} has no partner on the same pixels for seeds {draws_text(alone)}.")
    steps = [(number_of(a, "steps"), number_of(b, "steps")) for b, a in pairing.comparison.pairs]
    unequal = [(int(a), int(b)) for a, b in steps if a is not None and b is not None and a != b]
    # Equal optimiser steps are the rule where it is the same classifier.
    if unequal and pairing.a.classifier == pairing.b.classifier:
        a, b = unequal[0]
        sentences.append(
            f"Unequal budget in {count(len(unequal), 'draw')}: {a:,} optimiser steps in A and {b:,} in B; a difference "
            "may be the longer training."
        )
    return sentences


def _seeds(trials: Sequence[Trial]) -> str:
    return f"{count(len(trials), 'trial')} (seeds {draws_text(trial.seed for trial in trials)})"
