"""A folder of image–mask pairs: images, masks, a contact sheet, a manifest, and a card that hsiaug reads again."""

from __future__ import annotations

import json
import shutil
import uuid
import warnings
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hsiaug.errors import InputError
from hsiaug.files import file_errors
from hsiaug.quality.pair_synthesis import MadePairs
from hsiaug.quality.sheets import contact_sheet
from hsiaug.targets import check_folder_name

__all__ = ["check_new_folder", "save_pairs"]


def check_new_folder(path: Path) -> None:
    """Raise InputError, before any work, unless ``path`` is empty, or new in a folder that exists."""
    check_folder_name(path)
    if (path.is_dir() and not any(path.iterdir())) or (not path.exists() and path.parent.is_dir()):
        return
    found = "a file" if path.is_file() else "a folder with files" if path.is_dir() else f"no folder {path.parent}"
    raise InputError(
        f"--out {path} must be an empty folder, or a new name in a folder that exists",
        value=found,
        hint="Name another one.",
    )


def save_pairs(folder: Path, made: MadePairs) -> list[Path]:
    """Write the pairs, whole or not at all; returns the paths of the contact sheet, the manifest and the card.

    images_1/ (and images_2/ for change detection): GeoTIFF (band-sequential float32) where rasterio is installed, else
    .npy (B, H, W). masks/: PNG of class ids, 0 = ignore. confidence/: .npy (H, W) where the generator gives it.
    """
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    rule, hint = f"--out {folder} must be a folder that can be written to", "Free some space, or name another one."
    with file_errors(rule, hint), ExitStack() as stack:
        stack.callback(shutil.rmtree, fresh, ignore_errors=True)
        fresh.mkdir()
        names = _write_arrays(fresh, made)
        real = made.view.real
        order = np.linspace(0, len(real) - 1, min(8, len(real))).round().astype(int)
        groups = [("real", real.take(order)), ("synthetic", made.samples)]
        contact_sheet(fresh / "contact_sheet.png", groups, made.data.class_names, made.data.wavelengths)
        manifest = {"format": 1, **made.provenance(), "files": names}
        text = json.dumps(manifest, ensure_ascii=False, indent=1, allow_nan=False)
        (fresh / "manifest.json").write_text(text + "\n", encoding="utf-8")
        (fresh / "pairs.toml").write_text(_card(made, names[0]["images"]), encoding="utf-8")
        if folder.is_dir():
            folder.rmdir()
        fresh.replace(folder)
    return [folder / name for name in ("contact_sheet.png", "manifest.json", "pairs.toml")]


def _write_arrays(folder: Path, made: MadePairs) -> list[dict[str, list[str] | str]]:
    from PIL import Image

    samples = made.samples
    listed: list[dict[str, list[str] | str]] = []
    digits = max(4, len(str(len(samples))))
    for name in ("masks", *(f"images_{t + 1}" for t in range(samples.dates))):
        (folder / name).mkdir()
    if samples.confidence is not None:
        (folder / "confidence").mkdir()
    for i in range(len(samples)):
        name = f"{i:0{digits}d}"
        images = [
            _write_image(folder / f"images_{t + 1}" / name, image) for t, image in enumerate(samples.images[i])
        ]
        Image.fromarray(samples.masks[i].astype(np.uint8)).save(folder / "masks" / f"{name}.png")
        if samples.confidence is not None:
            np.save(folder / "confidence" / f"{name}.npy", samples.confidence[i])
        listed.append(
            {"images": [str(p.relative_to(folder).as_posix()) for p in images], "mask": f"masks/{name}.png"}
        )
    return listed


def _write_image(path: Path, image: NDArray[np.float32]) -> Path:
    """One date (B, H, W): GeoTIFF, or .npy without rasterio."""
    if find_spec("rasterio") is None:
        np.save(path.with_suffix(".npy"), image)
        return path.with_suffix(".npy")
    import rasterio

    bands, height, width = image.shape
    target = path.with_suffix(".tif")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a synthetic tile lies nowhere
        # In memory first: GDAL does not tell of a full disk when it closes a file.
        with rasterio.MemoryFile() as memory:
            with memory.open(
                driver="GTiff", height=height, width=width, count=bands, dtype="float32", interleave="band"
            ) as file:
                file.write(image)
            target.write_bytes(memory.read())
    return target


def _card(made: MadePairs, images: list[str] | str) -> str:
    """A card of the folder, so that it can be loaded like any other set."""
    ending = Path(images[0]).suffix
    files = ", ".join(f'"images_{t + 1}/{{name}}{ending}"' for t in range(made.samples.dates))
    names = json.dumps(list(made.data.class_names), ensure_ascii=False)
    lines = [
        f'name = "synthetic_{made.data.name}"',
        f"title = {json.dumps(f'Synthetic pairs of {made.card.name}, trained on {made.data.name}')}",
        f'task = "{made.spec.task}"',
        "",
        "[images]",
        f"files = [{files}]",
        'axes = "bhw"',
        f"units = {json.dumps(made.data.units)}",
    ]
    if made.data.wavelengths is not None:
        lines.append(f"wavelengths = {json.dumps([float(w) for w in made.data.wavelengths])}")
    if made.data.gsd is not None:
        lines.append(f"gsd = {float(made.data.gsd)}")
    lines += ["", "[masks]", 'files = ["masks/{name}.png"]', f"names = {names}", "ignore = [0]", ""]
    lines += ["[places]", 'any = ["*"]', ""]
    return "\n".join(lines)
