"""Stores are merged, and verified as they are; nothing that counts is lost on the way."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hsiaug.base.errors import InputError
from hsiaug.cli.main import app
from hsiaug.trial.store import Store
from hsiaug.trial.store_merge import merge


def uncounted(*_: object) -> None:
    """Told how far it is."""


def files(store: Store) -> dict[Path, tuple[bytes, int]]:
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in store.root.rglob("*")
        if path.is_file()
    }


def as_failed(record: Any) -> dict[str, Any]:
    error = {"stage": "fit_generator", "type": "ValueError", "message": "no", "traceback": ""}
    return {
        **record,
        "status": "failed",
        "error": error,
        "metrics": None,
        "predictions_sha256": None,
    }


def replace_record(store: Store, record: Any) -> None:
    """Write a record as it is, without its predictions."""
    store.put(record, store.predictions(record["hash"]) if record["status"] == "ok" else None)


def test_merging_copies_what_the_target_lacks_and_leaves_the_source_as_it_is(filled, tmp_path):
    before, target = files(filled), tmp_path / "all"
    first = merge(target, filled, uncounted)
    again = merge(target, filled, uncounted)

    assert (first.copied, first.equal) == (2, 0) and (again.copied, again.equal) == (0, 2)
    assert list(Store(target).each()) == list(filled.each()) and files(filled) == before
    for record in filled.each():
        for mine, theirs in zip(
            Store(target).predictions(record["hash"]),
            filled.predictions(record["hash"]),
            strict=True,
        ):
            np.testing.assert_array_equal(mine, theirs)


def test_of_two_records_of_one_trial_the_newest_that_went_well_stays(
    filled: Store, tmp_path: Path
) -> None:
    other = Store(Path(shutil.copytree(filled.root, tmp_path / "other")))
    one, two = filled.each()
    replace_record(other, as_failed({**one, "created": "2999-01-01T00:00:00+00:00"}))
    replace_record(other, {**two, "created": "2999-01-01T00:00:00+00:00"})

    into = merge(filled.root, other, uncounted)
    assert (into.copied, into.kept) == (1, 1)
    assert filled.sound(one["hash"]) == one and filled.sound(two["hash"]) == other.sound(
        two["hash"]
    )
    back = merge(other.root, filled, uncounted)
    assert (back.copied, back.equal) == (1, 1) and list(other.each()) == list(filled.each())


def test_damaged_records_are_not_merged_and_are_replaced_in_the_target(
    filled: Store, tmp_path: Path
) -> None:
    other = Store(Path(shutil.copytree(filled.root, tmp_path / "other")))
    (cut, _), (_, healed) = (
        sorted(store.root.glob("records/??/*/record.json")) for store in (other, filled)
    )
    cut.write_text("{")
    healed.write_text("{")
    found = merge(filled.root, other, uncounted)

    assert [one.hash for one in found.damaged] == [cut.parent.name] and (
        found.copied,
        found.equal,
    ) == (1, 0)
    assert filled.read().damaged == ()


def test_a_store_is_not_merged_into_itself(filled: Store) -> None:
    with pytest.raises(InputError, match="another store"):
        merge(filled.root, filled, uncounted)


def test_predictions_that_are_not_as_they_were_written_are_not_merged(
    filled: Store, tmp_path: Path
) -> None:
    one, other = sorted(filled.root.glob("records/??/*/predictions.npz"))
    one.write_bytes(b"cut")
    whole = other.read_bytes()
    # The time of a file in the archive, which nothing reads.
    other.write_bytes(whole[:10] + bytes([whole[10] ^ 1]) + whole[11:])
    found = merge(tmp_path / "all", filled, uncounted)

    assert [damage.hash for damage in found.damaged] == [one.parent.name, other.parent.name]
    assert "has not the record's checksum" in found.damaged[0].fault
    assert "is not as it was written" in found.damaged[1].fault
    assert found.copied == 0


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["store", *map(str, words)])


def test_the_command_prints_fields_between_tabs_and_names_what_is_damaged(
    filled: Store, tmp_path: Path
) -> None:
    target = tmp_path / "all"
    copied = run("merge", target, filled.root)
    assert copied.stdout.splitlines() == [
        "source\tcopied\tequal\tkept\tdamaged",
        f"{filled.root}\t2\t0\t0\t0",
    ]
    cut = next(target.glob("records/??/*/record.json"))
    cut.write_text("{")
    found = run("merge", tmp_path / "more", target)
    assert f"damaged record {cut.parent.name}" in found.stderr and "not copied" in found.stderr
    assert "it is not copied" not in copied.stderr and run("merge", target).exit_code == 2
