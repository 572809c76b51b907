"""What a worker sends that has the form of an outcome, and cannot be one: it costs its trial alone,
and its record is sound.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.registry.lookup import Registry
from hsiaug.tasks.task import get_task
from hsiaug.trial.outcome import ScoredRecords, TrialOutcome
from hsiaug.trial.record import Damage
from hsiaug.trial.run import run_group
from hsiaug.trial.sheet import SampleSheet
from hsiaug.trial.spec import TrialSpec
from hsiaug.trial.store import Store
from hsiaug.trial.trial_run import SceneContext

Forge = Callable[[TrialOutcome], TrialOutcome]


def sheet_of(outcome: TrialOutcome) -> SampleSheet:
    assert outcome.sheet is not None and outcome.sheet.spectra is not None
    return outcome.sheet


def with_bands(outcome: TrialOutcome, number: int) -> TrialOutcome:
    sheet = sheet_of(outcome)
    spectra = sheet.spectra
    assert spectra is not None
    means = np.zeros((len(spectra.ids), number), np.float32)
    bands = np.arange(number, dtype=np.float32)
    spectra = replace(spectra, bands=bands, real=means, made=means, held_out=means)
    return replace(outcome, sheet=replace(sheet, spectra=spectra))


def with_result(outcome: TrialOutcome, **changed: object) -> TrialOutcome:
    return replace(outcome, record={**outcome.record, **changed})


FORGED: dict[str, Forge] = {
    "spectra of fewer bands": lambda made: with_bands(made, 3),
    "spectra of more bands": lambda made: with_bands(made, 4096),
    "counts of other classes": lambda made: with_result(
        made, samples={"real": [1], "synthetic": [1]}
    ),
    "a provenance that is no JSON": lambda made: with_result(made, provenance={"note": object()}),
    "a number that JSON has not": lambda made: with_result(made, timings={"total": float("nan")}),
    "labels of no class": lambda made: replace(made, labels=np.full_like(made.labels, 9999)),
    "labels of fewer pixels": lambda made: replace(made, labels=made.labels[:-1]),  # type: ignore[index]
}


@pytest.fixture
def written(
    spec: Callable[..., TrialSpec], plugins: Registry, toy: Scene, tmp_path: Path
) -> Callable[[Forge], dict[str, Any]]:
    """Writes the record of a trial whose outcome was forged."""
    trial = spec(patch=3)
    context = SceneContext(toy, get_task("pixels"), tmp_path / "cache")
    ((_, outcome),) = run_group([trial], context, plugins, device="cpu", progress=lambda *_: None)
    split = context.views(trial).split
    store = Store(tmp_path / "store", create=True)
    records = ScoredRecords(context.task, toy, "toy", lambda _: split, store)

    def write(forge: Forge) -> dict[str, Any]:
        records.write(trial, forge(outcome))
        found = store.look(trial.hash)
        assert found is not None and not isinstance(found, Damage), found
        return found

    return write


def test_an_outcome_as_it_is_goes_well(written: Callable[[Forge], dict[str, Any]]) -> None:
    assert written(lambda made: made)["status"] == "ok"


@pytest.mark.parametrize("forged", FORGED)
def test_an_outcome_that_cannot_be_costs_its_trial_alone(
    forged: str, written: Callable[[Forge], dict[str, Any]]
) -> None:
    record = written(FORGED[forged])
    assert record["status"] == "failed" and record["metrics"] is None
    assert record["error"]["stage"] == "predict" and record["error"]["message"]
