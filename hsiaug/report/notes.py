"""The sentences around a table: failures and warnings above it, notes on its numbers and the audit of its draws below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from hsiaug.core.view_names import AUTO, RAW
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.metrics.verdict import meanings
from hsiaug.protocol.large_classes import FEWEST
from hsiaug.report.grid import Grid, ReportPage
from hsiaug.report.labels import MISSING, count, count_range, draws_text, left_out, plus_minus, seeds_text, span
from hsiaug.report.records import PARTS, ArmCell, Audit, CellKey, DrawKey, Trial, in_order, number_of
from hsiaug.report.scores import CONTROL_CLASSIFIERS
from hsiaug.report.tables import Table, named
from hsiaug.trial.arm import ALONE, RIVALS, needed_of
from hsiaug.trial.record_json import ErrorKind, error_kind, why_failed

NAMED = 12
"""Arms that a line names; the rest is counted, and listed by ``hsiaug report --by seed``."""
LACKING = {
    "lost": "no test pixel, not evaluable",
    "thin": f"fewer than {FEWEST} test pixels",
    "untrained": "no training pixel",
}
"""Classes that an audit names, and what they lack."""


def table_page(table: Table, where: str, grids: Iterable[Grid], notes: Iterable[str]) -> ReportPage:
    """The page of a table with these grids and notes. where: what to type for the store."""
    return ReportPage(
        title=table.title,
        leaky=table.leaky,
        failed=failure_heading(table),
        failures=failure_lines(table, where),
        warnings=warnings(table),
        grids=tuple(grid for grid in grids if grid.rows),
        notes=tuple(notes),
        audit=audit_lines(table, where),
    )


# Above the numbers


def failure_heading(table: Table) -> str | None:
    """``3 of 21 trials failed``; None where none did."""
    failed = len(table.failed)
    return f"{failed:,} of {count(len(table.trials), 'trial')} failed" if failed else None


def failure_lines(table: Table, where: str) -> tuple[str, ...]:
    """A line per error, the most frequent first: how often, what it was, which arms, and how to see the first whole."""
    groups: dict[ErrorKind, list[Trial]] = {}
    for trial in sorted(table.failed, key=lambda t: (t.seed, t.hash)):
        groups.setdefault(error_kind({"error": trial.error}), []).append(trial)
    lines = []
    for found in groups.values():
        seeds: dict[CellKey, list[int]] = {}
        for trial in found:
            seeds.setdefault((trial.arm, trial.classifier), []).append(trial.seed)
        keys, why = in_order(seeds), why_failed({"error": found[0].error})
        arms = [f"{table.cell_label(table.every_cell[key])} ({seeds_text(seeds[key])})" for key in keys[:NAMED]]
        if len(keys) > NAMED:
            arms.append(f"and {count(len(keys) - NAMED, 'more arm')}: hsiaug report --store {where} --by seed")
        show = f"hsiaug show {found[0].hash} --store {where}"
        lines.append((-len(found), why, f"{len(found):,} × {why}. In {', '.join(arms)}. See it whole: {show}"))
    return tuple(said for *_, said in sorted(lines))


def warnings(table: Table) -> tuple[str, ...]:
    """Warnings to be read before the numbers: damaged records, arms that saw test pixels."""
    warned = []
    if table.damaged:
        records = (
            f"{count(len(table.damaged), 'record')} of the store {'is' if len(table.damaged) == 1 else 'are'}"
        )
        warned.append(f"{records} damaged and left out, of this table or another: {named(table.damaged)}.")
    if seen := users_of_unlabelled(table).get("scene"):
        warned.append(f"TRANSDUCTIVE: {', '.join(seen)} learned from unlabelled pixels of the whole scene.")
    return tuple(warned)


# What the numbers are


def table_notes(table: Table) -> list[str]:
    """Every note on a table: its numbers, its controls, its tests, and what its verdicts claim."""
    compared = control_notes(table) + significance_note(table) + _verdict_note(table) if table.gains else []
    alone = (
        f"{ALONE.strip()}: the classifier learnt from synthetic samples alone, as many of each class as there are real "
        "and synthetic ones in the arm of both, and chose its own parameters on them; weights are 1 in the mean. "
        "Spectral view and scaling are those of the training pixels. Such an arm has no verdict; its intervals, of "
        "95 %, are not corrected."
    )
    return number_notes(table) + compared + ([alone] if table.alone else [])


def number_notes(table: Table) -> list[str]:
    """Notes on the figures of a table: their meaning, their draws, and those that are missing."""
    draws = f"{count(len(table.draws), 'draw')} (seeds {draws_text(table.draws)})"
    notes = [
        f"Mean ± std (ddof 1) in percent, κ × 100, over {draws}; n is given where a cell has fewer. "
        f"{table.scores.meaning} Failed trials are never averaged."
    ]
    notes += [f"ω: {one}." for one in sorted({a.generator.convention or "" for a in table.arms} - {""})]
    notes += [*_parts(table), *repeat_notes(table)]
    splits = Counter(seed for seed, _ in {(trial.seed, trial.split) for trial in table.trials if trial.ok})
    if changed := [seed for seed, n in splits.items() if n > 1]:
        notes.append(
            f"{seeds_text(changed).capitalize()} drew different pixels in different trials: means mix them, and only "
            "trials of the same pixels are paired. Rerun with --existing all to have one split per seed."
        )
    notes += _unequal_budgets(table)
    auto = {t.draw: str(t.view_shown) for t in table.trials if t.ok and t.classifier.view == AUTO}
    if auto:
        listed = ", ".join(f"{name} in {count(n, 'draw')}" for name, n in Counter(auto.values()).most_common())
        notes.append(
            f"Spectral view auto, chosen by cross-validation inside the training pixels of each draw: {listed}."
        )
    elif table.scores.chooses_view and table.classifiers:
        # The control that reads no spectrum has raw ones beside any other view.
        views = ", ".join(sorted({c.view for c in table.classifiers} - {RAW}) or [RAW])
        notes.append(f"Spectral view {views}, named for the run and not chosen draw by draw.")
    return notes


def _parts(table: Table) -> Iterator[str]:
    """Definitions of seen and new fields and of shown and hidden pixels, and the classes that these have."""

    def over(parts: tuple[str, ...], told: Sequence[Trial], word: str) -> str:
        classes = ([int(number_of(trial, f"n_classes_{part}") or 0) for trial in told] for part in parts)
        return " and ".join(f"{count_range(n)} {word}{part}" for n, part in zip(classes, parts, strict=True))

    classes = len(table.class_names)
    if table.scores.fields and (told := table.told("new")):
        what = sorted({str((trial.audit or {}).get("fields") or "fields") for trial in told})
        yield (
            f"AA seen, AA new: of the test pixels in fields ({' or '.join(what)}) that hold training pixels, and in "
            "fields that hold none; means over the classes that have such pixels: "
            f"{over(PARTS[:2], told, 'in ')} fields, of {classes}."
        )
        if older := sum(trial.ok for trial in table.trials) - len(told):
            yield (
                f"{count(older, 'older record')} of this table do not tell seen and new fields apart, and are left out "
                "of these means. Rerun with --existing all to have them."
            )
    if told := table.told("hidden"):
        yield (
            "AA shown, AA hidden: of test pixels whose spectra plugins could read, and of those in blocks that no plugin "
            "saw before it predicted them; means over the classes that have such pixels: "
            f"{over(PARTS[2:], told, '')}, of {classes}."
        )


def repeat_notes(table: Table) -> list[str]:
    """Names the seeds that drew the same split."""
    same = "; ".join(seeds_text(seeds) for seeds in table.repeated)
    return [
        f"Equal splits count once: the same pixels were drawn by {same}. Of these seeds, each arm has its first trial "
        "that went well in every mean and test; what its others differ by is the randomness of training."
    ] * bool(same)


def _unequal_budgets(table: Table) -> Iterator[str]:
    """Names the classifiers whose arms differ in optimiser steps within one draw, as counted by the runner."""
    for classifier in table.classifiers:
        taken: dict[DrawKey, dict[int, str]] = {}
        for cell in table.cells_of(classifier):
            for trial in cell.ok:
                if (steps := number_of(trial, "steps")) is not None:
                    taken.setdefault(trial.draw, {}).setdefault(int(steps), table.arm_label(cell.arm))
        if unequal := [(seed, arms) for (seed, _), arms in sorted(taken.items()) if len(arms) > 1]:
            seed, arms = unequal[0]
            listed = ", ".join(f"{n:,} with {arm}" for n, arm in sorted(arms.items()))
            yield (
                f"Unequal budget: {table.labels[classifier]} took different numbers of optimiser steps in arms of one "
                f"draw, in {count(len(unequal), 'draw')} (seed {seed}: {listed}). What an arm gains may be its longer "
                "training; make the classifier take the same steps whatever samples it is given."
            )


def control_notes(table: Table) -> list[str]:
    """How Δ is made, and what further controls are."""
    notes = [
        "Δ: percentage points against the controls with the same classifier, paired over the draws that both "
        "share; duplicate is taken at the same λ. pairs counts those draws: with none / with duplicate where the "
        "two differ."
    ]
    for name in sorted(table.further_controls, key=lambda name: name in RIVALS):
        notes.append(
            f"{name}, a further control, is none with that classifier: {RIVALS[name]}."
            if name in RIVALS
            else f"{name}, a further control, is taken at the same λ too, its draws come last in pairs, and it is judged "
            "itself, against the others."
        )
    return notes


def significance_note(table: Table) -> list[str]:
    """Notes on the significance tests, or on why none was possible."""
    pairs = [len(c.mine) for c in table.comparisons]
    few, tested = [n for n in pairs if n < MIN_PAIRS], [n for n in pairs if n >= MIN_PAIRS]
    notes = []
    if few:
        rest = "; those comparisons have no p" if tested else ", so no p is given"
        notes.append(
            f"n={count_range(few)}: cannot reach .05. A two-sided sign-flip test needs {MIN_PAIRS} pairs{rest}."
        )
    if tested:
        arms = sum(gain.verdict is not None for gain in table.gains.values())
        notes.append(
            f"p: two-sided sign-flip test on {table.scores.main.name}, paired over draws, and corrected for the "
            f"{count(arms, 'arm')} of this table (step-down max-T): over none by itself, and over all other controls "
            "together. An arm stands with the largest p over its controls."
        )
    return notes


def _verdict_note(table: Table) -> list[str]:
    """The legend of the verdicts that occur."""
    further = table.further_controls
    known = meanings(further, " or ".join(dict.fromkeys(map(needed_of, further))), table.scores.margin)
    used = {gain.verdict.finding for gain in table.gains.values() if gain.verdict}
    legend = "; ".join(f"{word}: {meaning}" for word, meaning in known.items() if word in used)
    main = table.scores.main.name
    return [
        f"Verdicts, on Δ{main}: {legend}. Shown means p < {ALPHA:g}, corrected for all arms, and a mean that "
        "does not print as 0.0; the interval then leaves out 0. "
        f"The highest mean {main} of several arms is no gain shown."
    ] * bool(legend)


# The audit


def audit_lines(table: Table, where: str) -> tuple[tuple[str, str], ...]:
    """(label, sentence) pairs on costs and leaks of a table's draws. where: what the user types for the store."""
    users = "; ".join(f"scope {scope}: {', '.join(names)}" for scope, names in users_of_unlabelled(table).items())
    scope = f"inductive ({users or 'scope none for every generator and classifier'})"
    if transductive(table):
        scope = f"TRANSDUCTIVE: some arms learn from all unlabelled pixels, test pixels too ({users})"
    lines = [("protocol", _protocol(table)), ("unlabelled pixels", scope)]
    if table.splits:
        neither, side = left_out(table.condition.protocol, table.condition.buffer), table.condition.patch
        pixels = (
            f"train {audit_mean(table, 'n_train')}, test {audit_mean(table, 'n_test')}, "
            f"{neither} {audit_mean(table, 'n_buffered')} (mean and range over the splits)"
        )
        overlap = (
            f"{audit_mean(table, 'centre_overlap_percent', 1)} % of test pixels lie in a {side}×{side} training patch; "
            f"the patch of {audit_mean(table, 'patch_overlap_percent', 1)} % shares a pixel with one"
        )
        lines += [("pixels", pixels), ("overlap", overlap), *_fields(table)]
        for kind, meaning in LACKING.items():
            classes = _classes(table, f"{kind}_classes")
            lines.append((f"{kind} classes", f"{classes}: {meaning}" if classes else "none"))
        lines += [("note", f"{note}{seeds}") for note, seeds in _by_split(table, "notes").items()]
    lines += [("synthetic", sentence) for sentence in _synthetic(table)]
    lines += [("without spectra", sentence) for sentence in _without_spectra(table)]
    kinds = Counter(trial.status for trial in table.trials)
    empty = f", {kinds['empty']:,} not run as λ asked for no sample" if kinds["empty"] else ""
    records = (
        f"{count(len(table.trials), 'trial')} ({kinds['ok']:,} ok, {kinds['failed']:,} failed{empty}) in {where}; "
        f"hashes: hsiaug report --store {where} --by seed; how to rerun one: hsiaug show HASH"
    )
    return (*lines, ("records", records))


def short_audit(tables: Sequence[Table]) -> str:
    """One sentence on the splits of tables: whether they leak, and what is reached without any spectrum."""
    audits = [audit for table in tables for audit in table.splits.values()]
    if not audits:
        return "No trial got as far as a split, so there is no audit."
    overlap = max(float(audit.get("centre_overlap_percent") or 0) for audit in audits)
    leaks = "LEAKY: location alone answers for part of the score" if any(t.leaky for t in tables) else "not leaky"
    reached: dict[str, list[str]] = {}
    for table in tables:
        for cell in _blind(table):
            name = f"{table.labels[cell.classifier]} reaches {table.scores.main.name}"
            reached.setdefault(name, []).append(plus_minus(cell.summary(table.scores.main.key)))
    blind = "".join(f"; without a spectrum {name} {', '.join(values)}" for name, values in reached.items())
    return f"Splits: {leaks}; at most {overlap:.1f} % of test pixels lie in a training patch{blind}."


def transductive(table: Table) -> bool:
    """True where any trial learned from unlabelled pixels of the whole scene, test pixels included."""
    return any(trial.transductive for trial in table.trials)


def users_of_unlabelled(table: Table) -> dict[str, list[str]]:
    """Who learned from unlabelled pixels: scope → labels of generators and classifiers."""
    users: dict[str, set[str]] = {}
    for cell in table.every_cell.values():
        for scopes in {id(trial.scope): trial.scope for trial in cell.trials}.values():
            for role, method in (("generator", cell.arm.generator), ("classifier", cell.classifier)):
                scope = (scopes or {}).get(role)
                if scope and scope != "none":
                    users.setdefault(scope, set()).add(table.labels[method])
    return {scope: sorted(users[scope]) for scope in sorted(users)}


def audit_mean(table: Table, key: str, digits: int = 0) -> str:
    """A number of the audits: its mean, and the range over the splits where it differs."""
    values = [float(audit[key]) for audit in table.splits.values() if audit.get(key) is not None]
    return span(values, digits) if values else MISSING


def _protocol(table: Table) -> str:
    audits = table.splits
    if not audits:
        return f"{table.condition.protocol}; no trial got as far as a split, so there is no audit"
    radius = sorted({int(audit["radius"]) for audit in audits.values()})
    name = f"{table.condition.protocol}, buffer {table.condition.buffer}"
    draws = f"{count(len(audits), 'split')} (seeds {draws_text(seed for seed, _ in audits)}"
    draws += "".join(f"; {seeds_text(seeds)} drew the same" for seeds in table.repeated) + ")"
    said = f"{name}, patch radius {', '.join(map(str, radius))} px, {draws}"
    if not table.leaky:
        return f"{said}; not leaky by its audit"
    bad = [seed for (seed, _), audit in audits.items() if audit.get("leaky")]
    some = "" if len(bad) == len(audits) else f" in seeds {draws_text(bad)}"
    return (
        f"{said}; LEAKY{some}: test pixels are neighbours of training pixels, so location alone answers for part of the "
        "score. For comparison with published numbers only"
    )


def _fields(table: Table) -> list[tuple[str, str]]:
    """How many test pixels lie in fields that hold training pixels, and which classes are not tested in others."""
    told = [audit for audit in table.splits.values() if audit.get("seen_counts") is not None]
    if not told:
        return []
    shares = [100.0 * sum(audit["seen_counts"]) / max(1, int(audit["n_test"])) for audit in told]
    places = any(audit.get("fields") == "places" for audit in told)
    name, holding = ("places", "training tiles") if places else ("fields", "training pixels")
    whole = min(shares) == max(shares) and {0.0: "no test pixel lies", 100.0: "every test pixel lies"}.get(
        shares[0]
    )
    said = [f"{whole or f'{span(shares)} % of test pixels lie'} in {name} that hold {holding}"]
    if max(shares) > 0 and min(shares) < 100:
        untested = ((where, _classes(table, f"no_{where}_classes")) for where in ("new", "seen"))
        said += [f"no test pixel in {where} {name}: {classes}" for where, classes in untested if classes]
    return [(name, "; ".join(said))]


def _classes(table: Table, key: str) -> str:
    """The classes whose ids the audits list under a key, with the seeds where not all of them do."""
    names = dict(enumerate(table.class_names, start=1))
    found = sorted(_by_split(table, key).items())
    return ", ".join(f"{names.get(class_id, f'class {class_id}')}{seeds}" for class_id, seeds in found)


def _by_split(table: Table, key: str) -> dict[Any, str]:
    """Return {entry of the audits: ``" (seeds 0, 3)"`` if only some of those that tell list it, else ``""``}."""
    told = [
        (seed, audit) for (seed, _), audit in table.splits.items() if key in audit or not key.startswith("no_")
    ]
    seeds: dict[Any, list[int]] = {}
    for seed, audit in told:
        for entry in dict.fromkeys(_entries(audit, key)):
            seeds.setdefault(entry, []).append(seed)
    return {entry: "" if len(where) == len(told) else f" ({seeds_text(where)})" for entry, where in seeds.items()}


def _entries(audit: Audit, key: str) -> Iterable[Any]:
    """What an audit lists under a key. Thin classes are counted again: older records list those below another number."""
    if key == "thin_classes" and audit.get("test_counts"):
        return [c for c, n in enumerate(audit["test_counts"], start=1) if 0 < n < FEWEST]
    return audit.get(key) or ()


def _synthetic(table: Table) -> list[str]:
    """How much every λ made beside real samples: the same for all generators of a draw."""
    parts = []
    for rate in sorted({arm.rate for arm, _ in table.every_cell if arm.rate}):
        made = [t for t in table.trials if t.arm.rate == rate and t.arm == t.arm.both and t.real is not None]
        real, synthetic = [sum(t.real) for t in made], [sum(t.synthetic) for t in made]
        if made:
            parts.append(f"λ = {rate}: {span(synthetic, 0)} beside {span(real, 0)} real")
    return [f"{table.scores.unit} for training, {'; '.join(parts)}"] if parts else []


def _blind(table: Table) -> list[ArmCell]:
    """The control classifiers without a generator."""
    return [cell for cell in table.blind if cell.arm.generator.name == "none" and cell.ok]


def _without_spectra(table: Table) -> Iterator[str]:
    """Sentences on the scores of the control classifiers."""
    if not (cells := _blind(table)):
        names = " or ".join(CONTROL_CLASSIFIERS)
        yield f"not measured: there is no trial of {names} with the generator none that went well"
    for cell in cells:
        first, apart = (
            " and ".join(f"{score.name} {plus_minus(cell.summary(score.key))}" for score in scores)
            for scores in ((table.scores.second, table.scores.main), table.brief_fields)
        )
        who = f"{table.labels[cell.classifier]}, which {CONTROL_CLASSIFIERS[cell.classifier.name]},"
        yield f"{who} reaches {first}{apart and f', {apart}'} (n={len(cell.ok)})"
