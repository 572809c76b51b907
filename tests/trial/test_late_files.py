"""A shared disk shows what another machine wrote only after a while, and has a clock of its own:
that does no harm.
"""

import os
import time

import pytest

from hsiaug.base.temporary_folders import ABANDONED
from hsiaug.trial.store import Store
from tests.leavings import left_in


@pytest.mark.parametrize("ahead", [-1e6, 1e6])
def test_folders_are_swept_by_the_clock_of_the_disk(ahead, tmp_path, monkeypatch):
    store = Store(tmp_path, create=True)
    old, new = (left_in(store.root / "records") for _ in range(2))
    for path in (old, *old.rglob("*")):
        os.utime(path, (0, time.time() - 2 * ABANDONED))
    there = time.time() + ahead
    monkeypatch.setattr(time, "time", lambda: there)

    store.sweep()

    assert new.exists() and not old.exists()
