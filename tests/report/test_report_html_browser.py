"""The page in a real browser: it loads without a word, sorts, is read on small screens, by
keyboard, in the dark.
"""

from pathlib import Path
from typing import Any

import pytest
from report_records import benchmark, failure, record

from hsiaug.report import build_report, render_html
from tests.blank_pictures import leave_pictures_blank
from tests.browsers import AXE, CONTRAST, axe, browser

__all__ = ["axe", "browser"]

WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [*benchmark(3, classifiers=("svm",)), failure(seed=8)]
    for lam in (0.5, 1.5):
        for seed in range(3):
            for i, name in enumerate(("duplicate", "smote")):
                aa = 0.5 + 0.02 * i * lam + 0.01 * seed
                records.append(record(aa, aa, generator=name, lam=lam, seed=seed))
    wordy = {"neighbourhood_of_the_samples": "those-on-the-border-of-two-classes-and-no-others"}
    records += [record(generator="smote", generator_params=wordy, seed=seed) for seed in range(3)]
    for r in records:
        r["class_names"] = ["alfalfa", "<script>alert(1)</script>", "oats"]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(build_report(records, store="results")), encoding="utf-8")
    return path


def opened(
    browser: Any, page_file: Path, width: int = 1280, scheme: str = "light"
) -> tuple[Any, list[str]]:
    """A tab with the page, and what the browser has to complain of."""
    tab = browser.new_page(width, scheme=scheme)
    said: list[str] = []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on(
        "request",
        lambda request: said.append(request.url) if request.url.startswith("http") else None,
    )
    tab.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    tab.goto(page_file.as_uri())
    return tab, said


def column(tab: Any, table: str, number: int) -> list[str]:
    script = """([name, n]) => {
        const table = document.querySelector(`table[aria-label='${name}']`);
        return [...table.tBodies[0].rows].map(row => row.cells[n].innerText);
    }"""
    return list(tab.evaluate(script, [table, number]))


def numbers(tab: Any, table: str, place: int) -> list[float]:
    texts = column(tab, table, place)
    return [float(text.replace("−", "-").split()[0]) for text in texts]


def unfolded(tab: Any) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_without_a_complaint_asks_for_nothing_and_is_no_wider_than_the_screen(
    browser: Any, page_file: Path, width: int
) -> None:
    tab, said = opened(browser, page_file, width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    unfolded(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.wait_for_timeout(100)
    assert said == []
    assert tab.title() == "indian-pines: issd · hsiaug"


def test_a_click_sorts_by_value_and_a_second_one_turns_it(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    unfolded(tab)
    name = "Differences"
    button = tab.locator(f"table[aria-label='{name}'] th button[data-c='4']")
    button.click()
    up = numbers(tab, name, 4)
    assert up == sorted(up) and len(set(up)) > 1
    heading = button.locator("xpath=..")
    assert heading.get_attribute("aria-sort") == "ascending"
    button.click()
    assert numbers(tab, name, 4) == sorted(up, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    tab.locator(f"table[aria-label='{name}'] th button[data-c='1']").click()
    assert heading.get_attribute("aria-sort") is None
    assert column(tab, name, 1) == sorted(column(tab, name, 1))
    assert said == []


def test_what_is_no_number_stays_last(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    unfolded(tab)
    name = "OA against λ"
    for _ in range(2):
        tab.locator(f"table[aria-label='{name}'] th button[data-c='2']").click()
        texts = column(tab, name, 2)
        missing = texts.count("–")
        assert missing and texts[-missing:] == ["–"] * missing


def test_the_keyboard_sorts(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    unfolded(tab)
    before = column(tab, "Differences", 4)
    tab.locator("table[aria-label='Differences'] th button[data-c='4']").focus()
    for key in ("Enter", "Space"):
        tab.keyboard.press(key)
    values = numbers(tab, "Differences", 4)
    assert values == sorted(values, reverse=True) and column(tab, "Differences", 4) != before
    assert tab.locator("#said").inner_text() == "Sorted by AA, points, largest first"


def test_every_text_has_the_contrast_of_wcag_aa(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    unfolded(tab)
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        seen, poor = tab.evaluate(CONTRAST)
        assert seen > 500, scheme
        assert poor == [], scheme
        tab.evaluate("document.querySelector('.question').style.color = '#777'")
        assert len(tab.evaluate(CONTRAST)[1]) == 1, "the measure finds what is too pale"
        tab.evaluate("document.querySelector('.question').style.color = ''")


@pytest.fixture(scope="module")
def small_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of every part, but of few records and without pictures: axe-core looks at each text
    of it, four times.
    """
    records = [*benchmark(2, ("none", "duplicate", "smote"), ("svm",)), failure(seed=8)]
    records += [
        record(0.5 * lam, 0.4, generator="smote", lam=lam, seed=s)
        for lam in (0.5, 1.5)
        for s in range(2)
    ]
    path = tmp_path_factory.mktemp("small") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        leave_pictures_blank(patch)
        path.write_text(render_html(build_report(records, store="results")), encoding="utf-8")
    return path


def test_axe_finds_nothing_serious_in_both_schemes_on_a_phone_and_a_screen(
    browser, small_page, axe
):
    context = browser.new_context(bypass_csp=True)
    tab = context.new_page()
    tab.goto(small_page.as_uri())
    unfolded(tab)
    tab.add_script_tag(content=axe)
    found = {}
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        for width in (390, 1440):
            tab.set_viewport_size({"width": width, "height": 900})
            # Colours change with the scheme alone, and to look at each of them takes most of the
            # time.
            if serious := tab.evaluate(AXE, width == 390):
                found[scheme, width] = serious
    assert found == {}
    context.close()


def test_figures_fit_a_phone(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file, 390)
    unfolded(tab)
    frames = "[...document.querySelectorAll('.scroll:has(> picture)')]"
    assert tab.evaluate(f"{frames}.length") > 1
    assert tab.evaluate(f"{frames}.filter(f => f.scrollWidth > f.clientWidth).length") == 0


def test_a_row_is_a_card_on_a_phone(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file, 390)
    table = tab.locator("table[aria-label='Table']")
    entry = table.locator("tbody tr").nth(1).locator("td").first
    box = entry.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    heading = table.locator("thead th").nth(1).text_content()
    assert heading and entry.evaluate("e => getComputedStyle(e, '::before').content") == (
        f'"{heading}"'
    )
