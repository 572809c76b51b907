"""Maps: the scene in colours, the true classes, the split, and what trials called each pixel, for the page's viewer."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter

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
)
from hsiaug.base.text import visible
from hsiaug.report.findings import judged
from hsiaug.report.html.markup import details, embedded_image, escape
from hsiaug.report.html.section import TableSection, best_cells
from hsiaug.report.labels import percent
from hsiaug.report.records import ArmCell, Trial
from hsiaug.report.scenes.ground_truth import (
    MOST_VALUES,
    ROLES,
    GroundTruth,
    local_ground_truth,
    read_predicted_maps,
    redraw_roles,
)
from hsiaug.tasks.local import NoGroundTruthError
from hsiaug.trial.store import Store

SIDE = 800
"""Pixels of the longer side of a map; larger scenes are thinned out to it."""
PLACES = 2
"""Places of a set that are drawn."""
ROOM = 700_000
"""Bytes of maps after which no further table gets any, before base64 makes a third more of them."""
PALETTE = 256
"""Colours that a PNG with a palette can hold."""
TINTS = tuple(map(rgb_of, (NO_DATA, LEFT_OUT, HELD_OUT, TRAIN)))
"""Colours of ROLES."""
Colour = tuple[int, int, int]


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
        best = _best_trials(section)
        first = best[0][1]
        truth = local_ground_truth(section.table.trials, self._ground_truths, MOST_VALUES)
        if len(truth.class_names) >= PALETTE:
            raise NoGroundTruthError(f"a map has {PALETTE - 1} classes at most")
        colours, shown = _class_colours(len(truth.class_names)), _largest(self._store, first, truth)
        figures = [*self._ground(first, truth, shown, colours)]
        for cell, trial in best:
            figures += self._called(section, cell, trial, truth, shown, colours)
        legend = _legend(list(zip(class_names_shown(truth.class_names), colours[1:], strict=True)))
        grid = f'{legend}<div class="maps">{"".join(figures)}</div>'
        note = f'<p class="note">{escape(_note(section, truth, shown))}</p>'
        ids = {"a": section.cell_id(best[0][0]), "b": section.cell_id(best[min(1, len(best) - 1)][0])}
        about = escape(_about(truth, colours, max(_step(truth.masks[i].shape) for i in shown), ids))
        beside = details(f"Maps of draw {first.seed} beside each other", grid, opened=True)
        return f'<div class="viewer" data-about="{about}">{beside}{note}</div>'

    def _ground(
        self, trial: Trial, truth: GroundTruth, shown: Sequence[int], colours: Sequence[Colour]
    ) -> Iterator[str]:
        """The scene in colours, the true classes, and the sides of the trial's draw."""
        roles = redraw_roles(trial, truth)
        for i in shown:
            photo = truth.photo(_step(truth.masks[i].shape))
            if photo is not None:
                yield self._figure(_jpeg(photo), photo.shape[:2], "colours", i, _at("colours", truth, i))
            yield self._ids(truth.masks[i], colours, "true", i, _at("true classes", truth, i))
            if roles is not None:
                yield self._ids(roles[i], TINTS, "split", i, _at(f"split of draw {trial.seed}", truth, i))

    def _called(
        self,
        section: TableSection,
        cell: ArmCell,
        trial: Trial,
        truth: GroundTruth,
        shown: Sequence[int],
        colours: Sequence[Colour],
    ) -> Iterator[str]:
        """Yield the predicted map of a trial for each place that is shown."""
        assert self._store is not None
        made = read_predicted_maps(self._store, trial, truth)
        name, main = section.table.cell_label(cell, ", "), section.table.scores.main
        score = trial.metric(main.key)
        reached = f"{name}: {main.name} {percent(score)} %" if score is not None else name
        about = f' data-cell="{escape(section.cell_id(cell))}" data-name="{escape(name)}"'
        for i in shown:
            text = _at(f"{reached}, draw {trial.seed}", truth, i)
            yield self._ids(made[i], colours, "called", i, text, about)

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
        return self._figure(palette_png(thin.astype(np.uint8), colours), thin.shape, kind, place, text, about)

    def _figure(
        self, data: bytes, shape: tuple[int, ...], kind: str, place: int, text: str, about: str = ""
    ) -> str:
        self._left -= len(data)
        height, width = shape
        image = embedded_image(data, f"Map: {text}", width, height)
        facts = f'data-kind="{kind}" data-place="{place}"{about}'
        return f"<figure class=map {facts}>{image}<figcaption>{escape(text)}</figcaption></figure>"


def _best_trials(section: TableSection) -> list[tuple[ArmCell, Trial]]:
    """The best arm, the control that is hardest to beat, and other controls and arms, in the draw that most have."""
    table = section.table
    best = [cell for classifier in table.classifiers for cell in best_cells(table, classifier)]
    if (first := max(judged(table), key=attrgetter("rank"), default=None)) and first.hardest:
        pair = [first.cell, first.hardest[1].control]
        best = [*pair, *(cell for cell in best if cell not in pair)]
    seeds = [trial.seed for cell in best for trial in cell.ok]
    if not seeds:
        raise NoGroundTruthError("no trial went well")
    seed = max(sorted(set(seeds)), key=seeds.count)
    return [(cell, trial) for cell in best for trial in cell.ok if trial.seed == seed]


def _note(section: TableSection, truth: GroundTruth, shown: Sequence[int]) -> str:
    """Note on the content of the maps, and on what is left out."""
    note = (
        f"The controls, and of the other arms the one of the highest mean {section.table.scores.main.name}. The best of "
        "many is best partly by luck."
    )
    if len(shown) < len(truth.places):
        note += f" Of {len(truth.places)} places the {len(shown)} with most test pixels are drawn."
    step = max(_step(truth.masks[i].shape) for i in shown)
    if step > 1:
        note += f" Of larger maps every {step}. row and column is drawn, and the pixels between them are not."
    return note


def _about(truth: GroundTruth, colours: Sequence[Colour], step: int, ids: Mapping[str, str]) -> str:
    """Return the viewer's data on its pictures, as JSON. ids: of the cells that it shows first."""
    return json.dumps(
        {
            "classes": list(map(visible, truth.class_names)),
            "colours": [_hex(colour) for colour in colours[1:]],
            "roles": ROLES,
            "tints": [_hex(colour) for colour in TINTS],
            "places": list(map(visible, truth.places)),
            "step": step,
            **ids,
        },
        ensure_ascii=False,
    )


def _largest(store: Store, trial: Trial, truth: GroundTruth) -> list[int]:
    """The places of most test pixels, in their order."""
    if len(truth.places) == 1:
        return [0]
    tested = [int((made > 0).sum()) for made in read_predicted_maps(store, trial, truth)]
    return sorted(sorted(range(len(tested)), key=lambda i: -tested[i])[:PLACES])


def _at(text: str, truth: GroundTruth, place: int) -> str:
    name = truth.places[place]
    return f"{text}, {name}" if name else text


def _step(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // SIDE)


def _class_colours(classes: int) -> list[Colour]:
    """No two alike, as the viewer reads classes from colours: one that comes again is changed by less than is seen."""
    seen: Counter[Colour] = Counter()
    empty, *colours = map(tuple, class_colours(classes).tolist())
    apart = [empty]
    for red, green, blue in colours:
        apart.append((red, green, blue ^ seen[red, green, blue]))
        seen[red, green, blue] += 1
    return apart


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _legend(entries: Sequence[tuple[str, Colour]]) -> str:
    swatches = (
        f'<span><i style="background:{_hex(colour)}"></i>{escape(name)}</span>' for name, colour in entries
    )
    return f'<p class="legend">{"".join(swatches)}</p>'


def palette_png(ids: NDArray[np.uint8], colours: Sequence[Colour]) -> bytes:
    """A PNG of ``colours[ids]``; ids: (H, W), of which 0 is transparent."""
    from PIL import Image

    image, out = Image.fromarray(ids), io.BytesIO()
    image.putpalette([value for colour in colours for value in colour])
    image.save(out, format="PNG", optimize=True, transparency=0)
    return out.getvalue()


def _jpeg(colours: NDArray[np.uint8]) -> bytes:
    """A photograph, (H, W, 3), in a tenth of what it weighs as PNG."""
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(colours).save(out, format="JPEG", quality=82, optimize=True)
    return out.getvalue()
