"""``hsiaug report --trial``: all that a record tells is on the screen."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hsiaug.cli.show import LEFT_OUT
from hsiaug.trial.record_json import sealed
from tests.in_process import hsiaug
from tests.report.report_records import fill, record


def numbers_of(value: dict[str, Any], within: str = "") -> Iterator[tuple[str, object]]:
    """(name, value) of what is no list, no text and not empty, however deep."""
    for key, held in value.items():
        if isinstance(held, dict):
            yield from numbers_of(held, f"{within}{key}.")
        elif isinstance(held, bool | int | float) and key not in LEFT_OUT:
            yield f"{within}{key}", held


def shown(tmp_path: Path, one: dict[str, Any]) -> list[str]:
    fill(tmp_path, [one])
    done = hsiaug("report", "--trial", one["hash"], "--store", str(tmp_path))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_every_number_of_a_record_is_told_zero_and_false_too(tmp_path: Path) -> None:
    one = record(seed=0)
    names = [line.split("\t")[0].removesuffix(" (AA all)") for line in shown(tmp_path, one)]
    told = dict(numbers_of(one))
    assert [name for name in told if name not in names] == []
    zero = {"spec.seed", "spec.lambda", "audit.centre_overlap_percent"}
    assert {*zero, "transductive", "audit.leaky", "audit.n_test"} <= {*told}
    assert "metrics.n_test" not in names, "by class, below"


def test_what_has_no_sample_is_run_again_without_controls(tmp_path: Path) -> None:
    assert "run it again, into a new store:" in shown(tmp_path / "none", record())
    smote = shown(tmp_path / "smote", record(generator="smote"))
    assert "run it again, with its controls, into a new store:" in smote


def test_a_fit_that_trials_share_is_said_to_be_no_part_of_the_total(tmp_path: Path) -> None:
    one = record(generator="smote")
    shown(tmp_path, one)
    (file,) = tmp_path.glob("records/*/*/record.json")
    written = json.loads(file.read_text("utf-8"))
    for seconds in (6.0, 1.0):
        timings = {**written["timings"], "fit_generator": seconds, "total": 1.7}
        file.write_text(json.dumps(sealed({**written, "timings": timings})), "utf-8")
        said = hsiaug("report", "--trial", one["hash"], "--store", str(tmp_path)).stdout
        assert ("timings.fit_generator is of a fit" in said) == (seconds > 1.7)


def test_pixels_that_lie_in_several_tiles_are_said_to_count_in_each(tmp_path: Path) -> None:
    said = "real: these count a training pixel once in each tile that holds it"
    assert said not in shown(tmp_path / "once", record(generator="smote"))
    one = record(generator="smote")
    one["samples"]["real"] = [3 * number for number in one["samples"]["real"]]
    assert said in shown(tmp_path / "thrice", one)
