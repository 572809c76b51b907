"""Every refusal of the room of data is met once, and what it says is done until all is well.

A new ``raise SceneError(…, hint=…)`` in ``hsiaug/data`` needs a case in ``refused_files`` or
``refused_scenes``: it brings the error about, types what the hint says, and goes on.
"""

import warnings
from pathlib import Path

import pytest

from tests.data import refused_files, refused_scenes
from tests.data.refusals import CASES, Desk, refusals

assert refused_files and refused_scenes


def test_every_refusal_has_a_case() -> None:
    assert sorted(refusals()) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_what_a_refusal_says_is_done_to_its_end(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of files that lie nowhere, and of libraries
        CASES[name](desk)
    assert name in desk.met
