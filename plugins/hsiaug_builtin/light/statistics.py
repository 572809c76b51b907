"""The generator ``statistics``: the mean of a patch, and deviations of pixels from it, by class;
no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import (
    Card,
    PatchSamples,
    Plugin,
    PluginError,
    Progress,
    SpectralView,
    TrainView,
    derive_seed,
    load_state,
    mapped_rows,
    param,
    patches_at,
    resampled,
    save_state,
    spatial_folds,
)
from hsiaug_builtin.nets.svm import fit_machine

COMPONENTS = 12
"""Principal components in which the means of a class vary, at most."""
TRUSTED = 0.8
"""Share of the pixels that the teacher assigns to a class that are trusted, the surest."""
MAX_PATCHES = 200
"""Patches of a class that its statistics are taken of, at most."""
MAX_DEVIATIONS = 3000
"""Deviations of a class that are remembered, at most."""
SPREADS = ("own", "confusable", "all")
"""Whose pixels of a patch count, from the least spread to the largest: those of the class's own
name, all in as many samples as the class is confusable, or all.
"""
STEEP = 4
"""Power of its confusability to which a class has samples of all pixels: a class that is half as
wide as its distance to the next has one in sixteen.
"""
JUDGED = 3
"""Synthetic samples for each training pixel, where a spread is judged."""
LEAST_JUDGED = 7
"""Training pixels that a class is taken to have there, at least."""
TOLD = 2.0
"""Standard errors of the difference of recalls beyond which regions tell two spreads apart."""
COST = 10.0
"""C of the judge."""
REACH = 0.3
"""γ of the judge times the number of bands."""
BATCH = 256
"""Samples that are made at a time."""

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class StatisticsParams:
    """How much spread a class gets, and of what samples consist.

    Chosen on splits 100 to 103 and 300 to 302 of Indian Pines, of crops of Houston and Pavia, of
    Jasper Ridge and Samson under ``issd``.
    """

    spread: str = param(
        "chosen",
        "pixels of a patch to use: those of the class itself, all, or all in a fraction of the"
        " samples that grows with how confusable the class is; chosen = by held-out pixels",
        choices=("chosen", *SPREADS),
    )
    means: str = param(
        "gaussian",
        "means of samples: of the Gaussian of patch means, or the mean of the class alone",
        choices=("gaussian", "constant"),
    )
    deviations: str = param(
        "class",
        "deviations of pixels: those of the class, none, or those of another class",
        choices=("class", "none", "other"),
        sampling=True,
    )
    scale: float = param(1.0, "factor of the deviations", low=0, sampling=True)
    weight: float = param(0.05, "sample weight of a patch; a real one has 1", low=0, sampling=True)


@dataclass(frozen=True, eq=False)
class PatchesOfClass:
    """Patches whose centres are pixels of a class, trusted or labelled.

    Attributes
    ----------
    pixels : (m, 2) int32
        Their centres.
    x : (m, p, p, B) float32
        Spectra.
    own : (m, p, p) bool
        Pixels whose name is that of the class; the centre is one.
    """

    pixels: NDArray[np.int32]
    x: Floats
    own: Mask

    @property
    def centres(self) -> Floats:
        """(m, B) spectra of the centres."""
        middle = self.x.shape[1] // 2
        return self.x[:, middle, middle]

    def take(self, rows: NDArray[Any]) -> PatchesOfClass:
        """The patches at ``rows``."""
        return PatchesOfClass(self.pixels[rows], self.x[rows], self.own[rows])


@dataclass(frozen=True, eq=False)
class Moments:
    """Of patches of a class.

    Attributes
    ----------
    mean : (B,) float64
        Of the means of the patches.
    axes : (k, B) float64
        Directions in which these means vary, each as long as their standard deviation.
    deviations : (d, B) float32
        Of pixels from the mean of their patch.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    deviations: Floats

    def sample(self, count: int, side: int, scale: float, rng: np.random.Generator) -> Floats:
        """(count, B, side, side) patches, with deviations times ``scale``."""
        means = self.mean + rng.standard_normal((count, len(self.axes))) @ self.axes
        x = np.repeat(means.astype(np.float32), side * side, axis=0)
        x += np.float32(scale) * self.deviations[rng.integers(len(self.deviations), size=len(x))]
        return np.moveaxis(x.reshape(count, side, side, len(self.mean)), 3, 1)


@dataclass(frozen=True, eq=False)
class ClassStatistics:
    """What the samples of a class are drawn from.

    Attributes
    ----------
    own : Moments
        Of the pixels of the class's own name.
    every : Moments
        Of all pixels of its patches.
    share : float
        Of samples that are drawn from ``every``, 0..1.
    """

    own: Moments
    every: Moments
    share: float

    def sample(self, count: int, side: int, scale: float, rng: np.random.Generator) -> Floats:
        """(count, B, side, side) patches."""
        wide = rng.random(count) < self.share
        x = np.empty((count, len(self.own.mean), side, side), dtype=np.float32)
        x[wide] = self.every.sample(int(wide.sum()), side, scale, rng)
        x[~wide] = self.own.sample(int((~wide).sum()), side, scale, rng)
        return x


def moments_of(x: Floats, counted: Mask, means: str, rng: np.random.Generator) -> Moments:
    """Moments of patches (m, p, p, B), of which the pixels ``counted`` (m, p, p) are read.

    The deviation of a single spectrum is what the components of the means leave out of it.
    """
    number = counted.sum(axis=(1, 2))
    of_patches = np.einsum("mijb,mij->mb", x.astype(np.float64), counted) / number[:, None]
    mean = of_patches.mean(axis=0)
    centred = of_patches - mean
    lengths, directions = np.linalg.svd(centred, full_matrices=False)[1:]
    kept = lengths[:COMPONENTS] > 0 if means == "gaussian" else np.zeros(0, dtype=bool)
    lengths, directions = lengths[: len(kept)][kept], directions[: len(kept)][kept]
    if counted.shape[1] == 1:
        left_out = centred - centred @ directions.T @ directions
    else:
        patch, row, column = np.nonzero(counted)
        left_out = x[patch, row, column] - of_patches[patch]
    chosen = rng.permutation(len(left_out))[:MAX_DEVIATIONS]
    axes = lengths[:, None] / np.sqrt(max(1, len(x) - 1)) * directions
    return Moments(mean, axes, left_out[chosen].astype(np.float32))


def statistics_of_classes(
    patches: Mapping[int, PatchesOfClass], means: str, rng: np.random.Generator
) -> dict[int, ClassStatistics]:
    """Statistics by class id, ascending, with the shares of ``confusable``."""
    shares = spread_shares("confusable", confusability(patches))
    return {
        c: ClassStatistics(
            own=moments_of(patches[c].x, patches[c].own, means, rng),
            every=moments_of(patches[c].x, np.ones_like(patches[c].own), means, rng),
            share=shares[c],
        )
        for c in sorted(patches)
    }


def confusability(patches: Mapping[int, PatchesOfClass]) -> dict[int, float]:
    """Spread of each class over the distance from its mean to that of the nearest other class.

    Spectra have unit norm; the spread is the root of the mean squared distance of the centres of
    patches to their mean. 0 for a class alone, or whose mean is that of another.
    """
    unit = SpectralView("unit")
    centres = {c: unit(of_class.centres, axis=1) for c, of_class in patches.items()}
    means = {c: x.mean(axis=0) for c, x in centres.items()}
    found = {}
    for c, x in centres.items():
        distances = [np.linalg.norm(means[c] - means[other]) for other in means if other != c]
        nearest = min(distances, default=0.0)
        spread = np.sqrt(((x - means[c]) ** 2).sum(axis=1).mean())
        found[c] = float(spread / nearest) if nearest > 0 else 0.0
    return found


def spread_shares(spread: str, confusable: Mapping[int, float]) -> dict[int, float]:
    """By class id the share of samples that are drawn from all pixels of patches."""
    if spread == "confusable":
        return {c: min(1.0, value**STEEP) for c, value in confusable.items()}
    return dict.fromkeys(confusable, float(spread == "all"))


def choose_spread(
    view: TrainView, patches: Mapping[int, PatchesOfClass], means: str
) -> tuple[str, dict[str, object]]:
    """The spread of a view's classes, and what the record states of the choice.

    One half of each class is left out, with the patches that are nearest to it, and samples are
    made of the other half. The spread with which a judge recalls the left-out training pixels best
    is taken where it is told apart from ``confusable``; elsewhere confusability decides class by
    class, and a class that lies apart from all others has the least spread.
    """
    recalls = held_out_recalls(view, patches, means)
    if not recalls:
        return "confusable", {"chosen_by": "confusability; nothing could be left out"}
    mean = {spread: float(np.mean(of_halves)) for spread, of_halves in recalls.items()}
    best = max(SPREADS, key=lambda spread: mean[spread])
    gains = np.subtract(recalls[best], recalls["confusable"])
    told = bool(gains.mean() > TOLD * gains.std(ddof=1) / np.sqrt(len(gains)))
    facts: dict[str, object] = {
        "held_out_recall": {spread: round(value, 3) for spread, value in mean.items()},
        "chosen_by": (
            "left-out regions" if told else "confusability; left-out regions tell nothing apart"
        ),
    }
    return (best if told else "confusable"), facts


def held_out_recalls(
    view: TrainView, patches: Mapping[int, PatchesOfClass], means: str
) -> dict[str, list[float]]:
    """By spread the recall of each left-out half of a class, 0..1, in one order; empty where no
    class has two halves, or there is one class.

    The judge is an RBF support vector machine on unit-norm spectra.
    """
    fold = spatial_folds(view.coords.astype(np.int64), view.y, view.patch)
    if view.patch == 1 or len(patches) < 2 or not (fold >= 0).any():
        return {}
    unit = SpectralView("unit")
    real = unit(view.cube[tuple(view.coords.T)], axis=1)
    recalls: dict[str, list[float]] = {spread: [] for spread in SPREADS}
    for half in np.unique(fold[fold >= 0]):
        learnt = fold != half
        left = {c: _learnt_patches(view, of_class, c, learnt) for c, of_class in patches.items()}
        classes = statistics_of_classes(left, means, np.random.default_rng(0))
        confusable = confusability(left)
        for spread in SPREADS:
            shares = spread_shares(spread, confusable)
            named = _named_by_judge(
                (real[learnt], view.y[learnt]),
                {c: replace(of_class, share=shares[c]) for c, of_class in classes.items()},
                real[~learnt],
            )
            right = named == view.y[~learnt]
            recalls[spread] += [
                float(right[view.y[~learnt] == c].mean()) for c in np.unique(view.y[~learnt])
            ]
    return recalls


def _learnt_patches(
    view: TrainView, patches: PatchesOfClass, c: int, learnt: Mask
) -> PatchesOfClass:
    """The patches of class c that are nearer to one of its learnt training pixels than to any that
    is left out.
    """
    members = np.flatnonzero(view.y == c)
    offsets = patches.pixels[:, None].astype(np.int64) - view.coords[members]
    nearest = members[(offsets**2).sum(axis=2).argmin(axis=1)]
    return patches.take(np.flatnonzero(learnt[nearest]))


def _named_by_judge(
    real: tuple[Floats, NDArray[np.int64]],
    classes: Mapping[int, ClassStatistics],
    held_out: Floats,
) -> NDArray[np.int64]:
    """Class ids of held-out unit-norm spectra (n, B), by a machine that learns from real ones
    (m, B) with class ids and from samples of the classes.
    """
    unit = SpectralView("unit")
    rng = np.random.default_rng(0)
    x, y = [real[0]], [real[1]]
    for c, statistics in classes.items():
        count = JUDGED * max(LEAST_JUDGED, int((real[1] == c).sum()))
        x.append(unit(statistics.sample(count, 1, 1.0, rng)[:, :, 0, 0], axis=1))
        y.append(np.full(count, c))
    spectra, target = np.concatenate(x), np.concatenate(y)
    weight = np.full(len(target), StatisticsParams.weight, dtype=np.float32)
    weight[: len(real[0])] = 1
    mean, std = real[0].mean(axis=0), np.maximum(real[0].std(axis=0), 1e-9)
    machine = fit_machine((spectra - mean) / std, target, weight, cost=COST, reach=REACH)
    best = machine.scores((held_out - mean) / std).argmax(axis=1)
    return np.asarray(machine.classes[best])


def patches_by_class(
    view: TrainView, rng: np.random.Generator
) -> tuple[dict[int, PatchesOfClass], dict[str, object]]:
    """Patches round the labelled pixels of each class, and round those that the teacher is trusted
    to assign to it; what the record states of these.
    """
    from hsiaug_builtin.teacher.choice import choose_trusted
    from hsiaug_builtin.teacher.teacher import teach

    names = np.zeros(view.visible.shape, dtype=np.int64)
    pixels = {c: rng.permutation(view.coords[view.y == c]) for c in view.counts}
    if len(view.unlabelled):
        votes = teach(view)
        trusted = choose_trusted(votes.shares, TRUSTED, among=votes.attached)
        for c, rows in zip(votes.classes.tolist(), trusted, strict=True):
            names[tuple(votes.pixels[rows].T)] = c
            pixels[c] = np.concatenate([pixels[c], rng.permutation(votes.pixels[rows])])
    names[tuple(view.coords.T)] = view.y
    patches = {}
    for c, at in pixels.items():
        some = at[:MAX_PATCHES]  # labelled ones come first
        own = patches_at(names[:, :, None], some, view.patch)[:, 0] == c
        patches[c] = PatchesOfClass(some, np.moveaxis(view.patches(some), 1, 3), own)
    return patches, {"patches": {str(c): len(at) for c, at in pixels.items()}}


@dataclass(frozen=True, eq=False)
class FittedStatistics:
    """Statistics of all classes.

    Attributes
    ----------
    side : int
        Of a patch, in pixels.
    classes : mapping of int to ClassStatistics
        By class id, ascending.
    facts : mapping of str to object
        For the record.
    """

    params: StatisticsParams
    side: int
    classes: Mapping[int, ClassStatistics]
    facts: Mapping[str, Any]

    def sample(
        self, counts: Mapping[int, int], *, guidance: float | None, seed: int
    ) -> PatchSamples:
        """Patches of each class, the same whatever else is asked for.

        Raises PluginError for a class without a training pixel.
        """
        unknown = [c for c, count in counts.items() if count > 0 and c not in self.classes]
        if unknown:
            raise PluginError(
                "synthetic samples can be made for classes with training pixels only",
                value=f"{counts[unknown[0]]} of class {unknown[0]}, which has none",
                hint=f"Ask for classes among {list(self.classes)}.",
            )
        ordered = sorted(counts.items())
        y = np.repeat([c for c, _ in ordered], [count for _, count in ordered]).astype(np.int64)
        bands = len(next(iter(self.classes.values())).own.mean)

        def parts() -> Iterator[tuple[NDArray[np.intp], Floats]]:
            for c in np.unique(y).tolist():
                rng = np.random.default_rng(derive_seed("statistics", c, seed))
                rows = np.flatnonzero(y == c)
                statistics = self._statistics(c)
                scale = 0.0 if self.params.deviations == "none" else self.params.scale
                for start in range(0, len(rows), BATCH):
                    some = rows[start : start + BATCH]
                    yield some, statistics.sample(len(some), self.side, scale, rng)

        samples = PatchSamples.made(
            mapped_rows((len(y), bands, self.side, self.side), parts), y, self.facts
        )
        return replace(samples, weight=np.full(len(y), self.params.weight, dtype=np.float32))

    def _statistics(self, c: int) -> ClassStatistics:
        """Those that samples of a class are drawn from."""
        if self.params.deviations != "other":
            return self.classes[c]
        ids = list(self.classes)
        own, other = self.classes[c], self.classes[ids[(ids.index(c) + 1) % len(ids)]]
        return replace(
            own,
            own=replace(own.own, deviations=other.own.deviations),
            every=replace(own.every, deviations=other.every.deviations),
        )

    def save(self, folder: Path) -> None:
        """All state, as safetensors and JSON."""
        arrays = {
            f"{c}.{part}.{name}": array
            for c, statistics in self.classes.items()
            for part in ("own", "every")
            for name, array in vars(getattr(statistics, part)).items()
        }
        facts = {"params": asdict(self.params), "side": self.side, "facts": dict(self.facts)}
        shares = {str(c): statistics.share for c, statistics in self.classes.items()}
        save_state(folder, arrays, {**facts, "shares": shares})


class Statistics(Plugin[StatisticsParams]):
    """Samples of the statistics of each class, without a network.

    A sample is the mean of a patch, drawn from the Gaussian of the means of the class's patches,
    and for each of its pixels a deviation that some pixel of some patch of the class has from the
    mean of its patch. With few labels a classifier draws its borders too near to the few spectra
    that it has seen; samples show it how far a class spreads.

    Patches lie round labelled pixels, and round those that the shared teacher
    (:mod:`hsiaug_builtin.teacher`) is trusted to assign to the class.
    """

    card = Card(
        name="statistics",
        version="2",
        summary="Patches from the mean and spread of each class; no network",
        scope="scene",
        seconds=7.0,
        params=StatisticsParams,
    )

    def fit(
        self, view: TrainView, *, seed: int, device: str, progress: Progress
    ) -> FittedStatistics:
        """Take the statistics of all classes."""
        rng = np.random.default_rng(seed)
        progress(0, 2, "patches")
        patches, facts = patches_by_class(view, rng)
        progress(1, 2, "spread")
        spread = self.params.spread
        if spread == "chosen":
            spread, choice = choose_spread(view, patches, self.params.means)
            facts |= choice
        shares = spread_shares(spread, confusability(patches))
        classes = {
            c: replace(of_class, share=shares[c])
            for c, of_class in statistics_of_classes(patches, self.params.means, rng).items()
        }
        facts |= {
            "spread": spread,
            "share_of_all_pixels": {str(c): round(share, 3) for c, share in shares.items()},
        }
        progress(2, 2, "spread")
        return FittedStatistics(self.params, view.patch, classes, facts)

    def load(self, folder: Path, *, device: str) -> FittedStatistics:
        """Read a saved fit."""
        arrays, facts = load_state(folder)
        classes = {
            int(c): ClassStatistics(
                **{
                    part: Moments(
                        **{
                            name: arrays[f"{c}.{part}.{name}"]
                            for name in ("mean", "axes", "deviations")
                        }
                    )
                    for part in ("own", "every")
                },
                share=share,
            )
            for c, share in facts["shares"].items()
        }
        params = resampled(StatisticsParams(**facts["params"]), self.params)
        return FittedStatistics(params, facts["side"], classes, facts["facts"])


class StatisticsOfLabels(Statistics):
    """``statistics`` of the labelled patches alone, without a teacher: no unlabelled pixel beyond
    these is read.
    """

    card = replace(
        Statistics.card,
        name="statistics-labelled",
        summary="As statistics, from labelled patches only; no teacher",
        scope="none",
        seconds=1.0,
    )
