"""Trials whose λ asks for nothing: told apart, recorded without a fit, and known to the plan beforehand."""

from __future__ import annotations

from typing import Any

import pytest

from hsiaug.trial.empty import made_nothing


def record(status: str, lam: float, synthetic: list[int] | None, **timings: float) -> dict[str, Any]:
    samples = None if synthetic is None else {"real": [3, 3], "synthetic": synthetic}
    return {"status": status, "spec": {"lambda": lam}, "samples": samples, "timings": timings}


@pytest.mark.parametrize(
    ("given", "answer"),
    [
        (record("empty", 1.0, [0, 0]), True),
        (record("ok", 1.0, [0, 0], fit_classifier=1.0), True),  # as written before the status "empty"
        (record("ok", 1.0, [0, 4], fit_generator=0.1), False),
        (record("ok", 1.0, [0, 0], fit_generator=0.1), False),  # pairs whose masks hold no labelled pixel
        (record("ok", 0.0, [0, 0]), False),  # none: never asked for a sample
        (record("failed", 1.0, [0, 0]), False),
        (record("failed", 1.0, None), False),
    ],
)
def test_what_made_nothing_is_told_from_what_failed_and_from_none(given: dict[str, Any], answer: bool) -> None:
    assert made_nothing(given) is answer
