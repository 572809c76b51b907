"""Tables and pictures of when synthetic data help, from the trials of benchmarks/regimes.toml.

    python -m benchmarks.regimes collect STORE benchmarks/results/regimes/trials.csv
    python -m benchmarks.regimes draw benchmarks/results/regimes/trials.csv docs/images

``collect`` writes a row per trial, those of ceilings included, which a report leaves out of its
CSV. AA is over the classes with at least 25 test pixels in every draw of the scene and protocol,
``aa_all`` over every class. ``draw`` writes regimes_seen.png (gain in AA over ``none``
in fields that hold training pixels, by labels per class × placement, scene and generator),
regimes_axes.png (the other axes, one at a time), and prints the
means of the SVM with 95 % t intervals over the draws.
"""

from __future__ import annotations

import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.common import check_usage, markdown, read_csv, say, write_csv
from hsiaug.metrics.significance import t_interval
from hsiaug.protocol.audit import large_classes
from hsiaug.trial.store import Store

KS = (1, 2, 3, 5, 10, 20)
PLACEMENTS = ("clump", "per field", "scattered")
SCORES = {"aa": "AA", "aa_seen": "AA seen", "aa_new": "AA new", "oa": "OA"}
SCENES = {
    "indian_pines": "Indian Pines",
    "houston_crop": "Houston crop",
    "pavia_crop": "Pavia crop",
    "jasper_ridge": "Jasper Ridge",
}
COLOURS = {
    "duplicate": "#999999",
    "smote": "#4477aa",
    "pseudo": "#ee6677",
    "txt2hsi": "#228833",
    "txt2hsi, pure noise": "#aa3377",
    "txt2hsi, no unlabelled pixel": "#222222",
    "true-labels": "#aa8822",
}
"""Of a generator, in every panel."""
MARKS = "os^DvP"
"""Of the lines of a panel, in this order."""
TEACHER = "teacher"
"""A classifier without samples, which stands among the arms of the SVM."""
Row = dict[str, str]


@dataclass(frozen=True)
class Cell:
    """Where an arm was run. labels: per class, ``6-60`` from the rarest to the commonest."""

    scene: str
    classifier: str
    view: str
    labels: str
    placement: str


Arms = dict[str, dict[int, Row]]
Gains = dict[str, dict[str, list[float]]]
"""Of each generator and score: paired differences to ``none`` in points, one per draw."""


def main() -> None:
    command, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    if command == "collect":
        records = Store(source).read().records
        counts = defaultdict(list)
        for record in records:
            if "metrics" in record:
                counts[ground_of(record)].append(record["metrics"]["n_test"])
        large = {ground: large_classes(own)[0] for ground, own in counts.items()}
        rows = [row_of(record, large.get(ground_of(record), ())) for record in records]
        write_csv(
            target,
            sorted(rows, key=lambda row: (row["scene"], row["protocol"], row["seed"], row["hash"])),
        )
        return
    rows = read_csv(source)
    found = {cell: gains(arms) for cell, arms in cells(rows).items()}
    grid(found, "aa_seen", target / "regimes_seen.png")
    axes(found, target / "regimes_axes.png")
    for line in [*means(found), *placements(rows)]:
        say(line)


def ground_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """The scene and the protocol of a record."""
    spec = record["spec"]
    return spec["scene"]["name"], f"{spec['protocol']['name']}:{spec['protocol']['argument']}"


def average(recall: Sequence[float | None], large: Sequence[int]) -> float | None:
    """Mean recall over the classes ``large``; None where none of them has test pixels."""
    known = [value for c in large if (value := recall[c - 1]) is not None]
    return round(fmean(known), 5) if known else None


def said(recall: Sequence[float | None]) -> str:
    """The recall of each class, ``-`` where it has no test pixel."""
    return " ".join("-" if value is None else f"{value:.4f}" for value in recall)


def row_of(record: Mapping[str, Any], large: Sequence[int]) -> dict[str, Any]:
    """What the pictures need of a record. large: ids of the classes that AA is over."""
    spec, metrics = record["spec"], record.get("metrics") or {}
    fields = metrics.get("fields") or {}
    scene, protocol = ground_of(record)
    return {
        "hash": record["hash"],
        "status": record["status"],
        "scene": scene,
        "protocol": protocol,
        "seed": spec["seed"],
        "generator": label(spec["generator"]),
        "diagnosis": spec.get("diagnosis", False),
        "classifier": spec["classifier"]["name"],
        "view": spec.get("view", "raw"),
        "view_shown": (record.get("spectral_view") or {}).get("name"),
        "lambda": spec["lambda"],
        "large": " ".join(map(str, large)),
        "recall": (
            said(metrics["recall"]) if metrics and spec["generator"]["name"] == "none" else None
        ),
        "oa": rounded(metrics.get("oa")),
        "aa": average(metrics["recall"], large) if metrics else None,
        "aa_all": rounded(metrics.get("aa")),
        **{
            f"aa_{where}": average(fields[where]["recall"], large) if fields.get(where) else None
            for where in ("seen", "new")
        },
        "error": (record.get("error") or {}).get("message", "").split(".")[0],
    }


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)


def label(generator: dict[str, Any]) -> str:
    """The generator, and which variant of it the suite runs."""
    name, params = generator["name"], generator["params"]
    if name == "true-labels":
        return f"{name}, {100 * params['wrong']:g} % wrong"
    if name == "txt2hsi" and not params["pseudo"]:
        return f"{name}, no unlabelled pixel"
    return str(name)


def cells(rows: Iterable[Row]) -> dict[Cell, Arms]:
    """The trials that went well, by where they were run, generator and draw."""
    found: dict[Cell, Arms] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row["status"] != "ok" or row["classifier"] == "coords":
            continue
        cell, arm = cell_of(row), row["generator"]
        if cell.classifier == TEACHER:  # its own map is a control of the SVM's arms
            cell, arm = replace(cell, classifier="svm", view="auto"), TEACHER
        found[cell][arm][int(row["seed"])] = row
    return found


def cell_of(row: Row) -> Cell:
    """``kshot:5x5`` is five labels per class, one per field."""
    labels, fields = re.fullmatch(r".*kshot:([0-9-]+)(x[0-9]+)?", row["protocol"]).groups()  # type: ignore[union-attr]
    random = row["protocol"].startswith("random")
    return Cell(
        row["scene"],
        row["classifier"],
        row["view"],
        labels,
        "scattered" if random else "per field" if fields else "clump",
    )


def gains(arms: Arms) -> Gains:
    """Differences to none in the draws that both have, of every arm; ``none`` itself holds its
    scores.
    """
    plain = arms.get("none", {})
    found: Gains = {"none": {score: scores(plain.values(), score) for score in SCORES}}
    for name, by_draw in arms.items():
        pairs = [(by_draw[seed], plain[seed]) for seed in sorted(by_draw) if seed in plain]
        if name != "none" and pairs:
            found[name] = {
                score: [
                    100 * (float(a[score]) - float(b[score]))
                    for a, b in pairs
                    if a[score] and b[score]
                ]
                for score in SCORES
            }
    return found


def scores(rows: Iterable[Row], score: str) -> list[float]:
    return [100 * float(row[score]) for row in rows if row[score]]


def grid(found: dict[Cell, Gains], score: str, path: Path) -> None:
    """A heat map per scene and generator: labels across, placement down; bold where the interval
    leaves out 0.
    """
    from matplotlib.figure import Figure

    generators = ("duplicate", "smote", "pseudo")
    figure = Figure(figsize=(12.5, 5), layout="constrained")
    panels = figure.subplots(len(generators), len(SCENES), squeeze=False)
    image: Any = None
    for row, generator in zip(panels, generators, strict=True):
        for panel, scene in zip(row, SCENES, strict=True):
            values = [
                [of(found, scene, "svm", str(k), p, generator, score) for k in KS]
                for p in PLACEMENTS
            ]
            means = [[fmean(v) if v else math.nan for v in line] for line in values]
            image = panel.imshow(means, cmap="RdBu", vmin=-15, vmax=15, aspect="auto")
            annotate(panel, values)
            panel.set_xticks(range(len(KS)), [str(k) for k in KS])
            panel.set_yticks(
                range(len(PLACEMENTS)), PLACEMENTS if panel is row[0] else [""] * len(PLACEMENTS)
            )
            panel.set_title(f"{SCENES[scene]}: {generator}", fontsize=9)
            panel.tick_params(labelsize=8, length=0)
    where = "seen fields" if score == "aa_seen" else "new fields"
    figure.suptitle(
        f"svm: gain in AA in {where} over none (points), by labels per class and where they lie",
        fontsize=10,
    )
    figure.colorbar(image, ax=panels, fraction=0.02, pad=0.01).ax.tick_params(labelsize=8)
    figure.savefig(path, dpi=100)


def of(
    found: dict[Cell, Gains],
    scene: str,
    classifier: str,
    labels: str,
    placement: str,
    generator: str,
    score: str,
) -> list[float]:
    """The differences of one entry; one label is a clump and one per field alike."""
    placement = "clump" if labels == "1" and placement == "per field" else placement
    return (
        found.get(Cell(scene, classifier, "auto", labels, placement), {})
        .get(generator, {})
        .get(score, [])
    )


def annotate(panel: Any, values: list[list[list[float]]]) -> None:
    """The mean of each entry, bold where its interval leaves out 0."""
    for y, line in enumerate(values):
        for x, entry in enumerate(line):
            if entry:
                mean = fmean(entry)
                colour = "white" if abs(mean) > 11 else "black"
                weight = "bold" if clear(entry) else "normal"
                text = f"{mean:+.1f}"
                panel.text(
                    x, y, text, ha="center", va="center", fontsize=7.5, weight=weight, color=colour
                )


def clear(values: list[float]) -> bool:
    """Whether the 95 % t interval of the mean leaves out 0."""
    interval = t_interval(values)
    return interval is not None and interval[0] * interval[1] > 0


Line = tuple[str, str, Sequence[list[float]]]
"""A name, a colour, and the differences at each place."""


def axes(found: dict[Cell, Gains], path: Path) -> None:
    """Five panels: imbalance, wrong labels, learners, and generators with both classifiers."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.5, 7.6), layout="constrained")
    panels = figure.subplots(2, 3).ravel()
    scenes = list(SCENES)

    ratios = {"20": "1:1", "6-60": "10:1", "3-123": "41:1"}
    lines: list[Line] = [
        (g, COLOURS[g], [pooled(found, scenes, "svm", k, g) for k in ratios])
        for g in ("duplicate", "smote", "pseudo")
    ]
    lined(
        panels[0],
        "Imbalance, about 20 labels per class (svm, four scenes)",
        list(ratios.values()),
        lines,
    )

    wrong = (0, 15, 30, 50)
    lines = [
        (
            SCENES[s],
            COLOURS["true-labels"],
            [of(found, s, "svm", "5", "clump", f"true-labels, {w} % wrong", "aa") for w in wrong],
        )
        for s in scenes
    ]
    lined(
        panels[1],
        "Diagnosis: real patches, wrong labels (svm, k = 5)",
        [f"{w} %" for w in wrong],
        lines,
    )

    ks = ("1", "5", "20")
    places = [f"{s}\nk = {k}" for s in ("Indian", "Houston") for k in ks]
    lines = [
        (
            c,
            COLOURS["pseudo"],
            [of(found, s, c, k, "clump", "pseudo", "aa") for s in scenes[:2] for k in ks],
        )
        for c in ("svm", "cnn2d", "self-training")
    ]
    lined(panels[2], "What pseudo gives each learner (clumps)", places, lines, joined=False)

    for panel, classifier in zip(panels[3:5], ("svm", "cnn2d"), strict=True):
        names = [g for g in COLOURS if g not in ("duplicate", "true-labels")]
        lines = [
            (g, COLOURS[g], [of(found, scenes[0], classifier, k, "clump", g, "aa") for k in ks])
            for g in names
        ]
        lined(
            panel,
            f"Generators, Indian Pines (clumps, {classifier})",
            [f"k = {k}" for k in ks],
            lines,
            joined=False,
        )
    for panel in (panels[0], panels[3]):
        panel.set_ylabel("gain in AA over none (points)", fontsize=8)
    panels[5].axis("off")
    figure.savefig(path, dpi=100)


def pooled(
    found: dict[Cell, Gains], scenes: Sequence[str], classifier: str, labels: str, generator: str
) -> list[float]:
    """The mean of each scene: draws of one scene are no draws of another."""
    by_scene = [of(found, scene, classifier, labels, "clump", generator, "aa") for scene in scenes]
    return [fmean(values) for values in by_scene if values]


def lined(
    panel: Any, title: str, places: Sequence[str], lines: Sequence[Line], *, joined: bool = True
) -> None:
    """Means with 95 % t intervals, side by side, each line with its mark; lines without any value
    are left out.
    """
    shown = [line for line in lines if any(line[2])]
    for i, (name, colour, entries) in enumerate(shown):
        offset = 0.12 * (i - (len(shown) - 1) / 2)
        kept = [(x + offset, values) for x, values in enumerate(entries) if values]
        means = [fmean(values) for _, values in kept]
        spans = [t_interval(values) or (m, m) for (_, values), m in zip(kept, means, strict=True)]
        errors = [[m - low for m, (low, _) in zip(means, spans, strict=True)]]
        errors.append([high - m for m, (_, high) in zip(means, spans, strict=True)])
        style = MARKS[i] + ("-" if joined else "")
        panel.errorbar(
            [x for x, _ in kept],
            means,
            errors,
            fmt=style,
            color=colour,
            label=name,
            markersize=4,
            lw=1,
            capsize=2,
        )
    panel.axhline(0, color="black", lw=0.6)
    panel.set_xticks(range(len(places)), places, fontsize=7)
    panel.tick_params(axis="y", labelsize=8)
    panel.set_title(title, fontsize=9)
    panel.legend(
        fontsize=7, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.11), ncols=3
    )


def placements(rows: Iterable[Row]) -> Iterator[str]:
    """What the labels alone give the SVM: by placement, and differences of placements over the
    classes of both.
    """
    plain: dict[tuple[str, str, str], dict[str, list[str]]] = defaultdict(dict)
    large: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        if row["recall"] and row["classifier"] == "svm":
            plain[row["scene"], row["protocol"], row["view"]][row["seed"]] = row["recall"].split()
            large[row["scene"], row["protocol"]] = set(map(int, row["large"].split()))

    def over(scene: str, protocol: str, classes: Iterable[int], view: str = "auto") -> list[float]:
        own = plain[scene, protocol, view]
        return [100 * fmean(float(own[seed][c - 1]) for c in classes) for seed in sorted(own)]

    places = {"clump": "kshot:{}", "scattered": "random-twin:kshot:{}"}
    yield "## What the labels alone give\n"
    yield (
        "AA of `none` in percent, SVM, over the classes that are large in every column of both"
        " placements.\n"
    )
    lines = []
    for scene, name in SCENES.items():
        both = set.intersection(
            *(large[scene, text.format(k)] for text in places.values() for k in KS)
        )
        for place, text in places.items():
            scores = (f"{fmean(over(scene, text.format(k), both)):.1f}" for k in KS)
            lines.append((name, str(len(both)), place, *scores))
    yield from markdown(("scene", "classes", "placement", *(f"K = {k}" for k in KS)), lines)
    yield "\nDifferences, paired by draw, over the classes that are large in both:\n"
    pairs = (
        ("5 scattered − 5 in a clump", "random-twin:kshot:5", "kshot:5", "auto"),
        ("5 per field − 5 in a clump", "kshot:5x5", "kshot:5", "auto"),
        ("20 in a clump − 5 in a clump", "kshot:20", "kshot:5", "auto"),
        *(
            (f"{p}: chosen view − raw", p, p, "raw")
            for p in ("kshot:5", "random-twin:kshot:5", "random-twin:kshot:20")
        ),
    )
    lines = []
    for title, more, less, view in pairs:
        differences = []
        for scene in SCENES:
            both = large[scene, more] & large[scene, less]
            two = zip(over(scene, more, both), over(scene, less, both, view), strict=True)
            differences.append(f"{entry([a - b for a, b in two])}, {len(both)} classes")
        lines.append((title, *differences))
    yield from markdown(("difference", *SCENES.values()), lines)
    yield ""


def means(found: dict[Cell, Gains]) -> Iterator[str]:
    """A row per scene and generator: its gain for the SVM in the mean of all cells of labels and
    placement.
    """
    generators, shown = ("duplicate", "smote", "pseudo", TEACHER), ("aa", "aa_seen", "aa_new")
    kept = [
        (c, g)
        for c, g in found.items()
        if (c.classifier, c.view) == ("svm", "auto") and c.labels.isdigit()
    ]
    rows = []
    for scene, name in SCENES.items():
        for generator in generators:
            own = [g[generator] for c, g in kept if c.scene == scene and generator in g]
            by_draw = {
                score: [fmean(draw) for draw in zip(*whole(g[score] for g in own), strict=True)]
                for score in shown
            }
            cell_count = len(whole(g["aa"] for g in own))
            rows.append(
                (name, generator, str(cell_count), *(entry(by_draw[score]) for score in shown))
            )
    yield "## Means of the SVM's cells\n"
    yield (
        "Gain over `none` in points (95 % t interval over the draws, each the mean of its cells).\n"
    )
    yield from markdown(("scene", "generator", "cells", *(SCORES[score] for score in shown)), rows)
    yield ""


def whole(cells: Iterable[list[float]]) -> list[list[float]]:
    """The cells in which every draw has the score: a class with no test pixel in new fields leaves
    others out.
    """
    kept = list(cells)
    most = max(map(len, kept), default=0)
    return [cell for cell in kept if len(cell) == most]


def entry(values: list[float]) -> str:
    """``+3.1 [1.0, 5.2]``."""
    interval = t_interval(values) if values else None
    mean = f"{fmean(values):+.1f}" if values else "–"
    text = mean if interval is None else f"{mean} [{interval[0]:.1f}, {interval[1]:.1f}]"
    return text.replace("-", "−")


if __name__ == "__main__":
    check_usage(__doc__, 3, 3)
    main()
