"""Test the claims C1 to C7 of the paper behind txt2hsi on the records of txt2hsi_claims.toml.

    hsiaug benchmark benchmarks/txt2hsi_claims.toml
    python -m benchmarks.txt2hsi_claims STORE

Reads the store, looks at the samples of its draws with ``hsiaug inspect`` (fits come from the
store's cache), and writes claims.md, trials.csv and quality.csv to
benchmarks/results/txt2hsi_claims/. All differences are paired over draws; the paper's own numbers
are not public, so only the direction of each claim is tested.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, hsiaug, markdown, say, write_csv
from benchmarks.txt2hsi_arms import (
    LAMBDA,
    OMEGA,
    Arm,
    Arms,
    Difference,
    Series,
    difference,
    plain,
    read,
    usual,
    worst,
)
from benchmarks.txt2hsi_quality import looked_at, quality_table
from hsiaug.metrics.significance import mean_std
from hsiaug.trial.store import Store

OUT = HERE / "results" / "txt2hsi_claims"
CLASSIFIERS = ("svm", "cnn2d")
KEPT = (
    "hash",
    "status",
    "protocol",
    "protocol_argument",
    "seed",
    "generator",
    "generator_params",
    "classifier",
    "view_shown",
    "lambda",
    "omega",
    "oa",
    "aa",
    "kappa",
    "seconds",
)
"""Columns of trials.csv."""
SEMISUPERVISED = ("self-training", "label-spreading", "fixmatch")
LOOKED_AT = ("sad", "js", "frechet", "c2st", "nearer", "copies", "diversity")

Rows = Iterator[Sequence[str]]


def compared(label: str, ours: Series, theirs: Series, metrics: Sequence[str]) -> Sequence[str]:
    """The differences of two arms, and the verdict on the claim that all of them are gains."""
    found = [difference(ours, theirs, metric) for metric in metrics]
    return (label, *map(str, found), worst(d.verdict() for d in found))


def claim_1(arms: Arms, protocol: str) -> Rows:
    """cnn2d on real and synthetic samples against every other classifier on the real ones."""
    ours = arms[usual(protocol, "cnn2d")]
    for rival in ("svm", "rf", "cnn2d", *SEMISUPERVISED):
        theirs = arms.get(plain(protocol, rival))
        if theirs:
            yield compared(f"cnn2d + txt2hsi − {rival}", ours, theirs, ("oa", "aa", "kappa"))


def claim_2(arms: Arms, protocol: str) -> Rows:
    """ω from 0 on, at the protocol's λ."""
    yield from _sweep(
        arms, protocol, "ω", lambda arm: arm.omega, lambda arm: arm.lam == LAMBDA[protocol]
    )


def claim_3(arms: Arms, protocol: str) -> Rows:
    """λ from 0 on, at the usual ω."""
    yield from _sweep(arms, protocol, "λ", lambda arm: arm.lam, lambda arm: arm.omega == OMEGA)


def _sweep(
    arms: Arms,
    protocol: str,
    sign: str,
    key: Callable[[Arm], float | None],
    fixed: Callable[[Arm], bool],
) -> Rows:
    for classifier in CLASSIFIERS:
        guided = replace(usual(protocol, classifier), omega=0.0)
        first = arms.get(guided if sign == "ω" else plain(protocol, classifier))
        swept = {
            key(arm): series
            for arm, series in arms.items()
            if (arm.protocol, arm.classifier, arm.generator) == (protocol, classifier, "txt2hsi")
            and not arm.settings
            and fixed(arm)
        }
        if first is None or len(swept) < 3:
            continue
        swept[0.0] = first
        yield (classifier, *_best_of(sign, swept, first))


def _best_of(sign: str, swept: Mapping[Any, Series], first: Series) -> Sequence[str]:
    """OA by value, the best value, its gain over the first, and the verdict."""
    shared = sorted(set.intersection(*(set(s) for s in swept.values())))
    values = sorted(v for v in swept if v is not None)
    oa = {v: mean_std([100 * swept[v][d]["oa"] for d in shared]).mean for v in values}
    best = max(values, key=oa.__getitem__)
    gain = Difference(tuple(_unseen_gain(swept, first, d, shared) for d in shared))
    interior = best not in (values[0], values[-1])
    curve = " ".join(f"{v:g}: {oa[v]:.1f}" for v in values)
    place = f"{sign} = {best:g}, {'interior' if interior else 'at the end'}"
    return curve, place, str(gain), gain.verdict() if interior else "fails"


def _unseen_gain(
    swept: Mapping[Any, Series], first: Series, draw: int, draws: Sequence[int]
) -> float:
    """ΔOA on one draw at the value that is best on the others: a value picked on the draw itself
    would flatter.
    """
    others = [d for d in draws if d != draw]
    best = max(swept, key=lambda v: sum(swept[v][d]["oa"] for d in others))
    return 100 * float(swept[best][draw]["oa"] - first[draw]["oa"])


def claim_4(arms: Arms, protocol: str) -> Rows:
    """Fine text against coarse, and both together against the class's number alone."""
    for classifier in CLASSIFIERS:
        coarse, fine, number = (
            arms.get(usual(protocol, classifier, text=text))
            for text in ("coarse", "fine", "number")
        )
        if fine and coarse:
            yield compared(f"{classifier}: fine − coarse", fine, coarse, ("oa", "aa"))
        if number:
            yield compared(
                f"{classifier}: both − class id",
                arms[usual(protocol, classifier)],
                number,
                ("oa", "aa"),
            )


def claim_5(arms: Arms, protocol: str) -> Rows:
    """Each classifier with synthetic samples against itself without."""
    gains = {}
    for classifier in CLASSIFIERS:
        ours, without = arms[usual(protocol, classifier)], arms[plain(protocol, classifier)]
        gains[classifier] = difference(ours, without, "oa")
        yield compared(f"{classifier} + txt2hsi − {classifier}", ours, without, ("oa", "aa"))
    more = Difference(
        tuple(c - s for c, s in zip(gains["cnn2d"].values, gains["svm"].values, strict=True))
    )
    yield ("gain of cnn2d − gain of svm", str(more), "", more.verdict())


def claim_6(arms: Arms, protocol: str) -> Rows:
    """The spread of the recalls, which should shrink, and the least of them, which should grow."""
    for classifier in CLASSIFIERS:
        ours, without = arms[usual(protocol, classifier)], arms[plain(protocol, classifier)]
        spread, least = difference(ours, without, "spread"), difference(ours, without, "worst")
        yield (classifier, str(spread), str(least), worst((spread.verdict(-1), least.verdict())))


DELTAS = ("", "ΔOA", "ΔAA", "")
CLAIMS: tuple[tuple[str, Callable[[Arms, str], Rows], tuple[str, ...]], ...] = (
    (
        "C1. Better than conventional, convolutional and semi-supervised classifiers",
        claim_1,
        ("", "ΔOA", "ΔAA", "Δκ × 100", ""),
    ),
    (
        "C2. An optimal ω inside the range raises OA",
        claim_2,
        ("", "OA by ω", "best", "ΔOA over ω = 0", ""),
    ),
    (
        "C3. An optimal λ inside the range raises OA",
        claim_3,
        ("", "OA by λ (0 = none)", "best", "ΔOA over none", ""),
    ),
    ("C4. Fine text helps more than coarse", claim_4, DELTAS),
    ("C5. Samples help SVM and 2D-CNN, the CNN more", claim_5, DELTAS),
    (
        "C6. Accuracy varies less across classes",
        claim_6,
        ("", "Δ std of recall", "Δ least recall", ""),
    ),
)

REAL = ("", "synthetic", "real held-out", "draws")
MEASURED: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("C7. Samples match real ones in statistics", LOOKED_AT, REAL),
    ("Labels of the samples", ("label agreement", "label oracle", "wrong labels by oracle"), REAL),
)

HEAD = """\
# Claims of the paper behind txt2hsi, tested on Indian Pines with few labels

Differences in points, mean over paired draws with the 95 % t interval. \
A claim *holds* where every difference has its sign and an interval clear of 0, *leans that way* \
where only the mean has, and else *fails*. The best ω and λ are shown over all \
draws; their gain on a draw is that of the value that is best on the others."""


def section(title: str, header: Sequence[str], rows_of: Callable[[str], Rows]) -> Iterator[str]:
    """A heading, and a table for each protocol that has rows."""
    yield from ("", title)
    for protocol in LAMBDA:
        rows = list(rows_of(protocol))
        if rows:
            yield from ("", f"`{protocol}`", "", *markdown(header, rows))


def page(arms: Arms, quality: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of claims.md."""
    yield HEAD
    for title, claim, header in CLAIMS:
        yield from section(f"## {title}", header, partial(claim, arms))
    for title, names, header in MEASURED:
        yield from section(f"## {title}", header, partial(quality_table, quality, names))


def main() -> None:
    store = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    arms = read(Store(store))
    (OUT / "claims.md").write_text("\n".join(page(arms, looked_at(store))) + "\n", encoding="utf-8")
    trials = csv.DictReader(
        hsiaug(["report", "--store", str(store), "--format", "csv"]).splitlines()
    )
    write_csv(OUT / "trials.csv", [{name: row[name] for name in KEPT} for row in trials])
    say(f"written: {OUT}")


if __name__ == "__main__":
    main()
