"""The page of HTML: what it says, where its numbers lead, and that it needs nothing beside
itself.
"""

import base64
import gzip
import json
import pickle
import re
from collections.abc import Iterator

import pytest
from html_pages import Node, parsed, picture_named, table_named
from matplotlib.figure import Figure
from report_records import CLASSES, audit_of, benchmark, failure, record

from hsiaug.report import build_report, render_html, render_report

pytestmark = pytest.mark.usefixtures("blank_pictures")

MADE: dict[bytes, Node] = {}


@pytest.fixture(scope="module", autouse=True)
def _forget_pages() -> Iterator[None]:
    """The process runs other tests after these."""
    yield
    MADE.clear()


def page_of(records: list[dict], **report: object) -> Node:
    """The page of records; of those that several tests ask for, made once, and only read."""
    asked = pickle.dumps((records, report, Figure.draw.__qualname__))
    if asked not in MADE:
        MADE[asked] = parsed(render_html(build_report(records, store="results", **report)))
    return MADE[asked]


def headline(page: Node) -> str:
    return page.all("p", **{"class": "headline"})[0].text


def answers(page: Node) -> list[tuple[str, str]]:
    """The status of each card, empty where it has none, and its sentences."""
    (cards,) = page.all("ol", **{"class": "answers"})
    found = []
    for card in cards.all("li"):
        status = [node.text for node in card.all("p", **{"class": "status"})]
        (because,) = card.all("p", **{"class": "because"})
        found.append(("".join(status), because.text.strip()))
    return found


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
                        aa,
                        aa,
                        generator=generator,
                        classifier=classifier,
                        seed=seed,
                        lam=lam,
                        omega=omega,
                        recall=[aa, aa - 0.1, None if seed else aa + 0.05],
                    )
                )
    return records


@pytest.mark.drawn
def test_a_generator_that_helps_is_said_to() -> None:
    records = [
        record(0.5, aa, generator=generator, seed=seed, recall=[aa, aa + step, aa - step])
        for generator, gain, step in (
            ("none", 0.0, 0.0),
            ("duplicate", 0.02, 0.0),
            ("txt2hsi", 0.06, 0.03),
        )
        for seed in range(10)
        for aa in [0.4 + 0.01 * seed + gain + (0.001 * seed if generator == "txt2hsi" else 0)]
    ]
    page = page_of(records)
    first, second, use = answers(page)
    assert first[0] == second[0] == "YES" and "txt2hsi" in first[1]
    assert use[0] == "" and use[1].startswith("txt2hsi λ=1 with svm")
    drawn = picture_named(page, "over no samples and over the rival")
    assert len([text for text in drawn if text.startswith("over ") and ": above; " in text]) == 2
    accuracy = page.all("table")[0]
    assert [row.text.startswith("txt2hsi λ=1") for row in accuracy.all("tr")].index(True) == 1, (
        "accuracy comes first"
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
    for page in (
        page_of(spread()),
        page_of(shared, runs=runs),
        page_of([*benchmark(3), failure(seed=9)]),
    ):
        ids = [node.attributes["id"] for node in page.every() if "id" in node.attributes]
        assert len(ids) == len(set(ids))
        links = [node.attributes["href"] for node in page.all("a")]
        assert len(links) > 5
        assert {link.removeprefix("#") for link in links} <= set(ids)


def test_failures_stand_under_their_error() -> None:
    lost = [failure(generator=g, seed=s) for g in ("smote", "mixup") for s in (0, 1)]
    other = failure("MemoryError", "", generator="smote", seed=2)
    page = page_of([record(seed=s) for s in range(3)] + lost + [other])
    (block,) = [n for n in page.all("div") if n.attributes.get("class") == "warning"]
    assert block.all("p")[0].text == "5 of 8 trials failed:"
    said = [item.text for item in block.all("li")]
    assert said[0].startswith(
        "4 × PluginError in sample: no sample came back. In mixup λ=1 with svm (seeds 0, 1)"
    )
    assert (
        said[1].startswith("1 × MemoryError in sample.")
        and f"hsiaug show {other['hash']}" in said[1]
    )


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
    # Beside the page's own script, only data that never runs.
    scripts = page.all("script")
    assert [one.attributes.get("type") for one in scripts].count(None) == 1
    assert {one.attributes.get("class") for one in scripts} == {None, "data"}
    assert "onerror" not in {name for node in page.every() for name in node.attributes}
    (table,) = (rows for rows in [table_named(page, "Recall per class, svm")])
    assert [row[0].text for row in table] == [f"1 {name}", '2 a "b" & c', "3 oats"]
    assert "<img src=x onerror=alert(1)>" in page.text


def test_a_row_for_every_arm_and_every_record() -> None:
    records = [*spread(), failure(seed=9, message="no sample came back")]
    (table,) = build_report(records).tables
    page = page_of(records)
    assert len(table_named(page, "Accuracy")) == len(table.arms) == 7
    assert len(table_named(page, "Gain over the controls")) == len(table.by_arm)
    rows = table_named(page, "Trials")
    hashes = [row[-1].text for row in rows]
    assert sorted(hashes) == sorted(r["hash"] for r in records)
    assert "failed" in [cell.text for cell in rows[hashes.index(records[-1]["hash"])]]


def test_a_sweep_has_the_draws_of_a_point_that_is_over_fewer() -> None:
    page = page_of([*spread(), record(0.9, 0.9, generator="txt2hsi", lam=3.0, omega=2.0, seed=0)])
    assert "90.0 (n=1)" in [cell.text for row in table_named(page, "AA against λ") for cell in row]


def test_a_leaky_protocol_is_called_so_beside_the_answers() -> None:
    records = benchmark(2, protocol=("random", "0.1", "none"))
    for r in records:
        r["audit"] = audit_of(r["spec"]["seed"], leaky=True)
    (section,) = page_of(records).all("section", id="answers")
    assert "LEAKY" in section.text


def test_notes_and_audit_are_those_of_the_other_formats() -> None:
    records = benchmark(7)
    page = " ".join(page_of(records).text.split())
    markdown = render_report(build_report(records, store="results"), format="md")
    lines = [line.removeprefix("- ") for line in markdown.splitlines() if line.startswith("- ")]
    assert len(lines) > 8
    for line in lines:
        plain = re.sub(r"^\*\*(.+?)\*\*: ", "", line).replace("\\", "")
        # Commands are marked on the page, and quoted elsewhere.
        assert plain.replace("'", "") in page.replace("'", ""), line


def test_masks_have_their_own_metrics_and_no_map() -> None:
    records = benchmark(2)
    for r in records:
        r["spec"]["task"] = "segmentation"
        r["metrics"]["miou"] = 0.25
    page = page_of(records)
    assert "mIoU" in page.all("table", **{"aria-label": "Accuracy"})[0].text
    assert "No maps: " in page.text


@pytest.mark.drawn
def test_equal_records_give_equal_pages() -> None:
    records = spread(draws=2)
    page = render_html(build_report(records))
    assert page == render_report(build_report(records[::-1]), format="html")


def test_classes_that_the_records_do_not_name_stay_out() -> None:
    assert page_of([{**r, "class_names": []} for r in benchmark(2)]).all("section")
    assert len(CLASSES) == len(table_named(page_of(benchmark(2)), "Recall per class, svm"))


@pytest.mark.drawn
def test_the_page_shows_the_figures_of_the_files() -> None:
    swept = [
        record(0.5, 0.5, generator="smote", lam=lam, seed=s) for lam in (1.0, 2.0) for s in range(2)
    ]
    shown = [
        one.attributes["alt"]
        for one in page_of([*swept, *benchmark(2, ("none",), ("svm",))]).all("img")
    ]
    assert "OA and AA against λ" in shown


def test_the_verdict_stands_beside_the_name_of_a_row() -> None:
    page = page_of(benchmark(7))
    for heading in ("Gain over the controls",):
        (table,) = page.all("table", **{"aria-label": heading})
        heads = [button.text for button in table.all("button")]
        assert heads.index("verdict") == heads.index("λ") + 1


def test_a_row_opens_the_draws_of_its_arm() -> None:
    page = page_of(benchmark(3))
    rows = [row for row in page.all("tr") if "data-of" in row.attributes]
    (trials,) = page.all("table", **{"aria-label": "Trials"})
    assert len(rows) == len(trials.all("tr")) - 1
    opened = {
        link.attributes["data-arm"] for link in page.all("a") if "data-arm" in link.attributes
    }
    assert opened and opened <= {row.attributes["data-of"] for row in rows}


def test_the_page_holds_the_files_of_the_report() -> None:
    records = benchmark(3)
    report = build_report(records, store="results")
    packed = {
        node.attributes["data-name"]: gzip.decompress(base64.b64decode(node.text)).decode()
        for node in page_of(records).all("script", **{"class": "data"})
    }
    assert packed["trials.csv"] == render_report(report, format="csv")
    assert json.loads(packed["report.json"]) == json.loads(render_report(report, format="json"))


def test_classes_are_compared_with_no_samples() -> None:
    rows = table_named(page_of(spread()), "Recall per class in percent, svm; Δ in points over none")
    assert [row[0].text.split()[0] for row in rows] == ["1", "2", "3"]
    assert all(cell.text[0] in "+−0–" for row in rows for cell in row[4:])


def test_the_page_says_when_with_what_and_at_what_cost_it_was_made() -> None:
    records = benchmark(7)
    for one, minute in zip(records, range(len(records)), strict=True):
        one["created"] = f"2026-11-30T07:{minute:02d}:30+00:00"
        one["device"] = {"generator": "cuda", "classifier": "cpu", "threads": 1 + minute % 2}
    (section,) = page_of(records).all("section", id="answers")
    facts = dict(
        zip(*([node.text for node in section.all(tag)] for tag in ("dt", "dd")), strict=True)
    )
    last = f"{len(records) - 1:02d}"
    assert facts["trials ended"] == f"2026-11-30 07:00 to 07:{last} UTC"
    assert facts["device"] == "cpu, cuda, 1 thread, 2 threads"
    assert "smote 0.1.0, svm 0.1.0" in facts["versions of methods"]
    assert "added over the trials" in facts["cost"]


def test_a_page_that_is_mailed_explains_itself() -> None:
    page = page_of(benchmark(7))
    (verdict,) = page.all("section", id="answers")
    (link,) = [node for node in verdict.all("a") if node.text == "How to read this page"]
    (reading,) = page.all("section", id=link.attributes["href"].removeprefix("#"))
    explained = {node.text for node in reading.all("dt")}
    assert {"arm", "control", "rival", "OPEN", "LEAKY", "AA", "κ", "helps"} <= explained
    assert not re.search(r"\bdocs/", reading.text)


def test_arms_that_lack_draws_are_named_before_the_numbers() -> None:
    records = benchmark(7, ("none", "duplicate", "smote"), ("svm",))
    stopped = [
        one
        for one in records
        if one["spec"]["generator"]["name"] != "smote" or one["spec"]["seed"] < 3
    ]
    text = render_report(build_report(stopped), "md")
    assert (
        "Of 7 draws not all are there: smote λ=1 with svm has 3, not seeds 3–6. The same"
        " benchmark again" in text
    )
    assert "not all are there" not in render_report(build_report(records), "md")
    page = render_html(build_report(stopped))
    assert page.count("not all are there") == 1
    assert page.index("not all are there") < page.index('class="answers"')
    assert "the audit has the command" in page and "(--notes)" not in page
