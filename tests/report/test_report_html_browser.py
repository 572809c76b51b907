"""The page in a real browser: it loads without a word, sorts, is read on small screens, by
keyboard, in the dark.
"""

from pathlib import Path
from typing import Any

import pytest
from report_records import benchmark, failure, record

from hsiaug.report import build_report, render_html
from tests.browsers import AXE, CONTRAST, axe, browser

__all__ = ["axe", "browser"]

WIDTHS = (1280, 390)


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
    return [float(text.replace("−", "-")) for text in column(tab, table, place)]


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
    name = "Gain over the controls"
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
    name = "Gain over the controls"
    for _ in range(2):
        tab.locator(f"table[aria-label='{name}'] th button[data-c='6']").click()
        texts = column(tab, name, 6)
        missing = texts.count("–")
        assert missing and texts[-missing:] == ["–"] * missing


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_the_keyboard_sorts(browser: Any, page_file: Path, key: str) -> None:
    tab, _ = opened(browser, page_file)
    unfolded(tab)
    before = column(tab, "Accuracy", 2)
    tab.locator("table[aria-label='Accuracy'] th button[data-c='2']").focus()
    tab.keyboard.press(key)
    tab.keyboard.press(key)
    after = column(tab, "Accuracy", 2)
    values = [float(text.split(" ")[0]) for text in after if text != "–"]
    assert values == sorted(values, reverse=True) and after != before
    assert tab.locator("#said").inner_text() == "Sorted by OA, largest first"


def test_tab_reaches_the_answers_the_contents_and_every_heading(
    browser: Any, page_file: Path
) -> None:
    tab, _ = opened(browser, page_file)
    reached = []
    for _ in range(150):
        tab.keyboard.press("Tab")
        read = (
            "e => [e.tagName, (e.innerText || e.ariaLabel).trim(),"
            " getComputedStyle(e).outlineStyle]"
        )
        tag, text, outline = tab.evaluate(f"({read})(document.activeElement)")
        if tag == "BODY":  # behind the last
            break
        assert outline != "none", f"no ring around {tag} {text}"
        reached.append((tag, text))
    assert reached[:2] == [("A", "To the answers"), ("SUMMARY", "Contents")]
    assert ("BUTTON", "arm") in reached


def test_a_link_of_the_contents_opens_what_is_folded(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    link = tab.locator("nav a[href$='-records']").first
    target = link.get_attribute("href")
    assert not tab.locator(f"{target} tbody tr").first.is_visible()
    link.focus()
    tab.keyboard.press("Enter")
    tab.locator(f"{target} tbody tr").first.wait_for(state="visible")


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
    """A page of every part, but of few records: axe-core looks at each text of it, eight times."""
    records = [*benchmark(2, ("none", "duplicate", "smote"), ("svm",)), failure(seed=8)]
    records += [
        record(0.5 * lam, 0.4, generator="smote", lam=lam, seed=s)
        for lam in (0.5, 1.5)
        for s in range(2)
    ]
    path = tmp_path_factory.mktemp("small") / "report.html"
    path.write_text(render_html(build_report(records, store="results")), encoding="utf-8")
    return path


def test_axe_finds_nothing_serious_in_both_schemes_at_four_widths(browser, small_page, axe):
    context = browser.new_context(bypass_csp=True)
    tab = context.new_page()
    tab.goto(small_page.as_uri())
    unfolded(tab)
    tab.add_script_tag(content=axe)
    found = {}
    for scheme in ("light", "dark"):
        tab.emulate_media(color_scheme=scheme)
        for width in (360, 390, 768, 1440):
            tab.set_viewport_size({"width": width, "height": 900})
            # Colours change with the scheme alone, and to look at each of them takes most of the
            # time.
            if serious := tab.evaluate(AXE, width == 360):
                found[scheme, width] = serious
    assert found == {}
    context.close()


def test_names_and_headings_of_a_table_stay_where_it_scrolls(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    unfolded(tab)
    moved = tab.evaluate("""() => {
        const table = document.querySelector("table[aria-label='Gain over the controls']");
        const frame = table.parentElement;
        frame.style.maxHeight = frame.style.maxWidth = "200px";
        const at = () => [table.tHead.rows[0].cells[0], table.tHead.rows[1].cells[0], table.tBodies[0].rows[0].cells[0]]
            .map(cell => cell.getBoundingClientRect()).map(box => [Math.round(box.x), Math.round(box.y)]);
        const before = at();
        frame.scrollTo(60, 40);
        return at().map((place, i) => [before[i][0] - place[0], before[i][1] - place[1]]);
    }""")
    assert moved == [[0, 0], [60, 0], [0, 40]]


WIDE = """() => [...document.querySelectorAll('.scroll > table')]
    .filter(table => table.scrollWidth > table.parentElement.clientWidth).map(table => {
        const frame = table.parentElement, row = table.tBodies[0].rows[0];
        const middle = row.cells[row.cells.length >> 1];
        const places = () => [row.cells[0], middle, row.cells[row.cells.length - 1]]
            .map(cell => Math.round(cell.getBoundingClientRect().x));
        const within = () => row.cells[row.cells.length - 1].getBoundingClientRect().right
            <= frame.getBoundingClientRect().right + 1;
        const before = places(), seen = within();
        frame.scrollLeft = 40;
        const moved = places().map((place, i) => before[i] - place);
        frame.scrollLeft = 0;
        return [table.ariaLabel, moved, seen];
    })"""
"""Of each table that is wider than its frame: how far its first, a middle and its last column move
where the frame scrolls by 40 px, and whether the last is seen before it scrolls.
"""


@pytest.fixture(scope="module")
def wide_page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of six classifiers, each of which has columns of its own."""
    named = ("svm", "cnn1d", "cnn2d", "emp", "filtered:svm", "fused:svm+emp")
    records = benchmark(2, ("none", "duplicate", "smote"), named)
    path = tmp_path_factory.mktemp("wide") / "report.html"
    path.write_text(render_html(build_report(records, store="results")), encoding="utf-8")
    return path


@pytest.mark.parametrize(("width", "names"), [(390, set()), (1440, {"Accuracy"})])
def test_a_wide_table_scrolls_in_itself_with_its_first_and_last_column_fixed(
    browser: Any, wide_page: Path, width: int, names: set[str]
) -> None:
    tab, _ = opened(browser, wide_page, width)
    unfolded(tab)
    wide = tab.evaluate(WIDE)
    # On a phone a row is a card, and nothing is wider than the screen.
    assert names <= {name for name, _, _ in wide} and bool(wide) == (width > 390)
    assert [one for one in wide if one[1:] != [[0, 40, 0], True]] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_hidden_columns_are_marked_beside_the_fixed_ones_where_there_are_any(
    browser: Any, wide_page: Path
) -> None:
    tab, _ = opened(browser, wide_page, 1440)
    unfolded(tab)
    frame = tab.locator(".scroll:has(> table[aria-label='Accuracy'])")
    scrolled = """(frame, x) => new Promise(done => {
        frame.scrollLeft = x;
        const marks = () => ['left', 'right'].filter(side => frame.matches(`.hides-${side}`));
        requestAnimationFrame(() => requestAnimationFrame(() => done(marks())));
    })"""
    assert frame.evaluate(scrolled, 0) == ["right"]
    assert frame.evaluate(scrolled, 40) == ["left", "right"]
    assert frame.evaluate(scrolled, 10_000) == ["left"]
    fit = "[...document.querySelectorAll('.scroll')].filter(f => f.scrollWidth <= f.clientWidth)"
    assert tab.evaluate(f"{fit}.filter(f => f.matches('.hides-left, .hides-right')).length") == 0


def test_figures_fit_a_phone(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file, 390)
    unfolded(tab)
    frames = "[...document.querySelectorAll('.scroll:has(> picture)')]"
    assert tab.evaluate(f"{frames}.length") > 1
    assert tab.evaluate(f"{frames}.filter(f => f.scrollWidth > f.clientWidth).length") == 0


IN_FIGURES = """[...document.querySelectorAll('img[src^="data:image/svg"]')].flatMap(i => {
    const style = getComputedStyle(i), sides = parseFloat(style.paddingLeft) * 2;
    const scale = (i.getBoundingClientRect().width - sides) / i.naturalWidth;
    return [...decodeURIComponent(i.src).matchAll(/font(?:-size)?: [^;]*?([\\d.]+)px/g)]
        .map(m => m[1] * scale);
})"""
"""Sizes of the letters of all figures, of which paper has 7 at least."""


def test_figures_are_larger_across_a_large_screen(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file, 1440)
    unfolded(tab)
    assert min(tab.evaluate(IN_FIGURES)) > 9.5
    frames = "[...document.querySelectorAll('.scroll:has(> picture)')]"
    scrolls = "f => f.scrollWidth > f.clientWidth || f.scrollHeight > f.clientHeight"
    assert tab.evaluate(f"{frames}.filter({scrolls}).length") == 0


def test_paper_shows_what_is_folded_and_cuts_no_table(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 703, "height": 1000})
    folded = "[...document.querySelectorAll('main details:not([open])')]"
    assert tab.evaluate(f"{folded}.length") and tab.evaluate(
        f"{folded}.every(d => d.id.endsWith('-records'))"
    )
    widths = (
        "[...document.querySelectorAll('.scroll:not(.wide) > table')].map(t =>"
        " t.getBoundingClientRect().right)"
    )
    assert 0 < max(tab.evaluate(widths)) <= 703
    points = (
        "[...document.querySelectorAll('.scroll > table :is(th, td, .badge)')].map(e => 0.75 *"
        " parseFloat(getComputedStyle(e).fontSize) * (e.closest('table').style.zoom || 1))"
    )
    assert min(tab.evaluate(points)) >= 7
    assert min(tab.evaluate(IN_FIGURES)) >= 6.99
    places = (
        "[...document.querySelectorAll('.scroll :is(thead, th, td)')].map(e =>"
        " getComputedStyle(e).position)"
    )
    assert {*tab.evaluate(places)} == {"static"}
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not tab.evaluate("document.querySelector('[data-folded]')")
    assert said == []


def test_paper_keeps_headings_with_their_tables_and_shows_no_heading_of_nothing(
    browser: Any, wide_page: Path
) -> None:
    tab, _ = opened(browser, wide_page)
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.emulate_media(media="print")
    sheets = tab.evaluate("""[...document.querySelectorAll('.scroll.wide > table')].map(table => {
        const sheet = e => getComputedStyle(e).page, frame = table.parentElement;
        const caption = frame.previousElementSibling.previousElementSibling;
        const heading = caption.previousElementSibling;
        return [caption.className, heading.tagName, ...[frame, caption, heading].map(sheet)];
    })""")
    assert sheets and {tuple(one) for one in sheets} == {
        ("caption wide", "SUMMARY", "wide", "wide", "wide")
    }
    rules = """[...document.querySelectorAll('.cards tr.new > *')]
        .map(cell => getComputedStyle(cell).borderTopWidth)"""
    assert {*tab.evaluate(rules)} == {"0px"}
    assert tab.locator("details[id$='-records']").first.is_hidden()
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    assert tab.locator(".wide, .cards").count() == 0


def test_it_is_read_without_scripts(browser: Any, page_file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(page_file.as_uri())
    assert tab.locator("table[aria-label^='Accuracy on']").is_visible()
    assert tab.locator("#answers .answer").count() == 3
    assert tab.locator("#answers img").first.is_visible()
    context.close()


def test_a_row_is_a_card_on_a_phone(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file, 390)
    verdict = tab.locator("table[aria-label^='Accuracy on'] tbody tr").nth(1).locator("td").first
    box = verdict.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert verdict.evaluate("e => getComputedStyle(e, '::before').content") == '"with"'
    empty = tab.locator("table[aria-label^='Accuracy on'] tbody td:empty")
    assert empty.count() and not empty.first.is_visible()


def test_a_row_opens_and_closes_its_draws(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    link = tab.locator("table[aria-label^='Accuracy on'] a[data-arm]").first
    link.click()
    assert link.get_attribute("aria-expanded") == "true"
    assert tab.locator("tr.more table tbody tr").count() == 7
    tab.locator("table[aria-label^='Accuracy on'] th button").first.click()
    assert tab.locator("tr.more").count() == 0
    assert link.get_attribute("aria-expanded") == "false" and said == []


def test_the_draws_that_a_row_opens_hide_none_of_their_columns(
    browser: Any, page_file: Path
) -> None:
    tab, _ = opened(browser, page_file, 1440)
    tab.locator("table[aria-label^='Accuracy on'] a[data-arm]").first.click()
    draw = tab.locator("tr.more table tbody tr").first
    draw.scroll_into_view_if_needed()
    hidden = draw.evaluate("""row => {
        const frame = row.closest('.scroll');
        frame.style.maxWidth = '600px';
        return [...row.cells].filter(cell => {
            const box = cell.getBoundingClientRect();
            const x = box.x + box.width / 2, y = box.y + box.height / 2;
            const inside = x < frame.getBoundingClientRect().right;
            return inside && !cell.contains(document.elementFromPoint(x, y));
        }).map(cell => cell.innerText);
    }""")
    assert hidden == []


def test_rows_are_filtered_and_saved_as_a_file(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    tab.get_by_label("Filter the rows of Accuracy on").first.fill("smote svm")
    shown = tab.locator("table[aria-label^='Accuracy on'] tbody tr:visible")
    texts = shown.all_inner_texts()
    assert texts and all("smote" in text and "svm" in text for text in texts)
    with tab.expect_download() as saved:
        tab.get_by_role("button", name="trials.csv").click()
    content = Path(saved.value.path()).read_text(encoding="utf-8")
    assert content.startswith("hash,status,")
    assert said == []


def test_a_heading_says_what_it_means(browser: Any, page_file: Path) -> None:
    tab, _ = opened(browser, page_file)
    tab.locator("table[aria-label^='Accuracy on'] th button", has_text="κ").hover()
    assert "kappa" in tab.locator("#tip").inner_text()
    tab.keyboard.press("Escape")
    assert tab.locator("#tip").is_hidden()
