"""The small world is built once for all tests of the pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs import small_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """See :mod:`tests.docs.small_world`; a test that writes works in a copy."""
    return small_world.build(tmp_path_factory.mktemp("world"))
