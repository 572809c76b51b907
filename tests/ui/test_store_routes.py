"""``hsiaug serve``: the report while it grows."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hsiaug.bench.progress import tell_others
from hsiaug.trial.store import Store
from hsiaug.ui import store_routes
from hsiaug.ui.store_routes import StoreRoutes
from tests.browsers import AXE_ALL, CONTRAST, Tab, axe, browser
from tests.in_process import hsiaug

__all__ = ["axe", "browser"]

TOKEN, PORT = "a-secret", 4321
pytestmark = pytest.mark.usefixtures("few_rounds")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of four trials on the toy scene."""
    folder = tmp_path_factory.mktemp("made")
    words = (
        "benchmark",
        "toy",
        "--generator",
        "noise",
        "--classifier",
        "svm",
        "--patch",
        "5",
        "--view",
        "raw",
    )
    said = hsiaug(*words, "--seeds", "1", "--jobs", "1", "--preset", "tiny", cwd=folder)
    assert said.returncode == 0, said.stderr
    return folder / "hsiaug-results"


@pytest.fixture
def growing(made: Path, tmp_path: Path) -> Path:
    """A copy of which one record has yet to come."""
    shutil.copytree(made, tmp_path / "store")
    hash = Store(made).hashes()[0]
    shutil.move(Store(tmp_path / "store").folder(hash), tmp_path / "later")
    return tmp_path / "store"


def arrive(made: Path, growing: Path) -> None:
    """The record that was still to come."""
    hash = Store(made).hashes()[0]
    shutil.move(growing.parent / "later", Store(growing).folder(hash))


@pytest.fixture
def client(growing: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from starlette.testclient import TestClient

    from hsiaug.ui.server import local_app

    monkeypatch.setattr(store_routes, "REST", 0.0)
    app = local_app(StoreRoutes(Store(growing)).routes(), TOKEN, PORT)
    return TestClient(app, base_url=f"http://127.0.0.1:{PORT}/{TOKEN}/")


def test_the_page_is_refused_without_the_token(client: Any) -> None:
    assert client.get("report").status_code == 200
    for address in ("http://127.0.0.1:4321/report", "http://127.0.0.1:4321/other/report"):
        assert client.get(address).status_code == 403
    assert client.get("report", headers={"Host": "evil.example"}).status_code == 403


def test_the_report_grows_when_a_trial_ends(client: Any, made: Path, growing: Path) -> None:
    before = client.get("version").json()
    page = client.get("report").text
    assert client.get("version").json()["version"] == before["version"]
    assert client.get("report").text == page
    arrive(made, growing)
    after = client.get("version").json()
    assert after["version"] > before["version"] and after["records"] == before["records"] + 1
    assert client.get("report").text != page


def test_a_record_that_was_replaced_is_read_again(client: Any, growing: Path) -> None:
    before = client.get("version").json()["version"]
    path = Store(growing).folder(Store(growing).hashes()[0]) / "record.json"
    path.write_text("{}")
    assert client.get("version").json()["version"] > before
    assert "damaged" in client.get("report").text


def test_a_folder_without_records_is_refused(tmp_path: Path) -> None:
    said = hsiaug("serve", "--store", "nowhere", "--port", "0", cwd=tmp_path)
    assert (
        said.returncode == 2
        and "store of records" in said.stderr
        and "Traceback" not in said.stderr
    )


@pytest.fixture
def tab(browser: Any, growing: Path, served: Callable[[Any], str]) -> Iterator[Tab]:
    tab = Tab(browser, served(StoreRoutes(Store(growing)).routes()))
    yield tab
    tab.close()


def test_the_report_is_loaded_again_when_a_trial_ends(tab: Tab, made: Path, growing: Path) -> None:
    tab.until("version !== null")
    before = tab.read("$('said').textContent")
    arrive(made, growing)
    tab.until(f"$('said').textContent !== '{before}'")
    assert tab.said == []


def ready(tab: Tab) -> Any:
    """The frame of the report, once its rows are on offer."""
    tab.until("version !== null && $('generator').options.length > 1")
    return tab.page.frame_locator("#report")


def generators(tab: Tab) -> set[str]:
    """Those of the rows that are shown."""
    return set(
        tab.read("""[...page().querySelectorAll("table.sortable")].flatMap(rowsOf)
            .filter(one => !one.row.hidden && one.generator).map(one => one.generator)""")
    )


def test_filters_stand_in_the_address_and_survive_both_kinds_of_reload(tab, made, growing):
    ready(tab)
    every = generators(tab)
    assert {"none", "noise"} <= every and tab.page.inner_text("#shown") == ""
    tab.page.select_option("#generator", "noise")
    tab.page.select_option("#classifier", "svm")
    assert generators(tab) == {"noise"} and "?generator=noise&classifier=svm" in tab.page.url
    before = tab.read("version")
    arrive(made, growing)
    tab.until(f"version > {before} && frame.contentDocument.readyState === 'complete' && !before")
    tab.until("$('generator').options.length > 1")
    assert generators(tab) == {"noise"}
    tab.page.reload()
    ready(tab)
    assert generators(tab) == {"noise"} and tab.read("$('classifier').value") == "svm"
    assert " rows; verdicts use all configurations" in tab.page.inner_text("#shown")
    tab.page.click("#all")
    assert generators(tab) == every and "?" not in tab.page.url and tab.said == []


def test_two_maps_move_as_one_and_stay_where_they_are_when_a_trial_ends(tab, made, growing):
    report = ready(tab)
    viewer = report.locator(".viewer").first
    viewer.scroll_into_view_if_needed()
    viewer.locator("> .legend i").first.wait_for()
    viewer.get_by_label("Show", exact=True).select_option("ab")
    viewer.get_by_label("Show", exact=True).select_option("errors")
    viewer.get_by_label("Larger").click()
    canvas = viewer.locator("canvas[tabindex]").first
    canvas.focus()
    tab.page.keyboard.press("ArrowRight")
    both = """(() => { const { sides, at, show } = page().querySelector(".viewer").viewer;
        return [...sides.map(({ stage: { view } }) => [view.scale, view.x, view.y]), at, show.value]; })()"""
    a, b, at, shown = tab.read(both)
    assert a == b and a[0] > 0 and shown == "errors"
    assert "errors" in tab.page.url
    before = tab.read("version")
    arrive(made, growing)
    tab.until(f"version > {before} && !before && frame.contentDocument.readyState === 'complete'")
    viewer.scroll_into_view_if_needed()
    viewer.locator("> .legend i").first.wait_for()
    tab.until(f"JSON.stringify({both}.slice(2)) === JSON.stringify({json.dumps([at, shown])})")
    tab.until(f"Math.abs({both}[0][0] - {a[0]}) < 1e-6 && String({both}[0]) === String({both}[1])")
    assert tab.said == []


def test_it_says_how_far_a_run_is(tab: Tab, growing: Path) -> None:
    ready(tab)
    assert not tab.page.is_visible("#runs")
    with tell_others(growing) as tell:
        tell(
            lambda: {
                "done": 3,
                "total": 40,
                "failed": 1,
                "draws": "2 of 7 splits",
                "left": "ETA about 20 s",
                "now": ["smote · svm · split 1"],
            }
        )
        tab.until("!$('runs').hidden")
        said = tab.page.inner_text("#runs")
        assert (
            "3 of 40 trials, 2 of 7 splits: answers may change, 1 failed, ETA about 20 s" in said
            and "now: smote · svm · split 1" in said
        )
        assert tab.read("$('runs').querySelector('progress').position") == pytest.approx(3 / 40)
    tab.until("$('runs').hidden")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_at_three_widths(tab: Tab, axe: str, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme)
    ready(tab)
    tab.page.evaluate(axe)
    for width in (390, 768, 1440):
        tab.page.set_viewport_size({"width": width, "height": 844})
        assert tab.read("document.documentElement.scrollWidth") <= width
        assert tab.page.evaluate(CONTRAST)[1] == []
        assert tab.page.evaluate(AXE_ALL) == []
    tab.page.keyboard.press("Tab")
    assert tab.read("document.activeElement.id") == "scene"


@pytest.mark.indian_pines
def test_a_run_on_indian_pines_is_watched_from_its_first_record_to_its_last(
    browser: Any, tmp_path: Path
) -> None:
    words = (
        "benchmark",
        "indian_pines",
        "--generator",
        "smote",
        "--classifier",
        "svm",
        "--seeds",
        "2",
        "--jobs",
        "1",
        "--view",
        "raw",
        "--patch",
        "5",
    )
    program, store = (sys.executable, "-m", "hsiaug"), tmp_path / "hsiaug-results"
    quiet: dict[str, Any] = {"cwd": tmp_path, "env": os.environ, "text": True}
    with (
        subprocess.Popen(
            (*program, *words), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **quiet
        ) as run,
        subprocess.Popen(
            (*program, "serve", "--store", waited_for(store, run), "--port", "0"),
            stdout=subprocess.PIPE,
            **quiet,
        ) as served,
    ):
        try:
            assert served.stdout is not None
            tab = Tab(browser, served.stdout.readline().removeprefix("report at: ").strip())
            tab.until(
                "version !== null && !$('runs').hidden || $('said').textContent === '8 records'"
            )
            assert run.wait() == 0
            tab.until("$('runs').hidden && $('said').textContent === '8 records'")
            # The report is loaded again after the records are told.
            tab.until("!before && [...$('generator').options].some(one => one.value === 'smote')")
            report = ready(tab)
            assert generators(tab) == {"none", "duplicate", "smote"}
            tab.page.select_option("#generator", "smote")
            viewer = report.locator(".viewer").first
            viewer.scroll_into_view_if_needed()
            viewer.locator("> .legend i").first.wait_for()
            viewer.get_by_label("Larger").click()
            a, b = tab.read(
                "page().querySelector('.viewer').viewer.sides.map(({ stage }) =>"
                " String(Object.values(stage.view)))"
            )
            assert a == b and generators(tab) == {"smote"} and tab.said == []
            tab.close()
        finally:
            served.terminate()
            run.terminate()


def waited_for(store: Path, run: Any) -> str:
    """The store, once the run has begun it."""
    while not (store / "records").is_dir():
        assert run.poll() is None
        time.sleep(0.05)
    return str(store)
