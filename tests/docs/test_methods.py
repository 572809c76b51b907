"""Pages of methods and docs/develop/api.md hold what there is: every built-in plugin with its papers, every
public name.
"""

import re

import pytest

from hsiaug import api
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from hsiaug.report.bibtex import entries_of
from tests.docs.pages import PAGES, ROOT

METHODS = "\n".join(
    (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("generators", "classifiers")
)
"""The lists of generators and of classifiers."""
ITEM = re.compile(
    r"^- ((?:\*\*`[^`]+`\*\*(?:, )?)+)(.*?)(?=^- |^#|^\S|\Z)", re.DOTALL | re.MULTILINE
)


def items() -> dict[str, str]:
    """What the pages say of each name."""
    found: dict[str, str] = {}
    for names, text in ITEM.findall(METHODS):
        for name in re.findall(r"`([^`]+)`", names):
            assert name not in found, f"the pages of methods name {name} twice"
            found[name] = text
    return found


def built_in() -> dict[str, Card]:
    """The cards of hsiaug's own methods by name; its protocols have a page of their own."""
    own = {key: p for key, p in registry().plugins.items() if p.distribution == "hsiaug"}
    return {name: p.load().card for (kind, name), p in own.items() if kind != "protocol"}


LINKS = {"doi": "https://doi.org/", "eprint": "https://arxiv.org/abs/"}


def sources(card: Card) -> list[set[str]]:
    """What may stand for each paper of a card: a link by its DOI or e-print, or its year."""
    return [
        {f"({url}{entry.fields[key]})" for key, url in LINKS.items() if key in entry.fields}
        | {entry.fields["year"]}
        for entry in entries_of(card.paper)
    ]


def test_the_page_names_every_built_in_plugin_and_no_other() -> None:
    assert sorted(items()) == sorted(built_in()), (
        "bring the pages in line with 'hsiaug plugins list'"
    )


@pytest.mark.parametrize(
    ("name", "card"), sorted(built_in().items()), ids=lambda v: v if isinstance(v, str) else ""
)
def test_a_method_links_to_the_papers_of_its_card(name: str, card: Card) -> None:
    missing = [links for links in sources(card) if not any(link in items()[name] for link in links)]
    assert not missing, name
    assert len(items()[name].split()) >= 6, "a word or two on what it is"


def test_methods_that_read_test_spectra_are_called_transductive() -> None:
    group = re.search(r"all of them transductive\..*?(?=^## )", METHODS, re.DOTALL | re.MULTILINE)
    assert group
    for name, card in built_in().items():
        said = "ransductive" in items()[name] or f"- **`{name}`**" in group[0]
        assert said == (card.scope == "scene"), name


def test_the_list_of_transductive_methods_is_that_of_the_cards() -> None:
    concepts = (ROOT / "docs" / "concepts.md").read_text("utf-8")
    table = re.search(r"^\| kind \| transductive \|\n.*?\n\n", concepts, re.DOTALL | re.MULTILINE)
    assert table
    listed = sorted(re.findall(r"`([\w-]+)`", table[0]))
    assert listed == sorted(name for name, card in built_in().items() if card.scope == "scene")


def test_the_page_of_protocols_names_every_built_in_one() -> None:
    text = (ROOT / "docs" / "protocols.md").read_text("utf-8")
    assert [name for name in registry().names("protocol") if f"`{name}" not in text] == []


def test_a_page_of_a_method_is_linked_from_the_list() -> None:
    for page in (path for path in PAGES if path.stem in items()):
        assert f"]({page.name})" in items()[page.stem]


def test_the_reference_holds_every_public_name() -> None:
    text = (ROOT / "docs" / "develop" / "api.md").read_text("utf-8")
    shown = re.findall(
        r"^\.\. (?:autoclass|autofunction|autodata|autoexception|py:decorator):: (\w+)$",
        text,
        re.MULTILINE,
    )
    # These have pages among what users call.
    python = (ROOT / "docs" / "python.md").read_text("utf-8")
    shown += re.findall(r"^   api\.(\w+)$", python, re.MULTILINE)
    assert sorted(shown) == sorted(name for name in vars(api) if not name.startswith("_"))


def test_no_page_or_message_installs_hsiaug_from_an_index() -> None:
    files = [*PAGES, *(ROOT / "docs").rglob("*.ipynb"), *(ROOT / "hsiaug").rglob("*.py")]
    assert [path.name for path in files if "hsiaug[" in path.read_text("utf-8")] == []


def test_no_page_says_why_pseudo_labels_gain() -> None:
    assert [path.name for path in PAGES if "gain is transductive" in path.read_text("utf-8")] == []
