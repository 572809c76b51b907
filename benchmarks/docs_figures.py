"""Draw the figures of the documentation's pages of results from the committed trials; seconds, and
no scene.

    python -m benchmarks.docs_figures [docs/images]

Pictures of commands are made by docs_images.py, those of
docs/evidence/regimes.md by regimes.py.
"""

from __future__ import annotations

import io
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from matplotlib.patches import Rectangle
from PIL import Image

from benchmarks.common import HERE, check_usage, read_csv
from hsiaug.metrics.significance import t_interval
from hsiaug.report.figures.files import figure_bytes, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

RESULTS = HERE / "results"
SCENES = {
    "indian_pines": "Indian Pines",
    "houston_crop": "Houston crop",
    "pavia_crop": "Pavia crop",
    "jasper_ridge": "Jasper Ridge",
}
BLUE, RED, GREEN, YELLOW, GREY = "#4477aa", "#cc3311", "#228833", "#997700", "#777777"
"""Of Paul Tol's schemes: they stay apart for readers who do not see red and green, each with a mark
of its own.
"""
WIDTH = 6.6
"""Inches: with letters of 9 points, a figure is still read on a phone."""
FAMILY = "'DejaVu Sans', Verdana, sans-serif"
"""Letters stay text, in a font of the reader's that is no wider than the first."""
LARGEST = 60_000
"""Bytes of a figure."""
LARGEST_PICTURE, WIDEST = 100_000, 1200
"""Bytes and pixels across of a picture."""
IMAGES = HERE.parent / "docs" / "images"
NEEDLESS = (
    r"<!--.*?-->|<metadata>.*?</metadata>| id=\"[a-z]+[0-9]?[a-z]?_\d+\"|; stroke-linecap: square"
)
Row = Mapping[str, str]


def write_figures(figures: Mapping[str, Callable[[], Figure]]) -> None:
    """Draw figures into docs/images, or into the folder that the command line names.

    Parameters
    ----------
    figures
        What draws each file, by its name without the suffix.
    """
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "docs" / "images"
    for name, draw in figures.items():
        svg = lighter(figure_bytes(draw(), "svg"))
        assert len(svg) <= LARGEST, f"{name}: {len(svg)} bytes"
        (folder / f"{name}.svg").write_bytes(svg)


def keep_picture(path: Path, name: str) -> None:
    """Write a picture to docs/images, no wider than a page shows it, in as many colours as fit."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    if picture.width > WIDEST:
        size = WIDEST, round(picture.height * WIDEST / picture.width)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    for colours in (256, 64, 32):
        out = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
        if len(out.getvalue()) <= LARGEST_PICTURE:
            break
    (IMAGES / f"{name}.png").write_bytes(out.getvalue())


def lighter(svg: bytes) -> bytes:
    """The same picture: numbers to a hundredth of a point, no comments, identifiers or line breaks
    that nothing needs.
    """
    text = svg.decode("utf-8")
    text = re.sub(
        r"-?[1-9]\d*\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), text
    )
    text = re.sub(r"font-family: [^;\"]*", f"font-family: {FAMILY}", text)
    text = re.sub(r"DejaVuSans-(Bold-)?", lambda found: "b" if found[1] else "g", text)
    text = re.sub(r"translate\((-?\d+\.\d)\d* 0\)", r"translate(\1)", text)
    text = text.replace("<use xlink:href", "<use href")
    text = re.sub(NEEDLESS, "", text, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", " ", text).encode("utf-8") + b"\n"


def trials(result: str, **wanted: str) -> list[dict[str, str]]:
    """The trials of a result that went well, with these values."""
    rows = read_csv(RESULTS / result / "trials.csv")
    return [
        r
        for r in rows
        if r["status"] == "ok" and all(r[key] == value for key, value in wanted.items())
    ]


def percent(rows: Iterable[Row], score: str) -> list[float]:
    """A score of every trial that has it."""
    return [100 * float(row[score]) for row in rows if row[score]]


def interval(
    panel: Axes, y: float, values: Sequence[float], colour: str, mark: str, label: str | None
) -> None:
    """The mean of a row with its 95 % t interval, which two draws are too few for."""
    mean = fmean(values)
    if len(values) > 2 and (found := t_interval(values)):
        panel.plot(found, [y, y], color=colour, lw=1.6, alpha=0.6)
    panel.plot([mean], [y], mark, color=colour, markersize=5, label=label)


def rows_named(panel: Axes, names: Sequence[str]) -> None:
    """One row for each name, the first on top."""
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.5, -0.5)
    panel.tick_params(labelsize=8, axis="both")
    panel.tick_params(length=0, axis="y")
    panel.grid(alpha=0.25)
    panel.spines[["top", "right"]].set_visible(False)


def legend(figure: Figure, panel: Axes, columns: int) -> None:
    """What the marks of all panels mean, above them."""
    figure.legend(
        *panel.get_legend_handles_labels(), loc="outside upper center", ncols=columns, fontsize=9
    )


def generators() -> Figure:
    """The plain generators: AA above duplicate, draw by draw, on Indian Pines and raw spectra."""
    by: dict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for run in ("indian-pines", "generators"):
        for row in trials("baselines", run=run):
            by[row["classifier"], row["generator"]][row["seed"]] = 100 * float(row["aa"])
    names = sorted({g for c, g in by if c == "svm"} - {"none", "duplicate"})
    figure = new_figure(WIDTH, 3.4)
    panels = figure.subplots(1, 2, sharey=True, sharex=True)
    for panel, classifier in zip(panels, ("svm", "cnn2d"), strict=True):
        plain = by[classifier, "duplicate"]
        for y, name in enumerate(names):
            found = by[classifier, name]
            gains = [found[seed] - plain[seed] for seed in sorted(found) if seed in plain]
            panel.plot(
                gains, [y + 0.2] * len(gains), "|", color=GREY, label="a split" if not y else None
            )
            interval(
                panel,
                y - 0.1,
                gains,
                BLUE,
                "o",
                None if y else "mean and 95 % t interval of five splits",
            )
        panel.axvline(0, color="black", lw=0.8)
        rows_named(panel, names)
        panel.set_title(classifier, fontsize=9)
    figure.supxlabel("gain in AA over duplicate (points)", fontsize=9)
    legend(figure, panels[0], 2)
    return figure


def views() -> Figure:
    """AA of the SVM in every spectral view, without a sample, on four scenes."""
    names = ["raw", "unit", "derivative", "continuum", "raw+unit", "auto"]
    figure = new_figure(WIDTH, 4.2)
    panels = figure.subplots(2, 2, sharey=True)
    for panel, (scene, title) in zip(panels.ravel(), SCENES.items(), strict=True):
        for y, name in enumerate(names):
            values = percent(
                trials("spectral_views", run="svm", scene=scene, view=name, classifier="svm"), "aa"
            )
            colour, mark = (RED, "D") if name == "auto" else (BLUE, "o")
            panel.plot(values, [y + 0.22] * len(values), "|", color=GREY)
            interval(panel, y - 0.1, values, colour, mark, None)
        rows_named(panel, names)
        panel.set_title(title, fontsize=9)
    figure.supxlabel("AA of svm (%): eight splits, their mean and its 95 % t interval", fontsize=9)
    return figure


STEPS = (
    # (title, what happens, top, left, width), in hundredths of an inch
    ("Scene", "a cube and labels of some pixels", 10, 10, 380),
    ("Split", "a protocol chooses training and test pixels", 92, 10, 380),
    ("Training data", "training pixels, no test label", 190, 10, 250),
    ("Generator", "or a control: none, duplicate …", 272, 10, 250),
    ("Samples", "as many as λ and M ask for", 354, 10, 250),
    ("Classifier", "learns real and synthetic samples", 436, 10, 250),
    ("Score", "predictions against test labels, for each split", 534, 10, 380),
    ("Verdict", "gains over controls, over all splits", 616, 10, 380),
)
BOX, END = 54, 680
"""Height of a step, and of the figure, in the same unit."""
DOWN = ((200, 0, 1), (135, 1, 2), (135, 2, 3), (135, 3, 4), (135, 4, 5), (135, 5, 6), (200, 6, 7))
"""(how far right, step, next step)"""


def concepts() -> Figure:
    """From a scene to a verdict: eight steps, of which four never see a test label."""
    figure = new_figure(4, END / 100)
    figure.set_layout_engine("none")
    panel = figure.add_axes((0, 0, 1, 1))
    panel.set(xlim=(0, 400), ylim=(END, 0))
    panel.axis("off")
    panel.add_patch(Rectangle((0, 172), 270, 336, color=BLUE, alpha=0.1, lw=0))
    panel.text(262, 502, "plugins", ha="right", fontsize=9, color=BLUE)
    for title, what, top, left, width in STEPS:
        panel.add_patch(
            Rectangle((left, top), width, BOX, facecolor="white", edgecolor=BLUE, lw=1.4)
        )
        panel.text(left + 12, top + 21, title, fontsize=11, fontweight="bold")
        panel.text(left + 12, top + 42, what, fontsize=9)
    for x, one, other in DOWN:
        arrow(panel, x, STEPS[one][2] + BOX, STEPS[other][2], BLUE)
    arrow(panel, 335, STEPS[1][2] + BOX, STEPS[6][2], RED)
    for row, word in enumerate(("test labels", "hidden from", "plugins")):
        panel.text(
            335, 320 + 18 * row, word, ha="center", fontsize=9, color=RED, backgroundcolor="white"
        )
    return figure


def arrow(panel: Axes, x: float, start: float, end: float, colour: str) -> None:
    """A vertical arrow between two steps."""
    panel.annotate(
        "", (x, end), (x, start), arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.4}
    )


FIGURES: dict[str, Callable[[], Any]] = {
    "concepts": concepts,
    "baselines_generators": generators,
    "spectral_views": views,
}
"""A file of docs/images, and what draws it."""

if __name__ == "__main__":
    check_usage(__doc__, 0, 1)
    write_figures(FIGURES)
