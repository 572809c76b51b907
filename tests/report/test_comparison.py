"""Two configurations against each other: what is claimed, what is refused, and how configurations
are named.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from report_records import audit_of, benchmark, failure, hash_of, pairs_of, record

from hsiaug.base.errors import InputError
from hsiaug.report import build_report
from hsiaug.report.comparison import (
    Comparison,
    Pairing,
    compare_configurations,
    comparison_tables,
    configuration_names,
    find_configuration,
    notes,
)
from hsiaug.report.section import Section

pytestmark = pytest.mark.usefixtures("blank_pictures")

A, B = "none/svm", "smote/svm"


def arms(gains: Sequence[float], **spec: Any) -> list[dict]:
    """none, and smote with these gains in AA over it, a draw each."""
    plain = [record(aa=0.40 + 0.03 * s, seed=s, **spec) for s in range(len(gains))]
    return plain + [
        record(aa=0.40 + 0.03 * s + g, seed=s, generator="smote", **spec)
        for s, g in enumerate(gains)
    ]


def comparison(records: list[dict], a: str = A, b: str = B, **options: Any) -> Comparison:
    return compare_configurations(build_report(records, store="results"), a, b, **options)


def one(records: list[dict], a: str = A, b: str = B, **options: Any) -> Pairing:
    (pairing,) = comparison(records, a, b, **options).pairings
    return pairing


def page_of(found: Comparison) -> Section:
    (page,) = comparison_tables(found, "results").sections
    return page


def rows(found: Comparison, place: int) -> list[tuple[str, ...]]:
    """A table of the page: scores, draws or classes."""
    return [*page_of(found).frames[place].frame.reset_index().itertuples(index=False, name=None)]


def told(records: list[dict]) -> str:
    """The sentence in which the page ends."""
    return page_of(comparison(records)).closing[-1]


def test_six_splits_of_one_sign_carry_a_claim_either_way_round() -> None:
    records = arms([0.01, 0.02, 0.03, 0.04, 0.05, 0.06])
    assert one(records).gain.main.word == "better"
    assert told(records).startswith("B minus A, AA: +3.5 [") and "(p = .031" in told(records)
    turned = one(records, B, A).gain
    assert turned.main.word == "worse" and turned.mean == pytest.approx(-0.035)


def test_what_a_spectral_view_gives_is_compared_like_any_arm() -> None:
    records = arms([0.05] * 6) + arms([0.0] * 6, view="unit")
    pairing = one(records, "none/svm (raw)", "none/svm (unit)")
    a, b = pairing.gain.control_cell, pairing.gain.cell
    assert a is not None and a.classifier.view == "raw" and b.classifier.view == "unit"
    assert set(configuration_names([(cell.arm, cell.classifier) for cell in (a, b)]).values()) == {
        "none/svm (raw)",
        "none/svm (unit)",
    }


@pytest.mark.parametrize("n", [1, 5])
def test_five_draws_carry_none_however_large_the_difference(n: int) -> None:
    records = arms([0.3] * n)
    assert one(records).gain.main.word == "unclear"
    assert told(records).endswith("at least 6 are needed")


def test_each_condition_is_a_table_of_its_own_as_in_the_report() -> None:
    gains = [0.01, 0.02, 0.03, 0.04, 0.05, 0.06]
    found = comparison(arms(gains) + arms(gains, scene="pavia_university"))
    assert [p.gain.main.word for p in found.pairings] == ["better", "better"]
    few, enough = comparison(
        arms(gains[:3], protocol=("kshot", "10", "centre")) + arms(gains)
    ).pairings[::-1]
    assert few.gain.main.word == "unclear"
    assert enough.gain.main.word == "better"


GENERATORS = ("none", "duplicate", "mixup", "smote")


def test_arms_that_the_report_does_not_compare_join_its_correction() -> None:
    found = one(benchmark(9), "mixup/svm", "smote/svm")
    alone = one(
        [r for r in benchmark(9) if "none" not in str(r["spec"]["generator"])],
        "mixup/svm",
        "smote/svm",
    )
    p, by_itself = found.gain.main.p_corrected, alone.gain.main.p_corrected
    assert p is not None and by_itself is not None and p >= by_itself
    assert p == one(benchmark(9), "smote/svm", "mixup/svm").gain.main.p_corrected


def test_only_shared_draws_are_compared() -> None:
    records = [
        r for r in arms([0.01, 0.02, 0.03]) if (r["spec"]["seed"], r["spec"]["lambda"]) != (0, 1.0)
    ]
    records.append(failure(generator="smote", seed=0))
    found = one(records)
    assert [b.seed for b, _ in pairs_of(found.gain)] == [1, 2]
    assert [*notes(found)] == [
        "A, seed 0: no partner on the same pixels",
        "B, seed 0: PluginError in sample: no sample came back",
    ]


def idle(seed: int) -> dict:
    made = record(generator="smote", seed=seed)
    return made | {"status": "empty", "metrics": None, "samples": None}


@pytest.mark.parametrize(
    ("others", "why"),
    [
        (
            [record(seed=2, generator="smote")],
            r"must share a split.*A, seeds 0, 1: no partner on the same pixels; B, seed 2:",
        ),
        ([record(seed=0, generator="smote", audit=audit_of(7))], "share no split"),
        (
            [failure(seed=s, generator="smote") for s in range(3)],
            r"B, seeds 0–2: PluginError in sample: no sample came back",
        ),
        ([idle(0), idle(1)], "nothing made"),
    ],
)
def test_what_shares_no_split_is_refused_with_the_reason(others: list[dict], why: str) -> None:
    with pytest.raises(InputError, match=why):
        comparison([record(seed=0), record(seed=1), *others])


def test_conditions_of_one_arm_are_named() -> None:
    found = comparison([*arms([0.1]), record(scene="pavia_university", generator="smote")])
    assert len(found.pairings) == 1
    assert found.apart == (
        "pavia_university, issd:0.05, centre buffer, 9×9 patches, pixels: only B was run",
    )


@pytest.mark.parametrize(
    ("records", "asked", "why"),
    [
        (
            arms([0.1]),
            {"a": "smote/svm", "b": "smote@1/svm"},
            "must be two configurations; found smote@1/svm twice",
        ),
        ([], {}, "results must hold records"),
        (arms([0.1]), {"metric": "kapa"}, "Did you mean kappa"),
    ],
)
def test_what_cannot_be_compared_is_refused(records: list[dict], asked: dict, why: str) -> None:
    with pytest.raises(InputError, match=why):
        comparison(records, **asked)


def test_another_metric_can_be_asked_for() -> None:
    records = arms([0.01, 0.02, 0.03])
    for r in records[3:]:
        r["metrics"]["oa"] = 0.7
    found = one(records, metric="oa")
    assert found.gain.mean == pytest.approx(0.2)
    assert found.score.name == "OA"
    assert one(records, metric="subset:IP-2").gain.mean == pytest.approx(0.02)
    assert one(records, metric="kappa").score.name == "κ"


def test_masks_are_compared_on_their_own_metric() -> None:
    records = arms([0.1, 0.2])
    for r in records:
        r["spec"]["task"] = "segmentation"
        r["metrics"]["miou"] = r["metrics"]["aa"]
        r["hash"] = hash_of(r["spec"])
    found = one(records)
    assert found.score.key == "miou" and found.gain.mean == pytest.approx(0.15)
    assert not [*notes(found)]


# Names of configurations


def keys(records: list[dict]) -> list:
    (table,) = build_report(records).tables
    return [*table.cells, *((cell.arm, cell.classifier) for cell in table.blind)]


MANY = [
    *benchmark(1),
    record(generator="smote", lam=0.5),
    record(generator="smote", lam=0.5, generator_params={"k": 3}),
    record(generator="txt2hsi", omega=1.5),
    record(generator="txt2hsi", omega=3.0),
    record(generator="smote", classifier="timm:hub/resnet"),
    record(classifier="svm", classifier_params={"c": 10}),
]


COUNTS = [record(), *(record(generator="smote", times=times) for times in (None, 0.5, 3.0))]


@pytest.mark.parametrize("records", [MANY, COUNTS])
def test_every_name_leads_back_to_its_arm(records: list[dict]) -> None:
    names = configuration_names(keys(records))
    assert len(set(names.values())) == len(names)
    assert all(find_configuration(name, "A", names) == key for key, name in names.items())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("smote@1/svm", "smote@1/svm"),
        ("smote@1x0/svm", "smote@1/svm"),
        ("smote@1.0x3.0/svm", "smote@1x3/svm"),
        ("smote λ=1 M=3 with svm", "smote@1x3/svm"),
        ("smote λ = 1, M = 0.5 with svm", "smote@1x0.5/svm"),
        ("none with svm", "none/svm"),
        ("svm without samples", "none/svm"),
    ],
)
def test_samples_for_each_real_one_stand_behind_lambda(text: str, name: str) -> None:
    names = configuration_names(keys(COUNTS))
    assert names[find_configuration(text, "A", names)] == name


def test_what_lambda_alone_fits_several_of_is_refused() -> None:
    with pytest.raises(InputError, match=r"which fits 2: smote@1x0.5/svm, smote@1x3/svm"):
        find_configuration("smote@1/svm", "A", keys(COUNTS[2:]))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("none/cnn2d", "none/cnn2d"),
        ("none@0/cnn2d", "none/cnn2d"),
        ("none/coords", "none/coords"),
        ("smote@1/cnn2d", "smote k unset@1/cnn2d"),
        ("smote k=3@0.50/svm", "smote k=3@0.5/svm c unset"),
        ("smote k=3/svm", "smote k=3@0.5/svm c unset"),
        ("txt2hsi@1@3.0/svm", "txt2hsi@1@3/svm c unset"),
        ("smote/timm:hub/resnet", "smote k unset@1/timm:hub/resnet"),
        ("none/svm c=10", "none/svm c=10"),
        ("coords", "none/coords"),
        ("smote k=3", "smote k=3@0.5/svm c unset"),
    ],
)
def test_what_is_left_out_is_filled_in_where_one_arm_fits(text: str, name: str) -> None:
    names = configuration_names(keys(MANY))
    assert names[find_configuration(text, "A", names)] == name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (
            "smote/svm",
            (
                "A must name one configuration",
                "smote k=3@0.5/svm c unset, smote k unset@0.5/svm c unset",
            ),
        ),
        ("txt2hsi/svm", ("which fits 2", "txt2hsi@1@1.5/svm c unset, txt2hsi@1@3/svm c unset")),
        ("txt2hsi@1/svm", ("which fits 2",)),
        ("none/svm", ("which fits 2", "none/svm c=10")),
        ("smot/svm", ("'smot/svm'", "Did you mean smote")),
        ("smote/cnn", ("'smote/cnn'", "Did you mean smote")),
        ("smote@2/svm", ("a configuration of the store", "smote k=3@0.5/svm c unset")),
        ("txt2hsi@1@2/svm", ("a configuration of the store",)),
        ("mixup@1@3/svm", ("a configuration of the store", "mixup@1/svm")),
        ("smote@half/svm", ("a configuration of the store",)),
        ("none/coords/", ("'none/coords/'", "none/coords")),
        ("smote", ("A must name one configuration", "smote k=3@0.5/svm c unset")),
        ("smot", ("GENERATOR[@λ[xM][@ω]]/CLASSIFIER", "Did you mean smote")),
        ("", ("GENERATOR[@λ[xM][@ω]]/CLASSIFIER",)),
        ("/svm", ("A must be a configuration",)),
    ],
)
def test_a_name_that_fits_none_or_several_is_refused_with_what_there_is(
    text: str, parts: tuple[str, ...]
) -> None:
    with pytest.raises(InputError) as caught:
        find_configuration(text, "A", keys(MANY))
    for part in parts:
        assert part in str(caught.value)
