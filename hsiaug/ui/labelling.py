"""The state behind the page of ``hsiaug label``: what is known of a scene, what is asked, and the
present map.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from hsiaug.base.colours import class_colours, hex_of
from hsiaug.base.errors import HsiaugError, InputError
from hsiaug.core.scene import UnlabelledScene, row_parts
from hsiaug.data.georeference import Georeference
from hsiaug.protocol.split import Blind, BlindSplit
from hsiaug.registry.lookup import Registry
from hsiaug.suggest.committee import Member, learn_and_map
from hsiaug.suggest.picks import Pick, suggestions
from hsiaug.ui.answers import AnswerFile, Pixel, PixelAnswer, Said, check_name

PATCH = 9
"""Side of the patches in pixels, for a classifier that reads any."""
MOST_CLASSES = 200
MOST_AVERAGED = 2000


@dataclass
class BackgroundJob:
    """Work in the background: its name, progress and error."""

    kind: str
    done: int = 0
    total: int = 0
    note: str = ""
    error: str = ""
    running: bool = True

    def progress(self, done: int, total: int, note: str = "") -> None:
        """How far it is now."""
        self.done = done
        self.total = total
        self.note = note


@dataclass(frozen=True, eq=False)
class MadeMap:
    """A map of class ids, made from the labels that there were.

    Attributes
    ----------
    ids : (H, W) int16
        Class ids, 0 = no data.
    number : int
        Number of maps made before it, and one.
    learnt : int
        Labelled pixels.
    """

    ids: NDArray[np.int16]
    number: int
    learnt: int


@dataclass(frozen=True, eq=False)
class LabellingTask:
    """What a labelling begins with.

    Attributes
    ----------
    known : (H, W) int16
        Labels that are learnt beside the answers, 0 = none.
    members : tuple of Member
        Members of the committee.
    mapper : Member
        Classifier and view of the map.
    count : int
        Picks of a round.
    """

    scene: UnlabelledScene
    name: str
    known: NDArray[np.int16]
    members: tuple[Member, ...]
    mapper: Member
    count: int
    ground: Georeference | None = None


class Labelling:
    """A scene that is being labelled. Every method may be called from any thread."""

    def __init__(self, task: LabellingTask, answers: AnswerFile, plugins: Registry) -> None:
        self.task = task
        self.answers = answers
        self._plugins = plugins
        self.lock = threading.RLock()
        self.names = list(dict.fromkeys([*task.scene.class_names, *answers.names]))
        self.picks: tuple[Pick, ...] = ()
        self.job = BackgroundJob("", running=False)
        self.map: MadeMap | None = None
        self.doubt: NDArray[np.float32] | None = None
        """(H, W), 0..1: how much the committee disagreed when it was last asked; None where it had
        nothing to learn.
        """
        self.version = 0
        self._thread: threading.Thread | None = None

    @cached_property
    def data(self) -> NDArray[np.bool_]:
        """(H, W) bool: pixels that are not 0 in every band."""
        cube = self.task.scene.pixels
        return np.concatenate([cube[rows].any(axis=2) for rows in row_parts(cube.shape)])

    def labels(self) -> NDArray[np.int16]:
        """(H, W) int16: latest answer of each pixel, else its known label; -1 = none of the
        classes, -2 = skipped.
        """
        with self.lock:
            answered = self.answers.labels(self.names)
        return np.where(answered != 0, answered, self.task.known)

    def answer(self, pixels: Sequence[Pixel], said: Said, name: str = "") -> None:
        """Store the user's answer for pixels. Raises InputError for a pixel outside the scene, or
        one without data.
        """
        height, width = self.task.scene.shape
        inside = [
            (row, column) for row, column in pixels if 0 <= row < height and 0 <= column < width
        ]
        answerable = tuple(pixel for pixel in inside if self.data[pixel])
        if not answerable:
            raise InputError(
                "an answer must be of pixels that hold data",
                value="none",
                hint="Point at the scene.",
            )
        with self.lock:
            if said == "class" and name not in self.names:
                raise InputError(
                    "an answer must name a class of the scene", value=name, hint="Add it first."
                )
            self.answers.add(PixelAnswer(answerable, said, name if said == "class" else ""))
            self.version += 1

    def undo(self) -> PixelAnswer | None:
        """Take back the last answer."""
        with self.lock:
            self.version += 1
            return self.answers.undo()

    def redo(self) -> PixelAnswer | None:
        """Give the answer that was taken back last once more."""
        with self.lock:
            self.version += 1
            return self.answers.redo()

    def add_class(self, name: str) -> str:
        """A class that the scene's card does not name."""
        with self.lock:
            name = check_name(name)
            if name not in self.names:
                if len(self.names) >= MOST_CLASSES:
                    raise InputError(
                        f"at most {MOST_CLASSES} classes", value=name, hint="Use one that is there."
                    )
                self.names.append(name)
                self.version += 1
            return name

    def ask(self) -> None:
        """Begin to choose the next picks, in the background."""
        self._start("ask", self._ask)

    def make_map(self) -> None:
        """Begin to map the scene, in the background."""
        self._start("map", self._make_map)

    def wait(self) -> None:
        """Until the work in the background is done."""
        if self._thread is not None:
            self._thread.join()

    def _start(self, kind: str, work: Callable[[BackgroundJob], None]) -> None:
        with self.lock:
            if self.job.running:
                raise InputError(
                    "one thing at a time", value=f"still at: {self.job.kind}", hint="Wait for it."
                )
            self.job = BackgroundJob(kind)
            self._thread = threading.Thread(target=self._run, args=(self.job, work), daemon=True)
            self._thread.start()

    def _run(self, job: BackgroundJob, work: Callable[[BackgroundJob], None]) -> None:
        try:
            work(job)
        except HsiaugError as error:
            job.error = str(error)
        except Exception as error:  # a thread has nobody else to tell
            job.error = f"{type(error).__name__}: {error}"
        job.running = False

    def _now(self) -> tuple[UnlabelledScene, NDArray[np.int16], BlindSplit]:
        """The scene with its present classes, the labels, and those that are learnt."""
        with self.lock:
            whole = self.task.scene
            labels = self.labels()
            scene = replace(whole, cube=whole.pixels, class_names=tuple(self.names))
        train = labels > 0
        return (
            scene,
            labels,
            Blind(train, np.zeros_like(train), labels[train].astype(np.int64), PATCH),
        )

    def _ask(self, job: BackgroundJob) -> None:
        scene, labels, split = self._now()
        task = self.task
        open_ = labels == 0
        none = labels == -1
        picked = suggestions(
            scene,
            split,
            open_,
            task.count,
            task.members,
            self._plugins,
            unnamed=none,
            progress=job.progress,
        )
        with self.lock:
            self.picks = picked.picks
            self.doubt = picked.uncertainty if any(pick.votes for pick in picked.picks) else None
            self.version += 1

    def _make_map(self, job: BackgroundJob) -> None:
        scene, _, split = self._now()
        if len(np.unique(split.train_labels)) < 2:
            raise InputError(
                "a map needs labels of two classes at least",
                value=f"{len(np.unique(split.train_labels))}",
                hint="Answer a few picks first.",
            )
        member = self.task.mapper
        plugin = self._plugins.find("classifier", member.classifier).load()
        job.progress(0, 1, f"{member} learns")
        ids = learn_and_map(scene, split, member, plugin, 0, job.progress)
        with self.lock:
            number = 1 if self.map is None else self.map.number + 1
            self.map = MadeMap(ids, number, int(split.train.sum()))
            self.version += 1

    def class_means(self) -> dict[int, list[float]]:
        """Mean spectrum (B,) of the labelled pixels of every class that has any, of at most
        MOST_AVERAGED of them.
        """
        labels = self.labels()
        cube = self.task.scene.pixels
        means = {}
        for c in np.unique(labels[labels > 0]):
            rows, columns = np.nonzero(labels == c)
            thin = slice(None, None, -(-len(rows) // MOST_AVERAGED))
            means[int(c)] = cube[rows[thin], columns[thin]].mean(axis=0, dtype=np.float64).tolist()
        return means

    def state(self) -> dict[str, object]:
        """All that the page shows but pictures and spectra, as plain JSON."""
        with self.lock:
            labels = self.labels()
            job = self.job
            counts = np.bincount(labels[labels > 0], minlength=len(self.names) + 1)
            colours = class_colours(len(self.names))[1:].tolist()
            single = [answer.pixels[0] for answer in self.answers.given if len(answer.pixels) == 1]
            return {
                "version": self.version,
                "classes": [
                    {
                        "name": name,
                        "colour": hex_of(colour),
                        "pixels": int(count),
                    }
                    for name, colour, count in zip(self.names, colours, counts[1:], strict=True)
                ],
                "picks": [
                    {
                        **vars(pick),
                        "votes": [*pick.votes.items()],
                        "label": int(labels[pick.row, pick.column]),
                    }
                    for pick in self.picks
                ],
                "points": [[row, column, int(labels[row, column])] for row, column in single],
                "answers": len(self.answers.given),
                "undone": len(self.answers.undone),
                "doubt": self.doubt is not None,
                "job": vars(job),
                "map": (
                    None
                    if self.map is None
                    else {"number": self.map.number, "learnt": self.map.learnt}
                ),
            }


def pixels_within(corners: Sequence[tuple[float, float]], shape: tuple[int, int]) -> list[Pixel]:
    """Pixels of a scene (H, W) whose centres lie in a polygon of (row, column), where pixel (0, 0)
    spans 0..1.

    Without area there are none.
    """
    from matplotlib.path import Path as Outline

    if len(corners) < 3:
        return []
    first = np.clip(np.floor(np.min(corners, axis=0)), 0, shape).astype(int)
    last = np.clip(np.ceil(np.max(corners, axis=0)), 0, shape).astype(int)
    rows, columns = np.mgrid[first[0] : last[0], first[1] : last[1]].reshape(2, -1)
    inside = np.zeros(0, dtype=bool)
    with suppress(ValueError):  # no pixel in its box
        inside = Outline(corners).contains_points(np.stack([rows, columns], axis=1) + 0.5)
    return (
        list(zip(rows[inside].tolist(), columns[inside].tolist(), strict=True))
        if len(inside)
        else []
    )
