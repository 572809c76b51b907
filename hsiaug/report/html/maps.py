"""Maps of one draw: the split, and per classifier what the controls and the best arm called and got wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hsiaug.colours import (
    HELD_OUT,
    LEFT_OUT,
    NO_DATA,
    RIGHT,
    TRAIN,
    WRONG,
    class_colours,
    class_names_shown,
    rgb_of,
)
from hsiaug.report.cells import ArmCell
from hsiaug.report.ground_truth import (
    MOST_VALUES,
    GroundTruth,
    NoGroundTruthError,
    local_ground_truth,
    predicted_maps,
)
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape
from hsiaug.report.html.pictures import embedded_png, palette_png
from hsiaug.report.labels import percent
from hsiaug.report.records import Trial
from hsiaug.report.split_roles import ROLES, redrawn_roles
from hsiaug.trial.arm import EVERY_CONTROL, Method
from hsiaug.trial.store import Store

__all__ = ["MapMaker"]

SIDE = 800
"""Pixels of the longer side of a map; larger scenes are thinned out to it."""
PLACES = 2
"""Places of a set that are drawn."""
ROOM = 1_500_000
"""Bytes that all maps of a page may take."""
EMPTY = rgb_of(NO_DATA)
TINTS = tuple(map(rgb_of, (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)))
"""Colours of ROLES."""
ERRORS = (("right", rgb_of(RIGHT)), ("wrong", rgb_of(WRONG)))


class MapMaker:
    """Draws the maps of a page, table after table, until ROOM is used. store: None where there are no predictions."""

    def __init__(self, store: Store | None) -> None:
        self._store = store
        self._ground_truths: dict[str, GroundTruth] = {}
        self._left = ROOM

    def maps(self, section: TableSection) -> str:
        """The maps of a table, or the sentence why there are none."""
        try:
            return self._maps(section)
        except NoGroundTruthError as error:
            return f'<p class="note">No maps: {escape(str(error))}.</p>'

    def _maps(self, section: TableSection) -> str:
        if self._store is None:
            raise NoGroundTruthError(
                "the page was made from records alone, and maps need the predictions beside them"
            )
        if self._left <= 0:
            raise NoGroundTruthError(
                "the page has as many as keep it small; a report of this run alone has its own"
            )
        seed, chosen = _choose(section)
        truth = local_ground_truth(section.table.trials, self._ground_truths, MOST_VALUES)
        first = chosen[0][1]
        shown = _largest(self._store, first, truth)
        blocks = [self._split(first, truth, shown)]
        for classifier in section.table.classifiers:
            mine = [(cell, trial) for cell, trial in chosen if cell.classifier == classifier]
            if mine:
                drawn = "".join(self._pair(section, cell, trial, truth, shown) for cell, trial in mine)
                blocks.append(f"<h5>{escape(section.table.labels[classifier])}</h5><div class=maps>{drawn}</div>")
        names, colours = class_names_shown(truth.class_names), _class_colours(len(truth.class_names))[1:]
        legend = _legend(list(zip(names, colours, strict=True))) + _legend(ERRORS)
        note = f'<p class="note">{escape(_note(section, seed, truth, shown))}</p>'
        return details(f"Maps of draw {seed}", f"{note}{legend}{''.join(blocks)}", opened=section.number == 0)

    def _split(self, trial: Trial, truth: GroundTruth, shown: Sequence[int]) -> str:
        """The true classes, and the sides of the trial's draw."""
        roles = redrawn_roles(trial, truth)
        drawn = ""
        for i in shown:
            colours = _class_colours(len(truth.class_names))
            drawn += self._image(truth.masks[i], colours, _at("true classes", truth, i))
            if roles is not None:
                drawn += self._image(roles[i], TINTS, _at(f"split of draw {trial.seed}", truth, i))
        below = "<p class=note>No map of the split: it could not be drawn anew.</p>"
        if roles is not None:
            below = _legend(list(zip(ROLES, TINTS, strict=True))[1:])
        return f"<div class=maps>{drawn}</div>{below}"

    def _pair(
        self, section: TableSection, cell: ArmCell, trial: Trial, truth: GroundTruth, shown: Sequence[int]
    ) -> str:
        assert self._store is not None
        made = predicted_maps(self._store, trial, truth)
        name = section.table.arm_label(cell.arm)
        main = section.table.scores.main
        score = trial.metric(main.key)
        reached = f"{name}: {main.name} {percent(score)} %" if score is not None else name
        drawn = ""
        for i in shown:
            wrong = np.where(made[i].label > 0, np.where(made[i].right, 1, 2), 0).astype(np.uint8)
            colours = _class_colours(len(truth.class_names))
            drawn += self._image(made[i].label, colours, _at(f"{reached}, classes", truth, i))
            text = _at(f"{name}, errors", truth, i)
            drawn += self._image(wrong, [EMPTY, *(c for _, c in ERRORS)], text, section.record_id(trial))
        return drawn

    def _image(
        self, ids: NDArray[np.integer], colours: Sequence[tuple[int, int, int]], text: str, to: str = ""
    ) -> str:
        png = _png(ids, colours)
        self._left -= len(png)
        height, width = ids.shape
        caption = f'<a href="#{escape(to)}">{escape(text)}</a>' if to else escape(text)
        image = embedded_png(png, f"Map: {text}", width, height)
        return f"<figure class=map>{image}<figcaption>{caption}</figcaption></figure>"


def _note(section: TableSection, seed: int, truth: GroundTruth, shown: Sequence[int]) -> str:
    """Of what the maps are, and what is left out."""
    note = (
        f"Draw {seed}: the controls, and of the other arms the one of the highest mean "
        f"{section.table.scores.main.name}. The best of many is best partly by luck."
    )
    if len(shown) < len(truth.places):
        note += f" Of {len(truth.places)} places the {len(shown)} with most test pixels are drawn."
    step = max(_step(truth.masks[i].shape) for i in shown)
    if step > 1:
        note += f" Of larger maps every {step}. row and column is drawn, and the pixels between them are not."
    return note


def _largest(store: Store, trial: Trial, truth: GroundTruth) -> list[int]:
    """The places of most test pixels, in their order."""
    if len(truth.places) == 1:
        return [0]
    tested = [int((made.label > 0).sum()) for made in predicted_maps(store, trial, truth)]
    return sorted(sorted(range(len(tested)), key=lambda i: -tested[i])[:PLACES])


def _at(text: str, truth: GroundTruth, place: int) -> str:
    name = truth.places[place]
    return f"{text}, {name}" if name else text


def _choose(section: TableSection) -> tuple[int, list[tuple[ArmCell, Trial]]]:
    """The first seed that most of the chosen cells have, and their trials of it."""
    chosen = [cell for classifier in section.table.classifiers for cell in _best(section, classifier)]
    seeds = [trial.seed for cell in chosen for trial in cell.ok]
    if not seeds:
        raise NoGroundTruthError("no trial went well")
    seed = max(sorted(set(seeds)), key=seeds.count)
    return seed, [(cell, trial) for cell in chosen for trial in cell.ok if trial.seed == seed]


def _best(section: TableSection, classifier: Method) -> list[ArmCell]:
    """The controls, and the best of the other arms."""
    best: dict[str, tuple[float, ArmCell]] = {}
    for cell in section.table.cells_of(classifier):
        name = cell.arm.generator.name if cell.arm.control else "other"
        summary = cell.summary(section.table.scores.main.key)
        if summary and (name not in best or summary.mean > best[name][0]):
            best[name] = summary.mean, cell
    return [best[name][1] for name in (*EVERY_CONTROL, "other") if name in best]


def _png(ids: NDArray[np.integer], colours: Sequence[tuple[int, int, int]]) -> bytes:
    """A palette image in which id 0 is transparent. Ids of one colour share its place, so that any number fits."""
    table = list(dict.fromkeys(colours[1:]))
    places = np.array([0, *(1 + table.index(colour) for colour in colours[1:])], dtype=np.uint8)
    step = _step(ids.shape)
    return palette_png(places[ids[::step, ::step]], [colours[0], *table], transparent=0)


def _step(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // SIDE)


def _class_colours(classes: int) -> list[tuple[int, int, int]]:
    red_green_blue = class_colours(classes).tolist()
    return [(red, green, blue) for red, green, blue in red_green_blue]


def _legend(entries: Sequence[tuple[str, tuple[int, int, int]]]) -> str:
    swatches = (
        f'<span><i style="background:rgb({r},{g},{b})"></i>{escape(name)}</span>' for name, (r, g, b) in entries
    )
    return f'<p class="legend">{"".join(swatches)}</p>'
