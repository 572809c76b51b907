"""Plans of benchmarks, as a store keeps them: a small file each, written before the first trial and never changed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hsiaug.base.errors import StoreError
from hsiaug.base.files import file_errors, plain_text, replaced
from hsiaug.trial.arm import CONTROLS
from hsiaug.trial.hashing import canonical_json, short_hash
from hsiaug.trial.record_json import Record

if TYPE_CHECKING:
    from hsiaug.trial.spec import TrialSpec

PLANS = "plans"
"""The folder of the plans in that of the store."""
OF_TRIAL = {
    "seed", "generator", "classifier", "lambda", "times", "train", "omega", "omega_convention", "view", "diagnosis"
}  # fmt: skip
"""Keys of a trial's specification in which trials of one table differ."""


@dataclass(frozen=True)
class PlannedDraws:
    """Draws of one table that a plan meant. date: ISO 8601, UTC. spec: what the trials share of their specifications.

    known: draws of the same table of which the store had results of an arm by then, be they of this plan or not.
    """

    date: str
    spec: Mapping[str, Any]
    seeds: frozenset[int]
    known: frozenset[int]


def state_plan(root: Path, trials: Iterable[TrialSpec], records: Iterable[Record]) -> None:
    """Write a plan of these trials, unless the store has it: one that is resumed, or runs in two processes, is one plan.

    records: all sound ones of the store. The file is named after the plan's hash, so that no two write different ones.
    Raises StoreError where the store cannot be written.
    """
    planned = {trial.hash: trial.as_json() for trial in trials}
    name = short_hash(sorted(planned))
    path = root / PLANS / f"{name}.json"
    if path.exists():
        return
    seeds: dict[str, set[int]] = {}
    known: dict[str, set[int]] = {}
    for spec in planned.values():
        seeds.setdefault(_table(spec), set()).add(spec["seed"])
    for record in records:
        spec = record["spec"]
        # A control says nothing of an arm, nor does what failed or a diagnosis of earlier versions.
        if record["status"] == "ok" and spec["generator"]["name"] not in CONTROLS and not spec.get("diagnosis"):
            known.setdefault(_table(spec), set()).add(spec["seed"])
    tables = [
        {"spec": json.loads(table), "seeds": sorted(own), "known": sorted(known.get(table, ()))}
        for table, own in seeds.items()
    ]
    date = datetime.now(UTC).isoformat()
    said = {"format": 1, "plan": name, "date": date, "trials": len(planned), "tables": tables}
    _write(path, json.dumps(said, indent=1) + "\n")


def read_plans(root: Path) -> list[PlannedDraws]:
    """The draws of every plan of a store, the first plan first; none of an older store. What is no plan is left out."""
    found = []
    for path in sorted((root / PLANS).glob("*.json")):
        try:
            said = json.loads(plain_text(path) or "")
            found += [
                PlannedDraws(
                    said["date"] + "",
                    dict(one["spec"]),
                    *(frozenset(map(int, one[key])) for key in ("seeds", "known")),
                )
                for one in said["tables"]
            ]
        except (ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda one: one.date)


def copy_plans(source: Path, target: Path) -> None:
    """Copy the plans of a store that another lacks. Raises StoreError where that cannot be written."""
    for path in sorted((source / PLANS).glob("*.json")):
        if (text := plain_text(path)) is not None and not (target / PLANS / path.name).exists():
            _write(target / PLANS / path.name, text)


def _write(path: Path, text: str) -> None:
    rule = f"the store {path.parents[1]} must be a folder that can be written to"
    with file_errors(
        rule, "Free some space or name another --store, then run the same command again.", StoreError
    ):
        path.parent.mkdir(exist_ok=True)
        replaced(path, lambda fresh: fresh.write_text(text, encoding="utf-8"))


def _table(spec: Mapping[str, Any]) -> str:
    """What trials of one table share, as canonical JSON."""
    return canonical_json({key: value for key, value in spec.items() if key not in OF_TRIAL})
