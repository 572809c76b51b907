"""A made-up scene, small and quick, for tests and first steps. Results on it mean nothing."""

import numpy as np

from hsiaug.base.arrays import Float32, Float64, Int64
from hsiaug.base.errors import InputError
from hsiaug.base.seeds import derive_seed
from hsiaug.core.scene import Scene

NAMES = ("Meadow", "Maize", "Orchard", "Reeds", "Pond")
RANGE_NM = (450.0, 2350.0)


def toy_scene(
    seed: int = 0,
    height: int = 48,
    width: int = 48,
    bands: int = 20,
    classes: int = 5,
    relief: float = 0.0,
) -> Scene:
    """Fields of a few crops with unlabelled tracks between them; each class covers half of the one
    before.

    Spectra are smooth; brightness drifts over the scene; pixels at borders are mixed; fields of a
    class differ a little. The same arguments give the same scene.

    Parameters
    ----------
    relief : float
        Of hills, whose slopes the sun lights by the factors exp(±relief).

    Raises
    ------
    InputError
        For sizes that leave no room for the classes.
    """
    if min(height, width) < 16 or bands < 3 or classes < 2 or height * width < 300 * classes:
        raise InputError(
            "toy_scene needs 16×16 pixels, 3 bands, 2 classes, and 300 pixels for each class",
            value=f"{height}×{width} pixels, {bands} bands, {classes} classes",
            hint="Make the scene larger, or ask for fewer classes.",
        )
    rng = np.random.default_rng(derive_seed("toy scene", seed))
    fields = _fields(rng, height, width, count=6 * classes)
    class_of_field = _assign(np.bincount(fields.ravel()), classes)
    labels = (class_of_field[fields] + 1).astype(np.int16)
    # Tracks: pixels whose right or lower neighbour belongs to another field.
    labels[:, :-1][fields[:, :-1] != fields[:, 1:]] = 0
    labels[:-1][fields[:-1] != fields[1:]] = 0
    names = tuple(NAMES[i] if i < len(NAMES) else f"Crop {i + 1}" for i in range(classes))
    cube = _cube(rng, fields, class_of_field, bands, relief)
    return Scene("toy", cube, labels, names, np.linspace(*RANGE_NM, bands), gsd=2.0, draws="toy")


def _fields(rng: np.random.Generator, height: int, width: int, count: int) -> Int64:
    """(H, W) index of the nearest of ``count`` points that lie scattered over a jittered grid."""
    rows = max(1, round((count * height / width) ** 0.5))
    columns = -(-count // rows)
    order = np.arange(count)
    spots = np.stack([order // columns, order % columns], axis=1)
    centres = (spots + rng.uniform(0.15, 0.85, spots.shape)) / (rows, columns) * (height, width)
    pixels = np.moveaxis(np.mgrid[:height, :width], 0, -1)  # (H, W, 2)
    distance = ((pixels[:, :, None] - centres) ** 2).sum(axis=-1)  # (H, W, fields)
    return np.asarray(np.argmin(distance, axis=-1), dtype=np.int64)


def _assign(areas: Int64, classes: int) -> Int64:
    """(fields,) class index of each field, so that areas come near to shares 1, 1/2, 1/4, …"""
    shares = 0.5 ** np.arange(classes)
    remaining = shares / shares.sum() * areas.sum()
    class_of_field = np.empty(len(areas), dtype=np.int64)
    # The smallest field goes to the smallest class first, so that every class has one.
    order = np.argsort(areas, kind="stable")
    for step, field in enumerate(order):
        chosen = classes - 1 - step if step < classes else int(np.argmax(remaining))
        class_of_field[field] = chosen
        remaining[chosen] -= areas[field]
    return class_of_field


def _cube(
    rng: np.random.Generator,
    fields: Int64,
    class_of_field: Int64,
    bands: int,
    relief: float,
) -> Float32:
    """(H, W, B) float32 reflectance."""
    height, width = fields.shape
    count = len(class_of_field)
    classes = int(class_of_field.max()) + 1
    spectra = _smooth(rng, classes, bands, 0.12)  # (classes, B)
    spectra += rng.uniform(0.08, 0.2, (classes, 1)) - spectra.min(axis=1, keepdims=True)
    by_field = spectra[class_of_field] + _smooth(rng, count, bands, 0.04)  # (fields, B)
    # Mean over 3×3 pixels, so that borders are mixed as in a real sensor.
    padded = np.pad(by_field[fields], ((1, 1), (1, 1), (0, 0)), mode="edge")
    shifted = [padded[dy : dy + height, dx : dx + width] for dy in range(3) for dx in range(3)]
    cube = np.asarray(sum(shifted)) / 9
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    phase = rng.uniform(0, 2 * np.pi, 2)
    brightness = 1 + 0.1 * np.sin(3 * x + phase[0]) * np.cos(2 * y + phase[1])
    brightness *= np.exp(relief * np.sin(19 * x + phase[0]) * np.cos(13 * y + phase[1]))
    cube = cube * brightness[:, :, None] + rng.normal(0, 0.02, cube.shape)
    return np.asarray(np.clip(cube, 0.005, 1), dtype=np.float32)


def _smooth(rng: np.random.Generator, rows: int, bands: int, height: float) -> Float64:
    """(rows, B): sums of four slow waves of random phase and height."""
    grid = np.linspace(0, 1, bands)
    order = np.arange(1, 5)
    phase = rng.uniform(0, 2 * np.pi, (rows, 4, 1))
    amplitude = rng.normal(0, height, (rows, 4, 1)) / order[:, None]
    waves: Float64 = (amplitude * np.sin(np.pi * order[:, None] * grid + phase)).sum(axis=1)
    return waves
