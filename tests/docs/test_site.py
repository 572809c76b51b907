"""The site is built without a warning, and every link leads somewhere: on the site, and for readers
of the files.
"""

import html
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

import hsiaug
from benchmarks import docs_lists
from tests.browsers import browser
from tests.docs.pages import PAGES, ROOT, links

__all__ = ["browser"]

FILES = (
    *PAGES,
    *ROOT.glob("examples/*/README.md"),
    *ROOT.glob("benchmarks/results/README.md"),
)
OUTWARD = sorted({link for page in FILES for link in links(page) if re.match(r"\w+:", link)})


class Links(HTMLParser):
    """What a page of the site links to, the places in it, and its pictures."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (tag, name) in {
                ("a", "href"),
                ("img", "src"),
                ("link", "href"),
                ("script", "src"),
            } and value:
                self.targets.append(value)
            if name in ("id", "name") and value:
                self.places.add(value)


def build(source: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build the site of a folder as ``make docs`` does; a warning is an error."""
    words = (
        "-W",
        "--keep-going",
        "-q",
        "-b",
        "html",
        "-c",
        str(ROOT / "docs"),
        "-d",
        f"{out}-trees",
        str(source),
    )
    return subprocess.run(
        [sys.executable, "-m", "sphinx", *words, str(out)], capture_output=True, text=True
    )


@pytest.fixture(scope="session")
def site(make_once: Callable[..., Path]) -> Path:
    for name in ("sphinx", "myst_nb", "furo", "sphinx_copybutton"):
        pytest.importorskip(
            name,
            reason=f"{name}, which builds the site, is not installed: pip install -e '.[docs]'",
        )

    def make(folder: Path) -> None:
        answer = build(ROOT, folder / "html")
        assert answer.returncode == 0, answer.stderr

    return make_once("site", make) / "html"


def test_the_site_has_every_page_and_a_first_one(site: Path) -> None:
    built = {path.relative_to(site).with_suffix(".md") for path in site.rglob("*.html")}
    assert {path.relative_to(ROOT) for path in FILES} <= built
    first = Links(site / "index.html").targets
    assert first == ["docs/index.html"] and (site / first[0]).is_file()


@pytest.mark.parametrize("name", sorted(set(hsiaug.__all__) - {"Results", "SceneMap"}))
def test_each_public_function_has_a_page_with_its_parameters_and_an_example(
    site: Path, name: str
) -> None:
    page = (site / "docs" / "reference" / f"hsiaug.{name}.html").read_text("utf-8")
    text = re.sub("<[^>]+>", "", page)
    assert "Parameters" in text and "Returns" in text and "Examples" in text
    assert "Annotated" not in text and ">>> import hsiaug" in html.unescape(text)


@pytest.mark.parametrize("name", ["first_benchmark", "own_scene", "new_generator"])
def test_the_site_shows_notebooks_with_their_outputs_and_their_files(site: Path, name: str) -> None:
    page = site / "docs" / "notebooks" / f"{name}.html"
    text, found = page.read_text("utf-8"), Links(page).targets
    assert "<table" in text and any("_images" in target for target in found)
    (file,) = [target for target in found if target.endswith(f"{name}.ipynb")]
    assert (page.parent / file).read_bytes() == (
        ROOT / "docs" / "notebooks" / f"{name}.ipynb"
    ).read_bytes()


def test_every_page_is_in_the_contents(site: Path) -> None:
    index = site / "docs" / "index.html"
    reached = {
        (index.parent / link).resolve()
        for link in Links(index).targets
        if not re.match(r"\w+:|#", link)
    }
    pages = {site / path.relative_to(ROOT).with_suffix(".html") for path in FILES}
    assert pages - {index} <= reached


def test_links_of_the_site_lead_to_pages_and_places_that_are_there(site: Path) -> None:
    pages = {path.resolve(): Links(path) for path in site.rglob("*.html")}
    dead = []
    for page, found in pages.items():
        for link in found.targets:
            parts = urlsplit(link)
            if parts.scheme or link.startswith("data:"):
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            place = unquote(parts.fragment)
            if not target.is_file() or (
                place and target in pages and place not in pages[target].places
            ):
                dead.append(f"{page.relative_to(site)} -> {link}")
    assert len(pages) > 20 and not dead, dead


@pytest.mark.parametrize("name", docs_lists.LISTS)
def test_the_lists_of_the_guide_are_as_hsiaug_has_them(name: str) -> None:
    page = ROOT / "docs" / f"{name}.md"
    assert docs_lists.filled(page) == page.read_text("utf-8"), "python -m benchmarks.docs_lists"


def test_every_folder_of_results_is_in_their_table() -> None:
    results = ROOT / "benchmarks" / "results"
    listed = set(re.findall(r"`(\w+)`", (results / "README.md").read_text("utf-8")))
    assert {path.name for path in results.iterdir() if path.is_dir()} <= listed


def test_the_architecture_names_every_module_and_folder_of_the_core() -> None:
    text = (ROOT / "docs" / "develop" / "architecture.md").read_text("utf-8")
    rooms = [
        path.name
        for path in (ROOT / "hsiaug").iterdir()
        if not path.name.startswith("_") and path.suffix != ".typed"
    ]
    assert not [name for name in rooms if not re.search(rf"`(hsiaug/)?{re.escape(name)}/?`", text)]


@pytest.mark.parametrize(
    "picture", sorted((ROOT / "docs" / "images").iterdir()), ids=lambda path: path.name
)
def test_pictures_are_shown_and_small(picture: Path) -> None:
    assert any(f"images/{picture.name})" in page.read_text("utf-8") for page in PAGES)
    assert picture.stat().st_size <= (70_000 if picture.suffix == ".svg" else 150_000)


def test_no_page_is_wider_than_a_phone(site: Path, browser: Any) -> None:
    tab = browser.new_page(390)
    for name in ("index", "quality", "evidence/baselines", "evidence/index"):
        tab.goto((site / "docs" / f"{name}.html").as_uri())
        assert tab.evaluate("document.documentElement.scrollWidth") == 390, name
        assert tab.evaluate(
            "[...document.images].every(i => i.complete && i.naturalWidth && i.alt)"
        ), name


def test_a_page_loads_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = re.findall(
            r"""<(?:script|link|img)[^>]+(?:src|href)=["'](?:https?:)?//[^"']+""",
            page.read_text("utf-8"),
        )
        assert not fetched, page.name


@pytest.mark.parametrize("page", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere_for_readers_of_the_files(page: Path) -> None:
    for link in links(page):
        path = link.partition("#")[0]
        if path and not re.match(r"\w+:", link):
            target = (page.parent / path).resolve()
            assert target.exists() and target.is_relative_to(ROOT), f"{page.name}: {link}"


@pytest.mark.parametrize("page", FILES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_holds_both_sides_of_a_merge(page: Path) -> None:
    assert not re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", page.read_text("utf-8"), re.MULTILINE)


def test_a_site_with_dead_links_is_not_built(tmp_path: Path) -> None:
    pytest.importorskip("myst_nb")
    (tmp_path / "docs" / "empty").mkdir(parents=True)
    (tmp_path / "docs" / "index.md").write_text(
        "# A page\n\n[dead](gone.md) [folder](empty) [place](#nowhere)\n"
    )
    answer = build(tmp_path, tmp_path / "html")
    assert answer.returncode
    assert all(
        re.search(f"not found: '#?{name}'", answer.stderr)
        for name in ("gone.md", "empty", "nowhere")
    )


@pytest.mark.parametrize("link", OUTWARD)
def test_outward_links_are_well_formed(link: str) -> None:
    parts = urlsplit(link)
    assert parts.scheme == "https" and "." in parts.netloc and not re.search(r"[\s<>]|[.,;]$", link)
    if parts.netloc == "arxiv.org":
        assert re.fullmatch(r"/abs/\d{4}\.\d{4,5}", parts.path)
    if parts.netloc == "doi.org":
        assert re.fullmatch(r"/10\.\d{4,9}/\S+", parts.path)


def online() -> bool:
    try:
        socket.create_connection(("doi.org", 443), timeout=3).close()
    except OSError:
        return False
    return True


def gone(link: str) -> str:
    """Why a link is dead; "" where it answers, or keeps programs out."""
    asked = urllib.request.Request(
        link, method="HEAD", headers={"User-Agent": "Mozilla/5.0 (link check)"}
    )
    try:
        urllib.request.urlopen(asked, timeout=15).close()
    except urllib.error.HTTPError as error:
        error.close()
        return f"{link}: {error.code}" if error.code in (404, 410) else ""
    except OSError:
        return ""  # a slow day of theirs is no fault of the page
    return ""


def test_outward_links_are_not_dead() -> None:
    if not online():
        pytest.skip("no network: the links' form is checked, not whether they answer")
    with ThreadPoolExecutor(8) as pool:
        dead = list(filter(None, pool.map(gone, OUTWARD)))
    assert not dead
