"""The task ``abundance``: how much of each material there is in each pixel, scored by RMSE.

Materials are the classes of a scene. A pixel's class is the material that it holds most of: draws
divide pixels by it, and λ evens it out. What is learnt and predicted are the abundances.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hsiaug.api import PatchSamples, PluginError, Scene, SplitProtocol, TrainView
from hsiaug.task_api import (
    Blind,
    ClassScorer,
    Metric,
    MetricSet,
    PatchSampling,
    PixelDraws,
    PixelPredictor,
    PixelSettings,
    RecordPart,
    SceneError,
    SceneSource,
    Split,
    Task,
    UnlabelledScene,
    draw_split,
    train_view,
)

Abundances = NDArray[np.float32]
"""(n, K) shares of K materials, which sum to 1."""
SUM_WITHIN = 0.01
"""How far the abundances of a pixel may sum to another number than 1."""


# --- data


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class AbundanceScene(Scene):
    """A scene whose abundances (H, W, K) float32 are known in every pixel."""

    abundances: Abundances

    @cached_property
    def sha256(self) -> str:
        """Checksum of the cube, the labels and the abundances."""
        digest = hashlib.sha256(Scene.sha256.func(cast(Any, self)).encode())
        digest.update(np.ascontiguousarray(self.abundances).data)
        return digest.hexdigest()


def abundance_file(card: str | os.PathLike[str]) -> Path:
    """Where the abundances of a scene lie: beside its card, as ``samson_abundances.npy``."""
    path = Path(card)
    return path.with_name(f"{path.stem}_abundances.npy")


class AbundanceSource(SceneSource):
    """Scenes with a file of abundances beside their card."""

    def load(self, ref: str | os.PathLike[str], *, progress: bool = True) -> AbundanceScene:
        return with_abundances(super().load(ref, progress=progress), abundance_file(ref))

    def load_labels(self, ref: str) -> AbundanceScene:
        return self.load(ref)

    def load_local(self, ref: str, most: int | None = None) -> AbundanceScene:
        return with_abundances(super().load_local(ref, most), abundance_file(ref))


def with_abundances(scene: Scene, file: Path) -> AbundanceScene:
    """The scene with the abundances of a file, which name the class of every pixel.

    Raises SceneError where the file is not there, or does not fit.
    """
    try:
        values = np.load(file).astype(np.float32)
    except (OSError, ValueError) as error:
        raise SceneError(
            f"the task abundance needs {file.name} beside the card of the scene {scene.name}",
            value=f"{type(error).__name__}: {error}",
            hint="Save the abundances (height, width, materials) there with numpy.save.",
        ) from error
    shape = (*scene.shape, len(scene.class_names))
    off = abs(values.sum(axis=-1) - 1).max() if values.shape == shape else np.inf
    if values.shape != shape or not (values.min() >= 0 and off <= SUM_WITHIN):
        raise SceneError(
            f"abundances of {scene.name} must have the shape {shape} and sum to 1 in each pixel",
            value=f"{values.shape}, from {values.min():.3g} on, sums up to {off:.3g} off",
            hint="Let the last axis follow labels.names of the card.",
        )
    given = {item.name: getattr(scene, item.name) for item in fields(scene)}
    labels = (1 + values.argmax(axis=-1)).astype(np.int16)
    return AbundanceScene(**{**given, "labels": labels}, abundances=values)


# --- draws


@dataclass(frozen=True, eq=False, kw_only=True)
class BlindAbundanceSplit(Blind[NDArray[np.bool_]]):
    """A split with the abundances (n, K) of its training pixels alone."""

    train_abundances: Abundances


@dataclass(frozen=True, eq=False, kw_only=True)
class AbundanceSplit(Split):
    """A split with all abundances (H, W, K)."""

    abundances: Abundances

    @property
    def train_abundances(self) -> Abundances:
        """(n, K) of the training pixels, row by row."""
        return self.abundances[self.train]

    @property
    def blind(self) -> BlindAbundanceSplit:
        """The split without any test label."""
        shared = super().blind
        given = {item.name: getattr(shared, item.name) for item in fields(shared)}
        return BlindAbundanceSplit(**given, train_abundances=self.train_abundances)


@dataclass(frozen=True, eq=False, kw_only=True)
class AbundanceView(TrainView):
    """A train view with the abundances (n, K) of its training pixels."""

    abundances: Abundances

    @cached_property
    def real(self) -> AbundanceSamples:
        """The training patches with their abundances."""
        real = TrainView.real.func(cast(Any, self))
        given = {item.name: getattr(real, item.name) for item in fields(real)}
        return AbundanceSamples(**given, abundances=self.abundances)

    def nameless(self) -> AbundanceView:
        """The same without the label of any pixel."""
        view = cast(AbundanceView, super().nameless())
        return replace(view, cube=view.pixels, abundances=np.zeros_like(self.abundances))


class AbundanceDraws(PixelDraws):
    """Draws of pixels, each with its abundances."""

    def split(  # type: ignore[override]  # a static method there
        self, data: AbundanceScene, protocol: SplitProtocol, seed: int, patch: int
    ) -> AbundanceSplit:
        drawn = draw_split(data, protocol, seed, patch)
        given = {item.name: getattr(drawn, item.name) for item in fields(drawn)}
        return AbundanceSplit(**given, abundances=data.abundances)

    def view(self, data: Scene | UnlabelledScene, split: Any, scope: Any) -> AbundanceView:
        view = train_view(data, split, scope)
        given = {item.name: getattr(view, item.name) for item in fields(view) if item.init}
        given["cube"] = view.pixels
        return AbundanceView(**given, abundances=split.train_abundances.copy())

    def unlabelled(self, data: object, split: object, view: TrainView) -> AbundanceView:
        bare = cast(AbundanceView, super().unlabelled(data, split, view))
        return replace(bare, cube=bare.pixels, abundances=bare.abundances[:0])


# --- samples


@dataclass(frozen=True, eq=False, kw_only=True)
class AbundanceSamples(PatchSamples):
    """Patches with the abundances (n, K) float32 of their centres; ``y`` is the class that they
    were drawn for.
    """

    abundances: Abundances

    @classmethod
    def mixed(
        cls, x: NDArray[np.float32], y: NDArray[np.int64], abundances: Abundances
    ) -> AbundanceSamples:
        """Synthetic samples."""
        made = PatchSamples.made(x, y)
        given = {item.name: getattr(made, item.name) for item in fields(made)}
        return cls(**given, abundances=abundances.astype(np.float32))


class AbundanceSampling(PatchSampling):
    """Patches by class, with abundances that are checked."""

    def check(self, samples: PatchSamples, counts: Any, view: TrainView) -> None:
        super().check(samples, counts, view)
        if not isinstance(samples, AbundanceSamples) or not simplex(
            samples.abundances, len(samples), len(view.class_names)
        ):
            raise PluginError(
                "a generator of abundance must give shares of each material that sum to 1",
                value=type(samples).__name__,
                hint="Return AbundanceSamples.mixed(x, y, abundances).",
            )


def simplex(values: Any, number: int, materials: int) -> bool:
    """Whether these are abundances of so many pixels and materials."""
    return bool(
        values.shape == (number, materials)
        and np.isfinite(values).all()
        and (not values.size or values.min() >= -1e-6)
        and np.allclose(values.sum(axis=1), 1, atol=1e-3)
    )


# --- predictions and scores


class AbundancePredictor(PixelPredictor):
    """Abundances of single pixels. A map shows the material that a pixel holds most of."""

    def checked(self, answer: Any, number: int, classes: int) -> Abundances:
        values = np.asarray(answer, dtype=np.float32)
        if not simplex(values, number, classes):
            raise PluginError(
                f"predict must give abundances of shape {(number, classes)} that sum to 1",
                value=f"{values.dtype} of shape {values.shape}",
                hint="Clip them at 0, and divide each row by its sum.",
            )
        return values

    def mapped_ids(self, answer: Any, number: int, classes: int) -> NDArray[np.int16]:
        return (1 + self.checked(answer, number, classes).argmax(axis=1)).astype(np.int16)


Share = Annotated[float, Field(ge=0, le=1)]


class AbundanceMetrics(RecordPart):
    """Sums of squared errors by material, and what follows from them."""

    squared_errors: list[Annotated[float, Field(ge=0)]]
    n: Annotated[int, Field(ge=1)]
    rmse: Share
    accuracy: Share
    rmse_by_material: list[Share]
    worst_accuracy: Share


class AbundanceScorer(ClassScorer):
    """Root mean squared error of abundances, over all test pixels and materials."""

    model = AbundanceMetrics

    def fault_of_values(self, values: Any, number: int, classes: int) -> str:
        if values.dtype == np.float32 and simplex(values, number, classes):
            return ""
        return f"{number} rows of {classes} abundances must come back; found {values.shape}"

    def fault_of_lists(self, metrics: Any, classes: int) -> str | None:
        wrong = [
            key for key in ("squared_errors", "rmse_by_material") if len(metrics[key]) != classes
        ]
        return f"metrics.{wrong[0]} must have {classes} entries" if wrong else None

    def score(self, data: AbundanceScene, split: Split, prediction: Any) -> dict[str, object]:
        index, values = prediction
        true = data.abundances.reshape(-1, values.shape[1])[index]
        errors = ((values.astype(np.float64) - true) ** 2).sum(axis=0)
        return follow(errors, len(index))


def follow(errors: NDArray[np.float64], n: int) -> dict[str, object]:
    """The metrics of a record, from the sums of squared errors (K,) of n pixels."""
    by_material = np.sqrt(errors / n)
    rmse = float(np.sqrt(errors.sum() / (n * len(errors))))
    return {
        "squared_errors": errors.tolist(),
        "n": n,
        "rmse": rmse,
        "accuracy": 1 - rmse,
        "rmse_by_material": by_material.tolist(),
        "worst_accuracy": float(1 - by_material.max()),
    }


ACCURACY, RMSE = Metric("accuracy", "1 − RMSE"), Metric("rmse", "RMSE", less_is_better=True)
WORST = Metric("worst_accuracy", "1 − RMSE of the worst material")
TASK = Task(
    name="abundance",
    single_pixels=True,
    of_scenes=True,
    metrics=MetricSet(
        main=ACCURACY,
        second=WORST,
        shown=(ACCURACY, RMSE),
        more=(WORST,),
        meaning=(
            "RMSE is the root mean squared error of the abundances, over test pixels and materials,"
            " in percent of a pixel. A gain of 1 − RMSE is what RMSE falls by."
        ),
        unit="samples",
        by_class=Metric("rmse_by_material", "RMSE"),
    ),
    settings=PixelSettings(
        generators=("linear-mixing",), classifiers=("abundance-forest",), view="raw"
    ),
    views=("raw",),
    data=AbundanceSource(),
    draws=AbundanceDraws(),
    sampling=AbundanceSampling(),
    prediction=AbundancePredictor(),
    scoring=AbundanceScorer(),
)
