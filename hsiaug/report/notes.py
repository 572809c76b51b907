"""The sentences below a table: what its numbers are, and what may be concluded from them."""

from __future__ import annotations

from collections import Counter

from hsiaug.core.view_names import AUTO, RAW
from hsiaug.metrics.significance import ALPHA, MIN_PAIRS
from hsiaug.metrics.verdict import meanings
from hsiaug.protocol.balance import Rate
from hsiaug.report.labels import count, count_range, draws_text, seeds_text
from hsiaug.report.records import FIELDS, VISIBILITY
from hsiaug.report.tables import Table
from hsiaug.trial.arm import ALONE, RIVALS, Method, needed_of


def table_notes(table: Table) -> list[str]:
    """Every note on a table: its numbers, its controls, its tests, and what its verdicts claim."""
    compared = control_notes(table) + significance_note(table) + _verdict_note(table) if table.gains else []
    return number_notes(table) + compared + _alone(table)


def _alone(table: Table) -> list[str]:
    """Note on classifiers that learnt from synthetic samples alone."""
    if not table.alone:
        return []
    return [
        f"{ALONE.strip()}: the classifier learnt from synthetic samples alone, as many of each class as there are real "
        "and synthetic ones in the arm of both, and chose its own parameters on them; weights are 1 in the mean. "
        "Spectral view and scaling are those of the training pixels. Such an arm has no verdict; its intervals, of "
        "95 %, are not corrected."
    ]


def number_notes(table: Table) -> list[str]:
    """Notes on the figures of a table: their meaning, their draws, and those that are missing."""
    draws = f"{count(len(table.draws), 'draw')} (seeds {draws_text(table.draws)})"
    notes = [
        f"Mean ± std (ddof 1) in percent, κ × 100, over {draws}; n is given where a cell has fewer. "
        f"{table.scores.meaning} Failed trials are never averaged.",
    ]
    conventions = sorted({a.generator.convention for a in table.arms if a.generator.convention})
    notes += [f"ω: {convention}." for convention in conventions]
    return (
        notes
        + _small_classes(table)
        + _fields(table)
        + _hidden(table)
        + repeat_notes(table)
        + _split_changes(table)
        + _unequal_budgets(table)
        + _chosen_views(table)
    )


def _small_classes(table: Table) -> list[str]:
    """Note on the classes that the main score leaves out."""
    large = next((trial.large for trial in table.trials if trial.large), ())
    counts = [own for audit in table.splits.values() if (own := audit.get("test_counts"))]
    if not large or not counts:
        return []
    fewest = {c: min(own[c - 1] for own in counts) for c in range(1, len(table.class_names) + 1) if c not in large}
    left_out = ", ".join(f"{table.class_names[c - 1]} ({n})" for c, n in fewest.items())
    return [f"Not in {table.scores.main.name}, with the fewest test pixels that a draw has of them: {left_out}."]


def _hidden(table: Table) -> list[str]:
    """Note on hidden test pixels: their definition, and over how many classes they are averaged."""
    told = [trial for trial in table.trials if trial.has("hidden")]
    if not told:
        return []
    classes = [[int(trial.number("n_classes", part) or 0) for trial in told] for part in VISIBILITY]
    over = " and ".join(f"{count_range(own)} {part}" for part, own in zip(VISIBILITY, classes, strict=True))
    return [
        "AA shown, AA hidden: of test pixels whose spectra plugins could read, and of those in blocks that no plugin saw "
        f"before it predicted them; means over the classes that have such pixels: {over}, of {len(table.class_names)}."
    ]


def repeat_notes(table: Table) -> list[str]:
    """Names the seeds that drew the same split."""
    if not table.repeated:
        return []
    same = "; ".join(seeds_text(seeds) for seeds in table.repeated)
    return [
        f"Equal splits count once: the same pixels were drawn by {same}. Of these seeds, each arm has its first trial "
        "that went well in every mean and test; what its others differ by is the randomness of training."
    ]


def _fields(table: Table) -> list[str]:
    """Notes on seen and new fields: definition, number of classes, and records that do not tell them apart."""
    told = [trial for trial in table.trials if trial.has("new")]
    older = sum(trial.ok for trial in table.trials) - len(told)
    if not table.scores.fields or not told:
        return []
    classes = [[int(trial.number("n_classes", where) or 0) for trial in told] for where in FIELDS]
    over = " and ".join(f"{count_range(counts)} in {where}" for where, counts in zip(FIELDS, classes, strict=True))
    audits = {id(trial.audit): trial.audit or {} for trial in told}.values()
    what = sorted({str(audit.get("fields") or "fields").split(" ")[0] for audit in audits})
    of = {"connected": "connected components of one class", "plots": "plots of the scene"}
    notes = [
        f"AA seen, AA new: of the test pixels in fields ({' or '.join(of.get(w, w) for w in what)}) that hold training "
        f"pixels, and in fields that hold none; means over the classes that have such pixels: {over} fields, "
        f"of {len(table.class_names)}."
    ]
    if older:
        notes.append(
            f"{count(older, 'older record')} of this table do not tell seen and new fields apart, and are left out of "
            "these means. Rerun with --existing all to have them."
        )
    return notes


def _split_changes(table: Table) -> list[str]:
    """Warns where one seed drew different pixels, as after a change of the scene's labels or of the code."""
    drawn: dict[int, set[str]] = {}
    for trial in table.trials:
        if trial.ok:
            drawn.setdefault(trial.seed, set()).add(trial.draw[1])
    changed = [seed for seed, splits in drawn.items() if len(splits) > 1]
    if not changed:
        return []
    return [
        f"{seeds_text(changed).capitalize()} drew different pixels in different trials: means mix them, and only trials "
        "of the same pixels are paired. Rerun with --existing all to have one split per seed."
    ]


def _unequal_budgets(table: Table) -> list[str]:
    """Names the classifiers whose arms differ in optimiser steps within one draw, as counted by the runner."""
    taken: dict[Method, dict[tuple[int, str], dict[int, str]]] = {}
    for (arm, classifier), cell in table.cells.items():
        for trial in cell.ok:
            if trial.steps is not None:
                draw = taken.setdefault(classifier, {}).setdefault(trial.draw, {})
                draw.setdefault(trial.steps, table.arm_label(arm))
    notes = []
    for classifier, draws in taken.items():
        unequal = [(seed, steps) for (seed, _), steps in sorted(draws.items()) if len(steps) > 1]
        if unequal:
            seed, steps = unequal[0]
            listed = ", ".join(f"{n:,} with {arm}" for n, arm in sorted(steps.items()))
            notes.append(
                f"Unequal budget: {table.labels[classifier]} took different numbers of optimiser steps in arms of one "
                f"draw, in {count(len(unequal), 'draw')} (seed {seed}: {listed}). What an arm gains may be its longer "
                "training; make the classifier take the same steps whatever samples it is given."
            )
    return notes


def _chosen_views(table: Table) -> list[str]:
    """Note on the spectral views that draws chose; all arms and classifiers of a draw share the choice."""
    chosen: dict[tuple[int, str], str] = {}
    for trial in table.trials:
        if trial.ok and trial.classifier.view == AUTO:
            chosen[trial.draw] = str(trial.common["view_shown"])
    if not chosen:
        return _named_views(table)
    listed = ", ".join(f"{name} in {count(n, 'draw')}" for name, n in Counter(chosen.values()).most_common())
    return [f"Spectral view auto, chosen by cross-validation inside the training pixels of each draw: {listed}."]


def _named_views(table: Table) -> list[str]:
    """The views of a table where none was chosen draw by draw, which would be usual."""
    if not table.scores.chooses_view or not table.classifiers:
        return []
    # The control that reads no spectrum has raw ones beside any other view.
    views = sorted({c.view for c in table.classifiers} - {RAW}) or [RAW]
    return [f"Spectral view {', '.join(views)}, named for the run and not chosen draw by draw."]


def control_notes(table: Table) -> list[str]:
    """How Δ is made, and where a control is ambiguous."""
    notes = [
        "Δ: percentage points against the controls with the same classifier, paired over the draws that both "
        "share; duplicate is taken at the same λ. pairs counts those draws: with none / with duplicate where the "
        "two differ."
    ]
    notes += [
        f"{name}, a further control, is taken at the same λ too, its draws come last in pairs, and it is judged itself, "
        "against the others."
        for name in table.further_controls
        if name not in RIVALS
    ]
    notes += [
        f"{name}, a further control, is none with that classifier: {what}."
        for name, what in RIVALS.items()
        if name in table.further_controls
    ]
    for name in table.controls:
        keys = [
            (c, Rate(0.0) if name == "none" else arm.rate)
            for arm, c in table.cells
            if arm.control and arm.generator.name == name
        ]
        if len(keys) > len(set(keys)):
            notes.append(
                f"There is more than one arm of {name}: each Δ is against the one that shares most draws, "
                "the newest where they tie."
            )
    return notes


def significance_note(table: Table) -> list[str]:
    """Notes on the significance tests, or on why none was possible."""
    pairs = [len(c.pairs) for c in table.comparisons]
    if not pairs:
        return []
    tested = [n for n in pairs if n >= MIN_PAIRS]
    few = [n for n in pairs if n < MIN_PAIRS]
    notes, arms = [], sum(gain.verdict is not None for gain in table.gains.values())
    if few:
        rest = "; those comparisons have no p" if tested else ", so no p is given"
        notes.append(
            f"n={count_range(few)}: cannot reach .05. A two-sided Wilcoxon signed-rank test needs {MIN_PAIRS} "
            f"pairs{rest}."
        )
    if tested:
        notes.append(
            f"p: two-sided Wilcoxon signed-rank test on {table.scores.main.name}, paired over draws, Holm-corrected over "
            f"the {count(arms, 'arm')} of this table, of which each stands with the largest p over its controls. "
            f"{table.scores.second.name}: corrected over all of its comparisons."
        )
    return notes


def _verdict_note(table: Table) -> list[str]:
    """The legend of the verdicts that occur."""
    further = table.further_controls
    known = meanings(further, " or ".join(dict.fromkeys(map(needed_of, further))), table.scores.margin)
    used = {gain.verdict.finding for gain in table.gains.values() if gain.verdict}
    legend = "; ".join(f"{word}: {meaning}" for word, meaning in known.items() if word in used)
    if not legend:
        return []
    main = table.scores.main.name
    return [
        f"Verdicts, on Δ{main}: {legend}. Shown means Holm p < {ALPHA:g}, a mean that does not print as 0.0, most "
        "draws on its side, and a t interval, of 95 % corrected as p is, that leaves out 0. "
        f"The highest mean {main} of several arms is no gain "
        "shown."
    ]
