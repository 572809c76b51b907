"""Short trainings, for tests that look at something else."""

import pytest

__all__ = ["take_few_steps"]

FEW = 2


def take_few_steps(patch: pytest.MonkeyPatch) -> None:
    """Let every network of the built-ins take two steps down its loss, until the patch is undone.

    What a network learns is looked at in tests/plugins, tests/dense and tests/testing.
    """
    # The only loop over steps of the module goes over these.
    patch.setattr(
        "hsiaug_builtin.nets.training.range",
        lambda begin, end: range(begin, min(end, begin + FEW)),
        raising=False,
    )
