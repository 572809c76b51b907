"""Prompts that generators which read text are asked for, to see whether samples show them.

A prompt names a class, a class with another on one side of it (a *layout*), or a look of a class.
A trial asks for such samples beside those that its classifier learns from, where no test label is;
which of them show what was said is judged elsewhere (:class:`hsiaug.trial.said_seen.PromptJudge`).
Its prompts are chosen by a map of the scene that training pixels alone have taught.
"""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.arrays import PlacedRows, give_back_pages, mapped, mapped_rows, row_blocks
from hsiaug.base.seeds import derive_seed
from hsiaug.contracts import FittedGenerator, PromptReading
from hsiaug.core.samples import PatchSamples
from hsiaug.core.sides import side_masks
from hsiaug.metrics.spectra import fit_space
from hsiaug.protocol.view import TrainView, patches_at
from hsiaug.trial.oracle import AXES, WINDOW, PixelTrees, searched_places
from hsiaug.trial.plugin_calls import StageClock, call_failure
from hsiaug.trial.trial_run import Fit, TrialRun

LEAST_REAL = 20
"""Real patches that show a layout, at least, for it to be asked for."""
SIDE_SHARE = 0.6
"""Share of a side that the neighbour covers in these."""
PHRASES = {
    "north": "to the north",
    "south": "to the south",
    "west": "to the west",
    "east": "to the east",
}
SIDES = tuple(PHRASES)
LOOKS = {
    "evenness": ("mixed {}", "even {}"),
    "brightness": ("bright {}", "dark {}"),
    "share": ("{} in most of the patch", "{} in a small part of the patch"),
}
"""Pairs of prompts of which the first says more of something."""
ALONE, SAID, NEVER = "alone", "said", "never"
KINDS = (ALONE, SAID, NEVER, *LOOKS)
"""Kinds of prompts: a class alone, a layout that training said, one that it never said, a look."""
MAX_PROMPTED_BYTES = 2**28
"""Bytes of what one process sends another, at most."""

Triple = tuple[int, str, int]
"""A class, a side, and the class that lies there."""


@dataclass(frozen=True)
class Amounts:
    """How much is asked for.

    Attributes
    ----------
    alone : int
        Samples of each class alone.
    triples : int
        Layouts at most that training said; as many again that it never said.
    layout : int
        Samples of each.
    look : int
        Samples of each wording of a look.
    looks : tuple of str
        Of LOOKS.
    """

    alone: int = 16
    triples: int = 40
    layout: int = 8
    look: int = 8
    looks: tuple[str, ...] = tuple(LOOKS)


@dataclass(frozen=True, eq=False)
class SceneLayouts:
    """Layouts that a scene shows.

    Attributes
    ----------
    names : mapping of int to str
        By class id, the words that name it in a prompt.
    at : mapping of Triple to (m, 2) array
        The pixels whose patches show each.
    patch : int
        Side of these in pixels.
    """

    names: Mapping[int, str]
    at: Mapping[Triple, NDArray[Any]]
    patch: int

    def prompt(self, triple: Triple) -> str:
        """The prompt of a layout, as a user would type it."""
        class_id, side, neighbour = triple
        return f"{self.names[class_id]} with {self.names[neighbour]} {PHRASES[side]}"


def reads_prompts(fitted: Any) -> bool:
    """Whether a fitted generator can be asked for patches in words."""
    return callable(getattr(fitted, "sample_prompts", None))


def prompt_names(fitted: Any, ids: Iterable[int], class_names: Sequence[str]) -> dict[int, str]:
    """{class id: the words that name it}, of those that a generator understands.

    Parameters
    ----------
    ids : iterable of int
        Of the classes with training pixels.
    class_names : sequence of str
        Of class ids 1..C.
    """
    names = {}
    for class_id in ids:
        plain = class_names[class_id - 1]
        for words in (plain, f"{plain} {class_id}"):
            reading: PromptReading = fitted.read_prompts([words])[0]
            if reading.centre == class_id and not reading.faults:
                names[class_id] = words
                break
    return names


def find_layouts(
    names: Mapping[int, str], scene_map: NDArray[np.int64], patch: int
) -> SceneLayouts:
    """The layouts that at least LEAST_REAL patches of a scene show, by a map of the names of its
    pixels.

    Parameters
    ----------
    names : mapping of int to str
        Of the classes that are looked for.
    scene_map : (H, W) int64
        Class ids; -1 where the scene was not looked at.
    patch : int
        Side of patches in pixels.
    """
    margin = patch // 2
    if patch < 3 or min(scene_map.shape) < patch:
        return SceneLayouts(names, {}, patch)
    at = np.argwhere(scene_map >= 0)
    inside = (at >= margin).all(axis=1) & (at < np.array(scene_map.shape) - margin).all(axis=1)
    at = at[inside]
    regions = patches_at(scene_map[..., None].astype(np.int16), at, patch)[:, 0]
    centre = regions[:, margin, margin]
    layouts: dict[Triple, NDArray[Any]] = {}
    for side, mask in side_masks(patch).items():
        strips = regions[:, mask]
        for neighbour in names:
            fits = (strips == neighbour).mean(axis=1) >= SIDE_SHARE
            for class_id in names:
                rows = fits & (centre == class_id)
                if class_id != neighbour and rows.sum() >= LEAST_REAL:
                    layouts[class_id, side, neighbour] = at[rows]
    return SceneLayouts(names, layouts, patch)


@dataclass(frozen=True, eq=False)
class PromptedSamples:
    """Samples of prompts, and what each prompt said.

    Attributes
    ----------
    x : (n, B, p, p) float32
        In scene units.
    kind, class_id, side, neighbour, wording : (n,) int16
        A place in KINDS; the class of the centre; of layouts a place in SIDES and the class there;
        of looks a place in the pair. 0 elsewhere.
    """

    x: NDArray[np.float32]
    kind: NDArray[np.int16]
    class_id: NDArray[np.int16]
    side: NDArray[np.int16]
    neighbour: NDArray[np.int16]
    wording: NDArray[np.int16]

    def __post_init__(self) -> None:
        """Raise ValueError for arrays that do not belong together: they may come from another
        process.
        """
        if self.x.dtype != np.float32 or self.x.ndim != 4 or self.x.shape[2] != self.x.shape[3]:
            raise ValueError("x holds no patches")
        most = {"kind": len(KINDS), "side": len(SIDES), "wording": 2}
        for name in COLUMNS:
            column = getattr(self, name)
            if column.dtype != np.int16 or column.shape != (len(self.x),):
                raise ValueError(f"{name} does not fit")
            if column.size and not 0 <= column.min() <= column.max() < most.get(name, 2**15):
                raise ValueError(f"{name} says what there is not")
        if not all(np.isfinite(some).all() for _, some in row_blocks(self.x)):
            raise ValueError("x is not finite")

    def of_layouts(self, triples: Collection[Triple]) -> PromptedSamples:
        """Without those of other layouts."""
        keep = np.ones(len(self.x), dtype=bool)
        for kind in (SAID, NEVER):
            keep[self.rows(kind)] = [triple in triples for triple in self.triples(kind)]
        places = np.cumsum(keep) - 1

        def blocks() -> Iterator[PlacedRows]:
            for rows, some in row_blocks(self.x):
                yield places[rows][keep[rows]], some[keep[rows]]

        x = mapped_rows((int(keep.sum()), *self.x.shape[1:]), blocks)
        return PromptedSamples(x, **{name: getattr(self, name)[keep] for name in COLUMNS})

    def patches(self, kind: str) -> NDArray[np.float32]:
        """(m, B, p, p) float32: the samples of the prompts of a kind."""
        x = self.x[self.rows(kind)]
        give_back_pages(self.x)
        return x

    def rows(self, kind: str) -> NDArray[np.int64]:
        """Rows of the prompts of a kind."""
        return np.flatnonzero(self.kind == KINDS.index(kind))

    def triples(self, kind: str) -> list[Triple]:
        """The layout of each row of a kind."""
        rows = self.rows(kind)
        return [
            (int(c), SIDES[s], int(n))
            for c, s, n in zip(
                self.class_id[rows], self.side[rows], self.neighbour[rows], strict=True
            )
        ]

    def to_bytes(self) -> bytes:
        """All of it, as one process sends it to another."""
        file = io.BytesIO()
        np.savez(file, x=self.x, **{name: getattr(self, name) for name in COLUMNS})
        return file.getvalue()


COLUMNS = tuple(field.name for field in fields(PromptedSamples) if field.name != "x")


def read_prompted(data: bytes) -> PromptedSamples:
    """The samples in the bytes of :meth:`PromptedSamples.to_bytes`. Raises ValueError for other
    bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MAX_PROMPTED_BYTES:
                raise ValueError(f"more than {MAX_PROMPTED_BYTES // 2**20} MB")
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            x = mapped(arrays["x"])
            return PromptedSamples(x, **{name: arrays[name] for name in COLUMNS})
    except Exception as error:
        # What zipfile and numpy make of other bytes: a dozen kinds of errors.
        raise ValueError(f"no samples of prompts: {error}") from error


@dataclass(frozen=True)
class Prompt:
    """What is asked for, once or more often."""

    text: str
    kind: str
    class_id: int
    side: str = SIDES[0]
    neighbour: int = 0
    wording: int = 0


def choose_prompts(fitted: Any, layouts: SceneLayouts, amounts: Amounts) -> list[Prompt]:
    """The prompts that a generator is asked for, each as often as its kind is.

    Parameters
    ----------
    fitted : FittedGenerator
        That reads prompts.
    layouts : SceneLayouts
        Of the scene that it learnt.
    amounts : Amounts
        How many.
    """
    names = layouts.names
    prompts = [Prompt(name, ALONE, c) for c, name in names.items() for _ in range(amounts.alone)]
    rng = np.random.default_rng(derive_seed("said and seen", 0))
    every = list(layouts.at)
    triples = [every[i] for i in rng.permutation(len(every))]
    readings = fitted.read_prompts([layouts.prompt(triple) for triple in triples])
    new = [reading.never_said for reading in readings]
    for kind, is_new in ((SAID, False), (NEVER, True)):
        of_kind = [t for t, never in zip(triples, new, strict=True) if never == is_new]
        prompts += [
            Prompt(layouts.prompt(triple), kind, *triple)
            for triple in of_kind[: amounts.triples]
            for _ in range(amounts.layout)
        ]
    for look in amounts.looks:
        for class_id, name in names.items():
            texts = [wording.format(name) for wording in LOOKS[look]]
            readings = fitted.read_prompts(texts)
            if any(reading.faults or not reading.looks for reading in readings):
                continue
            prompts += [
                Prompt(text, look, class_id, wording=wording)
                for wording, text in enumerate(texts)
                for _ in range(amounts.look)
            ]
    return prompts


def sample_prompts(
    fitted: Any, prompts: Sequence[Prompt], omega: float | None, seed: int
) -> tuple[PatchSamples, PromptedSamples]:
    """A sample of each prompt, as the generator gave it, and with what was asked.

    Parameters
    ----------
    omega : float or None
        Guidance strength.
    seed : int
        Of the samples.
    """
    texts = [prompt.text for prompt in prompts]
    samples: PatchSamples = fitted.sample_prompts(texts, guidance=omega, seed=seed)
    columns = {
        "kind": [KINDS.index(prompt.kind) for prompt in prompts],
        "class_id": [prompt.class_id for prompt in prompts],
        "side": [SIDES.index(prompt.side) for prompt in prompts],
        "neighbour": [prompt.neighbour for prompt in prompts],
        "wording": [prompt.wording for prompt in prompts],
    }
    asked = {name: np.array(values, dtype=np.int16) for name, values in columns.items()}
    return samples, PromptedSamples(samples.x, **asked)


AMOUNTS = Amounts(alone=4, triples=16, layout=4, look=2, looks=("evenness", "share"))
"""What a fit is asked for at an ω: a few hundred samples of sixteen classes."""
TREES = 50
"""Of the map that prompts are chosen by."""


@dataclass
class FitPrompts:
    """What trials of one fit share.

    Attributes
    ----------
    prompts : list of Prompt or None
        What is asked for; None where it was not chosen yet.
    at : dict
        The samples by ω, until they are with an answer; None where there are none any more, or
        none could be made.
    """

    prompts: list[Prompt] | None = None
    at: dict[float | None, PromptedSamples | None] = field(default_factory=dict)


def ask_prompts(
    run: TrialRun, fit: Fit[FittedGenerator], asked: FitPrompts, clock: StageClock
) -> PromptedSamples | None:
    """Samples of prompts at the ω of a trial; None of a generator that takes none, and where a
    trial of the same fit has sent them.

    One that fails here has still made its samples: the trial goes on, with a note.

    Parameters
    ----------
    run : TrialRun
        Whose λ asks for samples.
    fit : Fit
        Its fitted generator.
    asked : FitPrompts
        What trials of the same fit asked for before; takes what is asked for now.
    clock : StageClock
        Measures it.
    """
    view, omega = run.view, run.spec.omega
    if not (reads_prompts(fit.fitted) and isinstance(view, TrainView)):
        return None
    if omega not in asked.at:
        asked.at[omega] = None
        try:
            with clock.aside("said_and_seen"):
                if asked.prompts is None:
                    names = prompt_names(fit.fitted, sorted(view.counts), run.data.class_names)
                    layouts = _layouts(run, view, names)
                    asked.prompts = choose_prompts(fit.fitted, layouts, AMOUNTS)
                asked.at[omega] = _sampled(run, fit.fitted, view, asked.prompts)
        except Exception as error:
            failure = call_failure(error)
            run.context.note(
                "What is said and seen was not measured: asked for samples of prompts,"
                f" {run.spec.generator.name} raised {failure['type']}: {failure['message']}"
            )
        run.views.check()
    return asked.at[omega]


def _layouts(run: TrialRun, view: TrainView, names: Mapping[int, str]) -> SceneLayouts:
    """Layouts of the scene, by trees that learnt from the training pixels."""
    split: Any = run.views.split
    scene: Any = run.data
    shape = scene.pixels.shape[:2]
    if view.patch < WINDOW:
        return find_layouts(names, np.full(shape, -1), view.patch)
    middle = view.patch // 2
    window = slice(middle - WINDOW // 2, middle + WINDOW // 2 + 1)
    means = view.real.x[:, :, window, window].mean(axis=(2, 3), dtype=np.float64)
    trees = PixelTrees.learn(fit_space(means, AXES), means, view.real.y, trees=TREES)
    places = searched_places(shape, split.hidden)
    return find_layouts(names, trees.map_scene(scene.pixels, places), view.patch)


def _sampled(
    run: TrialRun, fitted: Any, view: TrainView, prompts: list[Prompt]
) -> PromptedSamples | None:
    """The samples, checked as all others are; None without a prompt."""
    if not prompts:
        return None
    size = len(prompts) * view.bands * view.patch**2 * 4
    if size > MAX_PROMPTED_BYTES // 2:
        run.context.note(
            "What is said and seen was not measured: samples of prompts would take"
            f" {size >> 20} MB."
        )
        return None
    spec = run.spec
    omega = 0.0 if spec.omega is None else spec.omega
    seed = derive_seed("said and seen", spec.generator.name, spec.seed, omega)
    samples, prompted = sample_prompts(fitted, prompts, spec.omega, seed)
    run.task.sampling.check(samples, Counter(prompt.class_id for prompt in prompts), view)
    return prompted
