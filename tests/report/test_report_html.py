"""The page of HTML: what it says, where its numbers lead, and that it needs nothing beside
itself.
"""

import base64
import gzip
import json
import pickle
from collections.abc import Iterator

import pytest
from html_pages import Node, parsed, table_named
from matplotlib.figure import Figure
from report_records import benchmark, failure

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


def small() -> list[dict]:
    """Two splits of a generator at two λ, with one classifier and ``coords``."""
    made = benchmark(2, ("none", "duplicate", "smote"), ("svm",))
    return [*made, *benchmark(2, ("smote",), ("svm",), lam=0.5)[2:]]


def test_an_empty_store_gives_a_page_that_says_so() -> None:
    assert "There is no record in results yet." in page_of([]).text


def test_every_link_leads_to_one_place() -> None:
    shared = small()
    runs = {name: {r["hash"] for r in shared} for name in ("first", "second")}
    for page in (page_of(shared, runs=runs), page_of([*small(), failure(seed=9)])):
        ids = [node.attributes["id"] for node in page.every() if "id" in node.attributes]
        assert len(ids) == len(set(ids))
        links = [node.attributes["href"] for node in page.all("a")]
        assert len(links) > 5
        assert {link.removeprefix("#") for link in links} <= set(ids)


def test_nothing_is_fetched() -> None:
    page = page_of(small())
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
    records = [{**r, "class_names": [name, 'a "b" & c', "oats"]} for r in small()]
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


@pytest.mark.drawn
def test_equal_records_give_equal_pages() -> None:
    records = small()
    page = render_html(build_report(records))
    assert page == render_report(build_report(records[::-1]), format="html")


def test_the_page_holds_the_files_of_the_report() -> None:
    records = small()
    report = build_report(records, store="results")
    packed = {
        node.attributes["data-name"]: gzip.decompress(base64.b64decode(node.text)).decode()
        for node in page_of(records).all("script", **{"class": "data"})
    }
    assert packed["trials.csv"] == render_report(report, format="csv")
    assert json.loads(packed["report.json"]) == json.loads(render_report(report, format="json"))
