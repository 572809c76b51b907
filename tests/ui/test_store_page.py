"""``hsiaug serve``: the report while it grows."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hsiaug.trial.store import Store
from hsiaug.ui import store_page
from hsiaug.ui.store_page import StorePage
from tests.browsers import AXE, CONTRAST, Tab, axe, browser
from tests.in_process import hsiaug

__all__ = ["axe", "browser"]

TOKEN, PORT = "a-secret", 4321


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of four trials on the toy scene."""
    folder = tmp_path_factory.mktemp("made")
    words = ("benchmark", "toy", "--generator", "noise", "--classifier", "svm", "--patch", "5", "--view", "raw")
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

    monkeypatch.setattr(store_page, "REST", 0.0)
    app = local_app(StorePage(Store(growing)).routes(), TOKEN, PORT)
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
    said = hsiaug("serve", "nowhere", "--no-browser", cwd=tmp_path)
    assert said.returncode == 2 and "store of records" in said.stderr and "Traceback" not in said.stderr


@pytest.fixture
def tab(browser: Any, growing: Path, served: Callable[[Any], str]) -> Iterator[Tab]:
    tab = Tab(browser, served(StorePage(Store(growing)).routes()))
    yield tab
    tab.context.close()


def test_the_report_is_loaded_again_when_a_trial_ends(tab: Tab, made: Path, growing: Path) -> None:
    tab.until("version !== null")
    before = tab.read("$('said').textContent")
    arrive(made, growing)
    tab.until(f"$('said').textContent !== '{before}'")
    assert tab.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_on_a_small_screen(tab: Tab, axe: str, scheme: str) -> None:
    tab.page.emulate_media(color_scheme=scheme)
    tab.page.set_viewport_size({"width": 390, "height": 844})
    tab.until("version !== null")
    assert tab.read("document.documentElement.scrollWidth") <= 390
    assert tab.page.evaluate(CONTRAST)[1] == []
    tab.page.evaluate(axe)
    assert tab.page.evaluate(AXE, True) == []
