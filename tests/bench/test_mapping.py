"""Maps whose stripes are predicted by workers: the same to the bit as those of one process."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.base.errors import PluginError
from hsiaug.bench.engine import Job, Message, TrialEnded
from hsiaug.bench.execute import PoolEngine
from hsiaug.bench.mapping import map_stripes, stripes_of
from hsiaug.bench.plan import Request, build_plan
from hsiaug.bench.worker import WorkerStart
from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import registry
from hsiaug.tasks import pixels
from hsiaug.tasks.task import get_task
from hsiaug.trial.cache import Workbench
from hsiaug.trial.mapping import StripeMapper, StripeSpec, refit
from hsiaug.trial.run import lost
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store


def silent(*_: Any) -> None: ...


class Seat:
    """A slot that does in this process what a worker does, with what would be sent to one."""

    gpu = False

    def __init__(self, scene: Scene) -> None:
        task = get_task("pixels")
        self.bench, self.busy = Workbench(scene.unlabelled, task), False
        self.mapper = StripeMapper(self.bench, registry(), "cpu")
        self.sent: list[StripeSpec] = []

    def send(self, trial: TrialSpec, blind: object) -> None:
        stripe, split = pickle.loads(pickle.dumps((trial, blind)))
        self.bench.give(stripe, split)
        self.sent.append(stripe)
        self.busy = True

    def answer(self) -> Message:
        self.busy = False
        return TrialEnded(self.mapper.predict(self.sent[-1], silent, silent))


class Seats(PoolEngine):
    jobs, gpus = 2, 0

    def __init__(self, *seats: Seat) -> None:
        self.seats = seats

    def pool(self, start: WorkerStart) -> Seats:
        return self

    def slots(self) -> Sequence[Seat]:
        return self.seats

    def wait(self) -> list[tuple[Seat, Message]]:
        return [(seat, seat.answer()) for seat in self.seats if seat.busy]

    def close(self) -> None: ...


RECORD = {"timings": {"fit_generator": 0.1}, "class_names": ["a class"] * 5}


def spec_of(toy: Scene, classifier: str) -> TrialSpec:
    request = Request(
        generators=["smote"], classifiers=[classifier], lambdas=[1.0], seeds=[0], patch=5, preset="tiny"
    )
    trials = build_plan(toy, request, registry()).trials
    return next(t for t in trials if (t.generator.name, t.classifier.name) == ("smote", classifier))


def test_workers_make_the_map_of_one_process(toy: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "BATCH_BYTES", 12_000)
    # Of all classifiers it depends most on how batches are cut.
    spec = spec_of(toy, "cnn2d")
    task = get_task("pixels")
    made = refit(spec, toy, registry(), None, device="cpu", progress=silent)
    (alone,) = task.mapped(made.fitted, made.card, toy, made.split, silent, made.spectra).values()
    stripes = stripes_of(spec, toy.labels, task.stripes(toy))
    seats, seen = [Seat(toy), Seat(toy)], list[int]()
    job = Job("pixels", "toy", Store(tmp_path, create=True).root, "cpu")

    def progress(done: int, total: int, note: str = "") -> None:
        seen.append(done)

    ids = map_stripes(stripes, made.split, RECORD, job, Seats(*seats), progress)

    assert np.array_equal(ids, alone)
    assert seen[-1] == toy.shape[0] and len(stripes) > 5
    assert min(len(seat.sent) for seat in seats) > 1
    assert sorted(stripe.rows for seat in seats for stripe in seat.sent) == [stripe.rows for stripe in stripes]


def test_a_stripe_that_fails_is_one_error(toy: Scene, tmp_path: Path) -> None:
    class Broken(Seat):
        def answer(self) -> Message:
            return TrialEnded(lost("predict", "ValueError", "as planned"))

    spec = spec_of(toy, "svm")
    task = get_task("pixels")
    job = Job("pixels", "toy", Store(tmp_path, create=True).root, "cpu")

    with pytest.raises(PluginError, match=r"svm must map every stripe.*ValueError in stage predict: as planned"):
        map_stripes(
            stripes_of(spec, toy.labels, task.stripes(toy)),
            task.split(toy, spec.protocol, spec.seed, spec.patch),
            *(RECORD, job, Seats(Broken(toy)), silent),
        )


def test_a_stripe_tells_which_of_its_pixels_have_a_label(toy: Scene) -> None:
    stripes = stripes_of(spec_of(toy, "svm"), toy.labels, [range(3), range(3, 7)])

    assert [stripe.rows for stripe in stripes] == [(0, 3), (3, 7)]
    assert np.array_equal(stripes[1].unpacked, toy.labels[3:7] > 0)
    assert len({stripe.hash for stripe in stripes}) == 2 and len({stripe.fit_hash for stripe in stripes}) == 1
