"""Files of public scenes, known by their bytes, and labels by the values in them, whatever they are
called: what the catalogue says of them need not be typed.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hsiaug.base.errors import HsiaugError
from hsiaug.base.public_scenes import LABELS, array_checksum
from hsiaug.data.catalogue import files_of, find_entry, scene_names
from hsiaug.data.labels import class_map
from hsiaug.data.paths import checksum_of
from hsiaug.data.readers import read_label_file

if TYPE_CHECKING:
    from hsiaug.data.cards import FileSpec, SceneCard
    from hsiaug.data.catalogue import SceneEntry


class PublicFiles(NamedTuple):
    """The card of a public scene, and which of two files are the scene's own."""

    card: SceneCard
    cube: bool
    labels: bool

    @property
    def sentence(self) -> str:
        """Which scene the files are of, in words."""
        parts = ["the cube"] * self.cube + ["the labels"] * self.labels
        verb = "this is" if parts == ["the cube"] else "these are"
        return f"{verb} {' and '.join(parts)} of {self.card.name} of the catalogue"


def public_files(cube: Path, labels: Path) -> PublicFiles | None:
    """The public scene whose files these are, whatever they are called; None for any other.

    Parameters
    ----------
    cube, labels : Path
        The two files.

    Raises
    ------
    SceneError
        If one of them cannot be read.
    """
    name_of_labels = _label_scene(labels)
    for entry in map(find_entry, scene_names()):
        card = entry.card
        if card.procedural:
            continue
        of_cube = _same(entry, card.cube, cube)
        of_labels = card.name == name_of_labels or _same(entry, card.labels, labels)
        if of_cube or of_labels:
            return PublicFiles(card, of_cube, of_labels)
    return None


def _label_scene(path: Path) -> str | None:
    """The public scene whose labels a file holds under the codes of the catalogue, if any."""
    with suppress(HsiaugError):
        codes = read_label_file(path)
        for name in LABELS.values():
            spec = find_entry(name).card.labels
            with suppress(HsiaugError):
                if LABELS.get(array_checksum(class_map(codes, spec, where=name), "<i2")) == name:
                    return name
    return None


def _same(entry: SceneEntry, spec: FileSpec, path: Path) -> bool:
    """Whether a file holds the very bytes of an array of a scene."""
    if spec.sha256 is None or not path.is_file():
        return False
    size = spec.size
    if size is None and spec.package:
        size = next((file.stat().st_size for file in files_of(entry, spec)), None)
    if size is not None and path.stat().st_size != size:
        return False
    return checksum_of(path) == spec.sha256
