"""Images for masks of the user's own."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.bench.sample_memory import check_samples
from hsiaug.contracts import MaskImages
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import DenseSamples, DenseView
from hsiaug.data.catalogue import find_entry
from hsiaug.data.pair_sets import find_pairs
from hsiaug.data.readers import read_label_file
from hsiaug.quality.synthesis import Drawn, SampleRequest, fit_once
from hsiaug.tasks.types import TaskData
from hsiaug.trial.fits import fit_generator
from hsiaug.trial.trial_run import TrialRun


def class_codes(scene: str, data: TaskData) -> tuple[int, ...]:
    """The code that each class has in the file of labels of a scene, or in the masks of a set of
    pairs: of several codes of a class the first.
    """
    pairs = None if isinstance(data, Scene) else find_pairs(scene)
    if pairs is None:
        return tuple(code for _, code in find_entry(scene).card.labels.named_codes)
    masks = pairs.card.masks
    return tuple(codes[0] for codes in masks.codes) or tuple(range(1, len(masks.names) + 1))


def read_masks(paths: Sequence[Path], codes: Sequence[int]) -> NDArray[np.int64]:
    """Masks of one size from files.

    Parameters
    ----------
    paths : sequence of Path
        PNG, GeoTIFF, npy or any other file of labels.
    codes : sequence of int
        The code of each class in them; 0 where a pixel has no class.

    Returns
    -------
    (n, H, W) int64
        Class ids 1..C.

    Raises
    ------
    InputError
        For other codes, and for masks of two sizes.
    """
    ids = {0: 0} | {code: c for c, code in enumerate(codes, start=1)}
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
            raise InputError(
                f"mask {path} must show two classes, or a class and pixels without one",
                value=f"code {np.unique(read_label_file(path))[0]:g} everywhere",
                hint="Draw the border of a class.",
            )
    return np.stack(masks)


def draw_images(run: TrialRun, request: SampleRequest) -> Drawn[DenseSamples]:
    """An image for each mask of a request.

    Raises
    ------
    InputError
        For a generator that makes none, and as :func:`read_masks`.
    """
    masks = read_masks(request.masks, class_codes(request.source, run.data))
    names = run.data.class_names
    trained = cast(DenseView, run.view).counts
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
