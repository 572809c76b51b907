"""Which classifier is best, and does a generator add to it? The tables of
benchmarks/results/field.

    python -m benchmarks.make_scenes FOLDER        (for the small scenes; see there)
    python -m benchmarks.field run STORE [RUN,… [DRAW,…]]
    python -m benchmarks.field trials STORE > trials.csv
    python -m benchmarks.field table trials.csv > table.md

``run`` is the suite field.toml without the controls duplicate and coords, split by split.
``trials`` are the scores: average accuracy over the classes with at least 25 test pixels in the
split.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev

from benchmarks.common import HERE, check_usage, markdown, read_csv, say
from hsiaug.base.terminal import Console
from hsiaug.bench.plan import Plan, build_plan
from hsiaug.bench.run import run
from hsiaug.bench.suite import Run, read_suite
from hsiaug.data import load_scene
from hsiaug.registry.lookup import registry
from hsiaug.trial.record_json import Record
from hsiaug.trial.store import Store

SUITE, OUT = HERE / "field.toml", HERE / "results" / "field"
CONTROLS, FEWEST = ("duplicate", "coords"), 25
FIELD = """Average accuracy in per cent over the classes with at least 25 test pixels of the draw /
in new fields, without samples→with three of `pseudo` for each real one (λ = 0); means over draws
from 90 on, under `issd`: a row of two draws is no match for one of ten. Nothing was chosen on these
draws."""
BEST = """The best mean of a scene, chosen with test labels. Differences are paired by draw, with 95
% t intervals: the same classifier with samples, and the best classifier with samples, less the best
without."""
Values = dict[str, dict[int, tuple[float, float]]]
"""By scene and draw: AA in all and in new fields, in per cent."""


def suite_runs(names: Sequence[str] = (), draws: Sequence[int] = ()) -> Iterator[Run]:
    """The runs of the suite, draw by draw."""
    for whole in read_suite(SUITE).runs:
        if names and whole.name not in names:
            continue
        for draw in draws or whole.asked[0][1].seeds:
            runs = read_suite(SUITE, seeds=[draw]).runs
            yield next(one for one in runs if one.name == whole.name)


def average(metrics: Record, recall: list[float | None]) -> float:
    """Mean recall over the classes with ``FEWEST`` test pixels; NaN where none of them is in these
    fields.
    """
    large = [
        r for r, n in zip(recall, metrics["n_test"], strict=True) if n >= FEWEST and r is not None
    ]
    return fmean(large) if large else float("nan")


def run_suite(root: Path, names: Sequence[str], draws: Sequence[int]) -> None:
    """Run what is missing."""
    scenes = {ref: load_scene(ref) for ref, _ in read_suite(SUITE).runs[0].asked}
    for one in suite_runs(names, draws):
        begin = time.time()
        plans = [
            without_controls(build_plan(scenes[ref], asked, registry(), scene_ref=ref))
            for ref, asked in one.asked
        ]
        run(
            plans,
            root,
            device="cpu",
            jobs=1,
            console=Console(stderr=True, quiet=True),
            say=say,
            warn=say,
        )
        say(f"{one.name}, draw {one.asked[0][1].seeds[0]}: {time.time() - begin:.0f} s")


def without_controls(plan: Plan) -> Plan:
    """A plan without the trials of two controls, which another suite has."""
    kept = (
        t
        for t in plan.trials
        if t.generator.name not in CONTROLS and t.classifier.name not in CONTROLS
    )
    return replace(plan, trials=tuple(kept), notes=())


def read_trials(root: Path) -> list[dict[str, str]]:
    """A row per trial of the draws themselves, in the order of the suite."""
    order = [name for one in read_suite(SUITE).runs for name in one.asked[0][1].classifiers]
    scenes = [Path(ref).stem for ref, _ in read_suite(SUITE).runs[0].asked]
    rows = []
    for record in Store(root).each():
        spec, protocol = record["spec"], str(record["spec"]["protocol"])
        if "within" in protocol or spec["classifier"]["name"] == "coords":
            continue
        named = {"scene": spec["scene"]["name"], "draw": str(spec["seed"])}
        arm = {kind: spec[kind]["name"] for kind in ("classifier", "generator")}
        if record["status"] != "ok":
            rows.append(
                {**named, **arm, "aa": "", "aa_new": "", "seconds": "", "status": record["status"]}
            )
            continue
        metrics = record["metrics"]
        scores = (
            average(metrics, r) for r in (metrics["recall"], metrics["fields"]["new"]["recall"])
        )
        aa, new = (f"{100 * score:.2f}" for score in scores)
        seconds = f"{record['cpu_seconds']['total']:.1f}"
        rows.append({**named, **arm, "aa": aa, "aa_new": new, "seconds": seconds, "status": "ok"})
    kinds = (("classifier", order), ("generator", ["none", "pseudo"]), ("scene", scenes))
    return sorted(
        rows, key=lambda r: (*(names.index(r[kind]) for kind, names in kinds), int(r["draw"]))
    )


def by_arm(rows: Sequence[Mapping[str, str]]) -> dict[tuple[str, str], Values]:
    """The scores of each arm."""
    found: dict[tuple[str, str], Values] = {}
    for row in rows:
        if row["status"] == "ok":
            own = found.setdefault((row["classifier"], row["generator"]), {}).setdefault(
                row["scene"], {}
            )
            own[int(row["draw"])] = (float(row["aa"]), float(row["aa_new"]))
    return found


def tables(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """Lines of Markdown: the field, and what samples add to the best."""
    arms, scenes = by_arm(rows), list(dict.fromkeys(row["scene"] for row in rows))
    yield from ("# The field", "", FIELD, "")
    yield from markdown(("classifier", "draws", *scenes), field_rows(arms, scenes))
    yield from ("", "## Do samples add to the best classifier?", "", BEST, "")
    yield from markdown(
        (
            "scene",
            "best without samples",
            "AA",
            "samples add to it",
            "best with samples",
            "above it",
        ),
        [best_row(arms, scene) for scene in scenes],
    )


def field_rows(
    arms: Mapping[tuple[str, str], Values], scenes: Sequence[str]
) -> Iterator[tuple[str, ...]]:
    """AA/AA in new fields, without→with samples; means over draws."""
    for classifier in dict.fromkeys(name for name, _ in arms):
        own = {
            generator: values for (name, generator), values in arms.items() if name == classifier
        }
        draws = max(len(one) for one in own["none"].values())
        cells = [
            "→".join(cell(values[scene]) for values in own.values() if scene in values)
            for scene in scenes
        ]
        yield f"`{classifier}`", str(draws), *(one or "–" for one in cells)


def cell(draws: Mapping[int, tuple[float, float]]) -> str:
    """Means over draws."""
    aa, new = zip(*draws.values(), strict=True)
    return f"{fmean(aa):.1f}/{mean_of(new):.1f}"


def mean_of(values: Sequence[float]) -> float:
    """Mean of the numbers among values; some draws have no large class in a new field."""
    return fmean([v for v in values if v == v] or [float("nan")])


def best_row(arms: Mapping[tuple[str, str], Values], scene: str) -> tuple[str, ...]:
    """The best mean of the arms on all draws of a scene, without and with samples, paired by
    draw.
    """
    most = max(len(values[scene]) for values in arms.values() if scene in values)
    mean = {
        arm: fmean(aa for aa, _ in v[scene].values())
        for arm, v in arms.items()
        if len(v.get(scene, ())) == most
    }
    alone, made = (
        max((a for a in mean if (a[1] == "none") == no), key=mean.__getitem__)
        for no in (True, False)
    )
    same = (alone[0], made[1])
    added = told(differences(arms, same, alone, scene)) if same in arms else "–"
    return (
        scene,
        f"`{alone[0]}`",
        f"{mean[alone]:.1f}",
        added,
        f"`{made[0]}`",
        told(differences(arms, made, alone, scene)),
    )


def differences(
    arms: Mapping[tuple[str, str], Values],
    one: tuple[str, str],
    other: tuple[str, str],
    scene: str,
    which: int = 0,
) -> list[float]:
    """One arm's score less another's, on the draws of both."""
    a, b = arms[one][scene], arms[other][scene]
    return [a[d][which] - b[d][which] for d in sorted(a.keys() & b.keys())]


def told(values: Sequence[float]) -> str:
    """Mean and 95 % t interval."""
    from scipy.stats import t

    if len(values) < 2:
        return f"{fmean(values):+.1f}"
    half = t.ppf(0.975, len(values) - 1) * stdev(values) / len(values) ** 0.5
    return f"{fmean(values):+.1f} [{fmean(values) - half:.1f}, {fmean(values) + half:.1f}]"


def main() -> None:
    """Do what the first word says."""
    what, root, *rest = sys.argv[1:]
    listed = [word.split(",") for word in rest]
    if what == "run":
        names, draws = (*listed, [], [])[:2]
        run_suite(Path(root), names, [int(draw) for draw in draws])
    elif what == "trials":
        rows = read_trials(Path(root))
        say(",".join(rows[0]))
        for row in rows:
            say(",".join(row.values()))
    else:
        for line in tables(read_csv(Path(root))):
            say(line)


if __name__ == "__main__":
    check_usage(__doc__, 2, 4)
    main()
