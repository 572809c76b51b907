"""Files of scenes that installed packages carry, found without importing these packages or a
numerical library.
"""

import tomllib
from importlib.util import find_spec
from pathlib import Path

CARDS = Path(__file__).with_name("scenes")


def embedded_path(package: str, file: str) -> Path | None:
    """Path of a file that an installed package carries; None where it is not there."""
    try:
        spec = find_spec(package)
    except ValueError:  # a module that was not imported from a file, as __main__
        spec = None
    roots = [Path(root) for root in spec.submodule_search_locations or []] if spec else []
    return next((path for root in roots if (path := root / file).is_file()), None)


def embedded_files() -> list[Path]:
    """The files of all public scenes that installed packages carry."""
    cards = [tomllib.loads(path.read_text(encoding="utf-8")) for path in CARDS.glob("*.toml")]
    parts = [
        table
        for card in cards
        for table in (card.get("cube"), card.get("labels"))
        if table and "package" in table
    ]
    paths = [embedded_path(table["package"], table["file"]) for table in parts]
    return [path for path in paths if path is not None]
