"""``hsiaug compare``: two configurations on every condition that both were run on, what may be
claimed of them, and the tables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pandas import DataFrame

from hsiaug.base.errors import InputError, check_known, did_you_mean
from hsiaug.metrics.significance import MIN_PAIRS, TINY, MeanStd, mean_std
from hsiaug.report.audit import class_range
from hsiaug.report.formatting import (
    count,
    difference_text,
    ends_text,
    key_labels,
    p_said,
    percent,
    plus_minus,
    seeds_text,
    signed,
    tagged,
)
from hsiaug.report.gains import ArmCell, Gain, between, summarise
from hsiaug.report.output_files import TableFiles
from hsiaug.report.section import Frame, Section
from hsiaug.report.tables import WITHOUT, Report, ReportTable
from hsiaug.report.trials import CellKey, in_order, rows_of
from hsiaug.report.words import FEW_SPLITS
from hsiaug.tasks.scores import AA_LARGE, Metric
from hsiaug.trial.arm import ALONE, NONE
from hsiaug.trial.record_json import EMPTY, why_failed

FORM = "GENERATOR[@λ[xM][@ω]]/CLASSIFIER"
"""How a configuration is typed, as in ``txt2hsi@1x3@2/cnn2d``."""
PRINTED = re.compile(
    r"(?P<generator>.+?)"
    r"(?: λ ?= ?(?P<lam>[\d.]+))?,?(?: M ?= ?(?P<times>[\d.]+))?,?(?: ω ?= ?(?P<omega>[\d.]+))?"
    r"(?: with |, )(?P<classifier>[^,]+)"
)
"""A configuration as tables write it: ``txt2hsi λ=1 M=3 ω=2 with cnn2d``."""
SCORE_HEADER = ("score", "A", "B", "B − A", "95 % interval")
SPLIT_HEADER = ("seed", "A", "B", "B − A", "record A", "record B")
CLASS_HEADER = ("class", "B − A", "splits", "test pixels")


class Pairing(NamedTuple):
    """Configurations A and B on one condition.

    Attributes
    ----------
    score : Metric
        That is compared.
    gain : Gain
        B over A, with the p that the report's table has of the two; where it has none, the pair
        joins those of all configurations over ``none``.
    """

    table: ReportTable
    score: Metric
    gain: Gain

    @property
    def sides(self) -> tuple[tuple[ArmCell, NDArray[np.intp]], ...]:
        """The trials of A and of B, and the places of the shared splits among the good ones."""
        assert self.gain.control_cell is not None
        return (
            (self.gain.control_cell, self.gain.control_places),
            (self.gain.cell, self.gain.arm_places),
        )


@dataclass(frozen=True)
class Comparison:
    """A against B.

    Attributes
    ----------
    a, b : str
        Their names.
    apart : tuple of str
        Sentences on conditions that cannot be compared.
    """

    a: str
    b: str
    pairings: tuple[Pairing, ...]
    apart: tuple[str, ...]


def compare_configurations(
    report: Report, a: str, b: str, *, metric: str | None = None
) -> Comparison:
    """A and B on every condition with a split in common; on each, p is corrected for the
    configurations of the report's table.

    Parameters
    ----------
    a, b : str
        As :func:`find_configuration` reads them.
    metric : str or None
        Its key in a record; the main one of each task without it.

    Raises
    ------
    InputError
        For configurations and metrics that are not there, for twice the same configuration, and
        where no split is shared.
    """
    keys = [key for table in report.tables for key in table.every_cell]
    if not keys:
        hint = "Run 'hsiaug benchmark … --store DIR' first, or name another folder."
        raise InputError(f"{report.where} must hold records", value="none", hint=hint)
    key_a = find_configuration(a, "A", keys)
    key_b = find_configuration(b, "B", keys)
    names = configuration_names(keys)
    if key_a == key_b:
        raise InputError(
            "A and B must be two configurations",
            value=f"{names[key_a]} twice",
            hint="Name another one as B.",
        )
    pairings = []
    apart = []
    for table in report.tables:
        cells = table.every_cell
        if key_a in cells and key_b in cells:
            pairing = _pairing(table, cells[key_a], cells[key_b], metric)
            if pairing.gain.draws:
                pairings.append(pairing)
            else:
                apart.append(f"{table.title}: A and B share no split ({'; '.join(notes(pairing))})")
        elif key_a in cells or key_b in cells:
            apart.append(f"{table.title}: only {'A' if key_a in cells else 'B'} was run")
    if not pairings:
        rule = f"A and B must share a split in which both give {metric or 'the main metric'}"
        hint = "Run both on the same scene, protocol and patch with the same `seeds`."
        raise InputError(rule, value="; ".join(apart), hint=hint)
    return Comparison(names[key_a], names[key_b], tuple(pairings), tuple(apart))


def _pairing(table: ReportTable, a: ArmCell, b: ArmCell, metric: str | None) -> Pairing:
    known = {score.key: score for score in table.metrics}
    if "aa" in known:
        # As in the report's tables: AA leaves small classes out where there are any.
        known |= {"aa": known.get(AA_LARGE, known["aa"]), "aa_all": known["aa"]}
    if metric is not None:
        check_known(f"`metric` must be one that {table.title} has", metric, known)
    score = table.scores.main if metric is None else known[metric]
    scores = replace(table.scores, main=score)
    return Pairing(
        table,
        score,
        between(table.complete.cells, scores, arm=b, control=a, smallest=table.smallest),
    )


def configuration_names(keys: Iterable[CellKey]) -> dict[CellKey, str]:
    """A text for each key that `find_configuration` takes back to it.

    Where several versions or settings share a name, the text holds what differs, as the report's
    tables do: ``smote k=3@1/svm``.
    """
    listed = in_order(set(keys))
    labels = key_labels(listed)
    names = {}
    for arm, classifier in listed:
        lam = "" if arm.generator.name == NONE and not arm.rate else f"@{arm.rate}"
        omega = "" if arm.omega is None else f"@{arm.omega:g}"
        names[arm, classifier] = f"{labels[arm.generator]}{lam}{omega}/{labels[classifier]}"
    return names


def find_configuration(text: str, role: str, keys: Iterable[CellKey]) -> CellKey:
    """The one key that the text fits.

    Parameters
    ----------
    text : str
        Names, with λ, ω and settings (``smote k=3/svm``) where several fit; a name of
        :func:`configuration_names`; one that a table prints (``smote λ=1 M=3 with svm``); or a
        generator or a classifier without samples alone (``teacher``), where one fits.
    role : str
        A or B, for messages.

    Raises
    ------
    InputError
        With the names that are near, where no key or several fit.
    """
    names = configuration_names(keys)
    text = _address(text)
    found = [key for key, name in names.items() if name == text] or _fitting(text, names)
    if len(found) == 1:
        return found[0]
    if found:
        fitting = f"{text!r}, which fits {len(found)}: {', '.join(names[key] for key in found)}"
        hint = "Type one of them, in quotes where it has a space."
        raise InputError(f"{role} must name one configuration", value=fitting, hint=hint)
    plain = re.sub("@[^/]*", "", text)
    alike = [names[key] for key in _fitting(plain, names)]
    known = {
        f"{arm.generator.name}{'' if arm == arm.both else ALONE}/{by.name}" for arm, by in names
    }
    hint = f"There are {', '.join(alike)}." if alike else did_you_mean(plain, known)
    raise InputError(
        f"{role} must be a configuration of the store, {FORM}", value=repr(text), hint=hint
    )


def _address(text: str) -> str:
    """What a table prints of a configuration, as it is typed; any other text stays as it is."""
    if text.endswith(WITHOUT):
        return f"none/{text.removesuffix(WITHOUT)}"
    printed = None if "/" in text else PRINTED.fullmatch(text)
    if printed is None:
        return text
    times = f"x{printed['times']}" if printed["times"] else ""
    rate = f"@{printed['lam']}{times}" if printed["lam"] else ""
    omega = f"@{printed['omega']}" if printed["omega"] else ""
    return f"{printed['generator']}{rate}{omega}/{printed['classifier']}"


def _fitting(text: str, keys: Iterable[CellKey]) -> list[CellKey]:
    """The keys that names fit, and λ, M and ω where they are given. Without a ``/`` the text names
    a classifier without samples, or a generator with any classifier.
    """
    listed = list(keys)
    labels = key_labels(listed)
    before, slash, by = text.partition("/")
    generator, _, numbers = before.partition("@")
    rate, _, omega = numbers.partition("@")
    return [
        (arm, classifier)
        for arm, classifier in listed
        if (not slash and arm.generator.name == NONE and _names(text, labels[classifier]))
        or (
            _names(generator, labels[arm.generator])
            and (arm == arm.both) == (not generator.endswith(ALONE))
            and (not slash or _names(by, labels[classifier]))
            # M may be left out.
            and _plain(rate) in ("", f"{arm.rate.lam:g}", f"{arm.rate.lam:g}x{arm.rate.times:g}")
            and _plain(omega) in ("", "" if arm.omega is None else f"{arm.omega:g}")
        )
    ]


def _names(text: str, label: str) -> bool:
    """True where the text is the label's name, alone or with some of the settings that the label
    holds.
    """
    words = text.split()
    return words[:1] == label.split()[:1] and set(words) <= set(label.split())


def _plain(numbers: str) -> str:
    """``1.0x3`` as this module writes it; what is no number stays as it is."""
    try:
        return numbers and "x".join(f"{float(number):g}" for number in numbers.split("x", 1))
    except ValueError:
        return numbers


def comparison_tables(comparison: Comparison, store: str) -> TableFiles:
    """A page per condition; rows: one per paired split, in fractions as recorded; value: these, and
    what they show.
    """
    rows: list[dict[str, Any]] = []
    shown: list[dict[str, Any]] = []
    pages = []
    for pairing in comparison.pairings:
        splits, main = _splits(pairing), pairing.gain.main
        about = {
            key: getattr(pairing.table.condition, key)
            for key in ("scene", "protocol", "argument", "patch")
        }
        about |= {"metric": pairing.score.key, "arm_a": comparison.a, "arm_b": comparison.b}
        rows += ({**about, **one} for one in splits.to_dict("records"))
        summary = mean_std(main.differences)._asdict()
        tested = {"p": main.p, "p_corrected": main.p_corrected, "interval_95": main.interval}
        shown.append({**about, "shown": main.word, **summary, **tested})
        pages.append(_page(comparison, pairing, splits))
    value = {
        "format": 3,
        "store": store,
        "conditions": shown,
        "draws": rows,
        "apart": list(comparison.apart),
    }
    return TableFiles("compare", pages, rows, value)


def _splits(pairing: Pairing) -> DataFrame:
    """A row per paired split: seed, scores ``a`` and ``b``, ``difference`` and the hashes of the
    records.

    What is no more than rounding is no difference.
    """
    (a, places_a), (b, places_b) = pairing.sides
    key = pairing.score.key
    columns = {
        "seed": a.ok["seed"].to_numpy()[places_a],
        "a": a.column(key)[places_a],
        "b": b.column(key)[places_b],
        "difference": [d if abs(d) > TINY else 0.0 for d in pairing.gain.main.differences],
        "record_a": a.ok["hash"].to_numpy()[places_a],
        "record_b": b.ok["hash"].to_numpy()[places_b],
    }
    return DataFrame(columns)


def _page(comparison: Comparison, pairing: Pairing, splits: DataFrame) -> Section:
    """Every score of both configurations, split by split, and by class; differences are in points,
    B − A.

    Parameters
    ----------
    splits : DataFrame
        As of :func:`_splits`.
    """
    table, gain = pairing.table, pairing.gain
    scores = [
        (
            score.name,
            *(plus_minus(summarise(cell.column(score.key)[at])) for cell, at in pairing.sides),
            _points(gain.delta(score.key)),
            ends_text(gain.main.ends if score == pairing.score else None),
        )
        for score in dict.fromkeys((pairing.score, *table.brief))
    ]
    # As much of a hash as ``hsiaug report --trial`` needs.
    of_splits = [
        (str(seed), percent(a), percent(b), signed(difference), record_a[:8], record_b[:8])
        for seed, a, b, difference, record_a, record_b in splits.itertuples(index=False)
    ]
    audits = gain.cell.ok["audit"].iloc[gain.arm_places]
    frames = [
        _frame(f"Scores in %, {count(gain.draws, 'paired split')}", SCORE_HEADER, scores),
        _frame(f"{pairing.score.name}, split by split", SPLIT_HEADER, of_splits),
    ]
    for metric in table.class_metrics:
        deltas = gain.class_deltas(metric.key, len(table.class_names))
        rows = [
            (
                f"{c} {name}",
                _points(delta := deltas.get(c)),
                str(delta.n if delta else 0),
                class_range(audits, "test_counts", c),
            )
            for c, name in enumerate(table.class_names, start=1)
        ]
        frames.append(_frame(metric.of_each_class, CLASS_HEADER, rows))
    return Section(
        tagged(f"A = {comparison.a}, B = {comparison.b}: {table.title}", table.leaky),
        frames=tuple(frames),
        closing=tuple(_found(comparison, pairing)),
    )


def _frame(heading: str, header: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Frame:
    return Frame(heading, DataFrame(rows, columns=list(header)).set_index(header[0]))


def _points(mean: MeanStd | None) -> str:
    if mean is None or mean.std is None:
        return signed(mean and mean.mean)
    return f"{signed(mean.mean)} ± {percent(mean.std)}"


def _found(comparison: Comparison, pairing: Pairing) -> Iterator[str]:
    """What is found, and what is not compared."""
    main, family = pairing.gain.main, pairing.gain.family
    of = f", corrected for {count(main.family, 'comparison')} {family}" if main.family > 1 else ""
    tested = "" if main.p_corrected is None else f" ({p_said(main.p_corrected)}{of})"
    yield f"B minus A, {pairing.score.name}: {difference_text(main).strip()} {main.word}{tested}"
    if len(main.differences) < MIN_PAIRS:
        yield FEW_SPLITS.format(n=count(len(main.differences), "split"), least=MIN_PAIRS)
    for text in (*notes(pairing), *comparison.apart):
        yield f"Not compared: {text}"


def notes(pairing: Pairing) -> Iterator[str]:
    """Yield the trials that are not compared on this condition, and why: ``A, seed 3: nothing
    made``.
    """
    for name, (cell, paired) in zip("AB", pairing.sides, strict=True):
        compared = cell.ok["hash"].iloc[paired]
        left = cell.trials[~cell.trials["hash"].isin(compared)]
        # Of several seeds of one split the first is compared.
        left = left[left["failed"] | left["idle"] | left["used"]]
        seeds: dict[str, list[int]] = {}
        for trial in rows_of(left):
            why = "nothing made" if trial.status == EMPTY else "no partner on the same pixels"
            if trial.status == "failed":
                why = why_failed({"error": trial.error})
            seeds.setdefault(why, []).append(trial.seed)
        yield from (f"{name}, {seeds_text(of_why)}: {why}" for why, of_why in seeds.items())
