"""Image–mask pairs outside a benchmark: how many, of which classes or for which masks of the user's
own, as a folder, and how good they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from hsiaug.base.arrays import Int64
from hsiaug.base.colours import SYNTHETIC, TRAIN
from hsiaug.base.errors import InputError, check_known
from hsiaug.base.seeds import derive_seed
from hsiaug.bench.sample_memory import check_samples
from hsiaug.contracts import FittedPairGenerator, MaskImages
from hsiaug.core.samples import concatenate
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import DenseSamples, DenseView, PairCounts
from hsiaug.data.catalogue import find_entry
from hsiaug.data.pair_sets import find_pairs
from hsiaug.data.readers import read_label_file
from hsiaug.metrics.dense.fidelity import DenseFidelity, dense_fidelity
from hsiaug.metrics.dense.reliability import dense_reliability, tile_agreement
from hsiaug.metrics.dense.structure import dense_structure
from hsiaug.metrics.false_colours import FalseColours
from hsiaug.metrics.measures import Measures
from hsiaug.metrics.patch_distances import RealSamples
from hsiaug.protocol.balance import Rate
from hsiaug.protocol.tiling import real_samples
from hsiaug.quality.contact_sheets import TILES, contact_sheet, spread, turned_pairs
from hsiaug.quality.export import check_folder, save_pairs
from hsiaug.quality.figures import class_spectra, shares_figure
from hsiaug.quality.synthesis import (
    ClassRow,
    Drawn,
    Inspection,
    MaskSynthesis,
    SampleRequest,
    ToEncode,
    confirmed_text,
    fit_once,
    measure_reconstruction,
)
from hsiaug.registry.card import Card
from hsiaug.tasks.task import Task
from hsiaug.tasks.types import TaskData
from hsiaug.trial.fits import fit_generator
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.trial_run import TrialRun

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ENCODED = 400
"""Tiles of a set that are encoded and decoded at most."""


class MaskSamples:
    """Tiles of one date or two with a mask each, in any number, of some classes."""

    unit = "%"
    compares_strengths = False

    def __init__(self, task: Task) -> None:
        self.task = task

    def check(self, request: SampleRequest, out: Path) -> None:
        """Refuse what is no empty or new folder, and texts."""
        if request.prompts:
            raise InputError(
                "`prompt` is for single pixels",
                value=f"`task` {self.task.name}",
                hint="Leave it out; --show asks for classes.",
            )
        others = {"-n": request.count, "`show`": request.show}
        for name in (name for name, value in others.items() if value and request.masks):
            raise InputError(
                "a mask of your own says how many pairs are made, and what they show",
                value=name,
                hint=f"Leave out {name}.",
            )
        check_folder(out, empty=True)

    def _counts(self, view: DenseView, rate: Rate, request: SampleRequest) -> PairCounts:
        """Pairs in all, and an equal part of each class that they shall show.

        Raises InputError for no pair, a name without training pixels, or fewer pairs than names.
        """
        count = (
            sum(block.total for block in self.task.sampling.blocks(view, rate))
            if request.count is None
            else request.count
        )
        names = tuple(dict.fromkeys(request.show))
        known = {view.class_names[c - 1]: c for c in sorted(view.counts)}
        for name in names:
            check_known(
                "`show` must name classes with training pixels, with commas between", name, known
            )
        if count < max(1, len(names)):
            rule = (
                "-n, or λ times the real pairs, must be at least one pair, and one for each class"
                " of `show`"
            )
            raise InputError(rule, value=str(count), hint="Ask for more.")
        # The first classes get what does not go round.
        by_class = {
            known[name]: count // len(names) + (i < count % len(names))
            for i, name in enumerate(names)
        }
        return PairCounts(count, by_class)

    def draw(self, run: TrialRun, request: SampleRequest) -> Drawn[DenseSamples]:
        """The pairs of no class in particular, or class by class, or images for masks."""
        if request.masks:
            return draw_images(run, request)
        spec = run.spec
        view = cast(DenseView, run.view)
        counts = self._counts(view, spec.rate, request)
        check_samples(run.data, counts.total, spec.patch)
        fit = fit_once(run, partial(fit_generator, run))
        sample = cast(FittedPairGenerator, fit.fitted).sample
        parts = []
        for c, number in counts.parts():
            part = PairCounts(number, {} if c is None else {c: number})
            seed = derive_seed("sample", spec.generator.name, request.seed, c or 0)
            samples = sample(part, guidance=spec.omega, seed=seed)
            self.task.sampling.check(samples, part, view)
            parts.append(samples)
        return concatenate(parts), fit.fitted, {"fit_generator": fit.seconds}

    def facts(
        self, spec: TrialSpec, card: Card, request: SampleRequest, samples: int
    ) -> dict[str, object]:
        """How many pairs were asked for, and which."""
        return {"pairs": samples, "show": list(request.show)}

    def save(self, path: Path, made: MaskSynthesis, *, with_real: bool) -> list[str]:
        """A folder; the real pairs stay where they are."""
        held = real_samples(made.split, made.split.test)
        classes = len(made.data.class_names)
        try:
            labels = dense_reliability(made.real, held, made.synthetic, classes=classes)
            found = tile_agreement(made.real, made.synthetic, classes=classes)
        except (
            InputError
        ) as error:  # too few pixels to judge by, which is no reason to make no pairs
            labels = Measures(notes=(str(error),))
            found = np.full(len(made.synthetic), np.nan)
        sheet, manifest, _ = save_pairs(path, made, labels.as_json(), found)
        lines = list(_verdict(None, None, labels))
        for name in cast("list[str]", made.facts["show"]):
            shown = (made.synthetic.masks == made.data.class_names.index(name) + 1).any(axis=(1, 2))
            lines.append(f"{shown.sum()} of {len(shown)} pairs show {name}")
        return [
            *lines,
            f"{len(made.synthetic)} pairs in {path}; see {sheet.name} and {manifest.name}",
        ]

    def classes(self, made: MaskSynthesis, *, with_real: bool) -> list[ClassRow]:
        """Share of each class in the labelled pixels, in percent."""
        real, synthetic = (masks[masks > 0] for masks in (made.real.masks, made.synthetic.masks))
        rows = []
        for c, name in enumerate(made.data.class_names, start=1):
            shares = (100 * float((ids == c).sum()) / max(1, len(ids)) for ids in (real, synthetic))
            rows.append(ClassRow(c, name, *shares))
        return rows

    def inspect(self, made: MaskSynthesis) -> Inspection:
        """Fidelity and label reliability of whole tiles. Reads test labels: a diagnosis after the
        fit.
        """
        held = real_samples(made.split, made.split.test)
        classes = len(made.data.class_names)
        sets = (made.real, held, made.synthetic)
        like = dense_fidelity(*sets, classes=classes)
        structure = dense_structure(*sets)
        labels = dense_reliability(*sets, classes=classes)
        return Inspection(
            made,
            dict(zip(("train", "held_out", "synthetic"), map(len, sets), strict=True)),
            structure=structure,
            fidelity=like,
            labels=labels,
            reconstruction=measure_reconstruction(
                made, partial(_to_encode, held), partial(_to_encode, made.real)
            ),
            verdict=_verdict(structure, like, labels),
            pictures=partial(_pictures, made, held, like),
        )


def class_codes(scene: str, data: TaskData) -> tuple[int, ...]:
    """The code that each class has in the file of labels of a scene, or in the masks of a set of
    pairs: of several codes of a class the first.
    """
    return tuple(codes[0] for codes in codes_of_classes(scene, data))


def codes_of_classes(scene: str, data: TaskData) -> tuple[tuple[int, ...], ...]:
    """All codes of each class, in the file of labels of a scene or in the masks of a set of
    pairs.
    """
    pairs = None if isinstance(data, Scene) else find_pairs(scene)
    if pairs is None:
        return tuple((code,) for _, code in find_entry(scene).card.labels.named_codes)
    masks = pairs.card.masks
    return tuple(tuple(codes) for codes in masks.codes) or tuple(
        (code,) for code in range(1, len(masks.names) + 1)
    )


def read_masks(paths: Sequence[Path], codes: Sequence[Sequence[int]]) -> Int64:
    """Masks of one size from files.

    Parameters
    ----------
    paths : sequence of Path
        PNG, GeoTIFF, npy or any other file of labels.
    codes : sequence of sequences of int
        The codes of each class in them. 0 is a pixel without a class, unless a class has it.

    Returns
    -------
    (n, H, W) int64
        Class ids 1..C.

    Raises
    ------
    InputError
        For other codes, and for masks of two sizes.
    """
    ids = {0: 0} | {code: c for c, own in enumerate(codes, start=1) for code in own}
    masks = []
    for path in paths:
        values = np.asarray(read_label_file(path))
        found = np.unique(values).tolist()
        if unknown := [code for code in found if code not in ids]:
            raise InputError(
                f"mask {path} must have codes of the scene's labels,"
                f" {', '.join(map(str, sorted(ids)))}",
                value=", ".join(f"{code:g}" for code in unknown[:5]),
                hint="`hsiaug datasets info` lists the classes with their codes.",
            )
        masks.append(np.vectorize(ids.__getitem__, otypes=[np.int64])(values))
    sizes = {mask.shape for mask in masks}
    if len(sizes) > 1:
        raise InputError(
            "masks must have the same size",
            value=", ".join(f"{height}×{width}" for height, width in sorted(sizes)),
            hint="Cut them to one size, or make their images one after the other.",
        )
    for path, mask in zip(paths, masks, strict=True):
        if len(np.unique(mask)) < 2:
            found = np.unique(read_label_file(path)).tolist()
            raise InputError(
                f"mask {path} must show two classes, or a class and pixels without one",
                value=f"code {found[0]:g} everywhere"
                if len(found) == 1
                else f"codes {', '.join(f'{code:g}' for code in found)}, all of one class",
                hint="`hsiaug datasets info` lists the classes with their codes.",
            )
    return np.stack(masks)


def draw_images(run: TrialRun, request: SampleRequest) -> Drawn[DenseSamples]:
    """An image for each mask of a request.

    Raises
    ------
    InputError
        For a generator that makes none, pixels without a class where all training pixels have one,
        and as :func:`read_masks`.
    """
    codes = codes_of_classes(request.source, run.data)
    masks = read_masks(request.masks, codes)
    names = run.data.class_names
    view = cast(DenseView, run.view)
    trained = view.counts
    if (masks == 0).any() and (view.real.masks > 0).all():
        known = ", ".join(f"{name} {own[0]}" for name, own in zip(names, codes, strict=True))
        raise InputError(
            "a mask must have a class in each pixel, as all training tiles do",
            value=f"{(masks == 0).sum():,} pixels of code 0",
            hint=f"Use the codes of the classes: {known}.",
        )
    if lacking := [names[c - 1] for c in np.unique(masks[masks > 0]) if c not in trained]:
        raise InputError(
            "a mask may show classes with training pixels",
            value=", ".join(lacking),
            hint="Leave these classes out, or take another --seed.",
        )
    check_samples(run.data, len(masks), max(masks.shape[1:]))
    fit = fit_once(run, partial(fit_generator, run))
    if not isinstance(fit.fitted, MaskImages):
        raise InputError(
            "`mask` needs a generator that makes images for masks",
            value=run.spec.generator.name,
            hint="Take specdm.",
        )
    seed = derive_seed("images for masks", run.spec.generator.name, request.seed)
    made = fit.fitted.images_for(masks, guidance=run.spec.omega, seed=seed)
    return made, fit.fitted, {"fit_generator": fit.seconds}


def _to_encode(samples: DenseSamples) -> ToEncode:
    some = samples.take(slice(ENCODED))
    return some, some.images, some.masks


def _pictures(made: MaskSynthesis, held: DenseSamples, like: DenseFidelity) -> dict[str, Figure]:
    """Contact sheet, spectra, shares of classes, and the pairs of synthetic and training tiles that
    are nearest to each other.
    """
    nearest = like.nearest
    data, real, synthetic = made.data, made.real, made.synthetic
    colours = FalseColours.fit_samples(real.images, data.wavelengths)
    known = RealSamples.of(real.images)

    def beside(pairs: Sequence[tuple[int, int, float]]) -> list[tuple[str, DenseSamples]]:
        rows, which, _ = map(np.array, zip(*pairs, strict=True))
        generated = synthetic.take(rows)
        nearest_pairs = turned_pairs(known, real, generated, which)
        title = "real training tile nearest to each, turned as it fits best"
        return [(f"generated, {made.card.name}", generated), (title, nearest_pairs)]

    some = [("real, held-out", spread(held)), *beside(sorted(nearest)[:TILES])]
    return {
        "contact_sheet": contact_sheet(some, data.class_names, colours),
        "spectra": _spectra(made),
        "shares": shares_figure(like.by_class, data.class_names),
        # Copies would look alike.
        "nearest": contact_sheet(beside(nearest[:TILES]), data.class_names, colours),
    }


def _verdict(
    structure: Measures | None, like: Measures | None, labels: Measures
) -> tuple[str, ...]:
    """What masks and pairs are like, a line each."""
    lines = []
    if (one := labels.get("agreement")) is None:
        lines.append("masks: too few classes to judge their pixels by")
    else:
        lines.append(f"masks: {confirmed_text(one)}")
    if structure and (tiny := structure.get("tiny")) and tiny.value is not None:
        regions = structure["components"]
        lines.append(
            f"masks: {regions.value:.1f} connected regions a tile (training {regions.training:.1f},"
            f" held-out {regions.held_out:.1f})"
        )
    if like and (copies := like["copies"]).value is not None:
        lines.append(f"copies: {copies.value:.3g} % of the tiles copy a training tile")
    return tuple(lines)


def _spectra(made: MaskSynthesis) -> Figure:
    """Spectra of the pixels of each class, of each date."""
    data, real = made.data, made.real
    present = {
        c: name for c, name in enumerate(data.class_names, start=1) if (real.masks == c).any()
    }
    sets = {
        "real": (TRAIN, lambda c: real.spectra[real.masks == c]),
        "synthetic": (SYNTHETIC, lambda c: made.synthetic.spectra[made.synthetic.masks == c]),
    }
    return class_spectra(made, sets, present, real.bands, data.wavelengths, dates=real.dates)
