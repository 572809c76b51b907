"""Means over fewer subsets, and probes of fewer pixels: most time goes into them."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _few() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in ("fidelity", "dense.fidelity"):
            patch.setattr(f"hsiaug.metrics.{module}.REPEATS", 2)
        patch.setattr("hsiaug.metrics.dense.reliability.LEARNT", 150)
        yield
