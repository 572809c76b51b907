"""The generator ``library``: real patches as a spectral library says that their class looks elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hsiaug.api import Card, Plugin, Progress, TrainView, file_of, load_state, param, resampled, save_state
from hsiaug_builtin.nets.patches import FittedPatches, cycle
from hsiaug_builtin.spectra.curves import STRENGTH

if TYPE_CHECKING:
    from hsiaug_builtin.spectra.target import Target

__all__ = ["FittedLibrary", "Library", "LibraryParams"]


@dataclass(frozen=True)
class LibraryParams:
    """Spectra to use, and how they are used."""

    path: str = param(
        "",
        "ENVI spectral library (.sli), or a folder of USGS or ECOSTRESS text files",
        file=True,
        required=True,
    )
    most: int = param(3, "spectra of the library that a class is compared with: those of the nearest words", low=1)
    strength: float = param(STRENGTH, "of random deviations, 1 = as large as those of other scenes", low=0, high=4)
    weight: float = param(0.3, "sample weight of a patch; a real sample has 1", low=0, sampling=True)


@dataclass(frozen=True, eq=False)
class FittedLibrary(FittedPatches):
    """target: what the library says of the classes of the view."""

    params: LibraryParams
    target: Target
    names: Mapping[str, object]
    name = "library"

    @property
    def notes(self) -> dict[str, object]:
        """The library, which of its spectra were used, and how much likelier they make the training pixels."""
        return {**self.names, **self.target.provenance}

    @property
    def weight(self) -> float:
        return self.params.weight

    def make(self, c: int, count: int, rows: NDArray[np.int64], seed: int) -> NDArray[np.float32]:
        rng = np.random.default_rng(seed)
        chosen = cycle(rows, count, rng)
        return self.target.apply(self.x[chosen], self.y[chosen], rng)

    def save(self, folder: Path) -> None:
        """All fields."""
        arrays = {f"target.{name}": value for name, value in self.target.arrays().items()}
        facts = {"params": vars(self.params), "names": dict(self.names), "target": self.target.facts()}
        save_state(folder, {"x": self.x, "y": self.y, **arrays}, facts)


class Library(Plugin[LibraryParams]):
    """Real patches moved to what a library and the training pixels together say of their class.

    The spectra of the library whose names are nearest to a class's words (embeddings of all-MiniLM-L6-v2) are classes of
    a source scene in :class:`hsiaug_builtin.spectra.prior.Prior`, with its usual scales: the scene's empirical line, a
    gain per band, brings both together, and a class is moved as far as its own few pixels leave open. Deviations are
    those of fields and pixels in other scenes. No unlabelled pixel is read. A scene without wavelengths gets its training
    patches again; the record says so.
    """

    card = Card(
        name="library",
        version="1",
        summary="Real patches moved to what a spectral library of the user's says of their class",
        paper="""Empirical line: @article{smith1999empirical, author={G. M. Smith and E. J. Milton}, title={The Use
            of the Empirical Line Method to Calibrate Remotely Sensed Data to Reflectance},
            journal={International Journal of Remote Sensing}, volume={20}, number={13}, pages={2653--2662},
            year={1999}, doi={10.1080/014311699211994}}; the Gaussian process is this project's own""",
        seconds=5.0,
        params=LibraryParams,
        presets={"tiny": {"path": "made-up"}},
    )

    def fit(self, view: TrainView, *, seed: int, device: str, progress: Progress) -> FittedLibrary:
        """Match the library to the classes. Raises InputError for a library that cannot be read."""
        from hsiaug_builtin.spectra.prior import Prior
        from hsiaug_builtin.spectra.sources import library_source, made_up_source, nearest, words_of
        from hsiaug_builtin.spectra.target import Target

        made_up = self.params.path == MADE_UP
        source = made_up_source() if made_up else library_source(file_of(self.params.path, "library.path"))
        used = nearest(source, words_of(view.class_names), self.params.most)
        if view.wavelengths is None:
            names: dict[str, object] = {"no_wavelengths": "training patches are repeated"}
            target = Target.still(view)
        else:
            names = {"spectra_used": list(used.words)}
            target = Target.of(view, Prior.of([used]), self.params.strength)
        return FittedLibrary(view.real.x, view.real.y, self.params, target, names)

    def load(self, folder: Path, *, device: str) -> FittedLibrary:
        """Read a saved fit."""
        from hsiaug_builtin.spectra.target import Target

        arrays, facts = load_state(folder)
        inner = {name.partition(".")[2]: value for name, value in arrays.items() if name.startswith("target.")}
        params = resampled(LibraryParams(**facts["params"]), self.params)
        target = Target.restore(inner, facts["target"])
        return FittedLibrary(arrays["x"], arrays["y"], params, target, facts["names"])


MADE_UP = "made-up"
"""The path of a library of a few curves that stand for nothing: of the preset ``tiny``, for tests."""
