"""Parameters that name a file or folder: what lies there is part of a trial, not the name alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hsiaug.api import file_of
from hsiaug.base.errors import InputError
from hsiaug.core.scene import Scene
from hsiaug.registry.card import Card, build_params, param
from hsiaug.registry.file_params import sealed_path
from hsiaug.trial.spec import plugin_spec


@dataclass(frozen=True)
class Params:
    table: str = param("", "a file", file=True)
    extra: str = param("", "another, or none", file=True)
    steps: int = param(3, "steps")


CARD = Card("reader", "1", "Reads a file", params=Params)
DIGITS = re.compile(r"(.*)#sha256:[0-9a-f]{16}")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n")
    return path


def sealed(path: Path) -> str:
    return sealed_path(str(path), "--set reader.table")


def test_the_value_of_the_parameter_is_the_path_with_a_checksum_and_the_plugin_gets_the_path(table: Path) -> None:
    params = build_params(CARD, overrides={"table": str(table)})

    match = DIGITS.fullmatch(params.table)
    assert match is not None and match[1] == str(table)
    assert file_of(params.table, "reader.table") == table


def test_other_content_under_the_same_name_makes_another_trial(table: Path, toy: Scene) -> None:
    def identity() -> object:
        return plugin_spec(CARD, build_params(CARD, overrides={"table": str(table)}), toy).as_json()

    first = identity()
    assert identity() == first
    table.write_text("a,b\n1,3\n")
    assert identity() != first


def test_content_that_has_changed_since_the_trial_was_planned_is_refused_at_use(table: Path) -> None:
    value = sealed(table)
    table.write_text("a,b\n1,3\n")

    with pytest.raises(InputError, match=r"reader\.table: .*table\.csv has changed since it was first used"):
        file_of(value, "reader.table")
    table.unlink()
    with pytest.raises(InputError, match="no such file or folder"):
        file_of(value, "reader.table")


def test_a_value_that_is_typed_with_its_checksum_is_taken_where_that_is_right(table: Path) -> None:
    """As a record shows it, so that it can be run again."""
    value = sealed(table)
    assert build_params(CARD, overrides={"table": value}).table == value
    for wrong in ("0" * 16, value[-16:-1], "odd"):
        with pytest.raises(InputError, match="has changed since it was first used"):
            build_params(CARD, overrides={"table": f"{table}#sha256:{wrong}"})


def test_the_checksum_of_a_folder_is_of_the_names_and_bytes_of_all_files_in_it(tmp_path: Path) -> None:
    def folder(name: str, **files: str) -> str:
        for inner, text in files.items():
            path = tmp_path / name / inner.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return sealed(tmp_path / name).partition("#")[2]

    first = folder("first", a="1", deep__b="2")
    assert folder("same", deep__b="2", a="1") == first
    different = [
        folder("bytes", a="1", deep__b="3"),
        folder("name", a="1", deep__c="2"),
        folder("place", a="1", b="2"),
        folder("swapped", a="2", deep__b="1"),
        folder("fewer", a="1"),
        folder("more", a="1", deep__b="2", c=""),
    ]
    assert len({first, *different}) == 7


def test_a_large_file_counts_to_its_last_byte(tmp_path: Path) -> None:
    values = np.zeros(3 * 2**20, dtype=np.uint8)
    path = tmp_path / "large"
    path.write_bytes(values.tobytes())
    first = sealed(path)
    values[-1] = 1
    path.write_bytes(values.tobytes())
    assert sealed(path) != first


def test_file_names_of_any_bytes_are_read(tmp_path: Path) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / b"caf\xe9".decode("utf-8", "surrogateescape")).touch()
    assert sealed(tmp_path / "odd")


@pytest.mark.parametrize(
    "text", ["absent", "#sha256:0123456789abcdef", "a\0b", "x" * 5000, "/dev/null"], ids=range(5)
)
def test_what_is_neither_file_nor_folder_is_refused_with_the_option(text: str) -> None:
    with pytest.raises(InputError, match=r"`reader\.table`: no such file or folder"):
        build_params(CARD, overrides={"table": text})


def test_a_parameter_that_may_be_empty_stays_so_and_one_that_is_read_is_asked_for() -> None:
    params = build_params(CARD)
    assert (params.table, params.extra) == ("", "")
    with pytest.raises(InputError, match=r"reader\.table must name a file or folder.*`reader\.table=PATH`"):
        file_of(params.table, "reader.table")
    assert build_params(CARD, overrides={"extra": ""}).extra == ""
