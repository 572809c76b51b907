"""Sentences on the costs and leaks of a table's protocol: the block that stands below every table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hsiaug.protocol.balance import Rate
from hsiaug.protocol.large_classes import FEWEST
from hsiaug.report.cells import ArmCell
from hsiaug.report.labels import MISSING, count, draws_text, left_out, plus_minus, seeds_text, span
from hsiaug.report.records import Audit, DrawKey
from hsiaug.report.scores import CONTROL_CLASSIFIERS
from hsiaug.report.tables import Table, named
from hsiaug.trial.arm import BOTH


def audit_lines(table: Table, where: str) -> tuple[tuple[str, str], ...]:
    """(label, sentence) pairs. where: what the user types for the store."""
    audits = table.splits
    lines = [("protocol", _protocol(table, audits)), ("unlabelled pixels", _scope(table))]
    if audits:
        lines += _pixels(table, audits)
        lines += _fields(table, audits)
        lines += _classes(table, audits)
        lines += [("note", f"{note}{seeds}") for note, seeds in _by_split(audits, "notes").items()]
    lines += [("draws", sentence) for sentence in _looks(table)]
    lines += [("synthetic", sentence) for sentence in _synthetic(table)]
    lines += [("without spectra", sentence) for sentence in _location(table)]
    lines.append(("records", _records(table, where)))
    return tuple(lines)


def short_audit(tables: Sequence[Table]) -> str:
    """One sentence on the splits of tables: whether they leak, and what is reached without any spectrum."""
    audits = [audit for table in tables for audit in table.splits.values()]
    if not audits:
        return "No trial got as far as a split, so there is no audit."
    overlap = max(float(audit.get("centre_overlap_percent") or 0) for audit in audits)
    leaks = "LEAKY: location alone answers for part of the score" if any(t.leaky for t in tables) else "not leaky"
    reached: dict[str, list[str]] = {}
    for table in tables:
        for cell in table.blind:
            if cell.arm.generator.name == "none" and cell.ok:
                name = f"{table.labels[cell.classifier]} reaches {table.scores.main.name}"
                reached.setdefault(name, []).append(plus_minus(cell.summary(table.scores.main.key)))
    blind = "".join(f"; without a spectrum {name} {', '.join(values)}" for name, values in reached.items())
    looks = "; draws were added after a look at others (--notes)" if any(table.looks for table in tables) else ""
    return f"Splits: {leaks}; at most {overlap:.1f} % of test pixels lie in a training patch{blind}{looks}."


def warnings(table: Table) -> tuple[str, ...]:
    """Warnings to be read before the numbers, beside failures: damaged records, arms that saw test pixels."""
    seen = users_of_unlabelled(table).get("scene")
    warned = (
        f"TRANSDUCTIVE: {', '.join(seen)} learned from unlabelled pixels of the whole scene." if seen else None
    )
    return tuple(warning for warning in (_damage(table), warned) if warning)


def _damage(table: Table) -> str | None:
    """Names every record of the store that was left out; None where none was."""
    if not table.damaged:
        return None
    verb = "is" if len(table.damaged) == 1 else "are"
    return (
        f"{count(len(table.damaged), 'record')} of the store {verb} damaged and left out, of this table or another: "
        f"{named(table.damaged)}."
    )


def transductive(table: Table) -> bool:
    """True where any trial learned from unlabelled pixels of the whole scene, test pixels included."""
    return any(trial.common["transductive"] for trial in table.trials)


def _protocol(table: Table, audits: Mapping[DrawKey, Audit]) -> str:
    if not audits:
        return f"{table.condition.protocol}; no trial got as far as a split, so there is no audit"
    radius = sorted({int(audit["radius"]) for audit in audits.values()})
    name = f"{table.condition.protocol}, buffer {table.condition.buffer}"
    reach = f"patch radius {', '.join(map(str, radius))} px"
    draws = f"{count(len(audits), 'split')} (seeds {draws_text(seed for seed, _ in audits)}"
    draws += "".join(f"; {seeds_text(seeds)} drew the same" for seeds in table.repeated) + ")"
    if not table.leaky:
        return f"{name}, {reach}, {draws}; not leaky by its audit"
    bad = [draw for draw, audit in audits.items() if audit.get("leaky")]
    some = "" if len(bad) == len(audits) else f" in seeds {draws_text(seed for seed, _ in bad)}"
    return (
        f"{name}, {reach}, {draws}; LEAKY{some}: test pixels are neighbours of training pixels, so location alone "
        "answers for part of the score. For comparison with published numbers only"
    )


def users_of_unlabelled(table: Table) -> dict[str, list[str]]:
    """Who learned from unlabelled pixels: scope → labels of generators and classifiers."""
    users: dict[str, set[str]] = {}
    for cell in table.every_cell.values():
        for common in {id(trial.common): trial.common for trial in cell.trials}.values():
            for role, method in (("generator", cell.arm.generator), ("classifier", cell.classifier)):
                scope = (common["scope"] or {}).get(role)
                if scope and scope != "none":
                    users.setdefault(scope, set()).add(table.labels[method])
    return {scope: sorted(users[scope]) for scope in sorted(users)}


def _scope(table: Table) -> str:
    listed = "; ".join(f"scope {scope}: {', '.join(names)}" for scope, names in users_of_unlabelled(table).items())
    if transductive(table):
        return f"TRANSDUCTIVE: some arms learn from all unlabelled pixels, test pixels too ({listed})"
    return f"inductive ({listed or 'scope none for every generator and classifier'})"


def _pixels(table: Table, audits: Mapping[DrawKey, Audit]) -> list[tuple[str, str]]:
    def over_draws(key: str, digits: int) -> str:
        values = [float(audit[key]) for audit in audits.values() if audit.get(key) is not None]
        return span(values, digits) if values else MISSING

    neither = left_out(table.condition.protocol, table.condition.buffer)
    side = table.condition.patch
    return [
        (
            "pixels",
            f"train {over_draws('n_train', 0)}, test {over_draws('n_test', 0)}, "
            f"{neither} {over_draws('n_buffered', 0)} (mean and range over the splits)",
        ),
        (
            "overlap",
            f"{over_draws('centre_overlap_percent', 1)} % of test pixels lie in a {side}×{side} training patch; "
            f"the patch of {over_draws('patch_overlap_percent', 1)} % shares a pixel with one",
        ),
    ]


def _fields(table: Table, audits: Mapping[DrawKey, Audit]) -> list[tuple[str, str]]:
    """How many test pixels lie in fields that hold training pixels, and which classes are not tested in others."""
    told = {draw: audit for draw, audit in audits.items() if audit.get("seen_counts") is not None}
    if not told:
        return []
    shares = [100.0 * sum(audit["seen_counts"]) / max(1, int(audit["n_test"])) for audit in told.values()]
    places = any(audit.get("fields") == "places" for audit in told.values())
    what = "places that hold training tiles" if places else "fields that hold training pixels"
    if min(shares) == max(shares) and shares[0] in (0.0, 100.0):
        said = f"{'every' if shares[0] else 'no'} test pixel lies in {what}"
    else:
        said = f"{span(shares)} % of test pixels lie in {what}"
    untested = [
        f"no test pixel in {where} {'places' if places else 'fields'}: {names}"
        for where in ("new", "seen")
        if (names := _named_classes(table, told, f"no_{where}_classes"))
    ]
    mixed = max(shares) > 0 and min(shares) < 100
    return [("places" if places else "fields", "; ".join([said, *(untested if mixed else [])]))]


def _classes(table: Table, audits: Mapping[DrawKey, Audit]) -> list[tuple[str, str]]:
    kinds = {
        "lost": "no test pixel, not evaluable",
        "thin": f"fewer than {FEWEST} test pixels",
        "untrained": "no training pixel",
    }
    lines = []
    for kind, meaning in kinds.items():
        named_classes = _named_classes(table, audits, f"{kind}_classes")
        lines.append((f"{kind} classes", f"{named_classes}: {meaning}" if named_classes else "none"))
    return lines


def _named_classes(table: Table, audits: Mapping[DrawKey, Audit], key: str) -> str:
    """The classes whose ids the audits list under a key, with the seeds where not all of them do."""
    names = dict(enumerate(table.class_names, start=1))
    found = sorted(_by_split(audits, key).items())
    return ", ".join(f"{names.get(class_id, f'class {class_id}')}{seeds}" for class_id, seeds in found)


def _by_split(audits: Mapping[DrawKey, Audit], key: str) -> dict[Any, str]:
    """Return {entry of the audits: ``" (seeds 0, 3)"`` if only some of them list it, else ``""``}."""
    seeds: dict[Any, list[int]] = {}
    for (seed, _), audit in audits.items():
        for entry in dict.fromkeys(_entries(audit, key)):
            seeds.setdefault(entry, []).append(seed)
    return {
        entry: "" if len(where) == len(audits) else f" ({seeds_text(where)})" for entry, where in seeds.items()
    }


def _entries(audit: Audit, key: str) -> Iterable[Any]:
    """What an audit lists under a key. Thin classes are counted again: older records list those below another number."""
    if key == "thin_classes" and audit.get("test_counts"):
        return [c for c, n in enumerate(audit["test_counts"], start=1) if 0 < n < FEWEST]
    return audit.get(key) or ()


def _looks(table: Table) -> list[str]:
    """Which draws were added when results of others were known."""
    return [
        f"{seeds_text(look.added)} were added on {look.date}, after results of {seeds_text(look.known)} existed: "
        "draws that are added for what was seen make p too small"
        for look in table.looks
    ]


def _synthetic(table: Table) -> list[str]:
    """How much every λ made beside real samples: the same for all generators of a draw."""
    totals: dict[Rate, dict[str, list[float]]] = {}
    for trial in table.trials:
        if trial.rate and trial.generator.train == BOTH:
            for kind, values in totals.setdefault(trial.rate, {"real": [], "synthetic": []}).items():
                if (made := trial.number(kind, "samples")) is not None:
                    values.append(made)
    parts = [
        f"λ = {rate}: {span(of['synthetic'], 0)} beside {span(of['real'], 0)} real"
        for rate, of in sorted(totals.items())
        if of["real"]
    ]
    return [f"{table.scores.unit} for training, {'; '.join(parts)}"] if parts else []


def _location(table: Table) -> list[str]:
    """Sentences on the scores of the control classifiers."""
    cells = [cell for cell in table.blind if cell.arm.generator.name == "none"]
    if not any(cell.ok for cell in cells):
        named = " or ".join(CONTROL_CLASSIFIERS)
        return [f"not measured: there is no trial of {named} with the generator none that went well"]
    return [_location_sentence(table, cell) for cell in cells if cell.ok]


def _location_sentence(table: Table, cell: ArmCell) -> str:
    scores = (table.scores.second, table.scores.main)
    reached = " and ".join(f"{score.name} {plus_minus(cell.summary(score.key))}" for score in scores)
    does = CONTROL_CLASSIFIERS[cell.classifier.name]
    apart = " and ".join(f"{score.name} {plus_minus(cell.summary(score.key))}" for score in table.brief_fields)
    return f"{table.labels[cell.classifier]}, which {does}, reaches {reached}{apart and f', {apart}'} (n={len(cell.ok)})"


def _records(table: Table, where: str) -> str:
    failed = len(table.failed)
    empty = sum(trial.status == "empty" for trial in table.trials)
    went = f"{len(table.trials) - failed - empty:,} ok, {failed:,} failed"
    went += f", {empty:,} not run as λ asked for no sample" if empty else ""
    return (
        f"{count(len(table.trials), 'trial')} ({went}) in {where}; hashes: hsiaug report --store {where} --by seed; "
        "how to rerun one: hsiaug show HASH"
    )
