"""The lines of ``hsiaug advise``: each statement has a line of its own, whatever was found."""

from types import SimpleNamespace
from typing import Any

import pytest

from hsiaug.protocol.balance import Rate
from hsiaug.report.text_templates import labelled

FINAL = SimpleNamespace(
    classifier=SimpleNamespace(name="fused:svm"),
    view="raw",
    rate=Rate(1.0),
    generator=SimpleNamespace(name="pseudo"),
)
CHOSEN = SimpleNamespace(draws=2)
KINDS: dict[str, dict[str, Any]] = {
    "use": {"chosen": CHOSEN},
    "none helps": {"chosen": None},
    "none helps, one tried": {"chosen": CHOSEN},
    "cannot tell": {"chosen": None, "ceiling": ("svm", 0.99)},
    "not decided": {"chosen": None},
    "not decided, one tried": {"chosen": CHOSEN},
}


def lines_of(kind: str, *, single_pixels: bool, **about: Any) -> list[tuple[str, str]]:
    advice = SimpleNamespace(
        **{
            "kind": kind.split(",")[0],
            "screened": (),
            "confirmed": (),
            "ceiling": None,
            "final": FINAL,
            "failed": (),
            "score": "AA",
            "large": (),
            "level": 0.95,
            "without_generator": {"svm": 0.9},
            **KINDS[kind],
        }
    )
    usual: dict[str, Any] = {
        "advice": advice,
        "gain": lambda one: "a gain",
        "name": lambda one: "an arm",
        "percent": str,
        "untried": {"cvae"},
        "screen": 3,
        "confirm": 12,
        "min_pairs": 6,
        "near": 0.0,
        "close": 50.0,
        "single_pixels": single_pixels,
        "view": "",
        "tested": 3,
        "ref": "mine.toml",
        "commands": {"command": "c", "map": "m"},
        "own_map": "o",
        "benchmark": None,
        "whole": False,
        "notes": [],
        "train": "1",
        "test": "2",
        "overlap": "0",
        "blind": set(),
        "fewest": 25,
        "small": [],
        "few": False,
        "lost": [],
        "transductive": False,
        "tried": [],
        "spent": "1 of 2",
        "root": "store",
        "leaky": "",
    }
    return labelled("advise.txt", **{**usual, **about})


@pytest.mark.parametrize("single_pixels", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_every_verdict_is_followed_by_what_to_use(kind: str, single_pixels: bool) -> None:
    lines = lines_of(kind, single_pixels=single_pixels)
    labels = [label for label, _ in lines]
    assert labels[:3] == ["verdict", "use", "command"]
    assert all(said and "\t" not in said for _, said in lines)
