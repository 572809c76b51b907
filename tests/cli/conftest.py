"""Commands write pictures and measure samples; what these show and tell is looked at in few tests."""

import pytest


@pytest.fixture(autouse=True)
def _little_work(blank_pictures: None, few_rounds: None) -> None:
    """See :func:`tests.conftest.blank_pictures` and :mod:`tests.few_rounds`."""
