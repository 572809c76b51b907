"""Said and seen: whether samples show what their prompts say.

A generator that reads prompts is asked for patches in plain words, as a user would type them. An
oracle of held-out pixels names the pixels of the samples. Beside each rate stands that of real
patches which show the same by the oracle's other half, and what is seen where it is not said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import PromptReading
from hsiaug.core.sides import side_masks
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.protocol.view import patches_at
from hsiaug.quality.oracle import Oracle

OMEGAS = (0.0, 1.0, 3.0)
"""Guidance strengths that are compared."""
PER_CLASS = 16
"""Samples of a prompt that names a class alone."""
TRIPLES = 40
"""Layouts (class, side, neighbour) that are asked for at most; as many again that training never
said.
"""
PER_TRIPLE = 8
"""Samples of each."""
LEAST_REAL = 20
"""Real patches that show a layout, at least, for it to be asked for."""
SIDE_SHARE = 0.6
"""Share of a side that the neighbour covers in these."""
PHRASES = {
    "north": "to the north",
    "south": "to the south",
    "west": "to the west",
    "east": "to the east",
}
OPPOSITE = {"north": "south", "south": "north", "west": "east", "east": "west"}
LOOKS = {
    "evenness": ("mixed {}", "even {}"),
    "brightness": ("bright {}", "dark {}"),
    "share": ("{} in most of the patch", "{} in a small part of the patch"),
}
"""Pairs of prompts of which the first says more of something."""
LABELS = {
    "centre": "centre is the class of the prompt",
    "side": "pixels of the named side that are the named neighbour",
    "not_said": "the same, not said",
    "other_side": "the same, said of the other side",
    "permuted": "the same, prompts dealt out at random",
    "never_said": "the same, said, but never in training",
    "never_said_not": "the same, not said, and never in training",
    "evenness": "mixed told from even, AUC",
    "brightness": "bright told from dark, AUC",
    "share": "most of the patch told from a small part, AUC",
}

Triple = tuple[int, str, int]
"""A class, a side, and the class that lies there."""
Patches = NDArray[np.float32]


@dataclass(frozen=True)
class SeenRate:
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


@dataclass(frozen=True, eq=False)
class SaidSeen:
    """All rates, and how reliable their judge is.

    Attributes
    ----------
    oracle_right : float
        Share of held-out pixels that the oracle names rightly, mean over classes.
    """

    rates: tuple[SeenRate, ...]
    oracle_right: float

    def as_json(self) -> dict[str, Any]:
        """The content of quality.json."""
        return {
            "omegas": list(OMEGAS),
            "oracle_right": self.oracle_right,
            "rates": [vars(rate) for rate in self.rates],
        }

    def get(self, name: str) -> SeenRate | None:
        """The rate of a name."""
        return next((rate for rate in self.rates if rate.name == name), None)


def takes_prompts(made: Any) -> bool:
    """Whether a fitted generator can be asked for patches in words."""
    return callable(getattr(made.fitted, "sample_prompts", None))


def measure_said(made: Any, oracle: Oracle) -> SaidSeen | None:
    """What samples show of what is said; None for a generator that takes no prompts.

    Parameters
    ----------
    made : PixelSynthesis
        A fitted generator, and what it was fitted on. This reads test labels: a diagnosis after the
        fit.
    oracle : Oracle
        Of the same draw.
    """
    names = prompt_names(made) if takes_prompts(made) else {}
    if not names:
        return None
    asked = _Asked.of(made, oracle, names)
    at_omegas = [asked.rates(made.fitted, oracle, omega) for omega in OMEGAS]
    rates = tuple(
        SeenRate(name, tuple(of_omega[name] for of_omega in at_omegas), asked.real.get(name), n)
        for name, n in asked.counts.items()
    )
    return SaidSeen(rates, oracle.right)


@dataclass(frozen=True)
class PromptSeen:
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
    made: Any, oracle: Oracle, prompts: Sequence[str], omega: float
) -> list[PromptSeen]:
    """How much of typed prompts is seen in samples, said and not said.

    Parameters
    ----------
    made : PixelSynthesis
        With a fitted generator that takes prompts.
    oracle : Oracle
        Of the same draw.
    prompts : sequence of str
        Of which the generator can make patches.
    omega : float
        Guidance strength.
    """
    names = prompt_names(made)
    seen = []
    for prompt, reading in zip(prompts, made.fitted.read_prompts(prompts), strict=True):
        said = oracle.name_patches(_sample(made.fitted, [prompt] * PER_CLASS, omega))
        plain = [names[reading.centre]] * PER_CLASS
        alone = oracle.name_patches(_sample(made.fitted, plain, omega))
        middle = said.shape[1] // 2
        masks = {**side_masks(said.shape[1]), **_other_masks(said.shape[1])}
        places = tuple(
            (
                where,
                class_id,
                *(float((named[:, masks[where]] == class_id).mean()) for named in (said, alone)),
            )
            for where, class_id in reading.places
        )
        centre = float((said[:, middle, middle] == reading.centre).mean())
        seen.append(PromptSeen(prompt, reading, centre, places))
    return seen


def _other_masks(side: int) -> dict[str, NDArray[np.bool_]]:
    """Masks of the places that are no side: the outermost pixels, and all but the centre."""
    around = np.ones((side, side), dtype=bool)
    around[1:-1, 1:-1] = False
    beside = np.ones((side, side), dtype=bool)
    beside[side // 2, side // 2] = False
    return {"around": around, "beside": beside}


def prompt_names(made: Any) -> dict[int, str]:
    """{class id: the words that name it}, of the classes with training pixels."""
    names = {}
    for class_id in np.unique(made.real.y).tolist():
        plain = made.data.class_names[class_id - 1]
        for words in (plain, f"{plain} {class_id}"):
            reading: PromptReading = made.fitted.read_prompts([words])[0]
            if reading.centre == class_id and not reading.faults:
                names[class_id] = words
                break
    return names


def real_layouts(made: Any, oracle: Oracle, classes: Sequence[int]) -> dict[Triple, NDArray[Any]]:
    """{layout: (m, 2) pixels whose real patches show it}, by the half of the oracle that judges
    nothing.
    """
    patch = made.split.patch
    height, width = oracle.scene_map.shape
    margin = patch // 2
    if patch < 3 or min(height, width) < patch:
        return {}
    at = np.argwhere(oracle.scene_map >= 0)
    inside = (at >= margin).all(axis=1) & (at < np.array([height, width]) - margin).all(axis=1)
    at = at[inside]
    regions = patches_at(oracle.scene_map[..., None].astype(np.int16), at, patch)[:, 0]
    centre = regions[:, margin, margin]
    layouts: dict[Triple, NDArray[Any]] = {}
    for side, mask in side_masks(patch).items():
        strips = regions[:, mask]
        for neighbour in classes:
            fits = (strips == neighbour).mean(axis=1) >= SIDE_SHARE
            for class_id in classes:
                rows = fits & (centre == class_id)
                if class_id != neighbour and rows.sum() >= LEAST_REAL:
                    layouts[class_id, side, neighbour] = at[rows]
    return layouts


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is asked for, and the rates of real patches."""

    names: Mapping[int, str]
    said: tuple[Triple, ...]
    never: tuple[Triple, ...]
    real: Mapping[str, float]

    @classmethod
    def of(cls, made: Any, oracle: Oracle, names: Mapping[int, str]) -> _Asked:
        layouts = real_layouts(made, oracle, list(names))
        rng = np.random.default_rng(derive_seed("said and seen", 0))
        triples = [list(layouts)[i] for i in rng.permutation(len(layouts))]
        readings = made.fitted.read_prompts([layout_prompt(names, triple) for triple in triples])
        new = [reading.never_said for reading in readings]
        said = tuple(t for t, never in zip(triples, new, strict=True) if not never)[:TRIPLES]
        never = tuple(t for t, never in zip(triples, new, strict=True) if never)[:TRIPLES]
        real = {}
        cube = made.data.cube
        for name, of_name in (("side", said), ("never_said", never)):
            shares = []
            for triple in of_name:
                at = rng.permutation(layouts[triple])[:PER_TRIPLE]
                shares.append(_side_share(oracle, patches_at(cube, at, made.split.patch), triple))
            if shares:
                real[name] = float(np.mean(shares))
        real["centre"] = _real_centres(made, oracle, names, rng)
        return cls(names, said, never, real)

    @property
    def counts(self) -> dict[str, int]:
        """Prompts of each rate."""
        sided = {name: len(self.said) for name in ("side", "not_said", "other_side", "permuted")}
        never = {name: len(self.never) for name in ("never_said", "never_said_not")}
        return {
            "centre": len(self.names),
            **sided,
            **never,
            **dict.fromkeys(LOOKS, len(self.names)),
        }

    def rates(self, fitted: Any, oracle: Oracle, omega: float) -> dict[str, float | None]:
        """All rates at a guidance strength."""
        ids = np.repeat(np.array(list(self.names)), PER_CLASS)
        alone = _sample(fitted, [self.names[c] for c in ids.tolist()], omega)
        named = oracle.name_patches(alone)
        middle = named.shape[1] // 2
        right = named[:, middle, middle] == ids
        answer: dict[str, float | None] = dict.fromkeys(self.counts)
        answer["centre"] = float(np.mean([right[ids == c].mean() for c in self.names]))
        masks = side_masks(named.shape[1])

        def not_said(triples: Sequence[Triple]) -> float | None:
            shares = [(named[ids == c][:, masks[s]] == other).mean() for c, s, other in triples]
            return float(np.mean(shares)) if shares else None

        answer["not_said"] = not_said(self.said)
        answer["never_said_not"] = not_said(self.never)
        for name, triples in (("side", self.said), ("never_said", self.never)):
            if not triples:
                continue
            seen = self._seen(fitted, oracle, triples, omega)
            answer[name] = _mean_share(seen, triples)
            if name == "side":
                turned = [(c, OPPOSITE[s], other) for c, s, other in triples]
                answer["other_side"] = _mean_share(seen, turned)
                dealt = np.random.default_rng(0).permutation(len(triples))
                answer["permuted"] = _mean_share(seen, [triples[i] for i in dealt])
        answer.update(self._looks(fitted, oracle, omega))
        return answer

    def _seen(
        self, fitted: Any, oracle: Oracle, triples: Sequence[Triple], omega: float
    ) -> NDArray[np.int64]:
        """(t, PER_TRIPLE, p, p) names of the pixels of samples of layouts."""
        prompts = [
            layout_prompt(self.names, triple) for triple in triples for _ in range(PER_TRIPLE)
        ]
        named = oracle.name_patches(_sample(fitted, prompts, omega))
        return named.reshape(len(triples), PER_TRIPLE, *named.shape[1:])

    def _looks(
        self, fitted: Any, oracle: Oracle, omega: float
    ) -> Iterator[tuple[str, float | None]]:
        """How well the samples of each pair of LOOKS are told apart, mean over classes."""
        for look, wordings in LOOKS.items():
            aucs = []
            for name in self.names.values():
                readings = fitted.read_prompts([wording.format(name) for wording in wordings])
                if any(reading.faults or not reading.looks for reading in readings):
                    continue
                prompts = [w.format(name) for w in wordings for _ in range(PER_TRIPLE)]
                values = _look(look, _sample(fitted, prompts, omega), oracle)
                aucs.append(rank_nearer(values[PER_TRIPLE:], values[:PER_TRIPLE]))
            yield look, float(np.mean(aucs)) if aucs else None


def layout_prompt(names: Mapping[int, str], triple: Triple) -> str:
    """The prompt of a layout, as a user would type it."""
    class_id, side, neighbour = triple
    return f"{names[class_id]} with {names[neighbour]} {PHRASES[side]}"


def _sample(fitted: Any, prompts: Sequence[str], omega: float) -> Patches:
    seed = derive_seed("said and seen", omega)
    x: Patches = fitted.sample_prompts(list(prompts), guidance=omega, seed=seed).x
    return x


def _side_share(oracle: Oracle, x: Patches, triple: Triple) -> float:
    """Share of the named side of patches that the neighbour covers."""
    _, side, neighbour = triple
    named = oracle.name_patches(x)
    return float((named[:, side_masks(named.shape[1])[side]] == neighbour).mean())


def _mean_share(seen: NDArray[np.int64], triples: Sequence[Triple]) -> float:
    """The same, mean over the names (t, k, p, p) of samples of layouts."""
    masks = side_masks(seen.shape[2])
    shares = [
        (named[:, masks[side]] == neighbour).mean()
        for named, (_, side, neighbour) in zip(seen, triples, strict=True)
    ]
    return float(np.mean(shares))


def _real_centres(
    made: Any, oracle: Oracle, names: Mapping[int, str], rng: np.random.Generator
) -> float:
    """Share of held-out pixels whose patches the oracle names rightly in the centre."""
    rates = []
    middle = made.split.patch // 2
    for class_id in names:
        at = np.argwhere(made.split.test & (made.data.labels == class_id))
        if not len(at):
            continue
        at = rng.permutation(at)[:PER_CLASS]
        named = oracle.name_patches(patches_at(made.data.cube, at, made.split.patch))
        rates.append((named[:, middle, middle] == class_id).mean())
    return float(np.mean(rates)) if rates else float("nan")


def _look(look: str, x: Patches, oracle: Oracle) -> NDArray[np.float64]:
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
