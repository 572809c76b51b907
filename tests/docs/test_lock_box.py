"""The suite that runs once, on a scene that nothing was chosen on, is the one that a page names
by its checksum.
"""

import hashlib
import tomllib
from pathlib import Path

HERE = Path(__file__).parents[2]


def test_the_lock_box_was_not_changed_after_it_was_closed() -> None:
    suite = (HERE / "benchmarks" / "lock_box.toml").read_bytes()
    page = (HERE / "docs" / "evidence" / "splits.md").read_text(encoding="utf-8")
    assert hashlib.sha256(suite).hexdigest() in page


def test_no_other_suite_opens_the_scene_of_the_lock_box() -> None:
    (scene,) = tomllib.loads((HERE / "benchmarks" / "lock_box.toml").read_text(encoding="utf-8"))[
        "defaults"
    ]["scenes"]
    for path in sorted((HERE / "benchmarks").glob("*.toml")):
        if path.name != "lock_box.toml":
            assert f'"{scene}"' not in path.read_text(encoding="utf-8"), path.name
