"""The page of ``hsiaug label`` in a real browser: by mouse, by keyboard alone, by touch, in the
dark.
"""

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hsiaug.core.scene import Scene
from hsiaug.data.georeference import quiet
from hsiaug.ui.labelling import Labelling
from tests.browsers import AXE_ALL, CONTRAST, Tab, axe, browser
from tests.processes import Process

__all__ = ["axe", "browser"]

Begin = Callable[..., Labelling]
KEYS = "123456789cdefghijlqtvwxy"


@pytest.fixture
def address(begin: Begin, served: Callable[[Any], str]) -> Iterator[str]:
    """The page of the toy scene, served from this process."""
    from hsiaug.ui.label_routes import LabelRoutes

    labelling = begin()
    labelling.ask()
    yield served(LabelRoutes(labelling).routes())
    labelling.wait()


def labelled(browser: Any, address: str, **options: Any) -> Tab:
    """A tab in which the first picks are there."""
    tab = Tab(browser, address, **options)
    tab.until("state && target && !state.job.running")
    tab.page.evaluate("queue")
    return tab


@pytest.fixture
def tab(browser: Any, address: str) -> Iterator[Tab]:
    made = labelled(browser, address)
    yield made
    made.close()


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_keyboard_alone_labels_asks_and_maps(tab: Tab, answers: Path, toy: Scene) -> None:
    for _ in range(2):
        for row, column in tab.read("state.picks.map(p => [p.row, p.column])"):
            assert tab.read("place()") == [row, column]
            true = int(toy.labels[row, column])
            tab.press(KEYS[true - 1] if true else "n")
        assert "All picks are answered" in tab.page.inner_text("#said")
        tab.press("a")
        tab.until("state.picks.every(p => p.label === 0) && !state.job.running")
    assert len(rows(answers)) == 12
    assert all(sum(n for _, n in votes) == 2 for votes in tab.read("state.picks.map(p => p.votes)"))
    tab.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert tab.read("target.pick") == 1
    tab.press("s")
    assert rows(answers)[-1]["said"] == "skip"
    tab.press("u")
    assert len(rows(answers)) == 12
    tab.press("m")
    tab.until("state.map && pictures.map && $('where').textContent.includes('map: ')")
    assert tab.read("$('over').value") == "map" and tab.said == []


def test_a_polygon_by_keyboard_and_by_mouse(tab: Tab, answers: Path) -> None:
    tab.page.evaluate("look([10, 10])")
    tab.press(
        "p", "Space", *["Shift+ArrowRight"] * 4, "Space", *["Shift+ArrowDown"] * 4, "Space", "Enter"
    )
    assert tab.page.inner_text("#target") == "Polygon: what is it?"
    tab.press("2")
    by_keys = len(rows(answers))
    assert by_keys >= 6 and {row["answer"] for row in rows(answers)} == {"1"}
    tab.press("p")
    for row, column in ((20, 20), (20, 30), (30, 30)):
        tab.page.mouse.click(*tab.at(row, column))
    tab.page.mouse.dblclick(*tab.at(30, 20))
    tab.page.click("#answers button >> nth=0")
    tab.page.evaluate("queue")
    assert len(rows(answers)) == by_keys + 100
    tab.press("p", "Escape")
    assert tab.read("corners") is None and len(rows(answers)) == by_keys + 100


def test_a_click_names_a_pixel_the_wheel_zooms_and_a_drag_moves(tab: Tab, answers: Path) -> None:
    tab.page.mouse.click(*tab.at(5.5, 40.5))
    assert tab.read("target.pixel") == [5, 40] and "Row 5, column 40" in tab.page.inner_text(
        "#target"
    )
    tab.page.click("#none")
    tab.page.evaluate("queue")
    assert rows(answers)[0] | {"answer": "1"} == {
        "row": "5",
        "column": "40",
        "class": "",
        "said": "none",
        "answer": "1",
    }
    # What is said of the pixel comes after the answer, and takes room from the scene.
    tab.until("$('where').textContent.startsWith('row 5, column 40')")
    tab.press("0")
    before = tab.read("stage.view.scale")
    tab.page.mouse.move(*tab.at(24, 24))
    tab.page.mouse.wheel(0, -100)
    tab.until(f"stage.view.scale > {before}")
    where = tab.at(24, 24)
    tab.page.mouse.down()
    tab.page.mouse.move(where[0] + 60, where[1] + 20)
    tab.page.mouse.up()
    assert tab.at(24, 24) == pytest.approx((where[0] + 60, where[1] + 20), abs=0.5)
    assert tab.read("target.pixel") == [5, 40]
    tab.press("0")
    assert tab.read("stage.view.scale") == before and tab.said == []


def test_what_was_undone_is_done_again_until_something_new_is_said(tab: Tab, answers: Path) -> None:
    assert tab.page.is_disabled("#undo") and tab.page.is_disabled("#redo")
    tab.press("1", "2")
    both = rows(answers)
    tab.press("u", "Control+z")
    assert rows(answers) == [] and tab.page.is_disabled("#undo")
    tab.press("r", "Control+y")
    assert rows(answers) == both and tab.page.is_disabled("#redo")
    tab.page.click("#undo")
    tab.page.evaluate("queue")
    assert tab.read("target.pick") == 1
    tab.press("3", "r")
    assert "nothing to redo" in tab.page.inner_text("#said")
    assert [row["class"] for row in rows(answers)] == tab.read(
        "[state.classes[0].name, state.classes[2].name]"
    )


def test_the_view_follows_the_picks(tab: Tab) -> None:
    whole = tab.read("stage.view.scale")
    tab.press("z")
    assert tab.read("stage.view.scale") > 1.5 * whole
    for _ in range(3):
        middle = tab.read("stage.at(place().map(v => v + 0.5))")
        assert middle == pytest.approx(tab.read("stage.size.map(v => v / 2)"), abs=1)
        tab.press("1")
    tab.press("z", "0", "ArrowRight")
    # The words below the scene may take another line by now.
    assert tab.read("stage.view.scale") == pytest.approx(whole, rel=0.05) and tab.said == []


def test_a_brush_paints_by_mouse_and_by_keyboard(tab: Tab, answers: Path) -> None:
    tab.press("b")
    tab.press("1")
    assert "Paint first" in tab.page.inner_text("#said") and not answers.exists()
    tab.page.mouse.move(*tab.at(10.5, 10.5))
    tab.page.mouse.down()
    tab.page.mouse.move(*tab.at(10.5, 20.5))
    tab.page.mouse.up()
    # Three rows wide, round at its ends.
    band = {(row, column) for row in (9, 10, 11) for column in range(10, 21)} | {(10, 9), (10, 21)}
    assert (
        band
        <= set(map(tuple, tab.read("target.pixels")))
        <= band | {(row, column) for row in (9, 11) for column in (9, 21)}
    )
    tab.page.select_option("#width", "1")
    tab.page.evaluate("look([30, 30])")
    tab.page.focus("#stage")
    tab.press("Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown", "Space")
    painted = {(30, 30), (30, 31), (31, 31)}
    assert painted <= set(map(tuple, tab.read("target.pixels")))
    tab.press("u")
    assert (31, 31) not in set(map(tuple, tab.read("target.pixels"))) and not answers.exists()
    wanted = set(map(tuple, tab.read("target.pixels")))
    tab.press("2")
    given = rows(answers)
    assert {(int(row["row"]), int(row["column"])) for row in given} == wanted
    assert {row["answer"] for row in given} == {"1"} and tab.read("strokes") == []
    before = tab.at(24, 24)
    tab.page.keyboard.down("Shift")
    tab.page.mouse.move(*before)
    tab.page.mouse.down()
    tab.page.mouse.move(before[0] + 50, before[1])
    tab.page.mouse.up()
    tab.page.keyboard.up("Shift")
    assert (
        tab.at(24, 24)[0] == pytest.approx(before[0] + 50, abs=0.5) and tab.read("target") is None
    )
    tab.press("Space", "Escape")
    assert tab.read("[strokes, target]") == [None, None] and tab.said == []


def test_spectra_are_kept_beside_each_other(tab: Tab, toy: Scene) -> None:
    places = [[5, 5], [20, 30], [40, 10], [30, 40], [12, 12]]
    for place in places:
        tab.page.evaluate("(at) => look(at)", place)
        tab.until("!reading")
        tab.press("k")
    assert "remove one first" in tab.page.inner_text("#said")
    assert tab.page.locator("#spectrum .kept").count() == tab.page.locator("#kept li").count() == 4
    a, b = (toy.cube[row, column].astype(float) for row, column in (places[1], places[4]))
    angle = np.degrees(np.arccos(a @ b / np.sqrt((a @ a) * (b @ b))))
    assert f"2: row 20, column 30; {angle:.1f}° from the pixel" in tab.page.inner_text("#kept")
    tab.page.click("#kept button >> nth=0")
    assert (
        tab.page.locator("#kept li").count() == 3
        and tab.read("document.activeElement.id") == "keep"
    )


def test_it_shows_how_sure_the_committee_is(tab: Tab, toy: Scene) -> None:
    assert tab.read("$('over').querySelector('[value=doubt]').disabled")
    for _ in range(2):
        for row, column in tab.read("state.picks.map(p => [p.row, p.column])"):
            true = int(toy.labels[row, column])
            tab.press(KEYS[true - 1] if true else "n")
        tab.press("a")
        tab.until("state.picks.every(p => p.label === 0) && !state.job.running")
    tab.page.select_option("#over", "doubt")
    tab.until("pictures.doubt && pictures.doubt.naturalWidth > 0")
    assert tab.page.is_visible("#scale") and "committee disagrees" in tab.page.inner_text("#where")
    tab.page.select_option("#over", "labels")
    assert not tab.page.is_visible("#scale") and tab.said == []


def test_a_new_class_is_a_button_and_a_key(tab: Tab, answers: Path) -> None:
    count = tab.read("state.classes.length")
    tab.page.fill("#name", "water <b>")
    tab.page.keyboard.press("Enter")
    tab.until(f"state.classes.length === {count + 1}")
    tab.press(KEYS[count])
    assert rows(answers)[0]["class"] == "water <b>"


def test_it_says_when_the_server_is_gone(tab: Tab) -> None:
    tab.page.context.set_offline(True)
    tab.press("n")
    assert "Start hsiaug label again" in tab.page.inner_text("#said")


def test_a_finger_labels_on_a_small_screen(browser: Any, address: str, answers: Path) -> None:
    tab = labelled(
        browser, address, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    assert tab.read("document.documentElement.scrollWidth") <= 390
    # The scene stays in sight while the answers are scrolled to.
    tab.page.locator("#ask").scroll_into_view_if_needed()
    scene = tab.page.locator("#stage").bounding_box()
    assert scene["y"] == pytest.approx(0, abs=1) and scene["height"] >= 200
    row, column = tab.read("[state.picks[2].row, state.picks[2].column]")
    tab.page.touchscreen.tap(*tab.at(row + 0.5, column + 0.5))
    assert tab.read("target.pick") == 2
    tab.page.locator("#answers button").nth(1).tap()
    tab.page.evaluate("queue")
    assert [(r["row"], r["column"]) for r in rows(answers)] == [(str(row), str(column))]
    smallest = (
        "Math.min(...[...document.querySelectorAll('button')].map(b =>"
        " b.getBoundingClientRect().height))"
    )
    assert tab.read(smallest) >= 40
    tab.page.locator("#brush").tap()
    tab.page.evaluate("scrollTo(0, 0)")
    tab.page.touchscreen.tap(*tab.at(20.5, 20.5))
    assert [20, 20] in tab.read("target.pixels")
    drawn = tab.read("target.pixels.length")
    # Two fingers move and zoom with the brush too, and paint nothing. The browser's own driver has
    # no pinch.
    pinched = """() => {
        const box = stage.root.getBoundingClientRect(), before = stage.view.scale;
        const send = (kind, id, x) => stage.root.dispatchEvent(new PointerEvent(kind, {
            pointerId: id, clientX: box.x + x, clientY: box.y + 100, pointerType: "touch" }));
        stage.root.setPointerCapture = () => {};
        send("pointerdown", 11, 100); send("pointerdown", 12, 200);
        send("pointermove", 12, 300); send("pointerup", 11, 100); send("pointerup", 12, 300);
        return stage.view.scale / before;
    }"""
    assert tab.page.evaluate(pinched) == pytest.approx(2)
    assert tab.read("target.pixels.length") == drawn
    assert tab.said == []
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_and_axe_finds_nothing_at_three_widths(
    browser, address, axe, scheme
):
    tab = labelled(browser, address, color_scheme=scheme, bypass_csp=True)
    tab.until("spectrum.length && !reading")
    tab.press("k", "b")
    tab.page.add_script_tag(content=axe)
    for width in (390, 768, 1440):
        tab.page.set_viewport_size({"width": width, "height": 900})
        assert tab.read("document.documentElement.scrollWidth") <= width
        seen, poor = tab.page.evaluate(CONTRAST)
        assert seen > 30 and poor == []
        assert tab.page.evaluate(AXE_ALL) == []
    named = tab.page.locator("body").aria_snapshot()
    for line in (
        "heading",
        "application",
        'button "Undo u"',
        'button "Brush b"',
        'list "Kept spectra"',
    ):
        assert line in named
    assert "- button:" not in named and "- combobox:" not in named
    tab.press("b")
    tab.page.keyboard.press("Tab")
    for _ in range(12):
        tab.page.keyboard.press("Tab")
        tag, outline = tab.read(
            "[document.activeElement.id, getComputedStyle(document.activeElement).outlineStyle]"
        )
        assert outline != "none", f"no ring around {tag}"
    tab.close()


@pytest.mark.indian_pines
def test_from_an_empty_label_file_to_an_exported_map(
    browser: Any, indian_pines: Scene, tmp_path: Path
) -> None:
    """The user knows the true labels; what they cover not is none of the classes."""
    pytest.importorskip("rasterio")
    labels = indian_pines.labels[::2, ::2]
    np.save(tmp_path / "indian_pines.npy", indian_pines.cube[::2, ::2])
    names = ",".join(indian_pines.class_names)
    options = ("--classes", names, "--port", "0")
    command = (sys.executable, "-m", "hsiaug", "label", "indian_pines.npy", *options)
    with Process(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env=os.environ) as run:
        assert run.stdout is not None
        try:
            tab = labelled(browser, run.stdout.readline().removeprefix("label at: ").strip())
            for turn in range(2):
                for row, column in tab.read("state.picks.map(p => [p.row, p.column])"):
                    assert tab.read("place()") == [row, column]
                    true = int(labels[row, column])
                    tab.press(KEYS[true - 1] if true else "n")
                if not turn:
                    tab.press("a")
                    tab.until("state.picks.every(p => p.label === 0) && !state.job.running")
            # A stroke of the brush is taken back, given again, and taken back.
            tab.page.select_option("#over", "doubt")
            tab.press("z", "b")
            tab.page.focus("#stage")
            tab.press("Space", "Shift+ArrowRight", "Space", "2", "u", "r")
            assert tab.read("state.answers") == 33
            tab.press("u", "b", "k", "z")
            assert tab.read("state.answers") == 32 and tab.page.locator("#kept li").count() == 1
            tab.press("m")
            tab.until("state.map")
            with tab.page.expect_download() as downloaded:
                tab.page.click("text=labels.npy")
            downloaded.value.save_as(tmp_path / "labels.npy")
            with tab.page.expect_download() as saved:
                tab.page.click("text=map.tif")
            saved.value.save_as(tmp_path / "map.tif")
            assert tab.said == []
            tab.close()
        finally:
            run.terminate()
    given = rows(tmp_path / "indian_pines-answers.csv")
    assert len(given) == 32
    for row in given:
        id = labels[int(row["row"]), int(row["column"])]
        assert row["class"] == (indian_pines.class_names[id - 1] if id else "")
    taught = np.load(tmp_path / "labels.npy")
    assert (taught == labels)[taught > 0].all() and (taught > 0).sum() == sum(
        row["said"] == "class" for row in given
    )
    with quiet() as rasterio, rasterio.open(tmp_path / "map.tif") as file:
        ids = file.read(1)
    true = labels > 0
    asked = np.zeros_like(true)
    asked[[int(r["row"]) for r in given], [int(r["column"]) for r in given]] = True
    assert ids.shape == labels.shape and (ids > 0).all()
    # Half of the picks lie on ground of no class; the others beat the most frequent class
    # everywhere.
    largest = np.bincount(labels[true]).max() / true.sum()
    assert (ids == labels)[true & ~asked].mean() > 1.1 * largest
