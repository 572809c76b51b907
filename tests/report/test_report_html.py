"""The page of HTML: what it says, where its numbers lead, and that it needs nothing beside itself."""

import re
from statistics import fmean

import pytest
from html_pages import Node, parsed, table_named
from report_records import CLASSES, audit_of, benchmark, failure, record

from hsiaug.report import build_report, render_html, render_report


def page_of(records: list[dict], **report: object) -> Node:
    return parsed(render_html(build_report(records, store="results", **report)))


def signs(page: Node) -> list[str]:
    (section,) = page.all("section", id="verdict")
    return [
        node.text
        for table in section.all("table")
        if "matrix" in table.attributes["class"]
        for node in table.every()
        if node.attributes.get("class", "").startswith("badge") and not node.text.startswith("·")
    ]


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
    assert signs(page) == ["▲ +4.5 [+4.2, +4.7] over duplicate"]
    accuracy = page.all("table")[0]
    assert [row.text.startswith("txt2hsi λ=1") for row in accuracy.all("tr")].index(True) == 1, (
        "accuracy comes first"
    )
    assert (
        next(badge.text for badge in accuracy.every() if "badge" in badge.attributes.get("class", "")) == "helps"
    )


def test_the_page_names_scene_and_protocol_and_leads_to_what_failed() -> None:
    page = page_of([*benchmark(3), failure(seed=9)])
    assert [node.text for node in page.all("title")] == ["indian-pines: issd · hsiaug"]
    (lead,) = page.all("p", **{"class": "lead"})
    (to,) = [node.attributes["href"] for node in lead.all("a")]
    (failed,) = [node for node in page.every() if node.attributes.get("id") == to.removeprefix("#")]
    assert "failed" in failed.text
    assert [node.text for node in page_of([]).all("title")] == ["hsiaug report"]


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


def test_failures_stand_under_their_error() -> None:
    lost = [failure(generator=g, seed=s) for g in ("smote", "mixup") for s in (0, 1)]
    other = failure("MemoryError", "", generator="smote", seed=2)
    page = page_of([record(seed=s) for s in range(3)] + lost + [other])
    (block,) = [n for n in page.all("div") if n.attributes.get("class") == "warning"]
    assert block.all("p")[0].text == "5 of 8 trials failed:"
    said = [item.text for item in block.all("li")]
    assert said[0].startswith("4 × PluginError in sample: no sample came back. In mixup λ=1 with svm (seeds 0, 1)")
    assert said[1].startswith("1 × MemoryError in sample.") and f"hsiaug show {other['hash']}" in said[1]


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
    assert len(page.all("script")) == 1
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
    lists = [t for t in page.all("table") if t.attributes.get("aria-label", "").startswith("Records of ")]
    rows = [row for found in lists for row in found.all("tbody")[0].all("tr")]
    hashes = [row.all("td")[-1].text for row in rows]
    assert sorted(hashes) == sorted(r["hash"] for r in records)
    assert "failed" in rows[hashes.index(records[-1]["hash"])].text


def test_each_number_leads_to_the_records_that_it_is_the_mean_of() -> None:
    records = spread()
    scores = {r["hash"]: 100 * r["metrics"]["aa"] for r in records}
    page = page_of(records)
    groups = {n.attributes["id"]: n for n in page.all("details") if "-cell-" in n.attributes.get("id", "")}
    mean = {
        name: fmean(scores[row.all("td")[-1].text] for row in group.all("tbody")[0].all("tr"))
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
    assert [cell.text for cell in oats] == ["oats", "3", "−15.0"]


def test_classes_stand_rarest_first_and_are_shaded() -> None:
    gained = {"none": (0.0, 0.0, 0.0), "duplicate": (0.0, 0.0, 0.0), "smote": (0.02, -0.1, 0.0)}
    records = [
        record(0.5, 0.5, generator=g, seed=s, recall=[0.5 + d for d in deltas])
        for g, deltas in gained.items()
        for s in range(3)
    ]
    rows = table_named(page_of(records), "Gain in recall per class, svm")
    assert [(*(cell.text for cell in row), row[2].attributes.get("class")) for row in rows] == [
        ("oats", "3", "0.0", None),
        ("alfalfa", "5", "+2.0", "m2"),
        ("corn_notill", "12", "−10.0", "l9"),
    ]


def test_a_sweep_names_the_points_that_are_over_other_draws() -> None:
    page = page_of([*spread(), record(0.9, 0.9, generator="txt2hsi", lam=3.0, omega=2.0, seed=0)])
    said = "svm, txt2hsi ω=2: not comparable with the others, which are over seeds 0–3, and in no figure: λ=3 (seed 0)."
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


def test_environments_are_listed() -> None:
    records = benchmark(2)
    records[0]["environment"] = {"python": "3.12", "versions": {"torch": "2.9"}}
    (section,) = page_of(records).all("section", id="environment")
    said = dict(zip([n.text for n in section.all("dt")], [n.text for n in section.all("dd")], strict=True))
    assert said == {"python": "3.11, 3.12", "torch": "2.9"}


def test_equal_records_give_equal_pages() -> None:
    records = spread()
    assert render_html(build_report(records)) == render_html(build_report(records[::-1]))
    assert render_report(build_report(records), format="html") == render_html(build_report(records))


def test_classes_that_the_records_do_not_name_stay_out() -> None:
    assert page_of([{**r, "class_names": []} for r in benchmark(2)]).all("section")
    assert len(CLASSES) == len(table_named(page_of(benchmark(2)), "Recall per class, svm"))


def test_the_page_shows_the_figures_of_the_files() -> None:
    swept = [record(0.5, 0.5, generator="smote", lam=lam, seed=s) for lam in (1.0, 2.0) for s in range(2)]
    shown = [one.attributes["alt"] for one in page_of([*swept, *benchmark(2, ("none",), ("svm",))]).all("img")]
    assert "OA and AA against λ" in shown
