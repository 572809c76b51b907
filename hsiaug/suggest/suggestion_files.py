"""Files of suggestions: tables that a field team fills in and gives back as labels, and a map."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hsiaug.base.colours import rgb_of, true_colours
from hsiaug.base.errors import InputError
from hsiaug.base.files import PICTURES, check_targets, plain_text
from hsiaug.base.text import plotted
from hsiaug.core.scene import UnlabelledScene
from hsiaug.data.georeference import Georeference
from hsiaug.quality.map_files import map_figure, picture_step
from hsiaug.report.figures.files import WIDTHS, wrapped
from hsiaug.report.output_files import TableFiles, figure_writers, table_writers, write_files
from hsiaug.suggest.picks import Suggestions

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ENDINGS = (".csv", ".json", *PICTURES)
LEARNT, WANTED = "#35d0ff", "#ffd400"


def check_files(paths: Sequence[Path]) -> None:
    """Raise, before any work, InputError for a file that cannot be written or that may hold
    classes.
    """
    check_targets(paths, ENDINGS)
    for path in paths:
        if path.suffix.lower() == ".csv" and path.exists() and not _unanswered(path):
            rule = f"`out` {path} must not exist yet: classes may have been written into it"
            raise InputError(rule, value="a file", hint="Name another file, or move this one.")


def _unanswered(path: Path) -> bool:
    """Whether a file is a table of picks without any class."""
    try:
        rows = list(csv.DictReader((plain_text(path) or "").splitlines()))
    except csv.Error:
        return False
    return bool(rows) and all(row.get("class") == "" for row in rows)


def rows_of(
    suggested: Suggestions, names: Sequence[str], ground: Georeference | None
) -> list[dict[str, object]]:
    """A row for each pick, the best first. ``class`` is empty: it is what is asked for."""
    return [
        {
            "rank": pick.rank,
            "row": pick.row,
            "column": pick.column,
            **(
                {}
                if ground is None
                else dict(zip("xy", ground.centre(pick.row, pick.column), strict=True))
            ),
            "class": "",
            "committee": ", ".join(f"{names[c - 1]} {n}" for c, n in pick.votes.items()),
            "uncertainty": round(pick.uncertainty, 4),
            "segment_pixels": pick.pixels,
            "share": round(pick.share, 5),
        }
        for pick in suggested.picks
    ]


def save_suggestions(
    paths: Sequence[Path],
    suggested: Suggestions,
    scene: UnlabelledScene,
    ground: Georeference | None,
    name: str,
    notes: Sequence[str],
) -> None:
    """Write each file, by its ending.

    Parameters
    ----------
    name : str
        Name of the scene.

    Raises
    ------
    InputError
        Where a file cannot be written.
    """
    rows = rows_of(suggested, scene.class_names, ground)
    title = f"{name}: label these"
    value = {"picks": rows, "notes": list(notes)}
    tables = table_writers(lambda: TableFiles("suggest", [], rows, value))
    write_files(paths, {**tables, **figure_writers(lambda: _figure(suggested, scene, title))})


def _figure(suggested: Suggestions, scene: UnlabelledScene, title: str) -> Figure:
    """The scene with numbered picks and the pixels that were learnt from; and the committee's
    disagreement with the same numbers.
    """
    step = picture_step(scene.shape)
    colours = true_colours(scene.pixels, scene.wavelengths, step)
    figure, (left, right) = map_figure(colours.shape[:2], 2, below=0.3)
    side = WIDTHS[2] / 2 - 0.2
    learnt = np.array(rgb_of(LEARNT), dtype=np.uint8)
    left.imshow(
        np.where(suggested.known[::step, ::step, None], learnt, colours), interpolation="nearest"
    )
    left.set_title(wrapped(plotted(title), side), fontsize=8)
    caption = (
        f"blue: {int(suggested.known.sum()):,} pixels whose labels are known; numbers: label these"
    )
    left.set_xlabel(wrapped(caption, side, 7), fontsize=7)
    image = right.imshow(
        suggested.uncertainty[::step, ::step], cmap="magma", vmin=0, vmax=1, interpolation="nearest"
    )
    right.set_title(f"disagreement of {len(suggested.members)} classifiers", fontsize=8)
    bar = figure.colorbar(image, ax=right, shrink=0.9, location="bottom", aspect=30, pad=0.02)
    bar.set_label("entropy of their votes", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    for panel in (left, right):
        panel.set_anchor("N")
        _number(panel, suggested, step)
    return figure


def _number(panel: Axes, suggested: Suggestions, step: int) -> None:
    """A ring round each pick, and its rank beside it."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2, foreground="black")]
    for pick in suggested.picks:
        x, y = pick.column / step, pick.row / step
        panel.plot(x, y, "o", ms=5, mfc="none", mec=WANTED, mew=1.1, path_effects=halo)
        panel.annotate(
            str(pick.rank),
            (x, y),
            xytext=(4, 4),
            textcoords="offset points",
            color=WANTED,
            fontsize=7,
            fontweight="bold",
            path_effects=halo,
        )
