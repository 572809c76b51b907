"""Draw what the protocol decides, and how much of it is location alone.

    python -m benchmarks.protocols benchmarks/results/protocols/trials.csv docs/images/protocols.png

Mean average accuracy of the arm ``none`` over the classes with at least 25 test pixels in every
draw of a protocol, with one standard deviation, by protocol and classifier; ``coords`` reads row
and column and no band.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.common import check_usage, main_score, read_csv
from hsiaug.metrics.significance import MeanStd, mean_std

PROTOCOLS = {
    "random": "random:0.05\n(leaky)",
    "issd": "issd\n(default)",
    "kshot": "kshot:10",
    "fields": "fields\n(other fields)",
}
COLOURS = {"coords": "#b0b0b0", "svm": "#4477aa", "cnn2d": "#228833", "self-training": "#ccbb44"}


def main() -> None:
    draw(scores(read_csv(Path(sys.argv[1]))), Path(sys.argv[2]))


def scores(rows: list[dict[str, str]]) -> dict[tuple[str, str], MeanStd]:
    """AA in percent of the arm none, over the classes that count in the main score, by protocol and
    classifier.
    """
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in rows:
        if row["status"] == "ok" and row["generator"] == "none":
            found[row["protocol"], row["classifier"]].append(100 * main_score(row))
    return {key: mean_std(values) for key, values in found.items()}


def draw(found: dict[tuple[str, str], MeanStd], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.6, 3.2), layout="constrained")
    axes = figure.subplots()
    width = 0.8 / len(COLOURS)
    for i, (classifier, colour) in enumerate(COLOURS.items()):
        kept = [
            (x, found[p, classifier]) for x, p in enumerate(PROTOCOLS) if (p, classifier) in found
        ]
        places = [x + (i - (len(COLOURS) - 1) / 2) * width for x, _ in kept]
        label = f"{classifier} (no band)" if classifier == "coords" else classifier
        axes.bar(places, [m.mean for _, m in kept], width, color=colour, label=label)
        axes.errorbar(
            places,
            [m.mean for _, m in kept],
            [m.std or 0 for _, m in kept],
            fmt="none",
            ecolor="#333333",
            capsize=2,
        )
        for place, (_, m) in zip(places, kept, strict=True):
            axes.text(place, 2, f"{m.mean:.0f}", ha="center", fontsize=8)
    axes.set(xticks=range(len(PROTOCOLS)), ylabel="average accuracy in %", ylim=(0, 105))
    axes.set_xticklabels(list(PROTOCOLS.values()))
    axes.legend(frameon=False, fontsize=8, ncols=4, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    check_usage(__doc__, 2, 2)
    main()
