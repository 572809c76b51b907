"""Does every measure of layout see the damage that it claims to see, and in order of its strength?

    HSIAUG_DATA_DIR=benchmarks/scenes python -m benchmarks.layout_battery [--no-network] [patches]
    [tiles]

Patches are of Indian Pines, tiles of OSCD, which ``python -m benchmarks.make_scenes`` unpacks.
Held-out patches are dealt into two halves, spatially apart. The second half stands in for made
samples: it is damaged in each way and strength, and told from the first. Of tiles, one half of some
training tiles is damaged. So strength 0 is the floor. Writes found.csv, table.md and a picture of
each damage to benchmarks/results/layout_battery/.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import HERE, check_usage, read_csv, say, write_csv
from benchmarks.layout_damages import add_noise, blur, copies, move_masks, next_class
from hsiaug.base.colours import rgb_bands, stretched
from hsiaug.core.scene import Scene
from hsiaug.core.tiles import DenseSamples
from hsiaug.metrics.dense.extractor import fit_axes
from hsiaug.metrics.dense.layout import BLOCK, one_hot
from hsiaug.metrics.dense.layout_extractor import layout_blocks
from hsiaug.metrics.dense.mask_layout import change_contrast, edge_ranks
from hsiaug.metrics.image_damages import permute_masks, shuffle_blocks, shuffle_pixels
from hsiaug.metrics.layout import SHOWN, edge_threshold, layout_maps
from hsiaug.metrics.layout_measures import JUDGES, LayoutJudge
from hsiaug.metrics.layout_statistics import held_out_sills, layout_statistics
from hsiaug.metrics.neighbours import copy_share
from hsiaug.metrics.patch_distances import PatchSpace
from hsiaug.metrics.reliability import fit_lda
from hsiaug.metrics.spatial_folds import Side, spatial_cells
from hsiaug.metrics.spectra import Spectra, fit_space, frechet_between, spectral_angle
from hsiaug.metrics.two_sample import match_folds, two_sample_auc

OUT = HERE / "results" / "layout_battery"
PATCH = 9
DRAW = 0
EACH = 300
"""Patches of each half at most."""
TILES = 30
"""Tiles of each half at most."""
SHOWN_OF_EACH = 8
ZOOM = 4
COLOURS = 128

Values = dict[str, float]
Row = dict[str, Any]

STRENGTHS: Mapping[str, tuple[float, ...]] = {
    "pixels shuffled": (0.1, 0.3, 1.0),
    "blocks shuffled": (0.25, 0.5, 1.0),
    "blur": (0.4, 0.7, 1.2),
    "noise": (0.02, 0.05, 0.2),
    "next class": (0.25, 0.5, 1.0),
    "mask blocks shuffled": (0.25, 0.5, 1.0),
    "masks moved": (1, 2, 4),
    "masks permuted": (0.25, 0.5, 1.0),
    "copied": (0.25, 0.5, 1.0),
}
"""Shares of pixels, blocks or samples; pixels of blur and of moves; deviations of noise."""

CLAIMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "patches": {
        "pixels shuffled": (
            "told_by_network",
            "told_by_forest",
            "within_1",
            "within_2",
            "neighbours_1",
            "variogram_1",
            "edges",
        ),
        "blocks shuffled": ("told_by_forest", "within_1", "within_2", "variogram_1", "edges"),
        "blur": (
            "told_by_network",
            "told_by_forest",
            "within_1",
            "within_2",
            "variogram_1",
            "across",
            "elsewhere",
        ),
        "noise": ("told_by_network", "told_by_forest", "elsewhere"),
        "next class": ("angle", "agreement"),
        "copied": ("copied",),
    },
    "tiles": {
        "pixels shuffled": (
            "fd_layout_1",
            "fd_layout_2",
            "within_1",
            "within_2",
            "variogram_1",
            "mask_edges",
        ),
        "blocks shuffled": ("fd_layout_1", "fd_layout_2", "within_1", "within_2", "variogram_1"),
        "blur": ("fd_layout_1", "fd_layout_2", "within_1", "within_2", "variogram_1"),
        "noise": ("within_1", "variogram_1", "elsewhere"),
        # Changed pixels with the mean of unchanged ones, and the reverse: each edge of a mask
        # becomes one of the image.
        "next class": ("change_rank", "mask_edges"),
        "mask blocks shuffled": ("fd_layout_mask", "change", "change_rank", "mask_edges"),
        "masks moved": ("change", "change_rank", "mask_edges"),
        "masks permuted": ("change", "change_rank", "mask_edges"),
        "copied": ("copied",),
    },
}
"""Measures that claim to see a damage, by the kind of samples."""


@dataclass(frozen=True, eq=False)
class PatchSets:
    """Real patches. known: training. first, second: held-out halves, matched, with their patches
    and classes.
    """

    known: NDArray[np.float32]
    known_y: NDArray[np.int64]
    first: Side
    first_x: NDArray[np.float32]
    second: Side
    second_x: NDArray[np.float32]


def patch_sets(
    cut: Callable[[NDArray[np.int64]], NDArray[np.float32]],
    train: tuple[NDArray[np.int64], NDArray[np.int64]],
    held: tuple[NDArray[np.int64], NDArray[np.int64]],
    patch: int,
    rng: np.random.Generator,
) -> PatchSets:
    """Deal held-out patches, by centre (n, 2) and class (n,), into two halves that are spatially
    apart.
    """
    at, y = held
    places = np.column_stack([np.zeros(len(at), dtype=np.int64), at - patch // 2])
    cells = spatial_cells(places, y, patch, rng)
    assert cells is not None, "the scene is too small"
    first, second = match_folds([cells.take(cells.half == half) for half in (0, 1)], rng, EACH)
    return PatchSets(
        cut(train[0]), train[1], first, cut(at[first.rows]), second, cut(at[second.rows])
    )


def patch_rows(sets: PatchSets, judges: Mapping[str, LayoutJudge], seed: int = 0) -> Iterator[Row]:
    """A row for each damage and strength, the undamaged half first."""
    spectra = np.moveaxis(sets.known, 1, -1).reshape(-1, sets.known.shape[1])
    few = np.random.default_rng(seed).permutation(len(spectra))[:5000]
    space = fit_space(spectra[few].astype(np.float64), 8)
    threshold = edge_threshold(layout_maps(sets.known, space).scores)
    sills = held_out_sills(layout_maps(sets.second_x, space))
    real_maps = layout_maps(sets.first_x, space)
    reduced = PatchSpace.of(space)
    known_flat = reduced.reduce(sets.known).reshape(len(sets.known), -1)
    known = Spectra(_centres(sets.known), sets.known_y)
    probe = fit_lda(known)
    y = sets.second.y

    def measured(x: NDArray[np.float32]) -> Values:
        maps = layout_maps(x, space)
        values = {
            name: v
            for name, v in layout_statistics(maps, threshold, sills).items()
            if v is not None
        }
        for name, by in judges.items():
            read = (by.read(real_maps), by.read(maps))
            test = two_sample_auc((sets.first, sets.second), read, by.judge, seed=seed)
            if test is not None:
                values[name] = 100 * test.auc
        flat = reduced.reduce(x).reshape(len(x), -1)
        values["copied"] = 100 * (
            copy_share(flat.astype(np.float64), known_flat.astype(np.float64)) or 0
        )
        values["angle"] = _class_angle(known, Spectra(_centres(x), y))
        values["agreement"] = 100 * float((probe(_centres(x)) == y).mean())
        return values

    yield {"kind": "patches", "damage": "none", "strength": 0.0, **measured(sets.second_x)}
    for damage in CLAIMS["patches"]:
        for strength in STRENGTHS[damage]:
            x = damaged_patches(sets, damage, strength, np.random.default_rng(seed))
            yield {"kind": "patches", "damage": damage, "strength": strength, **measured(x)}


def damaged_patches(
    sets: PatchSets, damage: str, strength: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The second half of held-out patches under a damage."""
    x = sets.second_x
    if damage == "next class":
        ids = np.unique(sets.second.y).tolist()
        return np.asarray(next_class(x, sets.second.y, ids, strength, rng), dtype=np.float32)
    if damage == "copied":
        return _replaced(x, sets.known, copies(len(x), len(sets.known), strength, rng))
    return damaged_images(x, damage, strength, 3, rng)


def damaged_images(
    x: NDArray[np.float32], damage: str, strength: float, block: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Images (n, …, B, H, W) whose layout is damaged."""
    if damage == "pixels shuffled":
        return shuffle_pixels(x, strength, rng)
    if damage == "blocks shuffled":
        return shuffle_blocks(x, block, strength, rng)
    changed = blur(x, strength) if damage == "blur" else add_noise(x, strength, rng)
    return np.asarray(changed, dtype=np.float32)


def _replaced(
    x: NDArray[np.float32], known: NDArray[np.float32], source: NDArray[np.int64]
) -> NDArray[np.float32]:
    out = x.copy()
    out[source >= 0] = known[source[source >= 0]]
    return out


def _centres(x: NDArray[np.float32]) -> NDArray[np.float64]:
    middle = x.shape[-1] // 2
    return x[..., middle, middle].astype(np.float64)


def _class_angle(known: Spectra, other: Spectra) -> float:
    """Mean over classes of the angle in degrees between mean spectra."""
    ids = np.intersect1d(known.y, other.y)
    return float(
        np.mean(
            [
                spectral_angle(
                    known.x[known.y == c].mean(axis=0), other.x[other.y == c].mean(axis=0)
                )
                for c in ids
            ]
        )
    )


@dataclass(frozen=True, eq=False)
class TileSets:
    """Real tiles: known, and those that are damaged."""

    known: DenseSamples
    judged: DenseSamples
    classes: int


def tile_rows(sets: TileSets, seed: int = 0) -> Iterator[Row]:
    """A row for each damage and strength, the undamaged tiles first."""
    known = sets.known
    rng = np.random.default_rng(seed)
    spectra = np.moveaxis(known.images, 2, -1).reshape(-1, known.bands)
    space = fit_space(spectra[rng.permutation(len(spectra))[:5000]].astype(np.float64), 6)

    def date_maps(part: DenseSamples) -> list[Any]:
        return [layout_maps(part.images[:, t], space) for t in range(part.dates)]

    def kinds(part: DenseSamples, dates: list[Any]) -> dict[str, Any]:
        blocks = {
            f"fd_layout_{t + 1}": layout_blocks(one.scores, "image") for t, one in enumerate(dates)
        }
        return {
            **blocks,
            "fd_layout_mask": layout_blocks(one_hot(part.masks, sets.classes), "mask"),
        }

    known_dates = date_maps(known)
    threshold = edge_threshold(known_dates[0].scores)
    sills = held_out_sills(known_dates[0])
    known_blocks = kinds(known, known_dates)
    axes = {name: fit_axes(blocks) for name, blocks in known_blocks.items()}
    known_flat = _flat(known)
    known_means = _mask_means(known)

    def measured(part: DenseSamples) -> Values:
        dates = date_maps(part)
        values = {
            name: v
            for name, v in layout_statistics(dates[-1], threshold, sills).items()
            if v is not None
        }
        for name, blocks in kinds(part, dates).items():
            values[name] = frechet_between(
                [axes[name].scores(known_blocks[name]), axes[name].scores(blocks)]
            )[0]
        contrast = change_contrast(part.images, part.masks, space.std) if part.dates > 1 else None
        if contrast is not None:
            values["change"], values["change_rank"] = contrast[0], 100 * contrast[1]
        scores = [one.scores[:, :SHOWN] for one in dates]
        scores += [scores[1] - scores[0]] if part.dates > 1 else []
        ranks = edge_ranks(np.concatenate(scores, axis=1), part.masks)
        if ranks is not None:
            values["mask_edges"] = 100 * ranks[0]
        values["copied"] = 100 * (copy_share(_flat(part), known_flat) or 0)
        values["angle"] = float(np.nanmean(spectral_angle(known_means, _mask_means(part))))
        return values

    yield {"kind": "tiles", "damage": "none", "strength": 0.0, **measured(sets.judged)}
    for damage in CLAIMS["tiles"]:
        for strength in STRENGTHS[damage]:
            worse = damaged_tiles(sets, damage, strength, np.random.default_rng(seed))
            yield {"kind": "tiles", "damage": damage, "strength": strength, **measured(worse)}


def damaged_tiles(
    sets: TileSets, damage: str, strength: float, rng: np.random.Generator
) -> DenseSamples:
    """The judged tiles under a damage of images or of masks."""
    part = sets.judged
    if damage == "mask blocks shuffled":
        return replace(part, masks=shuffle_blocks(part.masks, BLOCK, strength, rng))
    if damage == "masks moved":
        return replace(part, masks=move_masks(part.masks, int(strength)))
    if damage == "masks permuted":
        return replace(part, masks=permute_masks(part.masks, strength, rng))
    if damage == "copied":
        source = copies(len(part), len(sets.known), strength, rng)
        masks = part.masks.copy()
        masks[source >= 0] = sets.known.masks[source[source >= 0]]
        return replace(part, images=_replaced(part.images, sets.known.images, source), masks=masks)
    if damage == "next class":
        ids = list(range(1, sets.classes + 1))
        return replace(
            part,
            images=np.asarray(
                next_class(part.images, part.masks, ids, strength, rng), dtype=np.float32
            ),
        )
    return replace(part, images=damaged_images(part.images, damage, strength, BLOCK, rng))


def _flat(part: DenseSamples) -> NDArray[np.float64]:
    """(n, F) every fourth pixel of each tile."""
    return part.images[..., ::4, ::4].reshape(len(part), -1).astype(np.float64)


def _mask_means(part: DenseSamples) -> NDArray[np.float64]:
    """(C, T·B) mean spectra of the classes; NaN of one without a pixel."""
    means = [
        (
            part.spectra[part.masks == c].mean(axis=0)
            if (part.masks == c).any()
            else np.full(part.dates * part.bands, np.nan)
        )
        for c in range(1, int(part.masks.max()) + 1)
    ]
    return np.stack(means).astype(np.float64)


def in_order(rows: Sequence[Row], damage: str, measure: str) -> bool:
    """Whether each strength of a damage moves a measure further away from where it is without
    damage, all one way.

    A measure at its end, such as an AUC of 100 %, may stay there; where it is not defined, it is
    not looked at.
    """
    start = next(row[measure] for row in rows if row["damage"] == "none")
    path = [row[measure] for row in rows if row["damage"] == damage and measure in row]
    steps = np.diff([start, *path])
    steps = steps if steps[0] > 0 else -steps
    return bool(steps[0] > 0 and (steps >= 0).all())


def seen(rows: Sequence[Row]) -> Iterator[Row]:
    """What each claim comes to: a row for each damage and measure."""
    for damage, measures in CLAIMS[rows[0]["kind"]].items():
        for measure in measures:
            if measure in rows[0]:
                yield {
                    "damage": damage,
                    "measure": measure,
                    "in_order": in_order(rows, damage, measure),
                }


def table(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of table.md."""
    yield "# Known damage, and the measures that see it"
    yield ""
    yield (
        "Values in bold belong to a measure that claims to see the damage. A cross stands where"
        " strength does not move"
    )
    yield (
        "it in order. AUC, shares and percentiles in %, angles in degrees. `angle`: between class"
        " means of training and"
    )
    yield (
        "judged spectra; `agreement`: labels that an LDA of training pixels confirms; `copied`:"
        " share of copies."
    )
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        names = [name for name in own[0] if name not in ("kind", "damage", "strength")]
        yield ""
        yield f"## {kind.capitalize()}"
        yield ""
        yield f"| damage | strength | {' | '.join(names)} |"
        yield "|---|--:|" + "--:|" * len(names)
        for row in own:
            claims = CLAIMS[kind].get(row["damage"], ())
            yield (
                f"| {row['damage']} | {row['strength']:g} |"
                f" {' | '.join(_cell(own, row, n, claims) for n in names)} |"
            )


def _cell(rows: Sequence[Row], row: Row, name: str, claims: Sequence[str]) -> str:
    if name not in row:
        return "–"
    text = f"{row[name]:.3g}"
    if name not in claims:
        return text
    return f"**{text}**" + ("" if in_order(rows, row["damage"], name) else " ✗")


def picture(
    groups: Sequence[NDArray[np.float32]], wavelengths: NDArray[np.float64] | None, path: Path
) -> None:
    """A row of images (n, B, H, W) for each group, the undamaged ones first, all under one
    stretch.
    """
    from PIL import Image

    bands = list(rgb_bands(wavelengths, groups[0].shape[1]))
    low, high = (np.percentile(groups[0][:, bands], q, axis=(0, 2, 3)) for q in (2, 98))
    rows = []
    for group in groups:
        tiles = stretched(group[:SHOWN_OF_EACH, bands].transpose(0, 2, 3, 1), low, high)
        rows.append(
            np.hstack(list(np.pad(tiles, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=255)))
        )
    whole = Image.fromarray(np.vstack(rows))
    scale = ZOOM if groups[0].shape[-1] < 32 else 1
    zoomed = whole.resize((whole.width * scale, whole.height * scale), Image.Resampling.NEAREST)
    zoomed.quantize(COLOURS).save(path, optimize=True)


def draw_patches(sets: PatchSets, wavelengths: NDArray[np.float64] | None) -> None:
    """A picture of each damage of patches."""
    few = np.linspace(0, len(sets.second) - 1, SHOWN_OF_EACH).astype(np.int64)
    for damage in CLAIMS["patches"]:
        worse = [
            damaged_patches(sets, damage, s, np.random.default_rng(0))[few]
            for s in STRENGTHS[damage]
        ]
        picture(
            [sets.second_x[few], *worse],
            wavelengths,
            OUT / f"patches_{damage.replace(' ', '_')}.png",
        )


def draw_tiles(sets: TileSets, wavelengths: NDArray[np.float64] | None) -> None:
    """A picture of each damage of tiles: the second date, its changed pixels bright in red."""
    shares = (sets.judged.masks == sets.classes).mean(axis=(1, 2))
    few = np.argsort(-shares, kind="stable")[: SHOWN_OF_EACH // 2]
    for damage in CLAIMS["tiles"]:
        parts = [
            sets.judged,
            *(damaged_tiles(sets, damage, s, np.random.default_rng(0)) for s in STRENGTHS[damage]),
        ]
        groups = []
        for part in parts:
            images = part.images[few, -1].copy()
            red = rgb_bands(wavelengths, part.bands)[0]
            outline = part.masks[few] == sets.classes
            images[:, red][outline] = np.percentile(sets.judged.images[:, -1, red], 99)
            groups.append(images)
        picture(groups, wavelengths, OUT / f"tiles_{damage.replace(' ', '_')}.png")


def indian_pines() -> tuple[PatchSets, Scene]:
    """Held-out and training patches of a draw."""
    from hsiaug.data.loading import load_scene
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.view import patches_at
    from hsiaug.tasks.task import get_task

    scene = load_scene("indian_pines")
    split = get_task("pixels").draws.split(scene, parse_protocol("issd"), DRAW, PATCH)
    cut = partial(patches_at, scene.cube, patch=PATCH)
    sides = [
        (np.argwhere(where), scene.labels[where].astype(np.int64))
        for where in (split.train, split.test)
    ]
    return patch_sets(cut, sides[0], sides[1], PATCH, np.random.default_rng(DRAW)), scene


def oscd() -> tuple[TileSets, NDArray[np.float64] | None]:
    """Training tiles of OSCD that show change, dealt into two."""
    from hsiaug.protocol.protocols import parse_protocol
    from hsiaug.protocol.tiling import real_samples
    from hsiaug.tasks.task import get_task

    task = get_task("change")
    data = task.data.load("oscd")
    usual = task.settings.on(data)
    split = task.draws.split(data, parse_protocol(usual.protocol), DRAW, usual.patch)
    tiles = real_samples(
        split,
        [tile for tile in split.train if not (tile[1] % usual.patch or tile[2] % usual.patch)],
    )
    changed = np.flatnonzero((tiles.masks == 2).sum(axis=(1, 2)) >= 20)
    order = np.random.default_rng(DRAW).permutation(changed)
    half = min(TILES, len(order) // 2)
    return (
        TileSets(tiles.take(order[:half]), tiles.take(order[half : 2 * half]), 2),
        data.wavelengths,
    )


def main() -> None:
    words = sys.argv[1:]
    asked = [word for word in words if not word.startswith("--")] or ["patches", "tiles"]
    judges = {
        name: by
        for name, by in JUDGES.items()
        if "--no-network" not in words or "network" not in name
    }
    OUT.mkdir(parents=True, exist_ok=True)
    rows = kept(asked)
    if "patches" in asked:
        sets, scene = indian_pines()
        draw_patches(sets, scene.wavelengths)
        _collect(rows, patch_rows(sets, judges))
    if "tiles" in asked:
        tiles, wavelengths = oscd()
        draw_tiles(tiles, wavelengths)
        _collect(rows, tile_rows(tiles))
    for kind in dict.fromkeys(row["kind"] for row in rows):
        for claim in seen([row for row in rows if row["kind"] == kind]):
            if not claim["in_order"]:
                say(f"{kind}: {claim['measure']} does not see {claim['damage']}")


def kept(asked: Sequence[str]) -> list[Row]:
    """The rows of an earlier run of the kinds that are not asked for."""
    path = OUT / "found.csv"
    words = ("kind", "damage")
    return [
        {key: value if key in words else float(value) for key, value in row.items() if value}
        for row in (read_csv(path) if path.is_file() else [])
        if row["kind"] not in asked
    ]


def _collect(rows: list[Row], fresh: Iterator[Row]) -> None:
    """Write what there is after every row: a run may be cut short."""
    for row in fresh:
        rows.append(row)
        names = list(dict.fromkeys(name for one in rows for name in one))
        write_csv(
            OUT / "found.csv", [{name: _rounded(one.get(name)) for name in names} for one in rows]
        )
        (OUT / "table.md").write_text("\n".join(table(rows)) + "\n", encoding="utf-8")
        say(f"{row['kind']}: {row['damage']} {row['strength']:g}")


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    check_usage(__doc__)
    main()
