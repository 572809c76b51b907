"""How records become arms, cells, tables and comparisons."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_records import audit_of, benchmark, failure, pairs_of, record

from hsiaug.base.errors import StoreError
from hsiaug.report import build_report
from hsiaug.report.audit import chosen_views
from hsiaug.report.gains import ArmCell, ArmGains
from hsiaug.report.tables import ReportTable


def table_of(records: list[dict]) -> ReportTable:
    (table,) = build_report(records).tables
    return table


def cell_of(table: ReportTable, label: str) -> ArmCell:
    return {table.cell_label(cell).replace(" with ", " "): cell for cell in table.cells.values()}[
        label
    ]


def gains_of(table: ReportTable, label: str) -> ArmGains:
    arms = table.by_arm.values()
    return {table.cell_label(gains["none"].cell).replace(" with ", " "): gains for gains in arms}[
        label
    ]


def arm(generator: str, values: list[float], **spec: object) -> list[dict]:
    return [record(aa, aa, generator=generator, seed=s, **spec) for s, aa in enumerate(values)]


@pytest.mark.parametrize(
    "other",
    [
        {"protocol": ("issd", "0.05", "patch")},
        {"protocol": ("kshot", "10", "centre")},
        {"patch": 5},
        {"scene": "pavia"},
    ],
)
def test_what_was_not_measured_alike_stands_in_two_tables(other: dict) -> None:
    first, second = build_report([record(), record(**other)]).tables
    assert first.title != second.title


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"scene": {"name": "indian-pines", "sha256": "0" * 64}}, "scene 000000000000"),
        ({"illumination": "night"}, "night"),
    ],
)
def test_scenes_of_one_name_and_unknown_settings_part_tables(changed: dict, said: str) -> None:
    other = record()
    other["spec"] |= changed
    other["hash"] = "f" * 16
    titles = {table.title for table in build_report([record(), other]).tables}
    assert len(titles) == 2 and any(said in title for title in titles)


def test_rows_begin_with_the_controls_and_coords_is_no_column() -> None:
    table = table_of(benchmark(2, generators=("adasyn", "smote", "duplicate", "none")))
    assert [a.generator.name for a in table.arms] == ["none", "duplicate", "adasyn", "smote"]
    assert [c.name for c in table.classifiers] == ["cnn2d", "svm"]
    assert [len(cell.ok) for cell in table.blind] == [2]


def test_mean_and_std_of_a_cell_by_hand() -> None:
    summary = cell_of(table_of(arm("none", [0.4, 0.5, 0.6])), "none svm").summary("aa")
    assert summary == pytest.approx((0.5, 0.1, 3))


def test_spectral_views_of_a_classifier_are_columns_of_one_table() -> None:
    records = [
        r for view in (None, "unit", "auto") for r in benchmark(2, classifiers=("svm",), view=view)
    ]
    for made in records:
        made["spectral_view"] = {
            "name": "derivative" if made["spec"].get("view") == "auto" else "raw",
            "scores": None,
        }
    table = table_of(records)

    assert [table.labels[c] for c in table.classifiers] == ["svm (raw)", "svm (auto)", "svm (unit)"]
    assert len(cell_of(table, "none svm (unit)").trials) == 2
    assert chosen_views(table) == [("derivative", 2)]


def test_a_number_that_is_not_finite_is_missing() -> None:
    broken = record(math.nan, 0.5)
    assert table_of([broken]).trials["oa"].isna().all()
    assert table_of([broken]).trials["aa"].tolist() == [0.5]


@pytest.mark.parametrize(
    ("specs", "names"),
    [
        (
            [{"generator_params": {"k": k, "seed": 1}} for k in (3, 5)],
            ["smote k=3 λ=1", "smote k=5 λ=1"],
        ),
        (
            [{"version": version} for version in ("0.1.0", "0.2.0")],
            ["smote v0.1.0 λ=1", "smote v0.2.0 λ=1"],
        ),
        (
            [{"omega": omega} for omega in (None, 0.0, 1.5)],
            ["smote λ=1", "smote λ=1 ω=0", "smote λ=1 ω=1.5"],
        ),
    ],
)
def test_configurations_are_named_by_what_differs(specs: list[dict], names: list[str]) -> None:
    table = table_of([record(generator="smote", **spec) for spec in specs])
    assert [table.arm_label(arm) for arm in table.arms] == names


def test_of_many_parameters_names_say_what_is_not_usual() -> None:
    usual = {"a": 1, "b": 2, "c": 3, "d": 4}
    asked = [usual, usual | {"a": 0, "d": 0}, *({**usual, key: 0} for key in usual)]
    table = table_of([record(generator="smote", generator_params=each) for each in asked])
    told = ["", " a=0 d=0", " a=0", " b=0", " c=0", " d=0"]
    assert sorted(table.arm_label(a) for a in table.arms) == sorted(
        f"smote{each} λ=1" for each in told
    )


def test_classifiers_that_differ_in_a_parameter_are_two_columns() -> None:
    table = table_of([record(classifier_params=p) for p in ({"c": 1}, {"c": "1"}, {})])
    assert sorted(table.labels[c] for c in table.classifiers) == [
        "svm c unset",
        'svm c="1"',
        "svm c=1",
    ]


def test_two_conventions_of_omega_are_not_merged() -> None:
    mine, theirs = record(generator="specdm", omega=1.5), record(generator="specdm", omega=1.5)
    theirs["spec"]["omega_convention"] = "omega * eps(text) + (1 - omega) * eps(null)"
    theirs["hash"] = "f" * 16
    table = table_of([mine, theirs])
    assert len({table.arm_label(a) for a in table.arms}) == 2


def test_one_hash_counts_once_and_success_beats_failure() -> None:
    good, bad = record(), failure()
    assert good["hash"] == bad["hash"]
    assert table_of([good, bad, good]).trials["ok"].tolist() == [True]


def test_gain_is_paired_over_shared_draws() -> None:
    records = [
        *arm("none", [0.40, 0.50, 0.90]),
        *arm("duplicate", [0.41, 0.50, 0.10]),
        *arm("smote", [0.42, 0.54]),
        failure(generator="smote", seed=2),
    ]
    gains = gains_of(table_of(records), "smote λ=1 svm")
    assert gains["none"].main.differences == pytest.approx((0.02, 0.04))
    assert gains["none"].mean == pytest.approx(0.03)
    assert gains["duplicate"].main.differences == pytest.approx((0.01, 0.04))


@settings(max_examples=15, deadline=None)
@given(*[st.dictionaries(st.integers(0, 6), st.booleans(), max_size=10)] * 2)
def test_pairs_are_the_draws_in_which_both_went_well(
    ours: dict[int, bool], theirs: dict[int, bool]
) -> None:
    records = [
        (record if ok else failure)(generator=generator, seed=seed)
        for generator, seeds in (("smote", ours), ("none", theirs))
        for seed, ok in seeds.items()
    ]
    shared = {s for s, ok in ours.items() if ok} & {s for s, ok in theirs.items() if ok}
    found = [gain for table in build_report(records).tables for gain in table.compared]
    assert [gain.draws for gain in found] == ([len(shared)] if shared else [])
    for gain in found:
        assert all(
            a.seed == b.seed and a.arm.generator != b.arm.generator for a, b in pairs_of(gain)
        )


def test_the_duplicate_control_is_taken_at_the_same_lambda() -> None:
    records = [
        *arm("none", [0.4]),
        *arm("duplicate", [0.45], lam=1.0),
        *arm("smote", [0.5], lam=0.5),
    ]
    gains = gains_of(table_of(records), "smote λ=0.5 svm")
    assert gains["none"].draws == 1 and gains["duplicate"].control_cell is None
    assert str(gains["none"].verdict) == "unclear: 1 of at least 6 splits"


def test_the_control_has_the_same_classifier_down_to_its_parameters() -> None:
    records = [
        *arm("none", [0.4], classifier_params={"c": 1}),
        *arm("smote", [0.5], classifier_params={"c": 2}),
    ]
    assert all(gain.control_cell is None for gain in table_of(records).gains)


def test_trials_on_other_pixels_are_no_pair() -> None:
    moved = record(0.5, 0.5, generator="smote", audit=audit_of(0, sha256="other pixels"))
    table = table_of([record(), moved])
    assert table.gains and not table.compared


def verdict(none: list[float], duplicate: list[float], smote: list[float]) -> str:
    records = [*arm("none", none), *arm("duplicate", duplicate), *arm("smote", smote)]
    found = gains_of(table_of(records), "smote λ=1 svm")["none"].verdict
    assert found is not None
    return str(found)


def steps(start: float, n: int, step: float = 0.01) -> list[float]:
    return [start + step * i for i in range(n)]


def test_a_draw_in_which_nothing_was_made_is_no_pair() -> None:
    some = arm("smote", steps(0.5, 9))
    some[0] |= {"status": "empty", "metrics": None, "samples": None}
    gains = gains_of(table_of([*arm("none", steps(0.4, 9)), *some]), "smote λ=1 svm")
    assert [a.seed for a, _ in pairs_of(gains["none"])] == list(range(1, 9))


def test_one_lucky_draw_among_many_losses_shows_nothing() -> None:
    low = [0.5 - 0.0001 * (i + 1) for i in range(20)] + [0.99]
    table = table_of([*arm("none", [0.5] * 21), *arm("duplicate", [0.5] * 21), *arm("smote", low)])
    gain = gains_of(table, "smote λ=1 svm")["none"]
    assert gain.mean > 0 and gain.main.p is not None and gain.main.p > 0.9
    assert gain.verdict is not None and gain.verdict.word == "unclear"


def test_arms_that_gain_alike_are_corrected_as_one() -> None:
    """Eight draws of one sign decide, however many arms and controls the table has."""
    table = table_of(benchmark(8))
    assert len(table.judged) == 2 * 2 and len(table.compared) == 2 * (1 + 2 + 2)
    for gains in table.judged:
        assert [gain.main.p_corrected for gain in gains.values()] == pytest.approx([2 / 2**8] * 2)


def test_over_none_is_a_question_of_its_own() -> None:
    """Over none every draw agrees; over duplicate another arm wobbles, which raises the p over that
    alone.
    """
    wobble = [0.4 + 0.01 * i + 0.05 * (-1) ** i for i in range(9)]
    records = [
        *arm("none", steps(0.2, 9)),
        *arm("duplicate", steps(0.4, 9)),
        *arm("smote", steps(0.45, 9, 0.03)),
    ]
    alone = gains_of(table_of(records), "smote λ=1 svm")
    beside = gains_of(table_of([*records, *arm("mixup", wobble)]), "smote λ=1 svm")
    before, now = (
        {name: gain.main.p_corrected for name, gain in found.items()} for found in (alone, beside)
    )
    assert before["none"] == before["duplicate"] == now["none"] == 2 / 2**9
    assert now["duplicate"] is not None and now["duplicate"] > 2 / 2**9


def test_the_record_of_a_later_format_is_refused() -> None:
    with pytest.raises(StoreError, match="format 2"):
        build_report([{**record(), "format": 2}])


def test_a_record_without_its_classifier_is_refused_by_name() -> None:
    broken = record()
    del broken["spec"]["classifier"]
    with pytest.raises(StoreError, match=rf"{broken['hash']} .*classifier"):
        build_report([broken])


def test_a_trial_whose_process_died_has_no_audit_and_no_class_names() -> None:
    dead = failure(type="WorkerDied", seed=1)
    dead |= {"class_names": []}
    for key in ("audit", "samples", "scope"):
        dead.pop(key)
    table = table_of([dead, record(seed=0)])
    assert len(table.class_names) == 3 and table.failed["seed"].tolist() == [1]
