"""What a table ends in: sentences that a person understands, in every format."""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from html_pages import parsed
from report_records import audit_of, benchmark, failure, fill, headline, pairs_of, record

from hsiaug.base.colours import TONES
from hsiaug.base.terminal import Console
from hsiaug.report import build_report, print_report, render_html, render_report
from hsiaug.report.answer_texts import TONES as TONES_OF_WORDS
from hsiaug.report.answers import three_answers
from hsiaug.report.findings import verdict_text
from hsiaug.report.gains import rival_of
from hsiaug.report.matrices import card_figure, matrices, matrix_grids
from hsiaug.report.render_page import tip_of
from hsiaug.report.sections.overview import grouped_overview
from hsiaug.report.sections.recall import mixed_up
from hsiaug.report.tables import ReportTable
from hsiaug.report.two_arms import compare_arms
from hsiaug.results import read_store
from hsiaug.trial.store import Store

pytestmark = pytest.mark.usefixtures("blank_pictures")

CLAIMS = Path(__file__).parents[2] / "benchmarks" / "results" / "cluster" / "suite.csv"


def table_of(records: list[dict]) -> ReportTable:
    (table,) = build_report(records).tables
    return table


def said(records: list[dict]) -> list[str]:
    """The headline, and the verdict on each arm."""
    table = table_of(records)
    arms = (
        f"{table.cell_label(gains['none'].cell)}: {verdict_text(gains['none'].verdict, 'OA')}"
        for gains in table.judged
    )
    return [headline(table), *arms]


def answers(table: ReportTable) -> list[str]:
    """The three answers, a line each."""
    return [text.line for text in three_answers(table).texts]


def arm(
    generator: str, aa: Sequence[float], oa: Sequence[float] | None = None, **spec: object
) -> list[dict]:
    """An arm over the draws 0, 1, …; scores in percent."""
    both = zip(aa if oa is None else oa, aa, strict=True)
    return [
        record(o / 100, a / 100, generator=generator, seed=s, **spec)
        for s, (o, a) in enumerate(both)
    ]


def level(value: float, draws: int, slope: float = 0.0) -> list[float]:
    return [value + slope * i for i in range(draws)]


# README's first command, with the scores of its trials


FIRST = [
    *arm("none", [63.78, 64.4, 62.07], [54.68, 48.4, 53.75], classifier="cnn2d"),
    *arm("duplicate", [66.18, 67.42, 61.99], [52.43, 51.47, 50.78], classifier="cnn2d", lam=0.5),
    *arm("smote", [65.43, 66.61, 61.8], [51.8, 51.75, 48.95], classifier="cnn2d", lam=0.5),
    *arm("none", [47.75, 51.02, 49.66], [49.94, 44.73, 47.61], classifier="svm"),
    *arm("duplicate", [48.66, 51.02, 49.76], [50.88, 44.72, 47.67], classifier="svm", lam=0.5),
    *arm("smote", [49.0, 51.0, 49.68], [51.15, 44.68, 47.6], classifier="svm", lam=0.5),
]


def test_the_first_command_of_the_readme_ends_in_what_it_found() -> None:
    assert said(FIRST) == [
        (
            "Better than no samples: TOO FEW DRAWS (smote). Better than all controls: TOO FEW DRAWS"
            " (smote against duplicate). Use here: cnn2d without samples."
        ),
        "smote λ=0.5 with cnn2d: too few draws (3: at least 6 are needed)",
        "smote λ=0.5 with svm: too few draws (3: at least 6 are needed)",
    ]


def test_the_text_conditioned_generator_at_half_balance_says_plainly_what_it_found() -> None:
    """``hsiaug benchmark indian_pines --generator txt2hsi --lambda 0.5``, from committed
    records.
    """
    with CLAIMS.open(encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["protocol"] == "issd"
            and row["classifier"] in ("svm", "cnn2d")
            and int(row["seed"]) < 5
            and (row["generator"], row["lambda"])
            in (("none", "0.0"), ("duplicate", "0.5"), ("txt2hsi", "0.5"))
        ]
    records = [
        record(
            float(row["oa"]),
            float(row["aa"]),
            generator=row["generator"],
            classifier=row["classifier"],
            seed=int(row["seed"]),
            lam=float(row["lambda"]),
            omega=float(row["omega"]) if row["omega"] else None,
        )
        for row in rows
    ]
    assert said(records) == [
        (
            "Better than no samples: TOO FEW DRAWS (txt2hsi). Better than all controls: TOO FEW"
            " DRAWS (txt2hsi against duplicate). Use here: cnn2d without samples."
        ),
        "txt2hsi λ=0.5 ω=3 with cnn2d: too few draws (5: at least 6 are needed)",
        "txt2hsi λ=0.5 ω=3 with svm: too few draws (5: at least 6 are needed)",
    ]
    assert "| svm | txt2hsi | 0.5 | 3 | +5.1 | +0.6 | +5.0 | +0.6 | 5 |" in render_report(
        build_report(records)
    )


# What must be said


def test_a_gain_of_aa_is_said_with_its_loss_of_oa() -> None:
    records = [
        *arm("none", level(40, 9)),
        *arm("duplicate", level(41, 9)),
        *arm("smote", level(45, 9, 0.1), level(35, 9, 0.1)),
    ]
    assert said(records) == [
        (
            "Better than no samples: YES (smote). Better than all controls: YES (smote over"
            " duplicate). Use here: smote λ=1 with svm."
        ),
        "smote λ=1 with svm: helps, at a loss of OA",
    ]
    assert answers(table_of(records))[1] == (
        "2 Better than all controls? YES. smote λ=1 with svm: +4.4 [+4.2, +4.6] points of AA over"
        " duplicate (real samples repeated), at a loss of OA."
    )
    row = "| svm | smote | 1 | +5.4 | −4.6 | +4.4 | −5.6 | 9 | .004 | .004 (duplicate) | helps, at a loss of OA |"
    assert row in render_report(build_report(records))


def test_a_loss_of_oa_that_is_not_shown_is_said_without_being_called_one() -> None:
    wobble = [38 + 8 * (-1) ** i for i in range(9)]
    records = [
        *arm("none", level(40, 9)),
        *arm("duplicate", level(41, 9)),
        *arm("smote", level(45, 9, 0.1), wobble),
    ]
    assert said(records)[1] == "smote λ=1 with svm: helps"


def test_a_generator_that_made_nothing_is_not_judged() -> None:
    idle = arm("smote", level(40, 3), lam=1.0)
    for r in idle:
        r |= {
            "status": "empty",
            "metrics": None,
            "samples": {"real": [5, 5, 5], "synthetic": [0, 0, 0]},
        }
    assert said([*arm("none", level(40, 3)), *idle]) == [
        (
            "Better than no samples: NOTHING TO JUDGE. Better than all controls: NOTHING TO JUDGE."
            " Use here: svm without samples."
        ),
        "smote λ=1 with svm: nothing made",
    ]


def test_an_arm_that_failed_is_told_with_its_reason() -> None:
    lost = [
        failure(generator="smote", seed=s, message="k must be smaller\nthan the class")
        for s in range(3)
    ]
    records = [*arm("none", level(40, 3)), *arm("duplicate", level(40, 3)), *lost]
    assert said(records) == [
        (
            "Better than no samples: NOTHING TO JUDGE. Better than all controls: NOTHING TO JUDGE."
            " Use here: svm without samples."
        ),
        "smote λ=1 with svm: failed (3 of 3 draws)",
    ]
    assert "3 × PluginError in sample: k must be smaller. In smote λ=1" in render_report(
        build_report(records)
    )


@pytest.mark.parametrize("gain", [0.0, 0.00001, -0.00001, 0.0004, -0.0004])
def test_a_zero_has_no_sign_in_any_format(gain: float) -> None:
    records = [
        *arm("none", level(40, 9)),
        *arm("duplicate", level(40, 9)),
        *arm("smote", level(40 + 100 * gain, 9)),
    ]
    report = build_report(records)
    for format in ("md", "tex", "rich", "html"):
        text = render_report(report, format)
        assert not re.findall(r"[-+−]0\.0(?!\d)", text), format
        assert "equivalent to none" in text


# Many arms


def sweep(draws: int = 9) -> list[dict]:
    """A generator at twelve λ that does nothing, and one that helps at two."""
    lams = [0.25 * k for k in range(1, 13)]
    noise = [(-1) ** i * 0.3 for i in range(draws)]
    records = arm("none", level(40, draws))
    for lam in lams:
        records += arm("duplicate", [41 + n for n in noise], lam=lam)
        records += arm("mixup", [41 - n + 0.01 * lam for n in noise], lam=lam)
    return records


def test_arms_that_help_are_counted_also_in_a_sweep() -> None:
    helping = [r for lam in (0.25, 3.0) for r in arm("smote", level(60, 12, 0.1), lam=lam)]
    first, *lines = said(sweep(12) + helping)
    assert (
        "Better than all controls: YES, 2 of 14 arms (smote over duplicate). Use here: smote"
        in first
    )
    over_controls = three_answers(table_of(sweep(12) + helping)).over_controls
    assert over_controls.shown == 2
    assert {line for line in lines if line.endswith(": helps")} == {
        "smote λ=0.25 with svm: helps",
        "smote λ=3 with svm: helps",
    }


# Every format says the same


def test_every_format_says_the_same_words() -> None:
    report = build_report(LOSSES)
    (table,) = report.tables
    assert headline(table) == json.loads(render_report(report, "json"))["tables"][0]["headline"]
    page = " ".join(parsed(render_html(report)).text.split())
    for answer in three_answers(table).texts:
        assert answer.question in page and answer.status in page
        assert all(sentence in page for sentence in answer.sentences)
    for text in three_answers(table).texts:
        for sentence in text.sentences:
            assert sentence in render_report(report, "md")
            assert sentence.split()[-1] in " ".join(render_report(report, "rich").split())
    for gains in table.judged:
        assert f"{verdict_text(gains['none'].verdict, 'OA')} |" in render_report(report, "md")


def on_terminal(records: list[dict], **asked: bool) -> str:
    console = Console(file=io.StringIO(), width=100)
    print_report(build_report(records, store="hsiaug-results"), console, **asked)
    return console.file.getvalue()


def test_a_report_begins_with_what_helps_by_how_much_and_ends_in_what_to_run_next() -> None:
    helping = [
        *arm("none", level(40, 12)),
        *arm("duplicate", level(41, 12)),
        *arm("smote", level(50, 12, 0.1)),
    ]
    text = " ".join(on_terminal(helping).split())
    said = "smote λ=1 with svm: +9.6 [+9.3, +9.8] points of AA over duplicate"
    assert "1 Better than no samples? YES smote λ=1 with svm: +10.5 [" in text
    assert said in text and "3 Use here smote λ=1 with svm: AA 50.5, +10.5 [" in text
    assert "Next: hsiaug report --out report.html" in text
    assert said in render_report(build_report(helping), "md")


def test_the_end_names_the_best_arm_and_its_best_and_worst_class_among_those_of_its_aa() -> None:
    draws = ((0.5, 0.7, 0.9), (0.3, 0.9, 0.1))
    records = [
        record(
            recall=[r + gain for r in recalls],
            generator=name,
            seed=s,
            audit=audit_of(s, test_counts=[40, 30, 24]),
        )
        for name, gain in (("none", -0.1), ("smote", 0.0))
        for s, recalls in enumerate(draws)
    ]
    text = " ".join(on_terminal(records).split())
    assert (
        "smote λ=1 with svm has the highest AA (2 of 3) (it is not shown to be better than"
        " no samples, so answer 3 names another); of the classes of AA, its recall is highest in"
        " corn_notill (80.0 %)" in text
    )
    assert ", lowest in alfalfa (40.0 %). Next: hsiaug report" in text
    page = " ".join(parsed(render_html(build_report(records, store="my results"))).text.split())
    assert "lowest in alfalfa (40.0 %)." in page
    assert (
        "Next: hsiaug map indian-pines --classifier svm --out map.tif (the map of svm without"
        " samples, from nearly all labels)" in page
    )


def test_classes_that_nobody_could_learn_are_named_and_are_not_the_lowest() -> None:
    records = [
        record(
            aa=0.5 + gain,
            recall=[0.0 if s == 1 else 0.5, 0.6 + gain, 0.8 + gain],
            generator=name,
            seed=s,
            audit=audit_of(s, train_counts=[0 if s == 1 else 5, 12, 3]),
        )
        for name, gain in (("none", -0.1), ("smote", 0.0))
        for s in range(3)
    ]
    text = " ".join(on_terminal(records).split())
    assert "Without a training pixel, and counted as 0 in AA: alfalfa (seed 1)." in text
    assert (
        "of the classes with training pixels and at least 25 test pixels in every draw, its recall"
        " is highest in oats (80.0 %), lowest in corn_notill (60.0 %)" in text
    )
    for one in records:
        # No class counts that has no test pixel either.
        one["audit"] = audit_of(0, train_counts=[0, 12, 3], test_counts=[0, 30, 30])
    assert "No training pixel" not in on_terminal(records)


def test_too_few_draws_are_said_in_one_line_with_the_command_that_runs_the_others() -> None:
    text = " ".join(on_terminal(FIRST).split())
    assert (
        "1 Better than no samples? TOO FEW DRAWS 3 draws; at least 6 are needed: the same benchmark"
        " with --seeds 7. smote: mean +"
    ) in text


def test_a_terminal_shows_definitions_and_the_audit_only_where_they_are_asked_for() -> None:
    short, whole = on_terminal(FIRST), on_terminal(FIRST, notes=True)
    assert "Not leaky: no test pixel lies in the patch of a training pixel." in short
    assert "lost classes" in whole and "lost classes" not in short
    assert "Mean ± std" in whole and "Mean ± std" not in short


def test_a_terminal_says_whether_draws_leak_not_only_in_the_audit() -> None:
    leaky = [record(audit=audit_of(leaky=True, centre_overlap_percent=40.0))]
    assert "Not leaky" not in on_terminal(leaky)
    assert "LEAKY: location alone answers for part of the score. 40.0 % of" in on_terminal(leaky)
    little = [record(audit=audit_of(centre_overlap_percent=0.01))]
    assert "Not leaky: less than 0.1 % of test pixels lie in the patch of a" in on_terminal(little)


def test_twenty_arms_on_three_scenes_take_sixty_odd_lines() -> None:
    records = [
        record(0.5, aa, generator=f"maker-{n:02}", classifier=classifier, seed=seed, scene=scene)
        for scene in ("indian-pines", "houston-crop", "salinas")
        for seed in range(6)
        for classifier in ("svm", "cnn2d")
        for n, aa in enumerate([0.4 + 0.01 * n + 0.01 * (seed * n % 3) for n in range(10)])
    ] + [
        record(
            0.5,
            0.4 + 0.001 * seed,
            generator=generator,
            classifier=classifier,
            seed=seed,
            scene=scene,
        )
        for scene in ("indian-pines", "houston-crop", "salinas")
        for seed in range(6)
        for classifier in ("svm", "cnn2d")
        for generator in ("none", "duplicate")
    ]
    lines = on_terminal(records).splitlines()
    assert len(lines) <= 65 and max(map(len, lines)) <= 100
    assert (
        sum(
            bool(re.match(r"maker-\d\d λ=1, \w+ +\d+\.\d±\d+\.\d +(above|<1 point) [+−]\d", line))
            for line in lines
        )
        == 20
    )


def test_without_a_generator_there_is_nothing_to_judge() -> None:
    assert (
        headline(table_of(arm("none", level(40, 2))))
        == "Better than no samples: NOTHING TO JUDGE. Better than all controls: NOTHING TO JUDGE."
        " Use here: svm without samples."
    )


# Draws are splits


def on_two_splits(records: list[dict]) -> list[dict]:
    """The same records, of a protocol whose even seeds draw one split and whose odd seeds
    another.
    """
    return [{**one, "audit": audit_of(one["spec"]["seed"] % 2)} for one in records]


TWO_SPLITS = on_two_splits(
    [
        *arm("none", level(40, 10)),
        *arm("duplicate", level(41, 10)),
        *arm("smote", level(50, 10, 0.1)),
    ]
)


def test_seeds_that_drew_the_same_split_are_one_draw_for_every_verdict() -> None:
    table = table_of(TWO_SPLITS)
    assert [gain.draws for gain in table.compared] == [2, 2, 2] and table.draws == (0, 1)
    assert {cell.summary("aa").n for cell in table.cells.values()} == {2}
    assert said(TWO_SPLITS)[:2] == [
        (
            "Better than no samples: TOO FEW DRAWS (smote). Better than all controls: TOO FEW DRAWS"
            " (smote against duplicate). Use here: svm without samples."
        ),
        "smote λ=1 with svm: too few draws (2: at least 6 are needed)",
    ]


def test_equal_splits_are_named_and_counted_once_in_notes_and_audit() -> None:
    text = render_report(build_report(TWO_SPLITS), "md")
    assert "over 2 draws (seeds 0, 1)" in text
    assert "the same pixels were drawn by seeds 0, 2, 4, 6, 8; seeds 1, 3, 5, 7, 9." in text
    assert (
        "2 splits (seeds 0, 1; seeds 0, 2, 4, 6, 8 drew the same; seeds 1, 3, 5, 7, 9 drew the"
        " same)" in text
    )
    assert "30 trials (30 ok, 0 failed)" in text


def test_two_arms_of_different_seeds_are_a_pair_where_their_split_is_one() -> None:
    (pairing,) = compare_arms(
        build_report(
            [one for one in TWO_SPLITS if (one["spec"]["seed"] < 4) == (one["spec"]["lambda"] == 0)]
        ),
        "none/svm",
        "smote/svm",
    ).pairings
    assert [(a.seed, b.seed) for a, b in pairs_of(pairing.gain)] == [(4, 0), (5, 1)]


def test_an_arm_that_failed_under_one_seed_of_a_split_has_its_next() -> None:
    broken = on_two_splits([failure(generator="smote", seed=0)])
    table = table_of([*(one for one in TWO_SPLITS if one["hash"] != broken[0]["hash"]), *broken])
    (gains,) = table.judged
    assert gains["none"].cell.ok["seed"].tolist() == [1, 2] and len(table.failed) == 1
    assert {gain.draws for gain in gains.values()} == {2}


def test_a_store_read_in_python_counts_splits(tmp_path: Path) -> None:
    gains = read_store(fill(tmp_path, TWO_SPLITS)).gain()
    assert set(gains["draws"]) == {2} and set(gains["p_corrected"].isna()) == {True}


# Words, and what they count

LOSSES = [
    *arm("none", level(40, 12)),
    *(one for lam in (0.5, 1.0) for one in arm("duplicate", level(41, 12), lam=lam)),
    *(
        one
        for lam in (0.5, 1.0)
        for one in arm("mixup", level(45, 12, 0.1), level(35, 12, 0.1), lam=lam)
    ),
    *arm("smote", level(45, 12, 0.1), lam=0.5),
    *arm("smote", level(30, 12, 0.1)),
]
"""Two arms help at a loss of OA; of another generator one helps and one hurts."""


def entries_of(records: list[dict]) -> dict[str, str]:
    """The overview of records of one scene: what is shown over the rival of each arm."""
    ((grid,),) = (
        matrix_grids(matrix, grouped_overview) for matrix in matrices(build_report(records))
    )
    return {row[0].text: f"{row[-2].text} {row[-1].text}".strip() for row in grid.rows}


@pytest.mark.parametrize("format", ["rich", "md", "tex", "html"])
def test_a_gain_at_a_loss_says_so(format: str) -> None:
    report = build_report(LOSSES)
    text = render_html(report) if format == "html" else render_report(report, format)
    assert "above, OA below" in text
    if format == "html":
        row = next(
            r
            for r in parsed(text).all("tr")
            if r.text.startswith("mixup λ=1") and "above, OA" in r.text
        )
        assert [
            badge.attributes["class"]
            for badge in row.all("span")
            if "badge" in badge.attributes["class"]
        ] == ["badge loss"] * 2


def test_a_card_shows_a_loss_in_a_colour_of_its_own() -> None:
    figure = card_figure(build_report(LOSSES))
    colours = {
        re.sub(r"^.*: |;.*$", "", text.get_text()): text.get_color()
        for place in figure.subfigs
        for text in place.axes[0].texts
    }
    assert set(colours) == {"above, OA below", "above", "below"}
    assert len(set(colours.values())) == 3


def test_the_headline_counts_what_the_grid_shows() -> None:
    table = table_of(LOSSES)
    shown = Counter(entries_of(LOSSES).values())
    assert answers(table)[0] == (
        "1 Better than no samples? YES, 3 of 4 arms. mixup: +5.5 points of AA, better with 2 of 2 arms, at a"
        " loss of OA. smote: +5.5 [+5.3, +5.8] points of AA with 1 of 2 arms, better; −9.5 [−9.7, −9.2]"
        " with 1 of 2 arms, worse."
    )
    words = Counter(re.sub(r" [+−].*", "", text) for text in shown.elements() if text)
    assert words == {"above": 1, "above, OA below": 2, "below": 1, "control": 2}


def test_the_interval_is_the_one_that_decides() -> None:
    """Beside eight other arms it is wider than the usual one, which leaves out 0."""
    wobble = [41 + (0.6 if i % 3 else -0.2) for i in range(12)]
    many = [
        one
        for i in range(8)
        for one in arm(f"other{i}", [41 + (-1) ** (s * (i + 1) // 5) for s in range(12)])
    ]
    alone = [*arm("none", level(40, 12)), *arm("duplicate", level(41, 12)), *arm("smote", wobble)]
    (only,), (among, *_) = (
        [
            rival_of(gains)
            for gains in table_of(found).judged
            if gains["none"].cell.arm.generator.name == "smote"
        ]
        for found in (alone, [*alone, *many])
    )
    assert only.main.interval[0] > 0 > among.main.interval[0]
    assert (only.verdict.finding, among.verdict.finding) == ("helps", "equivalent")
    assert "with svm: +0.3 [+0.1" in answers(table_of(alone))[1]


# A generator that reads unlabelled pixels, and its third control


SEES = {"generator": "scene", "classifier": "none"}


def seeing(records: list[dict]) -> list[dict]:
    """The same records of a generator of scope ``scene``."""
    return [{**one, "scope": SEES, "transductive": True} for one in records]


BEFORE = [
    *arm("none", level(50, 12, 0.1)),
    *arm("duplicate", level(50.5, 12, 0.2)),
    *seeing(arm("ldm", level(58, 12, 0.3))),
]
"""As records were before there was a third control."""


@pytest.mark.parametrize(
    ("pseudo", "verdict_is"),
    [
        (level(54, 12, 0.1), "helps"),
        (
            level(58.5, 12, 0.29),
            "above none; above duplicate; below pseudo; equivalent to pseudo (±1)",
        ),
    ],
)
def test_a_generator_that_reads_unlabelled_pixels_helps_only_above_pseudo_too(pseudo, verdict_is):
    table = table_of([*BEFORE, *seeing(arm("pseudo", pseudo))])
    assert table.controls == ("none", "duplicate", "pseudo")
    assert f"ldm λ=1 with svm: {verdict_is}" in said([*BEFORE, *seeing(arm("pseudo", pseudo))])


ASKED = [*BEFORE[:24], *seeing(arm("pseudo", level(61, 12, 0.3)))]
"""``--generator pseudo``: the control that others need is all that was asked for."""


def test_a_control_that_was_asked_for_is_judged_against_the_others() -> None:
    table = table_of(ASKED)
    (gains,) = table.judged
    assert {gain.verdict.finding for gain in gains.values() if gain.verdict} == {"helps"}
    assert list(gains) == ["none", "duplicate"]
    assert headline(table).startswith("Better than no samples: YES (pseudo).")
    assert list(entries_of(ASKED)) == ["svm", "+ pseudo", "+ duplicate"]
    assert len(table.compared) == 3


def test_the_headline_says_which_generator_stands_against_which_rival() -> None:
    assert (
        headline(table_of([*ASKED, *BEFORE[24:]]))
        == "Better than no samples: YES (ldm). Better than all controls: NO (ldm against pseudo). Use"
        " here: pseudo λ=1 with svm."
    )


def test_records_from_before_that_control_claim_no_gain_and_say_what_lacks() -> None:
    assert said(BEFORE) == [
        (
            "Better than no samples: YES (ldm). Better than all controls: TOO FEW DRAWS (ldm"
            " against pseudo). Use here: ldm λ=1 with svm."
        ),
        "ldm λ=1 with svm: gains: above none and duplicate; no draw in common with pseudo",
    ]


def test_records_of_a_generator_and_a_scope_that_are_gone_are_reported_as_of_any_other() -> None:
    gone = [
        {**one, "scope": {**SEES, "generator": "train-region"}}
        for one in arm("pseudo-region", level(61, 12, 0.3))
    ]
    lines = said([*BEFORE, *seeing(arm("pseudo", level(54, 12, 0.1))), *gone])
    assert any(line.startswith("pseudo-region λ=1 with svm: ") for line in lines)
    assert "scope train-region: pseudo-region" in render_report(
        build_report([*BEFORE, *gone]), "md"
    )


def test_no_word_and_no_column_changes_where_no_arm_reads_unlabelled_pixels() -> None:
    text = render_report(build_report([one for one in BEFORE if one["scope"] != SEES]), "md")
    assert "pseudo" not in text
    assert "pseudo" in render_report(build_report(BEFORE), "md")


@pytest.mark.parametrize("by", ["generator", "classifier", "lambda"])
@pytest.mark.parametrize("format", ["md", "csv", "json", "html"])
def test_every_format_of_every_view_holds_the_third_control(by: str, format: str) -> None:
    report = build_report(
        [*BEFORE, *seeing(arm("pseudo", level(54, 12))), *arm("smote", level(51, 12))]
    )
    text = render_html(report) if format == "html" else render_report(report, format, by=by)
    assert "pseudo" in text and "None" not in text


def test_every_finding_has_a_colour_in_pictures() -> None:
    assert {*TONES_OF_WORDS.values()} <= set(TONES)


def test_the_legend_explains_every_word_of_its_table_those_of_controls_too() -> None:
    controls = benchmark(8, generators=("none", "duplicate"), gain=0.0)
    better = [one for one in benchmark(8) if one["spec"]["generator"]["name"] == "smote"]
    text = " ".join(on_terminal([*controls, *better]).split())
    assert "<1 point 0.0" in text and "above +6.0" in text
    assert "above: shown better" in text
    assert "< 1 point: a gain of 1 point is ruled out" in text


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("AA (2 of 3)", "the mean recall of the classes with at least 25 test pixels"),
        ("AA all", "mean recall of all classes"),
        ("AA new", "in fields that hold none"),
        ("p over rival", "over the control that is named"),
        ("p over none", "over the control that is named"),
    ],
)
def test_a_heading_is_explained_by_the_longest_term_that_it_begins_with(
    heading: str, meaning: str
) -> None:
    assert meaning in tip_of(heading)


def test_the_classes_that_an_arm_mixes_up_are_those_that_every_draw_trains_and_tests(
    tmp_path: Path,
) -> None:
    wrong = [[40, 9, 1], [20, 30, 0], [0, 8, 2]]
    store = Store(fill(tmp_path, benchmark(7, ("none", "smote"), ("svm",)), wrong))
    records = [dict(one) for one in store.read().records]
    for one in records:
        one["audit"] = {**one["audit"], "test_counts": [50, 50, 10]}
    report = build_report(records)
    (table,) = report.tables
    said = mixed_up(table, store)
    assert said.startswith(
        "Most errors of svm without samples, by test pixels, of the classes of AA"
    )
    assert said.endswith(
        ": class number 1 named class number 0 (40 % of its test pixels),"
        " class number 0 named class number 1 (18 %), class number 0 named class number 2 (2 %)."
    )
    assert said in render_html(report, store=store) and mixed_up(table, None) == ""


def test_a_terminal_counts_what_failed_and_what_is_missing_and_says_what_notes_hold() -> None:
    records = [*benchmark(7, ("none", "smote"), ("svm",)), failure(seed=0, generator="mixup")]
    report = build_report(records[1:])
    assert f"{len(records) - 1} trials, 1 failed, 7 missing; " in on_terminal(records[1:])
    hint = "--notes: what the numbers are; to rerun, to cite"
    for notes in (False, True):
        out = io.StringIO()
        print_report(report, Console(file=out, width=100), notes=notes)
        assert (hint in out.getvalue()) is not notes
