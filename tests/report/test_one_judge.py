"""One judge: whoever asks, and for whichever rows, intervals, verdicts and answers are the same."""

import json
import random
from typing import Any

import pytest

from hsiaug.report import build_report, report_json
from hsiaug.report.answers import three_answers
from hsiaug.report.comparison import compare_configurations
from hsiaug.report.gains import verdict_of
from hsiaug.report.render_data import data_rows
from hsiaug.report.tables import Report
from tests.report.screens import FIVE, stores, transductive, trials

KEYS = ("scene", "generator", "lambda", "omega", "classifier", "over")
VALUES = ("gain", "low", "high", "p_corrected", "shown", "verdict", "rival")


def gains_of(report: Report) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    rows = data_rows(report, "gain")
    return {tuple(row[k] for k in KEYS): tuple(row[k] for k in VALUES) for row in rows}


def answers_of(report: Report) -> dict[str, Any]:
    return {t.condition.scene: three_answers(t).as_json() for t in report.tables}


@pytest.mark.parametrize("name", ["five", "transductive", "sweep", "two_scenes"])
@pytest.mark.parametrize("seed", range(2))
def test_a_subset_of_rows_is_a_filter(name: str, seed: int) -> None:
    records = stores()[name]
    whole = build_report(records)
    draw = random.Random(seed)
    cells = sorted(
        {(r["spec"]["generator"]["name"], r["spec"]["classifier"]["name"]) for r in records}
    )
    asked = {cell for cell in cells if draw.random() < 0.5} or {cells[-1]}

    def keep(cell: Any) -> bool:
        return (cell.arm.generator.name, cell.classifier.name) in asked

    hashes = [
        r["hash"]
        for r in records
        if (r["spec"]["generator"]["name"], r["spec"]["classifier"]["name"]) in asked
    ]
    for part in (build_report(records, keep=keep), build_report(records, runs={"": hashes})):
        every = gains_of(whole)
        found = gains_of(part)
        assert found == {key: every[key] for key in found}
        every_answer = answers_of(whole)
        assert answers_of(part) == {scene: every_answer[scene] for scene in answers_of(part)}
        shown = {row["hash"] for row in data_rows(part)}
        assert shown == {*hashes}


def test_other_splits_of_the_store_are_another_question() -> None:
    records = trials({"smote": 0.04}, splits=6)
    others = [r for r in trials(FIVE, splits=12, seed=1) if r["spec"]["seed"] >= 6]
    hashes = [r["hash"] for r in records]
    found = build_report([*records, *others], runs={"": hashes})
    assert gains_of(found) == gains_of(build_report(records))
    assert gains_of(build_report([*records, *others], seeds=range(6))) == gains_of(found)


@pytest.mark.parametrize("control", ["none", "duplicate", "pseudo", "teacher"])
@pytest.mark.parametrize("how", ["missing", "strong"])
def test_every_control_is_asked(control: str, how: str) -> None:
    records = transductive()
    assert verdict_in(records).word == "better"

    def is_control(one: dict[str, Any]) -> bool:
        spec = one["spec"]
        by_teacher = spec["classifier"]["name"] == "teacher"
        return (
            by_teacher
            if control == "teacher"
            else (spec["generator"]["name"] == control and spec["classifier"]["name"] == "svm")
        )

    if how == "missing":
        records = [one for one in records if not is_control(one)]
        assert str(verdict_in(records)) == f"unclear: {control} was not run"
    else:
        for one in filter(is_control, records):
            one["metrics"]["aa"] += 0.2
            one["metrics"]["recall"] = [one["metrics"]["aa"]] * 3
        assert (verdict_in(records).word, verdict_in(records).control) == ("worse", control)


def verdict_in(records: list[dict[str, Any]]) -> Any:
    (table,) = build_report(records).tables
    arm = next(arm for (one, _), arm in table.by_arm.items() if one.generator.name == "txt2hsi")
    verdict = arm["none"].verdict
    assert verdict == verdict_of(arm["none"].cell, {name: one.main for name, one in arm.items()})
    return verdict


def test_a_gain_must_matter() -> None:
    records = trials({"smote": 0.0})
    for one in records:
        if one["spec"]["generator"]["name"] == "smote":
            twin = next(
                r
                for r in records
                if r["spec"]["seed"] == one["spec"]["seed"]
                and r["spec"]["generator"]["name"] == "none"
                and r["spec"]["classifier"]["name"] == "svm"
            )
            one["metrics"]["aa"] = twin["metrics"]["aa"] + 0.003 + 0.0001 * one["spec"]["seed"]
            one["metrics"]["recall"] = [one["metrics"]["aa"]] * 3
    (table,) = build_report(records).tables
    (small,) = build_report(records, smallest=0.002).tables
    words = [
        next(gain for gain in one.compared if gain.verdict and gain.control == "none").main.word
        for one in (table, small)
    ]
    assert words == ["no gain", "better"]
    assert three_answers(table).over_none.status == "NO"


def test_compare_has_the_interval_of_the_report() -> None:
    report = build_report(transductive())
    (pairing,) = compare_configurations(report, "teacher", "txt2hsi").pairings
    (table,) = report.tables
    gain = next(
        one
        for one in table.compared
        if one.control == "teacher" and one.cell.arm.generator.name == "txt2hsi"
    )
    assert pairing.gain.main == gain.main


def test_what_ranked_configurations_is_not_quoted_but_run_on_other_splits() -> None:
    several, one = (three_answers(build_report(stores()[n]).tables[0]) for n in ("five", "one"))
    assert not several.quotable and several.quote.endswith("--seeds 400-406 --store quote")
    assert one.quotable and one.quote == ""
    # Asked for alone, it was ranked all the same.
    records = stores()["five"]
    alone = build_report(records, keep=lambda cell: cell.arm.generator.name == "smote")
    assert not three_answers(alone.tables[0]).quotable


def test_the_best_configuration_has_its_lead() -> None:
    (table,) = build_report(stores()["transductive"]).tables
    best = three_answers(table).best
    assert best is not None and best.next is not None
    means = sorted(table.main_scores.values(), reverse=True)
    assert table.main_scores[best.cell] == means[0]
    assert best.next.main.family == len(means) * (len(means) - 1) // 2
    assert best.sure == (best.next.main.p_corrected < 0.05)


def test_json_has_the_answers_as_plain_values() -> None:
    report = build_report(stores()["five"], store="results")
    (table,) = json.loads(json.dumps(report_json(report)))["tables"]
    assert table["answers"]["over_none"]["status"] == "YES"
    assert table["answers"]["best"]["generator"] in FIVE
