"""Commands write pictures; what these show is looked at in few tests."""

import pytest


@pytest.fixture(autouse=True)
def _blank_pictures(blank_pictures: None) -> None:
    """See :func:`tests.conftest.blank_pictures`."""
