"""Tables and pictures of when synthetic data help, from the trials of benchmarks/regimes.toml.

    python -m benchmarks.regimes benchmarks/results/regimes/trials.csv FOLDER

Writes regimes.png (gain in AA over ``none``, paired by draw, by k × placement, scene and generator), regimes_new.png (the
same in new fields) and regimes.md (the same numbers with 95 % t intervals, and the other axes) into FOLDER.
"""

from __future__ import annotations

import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.common import markdown, read_csv
from hsiaug.metrics.significance import t_interval

KS = (1, 2, 3, 5, 10, 20)
PLACEMENTS = ("clump", "per field", "scattered")
SCORES = {"aa": "AA", "aa_seen": "AA in seen fields", "aa_new": "AA in new fields", "oa": "OA"}
Row = dict[str, str]


@dataclass(frozen=True)
class Cell:
    """Where an arm was run. axis: ``k`` or another axis of the suite; value: along it."""

    scene: str
    classifier: str
    axis: str
    value: str
    placement: str


Gains = dict[Cell, dict[str, dict[str, list[float]]]]
"""Of each cell, generator and score: paired differences to ``none`` in points, one per draw."""


def main() -> None:
    rows, folder = read_csv(Path(sys.argv[1])), Path(sys.argv[2])
    found = gains(rows)
    for score, name in (("aa", "regimes"), ("aa_new", "regimes_new")):
        for classifier in sorted({cell.classifier for cell in found}):
            picture(found, classifier, score, folder / f"{name}_{classifier}.png")
    (folder / "regimes.md").write_text("\n".join(tables(found)) + "\n", encoding="utf-8")


def gains(rows: Sequence[Row]) -> Gains:
    """Paired differences; trials that failed, made nothing, or read no band are left out."""
    cells: dict[Cell, dict[str, dict[int, Row]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if row["status"] == "ok" and row["classifier"] != "coords":
            cells[cell_of(row)][row["generator"]][int(row["seed"])] = row
    return {
        cell: {name: differences(arms, name) for name in arms if name != "none"} for cell, arms in cells.items()
    }


def cell_of(row: Row) -> Cell:
    """``k5`` under ``random-twin:kshot:5`` is axis k, value 5, scattered."""
    axis, _, value = row["run"].rpartition("-") if "-" in row["run"] else ("k", "", row["run"][1:])
    places = re.search(r"x[0-9]+$", row["protocol_argument"])
    placement = "scattered" if row["protocol"] == "random-twin" else "per field" if places else "clump"
    return Cell(row["scene"], row["classifier"], axis, value, placement)


def differences(arms: dict[str, dict[int, Row]], name: str) -> dict[str, list[float]]:
    """By score, the differences of an arm to none in the draws that both have."""
    pairs = [(arms[name][seed], arms["none"][seed]) for seed in sorted(arms[name]) if seed in arms["none"]]
    return {
        score: [
            100 * (float(arm[score]) - float(none[score])) for arm, none in pairs if arm[score] and none[score]
        ]
        for score in SCORES
    }


def picture(found: Gains, classifier: str, score: str, path: Path) -> None:
    """A heat map per scene and generator: k across, placement down; bold where the interval leaves out 0."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    mine = {c: by for c, by in found.items() if c.classifier == classifier and c.axis == "k"}
    scenes = sorted({c.scene for c in mine})
    generators = sorted({name for by in mine.values() for name in by})
    figure, axes = plt.subplots(
        len(generators), len(scenes), figsize=(3.3 * len(scenes), 1.5 * len(generators) + 0.6), squeeze=False
    )
    image = None
    for row, generator in zip(axes, generators, strict=True):
        for axis, scene in zip(row, scenes, strict=True):
            values = [[value_of(mine, scene, classifier, k, p, generator, score) for k in KS] for p in PLACEMENTS]
            means = [[fmean(v) if v else math.nan for v in line] for line in values]
            image = axis.imshow(means, cmap="RdBu", vmin=-15, vmax=15, aspect="auto")
            annotate(axis, values)
            axis.set_xticks(range(len(KS)), [str(k) for k in KS])
            axis.set_yticks(range(len(PLACEMENTS)), PLACEMENTS if scene == scenes[0] else [""] * len(PLACEMENTS))
            axis.set_title(f"{scene}: {generator}", fontsize=8)
            axis.tick_params(labelsize=7, length=0)
    figure.suptitle(f"{classifier}: gain in {SCORES[score]} over none (points), by labels per class", fontsize=9)
    figure.tight_layout()
    figure.colorbar(image, ax=axes, fraction=0.02, pad=0.01).ax.tick_params(labelsize=7)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def value_of(
    found: Gains, scene: str, classifier: str, k: int, placement: str, generator: str, score: str
) -> list[float]:
    """The differences of one entry; one label is a clump and one per field alike."""
    placement = "clump" if k == 1 and placement == "per field" else placement
    cell = Cell(scene, classifier, "k", str(k), placement)
    return found.get(cell, {}).get(generator, {}).get(score, [])


def annotate(axis: object, values: list[list[list[float]]]) -> None:
    """The mean of each entry, bold where its interval leaves out 0."""
    for y, line in enumerate(values):
        for x, entry in enumerate(line):
            if entry:
                strong = "bold" if clear(entry) else "normal"
                axis.text(x, y, f"{fmean(entry):+.1f}", ha="center", va="center", fontsize=6.5, weight=strong)  # type: ignore[attr-defined]


def clear(values: list[float]) -> bool:
    """Whether the 95 % t interval of the mean leaves out 0."""
    interval = t_interval(values)
    return interval is not None and interval[0] * interval[1] > 0


def tables(found: Gains) -> Iterator[str]:
    """A Markdown table per scene, classifier and axis."""
    keys = sorted({(c.scene, c.classifier, c.axis) for c in found})
    for scene, classifier, axis in keys:
        cells = [c for c in found if (c.scene, c.classifier, c.axis) == (scene, classifier, axis)]
        generators = sorted({name for c in cells for name in found[c]})
        header = (axis, "placement", "draws", *(f"{g} {SCORES[s]}" for g in generators for s in ("aa", "aa_new")))
        yield f"## {scene}, {classifier}, {axis}\n"
        yield from markdown(header, (line(c, found[c], generators) for c in sorted(cells, key=order)))
        yield ""


def order(cell: Cell) -> tuple[int, int]:
    return int(cell.value) if cell.value.isdigit() else 0, PLACEMENTS.index(cell.placement)


def line(cell: Cell, by: dict[str, dict[str, list[float]]], generators: list[str]) -> tuple[str, ...]:
    draws = max((len(scores["aa"]) for scores in by.values()), default=0)
    entries = [entry(by.get(g, {}).get(s, [])) for g in generators for s in ("aa", "aa_new")]
    return cell.value, cell.placement, str(draws), *entries


def entry(values: list[float]) -> str:
    """``+3.1 (+1.0 to +5.2)``."""
    interval = t_interval(values) if values else None
    if interval is None:
        return f"{fmean(values):+.1f}" if values else "–"
    return f"{fmean(values):+.1f} ({interval[0]:+.1f} to {interval[1]:+.1f})"


if __name__ == "__main__":
    main()
