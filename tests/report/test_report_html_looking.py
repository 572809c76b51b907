"""What the page's scripts let people look at, in a real browser: maps pixel by pixel."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from report_records import predicted
from test_report_html_browser import browser, opened

from hsiaug.core.scene import Scene
from hsiaug.protocol.protocols import parse_protocol
from hsiaug.protocol.split import Split, draw_split
from hsiaug.report import build_report, render_html
from hsiaug.trial.store import Store
from tests.browsers import until

__all__ = ["browser"]


@pytest.fixture(scope="module")
def split(toy: Scene) -> Split:
    return draw_split(toy, parse_protocol("issd:0.05"), 0, 5)


@pytest.fixture(scope="module")
def page_file(toy: Scene, split: Split, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two draws by two classifiers on the toy scene: every second, third or fourth test pixel is
    called wrong.
    """
    folder = tmp_path_factory.mktemp("looking")
    kept = Store(folder / "store", create=True)
    for classifier in ("svm", "rf"):
        for generator, every in (("none", 2), ("duplicate", 3), ("smote", 4), ("mixup", 5)):
            kept.put(*predicted(toy, split, every, generator=generator, classifier=classifier))
    path = folder / "report.html"
    path.write_text(
        render_html(build_report(list(kept.each()), store="results"), kept), encoding="utf-8"
    )
    return path


def on_map(tab: Any) -> Any:
    """The map of A, once the viewer is built."""
    tab.locator(".viewer").scroll_into_view_if_needed()
    tab.wait_for_selector(".viewer > .legend i")
    return tab.locator(".viewer canvas[tabindex]").first


def shown(pixels: int, of: int) -> str:
    """Pixels of a kind, and their share, as the legend says it."""
    return f"{pixels:,} px, {100 * pixels / of:.1f} %"


def point_at(canvas: Any, toy: Scene, row: int, column: int) -> tuple[float, float]:
    """Where a pixel is on the screen."""
    box, (height, width) = canvas.bounding_box(), toy.shape
    scale = min(box["width"] / width, box["height"] / height)
    left, top = (box["width"] - scale * width) / 2, (box["height"] - scale * height) / 2
    return box["x"] + left + (column + 0.5) * scale, box["y"] + top + (row + 0.5) * scale


@pytest.mark.parametrize("touch", [False, True])
def test_a_pixel_of_the_map_says_its_true_class_and_those_of_both_trials(
    browser, page_file, toy, split, touch
):
    context = browser.new_context(
        viewport={"width": 390 if touch else 1280, "height": 800}, has_touch=touch
    )
    tab = context.new_page()
    said: list[str] = []
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.goto(page_file.as_uri())
    canvas = on_map(tab)
    tab.get_by_label("A", exact=True).select_option(label="none with svm")
    tab.get_by_label("B", exact=True).select_option(label="mixup λ=1 with svm")
    tab.get_by_label("Show", exact=True).select_option("errors")
    wrong = np.flatnonzero(split.test)[0]
    row, column = np.unravel_index(wrong, toy.shape)
    canvas.scroll_into_view_if_needed()
    place = point_at(canvas, toy, int(row), int(column))
    if touch:
        tab.touchscreen.tap(*place)
    else:
        tab.mouse.move(*place)
    true = toy.labels[row, column]
    right, other = toy.class_names[true - 1], toy.class_names[true % len(toy.class_names)]
    expected = (
        f"row {row}, column {column} · true: {right} · A: {other} (wrong) · B: {other} (wrong) ·"
        " test"
    )
    tab.wait_for_function(
        "text => document.querySelector('.viewer .said').innerText === text", arg=expected
    )
    tests = int(split.test.sum())
    assert (
        f"wrong (A {shown(-(-tests // 2), tests)}; B {shown(-(-tests // 5), tests)})"
        in tab.locator(".viewer > .legend").inner_text()
    )
    assert not said
    context.close()


def test_the_map_is_read_by_keyboard_and_both_sides_are_zoomed_as_one(browser, page_file, toy):
    tab, said = opened(browser, page_file)
    canvas = on_map(tab)
    canvas.focus()
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Shift+ArrowUp")
    height, width = toy.shape
    row, column = max(0, height // 2 - 10), width // 2 + 1
    assert (
        tab.locator(".viewer .said").inner_text().startswith(f"row {row}, column {column} · true:")
    )
    shots = tab.locator(".viewer canvas[tabindex]")
    before = [one.screenshot() for one in shots.all()]
    tab.get_by_label("Larger").click()
    pairs = list(zip(shots.all(), before, strict=True))
    until(tab, lambda: all(one.screenshot() != old for one, old in pairs))
    assert not said
    tab.close()


def test_maps_begin_with_the_best_configuration_and_its_strongest_control(
    browser: Any, page_file: Path
) -> None:
    tab, _ = opened(browser, page_file)
    on_map(tab)
    a, b = (
        tab.get_by_label(name, exact=True).evaluate("e => e.selectedOptions[0].text")
        for name in "AB"
    )
    assert (a, b) == ("mixup λ=1 with rf", "duplicate λ=1 with rf")


def test_two_trials_are_compared_pixel_by_pixel(
    browser: Any, page_file: Path, split: Split
) -> None:
    tab, _ = opened(browser, page_file)
    on_map(tab)
    tab.get_by_label("Show", exact=True).select_option("ab")
    tab.get_by_label("A", exact=True).select_option(label="duplicate λ=1 with svm")
    tab.get_by_label("B", exact=True).select_option(label="none with svm")
    places = np.arange(int(split.test.sum()))
    a, b = places % 3 != 0, places % 2 != 0
    parts = {
        "both right": a & b,
        "only A right": a & ~b,
        "only B right": ~a & b,
        "both wrong": ~a & ~b,
    }
    expected = [f"{name} ({shown(int(which.sum()), a.size)})" for name, which in parts.items()]
    tab.wait_for_function(
        "text => document.querySelector('.viewer > .legend').innerText.includes(text)",
        arg=expected[0],
    )
    assert tab.locator(".viewer > .legend span").all_inner_texts() == expected
    tab.close()


COLOURS = """
() => [...document.querySelectorAll('.viewer .stage')].filter(one => one.clientWidth).map(one => {
    const canvas = one.querySelector('canvas');
    const { width, height } = canvas;
    const copy = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, width, height);
    const seen = new Map();
    for (let i = 0; i < data.length; i += 4) {
        const colour = data[i + 3] ? [data[i], data[i + 1], data[i + 2]].join() : '';
        seen.set(colour, (seen.get(colour) || 0) + 4 / data.length);
    }
    return [...seen].filter(([colour, share]) => colour && share > .002).length;
})
"""
"""How many colours cover more than a five-hundredth of each map that is shown."""


@pytest.mark.parametrize("width", [390, 1280])
def test_every_view_shows_a_map(browser: Any, page_file: Path, width: int) -> None:
    tab, said = opened(browser, page_file, width)
    on_map(tab)
    # Without the scene below, so that the colours are those of the view.
    tab.get_by_label("Opacity").fill("100")
    views = tab.get_by_label("Show", exact=True).evaluate(
        "e => [...e.options].map(one => one.value)"
    )
    assert views == ["predicted", "errors", "ab", "true", "split"]
    least = {"predicted": 3, "errors": 2, "ab": 4, "true": 3, "split": 2}
    for view in [*views, *views[::-1]]:
        tab.get_by_label("Show", exact=True).select_option(view)
        sides = 2 if view in ("predicted", "errors") else 1
        until(tab, lambda: len(tab.evaluate(COLOURS)) == sides)  # noqa: B023
        until(tab, lambda: min(tab.evaluate(COLOURS)) >= least[view])  # noqa: B023
    assert not said
    tab.close()


def test_two_maps_are_compared_without_a_photo_below_them(browser: Any, page_file: Path) -> None:
    tab, said = opened(browser, page_file)
    viewer = tab.locator(".viewer").first
    viewer.scroll_into_view_if_needed()
    viewer.locator("select[aria-label=Show]").select_option("ab")
    tab.wait_for_function("() => document.querySelector('.viewer').viewer.photo === null")
    assert viewer.locator("label", has_text="Opacity").is_hidden()
    viewer.locator("select[aria-label=Show]").select_option("errors")
    tab.wait_for_function("() => document.querySelector('.viewer').viewer.photo")
    assert said == []
