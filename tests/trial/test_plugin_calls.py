"""What a plugin's call may do to the process, and how it may end."""

import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch

from hsiaug.base.errors import PluginError
from hsiaug.trial.plugin_calls import call_failure, kept_state, plain_json


def state() -> dict[str, Any]:
    return {
        "random": random.getstate(),
        "numpy": np.random.get_state()[1].tobytes(),
        "errors": np.geterr(),
        "filters": list(warnings.filters),
        "torch": torch.get_rng_state().tolist(),
        "threads": torch.get_num_threads(),
        "dtype": torch.get_default_dtype(),
        "gradient": torch.is_grad_enabled(),
    }


def test_what_later_results_depend_on_is_as_before_after_a_call() -> None:
    before = state()
    with pytest.raises(ValueError), kept_state():
        random.seed(5)
        np.random.seed(5)
        np.seterr(all="ignore")
        warnings.simplefilter("ignore")
        torch.manual_seed(5)
        torch.set_num_threads(before["threads"] + 1)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        raise ValueError
    after = state()
    assert {key: value for key, value in after.items() if value != before[key]} == {}


class Unreadable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_error_without_a_readable_text_is_told_as_such() -> None:
    said = call_failure(Unreadable())
    assert said["type"] == "Unreadable" and "str() failed" in said["message"]


def test_a_failure_is_text_that_every_file_can_hold_and_no_longer_than_needed() -> None:
    said = call_failure(ValueError("bad \udc80 text " + "x" * 10**6))
    assert said["message"].encode("utf-8") and "\\udc80" in said["message"]
    assert len(said["message"]) < 5000 and "(1,000,011 characters)" in said["message"]


def test_a_chain_of_thousands_of_causes_can_be_told() -> None:
    error: Exception | None = None
    for i in range(5000):
        following = ValueError(str(i))
        following.__cause__, error = error, following
    assert error is not None
    said = call_failure(error)
    assert said["message"] == "4999" and len(said["traceback"]) < 25_000


def test_provenance_is_what_json_gives_back() -> None:
    assert plain_json({"a": (1, 2.5, None), "b": {"c": True}}) == {
        "a": [1, 2.5, None],
        "b": {"c": True},
    }


circle: dict[str, Any] = {}
circle["a"] = circle


@pytest.mark.parametrize(
    "said",
    [
        {"a": np.float32(1)},
        {"a": float("nan")},
        {"a": object()},
        circle,
        {"a": "\udc80"},
        {(1, 2): 3},
    ],
    ids=["numpy", "nan", "object", "circle", "surrogate", "key"],
)
def test_provenance_that_json_cannot_hold_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(PluginError, match="must be plain JSON"):
        plain_json(said)
