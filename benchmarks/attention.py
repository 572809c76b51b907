"""Whether maps of attention follow the layout of classes in patches, for claim C8 of txt2hsi.

    python -m benchmarks.attention SCENE DRAW… [PARAMETER=VALUE…]

For each draw, over patches that are generated under prompts of two classes: how well the map of the
words of the class finds the region where an oracle sees it. A picture goes to
attention_SCENE_DRAW.png in this folder: of each class a few patches, its region, and a map for each
word.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import check_usage, markdown, say, txt2hsi_fits
from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.base.text import plotted, shortened
from hsiaug.contracts import Attention
from hsiaug.core.samples import take_in_turn
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.quality.prompt_fidelity import PromptScene, prompt_names
from hsiaug.quality.synthesis import AnySynthesis
from hsiaug.report.figures.files import WIDTHS, new_figure, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

MAX_PATCHES = 300
"""Patches that are looked at, at most."""
LEAST = 0.1
"""Share of a patch that its class must cover, and other trained classes."""
SHOWN = 3
"""Patches of a class in the figure."""
WORDS = 6
"""Words that are shown at most: those of the class's name, then those whose maps vary most."""
LETTERS = 13
"""Of a word, at most."""
COLOURS = "PuOr_r"
LABELS = {
    "class": "words of the class's name",
    "elsewhere": "words of the class's name, map of another patch",
    "spectra": "no map: likeness to the centre's spectrum",
    "neighbour": "words of the neighbour's name, against its region",
}
"""What each row compares with the region of the class of the centre, or of its neighbour."""
CAPTION = (
    "Generated patches, with the attention to the words of their prompts. Region: white = an oracle"
    " sees the class of the centre, black = another."
)
PER_LAYOUT = 4
"""Generated patches of a layout (class, side, neighbour)."""
Array = NDArray[np.floating]
Ask = Callable[[NDArray[np.float32], Sequence[str]], Attention]
Maps = dict[str, NDArray[np.float32]]
"""Maps (p, p) of one patch by the word, in lower case; their sum where a prompt repeats a word."""


@dataclass(frozen=True, eq=False)
class RegionPatches:
    """Patches whose maps are asked for.

    Attributes
    ----------
    x : (n, B, p, p) float32
        In scene units.
    y : (n,) int64
        Class ids.
    neighbour : (n,) int64
        Class id of what the prompt says lies beside each, 0 = nothing.
    prompts : tuple of str
        What is said of each.
    region : (n, p, p) array
        1 = the class, 0 = another, NaN = not known.
    neighbour_region : (n, p, p) array
        The same of the neighbour.
    """

    x: NDArray[np.float32]
    y: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    prompts: tuple[str, ...]
    region: Array
    neighbour_region: Array


@dataclass(frozen=True, eq=False)
class AttentionMaps:
    """Patches that show several classes, in turn of their classes, with the maps of their
    prompts.

    Attributes
    ----------
    maps : sequence of Maps
        Of each patch.
    content : set of str
        Words that may tell classes apart.
    """

    patches: RegionPatches
    maps: Sequence[Maps]
    content: set[str]

    @property
    def shown(self) -> list[int]:
        """Places of the patches for the figure, class by class; those of a class have one
        prompt.
        """
        shown = []
        for class_id in np.unique(self.patches.y):
            of_class = np.flatnonzero(self.patches.y == class_id).tolist()
            words = self.maps[of_class[0]].keys()
            shown += [place for place in of_class if self.maps[place].keys() == words][:SHOWN]
        return shown


def look_at_attention(made: AnySynthesis, patches: RegionPatches) -> AttentionMaps:
    """Maps of patches under their prompts.

    Parameters
    ----------
    made : AnySynthesis
        A fitted generator, and what it was fitted on.

    Raises
    ------
    InputError
        For a generator without attention.
    """
    ask = getattr(made.fitted, "attention", None)
    if not callable(ask):
        raise InputError("the generator must have attention", value=repr(made.card.name))
    maps = _maps(ask, patches.x, patches.prompts)
    return AttentionMaps(patches, maps, _content(maps))


def words_of(text: str) -> list[str]:
    """The words of a text, in lower case and without punctuation."""
    return re.findall(r"[^\W_]+", text.lower())


def generate_layouts(made: AnySynthesis, scene: PromptScene) -> RegionPatches:
    """Patches that are generated under prompts of two classes, of which an oracle sees both, the
    first in the centre.

    Parameters
    ----------
    made : AnySynthesis
        A fitted generator that takes prompts, and what it was fitted on.
    scene : PromptScene
        Of it.

    Raises
    ------
    InputError
        Where the scene has no such layout, or no sample shows one.
    """
    layouts = scene.layouts
    words = {c: set(words_of(name)) for c, name in layouts.names.items()}
    # A word of both classes has one map; one of all classes is never looked at.
    shared = set.intersection(*words.values()) if words else set()
    triples = [triple for triple in layouts.at if words[triple[0]] & words[triple[2]] <= shared]
    rng = np.random.default_rng(derive_seed("attention", made.spec.seed))
    asked = [triples[i] for i in rng.permutation(len(triples))[: MAX_PATCHES // PER_LAYOUT]]
    asked = [triple for triple in asked for _ in range(PER_LAYOUT)]
    rule = "`attention` needs generated patches that show two classes"
    hint = "Use larger patches (`patch`), or a scene with several classes beside each other."
    if not asked:
        raise InputError(rule, value="no layout to ask for", hint=hint)
    prompts = [layouts.prompt(triple) for triple in asked]
    fitted: Any = made.fitted
    seed = derive_seed("attention", made.spec.seed, 1)
    x = fitted.sample_prompts(prompts, guidance=made.spec.omega, seed=seed).x
    y, neighbour = (np.array([triple[i] for triple in asked], dtype=np.int64) for i in (0, 2))
    named = scene.oracle.name_patches(x)
    own = named == y[:, None, None]
    beside = named == neighbour[:, None, None]
    middle = x.shape[2] // 2
    fits = own[:, middle, middle] & (
        np.minimum(own.mean(axis=(1, 2)), beside.mean(axis=(1, 2))) >= LEAST
    )
    rows = np.flatnonzero(fits)
    if not len(rows):
        raise InputError(rule, value="none of both classes", hint=hint)
    rows = rows[take_in_turn(y[rows])]
    return RegionPatches(
        x[rows],
        y[rows],
        neighbour[rows],
        tuple(prompts[row] for row in rows),
        own[rows].astype(np.float64),
        beside[rows].astype(np.float64),
    )


def _maps(ask: Ask, x: NDArray[np.float32], prompts: Sequence[str]) -> list[Maps]:
    answer = ask(x, prompts)
    answer.check(x)
    maps_of_patches: list[Maps] = [{} for _ in prompts]
    for maps, words, values in zip(maps_of_patches, answer.words, answer.maps, strict=True):
        for word, value in zip(map(str.lower, words), values, strict=True):
            maps[word] = maps[word] + value if word in maps else value
    return maps_of_patches


def _content(maps: Sequence[Maps]) -> set[str]:
    """Words that may tell classes apart: no function words of English, none that all prompts have,
    no marks.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    everywhere = set.intersection(*(set(of_patch) for of_patch in maps))
    plain = {word for of_patch in maps for word in of_patch if word.isalnum()}
    return plain - everywhere - set(ENGLISH_STOP_WORDS)


@dataclass(frozen=True)
class MapScore:
    """Means over n patches.

    Attributes
    ----------
    auc : float
        Area under the ROC curve of a map's values against the region of the class; 0.5 = the map
        says nothing.
    half : float
        Half of its 95 % interval over patches.
    iou : float
        Intersection over union of the region and the pixels above the map's mean.
    """

    auc: float
    half: float
    iou: float
    n: int


def score_maps(attention: AttentionMaps, made: AnySynthesis) -> dict[str, MapScore | None]:
    """Scores by the names of LABELS; None where no patch has such words."""
    patches = attention.patches
    trained = np.unique(made.real.y).tolist()
    words = prompt_names(made.fitted, trained, made.data.class_names)
    names = {c: attention.content.intersection(words_of(name)) for c, name in words.items()}
    of_class = [
        total(maps, names[class_id])
        for maps, class_id in zip(attention.maps, patches.y.tolist(), strict=True)
    ]
    x = patches.x
    middle = slice(x.shape[2] // 2, x.shape[2] // 2 + 1)
    scaled = x / (made.real.x.std(axis=(0, 2, 3))[:, None, None] + 1e-9)
    compared = {
        "class": of_class,
        # Classes take turns: the next patch is of another class, where there are several left.
        "elsewhere": of_class[1:] + of_class[:1],
        "spectra": [*-np.linalg.norm(scaled - scaled[:, :, middle, middle], axis=1)],
    }
    rows: dict[str, MapScore | None] = {}
    pairs_of = {name: (maps, patches.region) for name, maps in compared.items()}
    if patches.neighbour.any():
        of_neighbour = [
            total(maps, names.get(neighbour, ()))
            for maps, neighbour in zip(attention.maps, patches.neighbour.tolist(), strict=True)
        ]
        pairs_of["neighbour"] = (of_neighbour, patches.neighbour_region)
    for name, (maps, of_patches) in pairs_of.items():
        pairs = zip(maps, of_patches, strict=True)
        scores = [score_map(values, region) for values, region in pairs if values is not None]
        if not scores:
            rows[name] = None
            continue
        aucs, ious = np.array(scores).T
        half = 1.96 * aucs.std() / np.sqrt(len(aucs))
        rows[name] = MapScore(float(aucs.mean()), float(half), float(ious.mean()), len(scores))
    return rows


def total(maps: Maps, words: Collection[str]) -> NDArray[np.float32] | None:
    """(p, p) sum of the maps of some words; None where there is none of them."""
    chosen = [values for word, values in maps.items() if word in words]
    return np.sum(chosen, axis=0) if chosen else None


def score_map(values: Array, region: Array) -> tuple[float, float]:
    """AUC and IoU, as of :class:`MapScore`, of a map (p, p) where its region (p, p) of 1 and 0 is
    not NaN.
    """
    labelled = ~np.isnan(region)
    inside = region[labelled] > 0
    compared = values[labelled]
    high = compared > compared.mean()
    iou = float((inside & high).sum() / (inside | high).sum())
    return rank_nearer(compared[~inside], compared[inside]), iou


def draw_attention(report: AttentionMaps, made: AnySynthesis) -> Figure:
    """A panel per class. All maps share one scale: the difference from the mean of the map, in
    percent of it.
    """
    shown = report.shown
    colours = FalseColours.fit_samples(made.real.x, made.data.wavelengths)
    images = colours.of_patches(report.patches.x[shown])
    regions = report.patches.region[shown]
    changes = [_changes(report.maps[place], report.content) for place in shown]
    scale = _shared_scale(changes)
    of_shown = report.patches.y[shown].tolist()
    classes = list(dict.fromkeys(of_shown))
    rows_of_panels = math.ceil(len(classes) / 2)
    figure = new_figure(WIDTHS[2], 2.4 * rows_of_panels + 0.7)
    panels = figure.subplots(rows_of_panels, 2, squeeze=False).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, class_id in zip(panels, classes, strict=False):
        rows = [i for i, of_patch in enumerate(of_shown) if of_patch == class_id]
        name = made.data.class_names[class_id - 1]
        words = _words_shown(changes[rows[0]], words_of(name))
        cells = [
            (
                images[i],
                _region_image(regions[i]),
                *(scale.to_rgba(changes[i][word], bytes=True)[:, :, :3] for word in words),
            )
            for i in rows
        ]
        _draw_panel(axes, name, words, cells)
    bar = figure.colorbar(scale, ax=panels, location="bottom", aspect=60, shrink=0.5, fraction=0.01)
    bar.set_label("attention to the word: difference from the mean of its map, %", fontsize=7)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(wrapped(CAPTION, WIDTHS[2]), fontsize=8)
    return figure


def _changes(maps: Maps, content: Collection[str]) -> Maps:
    """Those of a patch whose words may tell classes apart: differences from their means, in percent
    of these.
    """
    return {
        word: 100 * (values / (values.mean() + 1e-9) - 1)
        for word, values in maps.items()
        if word in content
    }


def _shared_scale(changes: Sequence[Maps]) -> ScalarMappable:
    """Colours from minus to plus the size that 98 % of all differences stay below."""
    import matplotlib
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    values = [map_.ravel() for maps in changes for map_ in maps.values()]
    sizes = np.abs(np.concatenate([np.ones(1), *values]))
    limit = max(1.0, float(np.ceil(np.percentile(sizes, 98))))
    return ScalarMappable(Normalize(-limit, limit), matplotlib.colormaps[COLOURS])


def _words_shown(changes: Maps, of_name: Collection[str]) -> list[str]:
    """The words of a class's name, then those whose maps vary most; WORDS of them."""
    ranked = sorted(changes, key=lambda word: (word not in of_name, -changes[word].std()))
    return ranked[:WORDS]


def _region_image(region: Array) -> NDArray[np.uint8]:
    """(p, p, 1) white = the class, black = others, grey = no label."""
    return np.nan_to_num(255 * region, nan=150.0).astype(np.uint8)[:, :, None]


def _draw_panel(
    axes: Axes,
    name: str,
    words: Sequence[str],
    rows: Sequence[Sequence[NDArray[np.uint8]]],
) -> None:
    """The patches of a class below each other: the patch, its region, and the maps of the words.

    Parameters
    ----------
    rows : sequence of sequence of (p, p, 3 or 1) uint8
        The images of each patch from left to right.
    """
    side = len(rows[0][0]) + 1
    sheet = np.full((len(rows) * side - 1, (2 + WORDS) * side - 1, 3), 255, dtype=np.uint8)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            top = row * side
            left = column * side
            sheet[top : top + side - 1, left : left + side - 1] = image
    axes.imshow(sheet, interpolation="nearest")
    axes.set_anchor("NW")
    headings = ("patch", "region", *(shortened(plotted(word), LETTERS) for word in words))
    for column, text in enumerate(headings):
        axes.text(
            (column + 0.4) * side,
            -1.5,
            text,
            fontsize=7,
            rotation=40,
            ha="left",
            va="bottom",
            rotation_mode="anchor",
        )
    axes.set_title(plotted(name), fontsize=7, fontweight="bold", loc="left", pad=42)


def main() -> None:
    rows = []
    for made in txt2hsi_fits(sys.argv[1:]):
        draw = made.spec.seed
        scene = PromptScene.of(made)
        assert scene is not None
        found = look_at_attention(made, generate_layouts(made, scene))
        for name, score in score_maps(found, made).items():
            cells = ("–", "–", "–", "0")
            if score is not None:
                cells = (*(f"{v:.3f}" for v in (score.auc, score.half, score.iou)), str(score.n))
            rows.append((str(draw), LABELS[name], *cells))
        draw_attention(found, made).savefig(Path(f"attention_{made.data.name}_{draw}.png"))
    say("\n".join(markdown(("draw", "map", "AUC", "±", "IoU", "n"), rows)))


if __name__ == "__main__":
    check_usage(__doc__, 2)
    main()
