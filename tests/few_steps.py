"""Short trainings, for tests that look at something else."""

import pytest

__all__ = ["take_few_steps"]

FEW = 2


def take_few_steps(patch: pytest.MonkeyPatch) -> None:
    """Let every network of the built-ins take two steps down its loss, and txt2hsi two from noise
    to a patch, until the patch is undone.

    What a network learns is looked at in tests/plugins, tests/dense and tests/testing.
    """
    # Not above: this file is read before any test, and torch takes seconds.
    from hsiaug_builtin.diffusion.edm import noise_levels

    # The only loop over steps of the module goes over these.
    patch.setattr(
        "hsiaug_builtin.nets.training.range",
        lambda begin, end: range(begin, min(end, begin + FEW)),
        raising=False,
    )
    patch.setattr(
        "hsiaug_builtin.txt2hsi.fitted.noise_levels",
        lambda steps, *ends: noise_levels(min(steps, FEW), *ends),
    )
