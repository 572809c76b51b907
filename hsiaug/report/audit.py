"""What is known of a table beside its scores: its splits, who learns from test pixels, which
classes are left out, the samples that were made, and what failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from hsiaug.base.text import in_runs
from hsiaug.core.view_names import AUTO
from hsiaug.protocol.audit import MIN_TEST_PIXELS
from hsiaug.protocol.balance import Rate
from hsiaug.report import words
from hsiaug.report.formatting import (
    MISSING,
    count,
    count_range,
    join_words,
    plus_minus,
    seeds_text,
    span,
)
from hsiaug.report.gains import ArmCell, Audit, counts_of_class
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import DrawKey, unlike
from hsiaug.trial.arm import NONE, with_words
from hsiaug.trial.record import Damage
from hsiaug.trial.record_json import error_kind, why_failed

MOST_DAMAGED = 20
"""Damaged records that a sentence names; JSON has all of them."""
Counts = Sequence[int]
"""A number for each class."""
COUNTED_AGAIN = "these count a training pixel once in each tile that holds it"
"""Said of masks: tiles overlap."""


# What failed


def damage_words(damaged: Sequence[Damage]) -> str:
    """Damaged records and what is wrong with them, on one line."""
    named = [str(one) for one in damaged[:MOST_DAMAGED]]
    if (rest := len(damaged) - MOST_DAMAGED) > 0:
        named.append(f"and {rest:,} more")
    return "; ".join(named)


def errors_of(table: ReportTable) -> list[tuple[str, str, int, str]]:
    """(error, configurations with seeds, trials, a hash) of each error, the most frequent first."""
    failed = table.failed.sort_values(["seed", "hash"], kind="stable")
    groups: dict[Any, list[int]] = {}
    for place, error in enumerate(failed["error"]):
        groups.setdefault(error_kind({"error": error}), []).append(place)
    found = []
    for places in groups.values():
        trials = failed.iloc[places]
        seeds: dict[str, list[int]] = {}
        for arm, by, seed in zip(trials["arm"], trials["classifier"], trials["seed"], strict=True):
            seeds.setdefault(table.cell_words(table.every_cell[arm, by]), []).append(seed)
        where = ", ".join(f"{name} ({seeds_text(of)})" for name, of in seeds.items())
        first = trials.iloc[0]
        found.append((why_failed({"error": first["error"]}), where, len(trials), first["hash"]))
    return sorted(found, key=lambda one: (-one[2], one[0]))


# Splits


def audit_facts(table: ReportTable) -> list[tuple[str, str]]:
    """(label, sentence) pairs on costs and leaks of a table's splits."""
    condition = table.condition
    seeds = [seed for seed, _ in table.splits]
    if not seeds:
        return [("protocol", f"{condition.protocol_text}; no trial got as far as a split")]
    part = f"{condition.patch}×{condition.patch} training {table.scores.part}"
    leaky = [seed for (seed, _), audit in table.splits.items() if audit.get("leaky")]
    repeated = "; ".join(f"{seeds_text(same)} drew the same" for same in table.repeated)
    facts = {
        "protocol": f"{condition.protocol_text}, buffer {condition.buffer}",
        "splits": f"{len(seeds)} (seeds {in_runs(seeds)}){'; ' * bool(repeated)}{repeated}",
        "LEAKY": seeds_text(leaky) if leaky else "",
        "training pixels": audit_mean(table, "n_train"),
        "test pixels": audit_mean(table, "n_test"),
        "left out": audit_mean(table, "n_buffered"),
        "overlap": f"{audit_mean(table, 'centre_overlap_percent', 1)} % of test pixels are in a"
        f" {part}",
        "test pixels in fields with training pixels": _seen_share(table),
        "classes without test pixels": join_words(untested_classes(table)),
        f"classes with fewer than {MIN_TEST_PIXELS} test pixels": join_words(small_classes(table)),
        "classes without training pixels": ", ".join(
            f"{name} ({seeds_text(of)})" for name, of in untrained_classes(table).items()
        ),
        "reads all pixels": join_words(users_of_unlabelled(table).get("scene", [])),
        "spectral views that splits chose": ", ".join(
            f"{name} in {count(n, 'split')}" for name, n in chosen_views(table)
        ),
        "synthetic samples": "; ".join(
            f"{rate.words}: {made} with {real} real" for rate, made, real in samples_made(table)
        ),
        "trials": ", ".join(
            f"{n} {status}" for status, n in Counter(table.trials["status"]).most_common()
        ),
    }
    for cell in blind_cells(table):
        scores = (table.scores.second, table.scores.main, *table.brief_fields)
        said = ", ".join(f"{s.name} {plus_minus(cell.summary(s.key))}" for s in scores)
        facts[with_words(cell.classifier.name, table.known_controls)] = said
    facts |= {f"note {n}": note for n, note in enumerate(_notes(table), start=1)}
    return [(label, said) for label, said in facts.items() if said and said != MISSING]


def _seen_share(table: ReportTable) -> str:
    audits = [audit for audit in table.splits.values() if audit.get("seen_counts") is not None]
    shares = [100 * sum(audit["seen_counts"]) / max(1, int(audit["n_test"])) for audit in audits]
    return f"{span(shares)} %" if shares else ""


def _notes(table: ReportTable) -> list[str]:
    """What the audits note, with the seeds where not all of them do."""
    seeds: dict[str, list[int]] = {}
    for (seed, _), audit in table.splits.items():
        for note in audit.get("notes") or ():
            seeds.setdefault(str(note), []).append(seed)
    whole = len(table.splits)
    return [note + f" ({seeds_text(of)})" * (len(of) < whole) for note, of in seeds.items()]


def audit_mean(table: ReportTable, key: str, digits: int = 0) -> str:
    """A number of the audits: its mean, and the range over the splits where it differs."""
    values = [float(audit[key]) for audit in table.splits.values() if audit.get(key) is not None]
    return span(values, digits) if values else MISSING


def chosen_views(table: ReportTable) -> list[tuple[str, int]]:
    """Spectral views that splits chose by themselves, the most frequent first."""
    view_of_draw: dict[DrawKey, str] = {}
    for cell in table.every_cell.values():
        if cell.classifier.view == AUTO:
            shown = cell.trials.loc[cell.trials["ok"], ["draw", "view_shown"]]
            view_of_draw |= zip(shown["draw"], shown["view_shown"].map(str), strict=True)
    return Counter(view_of_draw.values()).most_common()


# Who learns from what


def users_of_unlabelled(
    table: ReportTable, cells: Iterable[ArmCell] | None = None
) -> dict[str, list[str]]:
    """Who learned from unlabelled pixels: scope → labels of generators and classifiers.

    Parameters
    ----------
    cells : iterable of ArmCell or None
        Those that are asked about; None: all of the table.
    """
    users: dict[str, set[str]] = {}
    for cell in table.every_cell.values() if cells is None else cells:
        for scopes in unlike(cell.trials["scope"]):
            for role, method in (
                ("generator", cell.arm.generator),
                ("classifier", cell.classifier),
            ):
                scope = (scopes or {}).get(role)
                if scope and scope != "none":
                    users.setdefault(scope, set()).add(table.labels[method])
    return {scope: sorted(users[scope]) for scope in sorted(users)}


def transductive_words(table: ReportTable) -> str:
    """Who learns from test pixels too; empty where nobody does."""
    users = users_of_unlabelled(table).get("scene", [])
    return words.TRANSDUCTIVE.format(names=join_words(users)) if users else ""


def blind_cells(table: ReportTable) -> list[ArmCell]:
    """The classifiers that read no spectrum, without a generator."""
    blind = table.complete.blind
    return [cell for cell in blind if cell.arm.generator.name == NONE and len(cell.ok)]


# Classes


def untrained_classes(table: ReportTable) -> dict[str, list[int]]:
    """The classes of the main score that have test pixels but no training pixel in some splits, by
    name with the seeds of these.
    """
    seeds: dict[str, list[int]] = {}
    named = dict(enumerate(table.class_names, start=1))
    for (seed, _), audit in table.splits.items():
        counts = zip(audit.get("train_counts") or (), audit.get("test_counts") or (), strict=False)
        for class_id, (trained, tested) in enumerate(counts, start=1):
            if tested and not trained and class_id in (table.large or [class_id]):
                seeds.setdefault(named.get(class_id, f"class {class_id}"), []).append(seed)
    return seeds


def tested_in(audit: Audit | None) -> int:
    """How many classes have test pixels in a split."""
    return sum(map(bool, (audit or {}).get("test_counts") or ()))


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
    """Names of the classes that no split has a test pixel of: they are in no count of classes."""
    counts = [audit.get("test_counts") or () for audit in table.splits.values()]
    tested = {i for numbers in counts for i, number in enumerate(numbers) if number}
    return [name for i, name in enumerate(table.class_names) if tested and i not in tested]


# Synthetic samples


class Made(NamedTuple):
    """Samples that a λ and M made, and real ones with them.

    Attributes
    ----------
    generators : tuple of str
        Which made these, as tables call them; empty where all made as many.
    synthetic, real : list of sequence of int
        The number of each class in each split.
    """

    rate: Rate
    generators: tuple[str, ...]
    synthetic: list[Counts]
    real: list[Counts]


def samples_made(table: ReportTable) -> Iterator[tuple[Rate, str, str]]:
    """How many samples every λ and M made, and how many real ones are with them, in words."""
    for rate, of_rate in groupby(class_samples(table), key=attrgetter("rate")):
        groups = [*of_rate]
        made = [span([*map(sum, one.synthetic)], 0) for one in groups]
        of = [f" of {join_words(one.generators)}" if one.generators else "" for one in groups]
        numbers = [number + names for number, names in zip(made, of, strict=True)]
        real = max((one.real for one in groups), key=len)
        yield rate, join_words(numbers), span([*map(sum, real)], 0)


def class_samples(table: ReportTable) -> Iterator[Made]:
    """Samples of each class that every λ and M made in each split: those of the generators that
    were asked for, which of masks and pairs make different numbers, and of controls where nothing
    else ran.
    """
    cells = [cell for cell in table.every_cell.values() if cell.arm == cell.arm.both]
    real_of = _by_draw(cells, "real")
    for rate in sorted({arm.rate for arm, _ in table.every_cell if arm.rate}):
        of_rate = [cell for cell in cells if cell.arm.rate == rate]
        asked = [cell for cell in of_rate if cell.arm.judged and not cell.is_control]
        groups = list[tuple[list[str], dict[DrawKey, Counts]]]()
        for cell in asked or of_rate:
            made = _by_draw([cell], "synthetic")
            name = table.labels[cell.arm.generator]
            for names, known in groups:
                if all(made[draw] == known[draw] for draw in made.keys() & known.keys()):
                    names.append(name)
                    known |= made
                    break
            else:
                groups.append(([name], made))
        for names, known in groups:
            of = tuple(dict.fromkeys(names)) if len(groups) > 1 else ()
            if real := [counts for draw, counts in real_of.items() if draw in known]:
                yield Made(rate, of, [*known.values()], real)


def _by_draw(cells: Iterable[ArmCell], key: str) -> dict[DrawKey, Counts]:
    """Samples of each class, ``real`` or ``synthetic``, by split."""
    return {
        draw: counts
        for cell in cells
        for draw, counts in zip(cell.trials["draw"], cell.trials[key], strict=True)
        if counts is not None
    }


def counted_again(table: ReportTable) -> str:
    """Why more pixels are real than train, in words; empty where they are not: those of tiles."""
    trains = max((int(audit["n_train"]) for audit in table.splits.values()), default=0)
    real = (sum(counts) for counts in unlike(table.trials["real"]) if counts is not None)
    return why_more(max(real, default=0), trains)


def why_more(real: int, trains: int) -> str:
    """The same of the real pixels of a trial and the training pixels of its split."""
    return COUNTED_AGAIN if real > trains > 0 else ""


def pixels_words(table: ReportTable) -> str:
    """``518 training, ~8,200 test pixels``."""
    train, test = (
        [int(audit[key]) for audit in table.splits.values() if audit.get(key) is not None]
        for key in ("n_train", "n_test")
    )
    if not train or not test:
        return ""
    return f"{_about(train)} training, {_about(test)} test pixels"


def _about(values: Sequence[int]) -> str:
    mean = round(sum(values) / len(values))
    if len(set(values)) == 1:
        return f"{mean:,}"
    digits = max(0, len(str(mean)) - 2)
    return f"~{round(mean, -digits):,}"


def class_range(audits: Iterable[Audit], key: str, class_id: int) -> str:
    """How many pixels of a class splits have, as ``12–15``."""
    return count_range(counts_of_class(audits, key, class_id))
