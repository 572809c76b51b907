"""Maps of a split: the scene, its classes, the split, and what configurations predicted, for the
page.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours, hex_of
from hsiaug.base.text import visible
from hsiaug.report.answers import shown_cells
from hsiaug.report.figures.files import image_bytes, page_picture
from hsiaug.report.formatting import percent
from hsiaug.report.gains import ArmCell
from hsiaug.report.ground_truth import (
    MOST_VALUES,
    ROLES,
    TINTS,
    GroundTruth,
    PredictedMaps,
    read_maps,
)
from hsiaug.report.section import Section
from hsiaug.report.sections import SectionKind, Sources
from hsiaug.report.tables import ReportTable
from hsiaug.report.trials import Trial, rows_of
from hsiaug.tasks.data import NoGroundTruthError
from hsiaug.trial.arm import Method, control_rank

SIDE = 800
"""Pixels of the longer side of a map; larger scenes are thinned out to it."""
PLACES = 2
"""Places of a set that are drawn."""
ROOM = 700_000
"""Bytes of maps after which no further table gets any, before base64 makes a third more of them."""
PALETTE = 256
"""Colours that a PNG with a palette can hold."""
Colour = tuple[int, int, int]
SHARES: Sequence[Colour] = (
    (0, 0, 0),
    (164, 14, 38),
    (214, 111, 92),
    (244, 211, 161),
    (140, 196, 178),
    (0, 105, 92),
)
"""Colours of shares from 0 to 1, behind one of nothing."""
SHARE_LEGEND = [("no split", "#a40e26"), ("half of them", "#f4d3a1"), ("all", "#00695c")]


def _section(table: ReportTable, sources: Sources) -> Section:
    """The maps of a table, or why there are none; tables are drawn until ROOM is used."""
    from hsiaug.report.render_page import markup_of

    try:
        if sources.store is None:
            raise NoGroundTruthError(
                "the page was made from records alone, and maps need their predictions"
            )
        if sources.drawn["maps"] >= ROOM:
            raise NoGroundTruthError(
                "the page has as many as keep it small; a report of this run alone has its own"
            )
        best = _best_trials(table)
        trials = [trial for _, trial in best]
        predicted = read_maps(sources.store, trials, sources.truths, MOST_VALUES)
        maps = _table_maps(table, [cell for cell, _ in best], predicted)
        maps |= {"shares": [*_shares(table, sources)], "share_legend": SHARE_LEGEND}
    except NoGroundTruthError as error:
        return Section("Maps", notes=(f"No maps: {error}.",), opened=True)
    pictures = (*maps["figures"], *maps["shares"])
    sources.drawn["maps"] += sum(len(figure["source"]) for figure in pictures) * 3 // 4
    return Section("Maps", html=markup_of("maps", maps), opened=True)


def _table_maps(
    table: ReportTable, cells: Sequence[ArmCell], predicted: PredictedMaps
) -> dict[str, Any]:
    """What the page shows of the maps of the trials of these cells: the pictures, what each colour
    is, and JSON for the viewer. Raises NoGroundTruthError for too many classes.
    """
    truth = predicted.truth
    if len(truth.class_names) >= PALETTE:
        raise NoGroundTruthError(f"a map has {PALETTE - 1} classes at most")
    colours = [(r, g, b) for r, g, b in class_colours(len(truth.class_names)).tolist()]
    shown = _most_tested(predicted)
    figures = [*_ground(predicted, shown, colours)]
    legends = {"classes": [*zip(truth.class_names, colours[1:], strict=True)]}
    if any(figure["kind"] == "split" for figure in figures):
        legends["split"] = [*zip(ROLES, TINTS, strict=True)][1:]
    figures += _called_figures(table, cells, predicted, shown, colours)
    step = max(_step(truth.masks[i].shape) for i in shown)
    about = {
        "classes": list(map(visible, truth.class_names)),
        "colours": [hex_of(colour) for colour in colours[1:]],
        "roles": ROLES,
        "tints": [hex_of(colour) for colour in TINTS],
        "places": list(map(visible, truth.places)),
        "step": step,
    }
    return {
        "figures": figures,
        "legends": {
            about: [(name, hex_of(colour)) for name, colour in entries]
            for about, entries in legends.items()
        },
        "about": json.dumps(about, ensure_ascii=False),
        "heading": f"Maps of split {predicted.trials[0].seed}",
        "places": len(truth.places),
        "drawn": len(shown),
        "step": step,
    }


def _shares(table: ReportTable, sources: Sources) -> Iterator[dict[str, Any]]:
    """In what share of its splits each pixel was right, of the two configurations of the page."""
    store = sources.store
    assert store is not None
    for cell in shown_cells(table)[:2]:
        predicted = read_maps(store, rows_of(cell.ok), sources.truths, MOST_VALUES)
        for i in _most_tested(predicted):
            truth = predicted.truth.masks[i]
            called = [places[i] for places in predicted.called]
            tested = sum((one > 0).astype(np.int16) for one in called)
            right = sum((one == truth) & (one > 0) for one in called)
            share = right / np.maximum(tested, 1)
            steps = np.where(tested > 0, 1 + np.round(share * (len(SHARES) - 2)), 0)
            text = _at(
                f"{table.cell_words(cell)}: in how many of {len(predicted.trials)} splits",
                predicted.truth,
                i,
            )
            yield _palette_figure(steps.astype(np.uint8), SHARES, "share", i, text)


def _most_tested(predicted: PredictedMaps) -> list[int]:
    """The places with most test pixels, in their order."""
    tested = [int((mask > 0).sum()) for mask in predicted.called[0]]
    return sorted(sorted(range(len(tested)), key=lambda i: -tested[i])[:PLACES])


def _called_figures(
    table: ReportTable,
    cells: Sequence[ArmCell],
    predicted: PredictedMaps,
    shown: Sequence[int],
    colours: Sequence[Colour],
) -> Iterator[dict[str, Any]]:
    """What each trial called the pixels of the places that are shown."""
    main = table.scores.main
    pairs = zip(cells, predicted.trials, predicted.called, strict=True)
    for number, (cell, trial, called) in enumerate(pairs):
        name = table.cell_label(cell)
        (score,) = cell.column(main.key)[cell.ok["hash"] == trial.hash].tolist()
        reached = f"{name}: {main.name} {percent(score)} %" if score == score else name
        for i in shown:
            text = _at(f"{reached}, split {trial.seed}", predicted.truth, i)
            drawn = _palette_figure(called[i], colours, "called", i, text)
            yield drawn | {"cell": number, "name": name}


def _ground(
    predicted: PredictedMaps, shown: Sequence[int], colours: Sequence[Colour]
) -> Iterator[dict[str, Any]]:
    """The scene in colours, the true classes, and the sides of the first trial's split."""
    truth, roles = predicted.truth, predicted.roles
    for i in shown:
        photo = truth.photo(_step(truth.masks[i].shape))
        if photo is not None:
            # A tenth of what it weighs as PNG.
            picture = image_bytes(photo, format="JPEG", quality=82, optimize=True)
            text = _at("colours", truth, i)
            yield page_picture(picture, photo.shape, kind="colours", place=i, text=text, cell=None)
        yield _palette_figure(truth.masks[i], colours, "true", i, _at("true classes", truth, i))
        if roles is not None:
            text = _at(f"split {predicted.trials[0].seed}", truth, i)
            yield _palette_figure(roles[i], TINTS, "split", i, text)


def _palette_figure(
    ids: NDArray[np.integer], colours: Sequence[Colour], kind: str, place: int, text: str
) -> dict[str, Any]:
    """Class ids (H, W), thinned out; id 0 is transparent."""
    step = _step(ids.shape)
    thin = ids[::step, ::step]
    picture = palette_png(thin.astype(np.uint8), colours)
    return page_picture(picture, thin.shape, kind=kind, place=place, text=text, cell=None)


def _best_trials(table: ReportTable) -> list[tuple[ArmCell, Trial]]:
    """The two configurations that are shown of all, and other controls and configurations, in the
    split that most have.
    """
    first = shown_cells(table)
    others = [cell for classifier in table.classifiers for cell in best_cells(table, classifier)]
    best = [*first, *(cell for cell in others if cell not in first)]
    pairs = [(cell, trial) for cell in best for trial in rows_of(cell.ok)]
    if not pairs:
        raise NoGroundTruthError("no trial went well")
    seeds = [trial.seed for _, trial in pairs]
    seed = max(sorted(set(seeds)), key=seeds.count)
    return [(cell, trial) for cell, trial in pairs if trial.seed == seed]


def best_cells(table: ReportTable, classifier: Method) -> list[ArmCell]:
    """The controls, and the best of the other configurations."""
    best: dict[str, ArmCell] = {}
    for cell in table.cells_of(classifier):
        name = cell.arm.generator.name if cell.is_control else "other"
        if cell in table.main_scores:
            best[name] = max(best.get(name, cell), cell, key=table.score_rank)
    controls = sorted(best.keys() - {"other"}, key=control_rank)
    return [best[name] for name in (*controls, "other") if name in best]


def _at(text: str, truth: GroundTruth, place: int) -> str:
    name = truth.places[place]
    return f"{text}, {name}" if name else text


def _step(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // SIDE)


def palette_png(ids: NDArray[np.uint8], colours: Sequence[Colour]) -> bytes:
    """A PNG of ``colours[ids]``.

    Parameters
    ----------
    ids : (H, W) uint8
        Of which 0 is transparent.
    """
    palette = [value for colour in colours for value in colour]
    return image_bytes(ids, palette, format="PNG", optimize=True, transparency=0)


SECTIONS = (SectionKind("maps", _section, 80, within=""),)
