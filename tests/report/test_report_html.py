"""The page of HTML: what it says, where its numbers lead, and that it needs nothing beside itself."""

from __future__ import annotations

import re
from statistics import fmean

import pytest
from html_pages import Node, parsed, table_named
from report_records import CLASSES, audit_of, benchmark, failure, record

from hsiaug.report import build_report, render_html, render_report


def page_of(records: list[dict], **report: object) -> Node:
    return parsed(render_html(build_report(records, store="results", **report)))


def told(page: Node) -> list[str]:
    """The sentences of the verdict, without their badges."""
    (section,) = page.all("section", id="verdict")
    return [
        " ".join("".join(p if isinstance(p, str) else p.text for p in item.parts if not badge(p)).split())
        for item in section.all("li")
    ]


def badge(part: object) -> bool:
    return isinstance(part, Node) and part.attributes.get("class", "").startswith("badge")


def badges(page: Node) -> list[str]:
    """Of the sentences; those of the grid above them are :func:`signs`."""
    (section,) = page.all("section", id="verdict")
    return [node.text for part in section.all("details") for node in part.every() if badge(node)]


def signs(page: Node) -> list[str]:
    (section,) = page.all("section", id="verdict")
    return [node.text for table in section.all("table") for node in table.every() if badge(node)]


def headline(page: Node) -> str:
    return page.all("p", **{"class": "headline"})[0].text


def spread(draws: int = 4) -> list[dict]:
    """A sweep with ω in which every trial has a score of its own."""
    arms = [("none", 0.0, None), ("duplicate", 0.5, None), ("duplicate", 1.0, None)]
    arms += [("txt2hsi", lam, omega) for lam in (0.5, 1.0) for omega in (0.0, 2.0)]
    records = [record(0.30, 0.25, classifier="coords", seed=s) for s in range(draws)]
    for i, (generator, lam, omega) in enumerate(arms):
        for j, classifier in enumerate(("cnn2d", "svm")):
            for seed in range(draws):
                aa = 0.2 + 0.1 * i + 0.033 * j + 0.0017 * seed * (1 + i)
                records.append(
                    record(
                        aa, aa, generator=generator, classifier=classifier, seed=seed, lam=lam, omega=omega,
                        recall=[aa, aa - 0.1, None if seed else aa + 0.05],
                    )
                )  # fmt: skip
    return records


def test_a_generator_that_helps_is_said_to() -> None:
    records = [
        record(0.5, aa, generator=generator, seed=seed, recall=[aa, aa + step, aa - step])
        for generator, gain, step in (("none", 0.0, 0.0), ("duplicate", 0.02, 0.0), ("txt2hsi", 0.06, 0.03))
        for seed in range(10)
        for aa in [0.4 + 0.01 * seed + gain + (0.001 * seed if generator == "txt2hsi" else 0)]
    ]
    page = page_of(records)
    assert headline(page) == "Every arm helps."
    assert badges(page) == ["helps"] and signs(page) == ["▲ +4.5 [+4.2, +4.7], p = .006, over duplicate"]
    assert told(page) == [
        "txt2hsi λ=1 with svm: AA +6.5 (p = .006) against none and +4.5 (p = .006) against duplicate; "
        "OA 0.0 (p = 1) and 0.0 (p = 1); over 10 draws"
    ]


@pytest.mark.parametrize("gain", [0.02, -0.02, 0.0])
@pytest.mark.parametrize("draws", [3, 9])
def test_the_words_are_those_of_the_comparison(gain: float, draws: int) -> None:
    records = benchmark(draws, gain=gain, classifiers=("svm",))
    (table,) = build_report(records).tables
    gains = [g for g in table.gains.values() if not g.cell.arm.control]
    page = parsed(render_html(build_report(records)))
    assert len(told(page)) == len(gains) == 2
    assert set(badges(page)) == {found.verdict.text for found in gains if found.verdict}
    sign = "?" if draws < 6 else {0.02: "▲", -0.02: "▼", 0.0: "○"}[gain]
    assert [text[0] for text in signs(page)] == [sign, sign]
    assert {heading.split(" (")[0] for heading in badges(page)} == {
        "undecided" if draws < 6 else {0.02: "helps", -0.02: "hurts", 0.0: "no difference shown"}[gain]
    }


def test_many_arms_are_folded_by_generator_with_the_range_of_their_gains() -> None:
    page = page_of(spread() + benchmark(4, ("smote",), lam=0.5))
    (section,) = page.all("section", id="verdict")
    assert [node.text for node in section.all("summary")] == [
        "In words",
        "smote, 2 arms: mean ΔAA +20.9 to +24.2 against none, +10.7 to +14.0 against duplicate",
        "txt2hsi, 8 arms: mean ΔAA +30.8 to +61.5 against none, +20.5 to +41.0 against duplicate",
    ]
    assert len(told(page)) == 10


def test_of_several_arms_the_grid_shows_the_one_of_the_largest_gain_and_says_so() -> None:
    page = page_of(spread() + benchmark(4, ("smote",), lam=0.5))
    best = [text for text in signs(page) if "best of" in text]
    assert len(best) == 2 and all(text.endswith("(λ=1 ω=2, best of 4: 4 ?)") for text in best)
    (note,) = [n.text for n in page.all("p", **{"class": "note"}) if "Mean paired difference" in n.text]
    assert "best partly by luck" in note and "▲" not in note


def test_the_page_names_scene_and_protocol_and_leads_to_what_failed() -> None:
    page = page_of([*benchmark(3), failure(seed=9)])
    assert [node.text for node in page.all("title")] == ["indian-pines: issd · hsiaug"]
    (lead,) = page.all("p", **{"class": "lead"})
    (to,) = [node.attributes["href"] for node in lead.all("a")]
    (failed,) = [node for node in page.every() if node.attributes.get("id") == to.removeprefix("#")]
    assert "failed" in failed.text
    assert [node.text for node in page_of([]).all("title")] == ["hsiaug report"]


def test_without_a_generator_there_is_nothing_to_judge() -> None:
    assert not signs(page_of(benchmark(2, ("none", "duplicate"))))
    assert headline(page_of(benchmark(2, ("none", "duplicate")))) == (
        "Only controls were run, so there is nothing to judge yet."
    )


def test_an_empty_store_gives_a_page_that_says_so() -> None:
    assert headline(page_of([])) == "There is no record in results yet."


def test_every_link_leads_to_one_place() -> None:
    shared = benchmark(2)
    runs = {name: {r["hash"] for r in shared} for name in ("first", "second")}
    for page in (page_of(spread()), page_of(shared, runs=runs), page_of([*benchmark(3), failure(seed=9)])):
        ids = [node.attributes["id"] for node in page.every() if "id" in node.attributes]
        assert len(ids) == len(set(ids))
        links = [node.attributes["href"] for node in page.all("a")]
        assert len(links) > 50
        assert {link.removeprefix("#") for link in links} <= set(ids)


def test_failures_stand_under_their_error_with_links_to_their_records() -> None:
    lost = [failure(generator=g, seed=s) for g in ("smote", "mixup") for s in (0, 1)]
    other = failure("MemoryError", "", generator="smote", seed=2)
    page = page_of([record(seed=s) for s in range(3)] + lost + [other])
    (block,) = [n for n in page.all("div") if n.attributes.get("class") == "warning"]
    assert block.all("p")[0].text == "5 of 8 trials failed:"
    (table,) = block.all("table")
    rows = [[c.text for c in row.all("td")] for row in table.all("tr")[1:]]
    assert [row.all("th")[0].text for row in table.all("tr")[1:]] == ["4", "1"]
    assert [(stage, why) for stage, why, _, _ in rows] == [
        ("sample", "PluginError in sample: no sample came back"),
        ("sample", "MemoryError in sample"),
    ]
    assert all(again == one["command"] for (*_, again), one in zip(rows, (lost[0], other), strict=True))
    targets = [a.attributes["href"] for a in block.all("a")]
    assert sorted(targets) == sorted(f"#rec-{r['hash']}" for r in [*lost, other])
    ids = {n.attributes.get("id") for n in page.every()}
    assert all(target[1:] in ids for target in targets)


def test_a_ceiling_leads_to_its_records_and_is_in_no_chart() -> None:
    ceilings = [record(0.9, 0.9, generator="true-labels", seed=s) for s in range(2)]
    for r in ceilings:
        r["spec"]["diagnosis"] = True
    page = page_of([*benchmark(2), *ceilings])
    ids = {node.attributes.get("id") for node in page.every()}
    assert {a.attributes["href"][1:] for a in page.all("a")} <= ids
    assert {f"rec-{r['hash']}" for r in ceilings} <= ids
    assert not any("true-labels" in svg.text for svg in page.all("svg"))


def test_nothing_is_fetched() -> None:
    page = page_of(spread())
    for node in page.every():
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = node.attributes.get(name, "#")
            assert value.startswith(("#", "data:")), f"<{node.tag} {name}={value!r}>"
    (style,) = page.all("style")
    assert "@import" not in style.text and "url(" not in style.text
    (policy,) = [node for node in page.all("meta") if node.attributes.get("http-equiv")]
    assert policy.attributes["content"].startswith("default-src 'none'; ")


def test_names_are_text_and_not_markup() -> None:
    name = "<script>alert('x')</script>"
    records = [{**r, "class_names": [name, 'a "b" & c', "oats"]} for r in spread()]
    records.append(failure(message="<img src=x onerror=alert(1)>", seed=11))
    page = page_of(records)
    assert [script.attributes.get("type") for script in page.all("script")] == ["application/json", None]
    assert [image.attributes["alt"] for image in page.all("img")][:1] == ["The scene indian_pines in colours"]
    assert "onerror" not in {name for node in page.every() for name in node.attributes}
    (table,) = (rows for rows in [table_named(page, "Recall per class, svm")])
    assert [row[0].text for row in table] == [f"1 {name}", '2 a "b" & c', "3 oats"]
    assert "<img src=x onerror=alert(1)>" in page.text


def test_a_row_for_every_arm_and_every_record() -> None:
    records = [*spread(), failure(seed=9, message="no sample came back")]
    (table,) = build_report(records).tables
    page = page_of(records)
    assert len(table_named(page, "Accuracy")) == len(table.arms) == 7
    assert len(table_named(page, "Gain over the controls")) == len(table.gains)
    rows = {n.attributes["id"]: n for n in page.all("tr") if n.attributes.get("id", "").startswith("rec-")}
    assert set(rows) == {f"rec-{r['hash']}" for r in records}
    broken = rows[f"rec-{records[-1]['hash']}"].text
    assert "failed: PluginError: no sample came back" in broken
    assert records[-1]["hash"] in broken
    assert "hsiaug show RECORD --store results shows a record whole" in page.text


def test_each_number_leads_to_the_records_that_it_is_the_mean_of() -> None:
    records = spread()
    scores = {f"rec-{r['hash']}": 100 * r["metrics"]["aa"] for r in records}
    page = page_of(records)
    groups = {n.attributes["id"]: n for n in page.all("details") if "-cell-" in n.attributes.get("id", "")}
    mean = {
        name: fmean(scores[row.attributes["id"]] for row in group.all("tr") if "id" in row.attributes)
        for name, group in groups.items()
    }
    checked = 0
    for heading in ("Accuracy", "Every metric, and the tests on AA", "AA against λ", "AA against ω"):
        for row in table_named(page, heading):
            for cell in row:
                # κ and macro-F1 are others; OA is AA here.
                for link in cell.all("a"):
                    if heading.startswith("AA against") or link is first_link(row):
                        number = float(link.text.split(" ± ")[0])
                        assert number == pytest.approx(mean[link.attributes["href"][1:]], abs=0.051), heading
                        checked += 1
    assert checked > 40
    for row in table_named(page, "Recall per class, svm")[:1]:
        for link in (link for cell in row for link in cell.all("a")):
            assert float(link.text.split(" ± ")[0]) == pytest.approx(mean[link.attributes["href"][1:]], abs=0.051)


def first_link(row: list[Node]) -> Node:
    return next(link for cell in row for link in cell.all("a"))


def test_gains_lead_to_the_arm_that_gains() -> None:
    records = spread()
    page = page_of(records)
    names = {n.attributes["id"]: n.all("summary")[0].text for n in page.all("details") if "id" in n.attributes}
    for row in table_named(page, "Gain over the controls"):
        classifier, generator, lam, omega = (cell.text for cell in row[:4])
        settings = f"λ={lam}" + ("" if omega == "–" else f" ω={omega}")
        target = names[first_link(row).attributes["href"][1:]]
        assert target == f"{generator} {settings}, {classifier}: 4 records"


def test_class_gains_are_paired_over_the_draws_that_have_the_class() -> None:
    recalls = {"none": (0.4, [0.5, None]), "duplicate": (0.5, [0.4, 0.9]), "smote": (0.6, [0.7, 0.3])}
    records = [
        record(0.5, aa, generator=g, seed=s, recall=[0.5, 0.5, oats])
        for g, (aa, listed) in recalls.items()
        for s, oats in enumerate(listed)
    ]
    table = table_named(page_of(records), "Gain in recall per class, svm")
    (oats,) = [row for row in table if row[0].text == "oats"]
    assert [cell.text for cell in oats] == ["oats", "3", "-15.0"]
    assert oats[2].all("a")[0].attributes["data-tip"] == "-15.0 [-586.8, +556.8], n = 2; +20.0 over none"


def test_classes_stand_rarest_first_and_are_shaded_on_one_scale() -> None:
    gained = {"none": (0.0, 0.0, 0.0), "duplicate": (0.0, 0.0, 0.0), "smote": (0.02, -0.1, 0.0)}
    records = [
        record(0.5, 0.5, generator=g, classifier=c, seed=s, recall=[0.5 + d / (1 + (c == "rf")) for d in deltas])
        for g, deltas in gained.items()
        for c in ("rf", "svm")
        for s in range(3)
    ]
    page = page_of(records)
    shown = {
        c: [(row[0].text, row[1].text, row[2].text, row[2].attributes.get("class")) for row in found]
        for c in ("svm", "rf")
        for found in [table_named(page, f"Gain in recall per class, {c}")]
    }
    assert shown["svm"] == [
        ("oats", "3", "0.0", None),
        ("alfalfa", "5", "+2.0", "m2"),
        ("corn_notill", "12", "-10.0", "l9"),
    ]
    assert [kind for *_, kind in shown["rf"]] == [None, "m1", "l4"], "half as far, half as dark"


def test_a_confusion_matrix_is_the_sum_over_the_draws() -> None:
    records = [record(seed=s) for s in range(3)]
    for s, r in enumerate(records):
        r["metrics"]["confusion"] = [[s, 1, 0], [0, 5, 0], [2, 0, 2]]
    rows = table_named(page_of(records), "none, svm")
    assert [[cell.text for cell in row] for row in rows] == [
        ["1 alfalfa", "3", "3", "0", "50.0"],
        ["2 corn_notill", "0", "15", "0", "100.0"],
        ["3 oats", "6", "0", "6", "50.0"],
    ]


def test_the_confusion_of_an_arm_is_its_difference_to_none_in_shares_of_the_true_class() -> None:
    records = [record(generator=g, seed=s) for g in ("none", "smote") for s in range(2)]
    records.append(record(generator="smote", seed=7))
    for r in records:
        r["metrics"]["confusion"] = [[4, 4, 0], [0, 5, 0], [0, 0, 0]]
        if r["spec"]["generator"]["name"] == "smote":
            r["metrics"]["confusion"] = [[12, 2, 2], [1, 4, 0], [0, 0, 0]]
    page = page_of(records)
    rows = table_named(page, "smote λ=1, svm")
    assert [[cell.text for cell in row] for row in rows] == [
        ["1 alfalfa", "+25", "-38", "+12", "50.0", "75.0"],
        ["2 corn_notill", "+20", "-20", "", "100.0", "80.0"],
        ["3 oats", "", "", "0", "–", "–"],
    ]
    kinds = [[cell.attributes.get("class", "").split(" ")[0][:1] for cell in row[1:4]] for row in rows]
    assert kinds == [["m", "m", "l"], ["l", "l", ""], ["", "", ""]], "more right and less wrong are better"
    assert "over 2 draws" in page.text


def test_matrices_are_of_the_controls_and_the_best_other_arm() -> None:
    page = page_of(benchmark(1, ("none", "duplicate", "g0", "g1"), ("svm",)))
    shown = [table.attributes["aria-label"] for table in page.all("table", **{"class": "confusion"})]
    assert shown == ["none, svm", "duplicate λ=1, svm", "g1 λ=1, svm"]


def panel(page: Node, beginning: str) -> Node:
    (found,) = [
        figure
        for figure in page.all("figure")
        for caption in figure.all("figcaption")
        if caption.text.startswith(beginning)
    ]
    return found


def test_panels_of_a_table_share_their_scale() -> None:
    page = page_of(spread())
    scales = [
        [text.text for text in panel(page, f"ΔAA with {name}").all("text") if "tick" in text.attributes["class"]]
        for name in ("svm", "cnn2d")
    ]
    assert scales[0] == scales[1] and len(scales[0]) > 2


def test_a_sweep_names_the_points_that_are_over_other_draws() -> None:
    page = page_of([*spread(), record(0.9, 0.9, generator="txt2hsi", lam=3.0, omega=2.0, seed=0)])
    said = "svm, txt2hsi ω=2: not comparable with the others, which are over seeds 0–3: λ=3 (seed 0)."
    assert said in [note.text for note in page.all("p", **{"class": "note"})]
    assert table_named(page, "AA against λ")


def test_a_leaky_protocol_is_called_so_beside_the_verdict() -> None:
    records = benchmark(2, protocol=("random", "0.1", "none"))
    for r in records:
        r["audit"] = audit_of(r["spec"]["seed"], leaky=True)
    (section,) = page_of(records).all("section", id="verdict")
    assert "LEAKY" in section.text


def test_notes_and_audit_are_those_of_the_other_formats() -> None:
    records = benchmark(7)
    page = " ".join(page_of(records).text.split())
    markdown = render_report(build_report(records, store="results"), format="md")
    lines = [line.removeprefix("- ") for line in markdown.splitlines() if line.startswith("- ")]
    assert len(lines) > 8
    for line in lines:
        assert re.sub(r"^\*\*(.+?)\*\*: ", "", line).replace("\\", "") in page, line


def test_masks_have_their_own_metrics_and_no_map() -> None:
    records = benchmark(2)
    for r in records:
        r["spec"]["task"] = "segmentation"
        r["metrics"]["miou"] = 0.25
    page = page_of(records)
    assert "mIoU" in page.all("table", **{"aria-label": "Accuracy"})[0].text
    assert "No maps: " in page.text


def test_environments_are_counted() -> None:
    records = benchmark(2)
    records[0]["environment"] = {"python": "3.12", "versions": {"torch": "2.9"}}
    rows = {tuple(cell.text for cell in row) for row in table_named(page_of(records), "Environment of the trials")}
    assert {
        ("python", "3.11", str(len(records) - 1)),
        ("python", "3.12", "1"),
        ("package torch", "2.9", "1"),
    } <= rows


def test_equal_records_give_equal_pages() -> None:
    records = spread()
    assert render_html(build_report(records)) == render_html(build_report(records[::-1]))
    assert render_report(build_report(records), format="html") == render_html(build_report(records))


def test_classes_that_the_records_do_not_name_stay_out() -> None:
    assert page_of([{**r, "class_names": []} for r in benchmark(2)]).all("section")
    assert len(CLASSES) == len(table_named(page_of(benchmark(2)), "Recall per class, svm"))
