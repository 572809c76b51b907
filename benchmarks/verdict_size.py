"""Size and power of verdicts: how often a table says that an arm gains or helps, where none does
and where one does.

    python -m benchmarks.verdict_size benchmarks/results/txt2hsi_bar/version_5.csv

Tables are resampled from twenty committed draws of four scenes: whole draws with replacement,
the mean of each arm removed, so that arms are as correlated and as unequal in spread as in the
records. A draw is as likely to be taken with all signs exchanged, which is the null hypothesis;
the column "skew kept" takes draws as they are. An arm is a generator at λ = 1 with one
classifier on one scene; arms of one scene and classifier share their controls. Beside the rule
of docs/statistics.md stands the one before: Wilcoxon's signed-rank test with Holm's correction
over arms, each with the largest p over its controls, and a t interval corrected likewise that
leaves out 0.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t, wilcoxon

from benchmarks.common import check_usage, markdown, read_csv, say
from hsiaug.metrics.significance import ALPHA, max_t

TABLES = 1000
"""Tables of each case; a share of .05 has a standard error of .007."""
DRAWS = (7, 10)
ARMS = (1, 4, 12, 24)
GAIN = 2.0
"""Gain of an arm that helps, in standard deviations of its paired differences to a control."""
FAR = 20.0
"""Points of AA by which controls that do not decide lie below."""
CONTROLS = ("none", "duplicate", "pseudo")

Array = NDArray[np.float64]


class Source(NamedTuple):
    """The draws of a scene with one classifier: names of arms, and (draws, names) AA in points, the
    means removed.
    """

    names: list[str]
    scores: Array


def read_sources(path: Path) -> list[Source]:
    """A source for each scene and classifier of the file that has all controls."""
    found: dict[tuple[str, str], dict[str, dict[int, float]]] = {}
    for row in read_csv(path):
        if row["status"] == "ok" and float(row["lambda"]) in (0.0, 1.0):
            group = found.setdefault((row["scene"], row["classifier"]), {})
            group.setdefault(row["arm"], {})[int(row["seed"])] = 100 * float(row["aa"])
    sources = []
    for group in found.values():
        if set(CONTROLS) <= set(group):
            seeds = sorted(set.intersection(*(set(scores) for scores in group.values())))
            scores = np.array([[group[name][seed] for name in group] for seed in seeds])
            sources.append(Source(list(group), scores - scores.mean(axis=0)))
    return sources


class Case(NamedTuple):
    """A resampled table. differences: (draws, arms, controls) in points. groups: (arms,) scene and
    classifier of each arm, as an index. spread: standard deviation of the differences of the first
    arm, in the mean over its controls.
    """

    differences: Array
    groups: NDArray[np.int64]
    spread: float


def resample(
    sources: list[Source], draws: int, arms: int, rng: np.random.Generator, mirror: bool = True
) -> Case:
    """A table in which every arm is as good as each of its controls."""
    places = [
        (g, name)
        for g, source in enumerate(sources)
        for name in source.names
        if name not in CONTROLS
    ]
    chosen = [places[i] for i in rng.choice(len(places), arms, replace=arms > len(places))]
    rows = {
        g: rng.integers(len(sources[g].scores), size=draws)
        for g in dict.fromkeys(g for g, _ in chosen)
    }
    signs = {
        g: rng.choice([-1.0, 1.0], size=(draws, 1)) if mirror else np.ones((draws, 1)) for g in rows
    }
    differences = np.empty((draws, arms, len(CONTROLS)))
    for j, (g, name) in enumerate(chosen):
        source = sources[g]
        drawn = signs[g] * source.scores[rows[g]]
        for k, control in enumerate(CONTROLS):
            differences[:, j, k] = (
                drawn[:, source.names.index(name)] - drawn[:, source.names.index(control)]
            )
    # Draws that were drawn twice must not tie: Wilcoxon's exact p would be another.
    differences += rng.normal(size=(draws, arms, 1)) * 1e-6
    g, name = chosen[0]
    scores, names = sources[g].scores, sources[g].names
    spread = np.mean(
        [np.std(scores[:, names.index(name)] - scores[:, names.index(c)], ddof=1) for c in CONTROLS]
    )
    return Case(differences, np.array([g for g, _ in chosen]), float(spread))


def shown_now(differences: Array) -> NDArray[np.bool_]:
    """(arms, controls) whether an arm is shown above a control, by the rule of hsiaug."""
    shown = np.zeros(differences.shape[1:], bool)
    for question in (slice(0, 1), slice(1, None)):
        asked = differences[:, :, question]
        family = [dict(enumerate(column)) for column in asked.reshape(len(asked), -1).T.tolist()]
        found = [one.corrected is not None and one.corrected < ALPHA for one in max_t(family)]
        shown[:, question] = np.reshape(found, asked.shape[1:])
    return shown & (differences.mean(axis=0) > 0)


def shown_before(differences: Array) -> NDArray[np.bool_]:
    """(arms,) whether an arm is shown above all of these controls, by Wilcoxon's test with Holm's
    correction.
    """
    n, arms = differences.shape[:2]
    p = wilcoxon(differences, axis=0, method="exact").pvalue.max(axis=1)
    factor = np.empty(arms)
    factor[np.argsort(p, kind="stable")] = np.arange(arms, 0, -1)
    order = np.argsort(p, kind="stable")
    raised = np.empty(arms)
    raised[order] = np.minimum(np.maximum.accumulate((factor * p)[order]), 1)
    mean, error = differences.mean(axis=0), differences.std(axis=0, ddof=1) / np.sqrt(n)
    beyond = mean > t.ppf(1 - ALPHA / 2 / (raised / p), n - 1)[:, None] * error
    return np.asarray((raised < ALPHA) & beyond.all(axis=1))


def rows_of(sources: list[Source]) -> Iterator[list[str]]:
    """A row of the table for each number of draws and arms."""
    for draws in DRAWS:
        for arms in ARMS:
            rng = np.random.default_rng([draws, arms])
            counts = {
                key: np.zeros(2)
                for key in ("gain", "help", "differing", "skew", "gain found", "help found")
            }
            for _ in range(TABLES):
                case = resample(sources, draws, arms, rng)
                d = case.differences
                counts["gain"] += shown_now(d[:, :, :1]).any(), shown_before(d[:, :, :1]).any()
                hardest = rng.integers(len(CONTROLS), size=len(sources))
                skewed = resample(sources, draws, arms, rng, mirror=False).differences
                cases = [
                    ("help", d, hardest[:1]),
                    ("differing", d, hardest[case.groups]),
                    ("skew", skewed, hardest[:1]),
                ]
                for key, own, deciding in cases:
                    far = own + FAR * (np.arange(len(CONTROLS)) != deciding[:, None])
                    counts[key] += shown_now(far).all(axis=1).any(), shown_before(far).any()
                d[:, 0] += GAIN * case.spread
                counts["gain found"] += shown_now(d[:, :, :1])[0, 0], shown_before(d[:, :, :1])[0]
                counts["help found"] += shown_now(d)[0].all(), shown_before(d)[0]
            shares = [
                f"{now / TABLES:.3f} ({before / TABLES:.3f})" for now, before in counts.values()
            ]
            yield [str(draws), str(arms), *shares]


def main(path: Path) -> None:
    """Print the table."""
    header = [
        "draws",
        "arms",
        "gains: false",
        "helps: false",
        "hardest control differs",
        "skew kept",
    ]
    header += ["gains: true", "helps: true"]
    say("# Size and power of verdicts\n")
    say(
        f"Share of {TABLES} tables in which an arm is said to; in brackets by Wilcoxon and Holm."
        f" True: {GAIN:g} sd.\n"
    )
    for line in markdown(header, rows_of(read_sources(path))):
        say(line)


if __name__ == "__main__":
    check_usage(__doc__, 1, 1)
    main(Path(sys.argv[1]))
