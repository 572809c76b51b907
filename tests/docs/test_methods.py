"""docs/develop/api.md has every public name, and no page installs what is not published."""

import re

from hsiaug import api
from tests.docs.pages import PAGES, ROOT


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
