"""Few rounds of what is measured of samples, for tests that look at something else."""

import pytest

__all__ = ["measure_few_rounds"]


def measure_few_rounds(patch: pytest.MonkeyPatch) -> None:
    """Draw intervals, copied pieces and means over repeated draws few times, until the patch is
    undone: most time of a report and of a trial of masks goes into them.

    They are looked at in tests/metrics.
    """
    for module in ("fidelity", "dense.fidelity", "dense.layout"):
        patch.setattr(f"hsiaug.metrics.{module}.REPEATS", 2)
    for module in ("patch_layout", "dense.layout"):
        patch.setattr(f"hsiaug.metrics.{module}.TESTED", 100)
    patch.setattr("hsiaug.metrics.fidelity.MAX_SPECTRA_PER_CLASS", 60)
    patch.setattr("hsiaug.metrics.reliability.ROUNDS", 20)
    patch.setattr("hsiaug.metrics.two_sample.TREES", 5)
    patch.setattr("hsiaug.metrics.layout_network.STEPS", 3)
    patch.setattr("hsiaug.metrics.dense.pieces.PIECES", 30)
