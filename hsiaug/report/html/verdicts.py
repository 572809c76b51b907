"""The verdict in plain words: what each arm did against both controls, and on which classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hsiaug.metrics.significance import MIN_PAIRS, t_interval
from hsiaug.report.compare import Comparison, Gain, class_deltas
from hsiaug.report.html.markup import badge, details, escape, items, link
from hsiaug.report.html.place import Place
from hsiaug.report.html.tables import KINDS
from hsiaug.report.labels import count, p_text, percent, signed
from hsiaug.report.notes import significance_note
from hsiaug.report.tables import Table

__all__ = ["CLAIMS", "headline", "judged", "numbers_said", "summary"]

CLAIMS = {
    "helps": "helps",
    "above both, n.s.": "lies above both controls, but not significantly",
    "above both, untested": "lies above both controls, on too few draws to test",
    "not above duplicate": "does not help: repeating real samples does at least as well",
    "not above none": "does not help: training on the real samples alone does at least as well",
    "above neither": "does not help: it lies above neither control",
    "worse": "makes it worse than both controls",
    "no control": "cannot be judged: a control with the same classifier and a shared draw is missing",
}
"""Every word of ``compare.VERDICTS`` as the predicate of a sentence."""

SHOWN = 8
"""Sentences of one table that stand open; more are folded, but for those that help or harm."""


def judged(table: Table) -> list[Gain]:
    """What is to be judged: every arm but the controls, with every classifier."""
    return [gain for gain in table.gains.values() if not gain.cell.arm.control]


def headline(table: Table) -> str:
    """One sentence on all arms of a table, which counts verdicts and nothing else."""
    gains = judged(table)
    if not gains:
        return "Only controls were run, so there is nothing to judge yet."
    if not any(gain.cell.ok for gain in gains):
        return "No trial of a generator went well, so there is nothing to judge."
    counted = Counter(gain.verdict for gain in gains)
    whole = count(len(gains), "combination") + " of generator setting and classifier"
    rest = _counted(gains, without="helps")
    if counted["helps"]:
        named = ", ".join(_name(table, gain) for gain in gains if gain.verdict == "helps")
        verb = "helps" if counted["helps"] == 1 else "help"
        return f"{counted['helps']} of {whole} {verb}: {named}." + (f" The others: {rest}." if rest else "")
    if counted["above both, untested"] and not any(c.p is not None for c in table.comparisons):
        return f"Too few draws to say that anything helps (a test needs {MIN_PAIRS}). Of {whole}: {rest}."
    return f"Nothing here is shown to help. Of {whole}: {rest}."


def summary(place: Place) -> str:
    """Headline and sentences of a table, as HTML; what could be tested below."""
    table = place.table
    gains = judged(table)
    parts = [f'<p class="headline">{escape(headline(table))}</p>']
    if len(gains) <= SHOWN:
        parts.append(items(_told(place, gain) for gain in gains))
    else:
        clear = [_told(place, gain) for gain in gains if gain.verdict in ("helps", "worse")]
        parts += [items(clear) if clear else "", *_by_generator(place, gains)]
    notes = " ".join(significance_note(table)) if gains else ""
    return "\n".join([*parts, f'<p class="note">{escape(notes)}</p>'])


def _by_generator(place: Place, gains: Sequence[Gain]) -> Iterator[str]:
    """A folded list per generator, headed by the range of its mean gains: no combination is picked out."""
    for generator in dict.fromkeys(gain.cell.arm.generator for gain in gains):
        mine = [gain for gain in gains if gain.cell.arm.generator == generator]
        said = f"{place.table.labels[generator]}, {count(len(mine), 'combination')}: {_counted(mine)}"
        ranges = [
            f"{_range(found)} over {control}"
            for control, found in (
                ("duplicate", [gain.duplicate.main.mean for gain in mine if gain.duplicate]),
                ("none", [gain.none.main.mean for gain in mine if gain.none]),
            )
            if found
        ]
        if ranges:
            said += f"; mean Δ{place.table.scores.main.name} {', '.join(ranges)}"
        yield details(said, items(_told(place, gain) for gain in mine))


def _counted(gains: Sequence[Gain], without: str = "") -> str:
    """``3 “above neither”, 1 “worse”``."""
    counted = Counter(gain.verdict for gain in gains)
    return ", ".join(f"{n} “{word}”" for word, n in counted.most_common() if word != without)


def _range(fractions: Sequence[float]) -> str:
    low, high = signed(min(fractions)), signed(max(fractions))
    return low if low == high else f"{low} to {high}"


def _told(place: Place, gain: Gain) -> str:
    mark = badge(gain.verdict, KINDS.get(gain.verdict, ""))
    name = link(_name(place.table, gain), place.cell_id(gain.cell))
    numbers = escape(numbers_said(place.table, gain))
    return f"<strong>{name}</strong> {escape(CLAIMS[gain.verdict])}. {mark}<p>{numbers}</p>"


def numbers_said(table: Table, gain: Gain) -> str:
    """The size of a gain over either control, what is known of it, and its best and worst class; may be empty."""
    told = []
    deltas = [
        _delta(table, comparison, name)
        for name, comparison in (("duplicate", gain.duplicate), ("none", gain.none))
        if comparison is not None
    ]
    if deltas:
        told.append(f"It {', and '.join(deltas)}.")
    return " ".join([*told, *_classes(table, gain)])


def _name(table: Table, gain: Gain) -> str:
    return f"{table.arm_label(gain.cell.arm)} with {table.labels[gain.cell.classifier]}"


def _delta(table: Table, comparison: Comparison, control: str) -> str:
    """``raises AA by 3.1 ± 0.9 points over duplicate on 10 draws (95 % interval +2.4 to +3.8, Holm p = .004)``."""
    main, name = comparison.main, table.scores.main.name
    size = percent(abs(main.mean)) + (f"\u00a0±\u00a0{percent(main.std)}" if main.std is not None else "")
    if comparison.direction == 0:
        moved = f"leaves {name} where {control} has it"
    else:
        verb, side = ("raises", "over") if comparison.direction > 0 else ("lowers", "under")
        moved = f"{verb} {name} by {size} points {side} {control}"
    interval = t_interval(comparison.d_main)
    said = [f"95\u00a0% interval {signed(interval[0])} to {signed(interval[1])}"] if interval else []
    said.append(_test(comparison))
    return f"{moved} on {count(len(comparison.pairs), 'draw')} ({', '.join(said)})"


def _test(comparison: Comparison) -> str:
    if comparison.p_holm is None:
        return "too few draws to test"
    p = p_text(comparison.p_holm)
    return f"Holm p\u00a0{'<' if p.startswith('<') else '='}\u00a0{p.removeprefix('<')}"


def _classes(table: Table, gain: Gain) -> list[str]:
    """A sentence on the classes with the largest gain and loss against duplicate; none for fewer than two classes."""
    comparison = gain.duplicate or gain.none
    deltas = class_deltas(comparison, len(table.class_names)) if comparison else {}
    if len(deltas) < 2:
        return []
    control = "duplicate" if gain.duplicate else "none"
    best = max(deltas, key=lambda c: deltas[c].mean)
    worst = min(deltas, key=lambda c: deltas[c].mean)
    named = [f"{table.class_names[c - 1]} ({signed(deltas[c].mean)})" for c in (best, worst)]
    return [f"Recall against {control}: most on {named[0]}, least on {named[1]}."]
