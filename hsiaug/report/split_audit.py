"""The audit of a table's draws: pixels and samples, who read unlabelled pixels, whether location
alone answers, what is reached without a spectrum, and which classes have enough test pixels.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from hsiaug.protocol.balance import Rate
from hsiaug.protocol.large_classes import MIN_TEST_PIXELS
from hsiaug.report.cells import ArmCell, Audit
from hsiaug.report.formatting import MISSING, count_range, plus_minus, seeds_text, span
from hsiaug.report.tables import ReportTable
from hsiaug.report.text_templates import labelled, sentences
from hsiaug.trial.arm import NONE, with_words

MOST_RATES = 3
"""Rates of which the opening tells how many samples they made; the audit has all."""


def audit_lines(table: ReportTable, where: str) -> list[tuple[str, str]]:
    """(label, sentence) pairs on costs and leaks of a table's draws.

    Parameters
    ----------
    where : str
        What the user types for the store.
    """
    audits = [audit for audit in table.splits.values() if audit.get("seen_counts") is not None]
    shares = [100 * sum(audit["seen_counts"]) / max(1, int(audit["n_test"])) for audit in audits]
    return labelled(
        "audit.txt",
        table=table,
        seeds=[seed for seed, _ in table.splits],
        leaky=[seed for (seed, _), audit in table.splits.items() if audit.get("leaky")],
        users=users_of_unlabelled(table),
        mean=partial(audit_mean, table),
        seen=span(shares) if shares else "",
        classes=partial(_classes, table),
        fewest=MIN_TEST_PIXELS,
        notes=_by_split(table, "notes"),
        made=list(_synthetic(table)),
        blind=_blind(table),
        blind_controls=[name for name, one in table.known_controls.items() if one.blind],
        words=partial(with_words, known=table.known_controls),
        kinds=Counter(table.trials.values("status")),
        where=where,
    )


def short_audit(tables: Sequence[ReportTable]) -> list[str]:
    """Whether the splits of tables leak, and what is reached without any spectrum."""
    audits = [audit for table in tables for audit in table.splits.values()]
    overlaps = [float(audit.get("centre_overlap_percent") or 0) for audit in audits]
    reached: dict[str, list[str]] = {}
    for table in tables:
        for cell in _blind(table):
            what = table.known_controls[cell.classifier.name].text or "no spectrum"
            short = table.scores.main.short
            name = f"{what} ({table.labels[cell.classifier]}) reaches {short}"
            reached.setdefault(name, []).append(plus_minus(cell.summary(table.scores.main.key)))
    leaky = any(table.leaky for table in tables)
    return sentences("short_audit.txt", overlaps=overlaps, leaky=leaky, reached=reached)


def opening(table: ReportTable) -> tuple[str, ...]:
    """What was run: pixels and draws, and the samples that each λ and M made."""
    return tuple(
        sentences(
            "opening.txt",
            table=table,
            mean=partial(audit_mean, table),
            unit=table.scores.unit,
            omegas=sorted({arm.omega for arm in table.arms if arm.omega is not None}),
            made=[(rate.words, synthetic, real) for rate, synthetic, real in _synthetic(table)][
                :MOST_RATES
            ],
        )
    )


def users_of_unlabelled(table: ReportTable) -> dict[str, list[str]]:
    """Who learned from unlabelled pixels: scope → labels of generators and classifiers."""
    users: dict[str, set[str]] = {}
    for cell in table.every_cell.values():
        for scopes in cell.trials.unlike("scope"):
            for role, method in (
                ("generator", cell.arm.generator),
                ("classifier", cell.classifier),
            ):
                scope = (scopes or {}).get(role)
                if scope and scope != "none":
                    users.setdefault(scope, set()).add(table.labels[method])
    return {scope: sorted(users[scope]) for scope in sorted(users)}


def audit_mean(table: ReportTable, key: str, digits: int = 0) -> str:
    """A number of the audits: its mean, and the range over the splits where it differs."""
    values = [float(audit[key]) for audit in table.splits.values() if audit.get(key) is not None]
    return span(values, digits) if values else MISSING


def _classes(table: ReportTable, key: str) -> str:
    """The classes whose ids the audits list under a key, with the seeds where not all of them
    do.
    """
    names = dict(enumerate(table.class_names, start=1))
    found = sorted(_by_split(table, key).items())
    return ", ".join(
        f"{names.get(class_id, f'class {class_id}')}{seeds}" for class_id, seeds in found
    )


def _by_split(table: ReportTable, key: str) -> dict[Any, str]:
    """Return {entry of the audits: ``" (seeds 0, 3)"`` if only some of those that tell list it,
    else ``""``}.
    """
    listing = [
        (seed, audit)
        for (seed, _), audit in table.splits.items()
        if key in audit or not key.startswith("no_")
    ]
    seeds: dict[Any, list[int]] = {}
    for seed, audit in listing:
        for entry in dict.fromkeys(_entries(audit, key)):
            seeds.setdefault(entry, []).append(seed)
    return {
        entry: "" if len(where) == len(listing) else f" ({seeds_text(where)})"
        for entry, where in seeds.items()
    }


def _entries(audit: Audit, key: str) -> Iterable[Any]:
    """What an audit lists under a key. Thin classes are counted again: older records list those
    below another number.
    """
    if key == "thin_classes" and audit.get("test_counts"):
        return [c for c, n in enumerate(audit["test_counts"], start=1) if 0 < n < MIN_TEST_PIXELS]
    return audit.get(key) or ()


def _synthetic(table: ReportTable) -> Iterator[tuple[Rate, str, str]]:
    """Samples that every λ made, and real ones beside them: the same for all generators of a
    draw.
    """
    cells = [cell for cell in table.every_cell.values() if cell.arm == cell.arm.both]
    for rate in sorted({arm.rate for arm, _ in table.every_cell if arm.rate}):
        of_rate = [cell.trials for cell in cells if cell.arm.rate == rate]
        real, made = ([n for t in of_rate for n in t.sums(key)] for key in ("real", "synthetic"))
        if real:
            yield rate, span(made, 0), span(real, 0)


def _blind(table: ReportTable) -> list[ArmCell]:
    """The control classifiers without a generator."""
    return [cell for cell in table.blind if cell.arm.generator.name == NONE and cell.ok]


# Classes with few test pixels


def left_out_classes(table: ReportTable) -> str:
    """Which classes the main score is over, and by name those that it leaves out; empty where it is
    over all.
    """
    names = small_classes(table)
    if not table.large:
        return ""
    score = table.scores.main.short
    about = {
        "score": score,
        "classes": len(table.large),
        "fewest": MIN_TEST_PIXELS,
        "untested": untested_classes(table),
    }
    return "".join(sentences("small_classes.txt", small=names, **about))


def small_classes(table: ReportTable) -> list[str]:
    """Names of the classes with test pixels that the main score leaves out; none where it is over
    all.
    """
    if not table.large:
        return []
    untested = untested_classes(table)
    names = enumerate(table.class_names, start=1)
    return [name for i, name in names if i not in table.large and name not in untested]


def untested_classes(table: ReportTable) -> list[str]:
    """Names of the classes that no draw has a test pixel of: they are in no count of classes."""
    counts = [audit.get("test_counts") or () for audit in table.splits.values()]
    tested = {i for numbers in counts for i, number in enumerate(numbers) if number}
    return [name for i, name in enumerate(table.class_names) if tested and i not in tested]


def few_in_fields(table: ReportTable) -> dict[str, dict[str, str]]:
    """Of seen and of new fields, the classes that have test pixels there in some draw, but fewer
    than MIN_TEST_PIXELS: by name, how many.
    """
    few: dict[str, dict[str, str]] = {}
    for part in ("seen", "new") if table.scores.fields else ():
        draws = [audit.get(f"{part}_counts") or () for audit in table.splits.values()]
        for i, name in enumerate(table.class_names):
            counts = [numbers[i] for numbers in draws if len(numbers) > i and numbers[i]]
            if counts and min(counts) < MIN_TEST_PIXELS:
                few.setdefault(part, {})[name] = count_range(counts)
    return few
