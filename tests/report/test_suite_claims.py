"""Claims and tables of a suite: what the records of a store say of them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from html_pages import parsed
from pandas import DataFrame

from hsiaug.metrics.significance import Evidence, student
from hsiaug.report import build_report, render_html
from hsiaug.report.output_files import table_text
from hsiaug.report.render_rich import rich_text
from hsiaug.report.suite_findings import (
    ClaimedGain,
    StoredValues,
    find_claims,
    find_tables,
)
from hsiaug.report.suite_pages import claim_sentences, suite_tables
from hsiaug.report.trials import trials_of_records
from hsiaug.trial.declared_tables import (
    ArmTrial,
    Claim,
    DeclaredTable,
    DeclaredTables,
    TableSetting,
)
from hsiaug.trial.sample_measures import SampleMeasure, read_measures, write_measures
from hsiaug.trial.store import Store
from tests.report.report_records import failure, record

pytestmark = pytest.mark.usefixtures("blank_pictures")

SETTING = TableSetting("toy", "kshot:3")
DRAWS = (0, 1, 2)


def arm_of(name: str, *places: float) -> dict[TableSetting, dict[int, tuple[ArmTrial, ...]]]:
    """Trials of an arm named after it, its draw and its λ."""
    return {
        SETTING: {
            draw: tuple(
                ArmTrial(f"{name}-{draw}-{lam:g}", f"samples-{name}-{draw}", lam, None)
                for lam in places or (1.0,)
            )
            for draw in DRAWS
        }
    }


def stored(values: dict[str, tuple[float, ...]], **measures: tuple[float, float]) -> StoredValues:
    """OA of each arm (as ``svm`` or ``swept@2``) by draw, and a measure of the arm ``ours``."""
    trials: dict[str, float] = {}
    for text, draws in values.items():
        name, _, lam = text.partition("@")
        for draw, value in zip(DRAWS, draws, strict=False):
            trials[f"{name}-{draw}-{lam or 1}"] = value
    rows = {name: SampleMeasure(name, "", *pair) for name, pair in measures.items()}
    samples = [f"samples-ours-{draw}" for draw in DRAWS]
    return StoredValues(DataFrame({"oa": trials}), {name: rows if rows else {} for name in samples})


def declared(claim: dict[str, Any], **arms: Any) -> DeclaredTables:
    own = Claim.model_validate_json(
        json.dumps({"name": "C1", "says": "It gains", "differences": [claim]})
    )
    return DeclaredTables("--suite my_suite", "A try", (own,), arms=arms)


def claimed(name: str, *differences: float, **how: Any) -> ClaimedGain:
    return ClaimedGain(name, student(Evidence(differences)), **how)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.02, 0.03, 0.025), "supported"),
        ((0.02, -0.01, 0.03), "open"),
        ((-0.02, 0.01, -0.03), "not supported"),
        ((0.02,), "open"),
        ((), "open"),
    ],
)
def test_a_gain_is_supported_where_its_interval_is_clear_of_zero(
    values: tuple[float, ...], verdict: str
) -> None:
    assert claimed("oa", *values).verdict == verdict
    assert claimed("oa", *(-value for value in values), sign=-1).verdict == verdict


def test_what_only_has_to_match_may_be_equal_and_is_refuted_by_a_clear_difference() -> None:
    def verdict(*values: float) -> str:
        return claimed("quality.sad", *values, sign=-1, equal_is_enough=True).verdict

    assert verdict(-0.2, 0.1, 0.0) == "supported"
    assert verdict(0.0, 0.0, 0.0) == "supported"
    assert verdict(0.3, -0.1, 0.0) == "open"
    assert verdict(0.30, 0.31, 0.32) == "not supported"


def test_each_rival_of_an_arm_is_a_row_and_a_missing_draw_leaves_it_open() -> None:
    arms = {name: arm_of(name) for name in ("ours", "svm", "rf")}
    gains = declared({"arm": "ours", "over": ["svm", "rf"], "rises": "oa"}, **arms)
    values = {"ours": (0.6, 0.61, 0.62), "svm": (0.5, 0.5, 0.5), "rf": (0.5, 0.5)}
    (found,) = find_claims(gains, stored(values))

    assert [(row.label, row.verdict, row.draws) for row in found.rows] == [
        ("ours − svm", "supported", 3),
        ("ours − rf", "open", 2),
    ]
    assert found.verdict == "supported in part"
    assert [*claim_sentences(found)] == [
        "Supported in part.",
        "toy, kshot:3: supported for ours over svm; open for ours over rf.",
    ]


def test_a_gain_may_have_to_exceed_that_of_another_arm() -> None:
    arms = {name: arm_of(name) for name in ("cnn", "cnn0", "svm", "svm0")}
    claim = {"arm": "cnn", "over": "cnn0", "more_than": ["svm", "svm0"], "rises": "oa"}
    values = {"cnn": (0.7,) * 3, "cnn0": (0.5,) * 3, "svm": (0.6,) * 3, "svm0": (0.5, 0.51, 0.52)}
    (found,) = find_claims(declared(claim, **arms), stored(values))

    assert found.rows[0].differences[0].evidence.differences == pytest.approx((0.1, 0.11, 0.12))
    assert found.rows[0].label == "gain of cnn − gain of svm"


def test_the_best_of_a_sweep_must_lie_inside_and_its_gain_is_of_draws_that_did_not_choose_it():
    arms = {"swept": arm_of("swept", 1.0, 2.0, 4.0), "none": arm_of("none")}
    claim = {"arm": "swept", "over": "none", "sweep": "lambda", "rises": "oa"}
    inside = {
        "swept@1": (0.5, 0.5, 0.5),
        "swept@2": (0.6, 0.6, 0.4),
        "swept@4": (0.4, 0.4, 0.5),
        "none": (0.3, 0.3, 0.3),
    }
    (found,) = find_claims(declared(claim, **arms), stored(inside))
    (row,) = found.rows
    assert row.sweep is not None and row.sweep.best == 2 and row.sweep.interior
    # The last draw takes what is best on the first two, where it is worse itself.
    assert row.differences[0].evidence.differences == pytest.approx((0.2, 0.2, 0.1))

    rising = {**inside, "swept@4": (0.9, 0.9, 0.9)}
    (found,) = find_claims(declared(claim, **arms), stored(rising))
    assert found.rows[0].verdict == "not supported"


def test_samples_are_compared_with_held_out_ones_by_what_was_measured() -> None:
    matching = declared({"arm": "ours", "matches": "quality.sad"}, ours=arm_of("ours"))
    (found,) = find_claims(matching, stored({}, sad=(1.0, 1.5)))
    assert found.rows[0].differences[0].evidence.differences == (-0.5, -0.5, -0.5)
    assert found.verdict == "supported"
    (unmeasured,) = find_claims(matching, stored({}))
    assert unmeasured.verdict == "open"


def test_the_spread_of_recall_is_over_the_classes_that_were_tested() -> None:
    """And what a record says that is no metric, as its time, is no value."""
    records = [
        record(seed=0, recall=[0.2, None, 0.4]),
        record(seed=1, recall=[0.5, None, None]),
        record(seed=2, recall=[0.1, 0.1, 0.7]),
        failure(seed=3),
    ]
    read = StoredValues(trials_of_records(records).set_index("hash"), {})

    def values(name: str) -> list[float | None]:
        trials = [ArmTrial(each["hash"], "", 0.0, None) for each in records]
        return [read.value(trial, name) for trial in trials]

    assert values("oa") == [0.5, 0.5, 0.5, None]
    assert values("recall_spread") == pytest.approx([0.2 / 2**0.5, None, 0.6 / 3**0.5, None])
    for name in ("recall", "seconds", "hash", "nowhere"):
        assert values(name) == [None] * 4


def test_a_table_has_a_row_for_each_arm_on_each_data() -> None:
    table = DeclaredTable.model_validate(
        {
            "name": "Table 1",
            "title": "Quality",
            "columns": (
                {"title": "OA", "value": "oa"},
                {"title": "SAD", "value": "quality.sad"},
            ),
            "rows": ({"title": "real", "arm": "svm"}, {"title": "SpecDM", "arm": "ours"}),
        }
    )
    arms = {name: arm_of(name) for name in ("svm", "ours")}
    tables = DeclaredTables("--suite my_suite", "A try", tables=(table,), arms=arms)
    rows = find_tables(tables, stored({"svm": (0.5, 0.6, 0.7)}, sad=(1.0, 2.0)))["Table 1"]

    assert [[entry.values for entry in row] for row in rows] == [
        [(0.5, 0.6, 0.7), ()],
        [(), (1.0, 1.0, 1.0)],
    ]


def test_a_table_without_any_arm_on_the_data_says_so(tmp_path: Path) -> None:
    table = DeclaredTable.model_validate(
        {
            "name": "Table 2",
            "title": "Quality",
            "columns": ({"title": "OA", "value": "oa"},),
            "rows": ({"title": "real", "arm": "svm"},),
        }
    )
    tables = DeclaredTables("--suite my_suite", "A try", tables=(table,), arms={"svm": {}})
    summary, page = suite_tables(tables, Store(tmp_path, create=True)).sections
    assert summary.heading == "A try"
    assert "not planned on these data" in rich_text([summary])
    assert page.text == ("No arm of it is planned on these data.",) and not page.tables
    assert "No arm" in rich_text([page])


def test_what_a_store_lacks_is_said_with_the_command_that_makes_it(tmp_path: Path) -> None:
    asked = declared(
        {"arm": "ours", "over": "svm", "rises": ["oa", "quality.sad"]},
        ours=arm_of("ours"),
        svm=arm_of("svm"),
    )
    tables = suite_tables(asked, Store(tmp_path, create=True))
    text = table_text(tables, ".md")
    options = f"--suite my_suite --store {tmp_path}"

    assert f"'hsiaug benchmark {options}'" in text and f"'hsiaug inspect {options}'" in text
    assert tables.value["claims"][0]["verdict"] == "open"


def test_the_page_of_a_suite_begins_with_its_claims(tmp_path: Path) -> None:
    asked = declared(
        {"arm": "ours", "over": "svm", "rises": ["oa"]}, ours=arm_of("ours"), svm=arm_of("svm")
    )
    pages = suite_tables(asked, Store(tmp_path, create=True)).sections
    text = parsed(render_html(build_report([]), declared=pages)).text
    assert re.search(r"C1\s*It gains\s*open", text)
    assert text.index("C1. It gains") < text.rindex("What helps")


def test_the_tables_of_a_suite_are_listed_first_under_its_title(tmp_path: Path) -> None:
    table = DeclaredTable.model_validate(
        {
            "name": "Table 1",
            "title": "Quality",
            "columns": ({"title": "OA", "value": "oa"},),
            "rows": ({"title": "real", "arm": "svm"}, {"title": "both", "arm": "ours"}),
        }
    )
    arms = {name: arm_of(name) for name in ("svm", "ours")}
    tables = DeclaredTables("--suite my_suite", "A try", tables=(table,), arms=arms)
    pages = suite_tables(tables, Store(tmp_path, create=True)).sections
    page = parsed(render_html(build_report([]), declared=pages))
    assert [node.text for node in page.all("title")] == ["A try · hsiaug"]
    assert re.search(r"Table 1\s*Quality\s*0 of 2 rows", page.text)


def test_measures_are_found_by_the_hash_of_their_samples_alone(tmp_path: Path) -> None:
    measure = SampleMeasure("angle", "°", 1.0, None)
    write_measures(tmp_path, "abc", {"sad": measure}, {"seed": 0})
    write_measures(tmp_path, "abc", {"js": measure}, {"seed": 0})

    assert read_measures(tmp_path, "abc") == {"sad": measure, "js": measure}
    assert read_measures(tmp_path, "abd") == {}
    path = tmp_path / "quality" / "abc.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 0'))
    assert read_measures(tmp_path, "abc") == {}
