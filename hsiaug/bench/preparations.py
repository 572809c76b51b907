"""What generators learn without labels: the trials of a plan that share it, and what of it a store holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hsiaug.bench.plan import Plan
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench, has_fit
from hsiaug.trial.fits import saved_identities
from hsiaug.trial.hashing import short_hash
from hsiaug.trial.spec import TrialSpec

Identities = Mapping[str, Mapping[str, Any]]
PARTS = ("pixels", "params", "version", "patch", "format")


def identities(plans: Sequence[Plan]) -> Identities:
    """All that determines what its generator learns without labels, by the hash of each trial that needs that.

    Looks at the pixels once a scene, and once a draw where draws show different ones.
    """
    pixels: dict[tuple[str, ...], str] = {}
    found: dict[str, Mapping[str, Any]] = {}
    for plan in plans:
        bench, splits = Workbench(plan.scene, get_task(plan.task)), {split.seed: split for split in plan.splits}
        hides = any(getattr(split, "hidden", None) is not None for split in plan.splits)
        for trial in plan.trials:
            card = plan.cards["generator", trial.generator.name]
            if card.prepares and plan.samples[trial.hash][1]:
                place = trial.scene_sha256, card.scope, trial.draw_hash if hides or card.scope == "none" else ""
                if place not in pixels:
                    if split := splits.get(trial.seed):
                        bench.give(trial, split)
                    pixels[place] = bench.pixels(trial, card.scope)
                found[trial.hash] = trial.generator.of_preparation(pixels[place], trial.patch)
    return found


def learnt_anew(trials: Iterable[TrialSpec], needed: Identities, cache: Path) -> Iterator[str]:
    """A sentence on each generator and scene of which a store's cache holds other things alone than trials need.

    needed: what :func:`identities` gives of all trials of the run.
    """
    keys = {hash: short_hash(identity) for hash, identity in needed.items()}
    lacking = {
        (trial.generator.name, trial.scene): needed[trial.hash]
        for trial in trials
        if trial.hash in keys and not (cache / keys[trial.hash]).is_dir() and not has_fit(cache, trial)
    }
    saved = saved_identities(cache) if lacking else {}
    others = [other for key, other in saved.items() if key not in keys.values()]
    for (name, scene), identity in lacking.items():
        own = {**identity["prepares"], **identity}
        alike = [other for other in others if (other.get("name"), other.get("scene")) == (name, scene)]
        reasons = [[part for part in PARTS if own[part] != other.get(part)] for other in alike]
        if reasons:
            told = " and ".join(sorted(reasons, key=len)[0])
            yield f"{name} learns {scene} without labels anew: what is saved differs in {told}"
