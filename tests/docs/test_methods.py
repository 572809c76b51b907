"""The page of concepts and docs/develop/api.md hold what there is: every method that
reads unlabelled pixels, every public name.
"""

import re

from hsiaug import api
from hsiaug.registry.card import Card
from hsiaug.registry.lookup import registry
from tests.docs.pages import PAGES, ROOT


def built_in() -> dict[str, Card]:
    """The cards of hsiaug's own methods by name; its protocols have a page of their own."""
    own = {key: p for key, p in registry().plugins.items() if p.distribution == "hsiaug"}
    return {name: p.load().card for (kind, name), p in own.items() if kind != "protocol"}


def test_the_list_of_transductive_methods_is_that_of_the_cards() -> None:
    concepts = (ROOT / "docs" / "concepts.md").read_text("utf-8")
    table = re.search(r"^\| kind \| transductive \|\n.*?\n\n", concepts, re.DOTALL | re.MULTILINE)
    assert table
    listed = sorted(re.findall(r"`([\w-]+)`", table[0]))
    assert listed == sorted(name for name, card in built_in().items() if card.scope == "scene")


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
