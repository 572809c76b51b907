"""Test the claims C1 to C8 of the paper behind txt2hsi on the records of txt2hsi_claims.toml.

    hsiaug benchmark benchmarks/txt2hsi_claims.toml
    python -m benchmarks.txt2hsi_claims STORE [--add]

With --add the store holds some of the suite's runs only: they are added to the trials that are there.
Reads the store, looks at the samples of draws 0 to 4 with ``hsiaug inspect`` (fits come from the store's cache), and
writes claims.md, trials.csv, quality.csv and the curves to benchmarks/results/txt2hsi_claims/. All differences are
paired over draws; the paper's own numbers are not public, so only the direction of each claim is tested.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import HERE, hsiaug, markdown, read_csv, say, write_csv
from benchmarks.txt2hsi_arms import OMEGA, Arm, Arms, Difference, Series, difference, plain, read, read_rows, worst
from benchmarks.txt2hsi_quality import PROTOCOLS, looked_at, quality_table
from hsiaug.metrics.significance import mean_std
from hsiaug.trial.store import Store

OUT = HERE / "results" / "txt2hsi_claims"
CLASSIFIERS = ("svm", "cnn2d")
VARIANTS = "## Variants − defaults, λ = 1"
SEMISUPERVISED = ("self-training", "label-spreading", "mean-teacher", "fixmatch")
LOOKED_AT = ("sad", "js", "frechet", "c2st", "nearer", "copies", "diversity")

Rows = Iterator[Sequence[str]]


def claim_1(arms: Arms, protocol: str) -> Rows:
    """cnn2d on real and synthetic samples against every other classifier on the real ones."""
    ours = arms[Arm(protocol, "cnn2d")]
    for rival in ("svm", "rf", "cnn2d", *SEMISUPERVISED):
        theirs = arms.get(plain(protocol, rival))
        if theirs:
            found = [difference(ours, theirs, metric) for metric in ("oa", "aa", "kappa")]
            yield (f"cnn2d + txt2hsi − {rival}", *map(str, found), worst(d.verdict() for d in found))


def claim_2(arms: Arms, protocol: str) -> Rows:
    yield from _sweep(arms, protocol, "ω", lambda a: a.omega, lambda c: arms.get(Arm(protocol, c, omega=0.0)))


def claim_3(arms: Arms, protocol: str) -> Rows:
    yield from _sweep(arms, protocol, "λ", lambda a: a.lam, lambda c: arms.get(plain(protocol, c)))


def _sweep(
    arms: Arms,
    protocol: str,
    sign: str,
    key: Callable[[Arm], float | None],
    start: Callable[[str], Series | None],
) -> Rows:
    for classifier in CLASSIFIERS:
        first = start(classifier)
        swept = {
            key(arm): series
            for arm, series in arms.items()
            if arm.protocol == protocol
            and arm.classifier == classifier
            and arm.generator == "txt2hsi"
            and not arm.settings
            and (arm.lam == 1.0 if sign == "ω" else arm.omega == OMEGA)
        }
        if first is None or len(swept) < 3:
            continue
        swept[0.0] = first
        shared = sorted(set.intersection(*(set(s) for s in swept.values())))
        values = sorted(v for v in swept if v is not None)
        oa = {v: mean_std([100 * swept[v][d]["oa"] for d in shared]).mean for v in values}
        best = max(values, key=oa.__getitem__)
        gain = Difference(tuple(_unseen_gain(swept, first, d, shared) for d in shared), None)
        inside = "interior" if best not in (values[0], values[-1]) else "at the end"
        curve = " ".join(f"{v:g}: {oa[v]:.1f}" for v in values)
        verdict = gain.verdict() if inside == "interior" else "fails"
        yield (classifier, curve, f"{sign} = {best:g}, {inside}", str(gain), verdict)


def _unseen_gain(swept: Mapping[Any, Series], first: Series, draw: int, draws: Sequence[int]) -> float:
    """ΔOA on one draw at the value that is best on the others: a value picked on the draw itself would flatter."""
    others = [d for d in draws if d != draw]
    best = max(swept, key=lambda v: sum(swept[v][d]["oa"] for d in others))
    return 100 * float(swept[best][draw]["oa"] - first[draw]["oa"])


def claim_4(arms: Arms, protocol: str) -> Rows:
    for classifier in CLASSIFIERS:
        texts = {
            text: arms.get(Arm(protocol, classifier, settings=frozenset({("text", text)})))
            for text in ("coarse", "fine", "class-id")
        }
        both = arms[Arm(protocol, classifier)]
        fine, coarse, number = texts["fine"], texts["coarse"], texts["class-id"]
        if fine and coarse:
            found = [difference(fine, coarse, metric) for metric in ("oa", "aa")]
            yield (f"{classifier}: fine − coarse", *map(str, found), worst(d.verdict() for d in found))
        if number:
            found = [difference(both, number, metric) for metric in ("oa", "aa")]
            yield (f"{classifier}: both − class id", *map(str, found), worst(d.verdict() for d in found))


def claim_5(arms: Arms, protocol: str) -> Rows:
    gains = {}
    for classifier in CLASSIFIERS:
        ours, without = arms[Arm(protocol, classifier)], arms[plain(protocol, classifier)]
        gains[classifier] = gain = difference(ours, without, "oa")
        aa = difference(ours, without, "aa")
        yield (f"{classifier} + txt2hsi − {classifier}", str(gain), str(aa), worst((gain.verdict(), aa.verdict())))
    more = Difference(tuple(c - s for c, s in zip(gains["cnn2d"].values, gains["svm"].values, strict=True)), None)
    yield ("gain of cnn2d − gain of svm", str(more), "", more.verdict())


def claim_6(arms: Arms, protocol: str) -> Rows:
    for classifier in CLASSIFIERS:
        ours, without = arms[Arm(protocol, classifier)], arms[plain(protocol, classifier)]
        spread, least = difference(ours, without, "spread"), difference(ours, without, "worst")
        yield (classifier, str(spread), str(least), worst((spread.verdict(-1), least.verdict())))


def parts(arms: Arms, protocol: str) -> Rows:
    """Every variant of the generator against its defaults."""
    variants = sorted(
        {
            tuple(sorted(a.settings))
            for a in arms
            if a.generator == "txt2hsi" and a.settings and a.protocol == protocol
        }
    )
    for settings in variants:
        cells = []
        for classifier in CLASSIFIERS:
            ours = arms[Arm(protocol, classifier)]
            theirs = arms.get(Arm(protocol, classifier, settings=frozenset(settings)), {})
            cells += [str(difference(theirs, ours, m)) if theirs else "–" for m in ("oa", "aa")]
        yield (" ".join(f"`{name}={value}`" for name, value in settings), *cells)


CLAIMS: tuple[tuple[str, Callable[[Arms, str], Rows], tuple[str, ...]], ...] = (
    (
        "C1. Better than conventional, convolutional and semi-supervised classifiers",
        claim_1,
        ("", "ΔOA", "ΔAA", "Δκ × 100", ""),
    ),
    ("C2. An optimal ω inside the range raises OA", claim_2, ("", "OA by ω", "best", "ΔOA over ω = 0", "")),
    (
        "C3. An optimal λ inside the range raises OA",
        claim_3,
        ("", "OA by λ (0 = none)", "best", "ΔOA over none", ""),
    ),
    ("C4. Fine text helps more than coarse", claim_4, ("", "ΔOA", "ΔAA", "")),
    ("C5. Samples help SVM and 2D-CNN, the CNN more", claim_5, ("", "ΔOA", "ΔAA", "")),
    ("C6. Accuracy varies less across classes", claim_6, ("", "Δ std of recall", "Δ least recall", "")),
)


def variants(arms: Arms) -> Iterator[str]:
    """The section of claims.md on each part of the method."""
    yield from ("", VARIANTS)
    header = ("", *(f"{c} {m}" for c in CLASSIFIERS for m in ("ΔOA", "ΔAA")))
    for name in PROTOCOLS:
        yield from ("", f"`{name}`", "", *markdown(header, list(parts(arms, name))))


def page(arms: Arms, quality: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "# Claims of the paper behind txt2hsi, tested on Indian Pines"
    yield ""
    yield (
        "Differences in points, mean over paired draws with the 95 % t interval; p (Wilcoxon, uncorrected) from six "
        "draws on. A claim *holds* where every difference has its sign and an interval clear of 0, *leans that way* "
        "where only the mean has, and else *fails*. The best ω and λ are shown over all "
        "draws; their gain on a draw is that of the value that is best on the others."
    )
    for title, claim, header in CLAIMS:
        yield from ("", f"## {title}")
        for name in PROTOCOLS:
            rows = list(claim(arms, name))
            if rows:
                yield from ("", f"`{name}`", "", *markdown(header, rows))
    yield from variants(arms)
    for title, names in (
        ("C7. Samples match real ones in statistics", LOOKED_AT),
        ("Labels of the samples", ("label agreement", "label oracle", "wrong labels by oracle")),
        (
            "C8. Cross-attention follows the layout",
            tuple(f"attention {k}, {s}" for s in ("training", "held-out") for k in ("auc", "iou")),
        ),
    ):
        yield from ("", f"## {title}")
        for name in PROTOCOLS:
            header = (
                ("", "synthetic", "real held-out", "draws")
                if "C8" not in title
                else ("", "map", "words shuffled", "draws")
            )
            yield from ("", f"`{name}`", "", *markdown(header, list(quality_table(quality, names, name))))


def add(store: Path) -> None:
    """Add a store's trials to trials.csv, and write the section on variants anew from all of them."""
    file = OUT / "trials.csv"
    rows = {row["hash"]: row for row in read_csv(file)}
    fresh = csv.DictReader(hsiaug(["report", str(store), "--format", "csv"]).splitlines())
    rows |= {row["hash"]: row for row in fresh if row["hash"] not in rows}
    write_csv(file, list(rows.values()))
    text = (OUT / "claims.md").read_text("utf-8")
    start = text.index(VARIANTS)
    end = text.index("\n## ", start)
    section = "\n".join(variants(read_rows(rows.values()))).lstrip("\n")
    (OUT / "claims.md").write_text(text[:start] + section + "\n" + text[end:], encoding="utf-8")


def main() -> None:
    store = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    if "--add" in sys.argv[2:]:
        add(store)
        return
    arms = read(Store(store))
    (OUT / "claims.md").write_text("\n".join(page(arms, looked_at(store))) + "\n", encoding="utf-8")
    hsiaug(["report", str(store), "--format", "csv", "--out", str(OUT / "trials.csv")])
    say(f"written: {OUT}")


if __name__ == "__main__":
    main()
