"""Where the data of a task come from, and where its maps lie on Earth."""

import os
from dataclasses import dataclass

import numpy as np

from hsiaug.base.arrays import Float32, Int16
from hsiaug.core.pairs import PairSet
from hsiaug.core.scene import Scene
from hsiaug.data import load_pairs, load_scene
from hsiaug.data.catalogue import find_entry, status
from hsiaug.data.georeference import Georeference, scene_georeference
from hsiaug.data.pair_loading import pair_georeferences
from hsiaug.data.pair_sets import find_pairs, pairs_status


class NoGroundTruthError(Exception):
    """Why pixels cannot be placed, as the end of a sentence."""


class SceneSource:
    """Scenes, whose pixels have classes."""

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> Scene:
        """Load a scene or a set of pairs, with all labels.

        Parameters
        ----------
        ref : str or path
            Name in the catalogue, card or folder.
        progress : bool
            Whether a download shows a bar.

        Returns
        -------
        Scene or PairSet
            Of the task's own type.

        Raises
        ------
        SceneError
            Where there are no such data, or they are damaged.
        """
        return load_scene(ref, progress=progress)

    def load_labels(self, ref: str) -> Scene:
        """As ``load``, but of large data no more than a split reads."""
        return load_scene(ref)

    def load_local(self, ref: str, most: int | None = None) -> Scene:
        """As ``load_labels``, where nothing needs to be downloaded: for reports.

        Parameters
        ----------
        ref : str
            Name in the catalogue, card or folder.
        most : int, optional
            Values of the largest scene that is read; None = any.

        Raises
        ------
        NoGroundTruthError
            Where the data are not here, or larger.
        """
        entry = find_entry(ref)
        if status(entry) not in ("embedded", "here"):
            raise NoGroundTruthError(f"the files of the scene {ref} are not here")
        shape = entry.card.cube.shape
        if most is not None and shape is not None and np.prod(shape) > most:
            raise NoGroundTruthError(f"the scene {ref} is too large to be read for a page")
        return load_scene(ref, progress=False)

    def truth(self, data: Scene) -> dict[str, Int16]:
        """Class ids (H, W) of every place by its name, 0 = none. For the process that runs no
        plugin.
        """
        return {data.name: data.labels}

    def cube(self, data: Scene) -> Float32:
        """Spectra (H, W, B) of a scene, for a report; None where only masks are read for it."""
        return data.cube

    def georeferences(
        self, ref: str | os.PathLike[str], data: Scene
    ) -> dict[str, Georeference | None]:
        """Location of each place on Earth by its name, as the files say; None where they do not."""
        return {data.name: scene_georeference(ref)}


@dataclass(frozen=True)
class PairSource:
    """Sets of images with masks. task: "segmentation" or "change"."""

    task: str

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> PairSet:
        return load_pairs(ref, self.task, progress=progress)

    def load_labels(self, ref: str) -> PairSet:
        return load_pairs(ref, self.task, masks_only=True)

    def load_local(self, ref: str, most: int | None = None) -> PairSet:
        entry = find_pairs(ref)
        if entry is None:
            return PairSet.of(SceneSource().load_local(ref, most))
        if pairs_status(entry) != "here":
            raise NoGroundTruthError(f"the files of the scene {ref} are not here")
        return self.load_labels(ref)

    def truth(self, data: PairSet) -> dict[str, Int16]:
        return {place.name: place.mask for place in data.places}

    def cube(self, data: PairSet) -> None:
        return None

    def georeferences(
        self, ref: str | os.PathLike[str], data: PairSet
    ) -> dict[str, Georeference | None]:
        return pair_georeferences(ref, data)
