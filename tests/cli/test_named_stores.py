"""``--store`` goes with every command that reads records; those that take the folder without it
take both.
"""

from pathlib import Path

from tests.in_process import refused


def test_serve_takes_the_store_with_the_option(tmp_path: Path) -> None:
    for words in (("--store", "absent"), ("absent",)):
        assert "absent must be a store of records" in refused(
            tmp_path, "serve", *words, "--no-browser"
        )


def test_two_stores_are_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, "serve", "one", "--store", "two", "--no-browser")
    assert "the store must be named once; found one and --store two" in message
