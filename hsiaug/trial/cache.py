"""What trials of one scene share: splits, views, fitted generators and pools, by the hash of what made them.

A λ × ω × classifier sweep so trains each generator once per split, and samples it once per ω.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hsiaug.errors import PluginError
from hsiaug.plugins.card import Card
from hsiaug.plugins.contracts import FittedGenerator, Generator, Progress
from hsiaug.protocol.view import Scope
from hsiaug.seeds import derive_seed
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.task import Task

__all__ = ["Workbench"]

T = TypeVar("T")

WORTH_SAVING = 2.0
"""Seconds: a fit that took longer is saved, so that a killed run need not repeat it."""


@dataclass(frozen=True)
class Fit:
    """A fitted generator and how long its fit took, whoever paid for it."""

    fitted: FittedGenerator
    seconds: float


class _Kept:
    """Values made once under an owner; a new owner drops them all."""

    def __init__(self) -> None:
        self._owner = ""
        self._values: dict[Hashable, Any] = {}

    def once(self, owner: str, key: Hashable, make: Callable[[], T]) -> T:
        if owner != self._owner:
            self._owner, self._values = owner, {}
        if key not in self._values:
            self._values[key] = make()
        value: T = self._values[key]
        return value

    def items(self) -> Iterable[tuple[Hashable, Any]]:
        """The values by their keys."""
        return self._values.items()

    def keep_only(self, *keys: Hashable) -> None:
        """Drop all other values."""
        self._values = {key: value for key, value in self._values.items() if key in keys}


class Workbench:
    """Everything that trials on one scene may share. folder: where slow fits are saved, or None.

    Data, splits, views and samples are the task's own types.

    Only what belongs to the latest draw, and to its latest generator, is kept in memory: run trials draw by draw
    and generator by generator.
    """

    def __init__(self, scene: Any, task: Task, folder: Path | None = None) -> None:
        self.scene = scene
        self.task = task
        self._folder = folder
        self._of_draw: _Kept = _Kept()
        self._of_fit: _Kept = _Kept()

    def give(self, spec: TrialSpec, split: Any) -> None:
        """Let ``split`` be that of a trial: where the scene has no labels to draw one."""
        self._of_draw.once(spec.draw_hash, "split", lambda: split)

    def split(self, spec: TrialSpec) -> Any:
        """The split of a trial."""
        return self._of_draw.once(
            spec.draw_hash,
            "split",
            lambda: self.task.split(self.scene, spec.protocol, spec.seed, spec.patch),
        )

    def view(self, spec: TrialSpec, scope: Scope) -> Any:
        """What a plugin of that scope may see in a trial."""
        return self._of_draw.once(
            spec.draw_hash, scope, lambda: self.task.view(self.scene, self.split(spec), scope)
        )

    def check_views(self) -> None:
        """Raise PluginError where a plugin wrote into a view, which all trials of the draw share."""
        names = self._changed()
        if names:
            raise PluginError(
                "a plugin must leave the arrays that it is given as they are",
                value=f"changed: {', '.join(names)}",
                mend="Compute on copies: x = x - mean, not x -= mean; torch.tensor(x), not torch.from_numpy(x).",
            )

    def renew_views(self) -> None:
        """Drop the views that a plugin wrote into; they are made anew, and so are the fits that may hold them."""
        if self._changed():
            self._of_draw.keep_only("split")
            self._of_fit.keep_only()

    def _changed(self) -> list[str]:
        return [name for key, view in self._of_draw.items() if key != "split" for name in view.changed]

    def fit(self, spec: TrialSpec, generator: Generator, device: str, progress: Progress) -> Fit:
        """The trial's fitted generator: from memory, from disk, or fitted now."""
        return self._of_fit.once(
            spec.fit_hash,
            ("fit", spec.generator.hash, device),
            lambda: self._load_or_fit(spec, generator, device, progress),
        )

    def pool(self, spec: TrialSpec, fit: Fit, view: Any) -> list[Any]:
        """The checked blocks of the pool that the trial's λ takes prefixes of."""
        blocks = []
        for j, counts in enumerate(self.task.blocks(view, spec.lam)):
            if any(counts.values()):
                draw = self._draw(spec, fit, view, j, counts)
                blocks.append(self._of_fit.once(spec.fit_hash, (spec.generator.hash, spec.omega, j), draw))
        return blocks

    def _draw(self, spec: TrialSpec, fit: Fit, view: Any, j: int, counts: dict[int, int]) -> Callable[[], Any]:
        def draw() -> Any:
            seed = derive_seed("sample", spec.generator.name, spec.seed, j)
            samples = fit.fitted.sample(counts, guidance=spec.omega, seed=seed)
            self.task.check(samples, counts, view)
            return samples

        return draw

    def _load_or_fit(self, spec: TrialSpec, generator: Generator, device: str, progress: Progress) -> Fit:
        folder = None if self._folder is None else self._folder / spec.fit_hash
        if folder is not None and folder.is_dir():
            seconds = json.loads((folder / "seconds.json").read_text("utf-8"))
            return Fit(generator.load(folder / "fitted", device=device), float(seconds))
        card: Card = generator.card
        view = self.view(spec, card.scope)
        seed = derive_seed("fit", spec.generator.name, spec.seed)
        unfinished = folder and folder.with_name(f"{folder.name}.unfinished")
        extra = {"checkpoint": unfinished} if card.resumes else {}
        start = time.perf_counter()
        fitted = generator.fit(view, seed=seed, device=device, progress=progress, **extra)
        seconds = time.perf_counter() - start
        if folder is not None and seconds > WORTH_SAVING:
            _save(fitted, seconds, folder)
        if unfinished and unfinished.is_dir():
            shutil.rmtree(unfinished, ignore_errors=True)
        return Fit(fitted, seconds)


def _save(fitted: FittedGenerator, seconds: float, folder: Path) -> None:
    """Save a fit whole or not at all."""
    fresh = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    (fresh / "fitted").mkdir(parents=True)
    fitted.save(fresh / "fitted")
    (fresh / "seconds.json").write_text(json.dumps(seconds), encoding="utf-8")
    try:
        fresh.replace(folder)
    except OSError:
        # Another process saved the same fit first.
        shutil.rmtree(fresh)
