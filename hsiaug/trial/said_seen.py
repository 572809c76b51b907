"""Said and seen: how much of what prompts say is seen in their samples, by an oracle of held-out
pixels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.seeds import derive_seed
from hsiaug.core.scene import Scene
from hsiaug.core.sides import side_masks
from hsiaug.metrics.neighbours import rank_nearer
from hsiaug.protocol.split import Split
from hsiaug.protocol.view import patches_at
from hsiaug.registry.isolation.processes import in_fork
from hsiaug.registry.isolation.shared_arrays import SharedArrays
from hsiaug.tasks.draws import PixelDraws
from hsiaug.tasks.types import TaskData, TaskSplit
from hsiaug.trial.machine import give_back_memory
from hsiaug.trial.oracle import Oracle
from hsiaug.trial.prompts import (
    ALONE,
    LOOKS,
    NEVER,
    SAID,
    PromptedSamples,
    SceneLayouts,
    Triple,
    find_layouts,
)
from hsiaug.trial.spec import TrialSpec

OPPOSITE = {"north": "south", "south": "north", "west": "east", "east": "west"}
Judge = Callable[..., dict[str, float]]
"""Given the arguments of :func:`judged` but the cube, says the same."""
REAL_PATCHES = 8
"""Real patches of a layout that are looked at, at most."""
CUT_AT_ONCE = 50
"""Real patches that are cut at a time, at most."""
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
Names = NDArray[np.int64]


def seen_rates(samples: PromptedSamples, oracle: Oracle) -> dict[str, float]:
    """The rates of LABELS; what was not asked for is left out.

    Parameters
    ----------
    samples : PromptedSamples
        Of any of the kinds.
    oracle : Oracle
        Of the same draw.
    """
    rows = samples.rows(ALONE)
    rates: dict[str, float] = {}
    if not len(rows):
        return rates
    named = oracle.name_patches(samples.patches(ALONE))
    ids = samples.class_id[rows]
    middle = named.shape[1] // 2
    right = named[:, middle, middle] == ids
    rates["centre"] = float(np.mean([right[ids == c].mean() for c in np.unique(ids)]))
    masks = side_masks(named.shape[1])
    for kind, name, silent in ((SAID, "side", "not_said"), (NEVER, "never_said", "never_said_not")):
        triples = samples.triples(kind)
        if not triples:
            continue
        seen = oracle.name_patches(samples.patches(kind))
        rates[name] = _mean_share(seen, triples)
        shares = [(named[ids == c][:, masks[s]] == other).mean() for c, s, other in triples]
        rates[silent] = float(np.mean(shares))
        if kind == SAID:
            turned = [(c, OPPOSITE[s], other) for c, s, other in triples]
            rates["other_side"] = _mean_share(seen, turned)
            rates.update(_permuted(seen, triples))
    rates.update(_looks(samples, oracle))
    return rates


def real_rates(
    samples: PromptedSamples, layouts: SceneLayouts, oracle: Oracle, cube: NDArray[np.float32]
) -> dict[str, float]:
    """The same of real patches, of what they can show.

    Parameters
    ----------
    samples : PromptedSamples
        What was asked for.
    layouts : SceneLayouts
        Where it lies in the scene, by the half of the oracle that judges nothing.
    oracle : Oracle
        Of the same draw.
    cube : (H, W, B) array
        Of the scene.
    """
    known = [oracle.rates[c] for c in layouts.names if c in oracle.rates]
    rates = {"centre": float(np.mean(known))} if known else {}
    rng = np.random.default_rng(derive_seed("said and seen", 1))
    for kind, name in ((SAID, "side"), (NEVER, "never_said")):
        shown = [
            (triple, place)
            for triple in dict.fromkeys(samples.triples(kind))
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
        if kind == SAID:
            rates.update(_permuted(named, triples))
    return rates


def asked_counts(samples: PromptedSamples) -> dict[str, int]:
    """How many different prompts each rate is of."""
    classes = len(np.unique(samples.class_id[samples.rows(ALONE)]))
    said, never = (len(set(samples.triples(kind))) for kind in (SAID, NEVER))
    sided = dict.fromkeys(("side", "not_said", "other_side", "permuted"), said)
    new = dict.fromkeys(("never_said", "never_said_not"), never)
    looks = {look: len(np.unique(samples.class_id[samples.rows(look)])) for look in LOOKS}
    return {"centre": classes, **sided, **new, **looks}


class PromptJudge:
    """Judges samples of prompts, for the process that has the labels and runs no plugin: those of
    one trial at a time, whichever threads ask.

    Parameters
    ----------
    data : Scene or PairSet
        With all labels.
    judge : callable, optional
        Judges in another process. None = in this one.
    """

    def __init__(self, data: TaskData, judge: Judge | None = None) -> None:
        self._data = data
        self._judge = judge
        # An oracle takes 80 MB beside workers, so two are never there together, and none is kept.
        self._judging = threading.Lock()
        # Read without the lock: each thread has added what it asks for itself, and where two have
        # the same fit, in halves of one group, both add the same.
        self._known: dict[tuple[str, str, float | None], dict[str, float]] = {}

    def said_and_seen(
        self, spec: TrialSpec, split: TaskSplit, samples: PromptedSamples | None
    ) -> dict[str, float]:
        """What a record says of samples of prompts; computed once for all trials that share them.

        Of layouts only those count that real patches of the scene show.

        Parameters
        ----------
        spec : TrialSpec
            Of the trial.
        split : Split or TileSplit
            Of the draw that their generator was fitted on, with all labels.
        samples : PromptedSamples or None
            As a worker sent them; None where a trial of the same fit and ω came with them.

        Returns
        -------
        dict of str to float
            The rates of LABELS by name, those of real patches by name and ``_real``, ``oracle``:
            its share of held-out pixels, and how many there are of ``layouts``, ``new_layouts`` and
            ``samples``. Empty without samples, and for those of another shape than the draw's.
        """
        scene = self._data
        if not (isinstance(split, Split) and isinstance(scene, Scene)):
            return {}
        key = spec.fit_hash, spec.generator.hash, spec.omega
        if samples is not None:
            judge = self._judge or partial(judged, scene.pixels)
            fits = samples.x.shape[1:] == (scene.bands, split.patch, split.patch)
            held_out = PixelDraws().test_classes(split)
            with self._judging:
                self._known[key] = judge(samples, held_out, split.hidden) if fits else {}
                give_back_memory()
        return self._known.get(key, {})


def judged_elsewhere(
    stopping: threading.Event, blind: Any, samples: PromptedSamples, *labels: Any
) -> dict[str, float]:
    """What :func:`judged` says, in a process that is forked for it.

    Parameters
    ----------
    stopping : Event
        Set where the run is stopped, by another thread.
    blind : BlindData
        In place of the cube.
    samples : PromptedSamples
        As of :func:`judged`; the process shares their memory.
    *labels : (H, W) array
        Its ``held_out`` and ``hidden``, which the process is sent once it is closed to others.
    """
    return in_fork(stopping, _judged_shared, (blind, SharedArrays(samples)), *labels)


def _judged_shared(shown: Any, *labels: Any) -> dict[str, float]:
    blind, samples = shown
    return judged(blind.data.pixels, samples.value, *labels)


def judged(
    cube: NDArray[np.float32],
    samples: PromptedSamples,
    held_out: NDArray[np.int16],
    hidden: NDArray[np.bool_] | None,
) -> dict[str, float]:
    """What a record says of samples of prompts.

    Parameters
    ----------
    cube : (H, W, B) array
        Of the scene.
    samples : PromptedSamples
        Of the same bands.
    held_out : (H, W) int16
        Class ids of the test pixels, 0 elsewhere.
    hidden : (H, W) bool or None
        Pixels that no plugin sees.
    """
    patch = samples.x.shape[-1]
    oracle = Oracle.of(cube, held_out, hidden)
    ids = np.unique(samples.class_id[samples.rows(ALONE)]).tolist()
    layouts = find_layouts(dict.fromkeys(ids, ""), oracle.scene_map, patch)
    samples = samples.of_layouts(layouts.at)
    real = real_rates(samples, layouts, oracle, cube)
    counts = asked_counts(samples)
    rates = {
        **seen_rates(samples, oracle),
        **{f"{name}_real": value for name, value in real.items()},
        "oracle": oracle.right,
    }
    return {
        **{name: round(value, 4) for name, value in rates.items()},
        "layouts": counts["side"],
        "new_layouts": counts["never_said"],
        "samples": len(samples.x),
    }


def _permuted(named: Names, triples: Sequence[Triple]) -> Iterator[tuple[str, float]]:
    """What patches show of other patches' prompts: each layout stands in place of another."""
    different = list(dict.fromkeys(triples))
    order = np.random.default_rng(0).permutation(len(different))
    other = {different[i]: different[j] for i, j in zip(order, np.roll(order, 1), strict=True)}
    # A neighbour that is the class of the patch itself is seen by more than chance.
    fits = np.array([triple[0] != other[triple][2] for triple in triples])
    if fits.any():
        yield "permuted", _mean_share(named[fits], [other[t] for t in compress(triples, fits)])


def _mean_share(named: Names, triples: Sequence[Triple]) -> float:
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


def _looks(samples: PromptedSamples, oracle: Oracle) -> Iterator[tuple[str, float]]:
    """How well the samples of each pair of LOOKS are told apart, mean over classes."""
    for look in LOOKS:
        rows = samples.rows(look)
        if not len(rows):
            continue
        values = _look(look, samples.patches(look), oracle)
        ids, less = samples.class_id[rows], samples.wording[rows] > 0
        aucs = [
            rank_nearer(values[(ids == c) & less], values[(ids == c) & ~less])
            for c in np.unique(ids)
        ]
        yield look, float(np.mean(aucs))


def _look(look: str, x: NDArray[np.float32], oracle: Oracle) -> NDArray[np.float64]:
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
