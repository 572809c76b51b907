"""One process a test: the check of other hashes is looked at by the tests that ask for it."""

import pytest

from hsiaug.testing import shared_checks


@pytest.fixture(autouse=True)
def _one_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process takes seconds, and there are a hundred plugins here."""
    node = str(request.node.nodeid)
    if "hash" not in node:
        monkeypatch.setattr(
            shared_checks,
            "checksum_elsewhere",
            lambda subject, name: shared_checks.checksum(subject.base_result),
        )
