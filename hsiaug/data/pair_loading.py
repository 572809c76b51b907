"""From a card of image–mask pairs to the pairs: find the files, read, convert, check."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from hsiaug.data.cardfile import read_pair_card
from hsiaug.data.catalogue import data_dir, scene_names
from hsiaug.data.loading import load_scene
from hsiaug.data.paths import user_path
from hsiaug.data.readers import read_cube_file, read_label_file
from hsiaug.data.tomlfile import read_toml
from hsiaug.errors import DataUnavailableError, InputError, SceneError, did_you_mean
from hsiaug.pairs import PairSet, Place

if TYPE_CHECKING:
    from hsiaug.data.pair_cards import PairCard

__all__ = ["load_pairs", "pair_set_card", "pair_set_names", "pair_set_status", "pairs_status"]

SETS = Path(__file__).parent / "pairs"

Part = Literal["train", "test", "any"]


@cache
def pair_set_names() -> tuple[str, ...]:
    """Names of the catalogue's sets of image–mask pairs."""
    return tuple(sorted(path.stem for path in SETS.glob("*.toml")))


def pair_set_card(name: str) -> PairCard:
    """The card of a set of the catalogue."""
    return read_pair_card(SETS / f"{name}.toml")


def pair_set_status(card: PairCard) -> str:
    """What has to be done before a set of the catalogue can be loaded: "here", "to download" or "place by hand"."""
    if any(_places(card, data_dir() / card.name).values()):
        return "here"
    return "to download" if card.archives else "place by hand"


def pairs_status(ref: str) -> str | None:
    """What has to be done before the pairs of a set or of your own card can be loaded; None for a scene."""
    name = ref.lower().replace("-", "_")
    if ref.lower().endswith(".toml"):
        return "here" if _is_pairs(user_path(ref)) else None
    return pair_set_status(pair_set_card(name)) if name in pair_set_names() else None


def load_pairs(
    ref: str | os.PathLike[str], task: str, *, progress: bool = True, masks_only: bool = False
) -> PairSet:
    """The pairs of a catalogue name, of your own card of pairs, or (segmentation) of a scene, as one place.

    Files of a public set that are not here are downloaded first where its makers allow that.
    task: "segmentation" (one date) or "change" (two). masks_only: of a card of pairs read no image, and give one band
    of zeros per date in its place, which takes no memory.
    Raises InputError for an unknown name or a set of the other task, DataUnavailableError where files cannot be had,
    and SceneError where a card or a file is not valid.
    """
    text = os.fspath(ref)
    own = text.lower().endswith(".toml")
    name = text.lower().replace("-", "_")
    if own and _is_pairs(user_path(text)):
        path = user_path(text)
        return _checked(_read(read_pair_card(path), path.absolute().parent, masks_only), task, text)
    if not own and name in pair_set_names():
        card = pair_set_card(name)
        return _checked(_read(card, _folder(card, progress), masks_only), task, text)
    if not own and name not in scene_names():
        known = (*pair_set_names(), *scene_names())
        raise InputError(
            f"--task {task} needs a set of image–mask pairs, a scene, or the path of a card of either",
            value=repr(text),
            mend=did_you_mean(name, known),
        )
    return _checked(PairSet.of(load_scene(ref, progress=progress)), task, text)


def _is_pairs(path: Path) -> bool:
    """True where the card has a table [masks], which only cards of pairs have. Raises SceneError for no TOML."""
    try:
        return "masks" in read_toml(path, "card", SceneError)
    except FileNotFoundError:
        return False


def _checked(pairs: PairSet, task: str, ref: str) -> PairSet:
    found = "change" if pairs.dates == 2 else "segmentation"
    if found != task:
        raise InputError(
            f"--task {task} needs images of {'two dates' if task == 'change' else 'one date'}",
            value=f"{ref} has {pairs.dates}",
            mend=f"Use --task {found}, or another set.",
        )
    return pairs


def _folder(card: PairCard, progress: bool) -> Path:
    """The folder of a public set; downloaded and unpacked where it is missing."""
    folder = data_dir() / card.name
    if any(_places(card, folder).values()):
        return folder
    if not card.archives:
        raise DataUnavailableError(
            f"set {card.name} cannot be downloaded automatically",
            value=f"no place of it in {folder}",
            mend=f"Get the files{f' from {card.homepage}' if card.homepage else ''} and put them into {folder}.",
        )
    from hsiaug.data.archives import fetch_archives

    fetch_archives(card, folder, progress)
    return folder


def _read(card: PairCard, folder: Path, masks_only: bool) -> PairSet:
    found = _places(card, folder)
    listed = [(part, name) for part, names in found.items() for name in names]
    absent = [name for names in _named(card).values() for name in names if "*" not in name]
    absent = [name for name in absent if name not in {n for _, n in listed}]
    lacking = [part for part, names in _named(card).items() if names and not found[part]]
    if lacking or (absent and not card.allow_missing):
        raise SceneError(
            f"set {card.name}: every place of its card needs its images in {folder}",
            value=f"none of {', '.join(absent) or 'them'}",
            mend="Put the files there, or correct places and images.files in the card.",
        )
    read = _bare if masks_only else _place
    places = tuple(read(card, folder, name, part) for part, name in listed)
    return PairSet(
        name=card.name,
        places=places,
        class_names=card.masks.names,
        wavelengths=np.array(card.images.wavelengths) if card.images.wavelengths and not masks_only else None,
        gsd=card.images.gsd,
        units=card.images.units,
    )


def _named(card: PairCard) -> dict[Part, tuple[str, ...]]:
    return {"train": card.places.train, "test": card.places.test, "any": card.places.any}


def _places(card: PairCard, folder: Path) -> dict[Part, list[str]]:
    """The places whose first image is here, by side; patterns are replaced by what fits them, in order."""
    found: dict[Part, list[str]] = {}
    for part, names in _named(card).items():
        here: list[str] = []
        for name in names:
            pattern = _filled(card.images.files[0], name, band=(card.images.bands or ("",))[0])
            matches = _fitting(folder, pattern)
            if "*" in name:
                group = name.rpartition("/")[0]
                here += [f"{group}/{path.stem}" if group else path.stem for path in matches]
            elif matches:
                here.append(name)
        found[part] = here
    return found


def _filled(pattern: str, place: str, band: str = "") -> str:
    group, _, name = place.rpartition("/")
    values = {"place": place, "group": group, "name": name, "band": band}
    # Not str.format, whose fields reach attributes and widths: the card is somebody else's.
    return re.sub(r"\{(\w+)\}", lambda found: values[found[1]], pattern)


def _fitting(folder: Path, pattern: str) -> list[Path]:
    """The paths that fit a filled pattern, in order."""
    try:
        return sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError, OSError) as cause:
        raise SceneError(
            f"a pattern of a card must be one of files in {folder}",
            value=f"{pattern!r} ({cause})",
            mend="Correct images.files, masks and places in the card.",
        ) from cause


def _place(card: PairCard, folder: Path, name: str, part: Part) -> Place:
    spec = card.images
    dates = [_image(card, folder, pattern, name) for pattern in spec.files]
    shape = max((image.shape[1:] for image in dates), key=lambda s: s[0] * s[1])
    mask = _mask(card, folder, name)
    images = np.stack([_enlarged(image, shape) for image in dates])
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows float32 is refused by Place
        scale, offset = np.array([spec.scale, spec.offset]).astype(np.float32)
        images = np.ascontiguousarray(images * scale + offset, dtype=np.float32)
    return Place(name, images, mask, part)


def _bare(card: PairCard, folder: Path, name: str, part: Part) -> Place:
    """A place without its images."""
    mask = _mask(card, folder, name)
    nothing = np.broadcast_to(np.float32(0), (len(card.images.files), 1, *mask.shape))
    return Place(name, nothing, mask, part)


def _image(card: PairCard, folder: Path, pattern: str, place: str) -> NDArray[np.float32]:
    """(B, H, W) raw values of one date."""
    spec = card.images
    if "{band}" in pattern:
        bands = [
            read_label_file(_one(card, folder, pattern, place, band)).astype(np.float32) for band in spec.bands
        ]
        shape = max((band.shape for band in bands), key=lambda s: s[0] * s[1])
        return np.concatenate([_enlarged(band[None], shape) for band in bands])
    path = _one(card, folder, pattern, place)
    raw = read_cube_file(path)
    # The readers of GeoTIFF and ENVI give (height, width, band) whatever the order in the file is.
    as_is = spec.axes == "bhw" and path.suffix.lower() in (".npy", ".mat")
    array = raw.array if as_is else raw.array.transpose(2, 0, 1)
    if spec.bands and len(array) != len(spec.bands):
        raise SceneError(
            f"{path} must have the {len(spec.bands)} bands of the card",
            value=f"shape {raw.array.shape}, read with axes {spec.axes!r}",
            mend="Correct images.axes or images.bands in the card.",
        )
    return np.asarray(array, dtype=np.float32)


def _one(card: PairCard, folder: Path, pattern: str, place: str, band: str = "") -> Path:
    """The one file that fits a pattern. Raises SceneError where none does, or several."""
    text = _filled(pattern, place, band)
    matches = [path for path in _fitting(folder, text) if not path.name.lower().endswith(".hdr")]
    if len(matches) != 1:
        raise SceneError(
            f"set {card.name}: exactly one file must fit {text} in {folder}",
            value=", ".join(path.name for path in matches[:3]) or "none",
            mend="Put the file there, or correct the pattern in the card.",
        )
    return matches[0]


def _enlarged(image: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(B, h, w) on the grid of (H, W), by bilinear interpolation; the same array where it is there already."""
    if image.shape[1:] == tuple(shape):
        return image
    from PIL import Image

    size = (int(shape[1]), int(shape[0]))
    grown = [
        np.asarray(Image.fromarray(band.astype(np.float32)).resize(size, Image.Resampling.BILINEAR))
        for band in image
    ]
    return np.stack(grown).astype(np.float32)


def _mask(card: PairCard, folder: Path, place: str) -> NDArray[np.int16]:
    """(H, W) class ids 1..C, 0 = ignore."""
    spec = card.masks
    if spec.by_class:
        layers = [_flat(read_label_file(_one(card, folder, pattern, place)), card) for pattern in spec.by_class]
        mask = np.zeros(layers[0].shape, dtype=np.int16)
        for c, layer in enumerate(layers, start=1):
            mask[layer != 0] = c
        return mask
    here = [pattern for pattern in spec.files if _fitting(folder, _filled(pattern, place))]
    path = _one(card, folder, (here or spec.files)[0], place)
    codes = read_label_file(path)
    known = spec.codes or tuple((c,) for c in range(1, len(spec.names) + 1))
    ids = {code: c for c, listed in enumerate(known, start=1) for code in listed}
    present, where = np.unique(codes, return_inverse=True)
    strangers = [code for code in present.tolist() if code not in ids and code not in spec.ignore]
    if strangers:
        raise SceneError(
            f"{path}: every code must be listed in the card",
            value=f"codes {', '.join(map(str, strangers[:8]))}",
            mend="Add them to masks.codes or masks.ignore.",
        )
    return np.array([ids.get(code, 0) for code in present.tolist()], dtype=np.int16)[where.reshape(codes.shape)]


def _flat(layer: NDArray[Any], card: PairCard) -> NDArray[Any]:
    if layer.ndim != 2:
        raise SceneError(
            f"set {card.name}: a mask of one class has two axes",
            value=f"shape {layer.shape}",
            mend="Save it as a single channel.",
        )
    return layer
