"""How many decisions change where another processor sums in another order? Kernels of OpenBLAS are
chosen by the variable ``OPENBLAS_CORETYPE``, and stand for processors.

    OPENBLAS_CORETYPE=Haswell python -m benchmarks.near_ties run haswell.npz
    OPENBLAS_CORETYPE=Prescott python -m benchmarks.near_ties run prescott.npz
    python -m benchmarks.near_ties compare haswell.npz prescott.npz

``run`` keeps what the teacher names the unlabelled pixels of draws 100 to 103 of Indian Pines,
which of them become samples of ``pseudo``, and the predictions of ``svm`` with these samples and of
``self-training``. ``compare`` prints a row per draw.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import check_usage, markdown, say
from hsiaug.api import Patches, PatchSamples, TrainView, load_plugin
from hsiaug.core.samples import concatenate
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import train_view
from hsiaug_builtin.teacher.teacher import teach

DRAWS = range(100, 104)
PATCH, TIMES = 9, 3
BATCH = 1024
"""Pixels that are predicted at once."""
PARTS = ("named", "pseudo", "svm", "self-training")


def run(out: str) -> None:
    """Decisions of all draws into a file."""
    scene = load_scene("indian_pines")
    found: dict[str, Any] = {}
    for draw in DRAWS:
        split = draw_split(scene, parse_protocol("issd"), draw, PATCH)
        view = train_view(scene, split, "scene")
        votes = teach(view)
        fitted = load_plugin("generator", "pseudo").fit(
            view, seed=0, device="cpu", progress=_say_nothing
        )
        counts = {class_id: TIMES * n for class_id, n in view.counts.items()}
        samples = fitted.sample(counts, guidance=None, seed=0)
        test = np.argwhere(split.test).astype(np.int32)
        both = concatenate([view.real, samples])
        found |= {
            f"named {draw}": votes.classes[votes.shares.argmax(axis=1)],
            # Patches as numbers, as samples lie nowhere.
            f"pseudo {draw}": np.unique([crc32(x.tobytes()) for x in samples.x]),
            f"svm {draw}": predicted("svm", both, view, test),
            f"self-training {draw}": predicted("self-training", view.real, view, test),
            f"true {draw}": scene.labels[split.test].astype(np.int64),
        }
    np.savez(out, **found)


def predicted(
    name: str, samples: PatchSamples, view: TrainView, test: NDArray[np.int32]
) -> NDArray[np.int64]:
    """(n,) class ids of pixels (n, 2) by a classifier that learnt samples."""
    plugin = load_plugin("classifier", name)
    middle = slice(PATCH // 2, PATCH // 2 + 1) if plugin.card.input == "spectrum" else slice(None)
    fitted = plugin.fit(
        replace(samples, x=samples.x[:, :, middle, middle]),
        view,
        seed=0,
        device="cpu",
        progress=_say_nothing,
    )
    blocks = [test[start : start + BATCH] for start in range(0, len(test), BATCH)]
    return np.concatenate(
        [fitted.predict(Patches(view.patches(b)[:, :, middle, middle], b)) for b in blocks]
    )


def compare(first: str, second: str) -> None:
    """Print how many decisions differ between two files."""
    one, other = np.load(first), np.load(second)
    rows = []
    for draw in DRAWS:
        row = [str(draw)]
        for part in PARTS:
            a, b = (file[f"{part} {draw}"] for file in (one, other))
            differ = len(np.setdiff1d(a, b)) if part == "pseudo" else np.count_nonzero(a != b)
            row.append(f"{differ} of {len(a):,}")
        rows.append(row)
    for line in markdown(("draw", *PARTS), rows):
        say(line)


def _say_nothing(done: int, total: int, note: str = "") -> None:
    """No progress is shown."""


if __name__ == "__main__":
    check_usage(__doc__, 2, 3)
    task, *files = sys.argv[1:]
    run(*files) if task == "run" else compare(*files)
