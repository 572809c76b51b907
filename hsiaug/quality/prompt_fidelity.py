"""Prompt fidelity: whether samples of a generator that reads text show what their prompts say.

A fitted generator is asked for patches in plain words, as a user would type them: for a class, for
a class with another on one side of it (a *layout*), and for a look of a class. An oracle, trees
that learnt from held-out pixels and their labels, names the pixels of the samples. Each rate has
that of real patches which show the same by the oracle's other half, and what is seen where it is
not said. All of it is a diagnosis after the fit: nothing may be chosen by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from hsiaug.base.arrays import AnyArray, Bools, Float32, Float64, Int16, Int64
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import PromptReading
from hsiaug.core.fields import side_masks
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.metrics.spectra import Space, at_most, fit_space
from hsiaug.protocol.view import patches_at

OMEGAS = (0.0, 1.0, 3.0)
"""Guidance strengths that are compared."""
PER_PROMPT = 16
"""Samples of a typed prompt."""

# The oracle
AXES = 20
"""Principal components that are read."""
TREES = 200
PIXELS = 300
"""Pixels of a class that are learnt from, at most."""
WINDOW = 3
"""Spectra are means over so many pixels along each side."""
AT_ONCE = 2048
"""Pixels whose windows are read at a time."""
LARGE = 40_000
"""Pixels of a scene from which on layouts are looked for in some squares alone."""
SQUARE = 50
"""Pixels of a side of these."""

# Layouts and prompts
LEAST_REAL = 20
"""Real patches that show a layout, at least, for it to be asked for."""
SIDE_SHARE = 0.6
"""Share of a side that the neighbour covers in these."""
REAL_PATCHES = 8
"""Real patches of a layout that are looked at, at most."""
CUT_AT_ONCE = 50
"""Real patches that are cut at a time, at most."""
PHRASES = {
    "north": "to the north",
    "south": "to the south",
    "west": "to the west",
    "east": "to the east",
}
LOOKS = {
    "evenness": ("mixed {}", "even {}"),
    "brightness": ("bright {}", "dark {}"),
    "share": ("{} in most of the patch", "{} in a small part of the patch"),
}
"""Pairs of prompts of which the first says more of something."""
ALONE, SAID, NEVER = "alone", "said", "never"
"""Kinds of prompts beside LOOKS: a class alone, a layout that training said, one that it never
said.
"""
LABELS = {
    "centre": "centre is the class of the prompt",
    "side": "pixels of the named side that are the named neighbour",
    "not_said": "the same, if the prompt does not name it",
    "never_said": "the same, for combinations that no text in training had",
    "evenness": "mixed versus even, AUC",
    "brightness": "bright versus dark, AUC",
    "share": "most of the patch versus a small part, AUC",
}
"""What each rate is."""
KIND_OF_RATE = {"centre": ALONE, "side": SAID, "not_said": SAID, "never_said": NEVER}
"""The kind of prompts that a rate is of; those of LOOKS have its name."""

Triple = tuple[int, str, int]
"""A class, a side, and the class that lies there."""


class Amounts(NamedTuple):
    """How much is asked for.

    Attributes
    ----------
    alone : int
        Samples of each class alone.
    triples : int
        Layouts at most that training said; as many again that it never said.
    layout : int
        Samples of each.
    look : int
        Samples of each wording of a look.
    """

    alone: int = 16
    triples: int = 40
    layout: int = 8
    look: int = 8


AMOUNTS = Amounts()


# --- the oracle


@dataclass(frozen=True, eq=False)
class PixelTrees:
    """Trees that name a pixel by the mean spectrum round it.

    Attributes
    ----------
    space : Space
        Components of spectra in scene units.
    trees : ExtraTreesClassifier
        They read these components.
    """

    space: Space
    trees: Any

    @classmethod
    def learn(cls, space: Space, x: Float64, y: Int64, number: int) -> Self:
        """Learn from spectra x (n, B) of classes y (n,). number: seeds the trees."""
        from sklearn.ensemble import ExtraTreesClassifier

        grown = ExtraTreesClassifier(TREES, class_weight="balanced", random_state=number)
        return cls(space, grown.fit(space.project(x), y))

    def name(self, x: Float64) -> Int64:
        """(n,) class ids of mean spectra x (n, B)."""
        return np.asarray(self.trees.predict(self.space.project(x))).astype(np.int64)

    def name_patches(self, x: Float32) -> Int64:
        """(n, p, p) class ids of the pixels of patches x (n, B, p, p) in scene units."""
        # Which the command never calls.
        from scipy.ndimage import uniform_filter

        n, bands, side, _ = x.shape
        window = 1, 1, min(WINDOW, side), min(WINDOW, side)
        named = np.empty((n, side, side), dtype=np.int64)
        step = max(1, AT_ONCE // side**2)
        for some in (slice(start, start + step) for start in range(0, n, step)):
            means = np.moveaxis(uniform_filter(x[some], window, mode="nearest"), 1, 3)
            flat = means.reshape(-1, bands).astype(np.float64)
            named[some] = self.name(flat).reshape(-1, side, side)
        return named

    def map_scene(self, cube: Float32, places: Bools) -> Int64:
        """(H, W) class ids of the pixels of a scene at places (H, W); -1 elsewhere."""
        named = np.full(places.shape, -1, dtype=np.int64)
        at = np.argwhere(places)
        for start in range(0, len(at), AT_ONCE):
            some = at[start : start + AT_ONCE]
            named[some[:, 0], some[:, 1]] = self.name(window_means(cube, some))
        return named


@dataclass(frozen=True, eq=False)
class Oracle(PixelTrees):
    """Trees that learnt from one half of the held-out pixels.

    Attributes
    ----------
    rates : mapping of int to float
        By class id, the share of the other half that is named rightly.
    scene_map : (H, W) int64
        Names of the scene by trees that learnt from the other half: where real patches of a layout
        are, without asking who judges them. -1 where the scene was not looked at.
    """

    rates: Mapping[int, float]
    scene_map: Int64

    @classmethod
    def of(cls, cube: Float32, held_out: Int16, hidden: Bools | None) -> Self:
        """Learn from the held-out pixels of a split, and name the scene where
        :func:`searched_places` says.

        Parameters
        ----------
        cube : (H, W, B) array
            Of the scene.
        held_out : (H, W) int16
            Class ids of these pixels, 0 elsewhere.
        hidden : (H, W) bool or None
            Pixels that no plugin sees.
        """
        rng = np.random.default_rng(derive_seed("oracle", 0))
        at = rng.permutation(np.argwhere(held_out))
        y = held_out[at[:, 0], at[:, 1]].astype(np.int64)
        half = (len(y) + 1) // 2
        first = at_most(y[:half], PIXELS, rng)
        # A single held-out pixel is in both halves.
        rest = min(half, len(y) - 1)
        second = rest + at_most(y[rest:], PIXELS, rng)
        learnt, others = (window_means(cube, at[rows]) for rows in (first, second))
        space = fit_space(learnt, AXES)
        # The trees of one half are gone before those of the other grow: each take 80 MB.
        other = PixelTrees.learn(space, others, y[second], 1)
        scene_map = other.map_scene(cube, searched_places(held_out.shape, hidden))
        del other
        judge = PixelTrees.learn(space, learnt, y[first], 0)
        truth = y[second]
        right = judge.name(others) == truth
        rates = {int(c): float(right[truth == c].mean()) for c in np.unique(truth)}
        return cls(space, judge.trees, rates, scene_map)

    @property
    def right(self) -> float:
        """Share of held-out pixels that are named rightly, mean over classes."""
        return float(np.mean(list(self.rates.values())))


def window_means(cube: Float32, at: AnyArray) -> Float64:
    """(n, B) mean spectra of the windows round pixels at (n, 2) of a cube (H, W, B); beyond its
    edges its outermost pixels are repeated.
    """
    height, width = cube.shape[:2]
    total = np.zeros((len(at), cube.shape[2]), dtype=np.float64)
    reach = range(-(WINDOW // 2), WINDOW // 2 + 1)
    for down in reach:
        rows = np.clip(at[:, 0] + down, 0, height - 1)
        for across in reach:
            total += cube[rows, np.clip(at[:, 1] + across, 0, width - 1)]
    return total / WINDOW**2


def searched_places(shape: tuple[int, ...], hidden: Bools | None = None) -> Bools:
    """(H, W) where layouts are looked for: the whole of a small scene, and of a large one as
    many squares, at random, as have LARGE pixels.

    Parameters
    ----------
    hidden : (H, W) bool or None
        Pixels that are left out.
    """
    places = np.ones(shape, dtype=bool)
    if places.size > LARGE:
        squares = np.zeros((-(-shape[0] // SQUARE), -(-shape[1] // SQUARE)), dtype=bool)
        rng = np.random.default_rng(derive_seed("searched places", 0))
        chosen = rng.permutation(squares.size)[: LARGE // SQUARE**2]
        squares.ravel()[chosen] = True
        places = squares.repeat(SQUARE, axis=0).repeat(SQUARE, axis=1)[: shape[0], : shape[1]]
    return places if hidden is None else places & ~hidden


# --- layouts and prompts


def prompt_names(fitted: Any, ids: Iterable[int], class_names: Sequence[str]) -> dict[int, str]:
    """{class id: the words that name it}, of those that a generator understands.

    Parameters
    ----------
    ids : iterable of int
        Of the classes with training pixels.
    class_names : sequence of str
        Of class ids 1..C.
    """
    names = {}
    for class_id in ids:
        plain = class_names[class_id - 1]
        for words in (plain, f"{plain} {class_id}"):
            reading: PromptReading = fitted.read_prompts([words])[0]
            if reading.centre == class_id and not reading.faults:
                names[class_id] = words
                break
    return names


class SceneLayouts(NamedTuple):
    """Layouts that a scene shows.

    Attributes
    ----------
    names : mapping of int to str
        By class id, the words that name it in a prompt.
    at : mapping of Triple to (m, 2) array
        The pixels whose patches show each.
    patch : int
        Side of these in pixels.
    """

    names: Mapping[int, str]
    at: Mapping[Triple, AnyArray]
    patch: int

    def prompt(self, triple: Triple) -> str:
        """The prompt of a layout, as a user would type it."""
        class_id, side, neighbour = triple
        return f"{self.names[class_id]} with {self.names[neighbour]} {PHRASES[side]}"


def find_layouts(names: Mapping[int, str], scene_map: Int64, patch: int) -> SceneLayouts:
    """The layouts that at least LEAST_REAL patches of a scene show, by a map of the names of its
    pixels.

    Parameters
    ----------
    names : mapping of int to str
        Of the classes that are looked for.
    scene_map : (H, W) int64
        Class ids; -1 where the scene was not looked at.
    patch : int
        Side of patches in pixels.
    """
    margin = patch // 2
    if patch < 3 or min(scene_map.shape) < patch:
        return SceneLayouts(names, {}, patch)
    at = np.argwhere(scene_map >= 0)
    inside = (at >= margin).all(axis=1) & (at < np.array(scene_map.shape) - margin).all(axis=1)
    at = at[inside]
    regions = patches_at(scene_map[..., None].astype(np.int16), at, patch)[:, 0]
    centre = regions[:, margin, margin]
    layouts: dict[Triple, AnyArray] = {}
    for side, mask in side_masks(patch).items():
        strips = regions[:, mask]
        for neighbour in names:
            fits = (strips == neighbour).mean(axis=1) >= SIDE_SHARE
            for class_id in names:
                rows = fits & (centre == class_id)
                if class_id != neighbour and rows.sum() >= LEAST_REAL:
                    layouts[class_id, side, neighbour] = at[rows]
    return SceneLayouts(names, layouts, patch)


class Prompt(NamedTuple):
    """A prompt, which is asked for once or more often.

    Attributes
    ----------
    kind : str
        ALONE, SAID or NEVER, or one of LOOKS.
    triple : Triple
        The class of the centre, and of a layout the side and the class there.
    wording : int
        Of a look: the place in its pair.
    """

    text: str
    kind: str
    triple: Triple
    wording: int = 0


def choose_prompts(fitted: Any, layouts: SceneLayouts, amounts: Amounts) -> list[Prompt]:
    """The prompts that a generator is asked for, each as often as its kind is.

    Parameters
    ----------
    fitted : FittedGenerator
        That reads prompts.
    layouts : SceneLayouts
        Of the scene that it learnt.
    amounts : Amounts
        How many.
    """
    names = layouts.names
    alone = {class_id: (class_id, "", 0) for class_id in names}
    prompts = [
        Prompt(name, ALONE, alone[c]) for c, name in names.items() for _ in range(amounts.alone)
    ]
    rng = np.random.default_rng(derive_seed("said and seen", 0))
    every = list(layouts.at)
    triples = [every[i] for i in rng.permutation(len(every))]
    readings = fitted.read_prompts([layouts.prompt(triple) for triple in triples])
    new = [reading.never_said for reading in readings]
    for kind, is_new in ((SAID, False), (NEVER, True)):
        of_kind = [t for t, never in zip(triples, new, strict=True) if never == is_new]
        prompts += [
            Prompt(layouts.prompt(triple), kind, triple)
            for triple in of_kind[: amounts.triples]
            for _ in range(amounts.layout)
        ]
    for look, wordings in LOOKS.items():
        for class_id, name in names.items():
            texts = [wording.format(name) for wording in wordings]
            readings = fitted.read_prompts(texts)
            if any(reading.faults or not reading.looks for reading in readings):
                continue
            prompts += [
                Prompt(text, look, alone[class_id], wording)
                for wording, text in enumerate(texts)
                for _ in range(amounts.look)
            ]
    return prompts


# --- the rates of a generator


class FidelityRate(NamedTuple):
    """A rate of what is seen.

    Attributes
    ----------
    name : str
        One of LABELS.
    values : tuple of float or None
        At each of OMEGAS; None where nothing could be asked for.
    real : float or None
        The same of real patches.
    n : int
        Prompts, each sampled several times.
    """

    name: str
    values: tuple[float | None, ...]
    real: float | None
    n: int


class PromptFidelity(NamedTuple):
    """All rates, and how reliable their judge is.

    Attributes
    ----------
    oracle_right : float
        Share of held-out pixels that the oracle names rightly, mean over classes.
    """

    rates: tuple[FidelityRate, ...]
    oracle_right: float

    def as_json(self) -> dict[str, Any]:
        """The content of quality.json."""
        return {
            "omegas": list(OMEGAS),
            "oracle_right": self.oracle_right,
            "rates": [rate._asdict() for rate in self.rates],
        }


class PromptScene(NamedTuple):
    """What prompts of a fitted generator are judged by, found once.

    Attributes
    ----------
    oracle : Oracle
        Of the split. It reads test labels: a diagnosis after the fit.
    layouts : SceneLayouts
        That real patches of the scene show, by the half of the oracle that judges nothing.
    """

    oracle: Oracle
    layouts: SceneLayouts

    @classmethod
    def of(cls, made: Any) -> Self | None:
        """Of a fitted generator and what it was fitted on; None of one that takes no prompts.

        Parameters
        ----------
        made : PixelSynthesis
            A fitted generator, and what it was fitted on.
        """
        if not callable(getattr(made.fitted, "sample_prompts", None)):
            return None
        split = made.split
        held_out = np.where(split.test, split.labels, np.int16(0))
        oracle = Oracle.of(made.data.pixels, held_out, split.hidden)
        names = prompt_names(made.fitted, np.unique(made.real.y).tolist(), made.data.class_names)
        return cls(oracle, find_layouts(names, oracle.scene_map, split.patch))


def measure_fidelity(made: Any, scene: PromptScene) -> PromptFidelity | None:
    """How much of what prompts say is seen in samples; None where no class can be named.

    Parameters
    ----------
    made : PixelSynthesis
        A fitted generator that takes prompts, and what it was fitted on.
    scene : PromptScene
        Of these.
    """
    layouts, oracle = scene.layouts, scene.oracle
    if not layouts.names:
        return None
    prompts = choose_prompts(made.fitted, layouts, AMOUNTS)
    texts = [prompt.text for prompt in prompts]
    seen = []
    for omega in OMEGAS:
        seed = derive_seed("said and seen", omega)
        samples = made.fitted.sample_prompts(texts, guidance=omega, seed=seed)
        seen.append(seen_rates(samples.x, prompts, oracle))
    real = real_rates(prompts, layouts, oracle, made.data.cube)
    rates = []
    for name in LABELS:
        kind = KIND_OF_RATE.get(name, name)
        asked = {prompt.triple for prompt in prompts if prompt.kind == kind}
        if asked:
            values = tuple(rates_at.get(name) for rates_at in seen)
            rates.append(FidelityRate(name, values, real.get(name), len(asked)))
    return PromptFidelity(tuple(rates), oracle.right)


def seen_rates(x: Float32, prompts: Sequence[Prompt], oracle: Oracle) -> dict[str, float]:
    """The rates of LABELS; what was not asked for is left out.

    Parameters
    ----------
    x : (n, B, p, p) float32
        Samples in scene units.
    prompts : sequence of Prompt
        Of each.
    oracle : Oracle
        Of the same split.
    """
    rows = {
        kind: [row for row, prompt in enumerate(prompts) if prompt.kind == kind]
        for kind in (ALONE, SAID, NEVER, *LOOKS)
    }
    rates: dict[str, float] = {}
    if not rows[ALONE]:
        return rates
    named = oracle.name_patches(x[rows[ALONE]])
    ids = np.array([prompts[row].triple[0] for row in rows[ALONE]])
    middle = named.shape[1] // 2
    right = named[:, middle, middle] == ids
    rates["centre"] = float(np.mean([right[ids == c].mean() for c in np.unique(ids)]))
    masks = side_masks(named.shape[1])
    for kind, name in ((SAID, "side"), (NEVER, "never_said")):
        if not rows[kind]:
            continue
        triples = [prompts[row].triple for row in rows[kind]]
        rates[name] = _mean_share(oracle.name_patches(x[rows[kind]]), triples)
        if kind == SAID:
            shares = [(named[ids == c][:, masks[s]] == other).mean() for c, s, other in triples]
            rates["not_said"] = float(np.mean(shares))
    for look in LOOKS:
        if rows[look]:
            rates[look] = _told_apart(look, x[rows[look]], [prompts[i] for i in rows[look]], oracle)
    return rates


def real_rates(
    prompts: Sequence[Prompt], layouts: SceneLayouts, oracle: Oracle, cube: Float32
) -> dict[str, float]:
    """The same of real patches, of what they can show.

    Parameters
    ----------
    prompts : sequence of Prompt
        What was asked for.
    layouts : SceneLayouts
        Where the scene shows it, by the half of the oracle that judges nothing.
    oracle : Oracle
        Of the same split.
    cube : (H, W, B) array
        Of the scene.
    """
    known = [oracle.rates[c] for c in layouts.names if c in oracle.rates]
    rates = {"centre": float(np.mean(known))} if known else {}
    rng = np.random.default_rng(derive_seed("said and seen", 1))
    for kind, name in ((SAID, "side"), (NEVER, "never_said")):
        shown = [
            (triple, place)
            for triple in dict.fromkeys(p.triple for p in prompts if p.kind == kind)
            for place in rng.permutation(layouts.at[triple])[:REAL_PATCHES]
        ]
        if not shown:
            continue
        triples = [triple for triple, _ in shown]
        at = np.stack([place for _, place in shown])
        named = np.concatenate(
            [
                oracle.name_patches(patches_at(cube, some, layouts.patch))
                for some in np.array_split(at, -(-len(at) // CUT_AT_ONCE))
            ]
        )
        rates[name] = _mean_share(named, triples)
    return rates


def _mean_share(named: Int64, triples: Sequence[Triple]) -> float:
    """Share of the named side that the neighbour covers, mean over patches.

    Parameters
    ----------
    named : (n, p, p) int64
        Names of the pixels of patches.
    triples : sequence of Triple
        The layout of each.
    """
    masks = side_masks(named.shape[1])
    shares = [
        (of_patch[masks[side]] == neighbour).mean()
        for of_patch, (_, side, neighbour) in zip(named, triples, strict=True)
    ]
    return float(np.mean(shares))


def _told_apart(look: str, x: Float32, prompts: Sequence[Prompt], oracle: Oracle) -> float:
    """How well the samples of a pair of LOOKS are told apart, mean over classes."""
    values = _look(look, x, oracle)
    ids = np.array([prompt.triple[0] for prompt in prompts])
    less = np.array([prompt.wording > 0 for prompt in prompts])
    aucs = [
        rank_nearer(values[(ids == c) & less], values[(ids == c) & ~less]) for c in np.unique(ids)
    ]
    return float(np.mean(aucs))


def _look(look: str, x: Float32, oracle: Oracle) -> Float64:
    """(n,) how much patches have of a look of LOOKS."""
    middle = x.shape[2] // 2
    if look == "brightness":
        centre = slice(max(0, middle - 1), middle + 2)
        return np.asarray(x[:, :, centre, centre].mean(axis=(1, 2, 3)), dtype=np.float64)
    if look == "evenness":
        across, down = np.diff(x, axis=3), np.diff(x, axis=2)
        return np.asarray((across**2).mean(axis=(1, 2, 3)) + (down**2).mean(axis=(1, 2, 3)))
    named = oracle.name_patches(x)
    own = named == named[:, middle, middle][:, None, None]
    return np.asarray(own.mean(axis=(1, 2)))


# --- typed prompts


class PromptSeen(NamedTuple):
    """What samples of a prompt show of it.

    Attributes
    ----------
    prompt : str
        As typed.
    reading : PromptReading
        What the generator understood.
    centre : float
        Share of samples whose centre is the class of the prompt.
    places : tuple of (str, int, float, float)
        Each place that was said, the class there, and the share of these pixels that are of it:
        where it was said, and in samples of the class alone.
    """

    prompt: str
    reading: PromptReading
    centre: float
    places: tuple[tuple[str, int, float, float], ...]


def see_prompts(
    made: Any, scene: PromptScene, prompts: Sequence[str], omega: float
) -> list[PromptSeen]:
    """How much of typed prompts is seen in samples, said and not said.

    Parameters
    ----------
    made : PixelSynthesis
        With a fitted generator that takes prompts.
    scene : PromptScene
        Of it.
    prompts : sequence of str
        Of which the generator can make patches.
    omega : float
        Guidance strength.
    """
    seed = derive_seed("said and seen", omega)

    def named(text: str) -> Int64:
        samples = made.fitted.sample_prompts([text] * PER_PROMPT, guidance=omega, seed=seed)
        return scene.oracle.name_patches(samples.x)

    seen = []
    for prompt, reading in zip(prompts, made.fitted.read_prompts(prompts), strict=True):
        said, alone = named(prompt), named(scene.layouts.names[reading.centre])
        middle = said.shape[1] // 2
        masks = {**side_masks(said.shape[1]), **_other_masks(said.shape[1])}
        places = tuple(
            (
                where,
                class_id,
                *(float((names[:, masks[where]] == class_id).mean()) for names in (said, alone)),
            )
            for where, class_id in reading.places
        )
        centre = float((said[:, middle, middle] == reading.centre).mean())
        seen.append(PromptSeen(prompt, reading, centre, places))
    return seen


def _other_masks(side: int) -> dict[str, Bools]:
    """Masks of the places that are no side: the outermost pixels, and all but the centre."""
    around = np.ones((side, side), dtype=bool)
    around[1:-1, 1:-1] = False
    beside = np.ones((side, side), dtype=bool)
    beside[side // 2, side // 2] = False
    return {"around": around, "beside": beside}
