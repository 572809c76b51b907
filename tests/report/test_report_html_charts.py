"""Charts of the page that stand beside the tables: cost against gain, and location under each protocol."""

from __future__ import annotations

from typing import Any

from html_pages import Node, parsed, table_named
from report_records import audit_of, benchmark, record

from hsiaug.report import build_report, render_html
from hsiaug.report.html.markup import round_limit


def page_of(records: list[dict[str, Any]]) -> Node:
    return parsed(render_html(build_report(records, store="results")))


def test_the_page_shows_the_figures_of_the_files() -> None:
    swept = [record(0.5, 0.5, generator="smote", lam=lam, seed=s) for lam in (1.0, 2.0) for s in range(2)]
    shown = [one.attributes["alt"] for one in page_of([*swept, *benchmark(2, ("none",), ("svm",))]).all("img")]
    assert shown[-1] == "OA and AA against λ"


def under_protocols() -> list[dict[str, Any]]:
    """A leaky protocol under which location answers for more than under another."""
    protocols = {("random", "0.05", "none"): (0.9, 0.8), ("issd", "0.05", "centre"): (0.3, 0.6)}
    records = []
    for protocol, (location, spectra) in protocols.items():
        for seed in range(2):
            leaky = {"audit": audit_of(seed, leaky=protocol[0] == "random")}
            coords = location + 0.02 * seed
            records.append(record(coords, coords, classifier="coords", protocol=protocol, seed=seed, **leaky))
            records.append(record(spectra, spectra, protocol=protocol, seed=seed, **leaky))
    return records


def test_protocols_stand_beside_what_location_alone_reaches_least_first() -> None:
    rows = table_named(page_of(under_protocols()), "AA (%) of none by protocol, indian-pines")
    assert [[cell.text for cell in row] for row in rows] == [
        ["issd:0.05, centre buffer", "31.0 [18.3, 43.7]", "60.0 [60.0, 60.0]"],
        ["random:0.05, no buffer, LEAKY", "91.0 [78.3, 100.0]", "80.0 [80.0, 80.0]"],
    ]
    assert "Location under each protocol" not in page_of(benchmark(2)).text, (
        "of one protocol there is nothing to compare"
    )


def test_a_scale_ends_at_a_round_number_that_most_fields_stay_below() -> None:
    assert round_limit([]) == round_limit([0.001]) == 0.01
    assert round_limit([0.04] * 99 + [0.9]) == 0.05, "one class of three pixels does not wash out the others"
    assert round_limit([0.9]) == 1.0
