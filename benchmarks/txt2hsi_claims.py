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
import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hsiaug.metrics.significance import MIN_PAIRS, mean_std, paired_wilcoxon, t_interval
from hsiaug.plugins.card import build_params
from hsiaug.plugins.registry import registry
from hsiaug.trial.store import Store

OUT = Path(__file__).parent / "results" / "txt2hsi_claims"
PROTOCOLS = ("issd", "random:0.05")
DRAWS = range(5)
CLASSIFIERS = ("svm", "cnn2d")
VARIANTS = "## Variants − defaults, λ = 1"
SEMISUPERVISED = ("self-training", "label-spreading", "mean-teacher", "fixmatch")
OMEGA = 3.0
LOOKED_AT = ("sad", "js", "frechet", "c2st", "nearer", "copies", "diversity")

Metrics = Mapping[str, Any]
Series = Mapping[int, Metrics]


@dataclass(frozen=True)
class Arm:
    """What was trained: settings holds the parameters of the generator that are not at their defaults."""

    protocol: str
    classifier: str
    generator: str = "txt2hsi"
    lam: float = 1.0
    omega: float | None = OMEGA
    settings: frozenset[tuple[str, Any]] = field(default_factory=frozenset)


def read(store: Store) -> dict[Arm, dict[int, Metrics]]:
    """{arm: {draw: metrics}} of every trial that succeeded."""
    arms: dict[Arm, dict[int, Metrics]] = defaultdict(dict)
    for record in store.read().records:
        spec = record["spec"]
        if record["status"] != "ok":
            continue
        name = spec["generator"]["name"]
        recall = [r for r in record["metrics"]["recall"] if r is not None]
        arm = Arm(
            record["audit"]["protocol"],
            spec["classifier"]["name"],
            name,
            spec["lambda"],
            spec["omega"],
            changed(name, spec["generator"]["params"]),
        )
        spread = {"spread": float(np.std(recall, ddof=1)), "worst": float(min(recall))}
        arms[arm][spec["seed"]] = {**record["metrics"], **spread}
    return arms


def changed(name: str, params: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    """The parameters of a generator that are not at their defaults."""
    default = asdict(build_params(registry().find("generator", name).load().card, "cpu", {}))
    return frozenset((key, value) for key, value in params.items() if default.get(key) != value)


@dataclass(frozen=True)
class Difference:
    """a − b over the draws that both have, in points."""

    values: tuple[float, ...]
    p: float | None

    @property
    def mean(self) -> float:
        return mean_std(self.values).mean

    def __str__(self) -> str:
        interval = t_interval(self.values)
        text = f"{self.mean:+.1f}" + ("" if interval is None else f" [{interval[0]:+.1f}, {interval[1]:+.1f}]")
        return text + (f", p = {self.p:.3f}" if self.p is not None else "")

    def verdict(self, sign: int = 1) -> str:
        """Of the claim that the difference has that sign."""
        interval = t_interval(self.values)
        if self.mean * sign <= 0:
            return "fails"
        return "holds" if interval is not None and interval[0] * interval[1] > 0 else "leans that way"


def difference(a: Series, b: Series, metric: str) -> Difference:
    draws = sorted(set(a) & set(b))
    x, y = ([100 * part[d][metric] for d in draws] for part in (a, b))
    p = paired_wilcoxon(x, y) if len(draws) >= MIN_PAIRS else None
    return Difference(tuple(u - v for u, v in zip(x, y, strict=True)), p)


Rows = Iterator[Sequence[str]]
Arms = Mapping[Arm, Series]


def plain(protocol: str, classifier: str) -> Arm:
    """The same classifier on the real samples alone."""
    return Arm(protocol, classifier, "none", 0.0, None)


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


ORDER = ("fails", "leans that way", "holds")


def worst(verdicts: Iterator[str] | Sequence[str]) -> str:
    return min(verdicts, key=ORDER.index)


def looked_at(store: Path) -> list[dict[str, Any]]:
    """One row per protocol, draw and measure, from ``hsiaug inspect``; kept in quality.csv."""
    file = OUT / "quality.csv"
    if file.is_file():
        with file.open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))
    rows: list[dict[str, Any]] = []
    for protocol in PROTOCOLS:
        for draw in DRAWS:
            with tempfile.TemporaryDirectory() as folder:
                words = ["hsiaug", "inspect", "indian_pines", "--generator", "txt2hsi", "--protocol", protocol]
                words += ["--seed", str(draw), "--store", str(store), "--out", f"{folder}/look", "--json"]
                answer = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            rows += _quality_rows(protocol, draw, json.loads(answer))
            say(f"looked at {protocol}, draw {draw}")
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows


def _quality_rows(protocol: str, draw: int, answer: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    def row(name: str, label: str, value: Any, beside: Any) -> dict[str, Any]:
        shown = [None if v is None else float(f"{v:.4g}") for v in (value, beside)]
        return dict(zip(COLUMNS, (protocol, draw, name, label, *shown), strict=True))

    for m in answer["fidelity"]["measures"]:
        yield row(m["name"], m["label"], m["value"], m["floor"])
    for s in answer["reliability"]["scores"]:
        yield row(f"label {s['name']}", s["label"], s["value"], s["ceiling"])
        yield row(
            f"wrong labels by {s['name']}", f"{s['label']}: equivalent share of wrong labels", s["wrong"], 0.0
        )
    attention = answer["attention"]
    for side in ("training", "held-out"):
        score, floor = attention["class_words"].get(side), attention["shuffled"].get(side)
        if score and floor:
            for key in ("auc", "iou"):
                yield row(
                    f"attention {key}, {side}", f"cross-attention {key.upper()}, {side}", score[key], floor[key]
                )


COLUMNS = ("protocol", "draw", "name", "label", "value", "beside")


def quality_table(rows: Sequence[Mapping[str, Any]], names: Sequence[str], protocol: str) -> Rows:
    """Mean ± std of a measure and of the floor (or ceiling) that it stands beside."""
    for name in names:
        own = [r for r in rows if r["protocol"] == protocol and r["name"] == name]
        pairs = [(float(r["value"]), float(r["beside"])) for r in own if r["value"] not in ("", None)]
        if pairs:
            value, beside = (mean_std(part) for part in zip(*pairs, strict=True))
            yield (own[0]["label"], shown(value), shown(beside), str(len(pairs)))


def shown(value: Any) -> str:
    return f"{value.mean:.3g}" + ("" if value.std is None else f" ± {value.std:.2g}")


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


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + "---|" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def variants(arms: Arms) -> Iterator[str]:
    """The section of claims.md on each part of the method."""
    yield from ("", VARIANTS)
    header = ("", *(f"{c} {m}" for c in CLASSIFIERS for m in ("ΔOA", "ΔAA")))
    for name in PROTOCOLS:
        yield from ("", f"`{name}`", "", *table(header, list(parts(arms, name))))


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
                yield from ("", f"`{name}`", "", *table(header, rows))
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
            yield from ("", f"`{name}`", "", *table(header, list(quality_table(quality, names, name))))


def add(store: Path) -> None:
    """Add a store's trials to trials.csv, and write the section on variants anew from all of them."""
    fresh = subprocess.run(
        ["hsiaug", "report", str(store), "--format", "csv"], check=True, capture_output=True, text=True
    ).stdout
    with (OUT / "trials.csv").open(newline="", encoding="utf-8") as stream:
        rows = {row["hash"]: row for row in csv.DictReader(stream)}
    rows |= {row["hash"]: row for row in csv.DictReader(fresh.splitlines()) if row["hash"] not in rows}
    fields = list(dict.fromkeys(key for row in rows.values() for key in row))
    with (OUT / "trials.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fields, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
    text = (OUT / "claims.md").read_text("utf-8")
    start = text.index(VARIANTS)
    end = text.index("\n## ", start)
    section = "\n".join(variants(read_rows(rows.values()))).lstrip("\n")
    (OUT / "claims.md").write_text(text[:start] + section + "\n" + text[end:], encoding="utf-8")


def read_rows(rows: Iterable[Mapping[str, str]]) -> dict[Arm, dict[int, Metrics]]:
    """As :func:`read`, of rows of trials.csv: OA and AA alone."""
    arms: dict[Arm, dict[int, Metrics]] = defaultdict(dict)
    for row in rows:
        if row["status"] != "ok":
            continue
        arm = Arm(
            row["protocol"] if row["protocol"] != "random" else f"random:{row['protocol_argument']}",
            row["classifier"],
            row["generator"],
            float(row["lambda"]),
            float(row["omega"]) if row["omega"] else None,
            changed(row["generator"], json.loads(row["generator_params"])),
        )
        arms[arm][int(row["seed"])] = {"oa": float(row["oa"]), "aa": float(row["aa"])}
    return arms


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> None:
    store = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    if "--add" in sys.argv[2:]:
        add(store)
        return
    arms = read(Store(store))
    (OUT / "claims.md").write_text("\n".join(page(arms, looked_at(store))) + "\n", encoding="utf-8")
    report = ["hsiaug", "report", str(store), "--format", "csv", "--out", str(OUT / "trials.csv")]
    subprocess.run(report, check=True)
    say(f"written: {OUT}")


if __name__ == "__main__":
    main()
