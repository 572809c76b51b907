"""The page in a real browser: it loads without a word, sorts, is read on small screens, by keyboard, in the dark."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_records import benchmark, failure, record

from hsiaug.report import build_report, render_html

playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright, which drives the browser, is not installed"
)

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""Programs that serve where playwright has no browser of its own."""
WIDTHS = (1280, 390)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    # The browser's own sandbox refuses to run for root.
    arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        try:
            opened = driver.chromium.launch(executable_path=found, args=arguments)
        except playwright.Error as error:
            pytest.skip(f"no Chromium that starts here: {str(error).splitlines()[0]}")
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    records = [*benchmark(7), failure(seed=8)]
    for lam in (0.5, 1.5):
        for seed in range(7):
            for i, name in enumerate(("duplicate", "smote")):
                aa = 0.5 + 0.02 * i * lam + 0.01 * seed
                records.append(record(aa, aa, generator=name, lam=lam, seed=seed))
    wordy = {"neighbourhood_of_the_samples": "those-on-the-border-of-two-classes-and-no-others"}
    records += [record(generator="smote", generator_params=wordy, seed=seed) for seed in range(7)]
    for r in records:
        r["class_names"] = ["alfalfa", "<script>alert(1)</script>", "oats"]
        if r["metrics"]:
            r["metrics"]["confusion"] = [[90, 5, 5], [30, 30, 40], [70, 0, 10]]
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_html(build_report(records, store="results")), encoding="utf-8")
    return path


def opened(browser: Any, page_file: Path, width: int = 1280, scheme: str = "light") -> tuple[Any, list[str]]:
    """A tab with the page, and what the browser has to complain of."""
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    said: list[str] = []
    tab.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url) if request.url.startswith("http") else None)
    tab.on("dialog", lambda dialog: said.append(f"dialog: {dialog.message}"))
    tab.goto(page_file.as_uri())
    return tab, said


def column(tab: Any, table: str, number: int) -> list[str]:
    script = """([name, n]) => {
        const table = document.querySelector(`table[aria-label='${name}']`);
        return [...table.tBodies[0].rows].map(row => row.cells[n].innerText);
    }"""
    return list(tab.evaluate(script, [table, number]))


def unfolded(tab: Any) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true })")


@pytest.mark.parametrize("width", WIDTHS)
def test_it_loads_without_a_complaint_and_asks_for_nothing(browser: Any, page_file: Path, width: int) -> None:
    tab, said = opened(browser, page_file, width)
    unfolded(tab)
    tab.wait_for_timeout(100)
    assert said == []
    assert tab.title() == "indian-pines: issd · hsiaug"


def test_a_click_sorts_by_value_and_a_second_one_turns_it(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    name = "Gain over the controls"
    button = tab.locator(f"table[aria-label='{name}'] th button[data-c='3']")
    button.click()
    up = [float(text) for text in column(tab, name, 3)]
    assert up == sorted(up) and len(set(up)) > 1
    heading = button.locator("xpath=..")
    assert heading.get_attribute("aria-sort") == "ascending"
    button.click()
    assert [float(text) for text in column(tab, name, 3)] == sorted(up, reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"
    tab.locator(f"table[aria-label='{name}'] th button[data-c='1']").click()
    assert heading.get_attribute("aria-sort") is None
    assert column(tab, name, 1) == sorted(column(tab, name, 1))
    assert said == []


def test_what_is_no_number_stays_last(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    name = "Gain over the controls"
    for _ in range(2):
        tab.locator(f"table[aria-label='{name}'] th button[data-c='5']").click()
        texts = column(tab, name, 5)
        missing = texts.count("–")
        assert missing and texts[-missing:] == ["–"] * missing


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts(browser: Any, page_file: Path, key: str) -> None:
    tab, _ = opened(browser, page_file)
    before = column(tab, "Accuracy", 2)
    tab.locator("table[aria-label='Accuracy'] th button[data-c='2']").focus()
    tab.keyboard.press(key)
    tab.keyboard.press(key)
    after = column(tab, "Accuracy", 2)
    values = [float(text.split(" ")[0]) for text in after if text != "–"]
    assert values == sorted(values, reverse=True) and after != before
    assert tab.locator("#said").inner_text() == "Sorted by OA, largest first"


def test_tab_reaches_the_verdict_the_contents_and_every_heading(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    reached = []
    for _ in range(60):
        tab.keyboard.press("Tab")
        read = "e => [e.tagName, (e.innerText || e.ariaLabel).trim(), getComputedStyle(e).outlineStyle]"
        tag, text, outline = tab.evaluate(f"({read})(document.activeElement)")
        assert outline != "none", f"no ring around {tag} {text}"
        reached.append((tag, text))
    assert reached[:2] == [("A", "To the verdict"), ("SUMMARY", "Contents")]
    assert ("BUTTON", "generator") in reached


def test_a_number_opens_its_records(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    link = tab.locator("table[aria-label='Accuracy'] tbody a").first
    target = link.get_attribute("href")
    assert not tab.locator(f"{target} tbody tr").first.is_visible()
    link.focus()
    tab.keyboard.press("Enter")
    tab.locator(f"{target} tbody tr").first.wait_for(state="visible")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("folded", [True, False])
def test_the_page_is_never_wider_than_the_screen(browser: Any, page_file: Path, width: int, folded: bool) -> None:
    tab, _ = opened(browser, page_file, width)
    if not folded:
        unfolded(tab)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_letters_of_drawings_are_readable_on_a_small_screen(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file, 390)
    script = "[...document.querySelectorAll('main svg text')].map(t => t.getBoundingClientRect().height)"
    heights = tab.evaluate(script)
    assert len(heights) > 20 and min(heights) >= 10


def shown_tip(tab: Any) -> str | None:
    tip = tab.locator(".tip")
    return str(tip.inner_text()) if tip.is_visible() else None


FOREST = "svg.chart[aria-label^='ΔAA with svm']"


def test_arrow_keys_walk_through_the_marks_of_a_chart_and_escape_hides_them(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    assert shown_tip(tab) is None
    tab.locator(FOREST).focus()
    tab.keyboard.press("Home")
    first = shown_tip(tab)
    assert first and "over duplicate, draw 0: " in first and tab.locator("#said").inner_text() == first
    tab.keyboard.press("ArrowRight")
    assert "draw 1: " in str(shown_tip(tab))
    tab.keyboard.press("ArrowLeft")
    assert shown_tip(tab) == first
    tab.keyboard.press("End")
    assert "mean of " in str(shown_tip(tab))
    tab.keyboard.press("Escape")
    assert shown_tip(tab) is None
    assert tab.locator(f"{FOREST} .on").count() == 0
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Tab")
    assert tab.locator(f"{FOREST} .on").count() == 0, "what loses the focus hides its values"
    assert said == []


def test_the_pointer_shows_the_nearest_mark_and_a_field_its_class_and_arm(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    mark = tab.locator(f"{FOREST} rect").first
    mark.scroll_into_view_if_needed()
    box = mark.bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] - 6)
    assert tab.locator(".tip").is_visible()
    assert tab.locator("#said").inner_text() == "", "a pointer is not read out"
    tab.mouse.move(2, 2)
    assert shown_tip(tab) is None
    link = tab.locator("table.shaded[aria-label='Gain in recall per class, svm'] td a").first
    link.evaluate("e => { for (let p = e; p; p = p.parentElement) if (p.tagName === 'DETAILS') p.open = true }")
    link.focus()
    text = str(shown_tip(tab))
    assert text.startswith("oats, ") and " over " in text and ", n = 7" in text


def test_a_first_touch_shows_the_values_and_a_second_one_follows_the_link(browser: Any, page_file: Path) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 390, "height": 800})
    tab = context.new_page()
    tab.goto(page_file.as_uri())
    link = tab.locator("table.shaded td a").first
    link.tap()
    assert shown_tip(tab) and not tab.evaluate("location.hash")
    tip, wide = tab.locator(".tip").bounding_box(), tab.evaluate("document.documentElement.clientWidth")
    assert tip["x"] >= 0 and tip["x"] + tip["width"] <= wide
    link.tap()
    assert tab.evaluate("location.hash").startswith("#t0-cell-")
    context.close()


CONTRAST = """
() => {
  const parse = (text) => [...text.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
  const over = (top, base) => [0, 1, 2].map(i => top[3] * top[i] + (1 - top[3]) * base[i]);
  const light = (rgb) => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(parse(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((base, top) => over(top, base), [255, 255, 255]);
  };
  const poor = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "STYLE"].includes(element.tagName)) continue;
    const style = getComputedStyle(element);
    const ink = parse(element.closest("svg") ? style.fill : style.color), base = ground(element);
    const [a, b] = [light(over(ink, base)), light(base)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    seen += 1;
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} ${walker.currentNode.data}`);
  }
  return [seen, poor];
}
"""
"""WCAG 2 contrast of every text against what lies behind it: [texts, those below 4.5]."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_wcag_aa(browser: Any, page_file: Path, scheme: str) -> None:
    tab, _ = opened(browser, page_file, scheme=scheme)
    unfolded(tab)
    seen, poor = tab.evaluate(CONTRAST)
    assert seen > 500
    assert poor == []
    tab.evaluate("document.querySelector('.headline').style.color = '#777'")
    assert len(tab.evaluate(CONTRAST)[1]) == 1, "the measure finds what is too pale"


def test_it_is_read_without_scripts(browser: Any, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page_file.as_uri())
    assert tab.locator("table[aria-label='Accuracy']").is_visible()
    assert tab.locator("#verdict .headline").is_visible()
    context.close()
