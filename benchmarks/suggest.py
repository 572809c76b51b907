"""What labels are worth where ``hsiaug label`` asks for them, against random pixels, by revealing
them.

    python -m benchmarks.suggest SCENE FIRST LAST OUT.csv
    python -m benchmarks.suggest table OUT.csv…

A row per draw FIRST to LAST of ``issd``, strategy and number of labels: scores of the SVM in the
view chosen inside what it learns (``auto``), trained on the draw's training pixels and those that
were revealed. Test pixels are the draw's, but for all that any strategy revealed, so every row of a
draw is scored on the same. Only labelled pixels can be revealed, so all strategies choose among
these; a user's own choice is the whole scene. ``balanced`` goes round the classes and is no
strategy that anyone has: it knows the class of a pixel before it is labelled. ``uncertain`` takes
the pixels that the committee disagrees on most.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import check_usage, markdown, read_csv, say, write_csv
from hsiaug.base.seeds import derive_seed
from hsiaug.core.scene import Scene
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Blind, BlindSplit, Split, draw_split
from hsiaug.registry.card import build_params
from hsiaug.registry.lookup import registry
from hsiaug.suggest.committee import committee
from hsiaug.suggest.picks import suggestions
from hsiaug.tasks.task import get_task
from hsiaug.tasks.view_choice import choose_view

PATCH, JUDGE = 9, "svm"
NUMBERS = (4, 8, 16, 32)
REPEATS = 3
"""Random picks are drawn so often, and their scores averaged."""
SCORES = ("aa", "oa", "aa_new")
Row = dict[str, str]


def silent(done: int, total: int, note: str = "") -> None: ...


def strategies(scene: Scene, split: Split) -> dict[str, list[int]]:
    """Flat indices of the pixels that each strategy would label, the first first."""
    candidates = (scene.labels > 0) & ~split.train
    members = committee(scene.bands)
    found = suggestions(
        scene.unlabelled,
        split.blind,
        candidates,
        max(NUMBERS),
        members,
        registry(),
        seed=split.seed,
        progress=silent,
    )
    width, flat = scene.shape[1], np.flatnonzero(candidates)
    rng = np.random.default_rng(derive_seed("revealed", split.seed))
    chosen = {"suggest": [pick.row * width + pick.column for pick in found.picks]}
    doubt = found.uncertainty.ravel()[flat]
    chosen["uncertain"] = flat[np.lexsort((rng.random(len(flat)), -doubt))][: max(NUMBERS)].tolist()
    chosen["balanced"] = balanced(flat, scene.labels.ravel()[flat], rng)
    for repeat in range(REPEATS):
        chosen[f"random {repeat}"] = rng.permutation(flat)[: max(NUMBERS)].tolist()
    return chosen


def balanced(
    flat: NDArray[np.int64], classes: NDArray[np.int16], rng: np.random.Generator
) -> list[int]:
    """A random pixel of each class, and again, the classes in random order."""
    left = [rng.permutation(flat[classes == c]).tolist() for c in np.unique(classes)]
    chosen: list[int] = []
    while len(chosen) < max(NUMBERS):
        chosen += [left[c].pop() for c in rng.permutation(len(left)) if left[c]]
    return chosen[: max(NUMBERS)]


def judged(
    scene: Scene, split: Split, revealed: list[int], test: NDArray[np.bool_]
) -> dict[str, float]:
    """Scores on test pixels (H, W) of the judge that learns the training pixels and what was
    revealed.
    """
    task, plugin = get_task("pixels"), registry().find("classifier", JUDGE).load()
    train = split.train.copy()
    train.ravel()[revealed] = True
    known: BlindSplit = Blind(train, test, scene.labels[train].astype(np.int64), PATCH)
    view = task.draws.view(scene.unlabelled, known, plugin.card.scope)
    spectra = choose_view(view)
    samples = task.sampling.shown(view.real, plugin.card, spectra)
    seen = task.draws.seen(view, spectra)
    seed = derive_seed("classifier", JUDGE, split.seed)
    fitted = plugin(build_params(plugin.card)).fit(
        samples, seen, seed=seed, device="cpu", progress=silent
    )
    called = task.prediction.predict(fitted, plugin.card, scene.unlabelled, known, spectra)
    true, new = scene.labels[test], ~split.seen[test]
    right = called == true
    return {
        "aa": recall(right, true),
        "oa": float(right.mean()),
        "aa_new": recall(right[new], true[new]),
    }


def recall(right: NDArray[np.bool_], true: NDArray[np.int16]) -> float:
    """Mean over the classes that there are."""
    return float(np.mean([right[true == c].mean() for c in np.unique(true)]))


def measure(ref: str, seeds: range, out: Path) -> None:
    """Write the rows of a scene, after every draw."""
    scene, rows = load_scene(ref), read_csv(out) if out.exists() else []
    for seed in seeds:
        split = draw_split(scene, parse_protocol("issd"), seed, PATCH)
        chosen = strategies(scene, split)
        test = split.test.copy()
        test.ravel()[[pixel for pixels in chosen.values() for pixel in pixels]] = False
        tried = [("none", 0, [])] + [
            (name, n, pixels[:n]) for name, pixels in chosen.items() for n in NUMBERS
        ]
        for name, n, pixels in tried:
            scores = {
                key: f"{value:.4f}" for key, value in judged(scene, split, pixels, test).items()
            }
            rows.append(
                {
                    "scene": scene.name,
                    "seed": str(seed),
                    "strategy": name,
                    "labels": str(n),
                    **scores,
                }
            )
        write_csv(out, rows)
        say(f"{scene.name}, draw {seed}")


def table(rows: list[Row]) -> Iterator[str]:
    """Gains over the training pixels alone, in points, mean ± std over draws (random: over its
    repeats first); and AA above random picks: mean, 95 % t interval, and in how many draws it is
    higher.
    """
    header = (
        "scene",
        "labels",
        "strategy",
        "draws",
        "AA",
        "OA",
        "AA in new fields",
        "AA above random",
    )
    listed = []
    for scene in dict.fromkeys(row["scene"] for row in rows):
        of_scene = [row for row in rows if row["scene"] == scene]
        for n in NUMBERS:
            for name in ("suggest", "random", "balanced", "uncertain"):
                gain = {score: gains(of_scene, name, n, score) for score in SCORES}
                above = [
                    a - b
                    for a, b in zip(gain["aa"], gains(of_scene, "random", n, "aa"), strict=True)
                ]
                cells = [spread(gain[score]) for score in SCORES]
                listed.append(
                    (
                        scene,
                        str(n),
                        name,
                        str(len(above)),
                        *cells,
                        "–" if name == "random" else paired(above),
                    )
                )
    return markdown(header, listed)


def gains(rows: list[Row], strategy: str, n: int, score: str) -> list[float]:
    """Points above no new label, draw by draw."""
    found = []
    for seed in dict.fromkeys(row["seed"] for row in rows):
        of_draw = [row for row in rows if row["seed"] == seed]
        base = next(float(row[score]) for row in of_draw if row["strategy"] == "none")
        tried = [
            row
            for row in of_draw
            if row["strategy"].split()[0] == strategy and row["labels"] == str(n)
        ]
        found.append(100 * (fmean(float(row[score]) for row in tried) - base))
    return found


def spread(values: list[float]) -> str:
    return (
        f"{fmean(values):+.1f} ± {stdev(values):.1f}"
        if len(values) > 1
        else f"{fmean(values):+.1f}"
    )


def paired(above: list[float]) -> str:
    """Of differences draw by draw."""
    from scipy.stats import t

    half = (
        t.ppf(0.975, len(above) - 1) * stdev(above) / len(above) ** 0.5
        if len(above) > 1
        else float("nan")
    )
    mean, higher = fmean(above), sum(one > 0 for one in above)
    return f"{mean:+.1f} ({mean - half:+.1f} to {mean + half:+.1f}), {higher} of {len(above)}"


if __name__ == "__main__":
    check_usage(__doc__, 2)
    if sys.argv[1] == "table":
        for line in table([row for path in sys.argv[2:] for row in read_csv(Path(path))]):
            say(line)
    else:
        measure(sys.argv[1], range(int(sys.argv[2]), int(sys.argv[3]) + 1), Path(sys.argv[4]))
