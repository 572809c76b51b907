"""Cache of what trials of one scene share: splits, views, fitted generators and pools, by the hash
of what made them.

A λ × ω × classifier sweep so trains each generator once per split, and samples it once per ω.
"""

import shutil
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from hsiaug.base.errors import PluginError
from hsiaug.base.seeds import derive_seed
from hsiaug.base.shortages import shortage_of
from hsiaug.contracts import FittedGenerator, Generator, Prepared, Progress
from hsiaug.core.samples import PatchSamples, concatenate
from hsiaug.core.sealed import SealedView
from hsiaug.core.spectral_views import SpectralView
from hsiaug.core.view_names import AUTO
from hsiaug.protocol.view import TrainView
from hsiaug.registry.card import Card, Scope, preparing_params
from hsiaug.registry.importing import OWN
from hsiaug.registry.lookup import Found, registry
from hsiaug.tasks.task import AnyBlock, Task, TaskData, TaskSamples, TaskSplit, TaskView
from hsiaug.tasks.view_choice import choose_view
from hsiaug.trial.arm import SYNTHETIC
from hsiaug.trial.fits import Fit, checkpoint, difference_from_saved, load_fit, only_one, save_fit
from hsiaug.trial.hashing import short_hash
from hsiaug.trial.sheet import SampleSheet, SheetMaker, some_samples
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import OTHERS

T = TypeVar("T")

WORTH_SAVING = 2.0
"""Seconds: a fit that took longer is saved, so that a killed run need not repeat it."""


def strangers(spec: TrialSpec) -> frozenset[tuple[str, str]]:
    """Parts of a trial that may leave traces in a process, which trials without these parts must
    not see: kind and name of each plugin that does not come with hsiaug, and then also the draw,
    whose labels such a plugin may keep.
    """
    plugins: Mapping[Any, Found] = registry().plugins
    named = {(kind, one.name.partition(":")[0]) for kind, one in spec.plugins}
    # A protocol may build on others, which are named in its argument, beside numbers.
    rules = {("protocol", name) for name in spec.protocol.text.split(":")} & plugins.keys()
    found = {
        key for key in named | rules if (one := plugins.get(key)) is None or one.distribution != OWN
    }
    return frozenset({*found, ("draw", spec.draw_hash)} if found else ())


def fits_of(folder: Path, spec: TrialSpec) -> Path:
    """Where, in the folder of a store's fits, those of a trial are: of other packages apart from
    hsiaug's own.
    """
    return folder / OTHERS if {"generator", "protocol"} & {*dict(strangers(spec))} else folder


def has_fit(folder: Path, spec: TrialSpec) -> bool:
    """Whether a trial's fit was saved in the folder of a store's fits."""
    return (fits_of(folder, spec) / spec.fit_hash).is_dir()


class _Kept:
    """Values made once under an owner; a new owner drops them all."""

    def __init__(self) -> None:
        self.owner = ""
        self.values: dict[Hashable, Any] = {}

    def holds(self, owner: str, key: Hashable) -> bool:
        return owner == self.owner and key in self.values

    def once(self, owner: str, key: Hashable, make: Callable[[], T]) -> T:
        if owner != self.owner:
            self.owner, self.values = owner, {}
        if key not in self.values:
            self.values[key] = make()
        value: T = self.values[key]
        return value


class Workbench:
    """Everything that trials on one scene may share. folder: where slow fits are saved, or None.

    TaskData, splits, views, samples and their counts are the task's own types. In processes that
    run plugins, data and splits have no label of a test pixel. saves: whether fits made from now on
    may be saved. notes: of every trial.

    Only what belongs to the latest draw, and to its latest generator, is kept in memory: run trials
    draw by draw and generator by generator.
    """

    def __init__(self, scene: TaskData, task: Task, folder: Path | None = None) -> None:
        self.scene = scene
        self.task = task
        self._folder = folder
        self.saves = True
        self.notes: tuple[str, ...] = ()
        self._notes: list[str] = []
        self._of_draw, self._of_fit, self._of_pixels = _Kept(), _Kept(), _Kept()

    def give(self, spec: TrialSpec, split: object) -> None:
        """Let ``split`` be that of a trial: where the scene has no labels to draw one."""
        self._of_draw.once(spec.draw_hash, "split", lambda: split)

    def take_notes(self) -> list[str]:
        """Those of every trial, and on saved fits since the last call."""
        notes, self._notes = [*self.notes, *self._notes], []
        return notes

    def split(self, spec: TrialSpec) -> TaskSplit:
        """The split of a trial."""
        draw = partial(self.task.split, self.scene, spec.protocol, spec.seed, spec.patch)
        return self._of_draw.once(spec.draw_hash, "split", draw)

    def view(self, spec: TrialSpec, scope: Scope) -> TaskView:
        """The view of a plugin of that scope in a trial."""
        return self._of_draw.once(
            spec.draw_hash, scope, lambda: self.task.view(self.scene, self.split(spec), scope)
        )

    def spectra(self, spec: TrialSpec) -> SpectralView:
        """The spectral view that a trial's classifier is shown."""
        wavelengths = self.scene.wavelengths
        if spec.view != AUTO:
            return SpectralView(spec.view, wavelengths)
        return self._of_draw.once(
            spec.draw_hash,
            "spectra",
            lambda: replace(
                choose_view(cast("TrainView", self.view(spec, "none"))), wavelengths=wavelengths
            ),
        )

    def seen(self, spec: TrialSpec, scope: Scope) -> TaskView:
        """The view of a classifier of that scope in a trial, in its spectral view. Labels are there
        for real samples.
        """
        spectra = self.spectra(spec)
        seen = self._of_draw.once(
            spec.draw_hash,
            (scope, spectra.name),
            lambda: self.task.seen(self.view(spec, scope), spectra),
        )
        if spec.train != SYNTHETIC:
            return seen
        return self._of_draw.once(
            spec.draw_hash, (scope, spectra.name, SYNTHETIC), lambda: seen.nameless()
        )

    def check_views(self) -> None:
        """Raise PluginError where a plugin wrote into a view, which all trials of the draw
        share.
        """
        if names := self._changed():
            rule = "a plugin must leave the arrays that it is given as they are"
            hint = (
                "Compute on copies: x = x - mean, not x -= mean; torch.tensor(x), not"
                " torch.from_numpy(x)."
            )
            raise PluginError(rule, value=f"changed: {', '.join(names)}", hint=hint)

    def renew_views(self) -> None:
        """Drop the views that a plugin wrote into; they are made anew, and so are the fits that may
        hold them.
        """
        if self._changed():
            kept = self._of_draw.values
            self._of_draw.values = {key: kept[key] for key in ("split", "spectra") if key in kept}
            self._of_fit.values = {}

    def _changed(self) -> list[str]:
        views = {
            id(kept): kept for kept in self._of_draw.values.values() if isinstance(kept, SealedView)
        }
        return [name for view in views.values() for name in view.changed]

    def prepare(
        self, spec: TrialSpec, generator: Generator, device: str, progress: Progress
    ) -> Fit[Prepared] | None:
        """What the trial's generator learns without labels: from memory, from disk, or learnt now.

        None where the generator declares no such stage, or its fit is there already. Of the
        processes that share a folder one learns, the others wait for it.
        """
        fitted = self._of_fit.holds(spec.fit_hash, ("fit", spec.generator.hash, device))
        if (
            not generator.card.prepares
            or fitted
            or (self._folder is not None and has_fit(self._folder, spec))
        ):
            return None
        return self.prepared(spec, generator, device, progress)

    def prepared(
        self, spec: TrialSpec, generator: Generator, device: str, progress: Progress
    ) -> Fit[Prepared]:
        """As :meth:`prepare`, whether the fit needs it or not."""
        shown = self.scene, self.split(spec), self.view(spec, generator.card.scope)
        pixels = self._of_draw.once(
            spec.draw_hash, ("pixels", generator.card.scope), lambda: self.task.checksum(*shown)
        )
        identity = spec.generator.of_preparation(pixels, spec.patch)
        key = short_hash(identity)
        made = cast("Any", type(generator))(preparing_params(spec.generator.params))
        seed = derive_seed("prepare", spec.generator.name)

        def learn() -> Callable[..., Prepared]:
            # A cube is that of the view, whose changes are looked for afterwards.
            return partial(
                made.prepare,
                self.task.unlabelled(*shown),
                seed=seed,
                device=device,
                progress=progress,
            )

        def load_or_learn() -> Fit[Prepared]:
            folder = self._folder and fits_of(self._folder, spec) / key
            with only_one(folder, progress) if folder and self.saves else nullcontext():
                found: Fit[Prepared] = self._load_or_make(
                    folder,
                    generator.card,
                    "prepare",
                    partial(made.load_prepared, device=device),
                    learn,
                    {"scene": spec.scene, **identity["prepares"], **identity},
                )
            self._notes += getattr(found.fitted, "notes", ())
            return replace(found, key=key)

        return self._of_pixels.once(key, device, load_or_learn)

    def fit(
        self, spec: TrialSpec, generator: Generator, device: str, progress: Progress
    ) -> Fit[FittedGenerator]:
        """The trial's fitted generator: from memory, from disk, or fitted now."""

        def learn() -> Callable[..., FittedGenerator]:
            view = self.view(spec, generator.card.scope)
            seed = derive_seed("fit", spec.generator.name, spec.seed)
            fit = cast("Callable[..., FittedGenerator]", generator.fit)
            fit = partial(fit, view, seed=seed, device=device, progress=progress)
            if generator.card.prepares:
                fit = partial(fit, prepared=self.prepared(spec, generator, device, progress).fitted)
            return fit

        def load_or_fit() -> Fit[FittedGenerator]:
            folder = self._folder and fits_of(self._folder, spec) / spec.fit_hash
            return self._load_or_make(
                folder,
                generator.card,
                "fit",
                lambda path: generator.load(path, device=device),
                learn,
            )

        return self._of_fit.once(spec.fit_hash, ("fit", spec.generator.hash, device), load_or_fit)

    def _load_or_make(
        self,
        folder: Path | None,
        card: Card,
        stage: str,
        load: Callable[[Path], T],
        learn: Callable[[], Callable[..., T]],
        identity: dict[str, object] | None = None,
    ) -> Fit[T]:
        """What a stage ("fit" or "prepare") gives: as it was saved in a folder, else made now and
        saved.

        learn: gives the plugin's call. identity: as of :func:`save_fit`; what has one is saved
        however quick it was.
        """
        fits = stage == "fit"
        what = f"fit of {card.name}" if fits else f"preparation of {card.name}"
        saved = None if folder is None else load_fit(folder, load)
        if isinstance(saved, Fit):
            self.check_views()
            return saved
        if saved:
            self._notes.append(
                f"The saved {what} could not be used, and was {'fitted' if fits else 'learnt'}"
                f" again: {saved}."
            )
        elif folder is not None and identity is not None:
            differs = difference_from_saved(folder.parent, identity)
            if differs:
                self._notes.append(
                    f"{card.name} learnt {identity['scene']} without labels anew: what is saved"
                    f" differs in {differs}."
                )
        folder = folder if self.saves else None
        resumes = card.resumes and folder is not None
        with checkpoint(cast(Path, folder)) if resumes else nullcontext() as begun:
            start = time.perf_counter()
            made = self._resumed(learn(), card, begun)
            seconds = time.perf_counter() - start
            self.check_views()
            needed = "sample" if fits else "save"
            if not callable(getattr(made, needed, None)):
                rule = f"a generator's {stage} must return an object with {needed}"
                hint = (
                    f"Return the {'fitted object' if fits else 'object that fit is to be given'}."
                )
                raise PluginError(rule, value=type(made).__name__, hint=hint)
            if folder is not None and (identity is not None or seconds > WORTH_SAVING):
                fault = save_fit(folder, cast("Any", made).save, seconds, **(identity or {}))
                self.check_views()
                if fault:
                    self._notes.append(f"The {what} could not be saved for another run: {fault}.")
        return Fit(made, seconds)

    def _resumed(self, fit: Callable[..., T], card: Card, begun: Path | None) -> T:
        """What ``fit`` gives; where it was begun by a run that was stopped, it goes on from
        there.
        """
        if not card.resumes:
            return fit()
        if begun is not None and begun.is_dir():
            try:
                return fit(checkpoint=begun)
            except Exception as error:
                if shortage_of(error):
                    # The checkpoint may well be sound.
                    raise
                self._notes.append(
                    f"The fit of {card.name} could not go on from its checkpoint, and began anew: "
                    f"{type(error).__name__}: {error}."
                )
                shutil.rmtree(begun, ignore_errors=True)
        return fit(checkpoint=begun)

    def pool(
        self,
        spec: TrialSpec,
        fit: Fit[FittedGenerator],
        view: TaskView,
        asked: Sequence[AnyBlock],
        card: Card | None = None,
    ) -> list[TaskSamples]:
        """The checked samples that the trial takes of the blocks of its pool.

        card: of the classifier that they are for. Of patches that are drawn for one that reads
        less of them, no more is kept: run trials of those that read whole patches first.
        """
        taken: list[TaskSamples] = []
        part = card if card and not card.reads_patches and self.task.single_pixels else None
        goes_on = callable(getattr(fit.fitted, "continued", None))
        for j, block in enumerate(asked):
            if block.total:
                # What one goes on from is part of what it draws.
                key: tuple[Hashable, ...] = (
                    spec.generator.hash,
                    spec.omega,
                    block.label,
                    j if goes_on else 0,
                )
                draw = partial(self._draw, spec, fit.fitted, view, asked[:j], block)
                if part and not self._of_fit.holds(spec.fit_hash, key):
                    key, draw = (*key, part.input), partial(self._cut, draw, part)
                drawn = self._of_fit.once(spec.fit_hash, key, draw)
                taken.append(
                    drawn if block.used == block.counts else self.task.first(drawn, block.used)
                )
        return taken

    def _cut(self, draw: Callable[[], TaskSamples], card: Card) -> TaskSamples:
        """What a classifier's card says that it reads of the samples that are drawn, without the
        rest.
        """
        found = cast("PatchSamples", self.task.shown(draw(), card))
        return replace(found, x=found.x.copy())

    def sheet(self, spec: TrialSpec, card: Card) -> SampleSheet | None:
        """A few of the samples that the trial took of its pool, beside real ones; None where it
        took none.

        card: of the generator. It must have been sampled.
        """
        view = self.view(spec, card.scope)
        blocks = (
            [block for block in self.task.blocks(view, spec.made) if block.total]
            if card.adds
            else []
        )
        drawn = [self._of_fit.values.get(self._shown(spec, block)) for block in blocks]
        taken = [
            self.task.first(some, block.used)
            for some, block in zip(drawn, blocks, strict=True)
            if some is not None
        ]
        taken = [some for some in taken if len(some)]
        if not taken:
            return None
        shared = partial(SheetMaker.of, view.real, self.scene.wavelengths)
        maker = self._of_draw.once(spec.draw_hash, "sheets", shared)
        return maker.sheet(some_samples(concatenate(taken)))

    def _shown(self, spec: TrialSpec, block: AnyBlock) -> Hashable:
        """Where those samples of a block that may be shown are kept."""
        return "shown", spec.fit_hash, spec.omega, block.label

    def drop_pools(self) -> None:
        """Drop the samples that were drawn; what they were drawn from stays."""
        values = self._of_fit.values
        self._of_fit.values = {
            key: value for key, value in values.items() if isinstance(value, Fit)
        }

    def _draw(
        self,
        spec: TrialSpec,
        fitted: FittedGenerator,
        view: TaskView,
        earlier: Sequence[AnyBlock],
        asked: AnyBlock,
    ) -> TaskSamples:
        block, counts = asked.label, asked.counts
        if callable(continued := getattr(fitted, "continued", None)):
            fitted, block = continued([one.counts for one in earlier]), 0
        # Of the task, which the contract of a plugin does not tell: ``check`` refuses other
        # samples.
        sample, seed = (
            cast("Any", fitted.sample),
            derive_seed("sample", spec.generator.name, spec.seed, block),
        )
        samples: TaskSamples = sample(counts, guidance=spec.omega, seed=seed)
        self.check_views()
        self.task.check(samples, counts, view)
        some = some_samples(samples)
        self._of_fit.once(spec.fit_hash, self._shown(spec, asked), lambda: some)
        return samples
