"""Maps: the scene in colours, the true classes, the split, and what trials called each pixel, for the page's viewer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import (
    HELD_OUT,
    LEFT_OUT,
    NO_DATA,
    TRAIN,
    class_colours,
    class_names_shown,
    rgb_of,
    true_colours,
)
from hsiaug.core.scene import Scene
from hsiaug.report.cells import ArmCell
from hsiaug.report.html.anchors import TableSection
from hsiaug.report.html.markup import details, escape, json_for_script
from hsiaug.report.html.pictures import PALETTE, embedded_image, jpeg, palette_png
from hsiaug.report.labels import percent
from hsiaug.report.records import Trial
from hsiaug.report.scenes.ground_truth import (
    MOST_VALUES,
    GroundTruth,
    NoGroundTruthError,
    local_ground_truth,
    predicted_maps,
    thumbnail,
)
from hsiaug.report.scenes.split_roles import ROLES, redrawn_roles
from hsiaug.report.tables import Table
from hsiaug.trial.arm import EVERY_CONTROL, Method
from hsiaug.trial.store import Store

__all__ = ["MapMaker", "best_cells"]

SIDE = 800
"""Pixels of the longer side of a map; larger scenes are thinned out to it."""
PLACES = 2
"""Places of a set that are drawn."""
ROOM = 350_000
"""Bytes that all maps of a page may take, before base64 makes a third more of them."""
TINTS = tuple(map(rgb_of, (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)))
"""Colours of ROLES."""
Colour = tuple[int, int, int]
Shown = tuple[ArmCell, Trial]


class MapMaker:
    """Draws the maps of a page, table after table, until ROOM is used. store: None where there are no predictions.

    tables: how many tables share the page, and its room.
    """

    def __init__(self, store: Store | None, tables: int = 1) -> None:
        self._store = store
        self._ground_truths: dict[str, GroundTruth] = {}
        self._share = ROOM // max(tables, 1)
        self._left = 0

    def thumbnail(self, section: TableSection) -> str:
        """The scene of a table in colours, small; empty where it is not here, or is no scene."""
        found = thumbnail(section.table.trials, self._ground_truths)
        if found is None:
            return ""
        name, colours = found
        height, width = colours.shape[:2]
        image = embedded_image(jpeg(colours), f"The scene {name} in colours", width, height)
        return f'<div class="thumbnail">{image}</div>'

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
        self._left += self._share
        if self._left <= 0:
            raise NoGroundTruthError(
                "the page has as many as keep it small; a report of this run alone has its own"
            )
        first, rest = _planned(section)
        truth = local_ground_truth(section.table.trials, self._ground_truths, MOST_VALUES)
        if len(truth.class_names) >= PALETTE:
            raise NoGroundTruthError(f"a map has {PALETTE - 1} classes at most")
        shown = _largest(self._store, first[0][1], truth)
        ground = "".join(self._ground(first[0][1], truth, shown))
        beside = "".join(self._called(section, pair, truth, shown) for pair in first)
        more, left_out = "", 0
        for pair in rest:
            if self._left > 0:
                more += self._called(section, pair, truth, shown)
            else:
                left_out += 1
        colours = _class_colours(len(truth.class_names))
        legend = _legend(list(zip(class_names_shown(truth.class_names), colours[1:], strict=True)))
        seed = first[0][1].seed
        grid = details(f"Maps of draw {seed} beside each other", f'{legend}<div class="maps">{ground}{beside}</div>',
                       opened=True)  # fmt: skip
        note = f'<p class="note">{escape(_note(section, truth, shown, left_out))}</p>'
        about = _about(truth, colours, max(_step(truth.masks[i].shape) for i in shown))
        return f'<div class="viewer" data-about="{escape(about)}">{grid}<template>{more}</template>{note}</div>'

    def _ground(self, trial: Trial, truth: GroundTruth, shown: Sequence[int]) -> Iterator[str]:
        """The scene in colours, the true classes, and the sides of the trial's draw."""
        roles = redrawn_roles(trial, truth)
        for i in shown:
            if isinstance(truth.data, Scene):
                step = _step(truth.masks[i].shape)
                colours = true_colours(truth.data.cube, truth.data.wavelengths, step)
                yield self._figure(jpeg(colours), colours.shape[:2], "colours", i, _at("colours", truth, i))
            classes = _class_colours(len(truth.class_names))
            yield self._ids(truth.masks[i], classes, "true", i, _at("true classes", truth, i))
            if roles is not None:
                yield self._ids(roles[i], TINTS, "split", i, _at(f"split of draw {trial.seed}", truth, i))

    def _called(self, section: TableSection, pair: Shown, truth: GroundTruth, shown: Sequence[int]) -> str:
        """What a trial called the pixels of each place that is shown."""
        assert self._store is not None
        cell, trial = pair
        made = predicted_maps(self._store, trial, truth)
        name, main = section.table.cell_label(cell, ", "), section.table.scores.main
        score = trial.metric(main.key)
        reached = f"{name}: {main.name} {percent(score)} %" if score is not None else name
        colours = _class_colours(len(truth.class_names))
        about = f' data-cell="{escape(section.cell_id(cell))}" data-draw="{trial.seed}" data-name="{escape(name)}"'
        texts = {i: _at(f"{reached}, draw {trial.seed}", truth, i) for i in shown}
        return "".join(self._ids(made[i].label, colours, "called", i, texts[i], about) for i in shown)

    def _ids(
        self,
        ids: NDArray[np.integer],
        colours: Sequence[Colour],
        kind: str,
        place: int,
        text: str,
        about: str = "",
    ) -> str:
        """A palette image in which id 0 is transparent."""
        step = _step(ids.shape)
        thin = ids[::step, ::step]
        png = palette_png(thin.astype(np.uint8), list(colours), transparent=0)
        return self._figure(png, thin.shape, kind, place, text, about)

    def _figure(
        self, data: bytes, shape: tuple[int, ...], kind: str, place: int, text: str, about: str = ""
    ) -> str:
        self._left -= len(data)
        height, width = shape
        image = embedded_image(data, f"Map: {text}", width, height)
        facts = f'data-kind="{kind}" data-place="{place}"{about}'
        return f"<figure class=map {facts}>{image}<figcaption>{escape(text)}</figcaption></figure>"


def _planned(section: TableSection) -> tuple[list[Shown], list[Shown]]:
    """The draw that most of the controls and best arms have, of these alone; then all else, in order of interest."""
    table = section.table
    best = [cell for classifier in table.classifiers for cell in best_cells(table, classifier)]
    seeds = [trial.seed for cell in best for trial in cell.ok]
    if not seeds:
        raise NoGroundTruthError("no trial went well")
    seed = max(sorted(set(seeds)), key=seeds.count)
    first = [(cell, trial) for cell in best for trial in cell.ok if trial.seed == seed]
    # By hash and key: comparing cells would compare all of their trials.
    drawn, kept = {trial.hash for _, trial in first}, {(cell.arm, cell.classifier) for cell in best}
    rest = [
        ((trial.seed != seed, key not in kept, trial.seed), (cell, trial))
        for key, cell in table.cells.items()
        for trial in cell.ok
        if trial.hash not in drawn
    ]
    return first, [pair for _, pair in sorted(rest, key=itemgetter(0))]


def best_cells(table: Table, classifier: Method) -> list[ArmCell]:
    """The controls, and the best of the other arms."""
    best: dict[str, tuple[float, ArmCell]] = {}
    for cell in table.cells_of(classifier):
        name = cell.arm.generator.name if cell.arm.control else "other"
        summary = cell.summary(table.scores.main.key)
        if summary and (name not in best or summary.mean > best[name][0]):
            best[name] = summary.mean, cell
    return [best[name][1] for name in (*EVERY_CONTROL, "other") if name in best]


def _note(section: TableSection, truth: GroundTruth, shown: Sequence[int], left_out: int) -> str:
    """Of what the maps are, and what is left out."""
    note = (
        "Beside each other: the controls, and of the other arms the one of the highest mean "
        f"{section.table.scores.main.name}. The best of many is best partly by luck."
    )
    if left_out:
        note += f" Of {left_out:,} more trials the map is left out, to keep the page small."
    if len(shown) < len(truth.places):
        note += f" Of {len(truth.places)} places the {len(shown)} with most test pixels are drawn."
    step = max(_step(truth.masks[i].shape) for i in shown)
    if step > 1:
        note += f" Of larger maps every {step}. row and column is drawn, and the pixels between them are not."
    return note


def _about(truth: GroundTruth, colours: Sequence[Colour], step: int) -> str:
    """What the viewer has to know of its pictures, as JSON."""
    return json_for_script(
        {
            "classes": truth.class_names,
            "colours": [_hex(colour) for colour in colours[1:]],
            "roles": ROLES,
            "tints": [_hex(colour) for colour in TINTS],
            "places": truth.places,
            "step": step,
        }
    )


def _largest(store: Store, trial: Trial, truth: GroundTruth) -> list[int]:
    """The places of most test pixels, in their order."""
    if len(truth.places) == 1:
        return [0]
    tested = [int((made.label > 0).sum()) for made in predicted_maps(store, trial, truth)]
    return sorted(sorted(range(len(tested)), key=lambda i: -tested[i])[:PLACES])


def _at(text: str, truth: GroundTruth, place: int) -> str:
    name = truth.places[place]
    return f"{text}, {name}" if name else text


def _step(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // SIDE)


def _class_colours(classes: int) -> list[Colour]:
    """No two alike, as the viewer reads classes from colours: one that comes again is changed by less than is seen."""
    empty, *colours = class_colours(classes).tolist()
    return [(red, green, blue) for red, green, blue in (empty, *_apart(colours))]


def _apart(colours: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, int]]:
    seen: Counter[tuple[int, ...]] = Counter()
    for red, green, blue in colours:
        yield red, green, blue ^ seen[red, green, blue]
        seen[red, green, blue] += 1


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _legend(entries: Sequence[tuple[str, Colour]]) -> str:
    swatches = (
        f'<span><i style="background:{_hex(colour)}"></i>{escape(name)}</span>' for name, colour in entries
    )
    return f'<p class="legend">{"".join(swatches)}</p>'
