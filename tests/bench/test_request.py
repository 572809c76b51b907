"""The request of a benchmark: what is typed at any door is read alike, or refused with one error."""

from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug.base.errors import InputError
from hsiaug.bench import defaults
from hsiaug.bench.plan import fill_in
from hsiaug.bench.request import Request, read_request
from hsiaug.cli.main import app
from hsiaug.core.scene import Scene
from hsiaug.tasks.task import get_task, task_names


def fields(request: Request) -> dict[str, Any]:
    return dict(request)


@pytest.mark.parametrize(
    ("typed", "field", "value"),
    [
        ({"lambdas": "0.5,1:2:0.5"}, "lambdas", (0.5, 1.0, 1.5, 2.0)),
        ({"lambdas": np.array([0.5, 1])}, "lambdas", (0.5, 1.0)),
        ({"omega": 2}, "omegas", (2.0,)),
        ({"seeds": "3"}, "seeds", (0, 1, 2)),
        ({"seeds": np.int64(3)}, "seeds", (0, 1, 2)),
        ({"seeds": range(5, 7)}, "seeds", (5, 6)),
        ({"seeds": "3,5,8-9"}, "seeds", (3, 5, 8, 9)),
        ({"generator": "smote, mixup"}, "generators", ("smote", "mixup")),
        ({"generators": ["smote"]}, "generators", ("smote",)),
        ({"view": "raw,unit"}, "views", ("raw", "unit")),
        ({"set_": ["svm.folds=3"]}, "overrides", {"svm": {"folds": "3"}}),
        ({"overrides": {"svm": {"folds": 3}}}, "overrides", {"svm": {"folds": "3"}}),
    ],
)
def test_the_spellings_of_every_door_are_read(typed, field, value):
    assert fields(read_request(**typed))[field] == value


def test_what_is_not_said_has_the_default() -> None:
    request = read_request()
    assert request.lambdas == defaults.LAMBDAS and request.preset == defaults.PRESET
    assert request.seeds == tuple(range(defaults.DRAWS)) and request.train == defaults.TRAIN
    assert fields(read_request(generator="", view="", train="")) == fields(request)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"lambdas": -1}, "`lambdas` must be a number from 0"),
        ({"lambdas": True}, "`lambdas` must be a valid number; found True"),
        ({"lambdas": "a"}, "`lambdas` must be numbers, or rising ranges"),
        ({"lambdas": []}, "`lambdas` must be one value, or a list that is not empty"),
        ({"generators": []}, "`generators` must be a name, or a list of names"),
        ({"seeds": 0}, "`seeds` must be a number of seeds"),
        ({"seeds": [-1]}, "`seeds` must be greater than or equal to 0"),
        ({"train": "bth"}, "`train` must be both, synthetic or real.*Did you mean both"),
        ({"protocol": "isd"}, "Did you mean issd"),
        ({"buffer": "wide", "protocol": "issd"}, "`buffer` must be none, centre or patch"),
        ({"set_": ["smote"]}, "--set must be PLUGIN.PARAMETER=VALUE"),
        ({"set_": [1, "smote.neighbours=3"]}, "--set must be PLUGIN.PARAMETER=VALUE; found 1"),
    ],
)
def test_what_is_wrong_is_one_error_that_names_the_field(typed, message):
    with pytest.raises(InputError, match=message):
        read_request(**typed)


def test_help_prints_the_defaults_that_run(toy: Scene) -> None:
    shown = CliRunner().invoke(app, ["benchmark", "--help"], env={"COLUMNS": "400"}).output
    usual = get_task("pixels").settings.on(toy)
    filled = fill_in(read_request(), toy)

    assert filled.classifiers == usual.classifiers and filled.generators == usual.generators
    for task in task_names():
        assert ",".join(get_task(task).settings.classifiers) in shown
        assert ",".join(get_task(task).settings.generators) in shown
    assert f"Default: {defaults.DRAWS}." in shown and f"Default: {defaults.PRESET}." in shown
