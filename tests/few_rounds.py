"""Few rounds of what is measured of samples, for tests that look at something else."""

import pytest

__all__ = ["measure_few_rounds"]


def measure_few_rounds(patch: pytest.MonkeyPatch) -> None:
    """Draw intervals, copied pieces and means over repeated subsets few times, until the patch is
    undone: most time of a report and of a trial of masks goes into them.

    They are looked at in tests/metrics.
    """
    for module in ("fidelity", "dense.fidelity"):
        patch.setattr(f"hsiaug.metrics.{module}.REPEATS", 2)
    patch.setattr("hsiaug.metrics.fidelity.MAX_SPECTRA_PER_CLASS", 60)
    patch.setattr("hsiaug.metrics.reliability.ROUNDS", 20)
    patch.setattr("hsiaug.metrics.dense.pieces.PIECES", 30)
