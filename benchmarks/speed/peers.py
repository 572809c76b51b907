"""Built-in plugins beside what a user would write with scikit-learn, PyTorch, imbalanced-learn and
scikit-image.

    python -m benchmarks.speed.peers [SCENE]

Prints a table: processor seconds of both, the best of ``ROUNDS`` runs that take turns, in this
process with one thread; their ratio, below 1 where the plugin is faster; and what both score on the
test pixels of draw 100 of ``issd``, where they name pixels (AA, %, mean over runs, each with a seed
of its own). All learn from the spectra as the scene holds them; the peers do what the plugins do,
with the same grids, networks, steps and windows, as the libraries' documentation shows it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.common import check_usage, markdown, say
from hsiaug.api import Patches, PatchSamples, TrainView, load_plugin
from hsiaug.data import load_scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import draw_split
from hsiaug.protocol.view import patches_at, train_view
from hsiaug_builtin.classifiers.svm import COSTS, WIDTHS
from hsiaug_builtin.spatial.profiles import RADII, profiles
from hsiaug_builtin.spatial.smoothing import guided_filter

DRAW, SIDE, ROUNDS = 100, 9, 3
COMPONENTS, WIDTH, STEPS, BATCH, RATE, DECAY = 30, 48, 300, 64, 3e-3, 0.05
"""Of ``cnn2d``."""
MORE = 100
"""Samples of each class that SMOTE makes."""
LAYERS, RADIUS = 4, 2
"""Components that profiles are made of, and pixels of the window of the filters to each side."""


@dataclass(frozen=True, eq=False)
class Case:
    """A draw. cube: (H, W, B) of the scene. patches: (m, B, p, p) round the test pixels, of classes
    ``truth`` (m,).
    """

    view: TrainView
    cube: NDArray[np.float32]
    test: NDArray[np.int32]
    patches: NDArray[np.float32]
    truth: NDArray[np.int64]

    @classmethod
    def of(cls, name: str) -> Case:
        """The draw of a scene."""
        scene = load_scene(name, progress=False)
        split = draw_split(scene, parse_protocol("issd"), DRAW, SIDE)
        test = np.argwhere(split.test).astype(np.int32)
        truth = scene.labels[split.test].astype(np.int64)
        return cls(
            train_view(scene, split, "none"),
            scene.cube,
            test,
            patches_at(scene.cube, test, SIDE),
            truth,
        )

    @property
    def centres(self) -> NDArray[np.float32]:
        """(m, B) spectra of the test pixels."""
        return self.patches[:, :, SIDE // 2, SIDE // 2]

    def aa(self, named: NDArray[np.int64]) -> float:
        """Mean recall in percent of predicted ids (m,)."""
        return 100 * float(
            np.mean([(named[self.truth == c] == c).mean() for c in np.unique(self.truth)])
        )


def silent(done: int, total: int, note: str = "") -> None:
    """Nothing is shown of progress."""


def named_by(case: Case, classifier: str, seed: int) -> NDArray[np.int64]:
    """(m,) ids that a plugin gives the test pixels, learnt from the real samples."""
    plugin = load_plugin("classifier", classifier)
    real, nowhere = case.view.real, np.full_like(case.test, -1)
    spectra = plugin.card.input == "spectrum"
    samples = PatchSamples(
        real.centres[:, :, None, None], real.coords, real.y, real.synthetic, real.weight
    )
    fitted = plugin.fit(
        samples if spectra else real, case.view, seed=seed, device="cpu", progress=silent
    )
    return np.asarray(
        fitted.predict(
            Patches(case.centres[:, :, None, None] if spectra else case.patches, nowhere)
        )
    )


def sklearn_svm(case: Case, seed: int) -> NDArray[np.int64]:
    """(m,) ids of a grid search of scikit-learn over the same C and γ in five folds."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    grid = {"svc__C": COSTS, "svc__gamma": [width / case.view.bands for width in WIDTHS]}
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC()), grid, cv=folds, scoring="recall_macro"
    )
    search.fit(case.view.real.centres, case.view.real.y)
    return np.asarray(search.predict(case.centres))


def torch_cnn(case: Case, seed: int) -> NDArray[np.int64]:
    """(m,) ids of the network of ``cnn2d`` in a plain loop of PyTorch over a DataLoader, on
    whitened components.
    """
    from sklearn.decomposition import PCA
    from torch.utils.data import DataLoader, RandomSampler, TensorDataset

    view, generator = case.view, torch.Generator().manual_seed(seed)
    components = min(COMPONENTS, view.bands)
    whiten = PCA(components, whiten=True).fit(view.cube[view.visible])

    def read(x: NDArray[np.float32]) -> torch.Tensor:
        n, bands, p, _ = x.shape
        found = whiten.transform(x.transpose(0, 2, 3, 1).reshape(-1, bands)).astype(np.float32)
        return torch.from_numpy(found).reshape(n, p, p, -1).permute(0, 3, 1, 2).contiguous()

    classes, target = np.unique(view.real.y, return_inverse=True)
    data = TensorDataset(read(view.real.x), torch.from_numpy(target))
    drawn = RandomSampler(data, replacement=True, num_samples=STEPS * BATCH, generator=generator)
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Conv2d(components, WIDTH, 3, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(),
        nn.Conv2d(WIDTH, WIDTH, 3, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(WIDTH, len(classes)),
    )
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for step, (x, y) in enumerate(DataLoader(data, BATCH, sampler=drawn)):
        turned = torch.rot90(x, step % 4, (2, 3))
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(turned.flip(3) if step % 8 >= 4 else turned), y).backward()
        optimiser.step()
        schedule.step()
    net.eval()
    with torch.inference_mode():
        parts = [
            net(read(case.patches[start : start + 512])).argmax(1)
            for start in range(0, len(case.test), 512)
        ]
    return np.asarray(classes[torch.cat(parts).numpy()])


def smote_of(case: Case, seed: int) -> None:
    """Samples of the plugin."""
    fitted = load_plugin("generator", "smote").fit(
        case.view, seed=seed, device="cpu", progress=silent
    )
    fitted.sample(dict.fromkeys(case.view.counts, MORE), guidance=None, seed=seed)


def imblearn_smote(case: Case, seed: int) -> None:
    """As many samples of SMOTE of imbalanced-learn between patches as rows; it needs fewer
    neighbours than samples.
    """
    from imblearn.over_sampling import SMOTE

    real, counts = case.view.real, case.view.counts
    wanted = {c: n + MORE for c, n in counts.items()}
    nearest = min(5, min(counts.values()) - 1)
    SMOTE(sampling_strategy=wanted, k_neighbors=nearest, random_state=seed).fit_resample(
        real.x.reshape(len(real), -1), real.y
    )


def layers_of(case: Case) -> NDArray[np.float32]:
    """(k, H, W) bands of the scene, scaled to 0..1, in place of components."""
    shown = case.cube[:, :, :: max(1, case.view.bands // LAYERS)][:, :, :LAYERS].transpose(2, 0, 1)
    low, high = shown.min(axis=(1, 2), keepdims=True), shown.max(axis=(1, 2), keepdims=True)
    return np.asarray((shown - low) / np.maximum(high - low, 1e-9), dtype=np.float32)


def skimage_profiles(case: Case, seed: int) -> None:
    """Openings and closings by reconstruction of scikit-image."""
    from skimage.morphology import dilation, disk, erosion, reconstruction

    for layer in layers_of(case):
        for radius in RADII:
            reconstruction(erosion(layer, disk(radius)), layer, method="dilation")
            reconstruction(dilation(layer, disk(radius)), layer, method="erosion")


def shares_of(case: Case) -> NDArray[np.float32]:
    """(H, W, classes) made-up shares of classes."""
    return np.random.default_rng(0).random(
        (*case.view.visible.shape, len(case.view.counts)), dtype=np.float32
    )


def skimage_filter(case: Case, seed: int) -> None:
    """Bilateral filter of scikit-image, which has no guided one, of each class's shares."""
    from skimage.restoration import denoise_bilateral

    for own in shares_of(case).transpose(2, 0, 1):
        denoise_bilateral(own, win_size=2 * RADIUS + 1)


def svm(case: Case, seed: int) -> NDArray[np.int64]:
    """The plugin's ids."""
    return named_by(case, "svm", seed)


def cnn2d(case: Case, seed: int) -> NDArray[np.int64]:
    """The plugin's ids."""
    return named_by(case, "cnn2d", seed)


def own_profiles(case: Case, seed: int) -> None:
    """Those of ``emp``."""
    profiles(layers_of(case)[:, None])


def own_filter(case: Case, seed: int) -> None:
    """The filter of ``filtered:NAME``, with three guides."""
    smooth = guided_filter(layers_of(case)[:3].transpose(1, 2, 0), RADIUS)
    smooth(shares_of(case), np.ones(case.view.visible.shape, dtype=bool))


Run = Callable[[Case, int], Any]
"""With a seed."""
PAIRS: tuple[tuple[str, str, Run, Run], ...] = (
    (
        "svm: C and γ chosen, fitted, test pixels named",
        "scikit-learn, GridSearchCV",
        svm,
        sklearn_svm,
    ),
    ("cnn2d: trained, test pixels named", "PyTorch, plain loop", cnn2d, torch_cnn),
    (f"smote, {MORE} patches a class", "imbalanced-learn", smote_of, imblearn_smote),
    (f"profiles of {LAYERS} layers", "scikit-image", own_profiles, skimage_profiles),
    ("guided filter of shares", "scikit-image, bilateral filter", own_filter, skimage_filter),
)
"""What is compared, with what, and both."""


def best(case: Case, *runs: Run) -> tuple[list[float], list[list[Any]]]:
    """The least processor seconds of each of some runs that take turns, and what each gave."""
    took: list[list[float]] = [[] for _ in runs]
    gave: list[list[Any]] = [[] for _ in runs]
    for seed in range(ROUNDS):
        for run, seconds, found in zip(runs, took, gave, strict=True):
            start = time.process_time()
            found.append(run(case, seed))
            seconds.append(time.process_time() - start)
    return [min(each) for each in took], gave


def score(case: Case, found: list[Any]) -> str:
    """Mean AA of predicted ids; of anything else none."""
    scores = [
        case.aa(named) for named in found if named is not None and named.shape == case.truth.shape
    ]
    return f"{np.mean(scores):.1f}" if scores else ""


def compared(scene: str) -> Iterator[tuple[str, str, list[float], list[str]]]:
    """What is compared, with what, the seconds of both, and what both score."""
    torch.set_num_threads(1)
    case = Case.of(scene)
    for what, peer, ours, theirs in PAIRS:
        seconds, gave = best(case, ours, theirs)
        yield what, peer, seconds, [score(case, found) for found in gave]


def main() -> None:
    rows = []
    for what, peer, (mine, other), scores in compared(
        sys.argv[1] if len(sys.argv) > 1 else "indian_pines"
    ):
        rows.append([what, peer, f"{mine:.2f}", f"{other:.2f}", f"{mine / other:.2f}", *scores])
    for line in markdown(
        ["what", "peer", "ours, s", "peer, s", "ratio", "AA ours", "AA peer"], rows
    ):
        say(line)


if __name__ == "__main__":
    check_usage(__doc__, 0, 1)
    main()
