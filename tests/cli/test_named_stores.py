"""``--store`` goes with every command that reads records; those that take the folder without it
take both.
"""

from pathlib import Path

import pytest

from hsiaug.trial.store import Store
from tests.in_process import hsiaug, refused
from tests.report.report_records import believable, record


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Store(tmp_path / "kept", create=True).put(believable(record(0.5, 0.4)), None)
    return tmp_path / "kept"


@pytest.mark.parametrize("command", ["verify", "pack"])
def test_the_care_of_a_store_takes_it_with_the_option_and_without(
    command: str, store: Path
) -> None:
    by_option = hsiaug("store", command, "--store", str(store))
    by_place = hsiaug("store", command, str(store))

    assert by_option.returncode == by_place.returncode == 0
    assert str(store) in by_option.stdout and str(store) in by_place.stdout


def test_serve_takes_the_store_with_the_option(tmp_path: Path) -> None:
    for words in (("--store", "absent"), ("absent",)):
        assert "absent must be a store of records" in refused(
            tmp_path, "serve", *words, "--no-browser"
        )


def test_two_stores_are_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, "serve", "one", "--store", "two", "--no-browser")
    assert "the store must be named once; found one and --store two" in message
